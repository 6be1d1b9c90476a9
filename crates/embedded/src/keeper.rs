//! What is done in the background: full segments are sealed, and sealed files of about one size are
//! merged, so that there are never many of them.
//!
//! ```text
//!   open ─► full, waits ─► sealed ─┐
//!                          sealed ─┼─► sealed, a tier higher ─► …
//!                          sealed ─┘
//! ```
//!
//! A new file is complete, synced and verified before those that it was made from go. If something
//! fails, everything stays as it was, and is tried again with the next full segment.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::Error;
use parking_lot::Mutex;

use crate::{
    format::{SegmentHeader, View},
    history::{self, Part},
    recovery::{Listed, corrupt, list},
    scan::{Damage, Visitor, scan, segment_name},
    sealed::{
        Arrival, Arrivals, Kind, LEVEL, Prepared, Range, Sealed, Streams, Target, prepare,
        sealed_name,
    },
    segment::Segment,
    segments::Shared,
    verify::Spot,
    writer::TMP_SUFFIX,
};

/// Files below this are of the lowest tier.
const TIER_BYTES: u64 = 16 << 20;
/// Files of this tier are not merged any more: by default from 1 GiB on.
const TOP_TIER: u32 = 2;

/// How long is waited for a thread that is to end, and how often it is looked at.
const PATIENCE: Duration = Duration::from_secs(5);
const NAP: Duration = Duration::from_millis(1);

/// A thread that does what there is to do.
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// A thread that seals and merges.
    pub(crate) fn start(shared: Arc<Shared>) -> io::Result<Self> {
        Self::spawn(shared, "matchwire-keeper", Shared::keep)
    }

    /// A thread that sees to what grows old; it may wait for an archive.
    pub(crate) fn start_aging(shared: Arc<Shared>) -> io::Result<Self> {
        Self::spawn(shared, "matchwire-aging", Shared::grow_old)
    }

    /// A thread that checks sealed files.
    pub(crate) fn start_scrub(shared: Arc<Shared>) -> io::Result<Self> {
        Self::spawn(shared, "matchwire-scrub", Shared::scrub)
    }

    fn spawn(shared: Arc<Shared>, name: &str, work: fn(&Shared)) -> io::Result<Self> {
        let of_thread = shared.clone();
        let thread = thread::Builder::new().name(name.into());
        let thread = thread.spawn(move || {
            give_way();
            work(&of_thread);
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }
}

/// How nice the threads in the background are: a tenth of the processor where another one wants it
/// as well, and all of it where none does. (Linux: a weight of 110 to 1,024.)
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Makes a thread in the background, from which it is called, let those go first that somebody waits for: sealing 64 MiB takes a third of a second, and on
/// a server that has one processor and too much to do everybody would wait that much longer.
#[cfg(target_os = "linux")]
pub fn give_way() {
    // There a priority is a thread's own.
    let this = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(this), NICE) {
        tracing::debug!(%error, "the background keeps its priority");
    }
}

/// Makes nothing give way: elsewhere a priority is the process's.
#[cfg(not(target_os = "linux"))]
pub fn give_way() {}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.scrubbing.stop.store(true, Ordering::SeqCst);
        self.shared.keeping.stop.store(true, Ordering::SeqCst);
        self.shared.tell();
        let Some(thread) = self.thread.take() else { return };
        let begun = Instant::now();
        thread.thread().unpark();
        while !thread.is_finished() && begun.elapsed() < PATIENCE {
            thread::sleep(NAP);
        }
        // One that still waits for an archive has changed nothing yet, and will not any more.
        if thread.is_finished() {
            let _ = thread.join();
        }
    }
}

/// How the keeper gets on.
#[derive(Debug, Default)]
pub(crate) struct Keeping {
    /// Set when it is to end.
    pub(crate) stop: AtomicBool,
    /// Whether what it tried last has failed.
    is_stuck: AtomicBool,
    /// What it failed of.
    pub(crate) failure: Mutex<Option<String>>,
    /// Whether it is at work.
    is_working: AtomicBool,
}

