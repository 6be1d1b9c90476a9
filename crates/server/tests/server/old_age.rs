//! `serve --retain` and `--archive`, over a log whose events are old.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use matchwire_domain::{
    dead_letter,
    envelope::{Attributes, Event},
    subject::Subject,
};
use matchwire_embedded::{Options, Segments};
use matchwire_log::{Append, Log, ManualClock};
use serde_json::{Value, json};

use crate::process::{Server, matchwire};

const EVENTS: u64 = 200;
const STREAMS: [&str; 2] = ["match/m1/1", "room/r"];

fn event(subject: &str, n: u64) -> Value {
    json!({
        "specversion": "1.0", "id": n.to_string(), "source": "test", "subject": subject,
        "type": "x.test", "data": {"n": n},
    })
}

/// A log that was written in 1970, of which all but the last events are sealed.
async fn old(data: &Path) {
    let folder = data.join("log");
    std::fs::create_dir_all(&folder).unwrap();
    let options = Options { segment_bytes: 8_000, background: false, ..Options::default() };
    let medium = Arc::new(Segments::open(&folder, options).unwrap());
    let clock = Arc::new(ManualClock::new(0));
    let log = Log::open(Box::new(medium.clone()), clock.clone()).unwrap();
    for n in 1..=EVENTS {
        clock.set(i64::try_from(n).unwrap() * 1_000);
        let append = |subject: &&str| {
            let json = event(subject, n).to_string();
            let attributes = Attributes::parse(&json).unwrap();
            let stored = Event::new(&attributes, attributes.data.unwrap().get()).unwrap();
            Append {
                subject: Subject::parse(subject).unwrap(),
                events: vec![stored],
                expected_seq: None,
                received: Instant::now(),
            }
        };
        log.append(STREAMS.iter().map(append).collect()).await.unwrap();
    }
    drop(log);
    while medium.maintain().unwrap() {}
}

/// Waits for something that a server says.
async fn wait_for(server: &Server, path: &str, is_it: impl Fn(&str) -> bool) -> String {
    let begun = Instant::now();
    loop {
        let text = server.text(path).await;
        if is_it(&text) {
            return text;
        }
        assert!(begun.elapsed() < Duration::from_mins(2), "{path} still says {text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn metric(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_default()
}

async fn seqs(server: &Server, subject: &str, after: u64) -> Result<Vec<u64>, String> {
    let (mut after, mut all) = (after, Vec::new());
    loop {
        let path = format!("/events?subject={subject}&after={after}&limit=1000");
        let page = server.client().get(&path).await.map_err(|error| error.to_string())?;
        let events = page["events"].as_array().unwrap();
        all.extend(events.iter().map(|event| event["seq"].as_u64().unwrap()));
        match page["next"].as_u64() {
            Some(next) => after = next,
            None => return Ok(all),
        }
    }
}

async fn send(server: &Server, subject: &str, n: u64) -> Value {
    let headers = [("content-type", "application/cloudevents+json".to_owned())];
    let body = event(subject, n).to_string().into();
    server.client().post("/events", &headers, body).await.unwrap()["results"][0].clone()
}

#[tokio::test]
async fn what_is_archived_can_be_read_and_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let (data, archive) = (folder.path().join("data"), folder.path().join("archive"));
    old(&data).await;
    let flags = ["--archive", archive.to_str().unwrap(), "--archive-after", "1m"];
    let server = Server::start_with(&data, "127.0.0.1:0", &flags);
    let archived = |text: &str| metric(text, "matchwire_log_archived_events");
    let text = wait_for(&server, "/metrics", |text| archived(text) > EVENTS).await;
    assert!(text.contains("matchwire_log_files{kind=\"archived\"}"), "{text}");
    let all: Vec<u64> = (1..=EVENTS).collect();
    for subject in STREAMS {
        assert_eq!(seqs(&server, subject, 0).await, Ok(all.clone()));
        let proof = server.client().get(&format!("/proof?subject={subject}&seq=7")).await.unwrap();
        assert_eq!(proof["before"]["seq"], 6);
        let again = send(&server, subject, 7).await;
        assert_eq!((&again["status"], &again["seq"]), (&json!("duplicate"), &json!(7)));
        assert!(again.get("chain").is_none(), "{again}");
        assert_eq!(send(&server, subject, EVENTS + 1).await["seq"], EVENTS + 1);
    }
    assert!(server.terminate().success());

    // Without the archive the stream goes on, and what is there cannot be read.
    let server = Server::start(&data, "127.0.0.1:0");
    let away = seqs(&server, "room/r", 0).await.unwrap_err();
    assert!(away.contains("503 archive_away"), "{away}");
    assert_eq!(seqs(&server, "room/r", EVENTS).await, Ok(vec![EVENTS + 1]));
    assert_eq!(send(&server, "room/r", 7).await["status"], "duplicate");
    assert_eq!(send(&server, "room/r", EVENTS + 2).await["seq"], EVENTS + 2);
    assert!(server.terminate().success());

    let log = |command: &str, flags: &[&str]| {
        let mut log = matchwire();
        let out = log.args(["log", command, "--data"]).arg(&data).args(flags).output().unwrap();
        (out.status.success(), String::from_utf8(out.stdout).unwrap())
    };
    let (is_whole, report) = log("verify", &[]);
    assert!(is_whole && report.contains("--archive reads them there"), "{report}");
    let place = ["--archive", archive.to_str().unwrap()];
    let (is_whole, report) = log("verify", &place);
    assert!(is_whole && report.contains("were read there"), "{report}");
    let (is_whole, stats) = log("stats", &["--json"]);
    let stats: Value = serde_json::from_str(&stats).unwrap();
    assert!(is_whole && stats["archived_events"].as_u64() > Some(EVENTS), "{stats}");
    let (is_whole, export) = log("export", &place);
    assert!(is_whole && export.lines().count() as u64 == 2 * EVENTS + 3, "{export}");

    // An object that was changed is damage, wherever it is. (One of them may be named by no file, if its
    // file was merged while it was written.)
    let mut folders = vec![archive.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() / 3;
            bytes[middle] ^= 1;
            std::fs::write(&path, bytes).unwrap();
        }
    }
    let (is_whole, report) = log("verify", &place);
    assert!(!is_whole && report.contains(".parquet"), "{report}");
}

