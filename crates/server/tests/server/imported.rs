//! Real histories, imported into a real server and taken back: what is counted is what is counted in the files by
//! other means. They are read from the folder that `MATCHWIRE_RECORDINGS` names.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::process::{Server, matchwire};

/// Where the histories are, if they are there.
fn tournaments() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/recordings");
    let folder = std::env::var_os("MATCHWIRE_RECORDINGS").map_or(beside, PathBuf::from);
    let folder = folder.join("tournaments");
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var_os("MATCHWIRE_RECORDINGS_REQUIRED").is_some();
    assert!(!required, "{} is not there", folder.display());
    eprintln!("skipped: {} is not there", folder.display());
    None
}

/// `players import` with `--json`; what it came to.
fn import(server: &Server, arguments: &[&str], files: &[PathBuf]) -> Value {
    let output = matchwire()
        .args(["players", "import", "--yes", "--json", "--server", &server.url()])
        .args(arguments)
        .args(files)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Takes an import back; how it stands then.
fn revoke(server: &Server, name: &str) -> Value {
    let output = matchwire()
        .args(["players", "import", "revoke", name, "--yes", "--json", "--server", &server.url()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The name of a folder, which is that of its import and its game, too.
fn name(folder: &Path) -> &str {
    folder.file_name().unwrap().to_str().unwrap()
}

/// How many matches each player of a game has won, the most first; players are not to be seen.
async fn board(server: &Server, game: &str) -> Vec<u64> {
    let (mut won, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/leaderboards/{game}?limit=50&after={after}");
        let page = server.viewed(&path).await;
        let players = page["players"].as_array().unwrap();
        won.extend(players.iter().map(|player| player["won"].as_u64().unwrap()));
        after += players.len();
        if players.is_empty() {
            return won;
        }
    }
}

/// How many matches each player of the table has won, by other means: the first row of a match says who won, its
/// rows who played; who is on both sides is on neither.
fn won_in(table: &Path) -> Vec<u64> {
    let mut reader = csv::Reader::from_path(table).unwrap();
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    let mut matches: BTreeMap<&str, Vec<&BTreeMap<String, String>>> = BTreeMap::new();
    for row in &rows {
        matches.entry(&row["match_id"]).or_default().push(row);
    }
    assert_eq!(matches.len(), 4_665);
    let mut won: BTreeMap<&str, u64> = BTreeMap::new();
    for rows in matches.values() {
        let winner = if rows[0]["result"] == "W" { &rows[0]["team"] } else { &rows[0]["opponent"] };
        let roster = |is_winner: bool| -> BTreeSet<&str> {
            let own = rows.iter().filter(|row| (row["team"] == *winner) == is_winner);
            own.flat_map(|row| row["players"].split(';').map(str::trim)).collect()
        };
        for player in roster(true).difference(&roster(false)) {
            *won.entry(player).or_default() += 1;
        }
    }
    most_first(won.into_values().collect())
}

/// How many sets each player of a bracket has won by play, each set once.
fn won_in_bracket(folder: &Path) -> Vec<u64> {
    let matches = std::fs::read(folder.join("matches.json")).unwrap();
    let matches: Value = serde_json::from_slice(&matches).unwrap();
    let (mut seen, mut won) = (BTreeSet::new(), BTreeMap::new());
    for set in matches["data"].as_array().unwrap() {
        let told = ["winner_id", "loser_id", "round_text", "round", "phase"];
        let is_new = seen.insert(told.map(|field| set[field].to_string()));
        let is_dq = set["dq"] == true || set["loser_score"] == -1 || set["cancel"] == true;
        if let (true, false, Some(winner)) = (is_new, is_dq, set["winner_id"].as_u64()) {
            *won.entry(winner).or_default() += 1;
        }
    }
    most_first(won.into_values().collect())
}

fn most_first(mut counts: Vec<u64>) -> Vec<u64> {
    counts.sort_unstable_by(|a, b| b.cmp(a));
    counts
}

#[tokio::test]
async fn real_histories_are_counted_once_and_taken_back() {
    let Some(folder) = tournaments() else { return };
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), "127.0.0.1:0");
    let table = folder.join("cs2-team-results-2026.csv");
    let cs2 = ["--force", "--game", "cs2", "--prefix", "r-", "--name", "table"];
    let foreseen =
        import(&server, &[&cs2[..], &["--dry-run"]].concat(), std::slice::from_ref(&table));
    assert_eq!((&foreseen["matches"], &foreseen["not_understood"]), (&4_665.into(), &0.into()));
    let told = import(&server, &cs2, std::slice::from_ref(&table));
    assert_eq!((&told["appended"], &told["rejected"]), (&foreseen["events"], &0.into()));
    let won = won_in(&table);
    assert_eq!(foreseen["activities"]["match_won"], won.iter().sum::<u64>());
    assert_eq!(board(&server, "cs2").await, won);
    let brackets: Vec<PathBuf> = [
        "startgg-az_ultimate_arcadian_2024",
        "startgg-behind_schedule__1",
        "startgg-luminosity_makes_moves_miami_2024",
    ]
    .map(|name| folder.join(name))
    .to_vec();
    for bracket in &brackets {
        let name = name(bracket);
        let own = ["--force", "--game", name, "--name", name];
        import(&server, &own, std::slice::from_ref(bracket));
        assert_eq!(board(&server, name).await, won_in_bracket(bracket), "{name}");
    }
    // One of them is taken back: the others stay as they are.
    let [first, .., last] = brackets.as_slice() else { panic!("{brackets:?}") };
    let (gone, stays) = (name(first), name(last));
    assert_eq!(revoke(&server, gone)["status"], "revoked");
    assert!(board(&server, gone).await.is_empty());
    assert_eq!(board(&server, stays).await, won_in_bracket(last));
    assert_eq!(board(&server, "cs2").await, won);
    assert_eq!(revoke(&server, "table")["revoked"]["voided"], told["appended"]);
    let state = server.client().get("/matches/r-0").await.unwrap();
    assert_eq!(state["standing"].get("winner"), None, "{state}");
    assert!(server.terminate().success());
}
