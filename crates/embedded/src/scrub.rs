//! Reads sealed files again now and then, at a bounded rate, so that damage is known before somebody
//! needs what it hides.
//!
//! A round goes over all files; the next one begins some hours after it. Damage is told once, and
//! listed until the file is whole again. If only derived parts of a file are damaged (tables, ids,
//! filters, the index), the file is written again from its blocks.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use matchwire_log::Error;
use parking_lot::Mutex;

use crate::{
    history::Part,
    recovery::{Listed, list},
    sealed::{Depth, Range, Sealed, sealed_name},
    segments::Shared,
    verify::Spot,
};

/// From the end of a round to the start of the next one.
const PAUSE: Duration = Duration::from_hours(6);
/// How long is slept at most before a stop is looked for.
const NAP: Duration = Duration::from_millis(200);

/// What the check in the background did since the log was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScrubStats {
    /// Rounds over all sealed files that are through.
    pub rounds: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// What is damaged now, as far as it was found; one place for each file.
    pub damaged: Vec<Spot>,
    /// Files that were written again from their blocks.
    pub resealed: u64,
    /// When the last round was through.
    pub last_round: Option<SystemTime>,
}

/// How far the check is.
#[derive(Default)]
pub(crate) struct Scrubbing {
    pub(crate) stop: AtomicBool,
    state: Mutex<Round>,
}

#[derive(Default)]
struct Round {
    stats: ScrubStats,
    /// The first position that was not checked in this round.
    next: u64,
    /// Files that somebody has met damage in; they are checked first.
    suspects: BTreeSet<String>,
}

impl Shared {
    pub(crate) fn scrub_stats(&self) -> ScrubStats {
        self.scrubbing.state.lock().stats.clone()
    }

    /// Checks until it is told to stop.
    pub(crate) fn scrub(&self) {
        let mut pace = Pace { started: Instant::now(), bytes: 0, shared: self };
        while !self.scrubbing.stop.load(Ordering::SeqCst) {
            match self.scrub_file(&mut |bytes| pace.read(bytes)) {
                Ok(true) | Err(Error::Stopped) => {}
                Ok(false) => pace.sleep(PAUSE),
                Err(error) => {
                    tracing::warn!(%error, "cannot check a sealed file; trying again later");
                    pace.sleep(PAUSE);
                }
            }
        }
    }

    /// Checks the next sealed file of the round; false if the round is through with that.
    pub(crate) fn scrub_file(&self, progress: &mut dyn FnMut(u64)) -> Result<bool, Error> {
        let suspect = self.scrubbing.state.lock().suspects.pop_first();
        if let Some(file) = suspect.and_then(|name| self.sealed_file(&name)) {
            return self.check(&file, progress).map(|()| true);
        }
        let from = self.scrubbing.state.lock().next;
        let parts = self.state.read().parts.clone();
        let file = parts.iter().find_map(|part| match part {
            Part::Sealed(file) if file.range().first >= from => Some(file.clone()),
            _ => None,
        });
        let Some(file) = file else {
            let mut state = self.scrubbing.state.lock();
            state.next = 0;
            state.stats.rounds += 1;
            state.stats.last_round = Some(SystemTime::now());
            return Ok(false);
        };
        self.check(&file, progress)?;
        self.scrubbing.state.lock().next = file.range().last + 1;
        Ok(true)
    }