#[tokio::test]
async fn what_is_trimmed_is_told_with_where_the_stream_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    old(data).await;
    let flags = ["--retain", "match/m2/*=forever,match/**=1m"];
    let server = Server::start_with(data, "127.0.0.1:0", &flags);
    let trimmed = |text: &str| metric(text, "matchwire_log_trimmed_events") == EVENTS;
    wait_for(&server, "/metrics", trimmed).await;
    let gone = seqs(&server, "match/m1/1", 0).await.unwrap_err();
    assert!(gone.contains("410 trimmed") && gone.contains("from seq 201 on"), "{gone}");
    assert_eq!(seqs(&server, "match/m1/1", EVENTS).await, Ok(Vec::new()));
    assert_eq!(seqs(&server, "room/r", 0).await.unwrap().len() as u64, EVENTS);

    let problem = server.text("/api/v1/events?subject=match/m1/1").await;
    let problem: Value = serde_json::from_str(&problem).unwrap();
    let floor = &problem["floor"];
    assert_eq!((&problem["code"], &floor["seq"]), (&json!("trimmed"), &json!(EVENTS)));
    let again = send(&server, "match/m1/1", 7).await;
    assert_eq!((&again["status"], &again["seq"]), (&json!("duplicate"), &json!(7)));
    send(&server, "match/m1/1", EVENTS + 1).await;
    let proof = server.client().get("/proof?subject=match/m1/1&seq=201").await.unwrap();
    assert_eq!(&proof["before"], floor);
    let state = server.client().get("/matches/m1/maps/1").await.unwrap_err().to_string();
    assert!(state.contains("410 trimmed"), "{state}");
    let list = server.client().get("/matches").await.unwrap();
    assert_eq!(list["matches"][0]["maps"]["1"]["error"]["code"], "trimmed");
    let mut follow = server.client().follow("match/m1/1", "0");
    let told = follow.next().await.map(|_| ()).unwrap_err().to_string();
    assert!(told.contains("trimmed"), "{told}");
    assert!(server.terminate().success());
}

