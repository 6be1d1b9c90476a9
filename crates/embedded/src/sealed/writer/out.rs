//! The file that is being written, with a buffer before it.

use std::sync::Arc;

use matchwire_log::Error;

use crate::{
    disk::File,
    sealed::frame::{Home, Part, Place},
    writer::error,
};

/// So much is written at once.
const BUFFER_BYTES: usize = 512 << 10;

pub(super) struct Out {
    file: Arc<dyn File>,
    buffer: Vec<u8>,
    /// Where the buffer goes.
    offset: u64,
}

impl Out {
    pub(super) fn new(file: Arc<dyn File>, offset: u64) -> Self {
        Self { file, buffer: Vec::with_capacity(BUFFER_BYTES * 2), offset }
    }

    /// Writes a frame behind what is there.
    pub(super) fn frame(
        &mut self,
        home: Home,
        part: Part,
        raw_bytes: usize,
        payload: &[u8],
    ) -> Result<Place, Error> {
        let (start, offset) = (self.buffer.len(), self.offset + self.buffer.len() as u64);
        home.put(&mut self.buffer, offset, part, raw_bytes, payload);
        let bytes = self.buffer.len() - start;
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        let limit = u32::MAX as usize;
        let bytes = u32::try_from(bytes).map_err(|_| Error::TooLarge { bytes, limit })?;
        Ok(Place { offset, bytes })
    }

    /// Writes the footer and the header, and syncs.
    pub(super) fn end(&mut self, footer: &[u8], header: &[u8]) -> Result<(), Error> {
        self.buffer.extend_from_slice(footer);
        self.flush()?;
        self.file.write_at(header, 0).map_err(error)?;
        self.file.sync()?;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.file.write_at(&self.buffer, self.offset).map_err(error)?;
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}
