//! Logs of whole matches.

use std::collections::BTreeMap;

use matchwire_domain::{
    envelope::Recorded,
    live_match::{Games, Status, cs::State},
    subject::Subject,
    timeline::Fold,
};
use matchwire_sources::{Headers, cs_log::CsLog};

use crate::{recording, server};

type Server = server::Server<CsLog>;

/// File, score (counter-terrorists, terrorists), rounds.
const LOGS: [(&str, u16, u16); 4] = [
    ("navi-vitality-nuke-2021-11-28.log", 6, 16),
    ("cs2-inferno-2026-01-19.log", 2, 13),
    ("lan-2018-map1-overpass.log", 14, 16),
    ("lan-2018-map2-train.log", 5, 16),
];

fn log(name: &str) -> Option<Vec<u8>> {
    recording(&format!("cs-server-logs/{name}"))
}

/// The headers of a post at a place of a feed.
fn offsets(feed: &str, begin: usize, len: usize) -> Headers {
    let header = |name: &str, value: String| (name.to_owned(), value);
    Headers::from([
        header("x-server-instance-token", feed.to_owned()),
        header("x-logbytes-beginoffset", begin.to_string()),
        header("x-logbytes-endoffset", (begin + len).to_string()),
    ])
}

/// Winner (by side) and notice of every round that counts, read from the log in the simplest way.
fn rounds_told(log: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(log);
    let end = text.find("Game Over:").unwrap();
    let start = text[..end].rfind("\"Match_Start\"").unwrap();
    let rounds = text[start..end].lines().filter(|line| line.contains("\"SFUI_Notice_"));
    rounds
        .map(|line| {
            let parts: Vec<&str> = line.split('"').collect();
            let side = if parts[1] == "CT" { "CT" } else { "T" };
            (side.into(), parts[3].trim_start_matches("SFUI_Notice_").into())
        })
        .collect()
}

fn reason_told(notice: &str) -> &'static str {
    match notice {
        "CTs_Win" | "Terrorists_Win" => "elimination",
        "Target_Bombed" => "bomb_exploded",
        "Bomb_Defused" => "bomb_defused",
        "Target_Saved" => "time_ran_out",
        other => panic!("{other}"),
    }
}

fn check(state: &State, log: &[u8], ct: u16, t: u16) {
    assert_eq!(state.course.status, Status::Ended);
    assert_eq!((state.score().ct, state.score().t), (ct, t));
    let winner = &state.teams[state.course.winner.unwrap()];
    assert_eq!(winner.score, ct.max(t));
    let rounds: Vec<(String, String)> = state
        .rounds
        .values()
        .map(|round| {
            let json = serde_json::to_value(round).unwrap();
            (json["side"].as_str().unwrap().into(), json["reason"].as_str().unwrap().into())
        })
        .collect();
    let told: Vec<(String, String)> = rounds_told(log)
        .into_iter()
        .map(|(side, notice)| (side, reason_told(&notice).into()))
        .collect();
    assert_eq!(rounds, told);
    assert_eq!(state.rounds.len(), usize::from(ct + t));
    let won = |team| state.rounds.values().filter(|round| round.winner == team).count();
    assert_eq!([won(0), won(1)], state.teams.clone().map(|team| usize::from(team.score)));
    assert_eq!(state.course.anomalies, [], "{:#?}", state.course.anomalies);
    for team in [0, 1] {
        let players = state.players.values().filter(|p| p.team == Some(team) && p.tally.deaths > 0);
        assert_eq!(players.count(), 5);
    }
}

#[test]
fn whole_logs_reach_their_results() {
    for (name, ct, t) in LOGS {
        let Some(log) = log(name) else { continue };
        let mut server = Server::new(CsLog);
        let first = server.post(Some(1), &Headers::new(), &log);
        check(&server.state(1), &log, ct, t);
        let again = server.post(Some(1), &Headers::new(), &log);
        assert_eq!((again.appended, again.duplicate), (0, first.appended), "{name} sent again");
    }
}

