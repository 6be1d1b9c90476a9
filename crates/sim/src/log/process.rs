//! A process that has the log open, and the calls that wait in it.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Instant,
};

use matchwire_domain::{subject::Subject, timestamp::Timestamp};
use matchwire_embedded::{
    self as embedded, Segments,
    disk::{Faulty, Met},
};
use matchwire_log::{Append, Error, Log, ManualClock, Options, Outcome, Refused, Steps};

use super::{medium::Masked, scenario::Scenario, shelf::Shelf, supply::Tried};

/// What a call gets.
pub(super) type Answer = Result<Vec<Result<Vec<Outcome>, Refused>>, Error>;

type Future = Pin<Box<dyn std::future::Future<Output = Answer>>>;

pub(super) struct Process {
    /// Calls in the order in which they came.
    pub(super) waiting: Vec<Waiting>,
    /// Groups that are staged, and not committed yet.
    staged: VecDeque<Group>,
    pub(super) log: Log,
    steps: Steps,
    segments: Arc<Segments>,
    /// Whether the log has stopped after a failure.
    pub(super) stopped: bool,
}

/// Calls that are staged as one group.
struct Group {
    calls: Vec<Waiting>,
    /// What had failed before that.
    before: Met,
}

/// A group that was taken from the log, with an answer for each call for which somebody waits.
pub(super) struct Taken {
    pub(super) calls: Vec<(Vec<Tried>, Option<Answer>)>,
    /// What had failed before it was staged.
    pub(super) before: Met,
}

/// A call that is queued.
pub(super) struct Waiting {
    call: Vec<Tried>,
    /// Nothing if nobody waits for the answer.
    answer: Option<Future>,
}

impl Process {
    pub(super) fn open(
        disk: &Faulty,
        clock: &Arc<ManualClock>,
        scenario: &Scenario,
        shelf: &Shelf,
        log_id: u64,
    ) -> Result<Self, Error> {
        let options = embedded::Options {
            segment_bytes: scenario.segment_bytes,
            ahead_bytes: scenario.ahead_bytes,
            log_id: Some(log_id),
            fan_in: scenario.fan_in,
            cache_bytes: scenario.cache_bytes,
            background: false,
            ..embedded::Options::default()
        };
        let lifecycle = scenario.lifecycle(shelf);
        let segments = Segments::open_with(Arc::new(disk.clone()), options, lifecycle)?;
        let segments = Arc::new(segments);
        let medium = Masked { segments: segments.clone(), mask: scenario.fingerprint_mask };
        let bounds = Options {
            queue_calls: scenario.queue_calls,
            group_bytes: scenario.group_bytes,
            recent_bytes: scenario.recent_bytes,
            ..Options::default()
        };
        let (log, steps) = Log::stepped(Box::new(medium), clock.clone(), bounds);
        Ok(Self {
            waiting: Vec::new(),
            staged: VecDeque::new(),
            log,
            steps,
            segments,
            stopped: false,
        })
    }

    /// Calls `append`, which queues it; an answer if there is one at once.
    #[expect(clippy::disallowed_methods, reason = "the log wants a moment, and stores it nowhere")]
    pub(super) fn put(
        &mut self,
        subjects: &[Subject],
        call: Vec<Tried>,
        forsaken: bool,
    ) -> Option<Answer> {
        let appends = call.iter().filter_map(|tried| {
            Some(Append {
                subject: subjects.get(tried.stream)?.clone(),
                events: tried.facts.iter().map(|fact| fact.event.clone()).collect(),
                expected_seq: tried.expected_seq,
                received: Instant::now(),
            })
        });
        let appends = appends.collect();
        if forsaken {
            if let Err(refused) = self.log.submit(appends) {
                return Some(Err(refused));
            }
            self.waiting.push(Waiting { call, answer: None });
            return None;
        }
        let log = self.log.clone();
        let mut future: Future = Box::pin(async move { log.append(appends).await });
        if let Poll::Ready(answer) = poll(&mut future) {
            return Some(answer);
        }
        self.waiting.push(Waiting { call, answer: Some(future) });
        None
    }

    /// Whether calls are under way.
    pub(super) fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || !self.staged.is_empty()
    }

    /// Makes a group of what waits, if there is room for one. Gives the answers of calls that are
    /// not in it, since their look-ups have failed; nothing if no group was made.
    pub(super) fn stage(&mut self, disk: &Faulty) -> Option<Vec<Answer>> {
        let before = disk.met();
        if !self.steps.stage() {
            return None;
        }
        let left = self.log.stats().queued_calls;
        let taken = self.waiting.len().saturating_sub(left);
        let (mut calls, mut failed) = (Vec::new(), Vec::new());
        for mut waiting in self.waiting.drain(..taken) {
            match waiting.answer.as_mut().map(poll) {
                Some(Poll::Ready(answer)) => failed.push(answer),
                _ => calls.push(waiting),
            }
        }
        self.staged.push_back(Group { calls, before });
        Some(failed)
    }

    /// Commits the group that was staged first; nothing if there is none.
    pub(super) fn commit(&mut self) -> Option<Taken> {
        if !self.steps.commit() {
            return None;
        }
        let Group { calls, before } = self.staged.pop_front()?;
        let calls = calls.into_iter().map(|waiting| {
            let answer = waiting.answer.map(|mut future| match poll(&mut future) {
                Poll::Ready(answer) => answer,
                // The writer has taken the call, and has not answered it: it never will.
                Poll::Pending => Err(Error::Unusable {
                    place: "the writer".into(),
                    what: "a call that was committed has no answer".into(),
                }),
            });
            (waiting.call, answer)
        });
        Some(Taken { calls: calls.collect(), before })
    }

    /// Does one piece of what old events ask for; whether there was any.
    pub(super) fn age(&self, now: Timestamp) -> Result<bool, Error> {
        self.segments.age(now)
    }

    /// Does one piece of background work; whether there was any.
    pub(super) fn maintain(&self) -> Result<bool, Error> {
        self.segments.maintain()
    }
}

fn poll(future: &mut Future) -> Poll<Answer> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}
