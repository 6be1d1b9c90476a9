//! Which events of a stream are due, found without reading the stream.

use std::collections::HashMap;

use matchwire_domain::{envelope::Recorded, subject::Subject, timestamp::Timestamp};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{Delays, replay::Playing};
use crate::{Entry, Error, Log};

/// Of how many streams it is remembered how far they were seen.
const KEPT: usize = 50_000;

/// When events are due.
pub(super) enum Schedule {
    /// So long after they were recorded.
    Delays(Delays),
    /// When their turn comes in a replay.
    Replay(Playing),
}

/// What hides events until they are due.
pub(super) struct Curtain {
    schedule: Schedule,
    /// By stream, an event up to which all were due: a clock that is set back does not hide them again. What is
    /// recorded then is held back by that clock all the same.
    due: Mutex<HashMap<Subject, u64>>,
    /// The heads that are watched, as they are seen.
    pub(super) watched: Mutex<HashMap<Subject, watch::Sender<u64>>>,
}

/// What an event that was looked at says of its stream.
enum Probe {
    /// All up to this one are due.
    Due(u64),
    /// It is not due, and none behind it is.
    Hidden,
}

impl Curtain {
    pub(super) fn new(schedule: Schedule) -> Self {
        Self { schedule, due: Mutex::default(), watched: Mutex::default() }
    }

    /// Whether anything of a stream may be hidden.
    pub(super) fn hides(&self, subject: &Subject) -> bool {
        match &self.schedule {
            Schedule::Delays(delays) => delays.ms(subject) > 0,
            Schedule::Replay(_) => true,
        }
    }

    /// Leaves of consecutive events of a stream those that are due.
    pub(super) fn hide(&self, log: &Log, subject: &Subject, entries: &mut Vec<Entry>) {
        let now = log.clock().now();
        let due = match &self.schedule {
            Schedule::Delays(delays) => {
                let (until, known) = (recorded_until(now, delays, subject), self.known(subject));
                let is_due =
                    |recorded: &Recorded| recorded.recorded <= until || recorded.seq <= known;
                entries.partition_point(|entry| is_due(&entry.recorded))
            }
            Schedule::Replay(playing) => {
                let seen = playing.seen(subject, now);
                entries.partition_point(|entry| entry.recorded.seq <= seen)
            }
        };
        entries.truncate(due);
        if let Some(last) = entries.last() {
            self.note(subject, last.recorded.seq);
        }
    }

    /// The last event of a stream that is due.
    pub(super) fn head(&self, log: &Log, subject: &Subject) -> Result<u64, Error> {
        // The time first: what is recorded later is not due at it.
        let now = log.clock().now();
        let delays = match &self.schedule {
            Schedule::Delays(delays) => delays,
            Schedule::Replay(playing) => return Ok(playing.seen(subject, now)),
        };
        let until = recorded_until(now, delays, subject);
        let end = log.head(subject)?;
        let known = self.known(subject);
        if known >= end {
            return Ok(known.min(end));
        }
        let found = last_due(log, subject, known, end, until)?;
        self.note(subject, found);
        Ok(found)
    }

    /// The last group up to which the events of all streams are known to be due; nothing if of none.
    pub(super) fn settled(&self, log: &Log) -> Option<u64> {
        let longest = self.longest_ms()?;
        let until = Timestamp::from_ms(log.clock().now().ms().saturating_sub(longest));
        log.streams().recorded_by(until)
    }

    /// When the first group that is behind one is due; nothing if there is none.
    pub(super) fn settles(&self, log: &Log, position: u64) -> Option<Timestamp> {
        let recorded = log.streams().recorded_after(position)?;
        Some(Timestamp::from_ms(recorded.ms().saturating_add(self.longest_ms()?)))
    }

    /// The longest delay; nothing for a replay, in which no two streams are compared.
    fn longest_ms(&self) -> Option<i64> {
        let Schedule::Delays(delays) = &self.schedule else { return None };
        Some(i64::try_from(delays.longest().as_millis()).unwrap_or(i64::MAX))
    }

