//! Posts as data; teams, people and matches are made up.

use std::collections::{BTreeMap, BTreeSet};

use matchwire_domain::{
    chain::Digest,
    envelope::{Event as Enveloped, Recorded},
    live_match::{Games, Status, football::State},
    subject::Subject,
    timeline::Fold,
    timestamp::Timestamp,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Draft, Headers, Post, Source as _};

/// A log of one stream, in memory: posts go in, what is known already is dropped.
#[derive(Default)]
struct Log {
    carry: Carry,
    known: BTreeSet<String>,
    records: Vec<Recorded>,
}

impl Log {
    fn post(&mut self, body: &[u8]) -> (usize, usize, usize) {
        let (drafts, duplicate, unknown) = self.read(body);
        let (mut appended, mut known) = (0, duplicate);
        for draft in drafts {
            if !self.known.insert(draft.id.clone()) {
                known += 1;
                continue;
            }
            appended += 1;
            let Enveloped { stored, .. } = draft.into_event("m").unwrap();
            let leaf = Digest::leaf(&stored);
            let recorded = Timestamp::from_ms(1_000_000);
            let seq = self.records.len() as u64 + 1;
            self.records.push(Recorded { seq, recorded, leaf, chain: leaf, stored });
        }
        (appended, known, unknown)
    }

    fn read(&mut self, body: &[u8]) -> (Vec<Draft>, usize, usize) {
        let headers = Headers::new();
        let mut exchange = |person: &str| person.replace("statsbomb:", "p");
        let carry = std::mem::take(&mut self.carry);
        let stored = serde_json::to_string(&carry).unwrap();
        let carry = serde_json::from_str(&stored).unwrap();
        let answer =
            StatsBomb.read(Some(1), carry, &Post { body, headers: &headers }, &mut exchange);
        self.carry = answer.carry;
        (answer.drafts, answer.duplicate, answer.unknown)
    }

    fn state(&self) -> State {
        let subject = Subject::match_map("m", 1).unwrap();
        let mut fold = Fold::of(&Games::default(), &subject, &self.records);
        let course = fold.play.course_mut();
        // Which number an event has in the log depends on the order in which it came.
        (course.seq, course.prediction) = (0, None);
        let mut state = fold.state::<State>().expect("it is football").clone();
        for goal in state.goals.values_mut() {
            goal.seq = 0;
        }
        state
    }
}

fn event(index: u64, kind: &str, team: u64, at: (u8, &str), more: Value) -> Value {
    let (period, time) = at;
    let name = if team == 10 { "Reds" } else { "Blues" };
    let mut event = json!({
        "id": format!("0000-{index}"), "index": index, "period": period, "timestamp": time,
        "type": {"id": 1, "name": kind}, "possession": index / 3 + 1,
        "possession_team": {"id": 10 + index / 3 % 2, "name": "?"},
        "team": {"id": team, "name": name},
    });
    if let (Value::Object(event), Value::Object(more)) = (&mut event, more) {
        event.extend(more);
    }
    event
}

fn player(id: u64) -> Value {
    json!({"id": id, "name": format!("Player {id}")})
}

fn eleven(first: u64) -> Value {
    let row = |id: u64| json!({"player": player(id), "position": {"id": 1, "name": "Back"}, "jersey_number": id % 100});
    let rows: Vec<Value> = (first..first + 11).map(row).collect();
    json!({"tactics": {"formation": 442, "lineup": rows}})
}

fn shot(who: u64, outcome: &str, kind: &str) -> Value {
    json!({"player": player(who), "shot": {
        "statsbomb_xg": 0.25, "outcome": {"id": 1, "name": outcome},
        "type": {"id": 1, "name": kind}, "body_part": {"id": 1, "name": "Head"},
    }})
}

