//! Histories become the events of matches and tournaments, whichever side tells and however often.

use std::collections::{BTreeMap, BTreeSet};

use matchwire_domain::{
    chain::Digest,
    envelope::{Attributes, Event, Recorded},
    live_match::Games,
    outcome::{Ending, Outcome},
    series,
    subject::Kind,
    timeline::{Chronicle, Fold},
    timestamp::Timestamp,
    tournament, vocabulary,
};
use proptest::{collection::vec, prelude::*};
use serde_json::json;

use super::*;

fn about() -> About {
    let game = Name::new("cs2".into());
    About { source: "import/1".into(), prefix: "old-".into(), game }
}

fn exchange(account: &str) -> String {
    format!("p-{}", account.replace(':', "-"))
}

/// Streams as a log would have them: duplicates are dropped, and every event is one that is admitted.
fn recorded(events: &[Event]) -> BTreeMap<Subject, Vec<Recorded>> {
    let mut streams: BTreeMap<Subject, Vec<Recorded>> = BTreeMap::new();
    let mut known = BTreeSet::new();
    for event in events {
        let json = std::str::from_utf8(&event.stored).unwrap();
        let attributes = Attributes::parse(json).unwrap();
        let mut exchange = |person: &str| {
            assert!(!person.contains(':'), "{person} is no player id");
            person.to_owned()
        };
        vocabulary::admit(&Games::default(), &attributes, &mut exchange, &|_, name| name.clone())
            .unwrap();
        if !known.insert((event.subject.clone(), event.id.clone())) {
            continue;
        }
        let stream = streams.entry(event.subject.clone()).or_default();
        let (seq, leaf) = (stream.len() as u64 + 1, Digest::leaf(&event.stored));
        let recorded = Timestamp::from_ms(0);
        stream.push(Recorded { seq, recorded, leaf, chain: leaf, stored: event.stored.clone() });
    }
    streams
}

/// How each match ended, by its name.
fn outcomes(events: &[Event]) -> BTreeMap<String, Outcome> {
    let games = Games::default();
    let streams = recorded(events);
    let of_match = |(subject, records): (&Subject, &Vec<Recorded>)| {
        let Kind::Match(id) = subject.kind() else { return None };
        let fold = Fold::of(&games, subject, records);
        let series = fold.state::<series::State>().unwrap();
        assert!(series.course.anomalies.is_empty(), "{:?}", series.course.anomalies);
        Some((id.to_owned(), Outcome::of(&games, series, &[])?))
    };
    streams.iter().filter_map(of_match).collect()
}

fn rows(table: &str) -> Result<Vec<Event>, team_results::Unfit> {
    let mut lines = table.lines().map(|line| line.trim().split(',').collect::<Vec<_>>());
    let columns = team_results::Columns::of(lines.next().unwrap().into_iter()).unwrap();
    let mut events = Vec::new();
    for row in lines {
        let cell = |column: usize| row.get(column).copied();
        events.extend(columns.read(&about(), cell, &mut exchange)?);
    }
    Ok(events)
}

const HEADER: &str = "match_id,date,team,opponent,result,players,tournament";

