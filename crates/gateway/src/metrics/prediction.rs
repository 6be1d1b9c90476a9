//! How good predictions are, and which models cannot be asked, as metrics.

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use matchwire_log::live::{Breaker, Failures};

use super::{counter, gauge, log::raise};

/// The game and the model.
type Model = [(&'static str, String); 2];
/// The game, the model, and how it failed.
type Failed = [(&'static str, String); 3];

pub(crate) struct PredictionMeter {
    breaker: Family<Model, Gauge>,
    failures: Family<Failed, Counter>,
    skipped: Family<Model, Counter>,
}

impl PredictionMeter {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let help = "Whether a model that failed is left alone: 1 while its breaker is open";
        let breaker = gauge(registry, "predictor_breaker_open", help);
        let help = "Predictions that failed, by how: panic, late, invalid";
        let failures = counter(registry, "predictor_failures", help);
        let help = "Predictions that were not tried, since the model had failed";
        Self { breaker, failures, skipped: counter(registry, "predictor_skipped", help) }
    }

    /// Takes over what the breakers of models counted.
    pub(super) fn set_breakers(&self, breakers: Vec<(String, String, Breaker)>) {
        for (game, model, breaker) in breakers {
            let labels = [("game", game.clone()), ("model", model.clone())];
            self.breaker.get_or_create(&labels).set(i64::from(!breaker.is_closed()));
            let Failures { panic, late, invalid, skipped } = breaker.failures;
            raise(&self.skipped.get_or_create(&labels), skipped);
            for (how, count) in [("panic", panic), ("late", late), ("invalid", invalid)] {
                let [game, model] = labels.clone();
                let labels = [game, model, ("how", how.to_owned())];
                raise(&self.failures.get_or_create(&labels), count);
            }
        }
    }
}
