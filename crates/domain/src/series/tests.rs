//! Given, when, then: what a match's own stream and its maps come to.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::{
    live_match::{Course, Play, Rules, Status},
    timestamp::Timestamp,
};

fn folded(story: &str) -> State {
    let mut state = State::begin(Course::new("m", 0));
    for (seq, line) in (1..).zip(story.lines().map(str::trim).filter(|line| !line.is_empty())) {
        let (tag, data) = line.split_once(' ').unwrap_or((line, "{}"));
        state.course.seq = seq;
        Play::fold(&mut state, tag, data, Timestamp::from_ms(0)).expect(tag).expect(line);
    }
    state
}

const SET: &str = r#"match.scheduled {"game":"cs2","best_of":3,"tournament":"cup","server":"s1",
    "starts":"2026-01-01T10:00:00Z","teams":[
    {"name":"Alpha","players":[{"player":"a1","name":"A1"},{"player":"a2"}]},{"name":"Bravo"}]}"#;

fn set() -> String {
    SET.replace('\n', " ")
}

fn json_of(state: &State) -> Value {
    serde_json::from_str(&state.to_json()).unwrap()
}

#[test]
fn a_match_is_set_and_set_otherwise() {
    let state = json_of(&folded(&set()));
    assert_eq!(
        (&state["game"], &state["best_of"], &state["status"]),
        (&json!("cs2"), &json!(3), &json!("scheduled"))
    );
    assert_eq!(state["teams"][0]["players"], json!({"a1": {"name": "A1"}, "a2": {}}));
    assert!(state.get("map").is_none());
    let state =
        folded(&format!("{}\nmatch.scheduled {{\"stage\":\"Final\"}}\nserver.assigned", set()));
    assert_eq!((state.stage.as_deref(), state.server), (Some("Final"), None));
    assert_eq!(state.best_of, Some(3), "what is left out stays");
    let cancelled = folded("match.cancelled {\"reason\":\"rain\"}");
    assert_eq!(cancelled.course.status, Status::Ended);
    let again = folded("match.cancelled\nmatch.scheduled {\"best_of\":1}");
    assert_eq!((again.course.status, again.course.ruling), (Status::Scheduled, None));
}

#[test]
fn what_is_no_schedule_is_refused() {
    for bad in [
        r#"{"best_of":0}"#,
        r#"{"best_of":100}"#,
        r#"{"server":"a b"}"#,
        r#"{"teams":[{"name":"one"}]}"#,
        r#"{"starts":"tomorrow"}"#,
        r#"{"who":1}"#,
    ] {
        assert!(Event::parse("match.scheduled", bad).unwrap().is_err(), "{bad}");
    }
}

#[test]
fn a_veto_has_its_steps_in_order() {
    let story = r#"
        map.vetoed {"action":"ban","team":0,"map_name":"de_one"}
        map.vetoed {"action":"pick","team":1,"map_name":"de_two"}
        map.vetoed {"action":"side","team":0,"map_name":"de_two","side":"CT"}
        map.vetoed {"action":"decider","map_name":"de_three"}
    "#;
    let state = json_of(&folded(story));
    assert_eq!(state["veto"]["1"], json!({"action": "ban", "team": 0, "map_name": "de_one"}));
    assert_eq!(state["veto"]["4"], json!({"action": "decider", "map_name": "de_three"}));
    let long = folded(&"map.vetoed {\"action\":\"decider\",\"map_name\":\"x\"}\n".repeat(70));
    assert_eq!((long.veto.len(), long.course.anomaly_count), (MAX_VETO_STEPS, 6));
}

fn map(number: u16, names: [&str; 2], winner: Option<usize>) -> MapOfSeries {
    let name = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    MapOfSeries {
        number,
        names: names.map(name),
        is_over: winner.is_some(),
        is_on: winner.is_none(),
        winner,
        ..MapOfSeries::default()
    }
}

#[test]
fn maps_are_won_by_teams_whatever_their_order_on_a_map() {
    let series = folded(&set());
    let standing = |maps: &[MapOfSeries]| {
        let standing = Standing::of(&series, maps);
        (standing.status, standing.score, standing.winner)
    };
    assert_eq!(standing(&[]), (Status::Scheduled, [0, 0], None));
    let one = map(1, ["Bravo", "alpha"], Some(1));
    assert_eq!(standing(std::slice::from_ref(&one)), (Status::Live, [1, 0], None));
    // The second map has names for neither team; who plays tells.
    let mut two = map(2, ["", ""], Some(0));
    two.players[0] = BTreeSet::from(["a2".into()]);
    assert_eq!(standing(&[one.clone(), two]), (Status::Ended, [2, 0], Some(0)));
    let two = map(2, ["Alpha", "Bravo"], Some(1));
    assert_eq!(standing(&[one, two]), (Status::Live, [1, 1], None));
}

