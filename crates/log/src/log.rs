//! The handle by which everyone else uses the log.

use std::{
    sync::Arc,
    thread::{self, JoinHandle},
};

use matchwire_domain::{chain::Digest, envelope::Recorded, subject::Subject};
use tokio::sync::{oneshot, watch};

use crate::{
    Append, Clock, Conflict, Durability, Entry, Error, Medium, Observer, Outcome, Stats,
    fingerprint::Fingerprints,
    queue::Queue,
    sequencer::{Call, Hashed, Sequencer, Shared},
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
            group_bytes: 8 << 20,
            call_bytes: 16 << 20,
            recent_bytes: 64 << 20,
            observer: None,
        }
    }
}

/// A handle to the log; clones share it. The last one to go ends the writer, after what is queued.
#[derive(Clone)]
pub struct Log {
    writer: Arc<Writer>,
    call_bytes: usize,
}

struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.queue.close();
        // Joined, so that the medium is free to be opened again when the log is gone. If the
        // writer panicked, everybody was told when it did.
        let _ = self.thread.take().map(JoinHandle::join);
    }
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
        let streams = Streams::new(medium.heads(), options.recent_bytes);
        let shared = Arc::new(Shared {
            medium,
            clock,
            observer: options.observer,
            queue: Queue::new(options.queue_calls, options.queue_bytes),
            streams,
            counters: Counters::default(),
            stopped: watch::Sender::new(None),
        });
        let sequencer = Sequencer::new(shared.clone());
        let thread = thread::Builder::new()
            .name("matchwire-log".into())
            .spawn(move || sequencer.run(options.group_bytes))?;
        let writer = Arc::new(Writer { shared, thread: Some(thread) });
        Ok(Self { writer, call_bytes: options.call_bytes.min(options.queue_bytes) })
    }

    fn shared(&self) -> &Shared {
        &self.writer.shared
    }

    /// The log's id, 16 hexadecimal digits, which is part of every chain.
    pub fn id(&self) -> &str {
        self.shared().medium.id()
    }

    /// What an acknowledgement means.
    pub fn durability(&self) -> Durability {
        self.shared().medium.durability()
    }

    /// Appends, and returns once everything is durable. There is one result for each append, in
    /// order; a [`Conflict`] fails only its own append.
    ///
    /// An error holds for the whole call: after [`Error::Full`] and [`Error::TooLarge`] nothing of
    /// it is stored; after [`Error::Stopped`] that is not known, and repeating the call with the
    /// same ids is safe. A call that is dropped half-way is carried out nevertheless.
    pub async fn append(
        &self,
        appends: Vec<Append>,
    ) -> Result<Vec<Result<Vec<Outcome>, Conflict>>, Error> {
        let events = appends.iter().flat_map(|append| &append.events);
        let bytes = events.map(|event| event.stored.len() + EVENT_BYTES).sum();
        if bytes > self.call_bytes {
            return Err(Error::TooLarge { bytes, limit: self.call_bytes });
        }
        let (answer, answered) = oneshot::channel();
        // Hashed here, on the callers' threads, since the writer is only one.
        let appends = appends.into_iter().map(hash).collect();
        self.shared().queue.put(Call { appends, answer }, bytes)?;
        answered.await.unwrap_or(Err(Error::Stopped))
    }

    /// Events of a stream with seq greater than `after`, in order and without a gap: at most
    /// `limit`, and not many more than 4 MiB, but at least one if there is one.
    ///
    /// Recent events are in memory; older ones are read from the medium, which blocks.
    pub fn read(&self, subject: &Subject, after: u64, limit: usize) -> Result<Vec<Entry>, Error> {
        self.shared().read(subject, after, limit)
    }

    /// The last seq of a stream; 0 if it has no events.
    pub fn head(&self, subject: &Subject) -> u64 {
        self.shared().streams.head(subject).map_or(0, |(seq, _)| seq)
    }

    /// The event with an identity. May block like [`read`](Self::read).
    pub fn find(
        &self,
        subject: &Subject,
        source: &str,
        id: &str,
    ) -> Result<Option<Recorded>, Error> {
        let shared = self.shared();
        for (_, seq) in
            shared.medium.lookup(subject, &[Fingerprints::new(subject).of(source, id)])?
        {
            if seq <= self.head(subject)
                && let Some(recorded) = shared.identified(subject, seq, source, id)?
            {
                return Ok(Some(recorded));
            }
        }
        Ok(None)
    }

    /// Subjects of streams with events that start with `prefix`, in order, after `after`.
    pub fn subjects(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<Subject> {
        self.shared().streams.subjects(prefix, after, limit)
    }

    /// The head of a stream, now and as it grows, told only once it is durable. Works for streams
    /// without events, too.
    pub fn watch(&self, subject: &Subject) -> watch::Receiver<u64> {
        self.shared().streams.watch(subject)
    }

    /// What the log did, and what waits in its queue.
    pub fn stats(&self) -> Stats {
        let (calls, bytes) = self.shared().queue.depth();
        self.shared().counters.snapshot(calls, bytes)
    }

    /// Waits until the log has stopped after a failure, and says why. The process must end then:
    /// only a recovery finds out what is stored.
    pub async fn stopped(&self) -> Arc<str> {
        let mut stopped = self.shared().stopped.subscribe();
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
