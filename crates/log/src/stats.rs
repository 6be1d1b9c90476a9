//! What the log tells about its work, for metrics.

use std::{
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

use matchwire_domain::timestamp::Timestamp;

/// Is told of every group right after it is durable, on the writer's thread: it must be quick.
pub trait Observer: Send + Sync + 'static {
    /// A group was committed.
    fn committed(&self, group: &Committed);
}

/// One group that was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Committed {
    /// Calls of `append` that it answered.
    pub calls: usize,
    /// Events that it stored.
    pub events: usize,
    /// Stored bytes of those events, without framing.
    pub stored_bytes: u64,
    /// Bytes that the medium wrote, with framing.
    pub written_bytes: u64,
    /// The sync alone.
    pub sync: Duration,
    /// From taking the calls from the queue to the end of the sync.
    pub commit: Duration,
}

/// How far the writer is behind those who append.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// How much of the queue's bounds is taken, in percent, of the one that is nearer. At 100 or
    /// a little before, appends are refused with [`Error::Full`](crate::Error::Full).
    pub percent: usize,
    /// How long the first call in the queue has been waiting for the writer; zero if none is.
    pub oldest: Duration,
}

/// Sums since the log was opened, and what is queued now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Groups that were written.
    pub groups: u64,
    /// Events that were stored.
    pub events: u64,
    /// Events that were duplicates.
    pub duplicates: u64,
    /// Stored bytes of events, without framing.
    pub stored_bytes: u64,
    /// Bytes that the medium wrote, with framing.
    pub written_bytes: u64,
    /// Time in sync, in microseconds.
    pub sync_us: u64,
    /// Calls that wait in the queue now.
    pub queued_calls: usize,
    /// Stored bytes that wait in the queue now.
    pub queued_bytes: usize,
    /// How far the clock is behind the last `recordedtime`, in milliseconds; 0 if it is not. Until
    /// it has caught up, every event gets that same time.
    pub clock_behind_ms: u64,
    /// Whether the medium refused the last group for want of space. Reads go on.
    pub is_full: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    groups: AtomicU64,
    events: AtomicU64,
    duplicates: AtomicU64,
    stored_bytes: AtomicU64,
    written_bytes: AtomicU64,
    sync_us: AtomicU64,
    recorded_ms: AtomicI64,
    is_full: AtomicBool,
}

impl Counters {
    /// Notes whether the medium is full, and says whether it was before.
    pub(crate) fn set_full(&self, is_full: bool) -> bool {
        self.is_full.swap(is_full, Ordering::Relaxed)
    }

    /// Notes the time that the last group has.
    pub(crate) fn set_recorded(&self, recorded: Timestamp) {
        self.recorded_ms.store(recorded.ms(), Ordering::Relaxed);
    }

    pub(crate) fn add(&self, group: &Committed) {
        let add = |counter: &AtomicU64, n: u64| counter.fetch_add(n, Ordering::Relaxed);
        add(&self.groups, 1);
        add(&self.events, group.events as u64);
        add(&self.stored_bytes, group.stored_bytes);
        add(&self.written_bytes, group.written_bytes);
        add(&self.sync_us, u64::try_from(group.sync.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn add_duplicates(&self, n: u64) {
        self.duplicates.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(
        &self,
        now: Timestamp,
        queued_calls: usize,
        queued_bytes: usize,
    ) -> Stats {
        let behind_ms = self.recorded_ms.load(Ordering::Relaxed).saturating_sub(now.ms());
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            groups: get(&self.groups),
            events: get(&self.events),
            duplicates: get(&self.duplicates),
            stored_bytes: get(&self.stored_bytes),
            written_bytes: get(&self.written_bytes),
            sync_us: get(&self.sync_us),
            queued_calls,
            queued_bytes,
            clock_behind_ms: u64::try_from(behind_ms).unwrap_or(0),
            is_full: self.is_full.load(Ordering::Relaxed),
        }
    }
}