#[test]
fn the_match_is_won_by_whoever_wins_most_maps() {
    let odds = |best_of: u16, won: [usize; 2], now: Option<f64>| {
        let series = folded(&format!(
            r#"match.scheduled {{"best_of":{best_of},"teams":[{{"name":"A"}},{{"name":"B"}}]}}"#
        ));
        let winners = [vec![0; won[0]], vec![1; won[1]]].concat();
        let mut maps: Vec<_> = (1..)
            .zip(winners)
            .map(|(number, winner)| map(number, ["A", "B"], Some(winner)))
            .collect();
        if let Some(first) = now {
            let mut current = map(99, ["B", "A"], None);
            current.odds = Some([1.0 - first, first]);
            maps.push(current);
        }
        Standing::of(&series, &maps).odds.unwrap()[0]
    };
    let close = |ours: f64, theirs: f64| assert!((ours - theirs).abs() < 2e-6, "{ours} {theirs}");
    close(odds(1, [0, 0], Some(0.7)), 0.7);
    close(odds(3, [0, 0], None), 0.5);
    // One map down and the next at 0.8: 0.8 x 0.5.
    close(odds(3, [0, 1], Some(0.8)), 0.4);
    close(odds(3, [1, 0], Some(0.2)), 0.2 + 0.8 * 0.5);
    // 1:0 in a best of five, next one even: 2 of 4 wins, 1 - 5/16.
    close(odds(5, [1, 0], None), 11.0 / 16.0);
    close(odds(3, [2, 1], None), 1.0);
    close(odds(3, [0, 2], None), 0.0);
}

#[test]
fn a_match_is_over_with_its_last_map_whoever_won_it() {
    let standing = |story: &str, maps: &[MapOfSeries]| {
        let standing = Standing::of(&folded(story), maps);
        (standing.status, standing.score, standing.winner)
    };
    // A game without maps: the one decides, or is a draw.
    let is_match = |winner: Option<usize>, is_over: bool| {
        [MapOfSeries { is_match: true, is_over, is_on: !is_over, ..map(1, ["A", "B"], winner) }]
    };
    assert_eq!(standing("series.started", &is_match(None, false)), (Status::Live, [0, 0], None));
    assert_eq!(
        standing("series.started", &is_match(Some(1), true)),
        (Status::Ended, [0, 1], Some(1))
    );
    assert_eq!(standing("series.started", &is_match(None, true)), (Status::Ended, [0, 0], None));
    // Of a game with maps nobody knows how many there will be.
    let one = map(1, ["A", "B"], Some(0));
    assert_eq!(
        standing("series.started", std::slice::from_ref(&one)),
        (Status::Live, [1, 0], None)
    );
    // Two maps, one for each; and three, of which one was drawn.
    let two = map(2, ["A", "B"], Some(1));
    let of = |maps: u16| format!("match.scheduled {{\"best_of\":{maps}}}");
    assert_eq!(standing(&of(2), &[one.clone(), two]), (Status::Ended, [1, 1], None));
    let drawn =
        |number| MapOfSeries { is_over: true, is_on: false, ..map(number, ["A", "B"], None) };
    assert_eq!(standing(&of(3), &[one.clone(), drawn(2)]), (Status::Live, [1, 0], None));
    assert_eq!(standing(&of(3), &[one, drawn(2), drawn(3)]), (Status::Ended, [1, 0], Some(0)));
}

#[test]
fn what_a_referee_or_the_feed_tells_of_the_match_stands() {
    let standing = |story: &str, maps: &[MapOfSeries]| {
        let standing = Standing::of(&folded(story), maps);
        (standing.status, standing.score, standing.winner)
    };
    let told = "map.won {\"map\":1,\"winner\":1,\"score\":[7,13]}";
    assert_eq!(standing(told, &[]), (Status::Live, [0, 1], None));
    // The map's own stream goes before it.
    let one = map(1, ["A", "B"], Some(0));
    assert_eq!(standing(told, &[one]).1, [1, 0]);
    let ended = "series.ended {\"winner\":1,\"score\":[1,2]}";
    assert_eq!(standing(ended, &[]), (Status::Ended, [1, 2], Some(1)));
    let forfeited = "match.forfeited {\"team\":0}";
    assert_eq!(standing(forfeited, &[]), (Status::Ended, [0, 0], Some(1)));
    let amended = format!("{ended}\nresult.amended {{\"seq\":1,\"score\":[2,1]}}");
    assert_eq!(standing(&amended, &[]), (Status::Ended, [2, 1], Some(0)));
}