/// A match that has everything: 2:2 after extra time, 3-0 in a short shoot-out.
fn feed() -> Vec<Value> {
    let card =
        |who, card| json!({"player": player(who), "foul_committed": {"card": {"name": card}}});
    let kick = |index, team, outcome| {
        let who = if team == 10 { 101 } else { 201 };
        event(index, "Shot", team, (5, "00:00:01.000"), shot(who, outcome, "Penalty"))
    };
    let mut feed = vec![
        event(1, "Starting XI", 10, (1, "00:00:00.000"), eleven(100)),
        event(2, "Starting XI", 11, (1, "00:00:00.000"), eleven(200)),
        event(3, "Half Start", 11, (1, "00:00:00.000"), json!({})),
        event(4, "Half Start", 10, (1, "00:00:00.000"), json!({})),
        event(
            5,
            "Pass",
            10,
            (1, "00:10:00.000"),
            json!({
            "player": player(102), "pass": {"goal_assist": true, "assisted_shot_id": "0000-6"}}),
        ),
        event(6, "Shot", 10, (1, "00:10:01.500"), shot(101, "Goal", "Open Play")),
        event(7, "Shot", 11, (1, "00:20:00.000"), shot(201, "Saved", "Penalty")),
        event(8, "Foul Committed", 11, (1, "00:30:00.000"), card(202, "Yellow Card")),
        event(9, "Half End", 10, (1, "00:46:10.000"), json!({})),
        event(10, "Half End", 11, (1, "00:46:10.000"), json!({})),
        event(11, "Half Start", 10, (2, "00:00:00.000"), json!({})),
        event(
            12,
            "Substitution",
            10,
            (2, "00:05:00.000"),
            json!({
            "player": player(103),
            "substitution": {"outcome": {"name": "Tactical"}, "replacement": player(120)}}),
        ),
        event(13, "Own Goal Against", 10, (2, "00:15:00.000"), json!({"player": player(104)})),
        event(14, "Own Goal For", 11, (2, "00:15:00.000"), json!({})),
        event(15, "Foul Committed", 11, (2, "00:16:00.000"), card(202, "Second Yellow")),
        event(16, "Shot", 10, (2, "00:30:00.000"), shot(120, "Post", "Open Play")),
        event(17, "Half End", 10, (2, "00:48:00.000"), json!({})),
        event(18, "Half Start", 10, (3, "00:00:00.000"), json!({})),
        event(19, "Shot", 10, (3, "00:05:00.000"), shot(101, "Goal", "Penalty")),
        event(20, "Shot", 11, (3, "00:15:30.000"), shot(201, "Goal", "Open Play")),
        event(21, "Half End", 10, (3, "00:16:00.000"), json!({})),
        event(22, "Half Start", 10, (4, "00:00:00.000"), json!({})),
        event(23, "Half End", 10, (4, "00:15:00.000"), json!({})),
        event(24, "Half Start", 10, (5, "00:00:00.000"), json!({})),
    ];
    let kicks =
        [(10, "Goal"), (11, "Off T"), (10, "Goal"), (11, "Saved"), (10, "Goal"), (11, "Saved")];
    feed.extend((25..).zip(kicks).map(|(index, (team, outcome))| kick(index, team, outcome)));
    feed.push(event(31, "Half End", 10, (5, "00:02:00.000"), json!({})));
    feed
}

fn lines(events: &[Value]) -> Vec<u8> {
    events.iter().map(|event| format!("{event}\n")).collect::<String>().into_bytes()
}

/// The events one after another, without the log's numbers.
fn whole() -> State {
    let mut log = Log::default();
    log.post(&serde_json::to_vec(&feed()).unwrap());
    log.state()
}

