//! What is let through and what is given up, as metrics.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::{add, counter, gauge};
use crate::admission::{Shed, State};

/// A number that need not be whole.
type Number = Gauge<f64, AtomicU64>;
/// Priority, class, and whether it was sampled or refused.
type ShedLabels = [(&'static str, &'static str); 3];
/// The pattern of a limit, as it was set.
type Source = [(&'static str, String); 1];

pub(crate) struct AdmissionMeter {
    level: Gauge,
    sample: Number,
    limit: Number,
    tokens: Family<Source, Number>,
    shed: Family<ShedLabels, Counter>,
}

impl AdmissionMeter {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let help = "How much is given up: 0 nothing, 1 low priority is sampled, 2 it is refused, 3 \
                    normal priority is, too";
        let level = gauge(registry, "admission_level", help);
        let help = "Of low priority, one of so many events is kept";
        let sample = gauge(registry, "admission_sample", help);
        let help = "How many events are let through in a second; 0 while there is no limit";
        let limit = gauge(registry, "admission_limit_events_per_second", help);
        let help = "What may be sent at once by the source that has the least, by pattern; below 0 \
                    it is over its rate";
        let tokens = add(registry, "admission_tokens", help, Family::default());
        let help = "Events that were not let through, by priority, class of the source, and how";
        Self { level, sample, limit, tokens, shed: counter(registry, "events_shed", help) }
    }

    pub(super) fn set(&self, state: State) {
        self.level.set(state.level.number().into());
        self.sample.set(state.sample);
        self.limit.set(state.limit.unwrap_or(0.0));
        for (pattern, tokens) in state.tokens {
            self.tokens.get_or_create(&[("source", pattern)]).set(tokens);
        }
    }

    pub(crate) fn shed(&self, shed: &[Shed]) {
        // Most of a request is given up for one reason.
        for same in shed.chunk_by(|one, other| one == other) {
            let Some(Shed { priority, class, how }) = same.first() else { continue };
            let labels =
                [("priority", priority.as_str()), ("class", class.as_str()), ("how", *how)];
            self.shed.get_or_create(&labels).inc_by(same.len() as u64);
        }
    }
}