#[test]
fn a_match_is_one_from_whichever_side() {
    let (own, other) =
        ("7,2026-01-02,Zulu,Alpha,W,z1;z2,cup", "7,2026-01-02,Alpha,Zulu,L,a1;a2,cup");
    let both = outcomes(&rows(&format!("{HEADER}\n{own}\n{other}")).unwrap());
    assert_eq!(both.len(), 1);
    let outcome = &both["old-7"];
    assert_eq!(outcome.ended, Timestamp::parse("2026-01-02T00:00:00Z").unwrap());
    assert_eq!((&*outcome.game, outcome.tournament.as_deref()), ("cs2", Some("cup")));
    let [alpha, zulu] = &outcome.sides;
    assert_eq!((alpha.team.as_deref(), alpha.ending), (Some("Alpha"), Ending::Lost));
    assert_eq!((zulu.team.as_deref(), zulu.ending), (Some("Zulu"), Ending::Won));
    let members =
        |side: &matchwire_domain::outcome::Side| side.members.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        (members(alpha), members(zulu)),
        (
            vec!["p-name-a1".into(), "p-name-a2".into()],
            vec!["p-name-z1".into(), "p-name-z2".into()]
        )
    );
    // In the other order, and again.
    let again = outcomes(&rows(&format!("{HEADER}\n{other}\n{own}\n{other}")).unwrap());
    assert_eq!(again, both);
    let alone = &outcomes(&rows(&format!("{HEADER}\n{other}")).unwrap())["old-7"];
    assert_eq!(alone.sides.each_ref().map(|side| side.ending), [Ending::Lost, Ending::Won]);
    assert!(alone.sides[1].members.is_empty());
    let drawn = outcomes(&rows(&format!("{HEADER}\n{}", own.replace(",W,", ",D,"))).unwrap());
    assert_eq!(drawn["old-7"].sides[0].ending, Ending::Drawn);
}

#[test]
fn a_row_that_is_no_result_says_why() {
    let refused = |row: &str| rows(&format!("{HEADER}\n{row}")).unwrap_err().to_string();
    for (row, why) in [
        ("a b,2026-01-02,A,B,W,x,", "segment"),
        ("1,yesterday,A,B,W,x,", "date \"yesterday\""),
        ("1,2026-01-02,A,A,W,x,", "between two teams"),
        ("1,2026-01-02,A,,W,x,", "between two teams"),
        ("1,2026-01-02,A,B,won,x,", "W, L or D"),
        ("1,2026-01-02,A,B,W,x,a cup", "is no name"),
    ] {
        assert!(refused(row).contains(why), "{row}: {}", refused(row));
    }
    let no_players = team_results::Columns::of("match_id,date,team,opponent,result".split(','));
    assert!(no_players.unwrap_err().to_string().contains("`players`"));
}

/// A bracket of three: a set that was played and is listed twice, one that was lost by disqualification, one
/// that is not played, one that is open, and one against somebody without an account.
fn bracket(sets: &serde_json::Value) -> [Vec<u8>; 4] {
    [
        json!({"event_id": 9, "tournament_name": "Cup", "event_name": "Singles", "status": "completed", "timestamp": 100}),
        json!({"data": [{"user_id": 1}, {"user_id": 2}, {"user_id": 3}, {"user_id": "?"}]}),
        json!({"data": sets}),
        json!({"data": [{"user_id": 1, "placement": 1}, {"user_id": 2, "placement": 2}, {"user_id": 3, "placement": 2}]}),
    ]
    .map(|file| file.to_string().into_bytes())
}

fn read(files: &[Vec<u8>; 4]) -> Result<startgg::History, startgg::Error> {
    let [attr, seeds, matches, standings] = files;
    startgg::read(&about(), &startgg::Bracket { attr, seeds, matches, standings }, &mut exchange)
}

fn set(ids: [Option<u64>; 2], score: [i64; 2], round: i64, state: i64) -> serde_json::Value {
    let [winner_id, loser_id] = ids;
    let [winner_score, loser_score] = score;
    json!({
        "winner_id": winner_id, "loser_id": loser_id, "winner_score": winner_score, "loser_score": loser_score,
        "round": round, "round_text": "R", "phase": "1", "dq": loser_score < 0, "cancel": false, "state": state,
    })
}

