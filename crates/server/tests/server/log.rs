//! `matchwire log`, beside a running server and over a damaged log.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use serde_json::Value;

use crate::process::{Server, matchwire};

fn log(data: &Path, arguments: &[&str]) -> Output {
    let [command, rest @ ..] = arguments else { panic!("no command") };
    matchwire().args(["log", command, "--data"]).arg(data).args(rest).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn segment(data: &Path) -> PathBuf {
    let files = fs::read_dir(data.join("log")).unwrap().map(|entry| entry.unwrap().path());
    files.into_iter().find(|path| path.extension().is_some_and(|e| e == "seg")).unwrap()
}

#[tokio::test]
async fn beside_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data, "127.0.0.1:0");
    server.feed("match/m1/1", 1, 5).await;
    server.feed("match/m1/2", 1, 2).await;
    let body = b"L 11/21/2026 - 09:00:00: World triggered \"Round_Start\"\n".to_vec();
    server.client().post("/sources/cs-log/m2/1", &[], body.into()).await.unwrap();

    let verified = log(data, &["verify", "--json"]);
    assert!(verified.status.success(), "{verified:?}");
    let verified = json(&verified);
    assert!(verified["events"].as_u64().unwrap() >= 8, "{verified}");
    assert_eq!(
        (&verified["damage"], &verified["accepted"]),
        (&Value::from([0; 0]), &Value::from([0; 0]))
    );
    let report = log(data, &["verify"]);
    assert!(text(&report.stdout).contains("everything is as it was written"), "{report:?}");

    let stats = json(&log(data, &["stats", "--json"]));
    assert_eq!((&stats["events"], &stats["streams"]), (&verified["events"], &verified["streams"]));
    let server_says = server.client().get("/status").await.unwrap();
    assert_eq!(stats["log_id"], server_says["log_id"]);
    assert_eq!(stats["lineage"][0]["id"], server_says["lineage"]);
    assert!(stats["disk_bytes"].as_u64() > stats["stored_bytes"].as_u64());
    assert!(stats["oldest"].as_str() <= stats["newest"].as_str());
    let report = log(data, &["stats"]);
    assert!(report.status.success() && text(&report.stdout).contains("segments"), "{report:?}");

    // What is exported is what is delivered, without the server's own streams.
    let events = |list: Value| list["events"].as_array().unwrap().clone();
    let mut delivered = Vec::new();
    for subject in ["match/m1/1", "match/m1/2", "match/m2/1"] {
        delivered.extend(events(
            server.client().get(&format!("/events?subject={subject}")).await.unwrap(),
        ));
    }
    let exported = log(data, &["export"]);
    assert!(exported.status.success(), "{exported:?}");
    let lines = |bytes: &[u8]| -> Vec<Value> {
        text(bytes).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(lines(&exported.stdout), delivered);
    assert!(text(&exported.stderr).is_empty(), "{exported:?}");
    let out = folder.path().join("out.ndjson");
    let one = log(data, &["export", "--subject", "match/m1/2", "--out", out.to_str().unwrap()]);
    assert!(one.status.success() && one.stdout.is_empty(), "{one:?}");
    assert_eq!(lines(&fs::read(&out).unwrap()), delivered[5..7]);
    assert!(server.terminate().success());
}

#[tokio::test]
async fn damage_is_named_and_everything_else_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data, "127.0.0.1:0");
    server.feed("match/m1/1", 1, 5).await;
    assert!(server.terminate().success());
    let path = segment(data);
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(7).position(|window| window == b"{\"n\":3}").unwrap();
    bytes[at + 5] = b'4';
    fs::write(&path, bytes).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();

    let verified = log(data, &["verify", "--json"]);
    assert_eq!(verified.status.code(), Some(1), "{verified:?}");
    let damage = &json(&verified)["damage"][0];
    assert_eq!(damage["file"], name);
    let offset = damage["offset"].as_u64().unwrap();
    assert!(offset < at as u64 && offset + 600 > at as u64, "{damage} {at}");
    let report = log(data, &["verify"]);
    assert_eq!(report.status.code(), Some(1));
    assert!(
        text(&report.stdout).contains(&format!("damage: {name} at byte {offset}")),
        "{report:?}"
    );
    let exported = log(data, &["export"]);
    assert_eq!(text(&exported.stdout).lines().count(), 4);
    assert!(text(&exported.stderr).contains("match/m1/1: seq 3 to 3 are missing"), "{exported:?}");
    let stats = json(&log(data, &["stats", "--json"]));
    assert_eq!((&stats["events"], &stats["missing_groups"]), (&4.into(), &1.into()));

    // The server starts, says so, and takes what it can.
    let server = Server::start(data, "127.0.0.1:0");
    let health = get(&server, "/healthz");
    let health: Value = serde_json::from_str(&health).unwrap();
    assert_eq!(health["status"], "degraded");
    let reason = &health["reasons"][0];
    assert_eq!((&reason["code"], &reason["file"]), (&"corrupt".into(), &name.into()));
    assert_eq!(reason["offset"], offset);
    assert!(get(&server, "/metrics").contains("\nmatchwire_log_damaged_places 1\n"));
    let page = server.client().get("/events?subject=match/m1/1").await.unwrap();
    assert_eq!((page["events"].as_array().unwrap().len(), &page["next"]), (2, &2.into()));
    let next = server.client().get("/events?subject=match/m1/1&after=2").await;
    let error = next.unwrap_err().to_string();
    assert!(error.contains("500 corrupt") && error.contains(name), "{error}");
}