#[test]
fn wrong_rules_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let serve = |flags: &[&str]| {
        let mut serve = matchwire();
        let out = serve.args(["serve", "--data"]).arg(folder.path()).args(flags).output().unwrap();
        (out.status.code(), String::from_utf8(out.stderr).unwrap())
    };
    for (flags, told) in [
        (["--retain", "room/*"], "must be PATTERN=AGE"),
        (["--retain", "room/*=1s"], "must be at least 1m"),
        (["--retain", "room/a*=1d"], "segments between slashes"),
        (["--archive-after", "90d"], "--archive"),
    ] {
        let (code, stderr) = serve(&flags);
        assert!(code == Some(2) && stderr.contains(told), "{flags:?}: {stderr}");
    }
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (code, stderr) = serve(&["--archive", file.to_str().unwrap()]);
    assert!(code == Some(1) && stderr.contains("cannot use the archive"), "{stderr}");
}

/// Letters that retention has removed are open no more, and the others go on.
#[tokio::test]
async fn dead_letters_are_removed_by_their_age() {
    let folder = tempfile::tempdir().unwrap();
    old_letters(folder.path()).await;
    let retain = ["--retain", "admin/dead-letters=90d"];
    let server = Server::start_with(folder.path(), "127.0.0.1:0", &retain);
    wait_for(&server, "/metrics", |text| metric(text, "matchwire_log_trimmed_events") > 0).await;
    let open = |text: &str| metric(text, "matchwire_dead_letters_open");
    let before = open(&server.text("/metrics").await);
    let headers = [("content-type", "application/cloudevents+json".to_owned())];
    let broken = event("match/nowhere/x/y", 1).to_string().into();
    server.client().post("/events", &headers, broken).await.unwrap_err();
    wait_for(&server, "/metrics", |text| open(text) == before + 1).await;
    // It depends on which was sooner, the trimming or the start.
    let gone = server.client().get("/dead-letters/1").await.unwrap_err().to_string();
    assert!(gone.contains("410 trimmed") || gone.contains("404 not_found"), "{gone}");
    server.kill();

    let server = Server::start_with(folder.path(), "127.0.0.1:0", &retain);
    let list = server.client().get("/dead-letters?limit=1000").await.unwrap();
    let seqs: Vec<u64> = list["dead_letters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|letter| letter["seq"].as_u64().unwrap())
        .collect();
    assert!(seqs[0] > 1, "{seqs:?}");
    assert_eq!(seqs, (seqs[0]..=EVENTS + 1).collect::<Vec<_>>());
    let gone = server.client().get("/dead-letters/1").await.unwrap_err().to_string();
    assert!(gone.contains("404 not_found"), "{gone}");
    server.client().delete(&format!("/dead-letters/{}", EVENTS + 1)).await.unwrap();
    let gone = server.client().get(&format!("/dead-letters/{}", EVENTS + 1)).await;
    assert!(gone.is_err(), "{gone:?}");
}

/// Letters of 1970, of which all but the last are in sealed files.
async fn old_letters(data: &Path) {
    let folder = data.join("log");
    std::fs::create_dir_all(&folder).unwrap();
    let options = Options { segment_bytes: 8_000, background: false, ..Options::default() };
    let medium = Arc::new(Segments::open(&folder, options).unwrap());
    let log = Log::open(Box::new(medium.clone()), Arc::new(ManualClock::new(0))).unwrap();
    let subject = Subject::parse(dead_letter::STREAM).unwrap();
    for n in 1..=EVENTS {
        let data = json!({
            "name": n.to_string(), "reason": "schema", "via": "http", "origin": {"source": "test"},
            "attempts": 1, "body_bytes": 1, "kept_bytes": 1, "sealed": {"key": "gone", "text": ""},
            "oldest": 1,
        });
        let json = json!({
            "specversion": "1.0", "id": n.to_string(), "source": dead_letter::SOURCE,
            "subject": dead_letter::STREAM, "type": "dead_letter.kept", "data": data,
        })
        .to_string();
        let attributes = Attributes::parse(&json).unwrap();
        let events = vec![Event::new(&attributes, attributes.data.unwrap().get()).unwrap()];
        let subject = subject.clone();
        let append = Append { subject, events, expected_seq: None, received: Instant::now() };
        log.append(vec![append]).await.unwrap();
    }
    drop(log);
    while medium.maintain().unwrap() {}
}
