//! What a log takes on the disk and in memory, and how its files are: for metrics and for health.

use std::sync::{Arc, atomic::Ordering};

use crate::{
    history::{self, Hole, Part},
    scrub::ScrubStats,
    segments::Shared,
    stats::Files,
    verify::Spot,
};

/// Watches a log that is open, and keeps its files open for as long as it lives.
#[derive(Clone)]
pub struct Monitor(pub(crate) Arc<Shared>);

/// What a log takes.
///
/// Space amplification is `sealed.bytes / stored_bytes`; write amplification since the start is
/// `(appended_bytes + sealed_bytes) / appended_bytes`, beside the zeros that are written ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Storage {
    /// The segment that is written to.
    pub open: Files,
    /// Full segments that wait to be sealed.
    pub waiting: Files,
    /// Segments with damage, which stay for a repair. Each piece of one counts.
    pub damaged: Files,
    /// Sealed files.
    pub sealed: Files,
    /// Events in sealed files, archived ones included.
    pub sealed_events: u64,
    /// Events that were trimmed: what is left of them are their identities.
    pub trimmed_events: u64,
    /// Events that are in the archive.
    pub archived_events: u64,
    /// The objects of the archive that have them.
    pub archived: Files,
    /// Stored bytes of those that are in the files, before they were compressed.
    pub stored_bytes: u64,
    /// Bytes of groups that were appended since the start.
    pub appended_bytes: u64,
    /// Bytes of sealed files that were written since the start.
    pub sealed_bytes: u64,
    /// What indexes and filters of sealed files take in memory, and indexes of segments, about.
    pub memory_bytes: u64,
    /// What decoded blocks take in memory.
    pub cache_bytes: u64,
    /// Whether there is something to seal or to merge.
    pub is_busy: bool,
}

impl Storage {
    /// Bytes of all files.
    pub fn disk_bytes(&self) -> u64 {
        [self.open, self.waiting, self.damaged, self.sealed].iter().map(|files| files.bytes).sum()
    }
}

impl Monitor {
    /// What the log takes now.
    pub fn storage(&self) -> Storage {
        self.0.storage()
    }

    /// What is missing in the history now, accepted losses included.
    pub fn holes(&self) -> Vec<Hole> {
        self.0.holes()
    }

    /// How the check in the background gets on.
    pub fn scrub_stats(&self) -> ScrubStats {
        self.0.scrub_stats()
    }

    /// What the work in the background fails of now, and tries again: sealing and merging, trimming
    /// and archiving.
    pub fn failures(&self) -> Vec<String> {
        let failures = [&self.0.keeping.failure, &self.0.aging.failure];
        failures.iter().filter_map(|failure| failure.lock().clone()).collect()
    }

    /// All places that are known to be damaged: holes that were not accepted, and what the check in
    /// the background has found.
    pub fn damage(&self) -> Vec<Spot> {
        let holes = self.holes().into_iter().filter(|hole| !hole.is_accepted);
        let spot = |hole: Hole| Spot { file: hole.file, offset: hole.offset, what: hole.what };
        let mut spots: Vec<Spot> = holes.map(spot).collect();
        spots.extend(self.scrub_stats().damaged);
        spots
    }
}

impl Shared {
    pub(crate) fn storage(&self) -> Storage {
        let (parts, open_bytes, index_bytes) = {
            let state = self.state.read();
            (state.parts.clone(), state.open.end, state.open.index.memory_bytes())
        };
        let mut storage = Storage {
            appended_bytes: self.counts.appended_bytes.load(Ordering::Relaxed),
            sealed_bytes: self.counts.sealed_bytes.load(Ordering::Relaxed),
            cache_bytes: self.cache.memory_bytes() as u64,
            is_busy: self.is_busy(&parts),
            memory_bytes: index_bytes as u64,
            ..Storage::default()
        };
        storage.open.add(open_bytes);
        for part in parts.iter() {
            if let Part::Segment(segment) = part {
                storage.memory_bytes += segment.index.memory_bytes() as u64;
            }
            match part {
                Part::Segment(segment) if segment.is_damaged() => storage.damaged.add(segment.end),
                Part::Segment(segment) => storage.waiting.add(segment.end),
                Part::Sealed(sealed) => {
                    let stats = sealed.stats();
                    storage.sealed.add(stats.file_bytes);
                    storage.sealed_events += stats.events;
                    storage.trimmed_events += stats.trimmed;
                    storage.archived_events += stats.away;
                    if let Some(object) = sealed.object() {
                        storage.archived.add(object.bytes);
                    }
                    storage.stored_bytes += stats.stored_bytes;
                    storage.memory_bytes += stats.memory_bytes as u64;
                }
                Part::Hole(_) => {}
            }
        }
        storage
    }

    pub(crate) fn holes(&self) -> Vec<Hole> {
        let parts = self.state.read().parts.clone();
        history::holes(&parts)
    }
}
