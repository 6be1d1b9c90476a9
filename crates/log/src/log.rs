//! The handle by which everyone else uses the log.

use std::sync::Arc;

use matchwire_domain::{chain::Digest, envelope::Recorded, subject::Subject};
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use crate::{
    Append, Backlog, Changes, Clock, Durability, Entry, Error, Lineage, Medium, Observer, Outcome,
    Refused, Stats,
    fingerprint::Fingerprints,
    medium::{Hit, Hits},
    queue::Queue,
    sequencer::{Answer, Call, Hashed, Pipeline, Progress, Shared, Steps},
    stats::Counters,
    streams::Streams,
};

/// What a call costs in the queue beside its stored bytes, for each event.
const EVENT_BYTES: usize = 200;

/// The bounds of a log.
#[derive(Clone)]
pub struct Options {
    /// The most calls of [`Log::append`] that may wait for the writer.
    pub queue_calls: usize,
    /// The most bytes that may wait for the writer.
    pub queue_bytes: usize,
    /// A group takes no further call once it has so many bytes.
    pub group_bytes: usize,
    /// The most that one call may have, in bytes.
    pub call_bytes: usize,
    /// How much memory recent events may take, over all streams.
    pub recent_bytes: usize,
    /// Who is told of every group.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue_calls: 10_000,
            queue_bytes: 64 << 20,
            group_bytes: 2 << 20,
            call_bytes: 16 << 20,
            recent_bytes: 64 << 20,
            observer: None,
        }
    }
}

/// A handle to the log; clones share it. The last one to go ends the writer, after what is queued.
#[derive(Clone)]
pub struct Log {
    shared: Arc<Shared>,
    call_bytes: usize,
    /// Nothing if the log is driven by hand.
    _pipeline: Option<Arc<Pipeline>>,
}

impl Log {
    /// Opens a log over a medium with the default bounds. `clock` gives `recordedtime`.
    pub fn open(medium: Box<dyn Medium>, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        Self::open_with(medium, clock, Options::default())
    }

