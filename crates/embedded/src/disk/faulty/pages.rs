//! One file: what is read, which is the page cache, and what is on the device.

use std::ops::Range;

use rand::{Rng, rngs::SmallRng, seq::IndexedRandom};

/// What a device writes at once. Of a write that was not synced, each may be there or not.
const SECTOR_BYTES: usize = 512;
/// What a system reads and writes at once.
const PAGE_BYTES: usize = 4_096;

#[derive(Default)]
pub(super) struct Pages {
    cache: Vec<u8>,
    device: Vec<u8>,
    /// What the next sync brings to the device.
    dirty: Vec<Change>,
    /// Whether a sync has failed, so that the cache has what the device has not, and no later sync
    /// brings it there.
    stale: bool,
    /// Where bits were flipped, and not written over since.
    flipped: Vec<(usize, u8)>,
}

enum Change {
    Write(usize, Vec<u8>),
    Size(usize),
}

/// What a crash does with a file.
#[derive(Clone, Copy)]
enum Tear {
    /// Nothing has arrived.
    Nothing,
    /// Everything has.
    Nowhere,
    /// What was done first has arrived, up to some byte.
    Behind,
    /// Each sector by itself has arrived, or not, or in part.
    Anywhere,
}

impl Pages {
    pub(super) fn cache(&self) -> &[u8] {
        &self.cache
    }

    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        put(&mut self.cache, offset, bytes);
        self.flipped.retain(|(at, _)| !(offset..offset + bytes.len()).contains(at));
        if !self.stale {
            self.dirty.push(Change::Write(offset, bytes.to_vec()));
            return;
        }
        // The pages that are written to go to the device as a whole.
        let end = (offset + bytes.len()).next_multiple_of(PAGE_BYTES).min(self.cache.len());
        let start = offset / PAGE_BYTES * PAGE_BYTES;
        let pages = self.cache.get(start..end).unwrap_or_default();
        self.dirty.push(Change::Write(start, pages.to_vec()));
    }

    pub(super) fn set_size(&mut self, bytes: usize) {
        self.cache.resize(bytes, 0);
        self.flipped.retain(|(at, _)| *at < bytes);
        self.dirty.push(Change::Size(bytes));
    }

    pub(super) fn sync(&mut self) {
        for change in self.dirty.drain(..) {
            change.apply(&mut self.device);
        }
        self.device.resize(self.cache.len(), 0);
    }

    /// Brings any part of what is dirty to the device, and takes the rest for done.
    pub(super) fn fail_sync(&mut self, random: &mut SmallRng) {
        self.stale |= !self.dirty.is_empty();
        self.tear(random);
    }

    pub(super) fn crash(&mut self, random: &mut SmallRng) {
        if self.stale || !self.dirty.is_empty() {
            self.tear(random);
            self.cache.clone_from(&self.device);
            self.stale = false;
        }
    }

    pub(super) fn flip(&mut self, offset: usize, bits: u8) {
        for content in [&mut self.cache, &mut self.device] {
            if let Some(byte) = content.get_mut(offset) {
                *byte ^= bits;
            }
        }
        self.flipped.push((offset, bits));
    }

    pub(super) fn heal(&mut self) {
        for (offset, bits) in std::mem::take(&mut self.flipped) {
            self.flip(offset, bits);
        }
        self.flipped.clear();
    }

    fn tear(&mut self, random: &mut SmallRng) {
        let ways = [Tear::Nothing, Tear::Nowhere, Tear::Behind, Tear::Anywhere, Tear::Anywhere];
        let way = ways.choose(random).copied().unwrap_or(Tear::Nothing);
        let last = random.random_range(0..self.dirty.len().max(1));
        for (index, change) in self.dirty.drain(..).enumerate() {
            match way {
                Tear::Nothing => {}
                Tear::Nowhere => change.apply(&mut self.device),
                Tear::Behind if index < last => change.apply(&mut self.device),
                Tear::Behind if index > last => {}
                Tear::Behind => change.apply_front(&mut self.device, random),
                Tear::Anywhere => change.apply_sectors(&mut self.device, random),
            }
        }
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(offset, bytes) => put(content, *offset, bytes),
            Self::Size(bytes) => content.resize(*bytes, 0),
        }
    }

    /// Applies a write up to some byte.
    fn apply_front(&self, content: &mut Vec<u8>, random: &mut SmallRng) {
        if let Self::Write(offset, bytes) = self {
            let end = random.random_range(0..=bytes.len());
            put(content, *offset, bytes.get(..end).unwrap_or_default());
        }
    }

    /// Applies any sectors of a write, and any part of others.
    fn apply_sectors(&self, content: &mut Vec<u8>, random: &mut SmallRng) {
        let Self::Write(offset, bytes) = self else {
            if random.random() {
                self.apply(content);
            }
            return;
        };
        if random.random() {
            // The size has arrived, whatever became of the data.
            content.resize(content.len().max(offset + bytes.len()), 0);
        }
        for sector in sectors(*offset..offset + bytes.len()) {
            let here = sector.start;
            let sector = bytes.get(sector.start - offset..sector.end - offset).unwrap_or_default();
            let arrived = match random.random_range(0..8) {
                0..4 => 0,
                4..7 => sector.len(),
                _ => random.random_range(0..=sector.len()),
            };
            if arrived > 0 {
                put(content, here, sector.get(..arrived).unwrap_or_default());
            }
        }
    }
}

/// The pieces of a range that lie in one sector each.
fn sectors(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut start = range.start;
    std::iter::from_fn(move || {
        let end = (start + 1).next_multiple_of(SECTOR_BYTES).min(range.end);
        let sector = start..end;
        start = end;
        (!sector.is_empty()).then_some(sector)
    })
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(place) = content.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}
