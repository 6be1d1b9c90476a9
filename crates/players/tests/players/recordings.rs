//! Real tournaments: what is counted of them is what is counted in the files by other means.
//!
//! They are not part of the project: they are read from `../shared/recordings` beside it, or from
//! the folder that `MATCHWIRE_RECORDINGS` names.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use matchwire_domain::{outcome::Ending, series::Name};
use matchwire_players::{
    rating::System,
    statistics::{Format, Reach, Span, Split, Tally},
};
use matchwire_sources::history::{
    About,
    startgg::{self, Bracket},
    team_results::Columns,
};
use serde_json::Value;

use crate::world::World;

/// A recording, if it is there.
fn recording(name: &str) -> Option<Vec<u8>> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/recordings");
    let folder = std::env::var_os("MATCHWIRE_RECORDINGS").map_or(beside, PathBuf::from);
    let path = folder.join("tournaments").join(name);
    let recording = std::fs::read(&path).ok();
    if recording.is_none() {
        let required = std::env::var_os("MATCHWIRE_RECORDINGS_REQUIRED").is_some();
        assert!(!required, "{} is not there", path.display());
        eprintln!("skipped: {} is not there", path.display());
    }
    recording
}

fn about(game: &str) -> About {
    About { source: "import/1".into(), prefix: "r-".into(), game: Name::new(game.into()) }
}

/// Played, won, lost, forfeits won, forfeits lost.
type Counts = [i64; 5];

/// What is counted of everyone, of whom something is.
fn counted(world: &World, game: &str) -> BTreeMap<String, Counts> {
    let split =
        Split { game: game.into(), span: Span::Always, format: Format::Both, reach: Reach::Others };
    let statistics = world.statistics();
    let ours = statistics.iter().filter(|(_, of, _)| **of == split);
    let counts = |tally: &Tally| {
        [tally.played, tally.won, tally.lost, tally.forfeits_won, tally.forfeits_lost]
    };
    let all = ours.map(|(player, _, record)| (player.to_owned(), counts(&record.tally)));
    all.filter(|(_, counts)| *counts != [0; 5]).collect()
}

/// Rows of the table, by the names of its columns.
fn rows(table: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(table);
    reader.deserialize().map(Result::unwrap).collect()
}

/// A world into which the rows of the table were imported, in this order.
fn imported(table: &[u8], order: impl Fn(&mut Vec<csv::StringRecord>)) -> World {
    let mut reader = csv::Reader::from_reader(table);
    let columns = Columns::of(reader.headers().unwrap().iter()).unwrap();
    let mut records: Vec<_> = reader.records().map(Result::unwrap).collect();
    order(&mut records);
    let mut world = World::new();
    let mut exchange = |account: &str| account.replacen("name:", "", 1);
    for record in &records {
        let cell = |column: usize| record.get(column);
        for event in columns.read(&about("cs2"), cell, &mut exchange).unwrap() {
            world.record(&event);
        }
    }
    world.follow_all();
    world
}

#[test]
fn team_matches_count_once_from_one_side_or_both() {
    let Some(table) = recording("cs2-team-results-2026.csv") else { return };
    let world = imported(&table, |_| ());
    // The same by other means: the first row of each match says who won, its rows who played.
    let rows = rows(&table);
    let mut teams: BTreeMap<&str, [i64; 2]> = BTreeMap::new();
    let mut matches: BTreeMap<&str, Vec<&BTreeMap<String, String>>> = BTreeMap::new();
    for row in &rows {
        matches.entry(&row["match_id"]).or_default().push(row);
    }
    let mut players: BTreeMap<String, Counts> = BTreeMap::new();
    for rows in matches.values() {
        let first = rows[0];
        let (won, lost) = match &*first["result"] {
            "W" => (&*first["team"], &*first["opponent"]),
            _ => (&*first["opponent"], &*first["team"]),
        };
        teams.entry(won).or_default()[0] += 1;
        teams.entry(lost).or_default()[1] += 1;
        let roster = |row: &BTreeMap<String, String>| -> BTreeSet<String> {
            row["players"].split(';').map(|name| name.trim().to_owned()).collect()
        };
        for row in rows {
            let others = rows.iter().filter(|other| other["team"] != row["team"]);
            let on_both: BTreeSet<String> = others.flat_map(|other| roster(other)).collect();
            for player in roster(row).difference(&on_both) {
                let counts = players.entry(player.clone()).or_default();
                counts[0] += 1;
                counts[if row["team"] == won { 1 } else { 2 }] += 1;
            }
        }
    }
    assert_eq!((rows.len(), matches.len(), teams.len()), (6_200, 4_665, 492));
    let mut ours: BTreeMap<String, [i64; 2]> = BTreeMap::new();
    let outcomes = world.outcomes();
    assert_eq!(outcomes.len(), matches.len());
    for side in outcomes.iter().flat_map(|outcome| &outcome.sides) {
        let counts = ours.entry(side.team.clone().unwrap()).or_default();
        counts[usize::from(side.ending == Ending::Lost)] += 1;
    }
    let theirs: BTreeMap<String, [i64; 2]> =
        teams.into_iter().map(|(team, counts)| (team.to_owned(), counts)).collect();
    assert_eq!(ours, theirs);
    assert_eq!(counted(&world, "cs2"), players);
    // The last row first, and every row twice.
    let again = imported(&table, |records| {
        records.reverse();
        records.extend(records.clone());
    });
    assert_eq!(counted(&again, "cs2"), players);
    assert_eq!(again.statistics(), world.statistics());
    assert_eq!(again.ratings, world.ratings);
    let rated = |system: System| world.ratings[&system].iter().count();
    println!("{} players, {:?} of them rated", players.len(), System::SERVED.map(rated));
}

