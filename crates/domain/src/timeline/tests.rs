//! Late events and corrections.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::{
    chain::Digest,
    envelope::{self, Attributes},
    live_match::{Plain, Predictor, cs},
    timestamp::Timestamp,
};

/// Records `id sequence tag data`, in the order in which they arrived; `-` is no sequence. An id begins with
/// the second at which the event happened, and may begin with its source, `gsi@12`.
fn arrived(lines: &[&str]) -> (Subject, Vec<Recorded>) {
    let subject = Subject::match_map("m", 1).unwrap();
    let record = |(seq, line): (u64, &&str)| {
        let [id, sequence, kind, data]: [&str; 4] =
            line.splitn(4, ' ').collect::<Vec<_>>().try_into().unwrap();
        let sequence = match sequence {
            "-" => String::new(),
            sequence => format!(r#""sequence":"{sequence}","#),
        };
        let (source, second) = id.split_once('@').unwrap_or(("s", id));
        let second: i64 = second.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
        let time = Timestamp::from_ms(1_767_225_600_000 + second * 1_000);
        let json = format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"{source}","subject":"match/m/1","type":"{kind}",
                "time":"{time}",{sequence}"data":{data}}}"#
        );
        let attributes = Attributes::parse(&json).unwrap();
        let event = envelope::Event::new(&attributes, data).unwrap();
        let leaf = Digest::leaf(&event.stored);
        let recorded = Timestamp::from_ms(0);
        Recorded { seq, recorded, leaf, chain: leaf, stored: event.stored }
    };
    (subject, (1..).zip(lines).map(record).collect())
}

fn folded(lines: &[&str]) -> Fold {
    let (subject, records) = arrived(lines);
    Fold::of(&Games::default(), &subject, &records)
}

fn state(fold: &Fold) -> &cs::State {
    fold.state().unwrap()
}

/// A state and its predictions without what a correction may change.
fn comparable(fold: &Fold) -> (Value, Vec<Value>) {
    let mut state: Value = serde_json::from_str(&fold.play.to_json()).unwrap();
    let fields = state.as_object_mut().unwrap();
    for field in ["seq", "anomalies", "anomaly_count"] {
        fields.remove(field).unwrap();
    }
    let without_seq = |prediction: &mut Value| prediction.as_object_mut().unwrap().remove("seq");
    fields.get_mut("prediction").map(without_seq);
    let predictions = fold.predictions.iter().map(|prediction| {
        let mut prediction = serde_json::to_value(prediction).unwrap();
        without_seq(&mut prediction);
        prediction
    });
    (state, predictions.collect())
}

const KILL: &str = r#"2 b player.killed {"killer":"a","victim":"b","weapon":"awp"}"#;
const STORY: [&str; 4] = ["1 a round.started {}", KILL, "3 c match.started {}", "4 d x.own {}"];

#[test]
fn a_late_event_is_folded_in_its_place() {
    let (subject, straight) = arrived(&STORY);
    let games = Games::default();
    let expected = Fold::of(&games, &subject, &straight);
    // The kill arrives after the start that makes it void.
    let (_, late) = arrived(&[STORY[0], STORY[2], STORY[1], STORY[3]]);
    let mut fold = Fold::new(&games, &subject);
    let pushed: Vec<Pushed> = late.iter().map(|record| fold.push(record)).collect();
    assert_eq!(pushed[2], Pushed::Refold);
    let again = Fold::of(&games, &subject, &late);
    assert_eq!(again.seq(), 4);
    assert_eq!(state(&again).players["a"].tally.kills, 0);
    assert_eq!(state(&again).players, state(&expected).players);
    // One that comes after it is not late.
    let mut again = Fold::of(&games, &subject, &late[..3]);
    assert_eq!(again.push(&late[3]), Pushed::Applied { predicted: false });
}

#[test]
fn step_by_step_is_the_same_as_at_once() {
    let (subject, records) = arrived(&STORY);
    let games = Games::default();
    let mut fold = Fold::new(&games, &subject);
    for (count, record) in (1..).zip(&records) {
        assert!(matches!(fold.push(record), Pushed::Applied { .. }));
        let fresh = Fold::of(&games, &subject, &records[..count]);
        assert_eq!(state(&fold), state(&fresh));
        assert_eq!(fold.predictions, fresh.predictions);
    }
    assert_eq!(fold.predictions.len(), 3);
    assert_eq!(fold.predictions[1].seq, 2);
}

