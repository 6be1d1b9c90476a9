//! Given, when, then: what a map's events fold to.
//!
//! A story is a line an event, `tag {data}`, at one second after another; `check` folds it and
//! compares the parts of the state that the case names.

mod by_hand;

use serde_json::{Value, json};

use super::*;
use crate::{
    live_match::{MAX_ANOMALIES, Play},
    timestamp::Timestamp,
};

/// Who plays in these stories.
const LINE_UP: &str = r#"
    player.joined {"player":"a1","name":"A1","side":"CT"}
    player.joined {"player":"a2","name":"A2","side":"CT"}
    player.joined {"player":"b1","name":"B1","side":"T"}
    player.joined {"player":"b2","name":"B2","side":"T"}
    match.started {"map_name":"de_test"}
"#;

fn given(story: &str) -> Story {
    let mut told = Story { state: State::new("m", 1), seq: 0 };
    told.tell(story);
    told
}

struct Story {
    state: State,
    seq: u64,
}

impl Story {
    fn tell(&mut self, story: &str) {
        for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (tag, data) = line.split_once(' ').unwrap_or((line, "{}"));
            self.seq += 1;
            self.state.course.seq = self.seq;
            let seconds = i64::try_from(self.seq).unwrap();
            let time = Timestamp::from_ms(seconds * 1_000);
            Play::fold(&mut self.state, tag, data, time).expect(tag).expect(line);
        }
    }

    fn when(mut self, story: &str) -> Self {
        self.tell(story);
        self
    }

    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "so that a story can end in `json!`")]
    fn then(self, expected: Value) -> Self {
        let state = serde_json::to_value(&self.state).unwrap();
        contains(&state, &expected, "state");
        self
    }
}

/// Whether a value has at least what another one has.
#[track_caller]
fn contains(value: &Value, expected: &Value, path: &str) {
    match (value, expected) {
        (_, Value::Object(fields)) if !fields.is_empty() => {
            for (key, expected) in fields {
                contains(&value[key], expected, &format!("{path}.{key}"));
            }
        }
        (Value::Array(items), Value::Array(expected)) if items.len() == expected.len() => {
            for (i, (item, expected)) in items.iter().zip(expected).enumerate() {
                contains(item, expected, &format!("{path}[{i}]"));
            }
        }
        _ => assert_eq!(value, expected, "{path}"),
    }
}

fn rounds(winners: &str) -> String {
    let (mut ct, mut t) = (0, 0);
    let mut story = String::new();
    for side in winners.chars() {
        let winner = if side == 'C' { "CT" } else { "T" };
        *if side == 'C' { &mut ct } else { &mut t } += 1;
        story += &format!(
            "freeze.started\nround.started\nround.ended {{\"winner\":\"{winner}\",\"reason\":\"elimination\",\
             \"score\":{{\"ct\":{ct},\"t\":{t}}}}}\n"
        );
    }
    story
}

const SWAP: &str = r#"
    player.joined {"player":"a1","name":"A1","side":"T"}
    player.joined {"player":"a2","name":"A2","side":"T"}
    player.joined {"player":"b1","name":"B1","side":"CT"}
    player.joined {"player":"b2","name":"B2","side":"CT"}
"#;

