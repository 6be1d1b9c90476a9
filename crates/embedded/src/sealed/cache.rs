//! Decoded blocks and pages of all sealed files of a log, kept while they are in use.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use foldhash::HashMap;
use parking_lot::Mutex;

use super::block::Block;
use crate::archive::Archive;

/// How much is kept by default.
const DEFAULT_BYTES: usize = 16 << 20;
/// How many decompressors are kept for the next one who needs one; each has some 100 KiB.
const SPARE_DECOMPRESSORS: usize = 4;

/// The cache of a log, bounded in bytes. What was not asked for since it was last looked at goes
/// first.
pub(crate) struct Blocks {
    limit_bytes: usize,
    /// Where events are that are not in the log's own files.
    pub(super) archive: Option<Arc<dyn Archive>>,
    files: AtomicU64,
    kept: Mutex<Kept>,
    spare: Mutex<Vec<zstd::bulk::Decompressor<'static>>>,
}

#[derive(Default)]
struct Kept {
    slots: HashMap<Key, Slot>,
    order: VecDeque<Key>,
    bytes: usize,
}

/// A file by its number, and the offset of a frame.
type Key = (u64, u64);

struct Slot {
    block: Arc<Block>,
    bytes: usize,
    was_used: bool,
}

impl Default for Blocks {
    fn default() -> Self {
        Self::new(DEFAULT_BYTES)
    }
}

impl Blocks {
    /// A cache of at most so many bytes.
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self::over(limit_bytes, None)
    }

    /// The same, for a log that has events in an archive.
    pub(crate) fn over(limit_bytes: usize, archive: Option<Arc<dyn Archive>>) -> Self {
        Self {
            limit_bytes,
            archive,
            files: AtomicU64::new(0),
            kept: Mutex::default(),
            spare: Mutex::default(),
        }
    }

    /// How many bytes are kept now.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.kept.lock().bytes
    }

    /// A number for a file that is opened. A file that is written again gets another one.
    pub(super) fn file_number(&self) -> u64 {
        self.files.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn get(&self, file: u64, offset: u64) -> Option<Arc<Block>> {
        let mut kept = self.kept.lock();
        let slot = kept.slots.get_mut(&(file, offset))?;
        slot.was_used = true;
        Some(slot.block.clone())
    }

    pub(super) fn put(&self, file: u64, offset: u64, block: &Arc<Block>) {
        let (key, bytes) = ((file, offset), block.memory_bytes());
        if bytes > self.limit_bytes / 2 {
            return;
        }
        let mut kept = self.kept.lock();
        let slot = Slot { block: block.clone(), bytes, was_used: false };
        match kept.slots.insert(key, slot) {
            // Somebody else has read it at the same time.
            Some(_) => return,
            None => kept.order.push_back(key),
        }
        kept.bytes += bytes;
        while kept.bytes > self.limit_bytes {
            kept.drop_one();
        }
    }

    /// Forgets what is kept of a file.
    pub(super) fn forget(&self, file: u64) {
        let mut kept = self.kept.lock();
        let Kept { slots, order, bytes } = &mut *kept;
        order.retain(|key| key.0 != file);
        slots.retain(|key, slot| {
            let stays = key.0 != file;
            *bytes -= if stays { 0 } else { slot.bytes };
            stays
        });
    }

    /// Decompresses to exactly so many bytes; nothing if that is not what it is.
    pub(super) fn decompress(&self, payload: &[u8], raw_bytes: usize) -> Option<Vec<u8>> {
        let spare = self.spare.lock().pop();
        let mut decompressor = match spare {
            Some(decompressor) => decompressor,
            None => zstd::bulk::Decompressor::new().ok()?,
        };
        let raw = decompressor.decompress(payload, raw_bytes);
        let mut spares = self.spare.lock();
        if spares.len() < SPARE_DECOMPRESSORS {
            spares.push(decompressor);
        }
        raw.ok().filter(|raw| raw.len() == raw_bytes)
    }
}

impl Kept {
    /// Drops the oldest one that was not used since it was last looked at.
    fn drop_one(&mut self) {
        while let Some(key) = self.order.pop_front() {
            let slot = self.slots.get_mut(&key);
            if let Some(slot) = slot.filter(|slot| slot.was_used) {
                slot.was_used = false;
                self.order.push_back(key);
            } else {
                self.bytes -= self.slots.remove(&key).map_or(0, |slot| slot.bytes);
                return;
            }
        }
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_used() {
        let blocks = Blocks::new(10_000);
        let block = |bytes| Arc::new(Block { payload: vec![0; bytes], chunks: Vec::new() });
        let file = blocks.file_number();
        for offset in 0..100 {
            blocks.put(file, offset, &block(1_000));
            blocks.put(file, offset, &block(1_000));
            assert!(blocks.get(file, 0).is_some(), "{offset}");
            assert!(blocks.memory_bytes() <= 10_000);
        }
        blocks.put(file, 100, &block(9_000));
        assert!(blocks.get(file, 1).is_none() && blocks.get(file, 100).is_none());
        assert!(blocks.get(file + 1, 0).is_none());
        blocks.forget(file);
        assert!(blocks.get(file, 0).is_none() && blocks.memory_bytes() == 0);
    }
}