#[test]
fn any_cut_gives_the_same_state() {
    for (name, ct, t) in LOGS {
        let Some(log) = log(name) else { continue };
        let mut whole = Server::new(CsLog);
        whole.post(Some(1), &offsets("f", 0, log.len()), &log);
        let state = whole.state(1);
        check(&state, &log, ct, t);
        for size in [97, 1_000, 65_536] {
            let mut server = Server::new(CsLog);
            for (i, part) in log.chunks(size).enumerate() {
                server.post(Some(1), &offsets("f", i * size, part.len()), part);
            }
            assert_eq!(server.state(1), state, "{name} in posts of {size}");
        }
        let mut server = Server::new(CsLog);
        let mut begin = 0;
        for line in log.split_inclusive(|b| *b == b'\n') {
            server.post(Some(1), &offsets("f", begin, line.len()), line);
            let again = server.post(Some(1), &offsets("f", begin, line.len()), line);
            assert_eq!(again.appended, 0);
            begin += line.len();
        }
        assert_eq!(server.state(1), state, "{name} line by line");
        assert_eq!(server.streams, whole.streams, "{name} line by line");
    }
}

#[test]
fn a_series_counts_its_maps() {
    for order in [[2, 3, 1], [0, 1, 2], [3, 0, 2]] {
        let mut server = Server::new(CsLog);
        let logs: Option<Vec<_>> = order.iter().map(|i| log(LOGS[*i].0)).collect();
        let Some(logs) = logs else { return };
        for (i, log) in logs.iter().enumerate() {
            server.post(None, &offsets(&format!("feed{i}"), 0, log.len()), log);
        }
        for (map, (log, i)) in (1..).zip(logs.iter().zip(order)) {
            check(&server.state(map), log, LOGS[i].1, LOGS[i].2);
        }
        assert_eq!(server.state(4).course.seq, 0);
    }
}

#[test]
fn posts_out_of_order_give_the_same_facts() {
    for (name, ct, t) in LOGS {
        let Some(log) = log(name) else { continue };
        let mut whole = Server::new(CsLog);
        whole.post(None, &offsets("f", 0, log.len()), &log);
        let mut server = Server::new(CsLog);
        let size = 20_000;
        let mut parts: Vec<(usize, &[u8])> = log.chunks(size).enumerate().collect();
        let last = parts.len() - 1;
        for pair in parts[1..last].chunks_mut(2) {
            pair.reverse();
        }
        for (i, part) in parts {
            server.post(None, &offsets("f", i * size, part.len()), part);
        }
        let (mut state, straight) = (server.state(1), whole.state(1));
        assert!(state.course.anomalies.iter().any(|a| a.kind == "gap"), "{name}");
        assert!(state.course.anomalies.iter().any(|a| a.kind == "late"), "{name}");
        state.course.anomalies.clear();
        assert_eq!((state.score().ct, state.score().t), (ct, t), "{name}");
        // Ids are given in the order in which people are first heard of.
        let rounds = |state: &State| {
            let mut rounds = state.rounds.clone();
            for clutch in rounds.values_mut().flat_map(|round| &mut round.clutches) {
                clutch.player = state.players[&clutch.player].name.shown().unwrap();
            }
            rounds
        };
        assert_eq!(rounds(&state), rounds(&straight), "{name}");
        let tallies = |state: &State| -> BTreeMap<String, _> {
            state.players.values().map(|p| (p.name.shown().unwrap_or_default(), p.tally)).collect()
        };
        assert_eq!(tallies(&state), tallies(&straight), "{name}");
    }
}

