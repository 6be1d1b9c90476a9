//! How imports go on, as metrics; never which.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::{Label, counter, gauge};
use crate::{imports::counts, ingest::Fate};

pub(crate) struct ImportMeter {
    events: Family<Label, Counter>,
    expected: Gauge<u64, AtomicU64>,
    told: Gauge<u64, AtomicU64>,
}

impl ImportMeter {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let help =
            "Events of imports: appended, duplicate, rejected, and voided by taking an import back";
        let events = counter(registry, "import_events", help);
        let help = "How many events the import has that goes on; 0 while none does";
        let expected = gauge(registry, "import_events_expected", help);
        let help = "How many events of the import that goes on were told";
        let told = gauge(registry, "import_events_told", help);
        Self { events, expected, told }
    }

    /// A batch was taken, of an import that has so many events and has told so many.
    pub(crate) fn batch(&self, fates: &[Fate], expected: u64, told: u64) {
        for (result, count) in ["appended", "duplicate", "rejected"].into_iter().zip(counts(fates))
        {
            self.events.get_or_create(&[("result", result)]).inc_by(count);
        }
        self.expected.set(expected);
        self.told.set(told);
    }

    /// An import has ended.
    pub(crate) fn finished(&self) {
        self.expected.set(0);
        self.told.set(0);
    }

    /// So many events were voided.
    pub(crate) fn voided(&self, count: u64) {
        self.events.get_or_create(&[("result", "voided")]).inc_by(count);
    }
}
