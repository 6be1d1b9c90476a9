//! P(the counter-terrorists win the round) by `mw-gbt-1`: a linear part and small trees for each stage
//! of a round and each combination of what is known.
//!
//! The coefficients are in `mw-gbt-1.model`, which `cargo xtask train` writes and
//! `docs/models/mw-gbt-1.md` describes.

use std::sync::LazyLock;

use super::{
    ensemble::Ensemble,
    features::features,
    history::History,
    moment::{Force, Moment, Stage},
    open,
};

/// The model's file, as it was trained.
const FILE: &[u8] = include_bytes!("mw-gbt-1.model");

/// Read once; the bytes are part of the program, so that it is as constant as they are.
static TRAINED: LazyLock<Ensemble> = LazyLock::new(|| match Ensemble::read(FILE) {
    Ok(model) => model,
    // A test reads the same bytes, so that no program is built with others.
    Err(error) => panic!("the program was built with a broken model: {error}"),
});

/// The model that this program was built with.
pub fn trained() -> &'static Ensemble {
    &TRAINED
}

/// What of the log odds is kept without the time, and without knowing who is alive: what lost the least
/// log loss on rows where they were hidden, in tenths.
const WITHOUT_TIME: f64 = 0.7;
const WITHOUT_ALIVE: f64 = 0.5;

/// What of the log odds is kept. Every part was trained with time and players alive; where they are
/// replaced, what else is known says less.
fn certainty(now: &Moment) -> f64 {
    let is_counted = |force: &Force| force.alive.is_some() || force.health.is_some();
    let time = if now.left_s.is_some() { 1.0 } else { WITHOUT_TIME };
    let is_known = now.stage() == Stage::Buy || now.sides.iter().all(is_counted);
    time * if is_known { 1.0 } else { WITHOUT_ALIVE }
}

/// P(CT wins the round) as of a moment, by a model.
///
/// Between 0.001 and 0.999, also where the rules decide it, since a row may be wrong; 0.5 where the
/// model was not trained.
pub fn ct_wins_by(model: &Ensemble, now: &Moment, history: &History) -> f64 {
    if let Some(decided) = now.decided() {
        return open(decided);
    }
    let x = features(now, history);
    let log_odds = model.part(now.known(), now.stage()).map_or(0.0, |part| part.log_odds(&x));
    open(1.0 / (1.0 + libm::exp(-log_odds * certainty(now))))
}
