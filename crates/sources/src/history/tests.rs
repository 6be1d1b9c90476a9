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
    assert_eq!(history.unknown.len(), 3, "a seed and two sets: {:?}", history.unknown);
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

/// The events of lines, or what is wrong with one.
fn of_lines(lines: &[&str]) -> Result<Vec<Event>, ndjson::Unfit> {
    let read = |line: &&str| ndjson::read(&about(), &Games::default(), line, &mut exchange);
    Ok(lines.iter().map(read).collect::<Result<Vec<_>, _>>()?.concat())
}

/// A match as a line, with this result.
fn line(id: &str, result: &serde_json::Value) -> String {
    let team = |name: &str, account: &str| json!({"id": name.to_lowercase(), "name": name, "players": [{"account": account, "name": "One"}]});
    let teams = [team("Alpha", "steam:1"), team("Bravo", "steam:2")];
    json!({
        "match": id, "ended": "2026-01-31", "teams": teams, "result": result, "tournament": "cup",
        "score": [2, 1], "best_of": 3, "stage": "Final",
    })
    .to_string()
}

#[test]
fn lines_are_matches_with_every_kind_of_result() {
    use Ending::{
        Abandoned, Bye, Cancelled, Disqualified, Drawn, Lost, LostByForfeit, NoShow, Won,
        WonByForfeit,
    };
    for (result, endings) in [
        (json!({"won": 0}), [Won, Lost]),
        (json!({"won": 1}), [Lost, Won]),
        (json!("drawn"), [Drawn, Drawn]),
        (json!({"forfeited": {"team": 1}}), [WonByForfeit, LostByForfeit]),
        (json!({"forfeited": {"team": 0, "how": "no_show"}}), [NoShow, WonByForfeit]),
        (json!({"forfeited": {"team": 0, "how": "disqualified"}}), [Disqualified, WonByForfeit]),
        (json!({"bye": 0}), [Bye, Bye]),
        (json!("cancelled"), [Cancelled, Cancelled]),
        (json!("abandoned"), [Abandoned, Abandoned]),
    ] {
        let line = line("m1", &result);
        let line = if result == "drawn" { line.replace("[2,1]", "[1,1]") } else { line };
        let has_second_won = result == json!({"won": 1});
        let line = if has_second_won { line.replace("[2,1]", "[1,2]") } else { line };
        let events = of_lines(&[&line, &line]).unwrap();
        let outcome = &outcomes(&events)["old-m1"];
        assert_eq!(outcome.sides.each_ref().map(|side| side.ending), endings, "{result}");
        assert_eq!((&*outcome.game, outcome.tournament.as_deref()), ("cs2", Some("old-cup")));
        assert_eq!(outcome.ended.to_string(), "2026-01-31T00:00:00.000Z");
        let first: Vec<&str> = outcome.sides[0].members.keys().map(String::as_str).collect();
        assert_eq!((first, outcome.sides[0].team.as_deref()), (vec!["p-steam-1"], Some("alpha")));
    }
    let begun =
        line("m1", &json!("abandoned")).replace("\"best_of\"", "\"begun\":true,\"best_of\"");
    assert!(outcomes(&of_lines(&[&begun]).unwrap())["old-m1"].sides[0].has_played);
}

