//! Writes groups to the open segment, and starts new segments.
//!
//! The file is filled with zeros ahead of small groups, in steps: the sync of such a group takes two
//! thirds of the time when it has to write data only, and not that the file has grown. For large
//! groups that makes no difference, and the zeros would be written for nothing.

use std::{io, sync::Arc, time::Instant};

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::{
    Defect, Error,
    medium::{Record, Written},
};

use crate::{
    disk::{Disk, File},
    format::{Home, SEGMENT_HEADER_BYTES, SegmentHeader, View, put_group},
    scan::segment_name,
};

/// What the name of a file ends in until it is complete.
pub(crate) const TMP_SUFFIX: &str = ".tmp";
/// Groups from this size on are written where the file ends, without zeros ahead.
const LARGE_BYTES: u64 = 256 << 10;
/// How many zeros are written with one call.
const ZEROS_BYTES: usize = 1 << 20;

/// The open segment, as its writer sees it.
pub(crate) struct Writer {
    pub(crate) file: Arc<dyn File>,
    pub(crate) home: Home,
    /// Where the next group goes; everything before is synced.
    pub(crate) end: u64,
    /// Up to here the file has groups and zeros.
    pub(crate) zeroed: u64,
    /// How far ahead zeros are written.
    pub(crate) ahead_bytes: u64,
    buffer: Vec<u8>,
    zeros: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(
        file: Arc<dyn File>,
        home: Home,
        end: u64,
        zeroed: u64,
        ahead_bytes: u64,
    ) -> Self {
        let zeros = vec![0; ZEROS_BYTES];
        Self { file, home, end, zeroed, ahead_bytes, buffer: Vec::new(), zeros }
    }

    /// Writes a group and syncs it. After [`Error::Full`] it is as if nothing had been written;
    /// after another error nobody knows.
    pub(crate) fn write(&mut self, number: u64, group: &[Record]) -> Result<Written, Error> {
        put_group(&mut self.buffer, self.home, number, self.end, group.iter().map(View::of));
        let bytes = self.buffer.len() as u64;
        self.reserve(bytes)?;
        if let Err(error) = self.file.write_at(&self.buffer, self.end) {
            if is_full(&error) {
                // On a disk that copies on write, even zeros cannot always be written over.
                self.file.set_size(self.end)?;
                self.zeroed = self.end;
                return Err(Error::Full);
            }
            return Err(error.into());
        }
        let start = Instant::now();
        if !Defect::SkipSync.is_on() {
            self.file.sync()?;
        }
        self.end += bytes;
        self.zeroed = self.zeroed.max(self.end);
        Ok(Written { bytes, sync: start.elapsed() })
    }

    /// Writes that the log is closed in order, behind the last group.
    pub(crate) fn close(&mut self, number: u64) -> io::Result<()> {
        put_group(&mut self.buffer, self.home, number, self.end, std::iter::empty());
        self.file.write_at(&self.buffer, self.end)?;
        self.file.sync()
    }

    /// Makes sure that there is room for so many bytes, and now and then for many more.
    fn reserve(&mut self, bytes: u64) -> Result<(), Error> {
        let needed = self.end + bytes;
        if needed <= self.zeroed || bytes >= LARGE_BYTES {
            return Ok(());
        }
        let target = needed + self.ahead_bytes;
        while self.zeroed < target {
            let length = usize::try_from(target - self.zeroed).unwrap_or(ZEROS_BYTES);
            let zeros = self.zeros.get(..length).unwrap_or(&self.zeros);
            match self.file.write_at(zeros, self.zeroed) {
                Ok(()) => self.zeroed += zeros.len() as u64,
                Err(error) if is_full(&error) && self.zeroed >= needed => break,
                Err(error) if is_full(&error) => return Err(Error::Full),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Goes on in a new segment.
    pub(crate) fn go_on(&mut self, file: Arc<dyn File>, home: Home) {
        // The zeros are not needed any more. They do no harm, should this fail.
        if let Err(error) = self.file.set_size(self.end) {
            tracing::warn!(%error, segment = self.home.segment, "cannot cut a finished segment");
        }
        (self.file, self.home) = (file, home);
        (self.end, self.zeroed) = (SEGMENT_HEADER_BYTES as u64, SEGMENT_HEADER_BYTES as u64);
    }
}

/// Makes the file of a new segment, with a group in it if there is one; if the disk is full, there
/// is none afterwards. A file that had the name is replaced.
pub(crate) fn create_segment(
    disk: &dyn Disk,
    home: Home,
    recorded: Timestamp,
    group: &[u8],
) -> Result<Arc<dyn File>, Error> {
    let name = segment_name(home.segment);
    let unnamed = format!("{name}{TMP_SUFFIX}");
    let create = || -> io::Result<Arc<dyn File>> {
        let file = disk.create(&unnamed)?;
        file.write_at(&SegmentHeader::new(home, recorded).encode(), 0)?;
        if !group.is_empty() {
            file.write_at(group, SEGMENT_HEADER_BYTES as u64)?;
        }
        Ok(file)
    };
    match create() {
        Ok(file) => {
            file.sync()?;
            disk.rename(&unnamed, &name)?;
            disk.sync()?;
            Ok(file)
        }
        Err(failed) => {
            // What is left of it goes with the next start, if not now.
            let _ = disk.remove(&unnamed);
            Err(error(failed))
        }
    }
}

/// The error of the log for one of the disk, where nothing has come to harm by it.
pub(crate) fn error(error: io::Error) -> Error {
    if is_full(&error) { Error::Full } else { error.into() }
}

/// Whether an error says that there is no space.
fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