/// One group in the middle is damaged: a copy brings it back; or it is given up, and the stream goes on.
#[tokio::test]
async fn damage_is_repaired_or_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    let server = Server::start(&data, "127.0.0.1:0");
    server.feed("match/m1/1", 1, 5).await;
    assert!(server.terminate().success());
    let path = segment(&data);
    let bytes = fs::read(&path).unwrap();
    for name in ["log.json", path.file_name().unwrap().to_str().unwrap()] {
        fs::create_dir_all(copy.join("log")).unwrap();
        fs::copy(data.join("log").join(name), copy.join("log").join(name)).unwrap();
    }
    let damage = |path: &Path| {
        let mut bytes = bytes.clone();
        let at = bytes.windows(7).position(|window| window == b"{\"n\":3}").unwrap();
        bytes[at + 5] = b'4';
        fs::write(path, bytes).unwrap();
    };
    let seqs = async |server: &Server| -> Vec<u64> {
        let client = server.client();
        let (mut seqs, mut after) = (Vec::new(), 0);
        loop {
            let page = client.get(&format!("/events?subject=match/m1/1&after={after}")).await;
            let page = page.unwrap()["events"].as_array().unwrap().clone();
            let Some(last) = page.last() else { return seqs };
            after = last["seq"].as_u64().unwrap();
            seqs.extend(page.iter().map(|event| event["seq"].as_u64().unwrap()));
        }
    };

    damage(&path);
    let repaired = log(&data, &["repair", "--json", "--from", copy.to_str().unwrap()]);
    assert!(repaired.status.success(), "{repaired:?}");
    assert_eq!(
        (&json(&repaired)["events"], &json(&repaired)["missing"]),
        (&1.into(), &Value::from([0; 0]))
    );
    assert!(log(&data, &["verify"]).status.success());
    let server = Server::start(&data, "127.0.0.1:0");
    assert_eq!(seqs(&server).await, [1, 2, 3, 4, 5]);
    assert!(server.terminate().success());

    let given_up = copy;
    damage(&given_up.join("log").join(path.file_name().unwrap()));
    let asked = log(&given_up, &["accept-loss"]);
    assert!(!asked.status.success() && text(&asked.stderr).contains("--yes"), "{asked:?}");
    let accepted = log(&given_up, &["accept-loss", "--yes", "--json"]);
    assert!(accepted.status.success(), "{accepted:?}");
    let lost = serde_json::json!([{"subject": "match/m1/1", "first_seq": 3, "last_seq": 3}]);
    assert_eq!(json(&accepted)["streams"], lost);
    assert!(log(&given_up, &["verify"]).status.success());
    let server = Server::start(&given_up, "127.0.0.1:0");
    assert_eq!(seqs(&server).await, [1, 2, 4, 5]);
    let state = server.client().get("/matches/m1/maps/1").await.unwrap();
    assert_eq!(state["seq"], 5);
    server.feed("match/m1/1", 6, 1).await;
    assert_eq!(seqs(&server).await, [1, 2, 4, 5, 6]);
}

/// Reads a page outside of the API.
fn get(server: &Server, path: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(&server.authority).unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nhost: {}\r\n\r\n", server.authority);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_closed_pipe_is_no_error_and_no_log_is() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    server.feed("match/m1/1", 1, 3).await;
    for command in ["export", "stats", "verify"] {
        let mut child = matchwire()
            .args(["log", command, "--data"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        assert!(child.wait().unwrap().success(), "{command}");
    }
    for command in ["export", "stats", "verify"] {
        let output = log(&folder.path().join("nothing"), &[command]);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("nothing/log"), "{output:?}");
    }
}
