//! How many goals each team may expect in what is left of play.

use crate::live_match::football::{Clock, Period, Phase, State};

/// Goals of a team in 90 minutes of which nothing is known: 497 in the two halves of the 192 matches
/// of the World Cups of 2014 to 2022 (FIFA's results), by two teams.
const GOALS_PER_MATCH: f64 = 1.3;
/// The part of them that falls into the first half. Rates rise in the course of a match (Heuer and
/// Rubner, PLoS ONE 7(11), 2012); 0.40 in those World Cups, 0.44 to 0.46 in leagues.
const FIRST_HALF_PART: f64 = 0.43;
/// Extra time is a third of a match, at its mean rate: 15 goals in 18 of them in those World Cups.
const EXTRA_TIME_PART: f64 = 1.0 / 3.0;
/// How the rate of a team changes when one of its players is sent off, and how the other team's
/// does (Vecer, Kopriva and Ichiba, Journal of Quantitative Analysis in Sports 5(1), 2009).
const TEN_MEN: f64 = 2.0 / 3.0;
const AGAINST_TEN_MEN: f64 = 5.0 / 4.0;
/// By what a team's rate is multiplied at home, and the other one's divided: together a ratio of 1.3.
/// (Dixon and Coles, Applied Statistics 46, 1997, have 1.4 for England in the 1990s; it has fallen.)
const AT_HOME: f64 = 1.14;
/// With more sent off a match is not played (Law 3).
const MAX_DISMISSED: u16 = 5;
/// No team expects more than this in what is left.
const MAX_RATE: f64 = 20.0;
/// Minutes that are added to a period if nobody has announced any: what is usual.
const ADDED_MIN: [f64; 4] = [2.0, 4.0, 1.0, 1.0];

/// What is left of play, as a part of a match of 90 minutes by the goals that fall in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Left {
    /// Of the two halves.
    pub(super) regulation: f64,
    /// Of extra time, if it is played.
    pub(super) extra: f64,
}

impl Left {
    pub(super) fn of(state: &State) -> Self {
        let part = |period| part_left(state, period);
        Self {
            regulation: FIRST_HALF_PART * part(Period::FirstHalf)
                + (1.0 - FIRST_HALF_PART) * part(Period::SecondHalf),
            extra: EXTRA_TIME_PART / 2.0
                * (part(Period::ExtraTimeFirst) + part(Period::ExtraTimeSecond)),
        }
    }
}

/// How much of a period is left, from 1 before it to 0 after it.
fn part_left(state: &State, period: Period) -> f64 {
    let Some(Clock { period: now, elapsed_ms }) = state.now() else { return 1.0 };
    if period != now {
        return if period > now { 1.0 } else { 0.0 };
    }
    if state.phase != Phase::Play {
        return 0.0;
    }
    let announced = state.periods.get(&period).and_then(|period| period.announced_min);
    let usual = ADDED_MIN.get(period as usize).copied().unwrap_or(0.0);
    let added = announced.map_or(usual, f64::from);
    let regular = f64::from(period.length_min());
    let gone = f64::from(elapsed_ms) / 60_000.0;
    // Beyond what is added nobody knows when the whistle comes: it is about to, but has not yet.
    ((regular + added - gone) / (regular + added)).clamp(0.5 / (regular + added), 1.0)
}

/// The goals that each team may expect in a part of a match, in the order of teams.
pub(super) fn goals(state: &State, part: f64) -> [f64; 2] {
    let [first, second] = &state.teams;
    let [out, other_out] = [first.dismissed, second.dismissed].map(|men| men.min(MAX_DISMISSED));
    let rate = |index: usize, told: Option<f64>, own: u16, other: u16| {
        let home = match state.format.home {
            Some(home) if home == index => AT_HOME,
            Some(_) => 1.0 / AT_HOME,
            None => 1.0,
        };
        // A rate that is told is one of this match, and knows where it is played.
        let rate = told.unwrap_or(GOALS_PER_MATCH * home);
        let men = (0..own).fold(1.0, |men, _| men * TEN_MEN)
            * (0..other).fold(1.0, |men, _| men * AGAINST_TEN_MEN);
        (rate * men * part).min(MAX_RATE)
    };
    [rate(0, first.expected_goals, out, other_out), rate(1, second.expected_goals, other_out, out)]
}
