//! Where the bytes of an object go while it is written: in parts to the upload, which runs beside.

use std::io::{self, Write};

use bytes::Bytes;
use matchwire_store::{Parts, Place};
use tokio::sync::mpsc;

use crate::worker::{Pending, Worker};

/// How much is sent at once. S3 takes parts from 5 MiB on, and at most 10,000 of them.
const PART_BYTES: usize = 8 << 20;

/// Why an upload has ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The store has failed.
    Store(matchwire_store::Error),
    /// Who writes has given up.
    GivenUp,
}

impl From<matchwire_store::Error> for Ended {
    fn from(error: matchwire_store::Error) -> Self {
        Self::Store(error)
    }
}

/// What a part is followed by: another, or the end. A channel that closes before has given up.
type Message = Option<Bytes>;

struct Coming(mpsc::Receiver<Message>);

impl Parts for Coming {
    type Error = Ended;

    async fn next(&mut self) -> Result<Option<Bytes>, Ended> {
        self.0.recv().await.ok_or(Ended::GivenUp)
    }
}

/// An object that is being written. If it is dropped before [`finish`](Self::finish), the upload is
/// given up.
pub(crate) struct Out<'a> {
    worker: &'a Worker,
    sender: mpsc::Sender<Message>,
    part: Vec<u8>,
    bytes: u64,
    crc32c: u32,
}

impl<'a> Out<'a> {
    /// Begins the upload of an object.
    pub(crate) fn begin(
        worker: &'a Worker,
        place: &Place,
        name: &str,
    ) -> (Self, Pending<Result<(), Ended>>) {
        let (sender, receiver) = mpsc::channel(1);
        let (place, name) = (place.clone(), name.to_owned());
        let upload = worker.begin(async move { place.upload(&name, &mut Coming(receiver)).await });
        (Self { worker, sender, part: Vec::new(), bytes: 0, crc32c: 0 }, upload)
    }

    /// How many bytes there are up to now.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The CRC32C of everything since this was asked before.
    pub(crate) fn take_crc32c(&mut self) -> u32 {
        std::mem::take(&mut self.crc32c)
    }

    /// Sends the rest. The upload has it when it has ended.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        if !self.part.is_empty() {
            self.send_part()?;
        }
        self.send(None)?;
        Ok(self.bytes)
    }

    fn send_part(&mut self) -> io::Result<()> {
        let part = std::mem::take(&mut self.part);
        self.send(Some(part.into()))
    }

    fn send(&self, message: Message) -> io::Result<()> {
        let sender = self.sender.clone();
        let sent = self.worker.wait(async move { sender.send(message).await.is_ok() });
        if sent == Some(true) { Ok(()) } else { Err(io::Error::other("the upload has ended")) }
    }
}

impl Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.part.len() >= PART_BYTES {
            self.send_part()?;
        }
        let room = PART_BYTES - self.part.len();
        let (now, _) = bytes.split_at(bytes.len().min(room));
        self.part.extend_from_slice(now);
        self.crc32c = crc32c::crc32c_append(self.crc32c, now);
        self.bytes += now.len() as u64;
        Ok(now.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
