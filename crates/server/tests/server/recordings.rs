//! Real logs through a real server, from `../shared/recordings` beside the project, or the folder
//! that `MATCHWIRE_RECORDINGS` names.

use std::path::{Path, PathBuf};

use crate::{
    played,
    process::{Server, matchwire},
};

/// A folder of recordings, if it is there.
fn recordings(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/recordings");
    let folder = std::env::var_os("MATCHWIRE_RECORDINGS").map_or(beside, PathBuf::from);
    let folder = folder.join(name);
    if folder.exists() {
        return Some(folder);
    }
    let required = std::env::var_os("MATCHWIRE_RECORDINGS_REQUIRED").is_some();
    assert!(!required, "{} is not there", folder.display());
    eprintln!("skipped: {} is not there", folder.display());
    None
}

#[tokio::test]
async fn a_clients_posts_through_send() {
    let Some(folder) = recordings("cs-gsi") else { return };
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), "127.0.0.1:0");
    let send = || {
        let output = matchwire()
            .args(["send", "--json", "--format", "gsi", "--match", "m", "--server", &server.url()])
            .arg(folder.join("requests.ndjson"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let first = send();
    let state = played::state(&server.client(), "m", 1).await;
    assert_eq!((&state["status"], &state["map_name"]), (&"live".into(), &"de_dust2".into()));
    let teams = state["teams"].as_array().unwrap();
    let on = |side| teams.iter().find(|team| team["side"] == side).unwrap()["score"].clone();
    assert_eq!([on("CT"), on("T")], [0, 3]);
    let again = send();
    assert_eq!(again["appended"], 0);
    // Posts that told nothing have been overtaken, too.
    assert!(again["duplicate"].as_u64() >= first["appended"].as_u64());
    assert_eq!(played::state(&server.client(), "m", 1).await, state);
}

#[tokio::test]
async fn a_series_through_send() {
    let Some(folder) = recordings("cs-server-logs") else { return };
    let logs = [
        ("lan-2018-map1-overpass.log", "de_overpass", [14, 16]),
        ("lan-2018-map2-train.log", "de_train", [5, 16]),
        ("cs2-inferno-2026-01-19.log", "de_inferno", [2, 13]),
    ];
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), "127.0.0.1:0");
    let output = matchwire()
        .args(["send", "--match", "series", "--server", &server.url()])
        .args(logs.iter().map(|(file, ..)| folder.join(file)))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (number, (_, map_name, score)) in (1..).zip(logs) {
        let state = played::state(&server.client(), "series", number).await;
        assert_eq!((&state["status"], &state["map_name"]), (&"ended".into(), &map_name.into()));
        let teams = state["teams"].as_array().unwrap();
        let on = |side| teams.iter().find(|team| team["side"] == side).unwrap()["score"].clone();
        assert_eq!([on("CT"), on("T")], score);
        assert_eq!(state["anomalies"].as_array().unwrap().len(), 0);
    }
}
