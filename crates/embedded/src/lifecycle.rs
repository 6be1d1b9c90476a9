//! What becomes of events as they grow old: retention removes them, or their file goes to an archive.
//!
//! ```text
//!                    ┌─ some are past their age ─► written again without them ──┐ old enough again
//!   sealed, old ─────┤                                                         ▼
//!                    └─ older than archive_after ─► object, read back ─► its events are away
//! ```
//!
//! A file that is written again covers the same positions, and takes the name of the old one: whoever
//! looks finds the one or the other, whole. Positions, ids and chains stay.

mod departure;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use matchwire_domain::{subject::Subject, timestamp::Timestamp};
use matchwire_log::{Clock as _, Error, SystemClock};
use parking_lot::Mutex;

use crate::{
    archive::{Archive, Object},
    history::Part,
    retention::{Retention, due, earlier, later},
    sealed::{Emptied, LEVEL, Leaves, Range, Sealed, Streams, Target, prepare},
    segments::Shared,
    verify::Spot,
};

/// How long is waited at most before it is looked for what has grown old.
const MAX_TICK: Duration = Duration::from_mins(10);
const MIN_TICK: Duration = Duration::from_secs(1);
/// What a file's name ends in while it is written here: the keeper may write one of the same name.
const SUFFIX: &str = ".aged.tmp";

/// What becomes of events as they grow old. By default they stay as they are.
#[derive(Clone, Default)]
pub struct Lifecycle {
    /// Which are removed when.
    pub retention: Retention,
    /// Where the events of old files are, and go.
    pub archive: Option<Arc<dyn Archive>>,
    /// How old all events of a file must be for it to go to the archive; without this none goes, and
    /// what is there can be read.
    pub archive_after: Option<Duration>,
}

/// How it is seen to.
#[derive(Default)]
pub(crate) struct Aging {
    pub(crate) lifecycle: Lifecycle,
    /// The file that is written again.
    at: Mutex<Option<Range>>,
    /// Whether objects may be in the archive that no file names.
    may_have_left: AtomicBool,
    /// Objects of files that could not be published: whether they are named a new start finds out.
    claimed: Mutex<BTreeSet<String>>,
    /// What it failed of last.
    pub(crate) failure: Mutex<Option<String>>,
    /// When it was begun, by both clocks: a jump of the clock must not make everything old.
    began: OnceLock<(Timestamp, Instant)>,
}

impl Aging {
    pub(crate) fn new(lifecycle: Lifecycle) -> Self {
        let may_have_left = AtomicBool::new(lifecycle.archive_after.is_some());
        Self { lifecycle, may_have_left, ..Self::default() }
    }

    /// Whether a file is written again now, so that it is not to be merged.
    pub(crate) fn is_at(&self, range: Range) -> bool {
        *self.at.lock() == Some(range)
    }

    /// How long may be waited before it is looked again; nothing if nothing ever grows old.
    pub(crate) fn tick(&self) -> Option<Duration> {
        let Lifecycle { retention, archive_after, .. } = &self.lifecycle;
        let shortest = retention.shortest().into_iter().chain(*archive_after).min()?;
        Some((shortest / 32).clamp(MIN_TICK, MAX_TICK))
    }

    /// The time by which ages are told.
    fn now(&self) -> Timestamp {
        let (wall, steady) = *self.began.get_or_init(|| (SystemClock.now(), Instant::now()));
        later(wall, steady.elapsed())
    }
}

