//! What must hold of any prediction, and values that were computed another way.
#![allow(clippy::float_cmp, reason = "predictions have 6 decimals, and 0 and 1 are exact")]

use proptest::prelude::*;

use super::{map::Window, *};
use crate::{
    live_match::cs::{Bomb, Gear, Label, PlayerState, Reason, Role, Round},
    timestamp::Timestamp,
};

/// A round that is played, 30 s in, with so many alive of five on each side; the first team is CT.
fn playing(ct: usize, t: usize) -> State {
    let mut state = State::new("m1", 1);
    state.phase = Phase::Round;
    state.round = 1;
    state.course.time = Some(Timestamp::from_ms(1_000_000));
    state.round_started = Some(Timestamp::from_ms(970_000));
    for (side, alive) in [(Side::Ct, ct), (Side::T, t)] {
        for number in 0..5 {
            let alive = number < alive;
            let player = PlayerState {
                side: Some(side),
                team: Some(usize::from(side == Side::T)),
                role: Role::Player,
                connected: true,
                alive,
                health: if alive { 100 } else { 0 },
                ..PlayerState::default()
            };
            state.players.insert(format!("{side:?}{number}"), player);
        }
    }
    state
}

fn with_bomb(mut state: State, since_ms: i64) -> State {
    state.bomb = Bomb::Planted;
    state.bomb_planted = state.course.time.map(|now| Timestamp::from_ms(now.ms() - since_ms));
    state
}

fn with_score(mut state: State, first: u16, second: u16) -> State {
    state.teams[0].score = first;
    state.teams[1].score = second;
    state.round = first + second + 1;
    state
}

/// The same with the teams in the other order.
fn reversed(mut state: State) -> State {
    state.teams.swap(0, 1);
    for player in state.players.values_mut() {
        player.team = player.team.map(|team| 1 - team);
    }
    for round in state.rounds.values_mut() {
        round.winner = 1 - round.winner;
        round.score.reverse();
    }
    state.course.winner = state.course.winner.map(|winner| 1 - winner);
    state
}

fn predict(state: &State) -> Prediction {
    super::predict(state, Model::default())
}

fn ct(state: &State) -> f64 {
    predict(state).round[0]
}

fn ct_by_logit(state: &State) -> f64 {
    super::predict(state, Model::Logit).round[0]
}

fn first_map(state: &State) -> f64 {
    predict(state).map[0]
}

#[track_caller]
fn close(actual: f64, wanted: f64) {
    assert!((actual - wanted).abs() < 2e-6, "{actual} is not {wanted}");
}

#[test]
fn nothing_is_known() {
    let state = State::new("m1", 1);
    let even = predict(&state);
    assert_eq!((even.model, even.round_no), ("mw-gbt-1", 0));
    assert!((even.round[0] - 0.5).abs() < 0.1 && (even.map[0] - 0.5).abs() < 0.02, "{even:?}");
    let prediction = super::predict(&state, Model::Logit);
    assert_eq!((prediction.model, prediction.round_no), ("mw-logit-1", 0));
    // ct: 1 / (1 + exp(-0.0478))
    assert_eq!(prediction.round, [0.511_948, 0.488_052]);
    assert!((prediction.map[0] - 0.5).abs() < 0.01);
}

/// Computed apart from this code, with Python's `math`.
#[test]
fn known_rounds() {
    close(ct_by_logit(&playing(5, 5)), 0.497_222);
    close(ct_by_logit(&playing(5, 4)), 0.718_388);
    close(ct_by_logit(&with_bomb(playing(3, 3), 10_000)), 0.210_124);
    let mut rich = playing(5, 5);
    rich.phase = Phase::FreezeTime;
    for player in rich.players.values_mut() {
        let is_ct = player.side == Some(Side::Ct);
        player.money = Some(if is_ct { 5_000 } else { 1_500 });
        player.equipment = Some(if is_ct { 1_000 } else { 200 });
    }
    close(ct_by_logit(&rich), 0.777_812);
}

#[test]
fn who_is_dead_has_lost_unless_the_bomb_ticks() {
    close(ct(&playing(3, 0)), 0.999);
    close(ct(&playing(0, 1)), 0.001);
    close(ct(&with_bomb(playing(0, 1), 0)), 0.001);
    close(ct(&with_bomb(playing(0, 0), 0)), 0.001);
    close(ct(&playing(0, 0)), 0.5);
    // With the other side dead, what is left is the time to defuse.
    let cleared = |since_ms| ct(&with_bomb(playing(1, 0), since_ms));
    assert!(cleared(1_000) > 0.9, "{}", cleared(1_000));
    assert!(cleared(39_900) < 0.5, "{}", cleared(39_900));
    assert!(cleared(i64::MAX / 4) < 0.5);
    let by_logit = |since_ms| ct_by_logit(&with_bomb(playing(1, 0), since_ms));
    assert!(by_logit(1_000) > 0.9 && by_logit(39_900) < 0.1 && by_logit(i64::MAX / 4) < 0.1);
}

