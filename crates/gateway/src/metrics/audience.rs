//! What audiences ask, as metrics. Their names are the operator's own, so there are few.

use prometheus_client::{
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use super::counter;

type Name = [(&'static str, String); 1];

pub(super) struct AudienceMeter {
    requests: Family<Name, Counter>,
}

impl AudienceMeter {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let help = "Requests of the audiences that are set, by audience";
        Self { requests: counter(registry, "audience_requests", help) }
    }

    pub(super) fn asked(&self, audience: &str) {
        self.requests.get_or_create(&[("audience", audience.to_owned())]).inc();
    }
}