impl Shared {
    fn keep(&self) {
        while !self.keeping.stop.load(Ordering::SeqCst) {
            let waiting = self.waiting();
            self.keeping.is_working.store(true, Ordering::SeqCst);
            let done = self.maintain();
            self.keeping.is_working.store(false, Ordering::SeqCst);
            self.keeping.is_stuck.store(done.is_err(), Ordering::SeqCst);
            *self.keeping.failure.lock() = done.as_ref().err().map(ToString::to_string);
            match done {
                Ok(true) | Err(Error::Stopped) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot seal or merge; trying again later");
                    self.tell();
                }
            }
            let (lock, changed) = &self.changed;
            let mut guard = lock.lock();
            while self.waiting() <= waiting && !self.keeping.stop.load(Ordering::SeqCst) {
                if !self.keeping.is_stuck.load(Ordering::SeqCst) && self.waiting() > 0 {
                    break;
                }
                changed.wait(&mut guard);
            }
        }
    }

    /// Whether the keeper has failed, so that there is no use in waiting for it.
    pub(crate) fn is_keeper_stuck(&self) -> bool {
        self.keeping.is_stuck.load(Ordering::SeqCst)
    }

    /// Whether there is something to seal or to merge.
    pub(crate) fn is_busy(&self, parts: &[Part]) -> bool {
        self.keeping.is_working.load(Ordering::SeqCst)
            || self.waiting() > 0
            || self.mergeable(parts).is_some()
    }

    /// How many full segments wait to be sealed.
    pub(crate) fn waiting(&self) -> usize {
        let is_waiting = |part: &&Part| matches!(part, Part::Segment(s) if !s.is_damaged());
        self.state.read().parts.iter().filter(is_waiting).count()
    }

    /// Seals the first full segment, or merges some sealed files; false if there is neither.
    ///
    /// A damaged file that stands in the way is written again if that is possible; else it is left
    /// out.
    pub(crate) fn maintain(&self) -> Result<bool, Error> {
        let _files = self.files.lock();
        match self.step() {
            Err(Error::Corrupt { file, offset, what }) => {
                let spot = Spot { file: file.clone(), offset, what: what.clone() };
                if self.heal(spot)? { Ok(true) } else { Err(Error::Corrupt { file, offset, what }) }
            }
            other => other,
        }
    }

    fn step(&self) -> Result<bool, Error> {
        let parts = self.state.read().parts.clone();
        let waiting = parts.iter().enumerate().find_map(|(at, part)| match part {
            Part::Segment(segment) if !segment.is_damaged() => Some((at, segment.clone())),
            _ => None,
        });
        if let Some((at, segment)) = waiting {
            let sealed = self.seal(parts.get(..at).unwrap_or_default(), &segment);
            if let Err(Error::Corrupt { file, .. }) = &sealed
                && !self.may_heal(file)
            {
                // It stays as it is, and the others are not held up.
                segment.set_damaged();
            }
            return sealed.map(|()| true);
        }
        match self.mergeable(&parts) {
            Some(files) => self.merge(&files).map(|()| true),
            None => Ok(false),
        }
    }

    fn seal(&self, before: &[Part], segment: &Segment) -> Result<(), Error> {
        let range = Range { first: segment.first, last: segment.next - 1 };
        let name = segment_name(segment.home.segment);
        let arrival = arrival(segment, before)?;
        self.write_sealed(range, segment.recorded, vec![Box::new(arrival)])?;
        self.disk.remove(&name)?;
        self.tell();
        Ok(())
    }

    fn merge(&self, files: &[Arc<Sealed>]) -> Result<(), Error> {
        let (Some(first), Some(last)) = (files.first(), files.last()) else { return Ok(()) };
        let range = Range { first: first.range().first, last: last.range().last };
        let walk = |file: &Arc<Sealed>| Ok(Box::new(file.walk()?) as Box<dyn Streams>);
        let inputs = files.iter().map(walk).collect::<Result<Vec<_>, Error>>()?;
        self.write_sealed(range, last.recorded(), inputs)?;
        for file in files {
            self.disk.remove(&sealed_name(file.range()))?;
        }
        Ok(())
    }

    /// The first files, one behind the other, among which enough are of one tier, and none of a
    /// higher one.
    fn mergeable(&self, parts: &[Part]) -> Option<Vec<Arc<Sealed>>> {
        let stays = |file: &Sealed| {
            file.is_lossy()
                || file.object().is_some()
                || self.is_damaged(file)
                || self.aging.is_at(file.range())
        };
        for tier in 0..TOP_TIER {
            let mut run: Vec<Arc<Sealed>> = Vec::new();
            for part in parts {
                match part {
                    Part::Sealed(file) if tier_of(file) <= tier && !stays(file) => {
                        if self.forks.contains(&file.range().first) {
                            run.clear();
                        }
                        run.push(file.clone());
                    }
                    _ => run.clear(),
                }
                let of_tier = run.iter().filter(|file| tier_of(file) == tier).count();
                if of_tier >= self.options.fan_in.max(2) {
                    return Some(run);
                }
            }
        }
        None
    }

    /// Writes a sealed file in the place of the parts that it covers.
    fn write_sealed(
        &self,
        range: Range,
        recorded: Timestamp,
        inputs: Vec<Box<dyn Streams>>,
    ) -> Result<(), Error> {
        let target = Target {
            disk: &*self.disk,
            log_id: self.log_id,
            range,
            recorded,
            level: LEVEL,
            cache: self.cache.clone(),
            is_lossy: false,
            object: None,
            suffix: TMP_SUFFIX,
            stop: &self.keeping.stop,
        };
        self.publish(prepare(&target, inputs)?)
    }

    /// Gives a sealed file its name, and puts it in the place of the parts that it covers. `files`
    /// is held.
    pub(crate) fn publish(&self, prepared: Prepared) -> Result<(), Error> {
        let range = prepared.sealed().range();
        if let Err(error) = self.remove_strays(range) {
            prepared.discard(&*self.disk);
            return Err(error);
        }
        let sealed = prepared.publish(&*self.disk)?;
        self.counts.sealed_bytes.fetch_add(sealed.stats().file_bytes, Ordering::Relaxed);
        self.replace(range, sealed);
        Ok(())
    }

    /// Removes sealed files of positions in a range that are no part of the history: merged ones
    /// that have their name though the directory could not be synced, and those from which another
    /// was made. A start would find them beside the file that now comes, and take events twice, or
    /// bring back what is trimmed. What lies across a hole stays: of that it may be all there is.
    fn remove_strays(&self, range: Range) -> Result<(), Error> {
        let parts = self.state.read().parts.clone();
        let is_needed = |stray: Range| {
            stray == range
                || parts.iter().any(|part| match part {
                    Part::Sealed(file) => file.range() == stray,
                    Part::Hole(hole) => {
                        stray.overlaps(Range { first: hole.first, last: hole.last })
                    }
                    Part::Segment(_) => false,
                })
        };
        let mut is_changed = false;
        for listed in list(&*self.disk)? {
            let Listed::Sealed(stray) = listed else { continue };
            if stray.overlaps(range) && !is_needed(stray) {
                tracing::warn!(
                    file = sealed_name(stray),
                    "removing a file that is no part of the log"
                );
                self.disk.remove(&sealed_name(stray))?;
                is_changed = true;
            }
        }
        if is_changed { Ok(self.disk.sync()?) } else { Ok(()) }
    }

    /// Puts a sealed file in the place of the parts that it covers.
    pub(crate) fn replace(&self, range: Range, sealed: Sealed) {
        let mut state = self.state.write();
        let parts = Arc::make_mut(&mut state.parts);
        let start = parts.partition_point(|part| part.range().1 < range.first);
        let end = parts.partition_point(|part| part.range().0 <= range.last);
        parts.splice(start..end, [Part::Sealed(Arc::new(sealed))]);
    }
}

