//! How the log is, as metrics: its queue, its clock, its files.

use std::sync::atomic::AtomicU64;

use matchwire_log::Stats;
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::{Label, add, counter, gauge, with_seconds};
use crate::storage::Storage;

/// A number of bytes or files.
type Amount = Gauge<u64, AtomicU64>;

pub(super) struct LogMeter {
    queued_calls: Amount,
    queued_bytes: Amount,
    clock_behind: Gauge<f64, AtomicU64>,
    full: Amount,
    upkeep_failures: Amount,
    damaged_places: Amount,
    files: Family<Label, Amount>,
    disk_bytes: Family<Label, Amount>,
    stored_bytes: Amount,
    trimmed_events: Amount,
    archived_events: Amount,
    memory_bytes: Amount,
    appended_bytes: Counter,
    sealed_bytes: Counter,
    scrubbed_bytes: Counter,
}

impl LogMeter {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let help = "How far the clock is behind the last recordedtime";
        let clock_behind = with_seconds(registry, "log_clock_behind", help, Gauge::default());
        let files = add(registry, "log_files", "Files of the log, by kind", Family::default());
        let help = "What the files of the log take, by kind";
        let disk_bytes = add(registry, "log_disk_bytes", help, Family::default());
        let help = "Stored bytes of the events in sealed files, before compression";
        let stored_bytes = gauge(registry, "log_stored_bytes", help);
        let help = "Events of which retention has left no more than their identity";
        let trimmed_events = gauge(registry, "log_trimmed_events", help);
        let help = "Events that are in the archive";
        let archived_events = gauge(registry, "log_archived_events", help);
        let help = "Memory of indexes, filters and decoded blocks of the log's files, about";
        let memory_bytes = gauge(registry, "log_memory_bytes", help);
        let help = "Bytes of groups that were appended";
        let appended_bytes = counter(registry, "log_appended_bytes", help);
        let help = "Bytes of sealed files that were written";
        let sealed_bytes = counter(registry, "log_sealed_bytes", help);
        let help = "Bytes that were read again to find damage";
        let scrubbed_bytes = counter(registry, "log_scrubbed_bytes", help);
        let help =
            "Kinds of work on the log's files that fail now: sealing, or trimming and archiving";
        let upkeep_failures = gauge(registry, "log_upkeep_failures", help);
        let help = "Places where the log is known to be damaged";
        let damaged_places = gauge(registry, "log_damaged_places", help);
        Self {
            queued_calls: gauge(registry, "log_queued_calls", "Calls waiting for the log"),
            queued_bytes: gauge(registry, "log_queued_bytes", "Bytes waiting for the log"),
            full: gauge(registry, "log_full", "1 while the log's storage is full"),
            clock_behind,
            upkeep_failures,
            damaged_places,
            files,
            disk_bytes,
            stored_bytes,
            trimmed_events,
            archived_events,
            memory_bytes,
            appended_bytes,
            sealed_bytes,
            scrubbed_bytes,
        }
    }

    pub(super) fn set(&self, stats: &Stats, storage: &Storage) {
        self.queued_calls.set(stats.queued_calls as u64);
        self.queued_bytes.set(stats.queued_bytes as u64);
        #[expect(clippy::cast_precision_loss, reason = "2^52 ms are 140,000 years")]
        self.clock_behind.set(stats.clock_behind_ms as f64 / 1e3);
        self.full.set(stats.is_full.into());
        self.upkeep_failures.set(storage.failures.len() as u64);
        self.damaged_places.set(storage.damage.len() as u64);
        for files in &storage.files {
            self.files.get_or_create(&[("kind", files.kind)]).set(files.count);
            self.disk_bytes.get_or_create(&[("kind", files.kind)]).set(files.bytes);
        }
        self.stored_bytes.set(storage.stored_bytes);
        self.trimmed_events.set(storage.trimmed_events);
        self.archived_events.set(storage.archived_events);
        self.memory_bytes.set(storage.memory_bytes);
        raise(&self.appended_bytes, storage.appended_bytes);
        raise(&self.sealed_bytes, storage.sealed_bytes);
        raise(&self.scrubbed_bytes, storage.scrubbed_bytes);
    }
}

/// Brings a counter to what was counted elsewhere.
pub(super) fn raise(counter: &Counter, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}
