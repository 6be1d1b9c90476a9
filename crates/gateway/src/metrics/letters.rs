//! What becomes of dead letters, as metrics.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::{Label, counter, gauge};
use crate::letters::LetterStats;

pub(crate) struct LetterMeter {
    open: Gauge<u64, AtomicU64>,
    open_bytes: Gauge<u64, AtomicU64>,
    kept: Family<Label, Counter>,
    pub(crate) repeated: Counter,
    pub(crate) lost: Counter,
    pub(crate) redriven: Counter,
    pub(crate) dropped: Counter,
}

impl LetterMeter {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let help = "Dead letters that came again while the same one was open";
        let repeated = counter(registry, "dead_letters_repeated", help);
        let help = "Dead letters that were not kept for want of room, or since the log failed";
        let lost = counter(registry, "dead_letters_lost", help);
        let help = "Dead letters that were tried again and taken";
        let redriven = counter(registry, "dead_letters_redriven", help);
        let help = "Dead letters that an operator dropped";
        let dropped = counter(registry, "dead_letters_dropped", help);
        let help = "Bytes of bodies of open dead letters";
        let open_bytes = gauge(registry, "dead_letters_open_bytes", help);
        Self {
            open: gauge(registry, "dead_letters_open", "Dead letters that wait for an operator"),
            open_bytes,
            kept: counter(registry, "dead_letters", "Dead letters that were kept, by reason"),
            repeated,
            lost,
            redriven,
            dropped,
        }
    }

    pub(crate) fn kept(&self, reason: &'static str) {
        self.kept.get_or_create(&[("reason", reason)]).inc();
    }

    pub(super) fn set(&self, stats: LetterStats) {
        self.open.set(stats.open);
        self.open_bytes.set(stats.open_bytes);
    }
}
