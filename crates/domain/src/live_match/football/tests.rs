//! Given, when, then: what a match's events fold to.
//!
//! A story is a line an event, `tag {data}`, at one second after another; a clock is written as
//! `@45+2` for the minute that people count, in the place of `"clock":{…}`.

use serde_json::{Value, json};

use super::*;
use crate::{
    live_match::{Games, MAX_ANOMALIES, Play, Scope},
    timestamp::Timestamp,
};

/// Two teams, each with two players who start and one who does not.
const LINE_UP: &str = r#"
    lineup.told {"team":0,"name":"A","formation":"4-3-3","players":[{"player":"a1","name":"A1","number":1,"starts":true},{"player":"a2","number":2,"starts":true},{"player":"a3","starts":false}]}
    lineup.told {"team":1,"name":"B","players":[{"player":"b1","starts":true},{"player":"b2","starts":true},{"player":"b3","starts":false}]}
    period.started {"period":"first_half"}
"#;
/// Nothing happens in two halves.
const GOALLESS: &str = r#"
    period.started {"period":"first_half"}
    period.ended {"period":"first_half","elapsed_ms":2760000}
    period.started {"period":"second_half"}
    period.ended {"period":"second_half","elapsed_ms":2880000}
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

/// Writes `@45+2` out.
fn clocks(data: &str) -> String {
    let mut parts = data.split('@');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c != '+' && !c.is_ascii_digit()).unwrap_or(part.len());
        let (minute, rest) = part.split_at(end);
        let (minute, added) = minute.split_once('+').unwrap_or((minute, "0"));
        let clock = Clock::of_minute(minute.parse().unwrap(), added.parse().unwrap());
        whole += &format!("\"clock\":{}{rest}", serde_json::to_string(&clock).unwrap());
    }
    whole
}

