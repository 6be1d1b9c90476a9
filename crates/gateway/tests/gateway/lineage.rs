//! Cursors over a fork of the log: what was seen before it goes on, what was seen after it is void.

use matchwire_log::{Medium as _, Memory};
use serde_json::{Value, json};

use crate::{
    harness::{Events, Server, numbered},
    rigged::Rigged,
    setup::Setup,
};

const NEW: &str = "00000000000000ff";

/// A log that forked behind its first three events, with cursors that were given before that.
async fn forked() -> (Server, impl Fn(u64) -> String) {
    let memory = Memory::new();
    let first = Setup { medium: Box::new(memory.clone()), ..Setup::default() };
    let first = Server::of(first).await;
    first.post(&numbered("match/m1/1", 1, 3)).await;
    let position = memory.tail().position;
    let mut socket = first.socket().await;
    socket.subscribe("match/m1/1", 0.into()).await;
    first.post(&numbered("match/m1/1", 4, 3)).await;
    let mut old = json!(null);
    while old["seq"] != 6 {
        old = socket.next_of("event").await;
    }
    let cursor = old["cursor"].as_str().unwrap().to_owned();
    assert!(cursor.ends_with("~1-6"), "{cursor}");
    drop(socket);
    first.end().await;
    let medium = Rigged::over(&memory).forked(NEW, position);
    assert_eq!(medium.lineage().current(), NEW);
    let server = Server::of(Setup { medium: Box::new(medium), ..Setup::default() }).await;
    (server, move |seq| cursor.replace("~1-6", &format!("~1-{seq}")))
}

#[tokio::test]
async fn what_lies_past_the_fork_is_void_and_what_lies_before_goes_on() {
    let (server, old) = forked().await;
    for (topic, seq) in [("match/m1/1", 4), ("match/m1/1", 6), ("match/m1", 4)] {
        let mut socket = server.socket().await;
        socket.subscribe(topic, old(seq).into()).await;
        let reset = socket.next().await;
        assert_eq!((&reset["type"], &reset["reason"]), (&json!("reset"), &json!("lineage")));
        let snapshot = socket.next().await;
        assert_eq!(snapshot["type"], "snapshot");
        assert!(snapshot["cursor"].as_str().unwrap().starts_with(&format!("c1~{NEW}~")));
    }
    for (topic, seq) in [("match/m1/1", 3), ("match/m1", 2), ("match/m1/1", 0)] {
        let mut socket = server.socket().await;
        socket.subscribe(topic, old(seq).into()).await;
        let event = socket.next().await;
        assert_eq!((&event["type"], &event["seq"]), (&json!("event"), &json!(seq + 1)), "{topic}");
        assert!(event["cursor"].as_str().unwrap().starts_with(&format!("c1~{NEW}~")));
    }
    // A bare seq says nothing of a history, and is taken as it is.
    let mut socket = server.socket().await;
    socket.subscribe("match/m1/1", 5.into()).await;
    assert_eq!(socket.next().await["seq"], 6);
}

#[tokio::test]
async fn over_server_sent_events_and_pages_too() {
    let (server, old) = forked().await;
    let mut events = Events::open(&server, "topic=match/m1/1", Some(&old(5))).await;
    assert!(events.next_of("reset").await.id.is_none());
    let snapshot = events.next_of("snapshot").await;
    let data: Value = serde_json::from_str(&snapshot.data).unwrap();
    assert_eq!(snapshot.id.as_deref(), Some(format!("c1~{NEW}~1-6").as_str()));
    assert_eq!(data["cursor"], format!("c1~{NEW}~1-6"));
    let mut events = Events::open(&server, "topic=match/m1/1", Some(&old(3))).await;
    let event = events.next_of("event").await;
    assert_eq!(event.id, Some(format!("c1~{NEW}~1-4")));

    let page = async |after: &str| {
        server.get(&format!("/api/v1/events?subject=match/m1/1&after={after}")).await
    };
    assert_eq!(page(&old(3)).await.json()["events"][0]["seq"], 4);
    assert_eq!(page(&format!("c1~{NEW}~1-5")).await.json()["events"][0]["seq"], 6);
    assert_eq!(page(&old(4)).await.problem(), "conflict");
    assert_eq!(page("c1~0000000000000000~1-1").await.problem(), "conflict");
    assert_eq!(page("soon").await.problem(), "query");
    let proof = server.get("/api/v1/proof?subject=match/m1/1&seq=1").await.json();
    assert_eq!(proof["lineage"], NEW);
    assert_ne!(proof["log_id"], NEW);
}
