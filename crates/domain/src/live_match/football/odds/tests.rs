//! What must hold of any prediction.

use proptest::prelude::*;

use super::*;
use crate::live_match::{
    Rules as _,
    football::{Clock, ClockState, Shootout},
};

/// A match in its course, by score, period, minute in it and men sent off.
fn state(score: [u16; 2], period: Period, minute: u32, dismissed: [u16; 2]) -> State {
    let mut state = State::new("m", 1);
    state.phase = Phase::Play;
    state.period = Some(period);
    let clock = Clock { period, elapsed_ms: minute * 60_000 };
    let (minute, added) = clock.minute();
    let time = crate::timestamp::Timestamp::from_ms(0);
    state.clock = Some(ClockState { elapsed_ms: clock.elapsed_ms, minute, added, time });
    for (team, (score, dismissed)) in state.teams.iter_mut().zip(score.into_iter().zip(dismissed)) {
        (team.score, team.dismissed) = (score, dismissed);
    }
    state
}

/// P(first), P(draw), P(second).
fn odds(state: &State) -> [f64; 3] {
    let Prediction { map: [first, second], draw, .. } = predict(state).unwrap();
    [first, draw.unwrap_or(0.0), second]
}

fn states() -> impl Strategy<Value = State> {
    let play = (0..4_usize, 0..50_u32, prop::option::of((0.05..10.0, 0.05..10.0)));
    let format = (any::<bool>(), prop::option::of(0..2_usize), any::<bool>());
    ((0..6_u16, 0..6_u16), (0..4_u16, 0..4_u16), play, format).prop_map(
        |((a, b), (out_a, out_b), (period, minute, rates), (knockout, home, extra_time))| {
            let mut state = state([a, b], Period::ALL[period], minute, [out_a, out_b]);
            if let Some((first, second)) = rates {
                state.teams[0].expected_goals = Some(first);
                state.teams[1].expected_goals = Some(second);
            }
            state.format.knockout = Some(knockout);
            state.format.home = home;
            state.format.extra_time = Some(extra_time);
            state
        },
    )
}