#[test]
fn what_the_bomb_did_decides() {
    let mut state = playing(2, 2);
    state.bomb = Bomb::Defused;
    assert_eq!(predict(&state).round, [1.0, 0.0]);
    state.bomb = Bomb::Exploded;
    assert_eq!(predict(&state).round, [0.0, 1.0]);
}

#[test]
fn a_round_that_is_over_has_its_winner() {
    let mut state = with_score(playing(0, 2), 4, 5);
    state.phase = Phase::RoundOver;
    state.round = 9;
    let round = Round {
        winner: 1,
        side: Side::T,
        reason: Reason::Elimination,
        score: [4, 5],
        economy: None,
        clutches: Vec::new(),
    };
    state.rounds.insert(9, round);
    assert_eq!(predict(&state).round, [0.0, 1.0]);
    // A drawn round is played again.
    state.rounds.clear();
    assert!(ct(&state) > 0.4);
}

#[test]
fn a_map_that_is_over_has_its_winner() {
    let mut state = with_score(playing(5, 0), 13, 7);
    state.phase = Phase::Ended;
    state.course.winner = Some(0);
    assert_eq!(predict(&state).map, [1.0, 0.0]);
    assert_eq!(predict(&reversed(state.clone())).map, [0.0, 1.0]);
    state.course.winner = None;
    assert_eq!(predict(&state).map, [0.5, 0.5]);
}

#[test]
fn time_is_on_the_side_that_waits() {
    let mut state = playing(2, 2);
    let early = ct(&state);
    state.round_started = Some(Timestamp::from_ms(890_000));
    assert!(ct(&state) > early);
    assert!(ct(&with_bomb(playing(2, 2), 35_000)) < ct(&with_bomb(playing(2, 2), 20_000)));
}

/// With even rounds, most of a window is a sum of binomials.
#[test]
fn even_rounds_are_binomial() {
    let even = |rounds, won| Window { rounds, won }.first_wins(|_| 0.5);
    close(even(24, [0, 0]), 0.5);
    close(even(24, [12, 11]), 0.75);
    close(even(24, [12, 0]), 1.0 - 0.5_f64.powi(13));
    close(even(30, [14, 14]), 0.5);
    // 3 of 5 left wins; 2 of 5 ties: (10 + 5 + 1) / 32 + 10 / 32 / 2.
    close(even(24, [10, 9]), 21.0 / 32.0);
    // Overtime at 2:1: of 3, two win and one ties.
    close(even(6, [2, 1]), 0.5 + 0.375 / 2.0);
    close(even(6, [4, 2]), 1.0);
    close(even(6, [0, 4]), 0.0);
}

/// The textbook recursion over the score, instead of the convolution.
fn by_recursion(first: u16, second: u16, max_rounds: u16, first_is_ct: bool) -> f64 {
    let half = max_rounds / 2;
    if first > half || second > half {
        return f64::from(u8::from(first > second));
    }
    let played = first + second;
    if played == max_rounds {
        return 0.5;
    }
    let is_ct = first_is_ct == (played < half);
    let win = if is_ct { 0.51 } else { 0.49 };
    win * by_recursion(first + 1, second, max_rounds, first_is_ct)
        + (1.0 - win) * by_recursion(first, second + 1, max_rounds, first_is_ct)
}

#[test]
fn regulation_agrees_with_the_recursion() {
    for (first, second, max_rounds) in
        [(8, 3, 24), (6, 6, 24), (11, 12, 24), (3, 12, 24), (9, 9, 30)]
    {
        let mut state = with_score(playing(5, 5), first, second);
        state.max_rounds = max_rounds;
        let win = ct(&state);
        // The first team is CT now.
        let first_is_ct = first + second < max_rounds / 2;
        let after = |a, b| by_recursion(a, b, max_rounds, first_is_ct);
        let wanted = win * after(first + 1, second) + (1.0 - win) * after(first, second + 1);
        close(first_map(&state), wanted.clamp(0.001, 0.999));
    }
}

