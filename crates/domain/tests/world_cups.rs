//! Published results of three World Cups: told as events, each match folds to its result, and what
//! the model said of them before and on the way is measured.
//!
//! The results are not part of the project: they are read from `../shared/recordings` beside it, or
//! from the folder that `MATCHWIRE_RECORDINGS` names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and reads its files"
)]

use std::path::{Path, PathBuf};

use matchwire_domain::{
    live_match::{
        Play, Prediction, Status,
        football::{Clock, Event, Period, State},
    },
    timestamp::Timestamp,
};
use serde_json::{Value, json};

const FILES: [&str; 3] = [
    "openfootball_worldcup_2014.json",
    "openfootball_worldcup_2018.json",
    "openfootball_worldcup_2022.json",
];

/// Every match, or nothing where the files are not there.
fn matches() -> Vec<Value> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/recordings");
    let folder = std::env::var_os("MATCHWIRE_RECORDINGS").map_or(beside, PathBuf::from);
    let mut matches = Vec::new();
    for name in FILES {
        let path = folder.join("football").join(name);
        let Ok(file) = std::fs::read(&path) else {
            let required = std::env::var_os("MATCHWIRE_RECORDINGS_REQUIRED").is_some();
            assert!(!required, "{} is not there", path.display());
            eprintln!("skipped: {} is not there", path.display());
            return Vec::new();
        };
        let mut file: Value = serde_json::from_slice(&file).unwrap();
        matches.append(file["matches"].as_array_mut().unwrap());
    }
    assert_eq!(matches.len(), 192);
    matches
}

/// A match as events, in the order of play. `of_halves` is what counts in a league: two halves.
fn told(result: &Value, of_halves: bool) -> Vec<(&'static str, Value)> {
    let score = &result["score"];
    let knockout = result.get("group").is_none() && !of_halves;
    let mut events = vec![("format.told", json!({"knockout": knockout}))];
    for team in [0, 1] {
        let name = &result[["team1", "team2"][team]];
        events.push(("lineup.told", json!({"team": team, "name": name})));
    }
    let goals = goals(result);
    let extra = !of_halves && (score.get("et").is_some() || score.get("p").is_some());
    for period in Period::ALL {
        let is_extra = period >= Period::ExtraTimeFirst;
        if period == Period::ShootOut || (is_extra && !extra) {
            continue;
        }
        events.push(("period.started", json!({"period": period})));
        let mut end = period.length_min();
        for (clock, goal) in goals.iter().filter(|(clock, _)| clock.period == period) {
            events.push(("goal.scored", goal.clone()));
            end = end.max(u16::try_from(clock.elapsed_ms / 60_000).unwrap() + 1);
        }
        let elapsed_ms = u32::from(end) * 60_000;
        events.push(("period.ended", json!({"period": period, "elapsed_ms": elapsed_ms})));
    }
    if let Some(kicks) = score.get("p").filter(|_| !of_halves) {
        events.push(("period.ended", json!({"period": "shoot_out", "score": kicks})));
    }
    events
}

/// The goals in the order of play; one's scorer is known by the name.
fn goals(result: &Value) -> Vec<(Clock, Value)> {
    let mut goals = Vec::new();
    for (team, key) in ["goals1", "goals2"].into_iter().enumerate() {
        for goal in result.get(key).and_then(Value::as_array).into_iter().flatten() {
            let number = |key: &str| goal.get(key).map_or(0, |n| n.as_u64().unwrap());
            let minute = number("minute").try_into().unwrap();
            let clock = Clock::of_minute(minute, number("offset").try_into().unwrap());
            let is = |key: &str| goal.get(key) == Some(&true.into());
            let event = json!({
                "team": team, "scorer": goal["name"], "own_goal": is("owngoal"),
                "penalty": is("penalty"), "clock": clock,
            });
            goals.push((clock, event));
        }
    }
    goals.sort_by_key(|(clock, _)| *clock);
    goals
}

/// Folds events, and gives the state after each.
fn fold(events: &[(&str, Value)]) -> Vec<State> {
    let mut state = State::new("m", 1);
    let mut states = vec![state.clone()];
    for (seq, (tag, data)) in (1..).zip(events) {
        state.course.seq = seq;
        let moved = Play::fold(&mut state, tag, &data.to_string(), Timestamp::from_ms(0));
        moved.expect(tag).unwrap_or_else(|error| panic!("{tag} {data}: {error}"));
        states.push(state.clone());
    }
    states
}

fn pair(value: &Value) -> Option<[u16; 2]> {
    serde_json::from_value(value.clone()).ok()
}

