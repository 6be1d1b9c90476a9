//! The sequencer: takes what is queued, makes a group of it, and answers once that is durable.
//!
//! ```text
//!  callers          stage                        commit
//!  hash ──► queue ─► numbers, chains, duplicates ─► medium.append, publish, answer
//! ```
//!
//! While a group is on its way to the disk, the next one is staged on top of it, on another thread.
//! A group that is staged on one that the medium then refuses is refused, too. A writer who is alone
//! gets both steps on one thread, without the way to another.

mod commit;
mod group;
mod pipeline;
mod stage;

use std::sync::Arc;

use matchwire_domain::{
    envelope::{Attributes, Recorded},
    subject::Subject,
};
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

pub use self::pipeline::Steps;
pub(crate) use self::{group::Hashed, pipeline::Pipeline};
use crate::{
    Clock, Defect, Entry, Error, Medium, Observer, Outcome, Refused, medium::Head, queue::Queue,
    stats::Counters, streams::Streams,
};

/// A page of a stream ends when its stored bytes reach this.
pub(crate) const PAGE_BYTES: usize = 4 << 20;

/// What a call of `append` gets.
pub(crate) type Answer = Result<Vec<Result<Vec<Outcome>, Refused>>, Error>;

/// One call of `append`; it is never split over groups.
pub(crate) struct Call {
    pub(crate) appends: Vec<Hashed>,
    /// Nothing if the caller does not wait.
    pub(crate) answer: Option<oneshot::Sender<Answer>>,
}

/// What the sequencer and the handles share.
pub(crate) struct Shared {
    pub(crate) medium: Box<dyn Medium>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) queue: Queue<Call>,
    pub(crate) streams: Streams,
    pub(crate) counters: Counters,
    pub(crate) stopped: watch::Sender<Option<Arc<str>>>,
    pub(crate) progress: Mutex<Progress>,
}

/// How far groups are committed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    /// The position of the next group.
    pub(crate) next: u64,
    /// How often the medium refused a group: what was staged on top of one is void.
    pub(crate) refusals: u64,
}

impl Shared {
    /// The last event of a stream.
    pub(crate) fn head(&self, subject: &Subject) -> Result<Option<Head>, Error> {
        match self.streams.head(subject) {
            Some(head) => Ok(Some(head)),
            None => self.medium.head(subject),
        }
    }

    /// Events after a seq, from memory if they are recent.
    pub(crate) fn read(
        &self,
        subject: &Subject,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, Error> {
        if let Some(recent) = self.streams.recent(subject, after, limit, PAGE_BYTES) {
            return Ok(recent);
        }
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
        let same = same || Defect::TrustFingerprint.is_on();
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
