//! `matchwire players import`, from the files of a club to what is counted, and back.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::process::{Server, matchwire};

/// A match between two teams of two as a line, of which the first has won.
fn line(n: u64) -> String {
    let team = |name: &str, base: u64| {
        let players = [1, 2].map(|k| json!({"account": format!("steam:{}", base + k)}));
        json!({"id": name.to_lowercase(), "name": name, "players": players})
    };
    json!({
        "match": format!("m{n:04}"), "game": "cs2", "ended": "2026-01-31T20:00:00Z",
        "teams": [team("Alpha", 0), team("Bravo", 10)], "result": {"won": 0},
    })
    .to_string()
}

/// A file with so many matches.
fn history(folder: &Path, matches: u64) -> PathBuf {
    let file = folder.join("club.ndjson");
    let lines: Vec<String> = (0..matches).map(line).collect();
    fs::write(&file, lines.join("\n")).unwrap();
    file
}

fn import(arguments: &[&str]) -> Command {
    let mut command = matchwire();
    command.args(["players", "import"]).args(arguments).stdin(Stdio::null());
    command
}

/// Imports a file at any hour.
fn run(server: &Server, file: &Path, more: &[&str]) -> Output {
    let url = server.url();
    let mut command = import(&["--server", &url, "--yes", "--force", "--json"]);
    command.args(more).arg(file).output().unwrap()
}

fn told(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn revoke(server: &Server, id: &str) -> Output {
    import(&["revoke", id, "--yes", "--json", "--server", &server.url()]).output().unwrap()
}

/// Who has won how many matches.
async fn board(server: &Server) -> Value {
    server.viewed("/leaderboards/cs2?limit=50").await["players"].clone()
}

async fn streams(server: &Server, subject: &str) -> Vec<Value> {
    let list = server.client().get(&format!("/events?subject={subject}&limit=1000")).await.unwrap();
    list["events"].as_array().unwrap().clone()
}

fn won(count: u64) -> Value {
    json!([{"place": 1, "won": count}, {"place": 1, "won": count}])
}

#[tokio::test]
async fn an_import_is_counted_once_and_taken_back_as_a_whole() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), "127.0.0.1:0");
    let file = history(data.path(), 30);
    let first = told(&run(&server, &file, &["--by", "One", "--batch", "7"]));
    let id = first["import"].as_str().unwrap().to_owned();
    let counts = |told: &Value| {
        json!(["appended", "duplicate", "skipped", "rejected"].map(|key| told[key].clone()))
    };
    assert_eq!(counts(&first), json!([60, 0, 0, 0]));
    assert_eq!(board(&server).await, won(30));
    // The same again is the same import.
    let again = told(&run(&server, &file, &[]));
    assert_eq!((&again["import"], counts(&again)), (&json!(id), json!([0, 0, 0, 0])));
    let list = import(&["list", "--json", "--server", &server.url()]).output().unwrap();
    let list = told(&list)["imports"].clone();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["by"]), (1, &json!("One")));
    assert_eq!(
        (&list[0]["status"], &list[0]["files"][0]["name"]),
        (&json!("finished"), &json!("club.ndjson"))
    );
    let table = import(&["list", "--server", &server.url()]).output().unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.starts_with("IMPORT") && table.contains("finished"), "{table}");
    // Under another name it is another import, and counts no more than once.
    let other = told(&run(&server, &file, &["--name", "second"]));
    assert_eq!(counts(&other), json!([60, 0, 0, 0]));
    assert_eq!(board(&server).await, won(30));
    let revoked = told(&revoke(&server, &id));
    assert_eq!(
        (&revoked["status"], &revoked["revoked"]["voided"]),
        (&json!("revoked"), &json!(60))
    );
    assert_eq!(board(&server).await, won(30), "the other one holds");
    assert_eq!(told(&revoke(&server, "second"))["revoked"]["voided"], 60);
    assert_eq!(board(&server).await, json!([]));
    let before = streams(&server, "match/m0000").await.len();
    assert_eq!(told(&revoke(&server, "second"))["revoked"]["voided"], 60);
    assert_eq!((streams(&server, "match/m0000").await.len(), before), (8, 8));
    let refused = said(&run(&server, &file, &[]));
    assert!(refused.contains("is revoked, and its name is not used again"), "{refused}");
    assert_eq!(counts(&told(&run(&server, &file, &["--name", "third"]))), json!([60, 0, 0, 0]));
    assert_eq!(board(&server).await, won(30));
    let unknown = said(&revoke(&server, "nothing"));
    assert!(unknown.contains("there is no import nothing"), "{unknown}");
    assert!(server.terminate().success());
}

