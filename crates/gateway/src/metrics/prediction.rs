//! How good predictions are, and which models cannot be asked, as metrics.

use std::{collections::BTreeSet, sync::atomic::AtomicU64};

use matchwire_log::{
    calibration::Standing,
    live::{Breaker, Failures},
};
use parking_lot::Mutex;
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::{counter, gauge, log::raise};

/// The game and the model.
type Model = [(&'static str, String); 2];
/// The game, the model, and how it failed.
type Failed = [(&'static str, String); 3];
/// The game, the model, what it predicted, and whether in the shadow.
type Scored = [(&'static str, String); 4];
/// A number that need not be whole.
type Number = Gauge<f64, AtomicU64>;
type Count = Gauge<u64, AtomicU64>;

pub(crate) struct PredictionMeter {
    breaker: Family<Model, Gauge>,
    failures: Family<Failed, Counter>,
    skipped: Family<Model, Counter>,
    brier: Family<Scored, Number>,
    log_loss: Family<Scored, Number>,
    ece: Family<Scored, Number>,
    scored: Family<Scored, Count>,
    maps: Family<Scored, Count>,
    /// The scores that were told last.
    told: Mutex<BTreeSet<Scored>>,
    waiting: Count,
    incomplete: Count,
}

impl PredictionMeter {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let help = "Whether a model that failed is left alone: 1 while its breaker is open";
        let breaker = gauge(registry, "predictor_breaker_open", help);
        let help = "Predictions that failed, by how: panic, late, invalid";
        let failures = counter(registry, "predictor_failures", help);
        let help = "Predictions that were not tried, since the model had failed";
        let skipped = counter(registry, "predictor_skipped", help);
        let help = "The Brier score of the predictions whose outcome is known: of round and map 0.25 for a \
                    coin, of result the sum over win, draw and loss";
        let brier = gauge(registry, "prediction_brier", help);
        let help = "The log loss of the predictions whose outcome is known, in nats";
        let log_loss = gauge(registry, "prediction_log_loss", help);
        let help = "The expected calibration error of the predictions whose outcome is known";
        let ece = gauge(registry, "prediction_ece", help);
        let help = "Predictions whose outcome is known; a correction may take some away";
        let scored = gauge(registry, "prediction_scored", help);
        let help = "Maps with predictions whose outcome is known";
        let maps = gauge(registry, "prediction_scored_maps", help);
        let help = "Maps whose predictions are still to be scored";
        let waiting = gauge(registry, "calibration_waiting_maps", help);
        let help = "Maps that could not be scored as a whole, up to 10,000";
        let incomplete = gauge(registry, "calibration_incomplete_maps", help);
        Self {
            breaker,
            failures,
            skipped,
            brier,
            log_loss,
            ece,
            scored,
            maps,
            told: Mutex::default(),
            waiting,
            incomplete,
        }
    }

    /// Takes over what the breakers of models counted.
    pub(super) fn set_breakers(&self, breakers: Vec<(String, String, Breaker)>) {
        for (game, model, breaker) in breakers {
            let labels = [("game", game), ("model", model)];
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

    /// Takes over what predictions came to.
    pub(super) fn set_scores(&self, standing: &Standing) {
        let mut told = BTreeSet::new();
        for (key, tally) in &standing.scores {
            let labels = [
                ("game", key.game.to_string()),
                ("model", key.model.to_owned()),
                ("target", key.target.as_str().to_owned()),
                ("shadow", key.shadow.to_string()),
            ];
            let figures = [
                (&self.brier, tally.brier()),
                (&self.log_loss, tally.log_loss()),
                (&self.ece, tally.ece()),
            ];
            for (family, figure) in figures {
                if let Some(figure) = figure {
                    family.get_or_create(&labels).set(figure);
                }
            }
            self.scored.get_or_create(&labels).set(tally.predictions);
            self.maps.get_or_create(&labels).set(tally.maps);
            told.insert(labels);
        }
        // What a correction took away must not stay as it was.
        let before = std::mem::replace(&mut *self.told.lock(), told.clone());
        for gone in before.difference(&told) {
            for family in [&self.brier, &self.log_loss, &self.ece] {
                family.remove(gone);
            }
            self.scored.remove(gone);
            self.maps.remove(gone);
        }
        self.waiting.set(standing.waiting as u64);
        self.incomplete.set(standing.incomplete as u64);
    }
}
