//! Reads a file from front to back in large pieces.

use std::{io, sync::Arc};

use crate::disk::File;

/// How much is read at once.
const WINDOW_BYTES: usize = 1 << 20;

/// A piece of a file that moves along with what is asked for.
pub(crate) struct Window {
    file: Arc<dyn File>,
    size: u64,
    start: u64,
    buffer: Vec<u8>,
}

impl Window {
    pub(crate) fn new(file: Arc<dyn File>) -> io::Result<Self> {
        let size = file.size()?;
        Ok(Self { file, size, start: 0, buffer: Vec::new() })
    }

    /// The size of the file when the window was made.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// So many bytes at an offset; fewer where the file ends.
    pub(crate) fn get(&mut self, offset: u64, bytes: usize) -> io::Result<&[u8]> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let bytes = bytes.min(left);
        if bytes == 0 {
            return Ok(&[]);
        }
        let end = self.start + self.buffer.len() as u64;
        if offset < self.start || offset + bytes as u64 > end {
            self.buffer.resize(bytes.max(WINDOW_BYTES.min(left)), 0);
            if let Err(error) = self.file.read_at(&mut self.buffer, offset) {
                self.buffer.clear();
                return self.shrunk(error, offset, bytes);
            }
            self.start = offset;
        }
        let at = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
        Ok(self.buffer.get(at..at.saturating_add(bytes)).unwrap_or_default())
    }

    /// Zeros behind the last group are cut off when a segment is full, also while somebody reads it.
    fn shrunk(&mut self, error: io::Error, offset: u64, bytes: usize) -> io::Result<&[u8]> {
        let size = self.file.size()?;
        if error.kind() != io::ErrorKind::UnexpectedEof || size >= self.size {
            return Err(error);
        }
        self.size = size;
        self.get(offset, bytes)
    }
}
