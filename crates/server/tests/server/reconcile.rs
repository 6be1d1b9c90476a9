//! `matchwire players reconcile`, and the server's own comparison with its alerts.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    path::Path,
    process::{Output, Stdio},
    sync::mpsc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use matchwire_embedded::SqliteViews;
use matchwire_log::view_store::{Keys, Order, Table, ViewStore as _};
use serde_json::{Value, json};

use crate::process::{Server, matchwire};

const ACTIVITIES: Table = Table::new("activities");

/// Matches that the first of two players has won, numbered on from `first`.
async fn play(server: &Server, first: u32, count: u32) {
    for n in first..first + count {
        let team = |player: &str| json!({"name": player, "players": [{"player": player}]});
        let teams = json!({"game": "cs2", "teams": [team("steam:1"), team("steam:2")]});
        for (id, kind, data) in
            [("1", "match.scheduled", teams), ("2", "series.ended", json!({"winner": 0}))]
        {
            let event = json!({
                "specversion": "1.0", "id": id, "source": "test", "type": kind, "data": data,
                "subject": format!("match/m{n:04}"), "time": format!("2026-01-01T00:00:{n:02}Z"),
            });
            let headers = [("content-type", "application/cloudevents+json".to_owned())];
            server.client().post("/events", &headers, event.to_string().into()).await.unwrap();
        }
    }
}

/// What the first on the leaderboard has won.
async fn won(server: &Server) -> u64 {
    let board = server.client().get("/leaderboards/cs2").await.unwrap();
    board["players"][0]["won"].as_u64().unwrap_or_default()
}

fn reconcile(data: &Path, flags: &[&str]) -> Output {
    let line = [&["players", "reconcile"], flags].concat();
    matchwire().args(line).arg("--data").arg(data).output().unwrap()
}

/// What it tells as JSON, with its exit code.
fn told(data: &Path, flags: &[&str]) -> (Value, i32) {
    let output = reconcile(data, &[&["--json"], flags].concat());
    let told = serde_json::from_slice(&output.stdout);
    (told.unwrap_or_else(|_| panic!("{output:?}")), output.status.code().unwrap())
}

/// Removes an activity from the view by hand, the first whose key has a text in it.
fn remove_activity(data: &Path, text: &str) {
    let schema = matchwire_players::view::schema();
    let view = SqliteViews::open(&data.join("views")).unwrap().open(&schema).unwrap().unwrap();
    let snapshot = view.snapshot().unwrap();
    let all = snapshot.range(ACTIVITIES, &Keys::all(), Order::Ascending, 10_000).unwrap();
    let has = |key: &[u8]| String::from_utf8_lossy(key).contains(text);
    let key = all.into_iter().map(|row| row.key).find(|key| has(key)).unwrap();
    loop {
        let position = view.snapshot().unwrap().position().unwrap();
        let Ok(mut rows) = view.begin(position.as_deref()) else { continue };
        rows.delete(ACTIVITIES, &key).unwrap();
        rows.commit(&position.unwrap()).unwrap();
        return;
    }
}

#[tokio::test]
async fn drift_is_found_and_repaired_while_the_server_runs_and_while_it_does_not() {
    let data = tempfile::tempdir().unwrap();
    assert!(!reconcile(data.path(), &[]).status.success(), "there is nothing yet");
    let server = Server::start(data.path(), "127.0.0.1:0");
    play(&server, 0, 20).await;
    assert_eq!(won(&server).await, 20);
    let (clean, code) = told(data.path(), &[]);
    let counts = ["players", "activities", "sources", "drifted_players", "unsettled_sources"];
    assert_eq!(json!(counts.map(|key| &clean["report"][key])), json!([2, 80, 20, 0, 0]));
    assert_eq!(code, 0);
    remove_activity(data.path(), "match_won");
    let (found, code) = told(data.path(), &[]);
    assert_eq!((&found["report"]["drifted_players"], code), (&json!(1), 1), "{found}");
    let output = reconcile(data.path(), &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("wrong: 1 players") && text.contains("match_won\n    is missing: {"),
        "{text}"
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--fix repairs it"), "{said}");
    let (fixed, code) = told(data.path(), &["--fix"]);
    assert_eq!((&fixed["fixed"]["sources"], code), (&json!(1), 0), "{fixed}");
    assert_eq!(fixed["after"]["drifted_players"], 0);
    // The server goes on, with what was repaired.
    play(&server, 20, 5).await;
    assert_eq!(won(&server).await, 25);
    assert_eq!(told(data.path(), &[]).1, 0);
    assert!(server.terminate().success());
    remove_activity(data.path(), "match_lost");
    assert!(!reconcile(data.path(), &["--player", "nobody"]).status.success());
    let (found, code) = told(data.path(), &[]);
    let player = found["report"]["in_players"][0]["player"].as_str().unwrap();
    assert_eq!(code, 1);
    assert_eq!(told(data.path(), &["--player", player]).1, 1);
    assert_eq!(told(data.path(), &["--fix", "--player", player]).1, 0);
    assert_eq!(told(data.path(), &[]).1, 0);
}

#[tokio::test]
async fn a_repair_that_is_killed_leaves_a_view_that_serves() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), "127.0.0.1:0");
    play(&server, 0, 30).await;
    assert_eq!(won(&server).await, 30);
    for spins in 0..8 {
        for n in 0..10 {
            remove_activity(data.path(), &format!("m{:04}", spins + n));
        }
        let mut repair = matchwire()
            .args(["players", "reconcile", "--fix", "--data"])
            .arg(data.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // At some moment, at the latest when it is over.
        for _ in 0..spins * 40 {
            let _ = won(&server).await;
        }
        repair.kill().unwrap();
        repair.wait().unwrap();
        assert_eq!(won(&server).await, 30, "what is counted was right all the time");
        let (_, code) = told(data.path(), &["--fix"]);
        assert_eq!(code, 0);
    }
    play(&server, 30, 1).await;
    assert_eq!(won(&server).await, 31);
    assert!(server.terminate().success());
}