#[test]
fn a_round_is_won() {
    given(LINE_UP)
        .when(
            r#"
            round.started
            bomb.planted {"player":"b1","site":"A"}
            player.killed {"killer":"b1","victim":"a1","weapon":"ak47","headshot":true}
            player.assisted {"assister":"b2","victim":"a1"}
            "#,
        )
        .then(json!({
            "status": "live", "phase": "round", "round": 1, "bomb": "planted", "bomb_site": "A",
            "players": {
                "a1": {"alive": false, "deaths": 1, "team": 0},
                "b1": {"kills": 1, "headshots": 1, "team": 1}, "b2": {"assists": 1},
            },
            "kills": {"1": {"killer": "b1", "victim": "a1", "headshot": true, "assister": "b2"}},
        }))
        .when(r#"round.ended {"winner":"T","reason":"bomb_exploded"}"#)
        .then(json!({
            "bomb": "exploded", "phase": "round_over",
            "teams": [{"side": "CT", "score": 0}, {"side": "T", "score": 1}],
            "rounds": {"1": {"winner": 1, "side": "T", "reason": "bomb_exploded", "score": [0, 1]}},
        }))
        .when("freeze.started")
        .then(json!({"round": 2, "bomb": "none", "kills": {}, "players": {"a1": {"alive": true}}}));
}

#[test]
fn a_trade_is_a_kill_of_the_killer_within_five_seconds() {
    given(LINE_UP)
        .when(
            r#"
            round.started
            player.killed {"killer":"b1","victim":"a1","weapon":"ak47"}
            player.killed {"killer":"a2","victim":"b1","weapon":"awp"}
            "#,
        )
        .then(json!({"players": {"a2": {"trades": 1}, "b1": {"trades": 0}}}))
        .when(
            r#"
            match.resumed
            match.resumed
            match.resumed
            match.resumed
            match.resumed
            player.killed {"killer":"b2","victim":"a2","weapon":"awp"}
            "#,
        )
        .then(json!({"players": {"b2": {"trades": 0, "kills": 1}}}));
}

#[test]
fn a_team_kill_is_no_kill_and_a_suicide_is_a_death() {
    given(LINE_UP)
        .when(
            r#"
            round.started
            player.killed {"killer":"a1","victim":"a2","weapon":"ak47"}
            player.assisted {"assister":"a1","victim":"a2"}
            player.assisted {"assister":"b1","victim":"a2","flash":true}
            player.died {"player":"b1","cause":"world"}
            player.killed {"killer":"b2","victim":"b2","weapon":"hegrenade"}
            "#,
        )
        .then(json!({"players": {
            "a1": {"kills": 0, "team_kills": 1, "assists": 0},
            "a2": {"deaths": 1}, "b1": {"deaths": 1, "assists": 1, "flash_assists": 1},
            "b2": {"deaths": 1, "kills": 0, "team_kills": 0},
        }}));
}

#[test]
fn damage_is_what_was_taken() {
    given(LINE_UP)
        .when(
            r#"
            round.started
            player.hurt {"attacker":"a1","victim":"b1","weapon":"awp","damage":40,"damage_armor":0,"health":60,"armor":0,"hitgroup":"leg"}
            player.hurt {"attacker":"a1","victim":"b1","weapon":"awp","damage":440,"damage_armor":0,"health":0,"armor":0,"hitgroup":"head"}
            player.hurt {"attacker":"a1","victim":"a2","weapon":"awp","damage":44,"damage_armor":0,"health":56,"armor":0,"hitgroup":"leg"}
            "#,
        )
        .then(json!({"players": {"a1": {"damage": 100}, "a2": {"health": 56}}}));
}

#[test]
fn sides_change_at_half_time_where_the_players_do() {
    given(LINE_UP)
        .when(&rounds("CCCCCCCTTTTT"))
        .when(SWAP)
        .when("freeze.started\nround.started")
        .then(json!({
            "round": 13, "max_rounds": 24,
            "teams": [{"side": "T", "score": 7}, {"side": "CT", "score": 5}],
        }))
        .when(r#"round.ended {"winner":"T","reason":"elimination","score":{"ct":5,"t":8}}"#)
        .then(json!({
            "teams": [{"side": "T", "score": 8}, {"side": "CT", "score": 5}],
            "rounds": {"13": {"winner": 0, "side": "T"}}, "anomalies": [],
        }));
}

#[test]
fn sides_change_where_only_the_score_tells() {
    given(&rounds("CCCCCCCTTTTT"))
        .when(r#"score.reported {"score":{"ct":5,"t":7}}"#)
        .then(json!({"teams": [{"side": "T", "score": 7}, {"side": "CT", "score": 5}]}));
    given(&rounds("CCCCCCCTTTTT"))
        .when("round.started\nround.ended {\"winner\":\"T\",\"reason\":\"elimination\",\"score\":{\"ct\":5,\"t\":8}}")
        .then(json!({"teams": [{"side": "T", "score": 8}, {"score": 5}], "anomalies": []}));
    given(&rounds("CT"))
        .when("sides.swapped")
        .then(json!({"teams": [{"side": "T"}, {"side": "CT"}]}));
}

#[test]
fn players_change_sides_with_their_team_once() {
    let moved = json!({
        "teams": [{"side": "T"}, {"side": "CT"}],
        "players": {"a1": {"side": "T", "team": 0}, "b2": {"side": "CT", "team": 1}},
    });
    // Told with the teams alone, before the players, and after them.
    for story in
        ["sides.swapped".into(), format!("sides.swapped\n{SWAP}"), format!("{SWAP}\nsides.swapped")]
    {
        let told = given(LINE_UP).when(&rounds("CCC")).when(&story).then(moved.clone());
        told.when("freeze.started\nround.started").then(moved.clone());
    }
}

#[test]
fn fifteen_rounds_on_one_side_are_mr15() {
    given(LINE_UP)
        .when(&rounds("CCCCCCCTTTTT"))
        .when("freeze.started")
        .then(json!({"round": 13, "max_rounds": 30, "teams": [{"side": "CT"}, {"side": "T"}]}));
    given(r#"rules.set {"max_rounds":24}"#)
        .when(&rounds("CCCCCCCTTTTT"))
        .when("freeze.started")
        .then(json!({"max_rounds": 24}));
    given(r#"rules.set {"max_rounds":0}"#).then(json!({"max_rounds": 24}));
}

#[test]
fn overtime_goes_on() {
    given(LINE_UP)
        .when(&rounds("CCCCCCCCCCCC"))
        .when(SWAP)
        .when("freeze.started")
        .when(&rounds("CCCCCCCCCCCC").replace("\"t\":0", "\"t\":12"))
        .then(json!({"round": 24, "teams": [{"score": 12}, {"score": 12}]}))
        .when("freeze.started\nround.started")
        .when(r#"round.ended {"winner":"CT","reason":"elimination","score":{"ct":13,"t":12}}"#)
        .then(json!({"round": 25, "rounds": {"25": {"winner": 1}}, "status": "live"}))
        .when(
            r#"
            player.joined {"player":"a1","name":"A1","side":"CT"}
            player.joined {"player":"a2","name":"A2","side":"CT"}
            player.joined {"player":"b1","name":"B1","side":"T"}
            player.joined {"player":"b2","name":"B2","side":"T"}
            freeze.started
            "#,
        )
        .then(json!({"teams": [{"side": "CT", "score": 12}, {"side": "T", "score": 13}]}));
}

#[test]
fn warm_up_does_not_count_and_a_start_voids_what_was_before() {
    given(LINE_UP)
        .when("warmup.started")
        .when(r#"player.killed {"killer":"a1","victim":"b1","weapon":"knife"}"#)
        .then(json!({"status": "scheduled", "phase": "warm_up", "players": {"a1": {"kills": 0}}}))
        .when("warmup.ended\nmatch.started")
        .when(&rounds("CT"))
        .when(r#"player.killed {"killer":"a1","victim":"b1","weapon":"knife"}"#)
        .then(json!({"players": {"a1": {"kills": 1}}, "teams": [{"score": 1}, {"score": 1}]}))
        .when(r#"match.restarting {"seconds":1}"#)
        .then(json!({"players": {"a1": {"kills": 0}}, "rounds": {}, "teams": [{"score": 0}, {"score": 0}]}));
}

#[test]
fn teams_keep_their_players_over_a_knife_round() {
    given(LINE_UP)
        .when(r#"team.named {"side":"CT","name":"Alpha"}"#)
        .when(&rounds("T"))
        .when(SWAP)
        .when("match.started")
        .then(json!({
            "teams": [{"name": "Alpha", "side": "T", "score": 0}, {"side": "CT", "score": 0}],
            "players": {"a1": {"team": 0, "side": "T"}},
        }));
}

#[test]
fn names_stay_with_their_teams() {
    let named = |ct: &str, t: &str| {
        format!(
            "team.named {{\"side\":\"CT\",\"name\":\"{ct}\"}}\nteam.named {{\"side\":\"T\",\"name\":\"{t}\"}}\n"
        )
    };
    let first_half =
        || given(LINE_UP).when(&named("Alpha", "Beta")).when(&rounds("CCCCCCCTTTTT")).when(SWAP);
    let right = json!({"teams": [{"name": "Alpha", "side": "T"}, {"name": "Beta", "side": "CT"}]});
    // The new names come before anything else tells of the new sides.
    first_half().when(&named("Beta", "Alpha")).then(right.clone());
    // Or a server repeats the old ones for a while.
    let second_half =
        first_half().when("freeze.started").when(&named("Alpha", "Beta")).then(right.clone());
    let second_half = second_half.when(&named("Beta", "Alpha")).then(right);
    // A back-up from before the change: names come first, and then the score.
    second_half
        .when("match.reloaded")
        .when(&named("Alpha", "Beta"))
        .when(r#"score.reported {"score":{"ct":7,"t":2}}"#)
        .then(json!({
            "teams": [{"name": "Alpha", "side": "CT", "score": 7}, {"name": "Beta", "score": 2}],
        }));
}

#[test]
fn a_back_up_brings_rounds_back() {
    let kill = r#"player.killed {"killer":"a1","victim":"b1","weapon":"awp"}"#;
    let round = |score: &str, winner: &str| {
        format!(
            "freeze.started\nround.started\n{kill}\nround.ended {{\"winner\":\"{winner}\",\"reason\":\"elimination\",\"score\":{score}}}\n"
        )
    };
    let played = [
        round(r#"{"ct":1,"t":0}"#, "CT"),
        round(r#"{"ct":1,"t":1}"#, "T"),
        round(r#"{"ct":2,"t":1}"#, "CT"),
        round(r#"{"ct":3,"t":1}"#, "CT"),
    ]
    .concat();
    let after = given(LINE_UP)
        .when(&played)
        .when("freeze.started\nround.started")
        .when(kill)
        .then(json!({"players": {"a1": {"kills": 5}}}))
        .when("match.reloaded\nscore.reported {\"score\":{\"ct\":1,\"t\":1}}")
        .then(json!({
            "players": {"a1": {"kills": 2}}, "round": 3, "status": "live",
            "teams": [{"score": 1}, {"score": 1}], "anomalies": [],
        }));
    assert_eq!(after.state.rounds.len(), 2);
    // A later back-up of the same play brings the others back as well.
    let again = after
        .when(r#"match.reloaded {"score":{"ct":3,"t":1}}"#)
        .then(json!({"players": {"a1": {"kills": 4}}, "teams": [{"score": 3}, {"score": 1}], "anomalies": []}));
    assert_eq!(again.state.rounds.len(), 4);
    // So does one that is loaded after the server had to start anew.
    again
        .when(r#"map.loaded {"map_name":"de_test"}"#)
        .when("warmup.started\nmatch.reloaded")
        .when("team.scored {\"side\":\"CT\",\"score\":2}\nteam.scored {\"side\":\"T\",\"score\":1}")
        .then(json!({"players": {"a1": {"kills": 3}}, "teams": [{"score": 2}, {"score": 1}], "anomalies": []}))
        .when(r#"round.ended {"winner":"T","reason":"elimination","score":{"ct":2,"t":2}}"#)
        .then(json!({"rounds": {"4": {"winner": 1}}, "anomalies": []}));
}

#[test]
fn a_back_up_whose_score_comes_with_the_next_round() {
    given(LINE_UP)
        .when(&rounds("CTC"))
        .when("match.reloaded\nfreeze.started\nround.started")
        .when(r#"round.ended {"winner":"T","reason":"elimination","score":{"ct":1,"t":2}}"#)
        .then(json!({
            "teams": [{"score": 1}, {"score": 2}], "rounds": {"3": {"winner": 1}}, "anomalies": [],
        }));
}

#[test]
fn a_drawn_round_is_no_round() {
    given(LINE_UP)
        .when(&rounds("C"))
        .when("freeze.started\nround.started\nround.drawn\nfreeze.started")
        .then(json!({"round": 2, "teams": [{"score": 1}, {"score": 0}]}));
}

#[test]
fn nothing_counts_after_the_end_until_the_map_changes() {
    let over = given(LINE_UP)
        .when(&rounds("CCCCCCCCCCCCC"))
        .when(r#"map.ended {"score":{"ct":13,"t":0},"map_name":"de_test"}"#)
        .then(json!({"status": "ended", "phase": "ended", "winner": 0, "round": 13}))
        .when("round.started")
        .when(r#"player.killed {"killer":"a1","victim":"b1","weapon":"awp"}"#)
        .when(r#"match.started {"map_name":"de_test"}"#)
        .when(r#"round.ended {"winner":"T","reason":"elimination","score":{"ct":0,"t":1}}"#)
        .then(json!({"status": "ended", "teams": [{"score": 13}, {"score": 0}], "players": {"a1": {"kills": 0}}}));
    let over = over.when(r#"source.late {"from":7,"to":9}"#).then(json!({"anomaly_count": 1}));
    over.when(r#"map.loaded {"map_name":"de_other"}"#)
        .then(json!({"status": "scheduled", "map_name": "de_other", "teams": [{"score": 0}, {"score": 0}], "rounds": {}}));
}

#[test]
fn pauses() {
    given(LINE_UP)
        .when(r#"match.paused {"reason":"timeout","side":"T"}"#)
        .then(json!({"status": "paused", "pause": {"reason": "timeout", "team": 1}}))
        .when("match.resumed")
        .then(json!({"status": "live", "pause": null}))
        .when("match.paused {\"reason\":\"technical\"}\nround.started")
        .then(json!({"status": "live"}));
}

#[test]
fn people_come_and_go() {
    given(LINE_UP)
        .when("round.started")
        .when(r#"player.disconnected {"player":"a1"}"#)
        .then(json!({"players": {"a1": {"connected": false, "alive": false, "team": 0}}}))
        .when(r#"player.joined {"player":"a1","name":"A1","side":"CT"}"#)
        .then(json!({"players": {"a1": {"connected": true, "alive": false}}}))
        .when(
            r#"
            player.joined {"player":"c","name":"C","side":"CT","role":"coach"}
            player.joined {"player":"s","name":"S","role":"spectator"}
            freeze.started
            "#,
        )
        .then(json!({"players": {
            "a1": {"alive": true}, "c": {"alive": false, "team": 0, "role": "coach"},
            "s": {"alive": false, "team": null, "role": "spectator"},
        }}));
}

#[test]
fn a_scoreboard_sets_and_does_not_count() {
    let report = r#"player.reported {"player":"a1","health":61,"armor":87,"helmet":true,"money":1200,"equipment":4400,"kills":3,"deaths":1,"assists":2,"mvps":1}"#;
    let reported = json!({"players": {"a1": {
        "health": 61, "armor": 87, "helmet": true, "kit": null, "money": 1200, "equipment": 4400,
        "kills": 3, "deaths": 1, "assists": 2, "headshots": 0, "mvps": 1, "alive": true,
    }}});
    given(LINE_UP)
        .when("round.started")
        .when(report)
        .then(reported.clone())
        .when(report)
        .then(reported)
        // What is left out stays as it was.
        .when(r#"player.reported {"player":"a1","health":0,"deaths":2}"#)
        .then(json!({"players": {"a1": {"alive": false, "health": 0, "money": 1200, "kills": 3, "deaths": 2}}}))
        .when("freeze.started")
        .then(json!({"players": {"a1": {"alive": true, "health": 100, "kills": 3}}, "anomalies": []}));
}

#[test]
fn a_scoreboard_and_kills_count_once() {
    let kill = r#"player.killed {"killer":"a1","victim":"b1","weapon":"awp","headshot":true}"#;
    let report = |kills| format!(r#"player.reported {{"player":"a1","kills":{kills}}}"#);
    given(LINE_UP)
        .when("round.started")
        .when(kill)
        .when(&report(1))
        .then(json!({"players": {"a1": {"kills": 1, "headshots": 1}}}))
        // The scoreboard is told before the kill.
        .when(&report(2))
        .when(kill)
        .then(json!({"players": {"a1": {"kills": 2, "headshots": 2}}}))
        // It knows of more than was told, and then of less.
        .when(&report(5))
        .then(json!({"players": {"a1": {"kills": 5}}}))
        .when(&report(1))
        .then(json!({"players": {"a1": {"kills": 2}}}));
}

#[test]
fn a_scoreboard_of_void_play_is_void() {
    let report = |kills| format!(r#"player.reported {{"player":"a1","kills":{kills}}}"#);
    given(LINE_UP)
        .when(&rounds("C"))
        .when(&report(2))
        .when("freeze.started\nround.started")
        .when(r#"round.ended {"winner":"CT","reason":"elimination","score":{"ct":2,"t":0}}"#)
        .when(&report(4))
        .then(json!({"players": {"a1": {"kills": 4}}}))
        .when(r#"match.reloaded {"score":{"ct":1,"t":0}}"#)
        .then(json!({"players": {"a1": {"kills": 0}}}))
        .when(&report(2))
        .then(json!({"players": {"a1": {"kills": 2}}}))
        .when("match.started")
        .then(json!({"players": {"a1": {"kills": 0}}, "anomalies": []}));
}

#[test]
fn a_bomb_that_nobody_is_known_to_have_planted() {
    given(LINE_UP)
        .when("round.started\nbomb.planted")
        .then(json!({"bomb": "planted", "bomb_site": null}))
        .when("bomb.defused")
        .then(json!({"bomb": "defused", "anomalies": []}));
}

#[test]
fn lost_rounds_are_an_anomaly_and_the_score_is_the_servers() {
    let state = given(LINE_UP)
        .when(&rounds("C"))
        .when(r#"round.ended {"winner":"T","reason":"elimination","score":{"ct":3,"t":2}}"#)
        .then(json!({"round": 5, "teams": [{"score": 3}, {"score": 2}]}))
        .state;
    assert_eq!(state.course.anomalies.len(), 1);
    assert_eq!(state.course.anomalies[0].kind, "score_mismatch");
    given(r#"round.ended {"winner":"T","reason":"other","score":{"ct":65535,"t":65535}}"#)
        .then(json!({"rounds": {}, "anomaly_count": 1}));
}

#[test]
fn everything_is_bounded() {
    let crowd: String = (0..200)
        .map(|i| format!("player.connected {{\"player\":\"q{i}\",\"name\":\"Q\"}}\n"))
        .collect();
    let state = given(&crowd).state;
    assert_eq!(state.players.len(), MAX_PLAYERS);
    assert_eq!(state.course.anomalies.len(), 200 - MAX_PLAYERS);
    let state = given(&crowd.repeat(3)).state;
    assert_eq!((state.course.anomalies.len(), state.course.anomaly_count), (MAX_ANOMALIES, 216));
}

#[test]
fn schemas_and_types_agree() {
    for tag in Event::TAGS {
        let schema = serde_json::to_value(Event::schema(tag).unwrap()).unwrap();
        assert_eq!(schema["additionalProperties"], false, "{tag}");
        let required = schema["required"].as_array().map_or(0, Vec::len);
        let empty = Event::parse(tag, "{}").unwrap();
        assert_eq!(empty.is_ok(), required == 0, "{tag}: {empty:?}");
        assert!(Event::parse(tag, r#"{"nonsense":1}"#).unwrap().is_err(), "{tag}");
    }
    let long = "x".repeat(129);
    for (tag, data) in [
        ("map.loaded", format!(r#"{{"map_name":"{long}"}}"#)),
        ("money.changed", r#"{"player":"p","money":-1}"#.into()),
        ("money.changed", r#"{"player":"p","money":4294967296}"#.into()),
        ("money.changed", r#"{"player":7,"money":1}"#.into()),
        ("team.named", r#"{"side":"ct","name":"a"}"#.into()),
        ("map.ended", r#"{"score":{"ct":1,"t":1,"x":1}}"#.into()),
    ] {
        assert!(Event::parse(tag, &data).unwrap().is_err(), "{tag} {data}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]
    /// Whatever comes in whatever order, there is a state after it, and it is the same each time.
    #[test]
    fn apply_is_total_and_deterministic(picks in proptest::collection::vec((0_usize..40, 0_u16..40, 0_u16..40), 0..200)) {
        let story: String = picks.iter().map(|(kind, a, b)| any_event(*kind, *a, *b) + "\n").collect();
        let (one, two) = (given(&story).state, given(&story).state);
        let json = serde_json::to_string(&one).unwrap();
        proptest::prop_assert_eq!(&json, &serde_json::to_string(&two).unwrap());
        proptest::prop_assert!(!json.contains("null"));
    }
}

fn any_event(kind: usize, a: u16, b: u16) -> String {
    let (p, q) = (a % 7, b % 7);
    let side = if a.is_multiple_of(2) { "CT" } else { "T" };
    match kind {
        0 => format!(r#"player.joined {{"player":"p{p}","name":"P","side":"{side}"}}"#),
        1 => format!(r#"player.joined {{"player":"p{p}","name":"P","role":"spectator"}}"#),
        2 => format!(r#"player.disconnected {{"player":"p{p}"}}"#),
        3..=6 => format!(r#"player.killed {{"killer":"p{p}","victim":"p{q}","weapon":"awp"}}"#),
        7 => format!(r#"player.assisted {{"assister":"p{p}","victim":"p{q}"}}"#),
        8..=10 => format!(
            r#"round.ended {{"winner":"{side}","reason":"other","score":{{"ct":{a},"t":{b}}}}}"#
        ),
        11..=13 => format!(r#"round.ended {{"winner":"{side}","reason":"other"}}"#),
        14 => format!(r#"score.reported {{"score":{{"ct":{a},"t":{b}}}}}"#),
        15 => format!(r#"match.reloaded {{"score":{{"ct":{a},"t":{b}}}}}"#),
        16 => "match.reloaded".into(),
        17 => format!(r#"team.scored {{"side":"{side}","score":{b}}}"#),
        18 => "match.started".into(),
        19 => "warmup.started".into(),
        20 => "warmup.ended".into(),
        21 => "round.drawn".into(),
        22 => "sides.swapped".into(),
        23 => format!(r#"map.loaded {{"map_name":"de_{p}"}}"#),
        24 => format!(r#"map.ended {{"score":{{"ct":{a},"t":{b}}}}}"#),
        25 => format!(r#"rules.set {{"max_rounds":{a}}}"#),
        26 => format!(r#"player.died {{"player":"p{p}","cause":"bomb"}}"#),
        27 => format!(r#"bomb.planted {{"player":"p{p}"}}"#),
        28 => format!(
            r#"player.hurt {{"attacker":"p{p}","victim":"p{q}","weapon":"awp","damage":{a},"damage_armor":0,"health":{b},"armor":0,"hitgroup":"head"}}"#
        ),
        35..=36 => {
            format!(r#"player.reported {{"player":"p{p}","health":{b},"kills":{q},"deaths":{a}}}"#)
        }
        29 => r#"match.paused {"reason":"half_time"}"#.into(),
        30..=34 => "freeze.started".into(),
        _ => "round.started".into(),
    }
}

/// Three against three, each with a side's equipment told.
const SIX: &str = r#"
    player.joined {"player":"a1","name":"A1","side":"CT"}
    player.joined {"player":"a2","name":"A2","side":"CT"}
    player.joined {"player":"a3","name":"A3","side":"CT"}
    player.joined {"player":"b1","name":"B1","side":"T"}
    player.joined {"player":"b2","name":"B2","side":"T"}
    player.joined {"player":"b3","name":"B3","side":"T"}
    match.started {"map_name":"de_test"}
    round.started
"#;

fn killed(killer: &str, victim: &str) -> String {
    format!(
        "player.killed {{\"killer\":\"{killer}\",\"victim\":\"{victim}\",\"weapon\":\"ak47\"}}\n"
    )
}

/// Time for a trade to be over: six events a second apart.
const LATER: &str = "bomb.dropped {\"player\":\"b1\"}\n";

#[test]
fn openings_trades_and_kast() {
    let story = [
        killed("a1", "b1"), // the opening
        killed("b2", "a1"), // avenges b1
        LATER.repeat(6),
        killed("a2", "b2"), // too late to avenge a1
        "player.assisted {\"assister\":\"a3\",\"victim\":\"b2\"}\n".into(),
        killed("b3", "a2"), // avenges b2
        "round.ended {\"winner\":\"T\",\"reason\":\"bomb_exploded\"}".into(),
    ];
    given(SIX).when(&story.concat()).then(json!({
        "players": {
            "a1": {"opening_kills": 1, "traded_deaths": 0, "trades": 0, "rounds": 1, "kast_rounds": 1},
            "a2": {"opening_kills": 0, "trades": 0, "kast_rounds": 1, "multi_kills": 0},
            "a3": {"assists": 1, "kast_rounds": 1},
            "b1": {"opening_deaths": 1, "kills": 0, "traded_deaths": 1, "kast_rounds": 1},
            "b2": {"trades": 1, "traded_deaths": 1, "kast_rounds": 1},
            "b3": {"trades": 1, "kast_rounds": 1},
        },
    }));
    // Nothing at all: no kill, no assist, dead and not avenged.
    let story =
        [killed("b1", "a1"), "round.ended {\"winner\":\"T\",\"reason\":\"time_ran_out\"}".into()];
    given(SIX)
        .when(&story.concat())
        .then(json!({"players": {"a1": {"rounds": 1, "kast_rounds": 0}}}));
}

#[test]
fn clutches_and_multi_kills() {
    let story = [
        killed("b1", "a1"),
        killed("b1", "a2"), // a3 against three
        killed("a3", "b1"),
        killed("a3", "b2"), // and now b3 against a3
        killed("a3", "b3"),
        "round.ended {\"winner\":\"CT\",\"reason\":\"elimination\"}\nfreeze.started".into(),
    ];
    given(SIX).when(&story.concat()).then(json!({
        "rounds": {"1": {"clutches": [
            {"player": "a3", "against": 3, "won": true}, {"player": "b3", "against": 1, "won": false},
        ]}},
        "players": {
            "a3": {"clutches": 1, "clutches_won": 1, "multi_kills": 1},
            "b3": {"clutches": 1, "clutches_won": 0},
            "b1": {"clutches": 0, "multi_kills": 1},
        },
    }));
}

#[test]
fn five_kills_are_an_ace() {
    let four = ["b1", "b2", "b3", "b1"].map(|victim| killed("a1", victim)).concat();
    let won = "round.ended {\"winner\":\"CT\",\"reason\":\"elimination\"}\nfreeze.started\n";
    let told = given(SIX).when(&four).when(won);
    let told = told.then(json!({"players": {"a1": {"multi_kills": 1, "aces": 0}}}));
    let five = format!("round.started\n{four}{}", killed("a1", "b2"));
    told.when(&five).when(won).then(json!({"players": {"a1": {"multi_kills": 2, "aces": 1}}}));
}

#[test]
fn what_is_derived_comes_and_goes_with_its_round() {
    let round = |winner: &str| {
        [
            killed("a1", "b1"),
            format!("round.ended {{\"winner\":\"{winner}\",\"reason\":\"elimination\"}}\n"),
        ]
        .concat()
    };
    let told =
        given(SIX).when(&round("CT")).when("freeze.started\nround.started").when(&round("CT"));
    let told =
        told.then(json!({"players": {"a1": {"opening_kills": 2, "rounds": 2, "kast_rounds": 2}}}));
    // A back-up from after the first round is loaded.
    told.when("match.reloaded {\"score\":{\"ct\":1,\"t\":0}}")
        .then(json!({"players": {"a1": {"opening_kills": 1, "rounds": 1, "kast_rounds": 1}}}));
}

#[test]
fn utility_damage_and_what_teams_carry() {
    let hurt = |weapon: &str, damage: u16, health: u16| {
        format!(
            "player.hurt {{\"attacker\":\"a1\",\"victim\":\"b1\",\"weapon\":\"{weapon}\",\"damage\":{damage},\
             \"damage_armor\":0,\"health\":{health},\"armor\":0,\"hitgroup\":\"chest\"}}\n"
        )
    };
    let equipped = |player: &str, item: &str| {
        format!("player.equipped {{\"player\":\"{player}\",\"items\":[\"{item}\"]}}\n")
    };
    let ended = "round.ended {\"winner\":\"CT\",\"reason\":\"elimination\"}\nfreeze.started\nround.started\n";
    let story = [
        equipped("a1", "weapon_deagle"),
        equipped("b1", "weapon_glock"),
        hurt("hegrenade", 60, 40),
        hurt("inferno", 60, 0),
        ended.into(),
        equipped("a1", "weapon_awp"),
        equipped("a2", "weapon_ak47"),
        equipped("b1", "weapon_ak47"),
        ended.into(),
    ];
    let told = given(SIX).when(&story.concat());
    // The second hit takes the 40 that were left.
    let told = told.then(json!({"players": {"a1": {"damage": 100, "utility_damage": 100}}}));
    told.then(json!({"rounds": {
        "1": {"economy": [{"buy": "pistol", "equipment": 700}, {"buy": "pistol", "equipment": 200}]},
        "2": {"economy": [{"buy": "semi_eco", "equipment": 7450}, {"buy": "eco", "equipment": 2700}]},
    }}));
}

#[test]
fn statistics_have_the_rates_that_people_compare() {
    let story =
        [killed("a1", "b1"), "round.ended {\"winner\":\"CT\",\"reason\":\"elimination\"}".into()];
    let state = given(SIX).when(&story.concat()).state;
    let table = serde_json::to_value(Stats::of(&[&state, &state])).unwrap();
    assert_eq!(table["rounds"], 2);
    contains(
        &table,
        &json!({"players": {
            "a1": {"kills": 2, "rounds": 2, "kpr": 1.0, "kast": 1.0, "headshot_share": 0.0, "adr": 0.0},
            "b1": {"deaths": 2, "kast": 0.0},
        }}),
        "stats",
    );
}