#[test]
fn a_match_is_read() {
    let state = whole();
    assert_eq!(state.course.anomalies, []);
    assert_eq!((state.course.status, state.course.winner), (Status::Ended, Some(0)));
    let value = serde_json::to_value(&state).unwrap();
    let names: Vec<_> = state.teams.iter().map(|team| team.name.clone().unwrap()).collect();
    assert_eq!(names, ["Reds", "Blues"]);
    assert_eq!(state.teams.each_ref().map(|team| team.score), [2, 2]);
    assert_eq!(value["teams"][0]["formation"], "4-4-2");
    assert_eq!(
        state.teams.each_ref().map(|team| (team.shots, team.shots_on_target)),
        [(3, 2), (2, 2)]
    );
    assert_eq!(state.teams[1].dismissed, 1);
    assert_eq!(value["shootout"]["score"], json!([3, 0]));
    let goal = |number: &str, key: &str| value["goals"][number][key].clone();
    let goals: BTreeMap<_, _> = state
        .goals
        .iter()
        .map(|(number, goal)| {
            (*number, (goal.team, goal.scorer.clone().unwrap(), goal.at.minute, goal.at.added))
        })
        .collect();
    assert_eq!(
        goals,
        BTreeMap::from([
            (1, (0, "p101".to_owned(), Some(11), 0)),
            (2, (1, "p104".to_owned(), Some(61), 0)),
            (3, (0, "p101".to_owned(), Some(96), 0)),
            (4, (1, "p201".to_owned(), Some(105), 1)),
        ])
    );
    assert_eq!(goal("1", "assist"), "p102");
    assert_eq!(goal("1", "body_part"), "head");
    assert_eq!((goal("2", "own_goal"), goal("3", "penalty")), (true.into(), true.into()));
    assert_eq!(value["missed_penalties"]["1"]["outcome"], "saved");
    assert_eq!(value["players"]["p120"]["name"], "Player 120");
    assert_eq!(value["players"]["p120"]["minutes"], 70);
    assert_eq!(value["players"]["p202"]["minutes"], 61);
    assert_eq!(value["players"]["p104"]["own_goals"], 1);
    assert_eq!(value["periods"]["second_half"]["score"], json!([1, 1]));
    let shares = state.teams.each_ref().map(|team| team.possession.unwrap().0);
    assert_eq!(shares[0] + shares[1], 1_000);
}

#[test]
fn what_is_sent_again_changes_nothing() {
    let mut log = Log::default();
    let all = feed();
    let (appended, known, unknown) = log.post(&lines(&all));
    assert_eq!((known, unknown), (0, 0));
    assert_eq!(log.post(&lines(&all)), (0, appended - known_possessions(&log), 0));
    assert_eq!(log.state(), whole());
    // The same event twice in one post.
    let twice: Vec<Value> = all.iter().flat_map(|event| [event.clone(), event.clone()]).collect();
    let mut log = Log::default();
    assert_eq!(log.post(&lines(&twice)), (appended, all.len(), 0));
    assert_eq!(log.state(), whole());
}

/// How many possessions the reader remembers to have told, and teams it knows by name.
fn known_possessions(log: &Log) -> usize {
    let carry = serde_json::to_value(&log.carry).unwrap();
    carry["possessions"].as_object().unwrap().len()
}