#[test]
fn lines_are_tournaments_and_events() {
    let cup = r#"{"tournament": "cup", "name": "Cup", "season": "s1", "starts": "2026-01-01", "ended": "2026-01-02T10:00:00Z",
        "entrants": [{"player": "steam:1"}, {"team": {"id": "a", "players": ["steam:2"]}}],
        "placements": [{"entrant": {"team": "a"}, "place": 1}, {"entrant": {"player": "steam:1"}, "place": 2}]}"#;
    let recorded = |lines: &[&str]| recorded(&of_lines(lines).unwrap());
    let of_cup = |lines: &[&str]| {
        let streams = recorded(lines);
        let subject = Subject::parse("tournament/old-cup").unwrap();
        Chronicle::<tournament::State>::of(&streams[&subject])
    };
    let cup_of = of_cup(&[cup, cup]);
    assert_eq!((cup_of.state.status, cup_of.notes.anomaly_count), (tournament::Status::Ended, 0));
    assert_eq!(cup_of.state.players["p-steam-1"].place, Some(2));
    assert!(cup_of.state.teams["a"].members.contains("p-steam-2"));
    let cancelled = cup.replace("\"season\"", "\"cancelled\": true, \"season\"");
    assert_eq!(of_cup(&[&cancelled]).state.status, tournament::Status::Cancelled);
    // An event as another log has exported it, of another source and with a place of its own.
    let exported = r#"{"seq": 7, "recordedtime": "2026-01-01T00:00:00Z", "leaf": "l", "chain": "c", "specversion": "1.0",
        "id": "7", "source": "feed", "subject": "match/m2", "type": "series.ended", "sequence": "00007", "data": {"winner": 1}}"#;
    let streams = recorded(&[exported, exported]);
    let stored = &streams[&Subject::parse("match/m2").unwrap()][0].stored;
    let event = Attributes::read(stored).unwrap();
    assert_eq!((&*event.source, event.sequence), ("import/1", None));
    assert_eq!(streams.values().map(Vec::len).sum::<usize>(), 1);
}

#[test]
fn what_is_wrong_with_a_line_is_told() {
    let good = line("m1", &json!({"won": 0}));
    let event = |subject: &str, tag: &str, data: &str| {
        format!(
            r#"{{"specversion": "1.0", "id": "7", "source": "feed", "subject": "{subject}", "type": "{tag}", "data": {data}}}"#
        )
    };
    for (line, error) in [
        ("{".to_owned(), "EOF while parsing"),
        ("[]".into(), "a match with `match`, a tournament"),
        ("{\"a\": 1}".into(), "a match with `match`, a tournament"),
        (good.replace("\"match\"", "\"match\":\"x\",\"match\""), "duplicate field `match`"),
        (good.replace("\"score\"", "\"scoer\""), "unknown field `scoer`"),
        (good.replace("\"won\":0", "\"won\":2"), "2 is no index of a team"),
        (good.replace("2026-01-31", "yesterday"), "time \"yesterday\" must be RFC 3339"),
        (good.replace("2026-01-31", "2026-02-31"), "or, as its first moment, a day: 2026-01-31"),
        (line("m1", &json!("drawn")), "drawn cannot have the score 2:1"),
        (good.replace("steam:1", "One"), "account \"One\" must have its system and a colon"),
        (good.replace("steam:1", &"x:".repeat(100)), "at most 128 characters"),
        (good.replace("\"m1\"", "\"m 1\""), "segment \"old-m 1\""),
        (good.replace("\"cup\"", "\"a cup\""), "a name must match"),
        (
            event("player/p1", "player.friended", r#"{"player": "p2"}"#),
            "player/p1 is no stream of a match",
        ),
        (
            event("match/m1", "event.voided", r#"{"seq": 1}"#),
            "event.voided names other events by their seq",
        ),
        (event("match/m1", "series.licked", "{}"), "series.licked"),
        (event("match/m1", "series.ended", r#"{"winner": 3}"#), "data of series.ended"),
        (
            event("match/m1", "series.ended", "{}").replace("\"id\": \"7\"", "\"id\": \"\""),
            "id must be",
        ),
    ] {
        let told = of_lines(&[&line]).expect_err(&line).to_string();
        assert!(told.contains(error), "{told} should say {error} of {line}");
    }
}

proptest! {
    #[test]
    fn any_line_is_read_or_refused(line in ".*", field in "match|tournament|specversion", value in ".*") {
        let object = json!({field: value}).to_string();
        for line in [line, object] {
            let _ = ndjson::read(&about(), &Games::default(), &line, &mut exchange);
        }
    }
}
