//! The writer: takes what is queued, makes a group of it, and answers once that is durable.

mod group;

use std::{sync::Arc, time::Instant};

use matchwire_domain::{
    envelope::{Attributes, Event, Recorded},
    subject::Subject,
    timestamp::Timestamp,
};
use tokio::sync::{oneshot, watch};

pub(crate) use self::group::Hashed;
use self::group::{First, Group};
use crate::{
    Clock, Committed, Conflict, Entry, Error, Medium, Observer, Outcome, queue::Queue,
    stats::Counters, streams::Streams,
};

/// A page of a stream ends when its stored bytes reach this.
pub(crate) const PAGE_BYTES: usize = 4 << 20;

/// What a call of `append` gets.
pub(crate) type Answer = Result<Vec<Result<Vec<Outcome>, Conflict>>, Error>;

/// One call of `append`; it is never split over groups.
pub(crate) struct Call {
    pub(crate) appends: Vec<Hashed>,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// What the writer and the handles share.
pub(crate) struct Shared {
    pub(crate) medium: Box<dyn Medium>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) queue: Queue<Call>,
    pub(crate) streams: Streams,
    pub(crate) counters: Counters,
    pub(crate) stopped: watch::Sender<Option<Arc<str>>>,
}

impl Shared {
    /// Events after a seq, from memory if they are recent, up to the head that is published.
    pub(crate) fn read(
        &self,
        subject: &Subject,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, Error> {
        if let Some(recent) = self.streams.recent(subject, after, limit, PAGE_BYTES) {
            return Ok(recent);
        }
        let head = self.streams.head(subject).map_or(0, |(seq, _)| seq);
        let limit = limit.min(usize::try_from(head.saturating_sub(after)).unwrap_or(usize::MAX));
        let records = self.medium.read(subject, after, limit, PAGE_BYTES)?;
        let entry = |recorded| Entry { recorded, received: None, durable: None };
        Ok(records.into_iter().map(entry).collect())
    }

    /// The record at a seq, if it has that source and id.
    pub(crate) fn identified(
        &self,
        subject: &Subject,
        seq: u64,
        source: &str,
        id: &str,
    ) -> Result<Option<Recorded>, Error> {
        let damaged = |what: String| Error::Corrupt {
            file: subject.to_string(),
            offset: seq,
            what: format!("the event with this seq {what}"),
        };
        let entry = self.read(subject, seq.saturating_sub(1), 1)?.pop();
        let recorded = entry.ok_or_else(|| damaged("is missing".into()))?.recorded;
        let attributes = Attributes::read(&recorded.stored)
            .map_err(|e| damaged(format!("is not a valid envelope: {e}")))?;
        let same = attributes.source == source && attributes.id == id;
        Ok(same.then_some(recorded))
    }

    /// Stops for good: nothing is taken any more, and whoever waits is told so.
    fn stop(&self, reason: &str) {
        self.stopped.send_if_modified(|stopped| {
            let first = stopped.is_none();
            stopped.get_or_insert_with(|| reason.into());
            first
        });
        // Dropping a call drops its sender, and its receiver takes that for `Stopped`.
        self.queue.clear();
    }
}

/// The state of the writer's thread.
pub(crate) struct Sequencer {
    shared: Arc<Shared>,
    position: u64,
    recorded: Timestamp,
    full: bool,
}

impl Sequencer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let tail = shared.medium.tail();
        Self { shared, position: tail.position, recorded: tail.recorded, full: false }
    }

    /// Writes groups of at most about `group_bytes` until the queue is closed or the medium fails.
    pub(crate) fn run(mut self, group_bytes: usize) {
        let _guard = StopAtEnd(self.shared.clone());
        while let Some(calls) = self.shared.queue.take(group_bytes) {
            if let Err(error) = self.commit(calls) {
                let mut reason = error.to_string();
                if let Some(source) = std::error::Error::source(&error) {
                    reason = format!("{reason}: {source}");
                }
                tracing::error!(reason, "the log stops");
                self.shared.stop(&reason);
                return;
            }
        }
    }

    /// Makes one group of the calls, waits until it is durable, and answers. An error is fatal: the
    /// calls are dropped unanswered, since what became of them is not known.
    fn commit(&mut self, calls: Vec<Call>) -> Result<(), Error> {
        let shared = self.shared.clone();
        let start = Instant::now();
        self.recorded = self.recorded.max(shared.clock.now());
        let mut group = Group::new(shared.medium.id(), self.recorded);
        let mut answers = Vec::with_capacity(calls.len());
        for Call { appends, answer } in calls {
            match self.stage(&mut group, appends) {
                Ok(results) => answers.push((answer, results)),
                Err(error) => drop(answer.send(Err(error))),
            }
        }
        let Group { records, runs, duplicates, .. } = group;
        if !records.is_empty() {
            let written = match shared.medium.append(self.position, &records) {
                Ok(written) => written,
                Err(error) if error.is_retryable() => {
                    self.refuse(answers.into_iter().map(|(answer, _)| answer));
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            let durable = Instant::now();
            self.position += 1;
            self.full = false;
            let committed = Committed {
                calls: answers.len(),
                events: records.len(),
                stored_bytes: records.iter().map(|r| r.recorded.stored.len() as u64).sum(),
                written_bytes: written.bytes,
                sync: written.sync,
                commit: durable - start,
            };
            shared.counters.add(&committed);
            shared.streams.publish(records, &runs, durable);
            if let Some(observer) = &shared.observer {
                observer.committed(&committed);
            }
        }
        shared.counters.add_duplicates(duplicates);
        for (answer, results) in answers {
            // Whoever does not wait any more has lost nothing but the answer.
            let _ = answer.send(Ok(results));
        }
        Ok(())
    }

    /// Adds the appends of one call to the group, or none of them if a look-up fails.
    fn stage(
        &self,
        group: &mut Group<'_>,
        appends: Vec<Hashed>,
    ) -> Result<Vec<Result<Vec<Outcome>, Conflict>>, Error> {
        let known: Vec<_> =
            appends.iter().map(|append| self.known(append)).collect::<Result<_, _>>()?;
        let stage = |(append, known): (Hashed, Vec<Option<First>>)| {
            let head = self.shared.streams.head(&append.append.subject);
            group.stage(append, &known, head)
        };
        Ok(appends.into_iter().zip(known).map(stage).collect())
    }

    /// Where the events of an append are durable already; empty if none is.
    fn known(&self, hashed: &Hashed) -> Result<Vec<Option<First>>, Error> {
        let Hashed { append, fingerprints, .. } = hashed;
        let hits = self.shared.medium.lookup(&append.subject, fingerprints)?;
        if hits.is_empty() {
            return Ok(Vec::new());
        }
        let mut known = vec![None; append.events.len()];
        for (index, seq) in hits {
            if let (Some(Event { source, id, .. }), Some(known)) =
                (append.events.get(index), known.get_mut(index))
                && let Some(first) = self.shared.identified(&append.subject, seq, source, id)?
            {
                *known = Some(First::of(&first));
            }
        }
        Ok(known)
    }

    /// Tells everyone that the medium is full, and the operator once.
    fn refuse(&mut self, answers: impl Iterator<Item = oneshot::Sender<Answer>>) {
        if !std::mem::replace(&mut self.full, true) {
            tracing::warn!("the log's storage is full; appends are refused until there is space");
        }
        for answer in answers {
            let _ = answer.send(Err(Error::Full));
        }
    }
}

/// However the writer's thread ends, also by a panic, nobody waits for it for ever.
struct StopAtEnd(Arc<Shared>);

impl Drop for StopAtEnd {
    fn drop(&mut self) {
        self.0.stop("the writer has ended");
    }
}