#[test]
fn parts_that_are_of_no_use() {
    let mut log = Log::default();
    for (body, unknown) in [
        ("", 0),
        ("null", 1),
        ("[]", 0),
        ("{", 1),
        ("[1, {}, \"x\"]", 3),
        ("{}\n\n{\nnot json\n", 3),
        (r#"{"id":"bad id","type":{"name":"Shot"}}"#, 1),
        (r#"{"id":"","type":{"name":"Shot"}}"#, 1),
        (r#"{"id":"a","type":{"name":"Shot"}}"#, 1),
        (r#"{"id":"a","type":{"name":"Pressure"},"team":{"id":10}}"#, 1),
        (
            r#"{"id":"a","type":{"name":"Shot"},"team":{"id":10},"shot":{"outcome":{"name":"?"}}}"#,
            1,
        ),
        (r#"{"id":"a","type":{"name":"Half End"},"team":{"id":10},"period":9}"#, 1),
        (r#"{"id":"b","type":{"name":"Half Start"},"team":{"id":11},"period":1,"minute":"x"}"#, 0),
        (r#"{"id":"c","type":{"name":"Half Start"},"team":{"id":12},"period":1}"#, 1),
        ("\u{feff}[]", 1),
    ] {
        let (_, duplicate, found) = log.post(body.as_bytes());
        assert_eq!((duplicate, found), (0, unknown), "{body}");
    }
    log.post(&[0xff, 0xfe, b'\n']);
}

#[test]
fn a_line_up_file_tells_the_bench() {
    let member = |id: u64| {
        json!({"player_id": id, "player_name": format!("Player {id}"), "player_nickname": null,
               "jersey_number": 9, "country": {"id": 1, "name": "?"}})
    };
    let file = json!([
        {"team_id": 11, "team_name": "Blues", "lineup": [member(201), member(230)]},
        {"team_id": 10, "team_name": "Reds", "lineup": [member(101), member(130)]},
    ]);
    let mut log = Log::default();
    log.post(&lines(&feed()));
    assert_eq!(log.post(file.to_string().as_bytes()), (2, 0, 0));
    assert_eq!(log.post(file.to_string().as_bytes()), (0, 2, 0));
    let state = log.state();
    let bench = &state.players["p230"];
    assert_eq!((bench.team, bench.number, bench.on_pitch), (Some(1), Some(9), None));
    assert_eq!(state.players["p101"].starts, Some(true));
    assert_eq!(state.course.anomalies, []);
}

#[test]
fn a_match_without_starting_elevens_has_its_teams() {
    let mut log = Log::default();
    log.post(&lines(&feed()[2..]));
    let state = log.state();
    let names: Vec<_> = state.teams.iter().map(|team| team.name.clone().unwrap()).collect();
    assert_eq!(names, ["Blues", "Reds"], "in the order in which they are told");
    assert_eq!((state.course.winner, state.teams[0].score), (Some(1), 2));
    // The visitors' eleven alone, since the home team's is on its way.
    let mut log = Log::default();
    for line in [1, 0, 5] {
        log.post(&lines(&feed()[line..=line]));
    }
    assert_eq!(log.state().teams[0].name.as_deref(), Some("Reds"));
}

#[test]
fn a_kick_off_gives_times() {
    let read = |kick_off: &str| {
        let headers = Headers::from([(KICK_OFF_HEADER.to_owned(), kick_off.to_owned())]);
        let body = lines(&feed());
        let post = Post { body: &body, headers: &headers };
        let answer = StatsBomb.read(None, Carry::default(), &post, &mut str::to_owned);
        (answer.drafts, StatsBomb.identity(&Carry::default(), &post))
    };
    let (drafts, identity) = read("2026-03-01T20:00:00Z");
    let goal = drafts.iter().find(|draft| draft.tag == "goal.scored").unwrap();
    assert_eq!(goal.time.unwrap().to_string(), "2026-03-01T20:10:01.500Z");
    assert!(drafts.windows(2).all(|pair| pair[0].time <= pair[1].time));
    let (drafts, other) = read("tonight");
    assert!(drafts.iter().all(|draft| draft.time.is_none()));
    assert_ne!(identity, other);
}

#[test]
fn when_an_event_happened() {
    assert_eq!(event_time_ms(&feed()[5]), Some(601_500));
    assert_eq!(event_time_ms(&feed()[12]), Some((65 + 15) * 60_000));
    assert_eq!(event_time_ms(&json!({})), None);
}

proptest! {
    /// In posts of any size, in any order after the starting elevens, with some sent twice.
    #[test]
    fn any_order_gives_the_same_state(
        order in Just((2..feed().len()).collect::<Vec<_>>()).prop_shuffle(),
        size in 1..12_usize,
        again in prop::collection::vec(0..feed().len(), 0..10),
    ) {
        let all = feed();
        let mut log = Log::default();
        log.post(&lines(&all[..2]));
        for part in order.chunks(size).chain(again.chunks(size)) {
            let part: Vec<Value> = part.iter().map(|index| all[*index].clone()).collect();
            log.post(&lines(&part));
        }
        prop_assert_eq!(serde_json::to_value(log.state()).unwrap(), serde_json::to_value(whole()).unwrap());
    }
}