#[test]
fn overtime_is_won_by_four_of_six() {
    let at = |first, second| {
        let state = with_score(playing(5, 5), first, second);
        (ct(&state), first_map(&state))
    };
    // At 15:14 in the first overtime a win ends it and a loss is another one.
    let (win, map) = at(15, 14);
    close(map, win + (1.0 - win) * 0.5);
    // So it is at 18:17 in the second one.
    let (win, map) = at(18, 17);
    close(map, win + (1.0 - win) * 0.5);
    // And at 14:15 the other way round.
    let (win, map) = at(14, 15);
    close(map, win * 0.5);
    // At its start it is the round that is played, and five more.
    let (win, map) = at(12, 12);
    // Were it played like any other, the chance would be even.
    assert!((map - 0.5).abs() < (win - 0.5).abs() / 2.0, "{win} {map}");
}

/// After the last round of a half the sides to come count, whether the teams changed over yet.
#[test]
fn sides_change_between_halves() {
    let over = |side_now: Side| {
        let mut state = with_score(playing(5, 5), 6, 6);
        state.phase = Phase::RoundOver;
        state.round = 12;
        let round = Round {
            winner: 0,
            side: Side::Ct,
            reason: Reason::TimeRanOut,
            score: [6, 6],
            economy: None,
            clutches: Vec::new(),
        };
        state.rounds.insert(12, round);
        state.teams[0].side = side_now;
        state.teams[1].side = side_now.other();
        state
    };
    // The first team was CT, so it is T for the 12 rounds to come.
    close(first_map(&over(Side::Ct)), by_recursion(6, 6, 24, true));
    close(first_map(&over(Side::T)), by_recursion(6, 6, 24, true));
}

fn gear() -> impl Strategy<Value = Gear> {
    let items = prop::sample::subsequence(
        vec!["ak47", "awp", "mp9", "deagle", "kevlar(40)", "helmet", "defuser", "flashbang"],
        0..6,
    );
    items.prop_map(|items| Gear::of(&items.into_iter().map(Label::cut).collect::<Vec<_>>()))
}

fn states() -> impl Strategy<Value = State> {
    let people = prop::collection::vec(
        (
            any::<bool>(),
            0..=100_u16,
            prop::option::of(0..16_000_u32),
            prop::option::of(0..9_000_u32),
            prop::option::of(gear()),
        ),
        10,
    );
    let phase = prop::sample::select(vec![
        Phase::Waiting,
        Phase::WarmUp,
        Phase::FreezeTime,
        Phase::Round,
        Phase::Round,
        Phase::RoundOver,
    ]);
    let bomb = prop::sample::select(vec![Bomb::None, Bomb::Carried, Bomb::Planted, Bomb::Planted]);
    let score = (0..40_u16, 0..40_u16, prop::sample::select(vec![24_u16, 30, 16, 5, 0, 200]));
    (people, phase, bomb, score, -5_000..200_000_i64).prop_map(
        |(people, phase, bomb, (first, second, max_rounds), since_ms)| {
            let mut state = with_score(playing(5, 5), first, second);
            (state.phase, state.bomb, state.max_rounds) = (phase, bomb, max_rounds);
            let then = state.course.time.map(|now| Timestamp::from_ms(now.ms() - since_ms));
            (state.round_started, state.bomb_planted) = (then, then);
            for (player, (alive, health, money, equipment, gear)) in
                state.players.values_mut().zip(people)
            {
                player.alive = alive;
                player.health = if alive { health } else { 0 };
                (player.money, player.equipment, player.gear) = (money, equipment, gear);
            }
            state
        },
    )
}