#[test]
fn damage_is_an_anomaly() {
    let (subject, mut records) = arrived(&STORY);
    records[1].stored = b"{".as_slice().into();
    let fold = Fold::of(&Games::default(), &subject, &records);
    let anomalies = &fold.play.course().anomalies;
    assert_eq!((anomalies[0].kind, anomalies[0].seq), ("unreadable", 2));
}

/// A map that was reported right: two rounds, the second one in play.
const RIGHT: [&str; 12] = [
    r#"1 - player.joined {"player":"a1","name":"A1","side":"CT"}"#,
    r#"2 - player.joined {"player":"a2","name":"A2","side":"CT"}"#,
    r#"3 - player.joined {"player":"b1","name":"B1","side":"T"}"#,
    r#"4 - player.joined {"player":"b2","name":"B2","side":"T"}"#,
    r#"5 - match.started {"map_name":"de_test"}"#,
    "6 - round.started {}",
    r#"7 - player.killed {"killer":"a1","victim":"b1","weapon":"m4a1"}"#,
    r#"8 - round.ended {"winner":"CT","reason":"elimination"}"#,
    "9 - freeze.started {}",
    "10 - round.started {}",
    r#"11 - player.killed {"killer":"b2","victim":"a2","weapon":"ak47"}"#,
    r#"12 - player.assisted {"assister":"b1","victim":"a2"}"#,
];