#[test]
fn a_series_goes_on_without_the_end_of_a_map() {
    let logs: Option<Vec<_>> = [2, 3].iter().map(|i| log(LOGS[*i].0)).collect();
    let Some(logs) = logs else { return };
    let both = logs.concat();
    let over = both.windows(10).position(|bytes| bytes == b"Game Over:").unwrap();
    let cuts = [0, over - 8_000, over + 16_000, over + 40_000, both.len()];
    let part = |i: usize| (cuts[i], &both[cuts[i]..cuts[i + 1]]);
    // Two posts change places, and the map's end comes after the next map has begun.
    let mut server = Server::new(CsLog);
    for (begin, bytes) in [0, 2, 1, 3].map(part) {
        server.post(None, &offsets("f", begin, bytes.len()), bytes);
    }
    for (map, i) in [(1, 2), (2, 3)] {
        let state = server.state(map);
        assert_eq!((state.score().ct, state.score().t), (LOGS[i].1, LOGS[i].2));
        assert_eq!(state.course.status, Status::Ended);
    }
    // Or it never comes: the next map is not lost with it.
    let mut server = Server::new(CsLog);
    for (begin, bytes) in [0, 2, 3].map(part) {
        server.post(None, &offsets("f", begin, bytes.len()), bytes);
    }
    check(&server.state(2), &logs[1], LOGS[3].1, LOGS[3].2);
}

/// A number of a table that has no fraction.
fn whole(number: f64) -> u64 {
    format!("{number:.0}").parse().unwrap()
}

/// A server's own table before the end: by account, what it says of a few fields.
fn table_told(log: &[u8]) -> BTreeMap<String, BTreeMap<String, f64>> {
    let text = String::from_utf8_lossy(log);
    let end = text.find("Game Over:").unwrap();
    let table = &text[text[..end].rfind("JSON_BEGIN{").unwrap()..end];
    let columns = |line: &str| -> Vec<String> {
        let (_, row) = line.split_once(" : \"").unwrap();
        row.trim_end_matches(['"', ',']).split(',').map(|cell| cell.trim().to_owned()).collect()
    };
    let fields = table.lines().find(|line| line.contains("\"fields\"")).map(columns).unwrap();
    let rows = table.lines().filter(|line| line.contains("\"player_")).map(columns);
    let row = |cells: Vec<String>| {
        let cells: BTreeMap<String, f64> = fields
            .iter()
            .zip(cells)
            .filter_map(|(field, cell)| Some((field.clone(), cell.parse().ok()?)))
            .collect();
        (format!("steam:{}", 76_561_197_960_265_728 + whole(cells["accountid"])), cells)
    };
    rows.map(row).collect()
}

/// What is derived is what the server itself counted, where it counts the same.
#[test]
fn statistics_agree_with_the_servers_own_table() {
    let (name, ..) = LOGS[1];
    let Some(log) = log(name) else { return };
    let mut server = Server::new(CsLog);
    server.post(Some(1), &Headers::new(), &log);
    let subject = Subject::match_map("m", 1).unwrap();
    let stream = &server.streams[&subject];
    let is_table =
        |event: &Recorded| String::from_utf8_lossy(&event.stored).contains("\"round\":15,");
    let table = stream.iter().rposition(is_table).unwrap();
    let fold = Fold::of(&Games::default(), &subject, &stream[..=table]);
    let state: &State = fold.state().unwrap();
    let mut compared = 0;
    for (account, told) in table_told(&log) {
        let Some(id) = server.accounts.get(&account) else { continue };
        let Some(player) = state.players.get(id) else { continue };
        let tally = player.tally;
        let check = |what: &str, ours: u32| {
            assert_eq!(u64::from(ours), whole(told[what]), "{what} of {account}");
        };
        check("kills", tally.kills.into());
        check("deaths", tally.deaths.into());
        check("assists", tally.assists.into());
        check("dmg", tally.damage);
        check("firstk", tally.opening_kills.into());
        // The table cuts fire to whole points in another way than the lines do.
        assert!((f64::from(tally.utility_damage) - told["ud"]).abs() <= 2.0, "{tally:?} {told:?}");
        // It shows the rate in whole points.
        let adr = f64::from(tally.damage) / f64::from(tally.rounds);
        assert!((adr - told["adr"]).abs() <= 0.5, "{adr} {told:?}");
        compared += 1;
    }
    assert_eq!(compared, 10);
}