impl Story {
    fn tell(&mut self, story: &str) {
        for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (tag, data) = line.split_once(' ').unwrap_or((line, "{}"));
            self.seq += 1;
            self.state.course.seq = self.seq;
            let seconds = i64::try_from(self.seq).unwrap();
            let time = Timestamp::from_ms(seconds * 1_000);
            Play::fold(&mut self.state, tag, &clocks(data), time).expect(tag).expect(line);
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

    /// The kinds of the anomalies, in their order.
    #[track_caller]
    fn with_anomalies(self, kinds: &[&str]) -> Self {
        let found: Vec<_> = self.state.course.anomalies.iter().map(|found| found.kind).collect();
        assert_eq!(found, kinds, "{:?}", self.state.course.anomalies);
        self
    }
}

/// Whether a value has at least what another one has; of `{}` in an array nothing is asked.
#[track_caller]
fn contains(value: &Value, expected: &Value, path: &str) {
    match (value, expected) {
        (_, Value::Object(fields)) if fields.is_empty() && path.ends_with(']') => {}
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

#[test]
fn a_match_is_played() {
    given(LINE_UP)
        .then(json!({
            "game": "football", "status": "live", "phase": "play", "period": "first_half",
            "clock": {"elapsed_ms": 0, "minute": 1, "time": "1970-01-01T00:00:03.000Z"},
            "teams": [{"name": "A", "formation": "4-3-3", "score": 0}, {"name": "B"}],
            "players": {"a1": {"name": "A1", "number": 1, "team": 0, "on_pitch": true},
                        "a3": {"on_pitch": false, "starts": false}},
        }))
        .when(
            r#"
            goal.scored {"team":0,"scorer":"a1","assist":"a2","body_part":"head","xg":0.25,@45+2}
            period.ended {"period":"first_half","elapsed_ms":2880000}
            "#,
        )
        .then(json!({
            "phase": "interval", "status": "live", "clock": {"minute": 45, "added": 4},
            "teams": [{"score": 1, "shots": 1, "shots_on_target": 1, "xg": 0.25}, {"score": 0}],
            "goals": {"1": {"seq": 4, "team": 0, "scorer": "a1", "assist": "a2", "minute": 45,
                            "added": 2, "period": "first_half", "score": [1, 0]}},
            "players": {"a1": {"goals": 1, "shots": 1, "xg": 0.25, "minutes": 45},
                        "a2": {"assists": 1}, "a3": {"minutes": 0}},
            "periods": {"first_half": {"elapsed_ms": 2_880_000, "score": [1, 0]}},
        }))
        .when(
            r#"
            period.started {"period":"second_half"}
            goal.scored {"team":0,"scorer":"b1","own_goal":true,@67}
            goal.scored {"team":1,@90+1}
            period.ended {"period":"second_half","elapsed_ms":2880000,"score":[2,1]}
            "#,
        )
        .then(json!({
            "phase": "ended", "status": "ended", "winner": 0,
            "teams": [{"score": 2, "shots": 1}, {"score": 1, "shots": 1}],
            "goals": {"2": {"own_goal": true, "minute": 67, "score": [2, 0]},
                      "3": {"team": 1, "minute": 90, "added": 1, "score": [2, 1]}},
            "players": {"b1": {"own_goals": 1, "goals": 0, "shots": 0, "minutes": 90, "team": 1}},
        }))
        .with_anomalies(&[]);
}

#[test]
fn nobody_is_named() {
    given(r#"goal.scored {"team":1}"#)
        .then(json!({"status": "live", "phase": "play", "teams": [{"score": 0}, {"score": 1}],
                     "goals": {"1": {"team": 1}}, "players": {}}))
        .when(r#"match.finished {"score":[0,1]}"#)
        .then(json!({"status": "ended", "winner": 1}))
        .with_anomalies(&[]);
}

#[test]
fn a_goal_without_a_clock_is_at_the_clock_by_then() {
    given(LINE_UP)
        .when(r#"shot.taken {"team":0,"outcome":"saved",@10}"#)
        .when("match.resumed")
        .when(r#"goal.scored {"team":0}"#)
        .then(json!({"goals": {"1": {"minute": 10}}, "clock": {"elapsed_ms": 542_000}}));
}

#[test]
fn a_goal_is_taken_back() {
    let told = given(LINE_UP).when(
        r#"
        goal.assisted {"goal":"g1","player":"a2"}
        goal.scored {"team":0,"goal":"g1","scorer":"a1","xg":0.5,@10}
        goal.scored {"team":1,"goal":"g2","scorer":"b1",@12}
        goal.disallowed {"goal":"g1","reason":"offside",@13}
        "#,
    );
    told.then(json!({
        "teams": [{"score": 0, "shots": 0, "xg": 0.0}, {"score": 1}],
        "players": {"a1": {"goals": 0, "shots": 0}, "a2": {"assists": 0}},
        "disallowed": {"1": {"scorer": "a1", "assist": "a2", "reason": "offside"}},
    }))
    .when(r#"goal.disallowed {"team":1}"#)
    .then(json!({"teams": [{"score": 0}, {"score": 0}], "goals": {}}))
    .when(r#"goal.disallowed {"goal":"g1"}"#)
    .with_anomalies(&["unknown_goal"])
    .when(r#"goal.scored {"team":0,"goal":"g1","scorer":"a1",@10}"#)
    .then(json!({"teams": [{"score": 1}, {"score": 0}], "goals": {"1": {"scorer": "a1"}}}));
}

#[test]
fn a_goal_told_twice_by_its_name_counts_once() {
    given(LINE_UP)
        .when(
            r#"
            goal.scored {"team":0,"goal":"g","own_goal":true,@10}
            goal.scored {"team":0,"goal":"g","own_goal":true,"scorer":"b2",@10}
            goal.scored {"team":0,"goal":"h","scorer":"a1",@20}
            goal.scored {"team":0,"goal":"h","scorer":"a1","xg":0.1,"assist":"a2",@20}
            goal.assisted {"goal":"h","player":"a2"}
            "#,
        )
        .then(json!({
            "teams": [{"score": 2, "shots": 1, "xg": 0.1}, {}],
            "goals": {"1": {"scorer": "b2"}, "2": {"assist": "a2"}},
            "players": {"b2": {"own_goals": 1}, "a1": {"goals": 1}, "a2": {"assists": 1}},
        }))
        .with_anomalies(&[]);
}

#[test]
fn shots_and_penalties() {
    given(LINE_UP)
        .when(
            r#"
            shot.taken {"team":0,"player":"a1","outcome":"saved","xg":0.1,@1}
            shot.taken {"team":0,"player":"a1","outcome":"saved_to_post","xg":0.2,@2}
            shot.taken {"team":0,"player":"a1","outcome":"woodwork",@3}
            shot.taken {"team":0,"outcome":"blocked",@4}
            shot.taken {"team":0,"outcome":"off_target",@4}
            shot.taken {"team":0,"outcome":"saved_off_target",@4}
            penalty.missed {"team":1,"player":"b1","outcome":"saved","xg":0.78,@5}
            goal.scored {"team":1,"scorer":"b1","penalty":true,"xg":0.78,@6}
            "#,
        )
        .then(json!({
            "teams": [{"shots": 6, "shots_on_target": 2, "xg": 0.3},
                      {"shots": 2, "shots_on_target": 2, "xg": 1.56}],
            "players": {"a1": {"shots": 3, "shots_on_target": 2, "xg": 0.3}},
            "missed_penalties": {"1": {"team": 1, "player": "b1", "outcome": "saved", "minute": 5}},
            "goals": {"1": {"penalty": true}},
        }));
}

#[test]
fn figures_of_teams_and_players() {
    let told = given(LINE_UP).when(
        r#"
        goal.scored {"team":0,"scorer":"a1","assist":"a2","xg":0.3,@10}
        shot.taken {"team":0,"player":"a1","outcome":"blocked","xg":0.1,@20}
        player.substituted {"team":0,"off":"a1","on":"a3",@31}
        period.ended {"period":"first_half","elapsed_ms":2700000}
        "#,
    );
    let stats = serde_json::to_value(Stats::of(&told.state)).unwrap();
    let expected = json!({
        "teams": [{"name": "A", "goals": 1, "shots": 2, "xg": 0.4, "xg_per_shot": 0.2}, {"goals": 0}],
        "players": {
            "a1": {"minutes": 30, "goals": 1, "shots": 2, "goals_per_90": 3.0, "shots_per_90": 6.0,
                   "xg": 0.4, "xg_per_90": 1.2},
            "a2": {"minutes": 45, "assists": 1, "goals_per_90": 0.0}, "a3": {"minutes": 15},
            "b3": null,
        },
    });
    contains(&stats, &expected, "stats");
}

#[test]
fn cards() {
    given(LINE_UP)
        .when(
            r#"
            card.shown {"team":0,"player":"a1","card":"yellow",@10}
            card.shown {"team":0,"player":"a1","card":"second_yellow",@30}
            card.shown {"team":1,"player":"b3","card":"red",@31}
            card.shown {"team":1,"card":"yellow",@32}
            "#,
        )
        .then(json!({
            "teams": [{"yellow_cards": 2, "red_cards": 1, "dismissed": 1},
                      {"yellow_cards": 1, "red_cards": 1, "dismissed": 0}],
            "players": {"a1": {"yellow_cards": 2, "red_cards": 1, "on_pitch": false, "minutes": 29}},
            "cards": {"2": {"team": 0, "player": "a1", "card": "second_yellow", "minute": 30}},
        }))
        .with_anomalies(&[])
        .when(
            r#"
            card.shown {"team":0,"player":"a2","card":"yellow",@33}
            card.shown {"team":0,"player":"a2","card":"yellow",@34}
            card.shown {"team":1,"player":"b1","card":"second_yellow",@35}
            goal.scored {"team":0,"scorer":"a1",@36}
            "#,
        )
        .with_anomalies(&["card_mismatch", "card_mismatch", "not_on_pitch"])
        .then(json!({"teams": [{"score": 1, "dismissed": 1}, {"dismissed": 1}]}));
}

#[test]
fn substitutions() {
    given(LINE_UP)
        .when(r#"player.substituted {"team":0,"off":"a1","on":"a3",@61}"#)
        .then(json!({
            "teams": [{"substitutions": 1}, {}],
            "players": {"a1": {"on_pitch": false, "minutes": 60}, "a3": {"on_pitch": true}},
            "substitutions": {"1": {"team": 0, "off": "a1", "on": "a3", "minute": 61}},
        }))
        .when(
            r#"
            player.left {"team":0,"player":"a2",@71}
            player.returned {"team":0,"player":"a2",@76}
            period.ended {"period":"second_half","elapsed_ms":2800000}
            "#,
        )
        .then(json!({"players": {"a3": {"minutes": 30}, "a2": {"minutes": 85}}}))
        .with_anomalies(&[])
        .when(
            r#"
            player.substituted {"team":0,"off":"a2","on":"a1",@90}
            player.substituted {"team":0,"off":"x1","on":"y1",@90}
            player.substituted {"team":0,"off":"x2","on":"y2",@90}
            player.substituted {"team":0,"off":"x3","on":"y3",@90}
            player.substituted {"team":0,"off":"x4","on":"y4",@90}
            "#,
        )
        .with_anomalies(&["not_on_pitch", "too_many_substitutions"])
        .then(json!({"teams": [{"substitutions": 6}, {}]}));
}

#[test]
fn possession_is_a_part_of_the_time() {
    let at = |minute, team| format!("possession.changed {{\"team\":{team},@{minute}}}\n");
    given(LINE_UP)
        .when(&(at(1, 0) + &at(11, 1) + &at(11, 1) + &at(5, 0)))
        .then(json!({"teams": [{"possession": 1.0}, {"possession": 0.0}]}))
        .when(r#"period.ended {"period":"first_half","elapsed_ms":2400000}"#)
        .then(json!({"teams": [{"possession": 0.25}, {"possession": 0.75}]}))
        .when(&(at(46, 0) + &at(66, 1)))
        .then(json!({"teams": [{"possession": 0.5}, {"possession": 0.5}]}));
}

#[test]
fn a_draw_stands_unless_somebody_has_to_win() {
    given(GOALLESS).then(json!({"status": "ended", "winner": null}));
    given(r#"format.told {"knockout":true}"#)
        .when(GOALLESS)
        .then(json!({"status": "live", "phase": "interval", "knockout": true}))
        .when(r#"goal.scored {"team":1,@91}"#)
        .then(json!({"period": "extra_time_first", "phase": "play", "winner": null}))
        .when(r#"period.ended {"period":"extra_time_second"}"#)
        .then(json!({"status": "ended", "winner": 1}));
    given(GOALLESS)
        .when(r#"period.started {"period":"extra_time_first"}"#)
        .then(json!({"status": "live", "phase": "play"}));
}

#[test]
fn both_legs_count() {
    given(r#"format.told {"knockout":true,"first_leg":[1,2]}"#)
        .when(GOALLESS)
        .then(json!({"status": "ended", "aggregate": [1, 2], "winner": 1}));
    given(r#"format.told {"knockout":true,"first_leg":[1,2]}"#)
        .when(&format!("goal.scored {{\"team\":0,@9}}\n{GOALLESS}"))
        .then(json!({"status": "live", "aggregate": [2, 2]}));
}

/// `+` is scored, `-` is not; the first team kicks first.
fn kicks(kicks: &str) -> String {
    let kick = |(i, kick): (usize, char)| {
        format!("shootout.kicked {{\"team\":{},\"scored\":{}}}\n", i % 2, kick == '+')
    };
    kicks.chars().enumerate().map(kick).collect()
}

#[test]
fn a_shoot_out_is_decided_as_soon_as_one_team_cannot_be_reached() {
    for (taken, score, winner) in [
        ("", [0, 0], None),
        ("+-+-+", [3, 0], None),
        ("+-+-+-", [3, 0], Some(0)),
        ("+-+-", [2, 0], None),
        ("-+-+-+", [0, 3], Some(1)),
        ("+++-+++++", [5, 3], Some(0)),
        ("+++-++++", [4, 3], None),
        ("++++++++++", [5, 5], None),
        ("+++++++++++", [6, 5], None),
        ("+++++++++++-", [6, 5], Some(0)),
        ("++++++++++-+", [5, 6], Some(1)),
        ("++++++++++++", [6, 6], None),
        ("++++++++++--+-", [6, 5], Some(0)),
    ] {
        let expected = winner.map_or(json!("live"), |_| json!("ended"));
        given(GOALLESS)
            .when(r#"period.started {"period":"shoot_out"}"#)
            .when(&kicks(taken))
            .then(json!({"winner": winner, "status": expected, "shootout": {"score": score},
                         "teams": [{"score": 0}, {"score": 0}]}))
            .with_anomalies(&[]);
    }
    let told = given(GOALLESS).when(&kicks("+-+-+-++")).with_anomalies(&["after_end", "after_end"]);
    told.then(json!({"winner": 0, "shootout": {"kicks": {"8": {"team": 1, "scored": true}}}}));
}

#[test]
fn a_shoot_out_of_which_the_score_alone_is_told() {
    given(GOALLESS)
        .when(r#"period.ended {"period":"shoot_out","score":[3,4]}"#)
        .then(json!({"winner": 1, "status": "ended", "shootout": {"score": [3, 4]},
                     "periods": {"shoot_out": {"score": [3, 4]}}}))
        .with_anomalies(&[]);
}

#[test]
fn a_shoot_out_that_is_told_like_play() {
    let at = r#""clock":{"period":"shoot_out","elapsed_ms":1000}"#;
    given(GOALLESS)
        .when(&format!(r#"goal.scored {{"team":1,"scorer":"b1","penalty":true,{at}}}"#))
        .when(&format!(r#"penalty.missed {{"team":0,"player":"a1","outcome":"saved",{at}}}"#))
        .then(json!({
            "period": "shoot_out", "status": "live", "goals": {}, "missed_penalties": {},
            "teams": [{"score": 0, "shots": 0}, {"score": 0, "shots": 0}],
            "shootout": {"score": [0, 1], "kicks": {"1": {"player": "b1"}, "2": {"scored": false}}},
        }))
        .when(r#"period.ended {"period":"shoot_out"}"#)
        .then(json!({"status": "ended", "winner": 1}))
        .with_anomalies(&[]);
}

#[test]
fn goals_that_were_not_told() {
    given(LINE_UP)
        .when(r#"period.ended {"period":"first_half","score":[1,0]}"#)
        .with_anomalies(&["score_mismatch"])
        .then(json!({"teams": [{"score": 1}, {}], "goals": {}}))
        .when(r#"match.finished {"score":[1,0]}"#)
        .then(json!({"winner": 0}))
        .with_anomalies(&["score_mismatch"]);
}

#[test]
fn after_the_end() {
    given(LINE_UP)
        .when(r#"match.finished {"score":[0,0]}"#)
        .when(r#"goal.scored {"team":0}"#)
        .with_anomalies(&["after_end"])
        .then(json!({"status": "ended", "winner": 0}))
        .when(r#"period.started {"period":"second_half"}"#)
        .with_anomalies(&["after_end", "after_end"])
        .then(json!({"status": "live", "winner": null}));
}

#[test]
fn a_match_is_abandoned() {
    given(LINE_UP)
        .when(r#"goal.scored {"team":0,"scorer":"a1",@10}"#)
        .when(r#"match.abandoned {"reason":"floodlights"}"#)
        .then(json!({"status": "ended", "winner": null, "teams": [{"score": 1}, {"score": 0}],
                     "ruling": {"kind": "abandoned"}, "players": {"a1": {"minutes": 9}}}))
        .when(r#"goal.scored {"team":1,@11}"#)
        .when(r#"period.ended {"period":"first_half","elapsed_ms":700000}"#)
        .when(r#"card.shown {"team":1,"player":"b1","card":"red"}"#)
        .with_anomalies(&["after_end", "after_end"])
        .then(json!({"teams": [{"score": 1}, {"score": 0, "red_cards": 1, "dismissed": 0}]}))
        .when(r#"result.amended {"seq":4,"score":[3,0]}"#)
        .then(json!({"teams": [{"score": 3}, {"score": 0}], "winner": 0}));
}

#[test]
fn a_forfeit_and_pauses() {
    given(LINE_UP)
        .when(r#"match.paused {"reason":"other","side":"away"}"#)
        .then(json!({"status": "paused", "pause": {"team": 1}}))
        .when("match.resumed")
        .then(json!({"status": "live"}))
        .when(r#"match.forfeited {"team":0}"#)
        .then(json!({"status": "ended", "winner": 1}));
}

#[test]
fn what_is_told_late() {
    given(LINE_UP)
        .when(
            r#"
            period.ended {"period":"first_half","elapsed_ms":2760000}
            period.started {"period":"second_half"}
            shot.taken {"team":0,"outcome":"saved",@60}
            goal.scored {"team":1,"scorer":"b1",@30}
            period.started {"period":"first_half"}
            period.ended {"period":"first_half","elapsed_ms":2760000}
            "#,
        )
        .then(json!({
            "period": "second_half", "phase": "play", "clock": {"minute": 60},
            "goals": {"1": {"minute": 30}}, "teams": [{}, {"score": 1}],
        }))
        .with_anomalies(&[]);
}

#[test]
fn nothing_grows_without_bound() {
    let mut told = given(LINE_UP);
    for i in 0..1_000 {
        told.tell(&format!(
            r#"
            goal.scored {{"team":0,"goal":"g{i}","scorer":"x{i}"}}
            goal.assisted {{"goal":"h{i}","player":"y{i}"}}
            card.shown {{"team":1,"card":"red"}}
            player.substituted {{"team":0,"off":"o{i}","on":"p{i}"}}
            penalty.missed {{"team":1,"outcome":"saved"}}
            shootout.kicked {{"team":0,"scored":true}}
            "#
        ));
    }
    let State { course, players, goals, cards, substitutions, missed_penalties, .. } = &told.state;
    assert_eq!((players.len(), goals.len(), cards.len()), (MAX_PLAYERS, MAX_LISTED, MAX_LISTED));
    assert_eq!((substitutions.len(), missed_penalties.len()), (MAX_LISTED, MAX_LISTED));
    assert_eq!(told.state.shootout.as_ref().unwrap().kicks.len(), MAX_LISTED);
    assert_eq!(told.state.ledger.assists.len(), MAX_LISTED);
    assert_eq!(course.anomalies.len(), MAX_ANOMALIES);
    assert_eq!((told.state.teams[0].score, told.state.teams[1].dismissed), (1_000, 11));
}

#[test]
fn what_is_refused_for_its_shape() {
    for (tag, bad) in [
        ("goal.scored", r#"{"team":2}"#),
        ("goal.scored", r#"{"team":0,"xg":1.5}"#),
        ("goal.scored", r#"{"team":0,"xg":-0.1}"#),
        ("goal.scored", r#"{"team":0,"clock":{"period":"third_half","elapsed_ms":0}}"#),
        ("goal.scored", r#"{"team":0,"clock":{"period":"first_half","elapsed_ms":-1}}"#),
        ("lineup.told", r#"{"team":0,"expected_goals":0}"#),
        ("shot.taken", r#"{"team":0,"outcome":"goal"}"#),
        ("card.shown", r#"{"team":0,"card":"green"}"#),
    ] {
        assert!(Event::parse(tag, bad).unwrap().is_err(), "{tag} {bad}");
    }
}

#[test]
fn people_are_exchanged() {
    let people = [
        r#"lineup.told {"team":0,"players":[{"player":"x:1"},{"player":"x:2"}]}"#,
        r#"goal.scored {"team":0,"scorer":"x:1","assist":"x:2"}"#,
        r#"goal.assisted {"goal":"g","player":"x:1"}"#,
        r#"penalty.missed {"team":0,"player":"x:1","outcome":"saved"}"#,
        r#"shot.taken {"team":0,"player":"x:1","outcome":"saved"}"#,
        r#"card.shown {"team":0,"player":"x:1","card":"red"}"#,
        r#"player.substituted {"team":0,"off":"x:1","on":"x:2"}"#,
        r#"player.left {"team":0,"player":"x:1"}"#,
        r#"player.returned {"team":0,"player":"x:1"}"#,
        r#"shootout.kicked {"team":0,"player":"x:1","scored":true}"#,
    ];
    for line in people {
        let (tag, data) = line.split_once(' ').unwrap();
        let games = Games::default();
        let mut exchange = |person: &str| person.replace("x:", "p");
        let admitted =
            games.admit(Scope::Map, tag, data, &mut exchange, &|_, name| name.clone()).unwrap();
        assert_eq!(admitted, data.replace("x:", "p"));
    }
}
