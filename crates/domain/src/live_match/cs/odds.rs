//! Who will win: the round, and from it the map.
//!
//! A prediction is a function of a map's state alone, so it can be computed again for any event.
//! There are several models of the round that is played ([`MODELS`]), each a pure function of the state
//! with a name and a page in `docs/models`; [`map`] is the Markov chain of the score from there, and
//! [`crate::series`] goes on to a best of several maps. What is looked at and when is left to
//! [`crate::timeline`].

mod boosted;
mod ensemble;
mod features;
mod history;
mod live;
mod logit;
mod map;
mod moment;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use boosted::{ct_wins_by, trained};
pub use ensemble::{Ensemble, Error, Part, Tree};
pub use features::{COUNT as FEATURES, Features, Spec, features, is_used, specs};
pub use history::History;
pub use moment::{Force, Grenades, Known, MAPS, Moment, ROUND_S, Stage, Weapons};

use crate::live_match::cs::{Phase, Side, State};

/// The models that there are, the one that is used unless told otherwise first.
pub const MODELS: [Model; 2] = [Model::Boosted, Model::Logit];
/// While something is open, nothing is more certain than this, nor less than its complement.
const SUREST: f64 = 0.999;

/// A model of the round. Other coefficients are another model, with another name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Model {
    /// `mw-gbt-1`: for every combination of what is known a linear part, and small trees upon it.
    #[default]
    Boosted,
    /// `mw-logit-1`: three logistic regressions.
    Logit,
}

impl Model {
    /// Its name, as predictions carry it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boosted => "mw-gbt-1",
            Self::Logit => "mw-logit-1",
        }
    }

    /// The model of a name.
    pub fn named(name: &str) -> Option<Self> {
        MODELS.into_iter().find(|model| model.name() == name)
    }

    /// P(CT wins the round) as of a moment with what came before it, between 0.001 and 0.999.
    pub fn ct_wins_at(self, now: &Moment, history: &History) -> f64 {
        match self {
            Self::Boosted => boosted::ct_wins_by(boosted::trained(), now, history),
            Self::Logit => logit::ct_wins_at(now),
        }
    }

    /// P(CT wins the round) that is played, or that comes next.
    fn ct_wins(self, state: &State) -> f64 {
        match self {
            Self::Boosted => live::ct_wins(state),
            Self::Logit => logit::ct_wins(state),
        }
    }
}

/// The probability of winning, per team, as of an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// The event it belongs to.
    pub seq: u64,
    /// The round it was made in.
    pub round_no: u16,
    /// The model that made it.
    pub model: &'static str,
    /// P(team wins the round), in the order of teams; sums to 1.
    pub round: [f64; 2],
    /// P(team wins the map), in the order of teams; sums to 1.
    pub map: [f64; 2],
}

/// Predicts from a state, by a model.
///
/// A round that is won has its winner, until the next one begins; before a round's start it is
/// that round, with everyone alive. Probabilities have 6 decimals.
pub fn predict(state: &State, model: Model) -> Prediction {
    let round = round_odds(state, model);
    let map = match (state.phase, state.course.winner) {
        (Phase::Ended, Some(winner)) => won_by(winner),
        (Phase::Ended, None) => 0.5,
        _ => open(map::first_team_wins(state, won_round(state).is_none().then_some(round))),
    };
    Prediction {
        seq: state.course.seq,
        round_no: state.round,
        model: model.name(),
        round: both(round),
        map: both(map),
    }
}

/// P(the first team wins the round).
fn round_odds(state: &State, model: Model) -> f64 {
    if let Some(winner) = won_round(state) {
        return won_by(winner);
    }
    match (model.ct_wins(state), map::first_team_side(state)) {
        (ct, Side::Ct) => ct,
        (ct, Side::T) => 1.0 - ct,
    }
}

/// The index of the team that won the round which the state is about, once the score has it.
fn won_round(state: &State) -> Option<usize> {
    let over = matches!(state.phase, Phase::RoundOver | Phase::Ended);
    state.rounds.get(&state.round).filter(|_| over).map(|round| round.winner)
}

/// The first team's probability when a team has won.
fn won_by(winner: usize) -> f64 {
    if winner == 0 { 1.0 } else { 0.0 }
}

/// Holds what is open away from certainty.
fn open(probability: f64) -> f64 {
    probability.clamp(1.0 - SUREST, SUREST)
}

/// Both teams' probabilities from the first one's, in millionths, so that the pair sums to 1 as it
/// is written.
fn both(first: f64) -> [f64; 2] {
    const MILLION: f64 = 1e6;
    let millionths = (first * MILLION).round();
    [millionths / MILLION, (MILLION - millionths) / MILLION]
}