#[test]
fn every_match_folds_to_its_published_result() {
    let matches = matches();
    let (mut shootouts, mut contradictions) = (0, 0);
    for result in &matches {
        let states = fold(&told(result, false));
        let state = states.last().unwrap();
        let what = format!("{} {} {}", result["date"], result["team1"], result["team2"]);
        let score = &result["score"];
        let at = |period| state.periods.get(&period).and_then(|period| period.score);
        let full = pair(&score["ft"]);
        assert_eq!(state.course.status, Status::Ended, "{what}");
        assert_eq!(at(Period::SecondHalf), full, "{what}");
        if let Some(half) = pair(&score["ht"]) {
            contradictions += usize::from(at(Period::FirstHalf) != Some(half));
        }
        let end = pair(&score["et"]).or(full).unwrap();
        assert_eq!([state.teams[0].score, state.teams[1].score], end, "{what}");
        let kicks = pair(&score["p"]);
        assert_eq!(state.shootout.as_ref().map(|kicks| kicks.score), kicks, "{what}");
        shootouts += usize::from(kicks.is_some());
        let [a, b] = kicks.unwrap_or(end);
        let winner = (a != b).then_some(usize::from(b > a));
        assert_eq!(state.course.winner, winner, "{what}");
        assert!(state.course.anomalies.is_empty(), "{what}: {:?}", state.course.anomalies);
        // Every scorer, own goals apart.
        let goals = goals(result);
        assert_eq!(state.goals.len(), goals.len(), "{what}");
        for ((_, told), goal) in goals.iter().zip(state.goals.values()) {
            assert_eq!(told["scorer"].as_str(), goal.scorer.as_deref(), "{what}");
            assert_eq!(told["own_goal"], goal.own_goal, "{what}");
        }
        let is = |outcome| f64::from(u8::from(winner == outcome));
        let certain = [is(Some(0)), is(None), is(Some(1))];
        assert_eq!(odds(state).map(f64::to_bits), certain.map(f64::to_bits), "{what}");
    }
    if !matches.is_empty() {
        assert_eq!(shootouts, 13);
        // Of these the published score at half-time is not that of the minutes of their goals.
        assert_eq!(contradictions, 5);
    }
}

/// P(the first team wins), P(draw), P(the second team wins).
fn odds(state: &State) -> [f64; 3] {
    let Prediction { map: [first, second], draw, .. } = Play::predict(state, "").unwrap();
    [first, draw.unwrap_or(0.0), second]
}

/// How far predictions are from what came, as (log loss, Brier score over the three outcomes).
fn loss(predicted: &[([f64; 3], usize)]) -> (f64, f64) {
    let (mut log, mut brier) = (0.0, 0.0);
    for (odds, came) in predicted {
        log -= odds[*came].ln();
        for (i, p) in odds.iter().enumerate() {
            brier += (p - f64::from(u8::from(i == *came))).powi(2);
        }
    }
    let n = f64::from(u32::try_from(predicted.len()).unwrap());
    (log / n, brier / n)
}

/// Two halves of every match, without knowing the teams: what the model says at a moment, with what
/// came of it.
fn predicted(minute: Option<u16>) -> Vec<([f64; 3], usize)> {
    let one = |result: &Value| {
        let mut events = told(result, true);
        let [a, b] = pair(&result["score"]["ft"]).unwrap();
        let came = if a == b { 1 } else { usize::from(b > a) * 2 };
        // Up to the minute, and the clock at it.
        let upto = minute.map_or(Clock::of_minute(1, 0), |minute| Clock::of_minute(minute, 0));
        let is_before = |(tag, data): &(&str, Value)| match Event::parse(tag, &data.to_string()) {
            Some(Ok(event)) => event.clock().is_none_or(|clock| clock < upto),
            _ => false,
        };
        events.retain(is_before);
        if minute.is_some() {
            let clock = json!({"team": 0, "clock": upto});
            events.push(("possession.changed", clock));
        }
        (odds(fold(&events).last().unwrap()), came)
    };
    matches().iter().map(one).collect()
}

#[test]
fn the_model_is_worth_more_than_the_base_rate() {
    let before = predicted(None);
    if before.is_empty() {
        return;
    }
    let n = before.len();
    let share = |outcome| {
        let came = before.iter().filter(|(_, came)| *came == outcome).count();
        f64::from(u32::try_from(came).unwrap()) / f64::from(u32::try_from(n).unwrap())
    };
    // Who is named first says nothing on neutral ground.
    let wins = f64::midpoint(share(0), share(2));
    let base: Vec<_> = before.iter().map(|(_, came)| ([wins, share(1), wins], *came)).collect();
    let (base_log, base_brier) = loss(&base);
    println!("base rate      log loss {base_log:.4}  Brier {base_brier:.4}");
    let mut last = f64::INFINITY;
    for minute in [None, Some(16), Some(31), Some(46), Some(61), Some(76), Some(90)] {
        let predicted = predicted(minute);
        let (log, brier) = loss(&predicted);
        let draw: f64 = predicted.iter().map(|(odds, _)| odds[1]).sum::<f64>();
        let draws = share(1) * f64::from(u32::try_from(n).unwrap());
        println!(
            "minute {:<8} log loss {log:.4}  Brier {brier:.4}  draws {draw:.1} of {draws}",
            minute.map_or("before".to_owned(), |minute| minute.to_string()),
        );
        if minute.is_none() {
            assert!(log < base_log + 0.02, "before the match it is no worse than the base rate");
        } else {
            assert!(log < base_log, "at minute {minute:?} it knows more than the base rate");
        }
        assert!(log < last + 0.01, "it learns as the match is played");
        last = log;
        for (low, high) in [(0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0)] {
            let (mut said, mut came, mut count) = (0.0, 0.0, 0.0);
            for (odds, outcome) in &predicted {
                for team in [0, 2] {
                    if (low..high).contains(&odds[team]) {
                        said += odds[team];
                        came += f64::from(u8::from(*outcome == team));
                        count += 1.0;
                    }
                }
            }
            if count > 0.0 {
                let (said, came) = (said / count, came / count);
                println!("  {low}-{high}: {count:4} said {said:.3} came {came:.3}");
                // Four standard errors.
                let bound = 4.0 * (said * (1.0 - said) / count).sqrt();
                assert!((said - came).abs() <= bound + 0.02, "calibration at {minute:?}");
            }
        }
    }
}
