//! What an operator decides about a log: its clock, its acknowledgements; and cursors after its
//! history went another way.

use std::{fs, path::Path, sync::Arc, time::Instant};

use matchwire_client::Told;
use matchwire_domain::{
    envelope::{Attributes, Event},
    subject::Subject,
};
use matchwire_embedded::Segments;
use matchwire_log::{Append, Log, ManualClock};
use serde_json::{Value, json};

use crate::process::{Server, matchwire};

/// A log with one event from the far future.
async fn from_the_future(data: &Path) {
    let segments = Segments::open(&data.join("log"), matchwire_embedded::Options::default());
    let clock = Arc::new(ManualClock::new(4_102_444_800_000));
    let log = Log::open(Box::new(segments.unwrap()), clock).unwrap();
    let json = r#"{"specversion":"1.0","id":"1","source":"s","subject":"match/m1/1","type":"x.a"}"#;
    let event = Event::new(&Attributes::parse(json).unwrap(), "{}").unwrap();
    let subject = Subject::parse("match/m1/1").unwrap();
    let append =
        Append { subject, events: vec![event], expected_seq: None, received: Instant::now() };
    log.append(vec![append]).await.unwrap();
}

#[tokio::test]
async fn a_log_from_the_future_is_served_only_by_the_operators_word() {
    let folder = tempfile::tempdir().unwrap();
    from_the_future(folder.path()).await;
    let refused = matchwire()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("2100-01-01") && said.contains("--accept-clock"), "{said}");
    let server = Server::start_with(folder.path(), "127.0.0.1:0", &["--accept-clock"]);
    server.feed("match/m1/1", 2, 1).await;
    let list = server.client().get("/events?subject=match/m1/1").await.unwrap();
    assert_eq!(list["events"][1]["recordedtime"], "2100-01-01T00:00:00.000Z");
}

#[tokio::test]
async fn acknowledgements_from_memory_are_for_the_operator_to_allow() {
    let folder = tempfile::tempdir().unwrap();
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "s", "subject": "match/m1/1", "type": "x.a",
    });
    let headers = [("content-type", "application/cloudevents+json".to_owned())];
    let post = async |server: &Server| {
        let body = event.to_string().into();
        server.client().post("/events?durability=memory", &headers, body).await
    };
    let server = Server::start(folder.path(), "127.0.0.1:0");
    let refused = post(&server).await.unwrap_err().to_string();
    assert!(refused.contains("403 memory_acks_off"), "{refused}");
    assert!(server.terminate().success());
    let server = Server::start_with(folder.path(), "127.0.0.1:0", &["--allow-memory-acks"]);
    let answer = post(&server).await.unwrap();
    assert_eq!(
        (&answer["durability"], &answer["results"][0]["status"]),
        (&json!("memory"), &json!("accepted"))
    );
    // Whoever follows hears of it, once it is on disk.
    let mut follow = server.client().follow("match/m1/1", "0");
    let Told::Event(event) = follow.next().await.unwrap() else { panic!("no event") };
    assert_eq!(event.seq, 1);
    drop(follow);
    // What is queued is written before a server ends.
    assert!(server.terminate().success());
}

#[tokio::test]
async fn a_cursor_past_a_fork_is_void_and_one_before_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    server.feed("match/m1/1", 1, 4).await;
    // A file never reaches over a fork: after this, one begins with the last group.
    server.kill();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    assert!(folder.path().join("log/00000000000000000004.seg").exists());
    server.feed("match/m1/1", 5, 2).await;
    let mut follow = server.client().follow("match/m1/1", "0");
    let mut cursors = Vec::new();
    for _ in 0..6 {
        assert!(matches!(follow.next().await.unwrap(), Told::Event(_)));
        cursors.push(follow.cursor().to_owned());
    }
    drop(follow);
    assert!(server.terminate().success());
    let path = folder.path().join("log/log.json");
    let mut log: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let fork = json!({"id": "00000000000000ff", "position": 4});
    log["lineage"].as_array_mut().unwrap().push(fork);
    // In which there is no checksum yet.
    log["format"] = 1.into();
    fs::write(&path, log.to_string()).unwrap();

    let server = Server::start(folder.path(), "127.0.0.1:0");
    for (seen, cursor) in (1..).zip(&cursors) {
        let mut follow = server.client().follow("match/m1/1", cursor);
        if seen <= 3 {
            let Told::Event(event) = follow.next().await.unwrap() else { panic!("{seen}") };
            assert_eq!(event.seq, seen + 1);
        } else {
            let Told::Reset(reason) = follow.next().await.unwrap() else { panic!("{seen}") };
            assert_eq!(reason, "lineage");
            server.feed("match/m1/1", 6 + seen, 1).await;
            let Told::Event(event) = follow.next().await.unwrap() else { panic!("{seen}") };
            assert_eq!(event.seq, 3 + seen);
            assert!(follow.cursor().starts_with("c1~00000000000000ff~"));
        }
    }
    let stats = matchwire().args(["log", "stats", "--data"]).arg(folder.path()).output().unwrap();
    let report = String::from_utf8_lossy(&stats.stdout);
    assert!(report.contains("00000000000000ff from group 4"), "{report}");
}