#[test]
fn a_correction_gives_the_state_of_a_match_that_was_reported_right() {
    let right = folded(&RIGHT);
    let kill = RIGHT[6].to_owned();
    let amend = |id: &str, seq: u64, line: &str| {
        let [_, _, kind, data]: [&str; 4] =
            line.splitn(4, ' ').collect::<Vec<_>>().try_into().unwrap();
        format!(r#"{id} - event.amended {{"seq":{seq},"type":"{kind}","data":{data}}}"#)
    };
    let wrong_killer = kill.replace("a1", "a2");
    let told_twice = kill.replace("7 - ", "7b - ").replace("b1", "b2");
    let (start, end) = (&RIGHT[..7], &RIGHT[7..]);
    let with = |before: &[&str], after: &[&str]| -> Vec<String> {
        [before, after].concat().iter().map(|line| (*line).to_owned()).collect()
    };
    let mut stories: Vec<Vec<String>> = Vec::new();
    // Amended at once, at the end, and twice, the second time rightly.
    for corrections in [
        vec![amend("7c", 7, &kill)],
        vec![amend("7c", 7, &kill.replace("a1", "b2")), amend("7d", 7, &kill)],
        vec![
            amend("7c", 7, &kill),
            r#"7e - event.voided {"seq":7}"#.into(),
            r#"7f - event.voided {"seq":9}"#.into(),
        ],
    ] {
        let corrections: Vec<&str> = corrections.iter().map(String::as_str).collect();
        let before = [&RIGHT[..6], &[wrong_killer.as_str()], &corrections].concat();
        stories.push(with(&before, end));
        let before = [&RIGHT[..6], &[wrong_killer.as_str()], end].concat();
        let late: Vec<String> =
            corrections.iter().map(|line| line.replace("\"seq\":9", "\"seq\":14")).collect();
        let late: Vec<&str> = late.iter().map(String::as_str).collect();
        stories.push(with(&before, &late));
    }
    // Void at once, and at the end.
    let void = r#"12b - event.voided {"seq":8,"reason":"told twice"}"#;
    stories.push(with(&[start, &[told_twice.as_str(), void]].concat(), end));
    stories.push(with(&[start, &[told_twice.as_str()], end].concat(), &[void]));
    // Of another type.
    let noise = "7b - bomb.exploded {}";
    let amended = amend("12c", 8, RIGHT[7]);
    stories.push(with(&[start, &[noise], &RIGHT[8..]].concat(), &[&amended]));
    for story in stories {
        let lines: Vec<&str> = story.iter().map(String::as_str).collect();
        let corrected = folded(&lines);
        assert_eq!(corrected.seq(), lines.len() as u64);
        let (ours, theirs) = (comparable(&corrected), comparable(&right));
        if lines.iter().any(|line| line.contains("bomb.exploded")) {
            // The amended event keeps the moment at which it was told.
            assert_eq!(state(&corrected).rounds, state(&right).rounds);
        } else {
            assert_eq!(ours, theirs, "{lines:#?}");
        }
    }
}

#[test]
fn what_cannot_be_corrected_is_an_anomaly() {
    let lines = |correction: &'static str| [&RIGHT[..], &[correction]].concat();
    for (correction, detail) in [
        (r#"13 - event.voided {"seq":14}"#, "event 14 is not before it"),
        (r#"13 - event.voided {"seq":13}"#, "event 13 is not before it"),
        (r#"13 - event.voided {"seq":0}"#, "there is no event 0"),
    ] {
        let fold = folded(&lines(correction));
        let anomalies = &fold.play.course().anomalies;
        assert_eq!((anomalies[0].kind, anomalies[0].seq), ("not_correctable", 13));
        assert_eq!(anomalies[0].detail, detail);
        assert_eq!(comparable(&fold), comparable(&folded(&RIGHT)));
    }
    let amended = r#"14 - event.amended {"seq":13,"type":"round.started","data":{}}"#;
    let void = r#"13 - event.voided {"seq":11}"#;
    let fold = folded(&[&RIGHT[..], &[void, amended]].concat());
    assert_eq!(fold.play.course().anomalies[0].kind, "not_correctable");
    assert!(state(&fold).kills.is_empty(), "the kill stays void");
}

#[test]
fn a_referee_decides() {
    let ruled = |events: &[&str]| {
        let fold = folded(&[&RIGHT[..], events].concat());
        let state: Value = serde_json::from_str(&fold.play.to_json()).unwrap();
        let parts = ["status", "winner", "ruling"].map(|name| state.get(name).cloned());
        (parts.map(Option::unwrap_or_default), fold)
    };
    let (parts, fold) = ruled(&[r#"13 - match.forfeited {"team":0,"reason":"late"}"#]);
    let ruling =
        json!({"kind": "forfeited", "how": "gave_up", "reason": "late", "confirmed": false});
    assert_eq!(parts, [json!("ended"), json!(1), ruling]);
    let sure = serde_json::to_value(fold.predictions.last().unwrap().map).unwrap();
    assert_eq!(sure, json!([0.0, 1.0]));
    let abandoned = "13 - match.abandoned {}";
    let (parts, _) = ruled(&[abandoned, "14 - freeze.started {}"]);
    let ruling = json!({"kind": "abandoned", "confirmed": false});
    assert_eq!(parts, [json!("ended"), Value::Null, ruling]);
    let amended = r#"14 - result.amended {"seq":13,"score":[3,13]}"#;
    let confirmed = r#"15 - result.confirmed {"seq":14}"#;
    let (parts, fold) = ruled(&[abandoned, amended, confirmed]);
    let ruling = json!({"kind": "amended", "confirmed": true});
    assert_eq!(parts, [json!("ended"), json!(1), ruling]);
    assert_eq!(state(&fold).teams.each_ref().map(|team| team.score), [3, 13]);
    // Taken back, play goes on where it stopped.
    let (parts, fold) = ruled(&[abandoned, r#"14 - event.voided {"seq":13}"#]);
    assert_eq!(parts, [json!("live"), Value::Null, Value::Null]);
    assert_eq!(comparable(&fold), comparable(&folded(&RIGHT)));
    // What is corrected after it was confirmed must be confirmed again.
    let void = r#"16 - event.voided {"seq":11}"#;
    let (parts, fold) = ruled(&[abandoned, amended, confirmed, void]);
    assert_eq!(parts[2], json!({"kind": "amended", "confirmed": false}));
    assert_eq!(fold.play.course().anomalies[0].kind, "reopened");
}

/// The server log tells of a round, GSI of the same a second later; each line is of one of them.
fn two_sources(lines: &[&str]) -> Fold {
    let ranked = r#"0 - sources.ranked {"sources":["cs-log","gsi"],"window_s":10}"#;
    let lines: Vec<&str> = [&[ranked], &RIGHT[..5], lines].concat();
    let whole = folded(&lines);
    // Event by event it comes to the same.
    let (subject, records) = arrived(&lines);
    let games = Games::default();
    let mut fold = Fold::new(&games, &subject);
    for (count, record) in (1..).zip(&records) {
        if fold.push(record) == Pushed::Refold {
            fold = Fold::of(&games, &subject, &records[..count]);
        }
    }
    assert_eq!(fold.play.to_json(), whole.play.to_json());
    assert_eq!(fold.predictions, whole.predictions);
    whole
}

fn kill_by(source: &str, second: u32, killer: &str, victim: &str) -> String {
    format!(
        r#"{source}@{second} - player.killed {{"killer":"{killer}","victim":"{victim}","weapon":"x"}}"#
    )
}

fn kills_of(fold: &Fold) -> [u16; 4] {
    ["a1", "a2", "b1", "b2"].map(|id| state(fold).players[id].tally.kills)
}

#[test]
fn what_two_sources_tell_counts_once() {
    let (first, same) = (kill_by("cs-log/77", 10, "a1", "b1"), kill_by("gsi", 11, "a1", "b1"));
    for lines in [[&*first, &*same], [&*same, &*first]] {
        let fold = two_sources(&[&["cs-log/77@6 - round.started {}"], &lines[..]].concat());
        assert_eq!(kills_of(&fold), [1, 0, 0, 0]);
        assert_eq!(fold.play.course().anomaly_count, 0);
        assert_eq!(fold.play.course().source.as_deref(), Some("cs-log"));
    }
}

#[test]
fn what_only_the_other_one_claims_is_a_disagreement() {
    let alone = kill_by("gsi", 11, "b2", "a2");
    let story = ["cs-log@6 - round.started {}", &alone, "cs-log@20 - bomb.exploded {}"];
    assert_eq!(two_sources(&story).play.course().anomaly_count, 0, "it may still come");
    let story = [&story[..], &["cs-log@22 - freeze.started {}"]].concat();
    let fold = two_sources(&story);
    let anomaly = &fold.play.course().anomalies[0];
    assert_eq!((anomaly.kind, anomaly.seq), ("disagreement", 10));
    assert_eq!(anomaly.detail, "gsi claims that b2 killed a2 in event 8, and cs-log does not");
    assert_eq!(kills_of(&fold), [0, 0, 0, 0]);
}

#[test]
fn a_switch_takes_what_the_silent_one_missed_and_nothing_twice() {
    // The log tells of one kill and falls silent; GSI tells of that one, later, and of one more.
    let story: Vec<String> = vec![
        "cs-log@6 - round.started {}".into(),
        kill_by("cs-log", 10, "a1", "b1"),
        kill_by("gsi", 12, "a1", "b1"),
        kill_by("gsi", 15, "a1", "b2"),
    ];
    let story: Vec<&str> = story.iter().map(String::as_str).collect();
    assert_eq!(kills_of(&two_sources(&story)), [1, 0, 0, 0]);
    let switch = r#"40 - source.switched {"to":"gsi","from":"cs-log","since":"2026-01-01T00:00:10Z","reason":"silence"}"#;
    let ended = r#"gsi@41 - round.ended {"winner":"CT","reason":"elimination"}"#;
    let switched = [&story[..], &[switch, ended]].concat();
    let fold = two_sources(&switched);
    assert_eq!(kills_of(&fold), [2, 0, 0, 0]);
    assert_eq!(state(&fold).rounds.len(), 1);
    assert_eq!(fold.play.course().source.as_deref(), Some("gsi"));
    // The log is back, and sends first what it had kept: that was told already.
    let back = r#"60 - source.switched {"to":"cs-log","since":"2026-01-01T00:00:50Z"}"#;
    let (kept, again) = (kill_by("cs-log", 15, "a1", "b2"), kill_by("cs-log", 62, "b1", "a1"));
    let later = ["cs-log@61 - round.started {}", &again];
    let fold = two_sources(&[&switched[..], &[&*kept, back], &later].concat());
    assert_eq!(kills_of(&fold), [2, 0, 1, 0]);
    assert_eq!(fold.play.course().anomalies, []);
    // A switch that was a mistake is taken back like any other event.
    let void = r#"63 - event.voided {"seq":11}"#;
    assert_eq!(kills_of(&two_sources(&[&switched[..], &[void]].concat())), [1, 0, 0, 0]);
}

#[test]
fn a_gap_in_the_believed_feed_is_filled_until_its_part_arrives() {
    let gap = r#"cs-log@30 - source.gap {"from":100,"to":200}"#;
    let (in_gap, after) = (kill_by("gsi", 15, "a1", "b2"), kill_by("gsi", 33, "b1", "a2"));
    let story = [
        "cs-log@6 - round.started {}",
        &kill_by("cs-log", 10, "a1", "b1"),
        &in_gap,
        gap,
        &kill_by("cs-log", 30, "b1", "a1"),
        &after,
    ];
    let fold = two_sources(&story);
    assert_eq!(kills_of(&fold), [2, 0, 1, 0], "what was told in the gap, and nothing after it");
    let late =
        [r#"cs-log@16 - source.late {"from":100,"to":200}"#, &kill_by("cs-log", 14, "a1", "b2")];
    let fold = two_sources(&[&story[..], &late].concat());
    assert_eq!(kills_of(&fold), [2, 0, 1, 0], "and not twice when it arrives");
}

/// GSI's scoreboard says that a1 has so much of everything.
fn reported(source: &str, second: u32, health: u16, money: u32) -> String {
    format!(
        r#"{source}@{second} - player.reported {{"player":"a1","health":{health},"armor":90,"helmet":true,"money":{money},"equipment":4700,"kills":7}}"#
    )
}

#[test]
fn what_the_believed_source_never_tells_is_taken_from_another_one() {
    let start = "cs-log@6 - round.started {}";
    let fold = two_sources(&[start, &reported("gsi", 7, 64, 3_100)]);
    let player = &state(&fold).players["a1"];
    assert_eq!((player.health, player.armor, player.helmet), (64, Some(90), Some(true)));
    assert_eq!((player.money, player.equipment), (Some(3_100), Some(4_700)));
    assert_eq!(player.tally.kills, 0, "a kill is told, by the log");
    assert_eq!(fold.play.course().anomalies, []);
    // Once the log tells of money and of who was hurt, it alone does.
    let story = [
        start,
        r#"cs-log@8 - money.changed {"player":"b1","money":900}"#,
        r#"cs-log@8 - player.hurt {"attacker":"b1","victim":"a1","weapon":"x","damage":30,"damage_armor":4,"health":70,"armor":96,"hitgroup":"chest"}"#,
        &reported("gsi", 9, 12, 3_100),
        &reported("gsi", 10, 0, 3_100),
    ];
    let fold = two_sources(&story);
    let player = &state(&fold).players["a1"];
    assert_eq!((player.health, player.alive, player.money), (70, true, None));
    assert_eq!((player.armor, player.equipment), (Some(90), Some(4_700)));
    // Who is dead is claimed and not filled in, whichever comes first.
    let fold = two_sources(&[start, &kill_by("cs-log", 8, "b1", "a1"), &reported("gsi", 8, 64, 1)]);
    assert!(!state(&fold).players["a1"].alive);
    let fold = two_sources(&[start, &reported("gsi", 8, 0, 1)]);
    assert!(state(&fold).players["a1"].alive);
}

#[test]
fn the_next_ranked_source_goes_before_the_others_where_it_tells_anything() {
    let rank = r#"0 - sources.ranked {"sources":["cs-log","gsi","feed"]}"#;
    let start = "cs-log@6 - round.started {}";
    let told = |lines: &[&str]| {
        let fold = two_sources(&[&[rank, start], lines].concat());
        let player = state(&fold).players["a1"].clone();
        (player.health, player.money)
    };
    let (gsi, feed) = (reported("gsi", 7, 64, 3_100), reported("feed", 8, 50, 2_000));
    assert_eq!(told(&[&feed]), (50, Some(2_000)));
    assert_eq!(told(&[&gsi, &feed]), (64, Some(3_100)));
    assert_eq!(told(&[&feed, &gsi, &reported("feed", 9, 40, 1_000)]), (64, Some(3_100)));
    // Where GSI is believed, the log fills in what it does not tell: what was dealt out.
    let switch = r#"40 - source.switched {"to":"gsi","since":"2026-01-01T00:00:00Z"}"#;
    let (planted, hurt) = (
        "gsi@8 - bomb.planted {}",
        r#"cs-log@9 - player.hurt {"attacker":"a1","victim":"b1","weapon":"x","damage":30,"damage_armor":4,"health":70,"armor":96,"hitgroup":"chest"}"#,
    );
    let site = r#"cs-log@9 - bomb.planted {"player":"b2","site":"B"}"#;
    let fold = two_sources(&[start, "gsi@6 - round.started {}", planted, site, hurt, switch]);
    assert_eq!(state(&fold).bomb_site.as_deref(), Some("B"));
    assert_eq!(state(&fold).players["a1"].tally.damage, 30);
}

#[test]
fn a_voided_fact_that_told_of_something_leaves_it_to_the_other_source() {
    let start = "cs-log@6 - round.started {}";
    let money = r#"cs-log@7 - money.changed {"player":"a1","money":900}"#;
    let gsi = reported("gsi", 9, 64, 3_100);
    let right = two_sources(&[start, "cs-log@7 - x.nothing {}", &gsi]);
    let corrected = two_sources(&[start, money, &gsi, r#"10 - event.voided {"seq":8}"#]);
    assert_eq!(comparable(&corrected).0["players"], comparable(&right).0["players"]);
    assert_eq!(state(&corrected).players["a1"].money, Some(3_100));
}

#[test]
fn sources_that_are_not_ranked_add_to_each_other() {
    let lines: Vec<String> = vec![kill_by("one", 10, "a1", "b1"), kill_by("two", 11, "a1", "b1")];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(kills_of(&folded(&[&RIGHT[..6], &lines].concat())), [2, 0, 0, 0]);
}

/// Cannot be asked about a map with so many kills or more.
#[derive(Debug)]
struct Upset(usize);

impl Predictor for Upset {
    fn predict(&self, play: &dyn Play, model: &str) -> Result<Option<Prediction>, Unavailable> {
        let state: &cs::State = play.as_any().downcast_ref().unwrap();
        if state.kills.len() >= self.0 { Err(Unavailable) } else { Ok(play.predict(model)) }
    }
}

#[test]
fn a_model_that_cannot_be_asked_leaves_the_last_prediction_as_stale() {
    let (subject, records) = arrived(&RIGHT[..7]);
    let fold_by = |predictor: Arc<dyn Predictor>| {
        Fold::of(&Games::default().with_predictor(predictor), &subject, &records)
    };
    let well = fold_by(Arc::new(Plain));
    let upset = fold_by(Arc::new(Upset(1)));
    assert!(upset.has_gaps() && !well.has_gaps());
    // Those that were made are the same.
    let made = upset.predictions.len();
    assert_eq!(upset.predictions[..], well.predictions[..made]);
    assert_eq!(well.predictions.len(), made + 1);
    let latest = upset.play.course().prediction.clone().unwrap();
    assert_eq!((&latest.prediction, latest.stale), (upset.predictions.last().unwrap(), true));
    // The rest of the state is as it would be.
    let without = |fold: &Fold| {
        let mut state = state(fold).clone();
        state.course.prediction = None;
        state
    };
    assert_eq!(without(&upset), without(&well));
    // Folded again without a model, it keeps what it had.
    let mut again = fold_by(Arc::new(Upset(0)));
    assert!(again.predictions.is_empty() && again.play.course().prediction.is_none());
    again.keep_latest(&well);
    let kept = again.play.course().prediction.clone().unwrap();
    assert_eq!((kept.prediction.seq, kept.stale), (7, true));
    // Where nothing is missing there is nothing to keep.
    let mut fresh = fold_by(Arc::new(Plain));
    fresh.keep_latest(&upset);
    assert_eq!(fresh.play.to_json(), well.play.to_json());
}