/// What a plug-in says of the match of `SET`, whose teams it has the other way round.
const FILLS: &str = r#"match.scheduled {"fills":true,"best_of":5,"teams":[{"name":"BRAVO","id":"b7"},{"name":"alpha","players":[{"player":"a9"}]}]}"#;
const CROSSED: &str = r#""teams":[{"name":"Bravo"},{"name":"Alpha"}]"#;

#[test]
fn whoever_plays_a_match_fills_in_what_nobody_told() {
    let alone = json_of(&folded(FILLS));
    assert_eq!((&alone["best_of"], &alone["teams"][0]["name"]), (&json!(5), &json!("BRAVO")));
    // What is set before or after it stands.
    for story in [format!("{}\n{FILLS}", set()), format!("{FILLS}\n{}", set())] {
        let state = json_of(&folded(&story));
        assert_eq!((&state["best_of"], &state["server"]), (&json!(3), &json!("s1")));
        assert_eq!(state["teams"][0]["players"], json!({"a1": {"name": "A1"}, "a2": {}}));
        assert_eq!(state["teams"][1]["name"], "Bravo");
    }
    let state = folded(&format!("{}\n{FILLS}", set()));
    assert_eq!(state.teams.as_ref().unwrap()[1].id.as_deref(), Some("b7"));
    let noted: Vec<_> = state.course.anomalies.iter().map(|a| (a.kind, &*a.detail)).collect();
    let told = "the match is a best of 3, and whoever plays it says 5";
    assert_eq!(noted, [("disagreement", told)]);
    let strangers = r#"match.scheduled {"fills":true,"teams":[{"name":"Xray"},{"name":"Zulu"}]}"#;
    let state = folded(&format!("{}\n{strangers}", set()));
    assert_eq!(state.course.anomalies[0].kind, "disagreement");
    assert_eq!(state.teams.unwrap()[0].name, "Alpha");
    // A cancelled match is not set again by it.
    let state = folded(&format!("match.cancelled\n{FILLS}"));
    assert_eq!(state.course.status, Status::Ended);
}

#[test]
fn a_feed_has_an_order_of_teams_of_its_own() {
    let story = format!(
        r#"map.vetoed {{"action":"ban","team":0,"map_name":"de_one",{CROSSED}}}
           map.won {{"map":1,"winner":0,"score":[13,7],{CROSSED}}}
           series.ended {{"winner":0,"score":[2,1],{CROSSED}}}"#
    );
    let bravo_won = |state: State| {
        assert_eq!((state.veto[&1].team, state.course.winner), (Some(1), Some(1)));
        assert_eq!((state.maps[&1].winner, state.maps[&1].score), (1, Some([7, 13])));
        assert_eq!(state.score, Some([1, 2]));
    };
    bravo_won(folded(&format!("{}\n{story}", set())));
    // The match is set after all of it, and the order with it.
    bravo_won(folded(&format!("{FILLS}\n{story}\n{}", set())));
    // Ids tell more than names, and teams that nobody knows are in the order that they came in.
    let ids = r#"match.scheduled {"teams":[{"name":"A","id":"1"},{"name":"B","id":"2"}]}
        map.vetoed {"action":"ban","team":0,"map_name":"x","teams":[{"name":"A","id":"2"},{"name":"?"}]}
        map.vetoed {"action":"ban","team":0,"map_name":"x","teams":[{"name":"?"},{"name":"!"}]}"#;
    let state = folded(ids);
    assert_eq!((state.veto[&1].team, state.veto[&2].team), (Some(1), Some(0)));
}

#[test]
fn who_has_won_a_match_that_is_annulled_has_not_won_it() {
    let played = "match.scheduled {\"best_of\":3}\nseries.ended {\"winner\":0,\"score\":[2,0]}";
    assert_eq!(Standing::of(&folded(played), &[]).winner, Some(0));
    let annulled =
        folded(&format!("{played}\nmatch.cancelled {{\"reason\":\"a tie-break was due\"}}"));
    let standing = Standing::of(&annulled, &[]);
    assert_eq!((standing.status, standing.winner, standing.odds), (Status::Ended, None, None));
    let again = folded(&format!("{played}\nmatch.cancelled\nmatch.scheduled {{\"best_of\":3}}"));
    let standing = Standing::of(&again, &[]);
    assert_eq!(
        (standing.status, standing.winner, standing.score),
        (Status::Scheduled, None, [0, 0])
    );
}
