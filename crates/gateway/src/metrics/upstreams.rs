//! How upstreams are, as metrics. Their names are the operator's own, so there are few.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use super::{add, counter, gauge, log::raise};
use crate::{
    ingest::Taken,
    upstreams::{Phase, Upstream},
};

type Name = [(&'static str, String); 1];
type Outcome = [(&'static str, String); 2];

pub(crate) struct UpstreamMeter {
    up: Family<Name, Gauge>,
    broken: Family<Name, Gauge>,
    answered: Family<Name, Gauge<f64, AtomicU64>>,
    failures: Family<Name, Counter>,
    events: Family<Outcome, Counter>,
}

impl UpstreamMeter {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let answered = Family::default();
        let help = "When an upstream answered last";
        let name = "upstream_answered_timestamp";
        registry.register_with_unit(name, help, Unit::Seconds, answered.clone());
        let help = "1 while an upstream answers, or would if this server had less to do";
        let up = gauge(registry, "upstream_up", help);
        let help = "1 while an upstream is left alone, since it failed too often";
        let broken = gauge(registry, "upstream_breaker_open", help);
        let help = "Attempts to reach or read an upstream that failed";
        let failures = counter(registry, "upstream_failures", help);
        let help = "Events of upstreams, by what became of them";
        Self {
            up,
            broken,
            answered,
            failures,
            events: add(registry, "upstream_events", help, Family::default()),
        }
    }

    pub(super) fn set(&self, upstreams: &[Upstream]) {
        for upstream in upstreams {
            let name = || [("upstream", upstream.name.clone())];
            let is_up = matches!(upstream.phase, Phase::Connected | Phase::Held);
            self.up.get_or_create(&name()).set(is_up.into());
            let is_broken = upstream.phase == Phase::Broken;
            self.broken.get_or_create(&name()).set(is_broken.into());
            raise(&self.failures.get_or_create(&name()), upstream.failed);
            if let Some(answered) = upstream.answered {
                #[expect(clippy::cast_precision_loss, reason = "milliseconds of our time fit")]
                let seconds = answered.ms() as f64 / 1e3;
                self.answered.get_or_create(&name()).set(seconds);
            }
            let Taken { appended, duplicate, unknown, rejected } = upstream.taken;
            let counts = [
                ("appended", appended),
                ("duplicate", duplicate),
                ("unknown", unknown),
                ("rejected", rejected),
            ];
            for (outcome, count) in counts {
                let labels = [("upstream", upstream.name.clone()), ("outcome", outcome.into())];
                raise(&self.events.get_or_create(&labels), count);
            }
        }
    }
}