    /// Whether the first event of a stream is due.
    pub(super) fn has_begun(&self, log: &Log, subject: &Subject) -> Result<bool, Error> {
        let now = log.clock().now();
        let delays = match &self.schedule {
            Schedule::Delays(delays) => delays,
            Schedule::Replay(playing) => return Ok(playing.seen(subject, now) > 0),
        };
        if !self.hides(subject) || self.known(subject) > 0 {
            return Ok(true);
        }
        match probe(log, subject, 1, recorded_until(now, delays, subject)) {
            Ok(Probe::Due(seq)) => {
                self.note(subject, seq);
                Ok(true)
            }
            Ok(Probe::Hidden) => Ok(false),
            // It is there, and whoever reads it is told what stands against that.
            Err(error) if error.is_partial() => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// When the event after the last one that is due is; `None` if there is none yet.
    pub(super) fn next_due(
        &self,
        log: &Log,
        subject: &Subject,
        seen: u64,
    ) -> Result<Option<Timestamp>, Error> {
        let delays = match &self.schedule {
            Schedule::Delays(delays) => delays,
            Schedule::Replay(playing) => return Ok(playing.due(subject, seen + 1)),
        };
        let next = match log.read(subject, seen, 1) {
            // What is seen was removed meanwhile.
            Err(Error::Trimmed { floor, .. }) => log.read(subject, floor.seq, 1)?,
            entries => entries?,
        };
        let due = |recorded: &Recorded| recorded.recorded.ms().saturating_add(delays.ms(subject));
        Ok(next.first().map(|entry| Timestamp::from_ms(due(&entry.recorded))))
    }

    fn known(&self, subject: &Subject) -> u64 {
        self.due.lock().get(subject).copied().unwrap_or(0)
    }

    fn note(&self, subject: &Subject, seq: u64) {
        let mut due = self.due.lock();
        if let Some(known) = due.get_mut(subject) {
            *known = seq.max(*known);
            return;
        }
        if seq == 0 {
            return;
        }
        if due.len() >= KEPT {
            // Any of them can be found again.
            due.clear();
        }
        due.insert(subject.clone(), seq);
    }
}

/// The latest time at which an event of a stream was recorded that is due now.
fn recorded_until(now: Timestamp, delays: &Delays, subject: &Subject) -> Timestamp {
    Timestamp::from_ms(now.ms().saturating_sub(delays.ms(subject)))
}

/// The last event that is due from `low`, which is, up to `high`. What is hidden is mostly a little of
/// a stream's end, so that is where it is looked for, in steps that double; then by halves.
fn last_due(
    log: &Log,
    subject: &Subject,
    mut low: u64,
    mut high: u64,
    until: Timestamp,
) -> Result<u64, Error> {
    let mut step = Some(0);
    while low < high {
        let seq = match step {
            Some(step) => high.saturating_sub(step).max(low + 1),
            None => low + (high - low).div_ceil(2),
        };
        match probe(log, subject, seq, until)? {
            Probe::Due(seq) => (low, step) = (seq.min(high), None),
            Probe::Hidden => {
                high = seq - 1;
                step = step.map(|step| 2 * step + 1);
            }
        }
    }
    Ok(low)
}

/// Looks at the event with a seq, or where that was lost, at the next one.
fn probe(log: &Log, subject: &Subject, seq: u64, until: Timestamp) -> Result<Probe, Error> {
    let entry = match log.read(subject, seq - 1, 1) {
        // It was removed for its age.
        Err(Error::Trimmed { floor, .. }) => return Ok(Probe::Due(floor.seq)),
        entries => entries?.pop(),
    };
    let due = entry.filter(|entry| entry.recorded.recorded <= until);
    Ok(due.map_or(Probe::Hidden, |entry| Probe::Due(entry.recorded.seq)))
}