#[tokio::test]
async fn an_import_that_was_killed_goes_on_and_so_does_taking_it_back() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), "127.0.0.1:0");
    let file = history(data.path(), 100);
    let url = server.url();
    // So slow that it is killed in the middle, once something is there.
    let mut killed =
        import(&["--server", &url, "--yes", "--force", "--batch", "10", "--rate", "50"])
            .args(["--name", "one"])
            .arg(&file)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
    let standing = async || server.client().get("/imports/one").await.unwrap_or_default();
    while standing().await["sure"].as_u64().unwrap_or(0) < 20 {
        tokio::task::yield_now().await;
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let sure = standing().await["sure"].as_u64().unwrap();
    assert!(sure < 200, "{sure}");
    // The server is killed as well.
    server.kill();
    let server = Server::start(data.path(), "127.0.0.1:0");
    let rest = told(&run(&server, &file, &["--name", "one"]));
    let number = |key: &str| rest[key].as_u64().unwrap();
    assert!(number("skipped") >= sure, "{rest}");
    assert_eq!(number("skipped") + number("duplicate") + number("appended"), 200, "{rest}");
    assert_eq!(board(&server).await, won(100));
    // One step of taking it back, and then a kill.
    let headers = [("content-type", "application/json".to_owned())];
    let step = server.client().post("/imports/one/revoke", &headers, "{}".into()).await.unwrap();
    assert_eq!(step["status"], "revoking");
    server.kill();
    let server = Server::start(data.path(), "127.0.0.1:0");
    let refused = said(&run(&server, &file, &["--name", "one"]));
    assert!(refused.contains("is revoked"), "{refused}");
    assert_eq!(told(&revoke(&server, "one"))["revoked"]["voided"], 200);
    assert_eq!(board(&server).await, json!([]));
    for n in 0..100 {
        let events = streams(&server, &format!("match/m{n:04}")).await;
        let voids = events.iter().filter(|event| event["type"] == "event.voided").count();
        assert_eq!((events.len(), voids), (4, 2), "match {n}");
    }
}

#[tokio::test]
async fn what_a_feed_has_said_of_the_same_match_stays() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), "127.0.0.1:0");
    // The feed says that the other team has won, and who was in it.
    let mut teams: Value = serde_json::from_str(&line(0)).unwrap();
    for team in teams["teams"].as_array_mut().unwrap() {
        for player in team["players"].as_array_mut().unwrap() {
            *player = json!({"player": player["account"]});
        }
    }
    let told_by_feed = |id: u32, kind: &str, data: Value| {
        let event = json!({
            "specversion": "1.0", "id": id.to_string(), "source": "feed", "subject": "match/m0000",
            "type": kind, "time": "2026-01-31T19:00:00Z", "data": data,
        });
        event.to_string()
    };
    let headers = [("content-type", "application/x-ndjson".to_owned())];
    let body = [
        told_by_feed(1, "match.scheduled", json!({"game": "cs2", "teams": teams["teams"]})),
        told_by_feed(2, "series.ended", json!({"winner": 1})),
    ];
    server.client().post("/events", &headers, body.join("\n").into()).await.unwrap();
    let by_feed = board(&server).await;
    let state = server.client().get("/matches/m0000").await.unwrap();
    let file = history(data.path(), 2);
    told(&run(&server, &file, &["--name", "one"]));
    let with_both = board(&server).await;
    assert_eq!(with_both, won(2), "the import came last");
    told(&revoke(&server, "one"));
    assert_eq!(board(&server).await, by_feed);
    let after = server.client().get("/matches/m0000").await.unwrap();
    assert_eq!(after["standing"], state["standing"]);
    assert_eq!(after["series"]["teams"], state["series"]["teams"]);
}