/// Takes posts, and gives their bodies.
fn listener() -> (String, mpsc::Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (told, posted) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut length, mut line) = (0, String::new());
            while stream.read_line(&mut line).unwrap() > 2 {
                let lower = line.to_ascii_lowercase();
                if let Some(bytes) = lower.strip_prefix("content-length:") {
                    length = bytes.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let answer = b"HTTP/1.1 204 x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.get_mut().write_all(answer).unwrap();
            if told.send(serde_json::from_slice(&body).unwrap()).is_err() {
                return;
            }
        }
    });
    (url, posted)
}

/// A time of the day that comes soon.
fn soon() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let at = (now + 4) % 86_400;
    format!("{:02}:{:02}:{:02}", at / 3_600, at / 60 % 60, at % 60)
}

/// A metric without labels, if it is there.
async fn metric(server: &Server, name: &str) -> Option<f64> {
    let text = server.text("/metrics").await;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap())
}

const SUCCESS: &str = "matchwire_players_reconcile_last_success_timestamp_seconds";

/// A server that has compared since `before`, by its own schedule.
async fn compared(data: &Path, url: &str, before: Option<f64>) -> Server {
    loop {
        let at = soon();
        let flags = ["--players-reconcile-at", &at, "--alerts-url", url];
        let server = Server::start_with(data, "127.0.0.1:0", &flags);
        // One that has started too late begins on the next day.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            if metric(&server, SUCCESS).await > before {
                return server;
            }
            tokio::task::yield_now().await;
        }
        server.terminate();
    }
}

#[tokio::test]
async fn the_server_compares_every_day_and_tells_of_drift_and_of_its_end() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), "127.0.0.1:0");
    play(&server, 0, 3).await;
    assert_eq!(won(&server).await, 3);
    assert_eq!(metric(&server, SUCCESS).await, Some(0.0));
    assert!(server.terminate().success());
    remove_activity(data.path(), "match_won");
    let (url, posted) = listener();
    let server = compared(data.path(), &url, Some(0.0)).await;
    let alert = posted.recv().unwrap();
    assert_eq!((&alert["alert"], &alert["status"]), (&json!("reconcile"), &json!("firing")));
    assert_eq!(alert["details"]["drifted_players"], 1);
    assert_eq!(metric(&server, "matchwire_players_reconcile_drifted_players").await, Some(1.0));
    assert_eq!(metric(&server, "matchwire_players_reconcile_players").await, Some(2.0));
    assert!(server.terminate().success());
    // What was measured is not forgotten, and what a command has measured counts.
    let server = Server::start(data.path(), "127.0.0.1:0");
    assert_eq!(metric(&server, "matchwire_players_reconcile_drifted_players").await, Some(1.0));
    assert_eq!(told(data.path(), &["--fix"]).1, 0);
    assert_eq!(metric(&server, "matchwire_players_reconcile_drifted_players").await, Some(0.0));
    let before = metric(&server, SUCCESS).await;
    assert!(server.terminate().success());
    let server = compared(data.path(), &url, before).await;
    assert_eq!(posted.recv().unwrap()["status"], "resolved");
    let before = metric(&server, SUCCESS).await;
    assert!(server.terminate().success());
    let server = compared(data.path(), &url, before).await;
    assert!(server.terminate().success());
    assert!(posted.try_recv().is_err(), "nothing more is told");
}

#[tokio::test]
async fn a_trial_of_alerts_is_sent_and_secrets_are_not_told() {
    let (url, posted) = listener();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("matchwire.toml");
    let text = format!("[alerts]\nurl = \"{url}hush\"\nformat = \"slack\"\n");
    std::fs::write(&file, text).unwrap();
    let run =
        |command: &[&str]| matchwire().args(command).arg("--config").arg(&file).output().unwrap();
    let sent = run(&["alerts", "test"]);
    assert!(sent.status.success(), "{sent:?}");
    assert!(posted.recv().unwrap()["text"].as_str().unwrap().starts_with("*Alert: "));
    assert!(posted.recv().unwrap()["text"].as_str().unwrap().starts_with("*Well again: "));
    let config = run(&["config"]);
    let shown = [sent.stdout, config.stdout].concat();
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("alerts.url") && !shown.contains("hush"), "{shown}");
    let none = matchwire().args(["alerts", "test"]).output().unwrap();
    assert_eq!(none.status.code(), Some(1));
    assert_eq!(matchwire().args(["alerts", "else"]).output().unwrap().status.code(), Some(2));
}