    /// Opens a log over a medium and starts its writer.
    pub fn open_with(
        medium: Box<dyn Medium>,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Self, Error> {
        let (log, steps) = Self::stepped(medium, clock, options);
        let pipeline = Arc::new(Pipeline::start(steps)?);
        Ok(Self { _pipeline: Some(pipeline), ..log })
    }

    /// Opens a log without a thread: nothing is written until the steps are taken.
    pub fn stepped(
        medium: Box<dyn Medium>,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> (Self, Steps) {
        let tail = medium.tail();
        let shared = Arc::new(Shared {
            medium,
            clock,
            observer: options.observer,
            queue: Queue::new(options.queue_calls, options.queue_bytes),
            streams: Streams::new(tail, options.recent_bytes),
            counters: Counters::default(),
            stopped: watch::Sender::new(None),
            progress: Mutex::new(Progress { next: tail.position, refusals: 0 }),
        });
        let call_bytes = options.call_bytes.min(options.queue_bytes);
        let steps = Steps::new(shared.clone(), options.group_bytes);
        (Self { shared, call_bytes, _pipeline: None }, steps)
    }

    /// The log's id, 16 hexadecimal digits, which is part of every chain.
    pub fn id(&self) -> &str {
        &self.shared.medium.identity().id
    }

    /// What an acknowledgement means.
    pub fn durability(&self) -> Durability {
        self.shared.medium.identity().durability
    }

    /// The histories that the log has had.
    pub fn lineage(&self) -> &Lineage {
        &self.shared.medium.identity().lineage
    }

    /// Whether a reader that has read a stream up to `seq` under a lineage has read what is in the
    /// log now. May block like [`read`](Self::read).
    pub fn is_part(&self, lineage: &str, subject: &Subject, seq: u64) -> Result<bool, Error> {
        let Some(until) = self.lineage().shared_until(lineage) else { return Ok(false) };
        let last = match until {
            u64::MAX => self.head(subject)?,
            fork => self.shared.medium.seq_before(subject, fork)?,
        };
        Ok(seq <= last)
    }

    /// Appends, and returns once everything is durable. There is one result for each append, in
    /// order; a [`Refused`] fails only its own append.
    ///
    /// An error holds for the whole call: after [`Error::Full`] and [`Error::TooLarge`] nothing of
    /// it is stored; after [`Error::Stopped`] that is not known, and repeating the call with the
    /// same ids is safe. A call that is dropped half-way is carried out nevertheless.
    pub async fn append(
        &self,
        appends: Vec<Append>,
    ) -> Result<Vec<Result<Vec<Outcome>, Refused>>, Error> {
        let (answer, answered) = oneshot::channel();
        self.put(appends, Some(answer))?;
        answered.await.unwrap_or(Err(Error::Stopped))
    }

    /// Queues appends, and returns at once: they are in memory alone, and nobody is told whether
    /// they were stored. [`Error::Full`] and [`Error::TooLarge`] as with [`append`](Self::append).
    pub fn submit(&self, appends: Vec<Append>) -> Result<(), Error> {
        self.put(appends, None)
    }

    fn put(
        &self,
        appends: Vec<Append>,
        answer: Option<oneshot::Sender<Answer>>,
    ) -> Result<(), Error> {
        let events = appends.iter().flat_map(|append| &append.events);
        let bytes = events.map(|event| event.stored.len() + EVENT_BYTES).sum();
        if bytes > self.call_bytes {
            return Err(Error::TooLarge { bytes, limit: self.call_bytes });
        }
        // Hashed here, on the callers' threads, since the writer is only one.
        let appends = appends.into_iter().map(hash).collect();
        self.shared.queue.put(Call { appends, answer }, bytes)
    }

    /// Events of a stream with seq greater than `after`, in order and without a gap: at most
    /// `limit`, and not many more than 4 MiB, but at least one if there is one.
    ///
    /// Recent events are in memory; older ones are read from the medium, which blocks. What was trimmed
    /// is [`Error::Trimmed`], with the `seq` from which on the stream can be read.
    pub fn read(&self, subject: &Subject, after: u64, limit: usize) -> Result<Vec<Entry>, Error> {
        self.shared.read(subject, after, limit)
    }

    /// Whether the event after a seq is in memory, so that [`read`](Self::read) does not block for it.
    pub fn is_at_hand(&self, subject: &Subject, after: u64) -> bool {
        self.shared.streams.recent(subject, after, 0, 0).is_some()
    }

    /// The last seq of a stream; 0 if it has no events. May block like [`read`](Self::read) for a
    /// stream without recent events.
    pub fn head(&self, subject: &Subject) -> Result<u64, Error> {
        Ok(self.shared.head(subject)?.map_or(0, |head| head.seq))
    }

    /// The last group in which anything was told beside the play of maps: of a match as a whole, of a tournament, of a
    /// player. While it is the same, all of those are.
    pub fn beside_play(&self) -> u64 {
        self.shared.streams.beside_play()
    }

    /// The event with an identity; damage that may hide it is an error, and so is one that was
    /// trimmed. May block like [`read`](Self::read).
    pub fn find(
        &self,
        subject: &Subject,
        source: &str,
        id: &str,
    ) -> Result<Option<Recorded>, Error> {
        let shared = &self.shared;
        let fingerprint = Fingerprints::new(subject).of(source, id);
        let Hits { found, hidden } = shared.medium.lookup(subject, &[fingerprint])?;
        for Hit { seq, check, .. } in found {
            if check.is_some_and(|check| check != Fingerprints::check(source, id)) {
                continue;
            }
            if let Some(recorded) = shared.identified(subject, seq, source, id)? {
                return Ok(Some(recorded));
            }
        }
        hidden.map_or(Ok(None), Err)
    }

    /// Subjects of streams with events that start with `prefix`, in order, after `after`. May block
    /// like [`read`](Self::read).
    pub fn subjects(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Subject>, Error> {
        self.shared.medium.subjects(prefix, after, 0..=u64::MAX, limit)
    }

    /// The last group that can be read; 0 if there is none.
    pub fn last_group(&self) -> u64 {
        *self.tip().borrow()
    }

    /// The `seq` that a stream had reached before the group at a position; 0 if it had no events. May block like
    /// [`read`](Self::read).
    pub fn seq_before(&self, subject: &Subject, position: u64) -> Result<u64, Error> {
        self.shared.medium.seq_before(subject, position)
    }

    /// The head of a stream, now and as it grows, told only once it is durable. Works for streams
    /// without events, too; a head that cannot be read is 0 until the stream grows. May block like
    /// [`read`](Self::read).
    pub fn watch(&self, subject: &Subject) -> watch::Receiver<u64> {
        self.shared.streams.watch(subject, || self.head(subject).unwrap_or(0))
    }

    /// The last group that can be read, as it grows.
    pub(crate) fn tip(&self) -> &watch::Sender<u64> {
        self.shared.streams.tip()
    }

    /// What readers see of the streams in use.
    pub(crate) fn streams(&self) -> &Streams {
        &self.shared.streams
    }

    /// The medium beneath.
    pub(crate) fn medium(&self) -> &dyn Medium {
        &*self.shared.medium
    }

    /// The maps that have new events, noted from now on for as long as the answer is held.
    pub fn changes(&self) -> Arc<Changes> {
        self.shared.streams.changes()
    }

    /// The clock that gives `recordedtime`.
    pub fn clock(&self) -> &dyn Clock {
        &*self.shared.clock
    }

    /// What the log did, and what waits in its queue.
    pub fn stats(&self) -> Stats {
        let (calls, bytes) = self.shared.queue.depth();
        self.shared.counters.snapshot(self.shared.clock.now(), calls, bytes)
    }

    /// How far the writer is behind; cheap enough to be asked at every request.
    pub fn backlog(&self) -> Backlog {
        self.shared.queue.backlog()
    }

    /// Waits until the log has stopped after a failure, and says why. The process must end then:
    /// only a recovery finds out what is stored.
    pub async fn stopped(&self) -> Arc<str> {
        let mut stopped = self.shared.stopped.subscribe();
        match stopped.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(reason)) => reason.clone(),
            _ => "the log is gone".into(),
        }
    }
}

fn hash(append: Append) -> Hashed {
    let subject = &append.subject;
    let stream = Fingerprints::new(subject);
    let fingerprints = append.events.iter().map(|event| {
        assert!(event.subject == *subject, "an append is for one stream");
        stream.of(&event.source, &event.id)
    });
    Hashed {
        fingerprints: fingerprints.collect(),
        leaves: append.events.iter().map(|event| Digest::leaf(&event.stored)).collect(),
        append,
    }
}

#[cfg(test)]
mod tests;
