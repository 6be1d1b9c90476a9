//! What people ask, as metrics; never who.

use prometheus_client::{
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use super::{Label, counter};

pub(crate) struct PeopleMeter {
    requests: Family<Label, Counter>,
    erasures: Counter,
}

impl PeopleMeter {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let help = "Requests where it matters who asks: a player, unknown without a player id, a stranger without a token, refused";
        let erasures = "How many people have been forgotten since the start";
        Self {
            requests: counter(registry, "people_requests", help),
            erasures: counter(registry, "people_erasures", erasures),
        }
    }

    /// Somebody was forgotten.
    pub(crate) fn erased(&self) {
        self.erasures.inc();
    }

    /// It was found out who asks, or not.
    pub(crate) fn asked(&self, result: &'static str) {
        self.requests.get_or_create(&[("result", result)]).inc();
    }
}