#[tokio::test]
async fn nothing_is_sent_by_day_while_the_server_is_busy_or_without_a_word() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), "127.0.0.1:0");
    let file = history(data.path(), 2);
    let url = server.url();
    let run = |more: &[&str]| import(&["--server", &url]).args(more).arg(&file).output().unwrap();
    let by_day = said(&run(&["--yes", "--hours", "0-24"]));
    assert!(
        by_day.contains("no import starts from 00 to 24 h") && by_day.contains("--force"),
        "{by_day}"
    );
    let unasked = said(&run(&["--hours", "none"]));
    assert!(unasked.contains("nobody to ask; say --yes"), "{unasked}");
    // Others ask all the time.
    let asking = tokio::spawn({
        let client = server.client();
        async move { while client.get("/matches").await.is_ok() {} }
    });
    let mut command = import(&["--server", &url, "--yes", "--hours", "none", "--max-rps", "1"]);
    command.arg(&file);
    let busy = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let busy = said(&busy);
    assert!(busy.contains("requests/s, and no import starts above 1"), "{busy}");
    asking.abort();
    assert!(
        server.client().get("/imports").await.unwrap()["imports"].as_array().unwrap().is_empty()
    );
    assert_eq!(streams(&server, "match/m0000").await.len(), 0);
    for wrong in [&["--hours", "6"][..], &["--batch", "0"], &["--max-rps", "x"]] {
        assert_eq!(run(wrong).status.code(), Some(2), "{wrong:?}");
    }
    let output = run(&["--yes", "--hours", "none", "--max-rps", "1000000"]);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with("is imported: 4 events are new\n"), "{text}");
}

#[test]
fn a_dry_run_tells_what_would_be_and_needs_no_server() {
    let folder = tempfile::tempdir().unwrap();
    let file = history(folder.path(), 40);
    let mut lines = fs::read_to_string(&file).unwrap();
    lines.push_str("\n{\"match\": \"m\"}\n\nnothing\n");
    fs::write(&file, lines).unwrap();
    let table = folder.path().join("table.csv");
    let rows = "match_id,date,team,opponent,result,players\n1,2026-01-01,Alpha,Bravo,W,One;Two\n1,2026-01-01,Bravo,Alpha,L,Three\n2,x,A,B,W,One\n";
    fs::write(&table, rows).unwrap();
    let run =
        |more: &[&str]| import(&["--dry-run"]).args(more).arg(&file).arg(&table).output().unwrap();
    let told = told(&run(&["--json", "--server", "http://127.0.0.1:1"]));
    let counts = ["matches", "tournaments", "events", "players", "not_understood"];
    assert_eq!(json!(counts.map(|key| told[key].clone())), json!([41, 0, 83, 7, 3]));
    // 40 matches of four, and one of three.
    let activities = json!({"match_played": 163, "match_won": 82, "match_lost": 81});
    assert_eq!(told["activities"], activities);
    assert_eq!(told["sample"].as_array().unwrap().len(), 100);
    let text = run(&[]);
    let text = String::from_utf8(text.stdout).unwrap();
    for part in [
        "83 events of 41 matches, 0 tournaments and 7 players",
        "club.ndjson, line 41: missing field `ended`",
        "club.ndjson, line 43: expected ident at line 1 column 2",
        "table.csv, line 4: date \"x\" must be a day",
        "326 activities",
        "match_played  ",
        "100 of them:",
        "name:One",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let missing = import(&["--dry-run", "/no/such/file.csv"]).output().unwrap();
    assert!(said(&missing).contains("/no/such/file.csv"));
    let other = folder.path().join("other");
    fs::write(&other, "x\n").unwrap();
    let unknown = import(&["--dry-run"]).arg(&other).output().unwrap();
    assert!(said(&unknown).contains("say --format"));
}

#[tokio::test]
async fn ids_and_names_of_another_log_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), "127.0.0.1:0");
    let member = |who: Value| json!({"name": "A", "players": [who]});
    let lines: Vec<String> = [
        json!({"player": "p1"}),
        json!({"player": "steam:1", "name": "~1.7vRfBA4r0Nky"}),
        json!({"player": "MW-26-000042"}),
        json!({"player": "own-id", "name": "One"}),
    ]
    .into_iter()
    .enumerate()
    .map(|(n, who)| {
        let teams = [member(who), member(json!({"player": "steam:2"}))];
        json!({
            "specversion": "1.0", "id": "1", "source": "elsewhere", "subject": format!("match/m{n}"),
            "type": "match.scheduled", "time": "2026-01-31T20:00:00Z", "data": {"game": "cs2", "teams": teams},
        })
        .to_string()
    })
    .collect();
    let file = data.path().join("events.ndjson");
    for (n, why) in [(0, "is a player id of the log"), (1, "is sealed"), (2, "is a public id")] {
        fs::write(&file, &lines[n]).unwrap();
        let mut command = import(&["--server", &server.url(), "--yes", "--force"]);
        let output = command.arg(&file).output().unwrap();
        let told =
            String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success() && told.contains(why), "{told}");
        assert!(streams(&server, &format!("match/m{n}")).await.is_empty());
    }
    fs::write(&file, lines.join("\n")).unwrap();
    let dry = import(&["--dry-run"]).arg(&file).output().unwrap();
    let dry = String::from_utf8_lossy(&dry.stdout);
    for part in ["1 match", "1 player", "3 lines", "line 1: \"p1\" is a player id", "is sealed"] {
        assert!(dry.contains(part), "{part} is not in {dry}");
    }
    fs::write(&file, &lines[3]).unwrap();
    told(&run(&server, &file, &[]));
    assert_eq!(streams(&server, "match/m3").await.len(), 1);
    assert!(server.terminate().success());
}

