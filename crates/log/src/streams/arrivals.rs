//! The recent events in the order in which they came: which streams have grown since a group.

use std::collections::{BTreeMap, VecDeque};

use matchwire_domain::{subject::Subject, timestamp::Timestamp};

use crate::{MAX_DELAY, medium::Tail};

/// How closely it is known which groups were recorded by a time, in milliseconds.
const GRAIN_MS: i64 = 50;

/// Consecutive events of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) subject: Subject,
    /// The `seq` before the first one.
    pub(crate) after: u64,
    /// The `seq` of the last one.
    pub(crate) through: u64,
}

pub(super) struct Arrivals {
    /// The oldest first.
    runs: VecDeque<Arrived>,
    /// All events of groups behind this one are in `runs`.
    complete_after: u64,
    /// The last group.
    tip: u64,
    /// How many events came, all together.
    total: u64,
    /// Groups with the time by which all up to them were recorded, for as long as anybody may be
    /// shown events late.
    recorded: VecDeque<(Timestamp, u64)>,
}

/// Consecutive events of a stream that came in one group.
struct Arrived {
    position: u64,
    subject: Subject,
    last_seq: u64,
    events: usize,
    /// How many events came before them, all together.
    before: u64,
}

impl Arrivals {
    /// What comes behind the end of a log.
    pub(super) fn behind(tail: Tail) -> Self {
        let tip = tail.position - 1;
        let recorded = VecDeque::from([(tail.recorded, tip)]);
        Self { runs: VecDeque::new(), complete_after: tip, tip, total: 0, recorded }
    }

    /// Begins a group, of which the last event was recorded at a time.
    pub(super) fn begin(&mut self, position: u64, recorded: Timestamp) {
        self.tip = position;
        let before = self.recorded.len().checked_sub(2).and_then(|at| self.recorded.get(at));
        if before.is_some_and(|(time, _)| recorded.ms() - time.ms() < GRAIN_MS) {
            self.recorded.pop_back();
        }
        self.recorded.push_back((recorded, position));
        let longest = i64::try_from(MAX_DELAY.as_millis()).unwrap_or(i64::MAX);
        while self.recorded.get(1).is_some_and(|(time, _)| recorded.ms() - time.ms() > longest) {
            self.recorded.pop_front();
        }
    }

    /// Adds events of the group that has begun.
    pub(super) fn push(&mut self, subject: &Subject, last_seq: u64, events: usize) {
        let (position, before) = (self.tip, self.total);
        self.total += events as u64;
        self.runs.push_back(Arrived {
            position,
            subject: subject.clone(),
            last_seq,
            events,
            before,
        });
    }

    /// The stream of the oldest events, and how many of them there are still: to be counted down as
    /// they are forgotten.
    pub(super) fn oldest(&mut self) -> Option<(&Subject, &mut usize)> {
        while let Some(run) = self.runs.pop_front_if(|run| run.events == 0) {
            self.complete_after = run.position;
        }
        let run = self.runs.front_mut()?;
        self.complete_after = run.position;
        Some((&run.subject, &mut run.events))
    }

    pub(super) fn recorded_by(&self, time: Timestamp) -> Option<u64> {
        let by = self.recorded.partition_point(|(recorded, _)| *recorded <= time);
        by.checked_sub(1).and_then(|last| self.recorded.get(last)).map(|(_, position)| *position)
    }

    /// When the first group behind one was recorded, as closely as it is known; nothing if there is none.
    pub(super) fn recorded_after(&self, position: u64) -> Option<Timestamp> {
        let by = self.recorded.partition_point(|(_, known)| *known <= position);
        self.recorded.get(by).map(|(recorded, _)| *recorded)
    }

    pub(super) fn between(
        &self,
        after: u64,
        through: u64,
        is_wanted: impl Fn(&Subject) -> bool,
    ) -> Option<Vec<Stretch>> {
        let mut found: BTreeMap<&Subject, (u64, u64)> = BTreeMap::new();
        for run in self.after(after)?.take_while(|run| run.position <= through) {
            let before = run.last_seq - run.events as u64;
            if let Some((_, last)) = found.get_mut(&run.subject) {
                *last = run.last_seq;
            } else if is_wanted(&run.subject) {
                found.insert(&run.subject, (before, run.last_seq));
            }
        }
        let stretch = |(subject, (after, through)): (&Subject, _)| Stretch {
            subject: subject.clone(),
            after,
            through,
        };
        Some(found.into_iter().map(stretch).collect())
    }

    pub(super) fn count_after(&self, position: u64) -> Option<u64> {
        let before = self.after(position)?.next().map_or(self.total, |run| run.before);
        Some(self.total - before)
    }

    /// The events of groups behind one, if all of them are here.
    fn after(&self, position: u64) -> Option<impl Iterator<Item = &Arrived>> {
        let first = self.runs.partition_point(|run| run.position <= position);
        (position >= self.complete_after).then(|| self.runs.range(first..))
    }
}