/// A bracket by other means: a set that is listed twice is one, a disqualification is no result of play, and a
/// set against nobody with an account counts for the other one.
fn by_other_means(matches: &[u8]) -> BTreeMap<String, Counts> {
    let matches: Value = serde_json::from_slice(matches).unwrap();
    let mut seen = BTreeSet::new();
    let mut players: BTreeMap<String, Counts> = BTreeMap::new();
    for set in matches["data"].as_array().unwrap() {
        let told = ["winner_id", "loser_id", "round_text", "round", "phase"];
        if !seen.insert(told.map(|field| set[field].to_string())) {
            continue;
        }
        let is_dq = set["dq"] == true || set["loser_score"] == -1;
        assert!(set["cancel"] == false && set["state"] == 3);
        for (who, won) in [("winner_id", true), ("loser_id", false)] {
            let Some(id) = set[who].as_u64() else { continue };
            let counts = players.entry(id.to_string()).or_default();
            match (is_dq, won) {
                (true, true) => counts[3] += 1,
                (true, false) => counts[4] += 1,
                (false, true) => counts[1] += 1,
                (false, false) => counts[2] += 1,
            }
            counts[0] += i64::from(!is_dq);
        }
    }
    players
}

#[test]
fn brackets_with_their_disqualifications() {
    // Entrants with an account and without one, and sets, each once.
    let folders = [
        ("startgg-az_ultimate_arcadian_2024", 115, 0, 310),
        ("startgg-behind_schedule__1", 11, 0, 20),
        ("startgg-luminosity_makes_moves_miami_2024", 362, 3, 725),
    ];
    for (folder, entrants, nameless, sets) in folders {
        let file = |name: &str| recording(&format!("{folder}/{name}.json"));
        let [Some(attr), Some(seeds), Some(matches), Some(standings)] =
            ["attr", "seeds", "matches", "standings"].map(file)
        else {
            return;
        };
        let bracket =
            Bracket { attr: &attr, seeds: &seeds, matches: &matches, standings: &standings };
        let mut exchange = |account: &str| account.replacen("startgg:", "", 1);
        let history = startgg::read(&about("ssbu"), &bracket, &mut exchange).unwrap();
        let unknown = history.unknown.len();
        assert_eq!(unknown, 2 * nameless, "in the seeds and in the standings");
        let mut world = World::new();
        for event in history.events.iter().rev().chain(&history.events) {
            world.record(event);
        }
        world.follow_all();
        assert_eq!(world.outcomes().len(), sets);
        assert_eq!(counted(&world, "ssbu"), by_other_means(&matches), "{folder}");
        // Everyone has joined, and has the place that the standings say.
        let statistics = world.statistics();
        let joined = statistics.iter().filter(|(_, split, record)| {
            matches!(split.span, Span::Tournament(_))
                && (split.format, split.reach) == (Format::Solo, Reach::Own)
                && record.tally.tournaments == 1
        });
        assert_eq!(joined.count(), entrants);
        let standings: Value = serde_json::from_slice(&standings).unwrap();
        let first = |placed: &&Value| placed["placement"] == 1;
        let winners: Vec<String> = standings["data"]
            .as_array()
            .unwrap()
            .iter()
            .filter(first)
            .map(|placed| placed["user_id"].to_string())
            .collect();
        let won = statistics.iter().filter(|(_, split, record)| {
            matches!(split.span, Span::Tournament(_))
                && (split.format, split.reach) == (Format::Solo, Reach::Own)
                && record.tally.tournaments_won == 1
        });
        assert_eq!(won.map(|(player, ..)| player.to_owned()).collect::<Vec<_>>(), winners);
    }
}