proptest! {
    #[test]
    fn probabilities_are_probabilities(state in states()) {
        let all = MODELS.map(|model| super::predict(&state, model));
        for pair in all.iter().flat_map(|one| [one.round, one.map]) {
            prop_assert!((pair[0] + pair[1] - 1.0).abs() < 1e-12, "{pair:?}");
            prop_assert!(pair.iter().all(|p| (0.001..=0.999).contains(p)), "{pair:?}");
            let millionths = pair[0] * 1e6;
            prop_assert!((millionths - millionths.round()).abs() < 1e-6);
        }
        prop_assert_eq!(predict(&state), predict(&state.clone()));
    }

    #[test]
    fn the_order_of_teams_does_not_matter(state in states()) {
        let reversed = reversed(state.clone());
        for model in MODELS {
            let (one, other) = (super::predict(&state, model), super::predict(&reversed, model));
            for (one, other) in [(one.round, other.round), (one.map, other.map)] {
                prop_assert!((one[0] - other[1]).abs() < 2e-6, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn one_more_alive_is_never_worse(state in states(), who in 0..10_usize) {
        let mut fewer = state;
        let player = fewer.players.values_mut().nth(who).unwrap();
        (player.alive, player.health) = (false, 0);
        let mut more = fewer.clone();
        let player = more.players.values_mut().nth(who).unwrap();
        (player.alive, player.health) = (true, 1);
        let team = player.team.unwrap();
        for model in MODELS {
            let [fewer, more] = [&fewer, &more].map(|state| super::predict(state, model));
            prop_assert!(more.round[team] >= fewer.round[team], "{fewer:?} {more:?}");
            prop_assert!(more.map[team] >= fewer.map[team] - 1e-6, "{fewer:?} {more:?}");
        }
    }

    #[test]
    fn a_better_score_is_never_worse(state in states()) {
        let mut ahead = state.clone();
        // One round more for the first and one less for the second keeps the sides as they are.
        prop_assume!(ahead.teams[1].score > 0);
        ahead.teams[0].score += 1;
        ahead.teams[1].score -= 1;
        let (behind, ahead) = (first_map(&state), first_map(&ahead));
        let level = state.max_rounds.div_ceil(2);
        let overtime = state.teams.iter().any(|team| team.score >= level);
        prop_assert!(overtime || ahead >= behind - 1e-6, "{behind} {ahead}");
    }
}

#[test]
fn models_have_names() {
    assert_eq!(MODELS[0], Model::default());
    for model in MODELS {
        assert_eq!(Model::named(model.name()), Some(model));
    }
    assert_eq!(Model::named("mw-gbt-0"), None);
}

#[test]
fn every_combination_is_trained() {
    for number in 0..Known::COUNT {
        for stage in Stage::ALL {
            let part = Known::of_number(number).map(|known| trained().part(known, stage));
            assert!(part.is_none_or(|part| part.is_some_and(|part| !part.trees.is_empty())));
        }
    }
    assert_eq!(specs().len(), FEATURES);
    assert_eq!(specs().len(), features::COUNT);
}

#[test]
fn a_model_is_read_as_it_was_written() {
    let bytes = trained().bytes();
    assert_eq!(Ensemble::read(&bytes).unwrap(), *trained());
    for length in [0, 9, 40, bytes.len() / 2, bytes.len() - 1] {
        assert!(Ensemble::read(&bytes[..length]).is_err());
    }
    for at in (0..bytes.len()).step_by(997) {
        let mut other = bytes.clone();
        other[at] ^= 16;
        assert!(Ensemble::read(&other).is_err(), "{at}");
    }
}

/// A player's own client tells of that player alone: it does not say that nobody else is there.
#[test]
fn whom_a_feed_does_not_tell_of_is_not_dead() {
    let keep = |mut state: State, ct: usize, t: usize| {
        let number = |id: &String| id.trim_start_matches(|c: char| c.is_alphabetic()).parse();
        let few = |side| if side == Some(Side::Ct) { ct } else { t };
        state.players.retain(|id, player| number(id).is_ok_and(|n: usize| n < few(player.side)));
        state
    };
    let unknown = ct(&keep(playing(5, 5), 0, 0));
    for (first, second) in [(1, 0), (0, 1), (5, 0), (5, 1), (2, 5)] {
        assert_eq!(ct(&keep(playing(5, 5), first, second)), unknown, "{first} and {second}");
    }
    // What is known of the bomb counts.
    assert!(ct(&keep(with_bomb(playing(5, 5), 20_000), 1, 0)) < unknown);
    // Five who play against four are known.
    assert!(ct(&keep(playing(5, 5), 5, 4)) > unknown + 0.05);
}

/// What a log tells of health, purchases and money moves the odds the right way.
#[test]
fn what_a_log_tells_is_used() {
    let even = playing(5, 5);
    let of_side = |side: Side, change: &dyn Fn(&mut PlayerState)| {
        let mut state = even.clone();
        for player in state.players.values_mut() {
            player.gear = Some(Gear::of(&["weapon_ak47", "vesthelm"].map(Label::cut)));
            if player.side == Some(side) {
                change(player);
            }
        }
        ct(&state)
    };
    let same = of_side(Side::Ct, &|_| {});
    assert!(of_side(Side::Ct, &|player| player.health = 40) < same - 0.05);
    assert!(of_side(Side::T, &|player| player.health = 40) > same + 0.05);
    assert!(of_side(Side::Ct, &|player| player.gear = Some(Gear::default())) < same - 0.1);
    assert!(of_side(Side::T, &|player| player.gear = Some(Gear::default())) > same + 0.1);
}