#[test]
fn rows_that_contradict_each_other_are_told_and_the_first_one_counts() {
    let folder = tempfile::tempdir().unwrap();
    let dry = |name: &str, text: &[u8], more: &[&str]| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        let output = import(&["--dry-run", "--json", "--server", "http://127.0.0.1:1"])
            .args(more)
            .arg(&file)
            .output();
        told(&output.unwrap())
    };
    let head = "match_id,date,team,opponent,result,players\n";
    for (rows, left_out) in [
        ("m1,2026-01-01,A,B,W,x\nm1,2026-01-02,B,A,L,y\n", 0),
        ("m1,2026-01-01,A,B,W,x\nm1,2026-01-01,C,D,L,z\n", 1),
        ("m1,2026-01-01,A,B,W,x\nm1,2026-01-01,B,A,W,z\n", 1),
        ("m1,2026-01-01,A,B,W,x\nm1,2026-01-01,B,A,D,z\n", 1),
        (&*format!("m1,2026-01-01,A,B,W,{}\n", vec!["x"; 65].join(";")), 1),
    ] {
        let told = dry("table.csv", format!("{head}{rows}").as_bytes(), &[]);
        assert_eq!(told["not_understood"], left_out, "{rows}: {told}");
    }
    let numbers =
        dry("table.csv", format!("{head}1,2026-01-01,A,B,W,x\n").as_bytes(), &["--prefix", "a/"]);
    assert_eq!((&numbers["matches"], &numbers["not_understood"]), (&json!(0), &json!(1)));
    let lost = line(1).replace("\"won\":0", "\"won\":1");
    for (lines, left_out) in [
        (format!("\u{feff}{}\n", line(1)), 0),
        (format!("{}\n{}\n", line(1), line(1)), 0),
        (format!("{}\n{lost}\n", line(1)), 1),
        (format!("{}\n{}\n", line(1), line(1).replace("Alpha", "Other")), 1),
        (format!("{}\n{}\n", line(1), line(1).replace("01-31", "03-01")), 1),
        (format!("{}\n{}\n", line(1), line(1).replace("\"cs2\"", "\"chess\"")), 1),
        (
            format!(
                "{}\n{}\n",
                line(1),
                line(1).replace("\"match\"", "\"tournament\":\"t\",\"match\"")
            ),
            1,
        ),
        (line(1).replace("\"result\"", "\"score\":[0,2],\"result\""), 1),
    ] {
        let told = dry("club.ndjson", lines.as_bytes(), &[]);
        assert_eq!(told["not_understood"], left_out, "{lines}: {told}");
    }
}
