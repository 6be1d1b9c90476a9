//! Puts a part of a file into the store, with its checksum.

use std::sync::Arc;

use bytes::Bytes;
use matchwire_embedded::disk::File;
use object_store::{MultipartUpload, ObjectStoreExt as _};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;

use super::Store;
use crate::{Error, error::blocking, manifest::hex};

/// How much is read and sent at once. S3 takes parts from 5 MiB on, and at most 10,000 of them.
const PART_BYTES: u64 = 16 << 20;
/// How many parts are on their way at once; each takes its size in memory.
const MAX_PARTS: usize = 4;

/// What was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) bytes: u64,
    /// In hexadecimal digits.
    pub(crate) sha256: String,
}

impl Store {
    /// Puts the bytes `from` to `to` of a file under a name. The object is there as a whole or not
    /// at all.
    pub(crate) async fn upload(
        &self,
        name: &str,
        file: Arc<dyn File>,
        from: u64,
        to: u64,
    ) -> Result<Stored, Error> {
        let path = self.path(name);
        let mut reading = Reading { file, at: from, to, hash: Sha256::new() };
        if to - from <= PART_BYTES {
            let (bytes, reading) = reading.next().await?;
            let put = self.inner.objects.put(&path, bytes.into()).await;
            put.map_err(|error| self.error(error))?;
            return Ok(reading.done(to - from));
        }
        let upload = self.inner.objects.put_multipart(&path).await;
        let mut upload = upload.map_err(|error| self.error(error))?;
        match self.send(&mut *upload, &mut reading).await {
            Ok(()) => Ok(reading.done(to - from)),
            Err(error) => {
                // What was sent is left to the store's own rules if this fails, too.
                let _ = upload.abort().await;
                Err(error)
            }
        }
    }

    async fn send(
        &self,
        upload: &mut dyn MultipartUpload,
        reading: &mut Reading,
    ) -> Result<(), Error> {
        let mut parts = JoinSet::new();
        while reading.at < reading.to {
            let (bytes, next) = std::mem::replace(reading, Reading::none(reading)).next().await?;
            *reading = next;
            if parts.len() >= MAX_PARTS {
                self.sent(parts.join_next().await)?;
            }
            parts.spawn(upload.put_part(bytes.into()));
        }
        while !parts.is_empty() {
            self.sent(parts.join_next().await)?;
        }
        upload.complete().await.map(drop).map_err(|error| self.error(error))
    }

    fn sent(
        &self,
        part: Option<Result<object_store::Result<()>, tokio::task::JoinError>>,
    ) -> Result<(), Error> {
        match part {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(self.error(error)),
            Some(Err(error)) => Err(self.error(error.into())),
        }
    }

    /// Puts bytes under a name.
    pub(crate) async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Error> {
        let put = self.inner.objects.put(&self.path(name), bytes.into()).await;
        put.map(drop).map_err(|error| self.error(error))
    }
}

/// A part of a file that is read from front to back.
struct Reading {
    file: Arc<dyn File>,
    at: u64,
    to: u64,
    hash: Sha256,
}

impl Reading {
    /// What stands in the place of one that is away.
    fn none(of: &Self) -> Self {
        Self { file: of.file.clone(), at: of.to, to: of.to, hash: Sha256::new() }
    }

    async fn next(mut self) -> Result<(Bytes, Self), Error> {
        let read = move || {
            let bytes = PART_BYTES.min(self.to - self.at);
            let mut buffer = vec![0; usize::try_from(bytes).unwrap_or_default()];
            self.file.read_at(&mut buffer, self.at)?;
            self.hash.update(&buffer);
            self.at += bytes;
            Ok((buffer.into(), self))
        };
        blocking(read).await?.map_err(Error::file("cannot read a file of the log"))
    }

    fn done(&self, bytes: u64) -> Stored {
        Stored { bytes, sha256: hex(&self.hash.clone().finalize()) }
    }
}
