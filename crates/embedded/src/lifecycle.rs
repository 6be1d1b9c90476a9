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
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use matchwire_domain::{subject::Subject, timestamp::Timestamp};
use matchwire_log::{Clock as _, Error, SystemClock};

use crate::{
    archive::Archive,
    history::Part,
    retention::{Retention, due, earlier, later},
    sealed::{Emptied, Leaves, Sealed},
    segments::Shared,
};

/// How long the keeper waits at most before it looks for what has grown old.
const MAX_TICK: Duration = Duration::from_mins(10);
const MIN_TICK: Duration = Duration::from_secs(1);

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

/// What of it is done.
#[derive(Default)]
pub(crate) struct Aging {
    pub(crate) lifecycle: Lifecycle,
    /// Whether objects may be in the archive that no file names.
    may_have_left: AtomicBool,
    /// When the keeper began, by both clocks: a jump of the clock must not make everything old.
    began: OnceLock<(Timestamp, Instant)>,
}

impl Aging {
    pub(crate) fn new(lifecycle: Lifecycle) -> Self {
        let may_have_left = AtomicBool::new(lifecycle.archive_after.is_some());
        Self { lifecycle, may_have_left, began: OnceLock::new() }
    }

    /// How long the keeper may wait before it looks again; nothing if nothing ever grows old.
    pub(crate) fn tick(&self) -> Option<Duration> {
        let Lifecycle { retention, archive_after, .. } = &self.lifecycle;
        let shortest = retention.shortest().into_iter().chain(*archive_after).min()?;
        Some((shortest / 32).clamp(MIN_TICK, MAX_TICK))
    }

    /// The time by which ages are told.
    pub(crate) fn now(&self) -> Timestamp {
        let (wall, steady) = *self.began.get_or_init(|| (SystemClock.now(), Instant::now()));
        later(wall, steady.elapsed())
    }
}

impl Shared {
    /// Does one piece of what has to be done by a time, about one file; false if there is nothing.
    pub(crate) fn age(&self, now: Timestamp) -> Result<bool, Error> {
        self.roll_overdue(now)?;
        let _files = self.files.lock();
        if self.aging.may_have_left.swap(false, Ordering::SeqCst) {
            let swept = self.sweep();
            swept.inspect_err(|_| self.aging.may_have_left.store(true, Ordering::SeqCst))?;
        }
        let parts = self.state.read().parts.clone();
        for part in parts.iter() {
            let Part::Sealed(file) = part else { continue };
            if self.is_damaged(file) {
                continue;
            }
            if self.is_overdue(file, now)? {
                return self.trim(file, now).map(|()| true);
            }
            if self.may_depart(file, now) {
                let departed = self.depart(file);
                departed.inspect_err(|_| self.aging.may_have_left.store(true, Ordering::SeqCst))?;
                return Ok(true);
            }
        }
        Ok(false)
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
                let mut subjects = open.index.subjects("", None);
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
        let target = self.target(file, None);
        let sealed = self.seal_to(&target, vec![Box::new(emptied)])?;
        let (trimmed, before) = (sealed.stats().trimmed, file.stats().trimmed);
        tracing::info!(file = file.name(), events = trimmed - before, "trimmed");
        self.aging.may_have_left.fetch_or(file.object().is_some(), Ordering::SeqCst);
        self.replace(range, sealed);
        self.tell();
        Ok(())
    }
}
