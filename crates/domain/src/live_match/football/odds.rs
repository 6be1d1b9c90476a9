//! Who will win: an explicit model of goal rates.
//!
//! A prediction is a function of a match's state alone, so it can be computed again for any event.
//! [`rates`] says how many goals each team may expect in what is left of play, [`poisson`] what comes
//! of that, and [`kicks`] how a shoot-out ends. The model, the sources of its numbers and how well it
//! does are in `docs/models/mw-goal-1.md`.

mod kicks;
mod poisson;
mod rates;
#[cfg(test)]
mod tests;

use self::{poisson::Outcome, rates::Left};
use super::{Period, Phase, State};
use crate::live_match::Prediction;

/// The model's name; another model, or other coefficients, is another name.
pub const MODEL: &str = "mw-goal-1";
/// What is open is mixed with so much of complete ignorance: nothing is certain before the end.
const IGNORANCE: f64 = 0.002;

/// Predicts from a state; `None` where there is no result to come, since play was abandoned.
///
/// Probabilities have 6 decimals and sum to 1. Where a draw cannot stand, `draw` is left out.
pub fn predict(state: &State) -> Option<Prediction> {
    let is_knockout = is_knockout(state);
    let outcome = if state.phase == Phase::Ended {
        let abandoned =
            state.course.ruling.as_ref().is_some_and(|ruling| ruling.kind == Some("abandoned"));
        if abandoned {
            return None;
        }
        Outcome::certain(state.course.winner)
    } else {
        open(state, is_knockout)
    };
    let has_draw = !is_knockout || (state.phase == Phase::Ended && state.course.winner.is_none());
    let (map, draw) = outcome.in_millionths(has_draw);
    Some(Prediction { seq: state.course.seq, round_no: None, model: MODEL, round: None, map, draw })
}

/// Whether somebody has to win: it was told, or more than two halves are played.
fn is_knockout(state: &State) -> bool {
    state.format.knockout == Some(true)
        || state.period.is_some_and(|period| period >= Period::ExtraTimeFirst)
}

/// The outcome of a match that is not over.
fn open(state: &State, is_knockout: bool) -> Outcome {
    let lead = state.lead();
    let left = Left::of(state);
    let [first, second] = rates::goals(state, left.regulation);
    let mut outcome = poisson::outcome(lead, first, second);
    if is_knockout {
        let decider = decider(state, &left);
        outcome = outcome.with_draw_played_out(decider);
    }
    outcome.mixed_with_ignorance(IGNORANCE, !is_knockout)
}

/// P(the first team wins) if it is level after two halves, or as it stands in what follows them.
fn decider(state: &State, left: &Left) -> f64 {
    let kicks = kicks::first_wins(state.shootout.as_ref());
    let in_shootout = state.period == Some(Period::ShootOut);
    let plays = state.format.extra_time != Some(false)
        || state.period.is_some_and(|period| period >= Period::ExtraTimeFirst);
    if in_shootout || !plays {
        return kicks;
    }
    let [first, second] = rates::goals(state, left.extra);
    poisson::outcome(0, first, second).with_draw_played_out(kicks).first
}