fn tier_of(file: &Sealed) -> u32 {
    let mut tier = 0;
    let mut bytes = file.stats().file_bytes / TIER_BYTES;
    while bytes > 0 {
        (tier, bytes) = (tier + 1, bytes / 8);
    }
    tier
}

/// The records of a segment, which are to be sealed behind those of the parts before.
pub(crate) fn arrival(segment: &Segment, before: &[Part]) -> Result<Arrival, Error> {
    let mut bytes = vec![0; usize::try_from(segment.end).unwrap_or_default()];
    segment.file.read_at(&mut bytes, 0)?;
    let header = SegmentHeader::new(segment.home, segment.recorded);
    let (arrivals, first) = (Arrivals::default(), segment.first);
    let mut arriving = Arriving { arrivals, first, damaged_at: None };
    let found = scan(segment.file.clone(), &header, segment.next, &mut arriving)?;
    let damaged_at = (found.next != segment.next).then_some(found.end);
    if let Some(offset) = arriving.damaged_at.or(damaged_at) {
        return Err(corrupt(segment.home.segment, offset, "a group is damaged"));
    }
    let mut chain_before = |subject: &str, seq: u64| history::chain_before(before, subject, seq);
    arriving.arrivals.over(segment.home, bytes, &mut chain_before)
}

/// Collects the records of a segment that is to be sealed, from a position on.
struct Arriving {
    arrivals: Arrivals,
    first: u64,
    /// Where groups cannot be read.
    damaged_at: Option<u64>,
}

impl Visitor for Arriving {
    fn record(&mut self, position: u64, offset: u64, view: &View<'_>) -> Result<(), String> {
        if position < self.first {
            return Ok(());
        }
        let kind = if view.seals { Kind::Last } else { Kind::Event };
        self.arrivals.add(position, offset, kind, view)
    }

    fn damage(&mut self, damage: Damage) {
        if damage.last >= self.first {
            self.damaged_at.get_or_insert(damage.offset);
        }
    }
}