proptest! {
    #[test]
    fn probabilities_are_probabilities(state in states()) {
        let odds = odds(&state);
        prop_assert!((odds.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{odds:?}");
        prop_assert!(odds.iter().all(|p| (0.0..1.0).contains(p)), "{odds:?}");
        for p in odds {
            prop_assert!((p * 1e6 - (p * 1e6).round()).abs() < 1e-6, "{p} has six decimals");
        }
        prop_assert_eq!(predict(&state).unwrap().draw.is_none(), is_knockout(&state));
    }

    #[test]
    fn a_goal_never_hurts_its_team(state in states(), team in 0..2_usize) {
        let mut scored = state.clone();
        scored.teams[team].score += 1;
        let (before, after) = (odds(&state), odds(&scored));
        prop_assert!(after[2 * team] >= before[2 * team], "{before:?} {after:?}");
        prop_assert!(after[2 - 2 * team] <= before[2 - 2 * team], "{before:?} {after:?}");
    }

    #[test]
    fn a_player_sent_off_never_helps(state in states(), team in 0..2_usize) {
        let mut fewer = state.clone();
        fewer.teams[team].dismissed += 1;
        let (before, after) = (odds(&state), odds(&fewer));
        prop_assert!(after[2 * team] <= before[2 * team] + 1e-6, "{before:?} {after:?}");
        prop_assert!(after[2 - 2 * team] >= before[2 - 2 * team] - 1e-6, "{before:?} {after:?}");
    }

    /// Of two equal teams. (One that leads and is far stronger may gain by more time.)
    #[test]
    fn time_that_runs_out_helps_who_leads(
        lead in 1..4_u16, period in 0..2_usize, minute in 0..48_u32, knockout: bool,
    ) {
        let at = |minute| {
            let mut state = state([lead, 0], Period::ALL[period], minute, [0, 0]);
            state.format.knockout = Some(knockout);
            odds(&state)
        };
        let (before, after) = (at(minute), at(minute + 1));
        prop_assert!(after[0] >= before[0], "{before:?} {after:?}");
        prop_assert!(after[2] <= before[2], "{before:?} {after:?}");
    }

    #[test]
    fn the_order_of_teams_does_not_matter(state in states()) {
        let mut other = state.clone();
        other.teams.reverse();
        other.format.home = state.format.home.map(|home| 1 - home);
        let ([a, draw, b], [c, same, d]) = (odds(&state), odds(&other));
        for (one, other) in [(a, d), (b, c), (draw, same)] {
            prop_assert!((one - other).abs() < 3e-6, "{one} {other}");
        }
    }

    /// The model against itself, played out goal by goal.
    #[test]
    fn the_outcome_is_that_of_the_first_goal(rate in 0.1..3.0_f64, other in 0.1..3.0_f64, lead in -2..3_i32) {
        let now = poisson::outcome(lead, rate, other);
        // In a small part of the time, so that two goals do not matter.
        let (part, rest) = (1e-4, 1.0 - 1e-4);
        let later = |lead| poisson::outcome(lead, rate * rest, other * rest).first;
        let step = later(lead) * (1.0 - (rate + other) * part)
            + later(lead + 1) * rate * part
            + later(lead - 1) * other * part;
        prop_assert!((now.first - step).abs() < 1e-6, "{} {step}", now.first);
    }
}

#[test]
fn an_equal_match() {
    let [first, draw, second] = odds(&State::new("m", 1));
    assert!((first - second).abs() < 1e-9);
    assert!((0.25..0.30).contains(&draw), "{draw}");
    let mut knockout = State::new("m", 1);
    knockout.format.knockout = Some(true);
    assert_eq!(odds(&knockout).map(f64::to_bits), [0.5, 0.0, 0.5].map(f64::to_bits));
    let mut home = State::new("m", 1);
    home.format.home = Some(1);
    let [away, _, home] = odds(&home);
    assert!(home > away + 0.05, "{home} {away}");
}

#[test]
fn a_match_that_is_over_has_its_result() {
    let mut over = state([2, 1], Period::SecondHalf, 48, [0, 0]);
    over.phase = Phase::Ended;
    over.course.winner = Some(0);
    assert_eq!(odds(&over).map(f64::to_bits), [1.0, 0.0, 0.0].map(f64::to_bits));
    over.course.winner = None;
    assert_eq!(odds(&over).map(f64::to_bits), [0.0, 1.0, 0.0].map(f64::to_bits));
    over.close();
    over.course.ruling = Some(crate::live_match::Ruling {
        kind: Some("abandoned"),
        how: None,
        reason: None,
        confirmed: false,
    });
    assert_eq!(predict(&over), None);
}

#[test]
fn kicks_that_are_left() {
    let shootout = |score, taken| {
        let mut state = state([1, 1], Period::ShootOut, 0, [0, 0]);
        state.shootout = Some(Shootout { score, taken, ..Shootout::default() });
        odds(&state)[0]
    };
    assert!((shootout([0, 0], [0, 0]) - 0.5).abs() < 1e-6);
    assert!(shootout([1, 0], [1, 0]) > 0.5, "scored");
    assert!(shootout([0, 0], [1, 0]) < 0.5, "missed");
    assert!(shootout([5, 5], [6, 5]) < shootout([6, 5], [6, 5]), "sudden death");
    // The second team must score with its last kick to go on: 0.74 of 0.5, and the rest is lost.
    let last = 1.0 - 0.74 * 0.5;
    assert!((shootout([4, 3], [5, 4]) - (last * 0.998 + 0.001)).abs() < 1e-6);
    assert!(shootout([0, 0], [0, u16::MAX]).is_finite());
}

#[test]
fn what_is_announced_is_time_that_is_left() {
    let mut told = state([1, 0], Period::SecondHalf, 44, [0, 0]);
    let usual = odds(&told)[0];
    told.periods.entry(Period::SecondHalf).or_default().announced_min = Some(12);
    assert!(odds(&told)[0] < usual);
}