impl Shared {
    /// Sees to what grows old until it is told to stop.
    pub(crate) fn grow_old(&self) {
        let Some(tick) = self.aging.tick() else { return };
        while !self.keeping.stop.load(Ordering::SeqCst) {
            let done = self.age(self.aging.now());
            *self.aging.failure.lock() = match &done {
                Ok(_) | Err(Error::Stopped) => None,
                Err(error) => Some(error.to_string()),
            };
            match done {
                Ok(true) => continue,
                Ok(false) | Err(Error::Stopped) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot trim or archive; trying again later");
                }
            }
            let until = Instant::now() + tick;
            while !self.keeping.stop.load(Ordering::SeqCst) && Instant::now() < until {
                thread::park_timeout(until.saturating_duration_since(Instant::now()));
            }
        }
    }

    /// Does one piece of what has to be done by a time, about one file; false if there is nothing.
    ///
    /// The file is written while others are sealed and merged, and takes its place if it is still
    /// there.
    pub(crate) fn age(&self, now: Timestamp) -> Result<bool, Error> {
        self.roll_overdue(now)?;
        if self.aging.may_have_left.swap(false, Ordering::SeqCst) {
            self.sweep().inspect_err(|_| self.note_left())?;
        }
        let parts = self.state.read().parts.clone();
        for part in parts.iter() {
            let Part::Sealed(file) = part else { continue };
            if self.is_damaged(file) {
                continue;
            }
            match self.see_to(file, now) {
                Ok(false) => {}
                Err(Error::Corrupt { file, offset, what }) => return self.met(file, offset, what),
                done => return done,
            }
        }
        Ok(false)
    }

    /// Trims a file, or archives it; false if neither is due.
    fn see_to(&self, file: &Arc<Sealed>, now: Timestamp) -> Result<bool, Error> {
        let is_overdue = self.is_overdue(file, now)?;
        if !is_overdue && !self.may_depart(file, now) {
            return Ok(false);
        }
        *self.aging.at.lock() = Some(file.range());
        let done = if is_overdue { self.trim(file, now) } else { self.depart(file) };
        *self.aging.at.lock() = None;
        done.map(|()| true)
    }

    /// Deals with damage that was met.
    fn met(&self, file: String, offset: u64, what: String) -> Result<bool, Error> {
        let _files = self.files.lock();
        let spot = Spot { file: file.clone(), offset, what: what.clone() };
        if self.heal(spot)? { Ok(true) } else { Err(Error::Corrupt { file, offset, what }) }
    }

    /// Notes that objects may be in the archive that no file names.
    fn note_left(&self) {
        self.aging.may_have_left.store(true, Ordering::SeqCst);
    }

    /// Starts the next segment if the open one has events that are due, so that it can be sealed.
    fn roll_overdue(&self, now: Timestamp) -> Result<(), Error> {
        let retention = &self.aging.lifecycle.retention;
        let Some(shortest) = retention.shortest() else { return Ok(()) };
        let is_overdue = {
            let open = &self.state.read().open;
            let first = open.first_recorded.filter(|first| now >= due(*first, shortest));
            first.is_some_and(|first| {
                let is_due = |age| now >= due(first, age);
                let mut subjects = open.index.subjects();
                subjects.any(|subject| retention.age(subject).is_some_and(is_due))
            })
        };
        if is_overdue { self.roll_now() } else { Ok(()) }
    }

    fn is_overdue(&self, file: &Sealed, now: Timestamp) -> Result<bool, Error> {
        let retention = &self.aging.lifecycle.retention;
        let (Some(shortest), Some(first)) = (retention.shortest(), file.oldest()) else {
            return Ok(false);
        };
        if now < due(first, shortest) {
            return Ok(false);
        }
        Ok(file.due(|subject| retention.age(subject))?.is_some_and(|at| now >= at))
    }

    /// Writes a file again without what is past its age.
    fn trim(&self, file: &Arc<Sealed>, now: Timestamp) -> Result<(), Error> {
        let retention = self.aging.lifecycle.retention.clone();
        let before = move |subject: &str| {
            let age = retention.age(&Subject::parse(subject).ok()?)?;
            Some(earlier(now, age))
        };
        let (range, leaves) = (file.range(), Leaves::Before(Box::new(before)));
        let emptied = Emptied::new(Box::new(file.walk()?), leaves, range);
        if let Some(sealed) = self.rewrite(file, None, Box::new(emptied))? {
            let events = sealed.stats().trimmed - file.stats().trimmed;
            tracing::info!(file = file.name(), events, "trimmed");
            if file.object().is_some() {
                self.note_left();
            }
        }
        Ok(())
    }

    /// Puts rows in the place of a file; nothing if it has gone meanwhile.
    fn rewrite(
        &self,
        file: &Arc<Sealed>,
        object: Option<Object>,
        rows: Box<dyn Streams>,
    ) -> Result<Option<Arc<Sealed>>, Error> {
        let range = file.range();
        let target = Target {
            disk: &*self.disk,
            log_id: self.log_id,
            range,
            recorded: file.recorded(),
            level: LEVEL,
            cache: self.cache.clone(),
            is_lossy: file.is_lossy(),
            object,
            suffix: SUFFIX,
            stop: &self.keeping.stop,
        };
        let prepared = prepare(&target, vec![rows])?;
        let _files = self.files.lock();
        let is_current =
            |part: &Part| matches!(part, Part::Sealed(current) if Arc::ptr_eq(current, file));
        if !self.state.read().parts.iter().any(is_current) {
            prepared.discard(&*self.disk);
            return Ok(None);
        }
        let object = prepared.sealed().object().map(|object| object.name.clone());
        let published = self.publish(prepared);
        // It may have its name all the same, and be what is found after a crash.
        published.inspect_err(|_| self.aging.claimed.lock().extend(object))?;
        self.tell();
        let parts = self.state.read().parts.clone();
        Ok(parts.iter().find_map(|part| match part {
            Part::Sealed(current) if current.range() == range => Some(current.clone()),
            _ => None,
        }))
    }
}