    fn check(&self, file: &Arc<Sealed>, progress: &mut dyn FnMut(u64)) -> Result<(), Error> {
        let verified = file.verify_until(Depth::File, &self.scrubbing.stop, &mut |bytes| {
            self.scrubbing.state.lock().stats.bytes += bytes;
            progress(bytes);
        });
        match verified {
            Ok(()) => self.forget_damage(file.range()),
            Err(Error::Corrupt { file: name, offset, what }) => {
                self.note_damage(Spot { file: name, offset, what });
                // Nobody else changes files meanwhile.
                let _files = self.files.lock();
                self.reseal(file)?;
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }

    /// Has a file checked soon in which a read has met damage.
    pub(crate) fn suspect(&self, error: &Error) {
        let Error::Corrupt { file, .. } = error else { return };
        let mut state = self.scrubbing.state.lock();
        if !state.stats.damaged.iter().any(|known| known.file == *file) {
            state.suspects.insert(file.clone());
        }
    }

    /// Whether damage to a file is new, so that something may come of looking into it.
    pub(crate) fn may_heal(&self, name: &str) -> bool {
        self.sealed_file(name).is_some_and(|file| !self.is_damaged(&file))
    }

    /// Deals with damage that was met while files are sealed or merged, by whoever holds `files`:
    /// whether there is any use in going on.
    pub(crate) fn heal(&self, spot: Spot) -> Result<bool, Error> {
        let Some(file) = self.sealed_file(&spot.file) else { return Ok(false) };
        let is_known = self.is_damaged(&file);
        self.note_damage(spot);
        Ok(self.reseal(&file)? || !is_known)
    }

    /// Whether damage to a file is known.
    pub(crate) fn is_damaged(&self, file: &Sealed) -> bool {
        let state = self.scrubbing.state.lock();
        let damaged = &state.stats.damaged;
        !damaged.is_empty() && {
            let name = sealed_name(file.range());
            damaged.iter().any(|spot| spot.file == name)
        }
    }

    fn sealed_file(&self, name: &str) -> Option<Arc<Sealed>> {
        let parts = self.state.read().parts.clone();
        parts.iter().find_map(|part| match part {
            Part::Sealed(file) if sealed_name(file.range()) == name => Some(file.clone()),
            _ => None,
        })
    }

    /// Notes damage to a file, and tells it if it was not known.
    fn note_damage(&self, spot: Spot) {
        let Spot { file, offset, what } = &spot;
        let mut state = self.scrubbing.state.lock();
        if state.stats.damaged.iter().any(|known| known.file == *file) {
            return;
        }
        tracing::error!(file, offset, what, "a sealed file is damaged");
        state.stats.damaged.push(spot);
    }

    /// What lies in a range is whole.
    fn forget_damage(&self, range: Range) {
        let name = sealed_name(range);
        self.scrubbing.state.lock().stats.damaged.retain(|spot| spot.file != name);
    }

    /// Writes a file again from its own blocks, unless it is not part of the history any more. If a
    /// block is damaged, too, a merged file takes its place that did not do so before; false if there
    /// is none.
    fn reseal(&self, file: &Arc<Sealed>) -> Result<bool, Error> {
        let parts = self.state.read().parts.clone();
        let is_current =
            |part: &Part| matches!(part, Part::Sealed(current) if Arc::ptr_eq(current, file));
        if !parts.iter().any(is_current) {
            self.forget_damage(file.range());
            return Ok(true);
        }
        let stop = &self.scrubbing.stop;
        let Some(sealed) = file.resealed(&*self.disk, stop)? else {
            return self.take_merged(file.range(), &parts);
        };
        tracing::warn!(file = sealed_name(file.range()), "a sealed file was written again");
        self.replace(file.range(), sealed);
        self.forget_damage(file.range());
        self.scrubbing.state.lock().stats.resealed += 1;
        Ok(true)
    }

    /// Looks for a file that was merged from a damaged one and others, and has its name though the
    /// directory could not be synced; it has the same rows.
    fn take_merged(&self, damaged: Range, parts: &[Part]) -> Result<bool, Error> {
        for listed in list(&*self.disk)? {
            let Listed::Sealed(range) = listed else { continue };
            let start = parts.partition_point(|part| part.range().1 < range.first);
            let end = parts.partition_point(|part| part.range().0 <= range.last);
            let sources = parts.get(start..end).unwrap_or_default();
            let ends = sources.first().zip(sources.last());
            let is_of_them = range != damaged
                && range.overlaps(damaged)
                && sources.iter().all(|part| matches!(part, Part::Sealed(_)))
                && ends.is_some_and(|(first, last)| {
                    (first.range().0, last.range().1) == (range.first, range.last)
                });
            if !is_of_them {
                continue;
            }
            let merged = Sealed::open(&*self.disk, self.log_id, range, self.cache.clone());
            let merged = merged.and_then(|merged| {
                merged.verify_until(Depth::File, &self.scrubbing.stop, &mut |_| ())?;
                Ok(merged)
            });
            let merged = match merged {
                Ok(merged) => merged,
                Err(Error::Corrupt { .. }) => continue,
                Err(other) => return Err(other),
            };
            self.disk.sync()?;
            tracing::warn!(
                file = sealed_name(range),
                "a merged file takes the place of a damaged one"
            );
            self.replace(range, merged);
            let ranges = sources.iter().map(Part::range);
            let ranges: Vec<Range> = ranges.map(|(first, last)| Range { first, last }).collect();
            for source in &ranges {
                self.forget_damage(*source);
            }
            for source in ranges {
                self.disk.remove(&sealed_name(source))?;
            }
            return Ok(true);
        }
        Ok(false)
    }
}

/// Keeps to so many bytes a second.
struct Pace<'a> {
    started: Instant,
    bytes: u64,
    shared: &'a Shared,
}

impl Pace<'_> {
    fn read(&mut self, bytes: u64) {
        self.bytes += bytes;
        let rate = self.shared.options.scrub_bytes_per_s.max(1);
        let due = Duration::from_millis(self.bytes.saturating_mul(1_000) / rate);
        if let Some(early) = due.checked_sub(self.started.elapsed()).filter(|early| *early > NAP) {
            self.sleep(early);
        }
        // What was not read in time is not made up for.
        (self.started, self.bytes) = match due {
            _ if self.started.elapsed() > due + NAP => (Instant::now(), 0),
            _ => (self.started, self.bytes),
        };
    }

    /// Sleeps, unless it is to stop or there is something to look at.
    fn sleep(&self, time: Duration) {
        let start = Instant::now();
        let scrubbing = &self.shared.scrubbing;
        while start.elapsed() < time
            && !scrubbing.stop.load(Ordering::SeqCst)
            && scrubbing.state.lock().suspects.is_empty()
        {
            thread::park_timeout(NAP.min(time.saturating_sub(start.elapsed())));
        }
    }
}