#[test]
fn a_bracket_is_a_tournament_and_its_matches() {
    let played = set([Some(2), Some(1)], [3, 1], 1, 3);
    let mut cancelled = set([Some(1), Some(3)], [0, 0], -3, 3);
    cancelled["cancel"] = true.into();
    let sets = json!([
        set([Some(1), Some(2)], [3, 2], 2, 3), played, played, set([Some(3), Some(2)], [0, -1], -4, 3),
        cancelled, set([Some(2), Some(3)], [0, 0], 3, 1), set([Some(3), None], [0, -1], 1, 3),
        set([None, None], [0, 0], 1, 3), {"winner_id": "x"},
    ]);
    let history = read(&bracket(&sets)).unwrap();
    assert_eq!(history.unknown, 3, "a seed and two sets");
    let outcomes = outcomes(&history.events);
    // With the part of the name by which they are in the order of play.
    let ending = |(id, outcome): (&String, &Outcome)| {
        let [first, second] = outcome.sides.each_ref().map(|side| side.ending);
        format!("{} {first:?} {second:?}", id.split('-').nth(2).unwrap())
    };
    let mut endings: Vec<String> = outcomes.iter().map(ending).collect();
    assert!(endings.is_sorted_by_key(|ending| ending[..3].to_owned()));
    endings.sort();
    let all = [
        "b02 Lost Won",
        "b02 WonByForfeit Disqualified",
        "b03 Cancelled Cancelled",
        "b04 Disqualified WonByForfeit",
        "b04 Won Lost",
    ];
    assert_eq!(endings, all);
    let solo = outcomes.values().next().unwrap();
    assert!(!solo.is_team && solo.tournament.as_deref() == Some("old-9"));
    let streams = recorded(&history.events);
    let state =
        Chronicle::<tournament::State>::of(&streams[&Subject::parse("tournament/old-9").unwrap()])
            .state;
    assert_eq!(
        (state.name.as_deref(), state.status),
        (Some("Cup: Singles"), tournament::Status::Ended)
    );
    assert_eq!(state.players["p-startgg-3"].place, Some(2));
    // A set whose result has changed is the same match.
    let changed = json!([set([Some(2), Some(1)], [3, 2], 2, 3)]);
    let other = read(&bracket(&changed)).unwrap();
    assert!(outcomes.contains_key(self::outcomes(&other.events).keys().next().unwrap()));
}

#[test]
fn what_is_no_bracket_is_refused() {
    let mut files = bracket(&json!([]));
    files[2] = b"[]".to_vec();
    assert!(read(&files).unwrap_err().to_string().starts_with("matches is no file"));
    files[0] = b"{}".to_vec();
    assert!(read(&files).unwrap_err().to_string().starts_with("attr is no file"));
}

prop_compose! {
    fn any_set()(
        winner in prop::option::of(any::<u64>()), loser in prop::option::of(0_u64..3), round: i64, state: i64,
        scores: [i64; 2], text in "\\PC{0,200}", cancel: bool,
    ) -> serde_json::Value {
        let mut set = set([winner, loser], scores, round, state);
        set["phase"] = text.clone().into();
        set["round_text"] = text.into();
        set["cancel"] = cancel.into();
        set
    }
}

proptest! {
    /// Whatever stands in a file, what is told of it is what can be admitted.
    #[test]
    fn hostile_files(
        sets in vec(any_set(), 0..8), row in vec("\\PC{0,150}", 7), event_id: u64, seconds: i64,
        file in vec(any::<u8>(), 0..40),
    ) {
        let mut files = bracket(&json!(sets));
        files[0] = json!({"event_id": event_id, "timestamp": seconds}).to_string().into_bytes();
        recorded(&read(&files).unwrap().events);
        files[1] = file;
        prop_assert!(read(&files).is_err());
        let columns = team_results::Columns::of(HEADER.split(',')).unwrap();
        let cell = |column: usize| row.get(column).map(String::as_str);
        if let Ok(events) = columns.read(&about(), cell, &mut exchange) {
            recorded(&events);
        }
        // With what must be right, the rest may be anything.
        let right = ["1", "2026-01-02", &row[2], &row[3], "W", &row[5], ""];
        let cell = |column: usize| right.get(column).copied();
        if let Ok(events) = columns.read(&about(), cell, &mut exchange) {
            recorded(&events);
        }
    }
}
