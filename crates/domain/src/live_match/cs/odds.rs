//! Who will win: the round, and from it the map.
//!
//! A prediction is a function of a map's state alone, so it can be computed again for any event.
//! [`round`] is a logistic model of the round that is played, [`map`] the Markov chain of the score
//! from there. Both are described, with what they were fitted on and how well they do, in
//! `docs/models/mw-logit-1.md`. What is looked at and when is left to [`crate::timeline`].

mod map;
mod round;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::live_match::cs::{Phase, Side, State};

/// The model's name; another model, or other coefficients, is another name.
pub const MODEL: &str = "mw-logit-1";
/// While something is open, nothing is more certain than this, nor less than its complement.
const SUREST: f64 = 0.999;

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

/// Predicts from a state.
///
/// A round that is won has its winner, until the next one begins; before a round's start it is
/// that round, with everyone alive. Probabilities have 6 decimals.
pub fn predict(state: &State) -> Prediction {
    let round = round_odds(state);
    let map = match (state.phase, state.course.winner) {
        (Phase::Ended, Some(winner)) => won_by(winner),
        (Phase::Ended, None) => 0.5,
        _ => open(map::first_team_wins(state, won_round(state).is_none().then_some(round))),
    };
    Prediction {
        seq: state.course.seq,
        round_no: state.round,
        model: MODEL,
        round: both(round),
        map: both(map),
    }
}

/// P(the first team wins the round).
fn round_odds(state: &State) -> f64 {
    if let Some(winner) = won_round(state) {
        return won_by(winner);
    }
    match (round::ct_wins(state), map::first_team_side(state)) {
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
