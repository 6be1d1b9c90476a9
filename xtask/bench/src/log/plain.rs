//! The least that durability can cost: the same bytes in one file, with one `write` and one
//! `fdatasync` for all batches that are in flight. There is no framing, no checksum, no index, no
//! numbering and no look for duplicates.

use std::{
    fs::File,
    io::{Seek as _, Write as _},
    path::Path,
};

use super::contest::{Batch, Contestant, Lane, Role, Running, Shape};

/// Into a file that grows: each sync also commits its new size to the file system's journal.
pub(super) struct Growing;

/// Into a file that was filled with zeros, and synced, before the time starts.
pub(super) struct Zeroed;

/// How many zeros are written with one call.
const ZEROS_BYTES: usize = 1 << 20;

impl Contestant for Growing {
    fn name(&self) -> &'static str {
        "write+fdatasync, growing file"
    }

    fn role(&self) -> Role {
        Role::Bare
    }

    fn start(&self, folder: &Path, _: Shape, _: &[Batch]) -> anyhow::Result<Running> {
        let file = File::create_new(folder.join("growing"))?;
        Ok(Running::together(Loop { file, buffer: Vec::new() }))
    }
}

impl Contestant for Zeroed {
    fn name(&self) -> &'static str {
        "write+fdatasync, zero-filled file"
    }

    fn role(&self) -> Role {
        Role::Bound
    }

    fn start(&self, folder: &Path, _: Shape, batches: &[Batch]) -> anyhow::Result<Running> {
        let mut file = File::create_new(folder.join("zeroed"))?;
        let bytes: usize = batches.iter().flatten().map(|event| event.stored.len()).sum();
        let zeros = vec![0; ZEROS_BYTES];
        for _ in 0..bytes.div_ceil(ZEROS_BYTES) {
            file.write_all(&zeros)?;
        }
        file.sync_all()?;
        file.rewind()?;
        Ok(Running::together(Loop { file, buffer: Vec::new() }))
    }
}

struct Loop {
    file: File,
    buffer: Vec<u8>,
}

impl Lane for Loop {
    fn append(&mut self, batches: Vec<Batch>) -> anyhow::Result<()> {
        self.buffer.clear();
        for event in batches.iter().flatten() {
            self.buffer.extend_from_slice(&event.stored);
        }
        self.file.write_all(&self.buffer)?;
        Ok(self.file.sync_data()?)
    }
}
