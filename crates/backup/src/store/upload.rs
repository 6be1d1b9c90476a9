//! Puts a part of a file into the store, with its checksum.

use std::sync::Arc;

use bytes::Bytes;
use matchwire_embedded::disk::File;
use matchwire_store::Parts;
use sha2::{Digest as _, Sha256};

use super::Store;
use crate::{Error, error::blocking, manifest::hex};

/// How much is read and sent at once.
const PART_BYTES: u64 = 16 << 20;

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
        let mut reading = Reading { file, at: from, to, hash: Sha256::new() };
        self.place.upload(name, &mut reading).await?;
        Ok(Stored { bytes: to - from, sha256: hex(&reading.hash.finalize()) })
    }
}

/// A part of a file that is read from front to back.
struct Reading {
    file: Arc<dyn File>,
    at: u64,
    to: u64,
    hash: Sha256,
}

impl Parts for Reading {
    type Error = Error;

    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if self.at >= self.to {
            return Ok(None);
        }
        let (file, at, mut hash) = (self.file.clone(), self.at, std::mem::take(&mut self.hash));
        let bytes = PART_BYTES.min(self.to - at);
        let read = move || {
            let mut buffer = vec![0; usize::try_from(bytes).unwrap_or_default()];
            file.read_at(&mut buffer, at)?;
            hash.update(&buffer);
            Ok((buffer, hash))
        };
        let read = blocking(read).await?.map_err(Error::file("cannot read a file of the log"))?;
        (self.at, self.hash) = (at + bytes, read.1);
        Ok(Some(read.0.into()))
    }
}
