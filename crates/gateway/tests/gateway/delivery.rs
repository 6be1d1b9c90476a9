//! What followers are told.

use std::time::Duration;

use matchwire_domain::merge_patch::merge;
use matchwire_gateway::Limits;
use serde_json::{Value, json};

use crate::{
    harness::{Events, Server, event, numbered, own},
    play,
};

#[tokio::test]
async fn events_from_the_beginning_from_a_seq_and_from_a_snapshot() {
    let server = Server::start().await;
    server.post(&numbered("match/m1/1", 1, 5)).await;
    let mut whole = server.socket().await;
    whole.subscribe("match/m1/1", 0.into()).await;
    for seq in 1..=5 {
        let frame = whole.next_of("event").await;
        assert_eq!(frame["seq"], seq);
        assert_eq!(frame["cursor"], format!("c1~{}~1-{seq}", server.log.id()));
        assert_eq!(frame["subject"], "match/m1/1");
        assert_eq!(frame["event"]["seq"], seq);
        assert_eq!(frame["event"]["data"]["n"], seq);
    }
    let mut rest = server.socket().await;
    rest.subscribe("match/m1/1", "3".into()).await;
    assert_eq!(rest.next_of("event").await["seq"], 4);
    assert_eq!(rest.next_of("event").await["seq"], 5);
    let mut snapshot = server.socket().await;
    snapshot.subscribe("match/m1/1", Value::Null).await;
    let frame = snapshot.next().await;
    assert_eq!((&frame["type"], &frame["seq"]), (&json!("snapshot"), &json!(5)));
    let now = server.get("/api/v1/matches/m1/maps/1").await.json();
    assert_eq!(frame["state"], now);
    server.post(&numbered("match/m1/1", 6, 1)).await;
    for socket in [&mut whole, &mut rest, &mut snapshot] {
        assert_eq!(socket.next_of("event").await["seq"], 6);
        assert_eq!(socket.next_of("state").await["seq"], 6);
    }
    whole.say(&json!({"type": "unsubscribe", "topic": "match/m1/1"})).await;
    whole.say(&json!({"type": "ping"})).await;
    assert_eq!(whole.next_of("heartbeat").await["heads"], json!({}));
}

#[tokio::test]
async fn what_lies_past_the_head_is_void() {
    let server = Server::start().await;
    server.post(&numbered("match/m1/1", 1, 3)).await;
    let mut socket = server.socket().await;
    for after in [json!(4), json!("4"), json!("c1~0000000000000000~1-2")] {
        socket.subscribe("match/m1/1", after).await;
        let reset = socket.next().await;
        assert_eq!(reset["type"], "reset");
        assert!(reset["reason"].is_string());
        let snapshot = socket.next().await;
        assert_eq!((&snapshot["type"], &snapshot["seq"]), (&json!("snapshot"), &json!(3)));
    }
    socket.subscribe("match/m1", json!("c1~0000000000000000~1-2")).await;
    assert_eq!(socket.next().await["type"], "reset");
    assert_eq!(socket.next().await["type"], "snapshot");
}

#[tokio::test]
async fn what_has_no_events_yet() {
    let server = Server::start().await;
    let mut socket = server.socket().await;
    socket.say(&json!({"type": "subscribe", "topic": "match/new/1"})).await;
    assert_eq!(
        socket.next().await,
        json!({"type": "subscribed", "topic": "match/new/1", "head": 0})
    );
    assert_eq!(socket.next().await["seq"], 0);
    server.post(&numbered("match/new/1", 1, 1)).await;
    assert_eq!(socket.next_of("event").await["seq"], 1);
}

#[tokio::test]
async fn only_the_views_that_are_wanted() {
    let server = Server::start().await;
    let mut socket = server.socket().await;
    let message = json!({
        "type": "subscribe", "topic": "match/m1/1", "after": 0, "views": ["prediction"],
    });
    socket.say(&message).await;
    assert_eq!(socket.next().await["type"], "subscribed");
    server.post(&[event("match/m1/1", 1, "match.started", &json!({}))]).await;
    server.post(&[event("match/m1/1", 2, "round.started", &json!({}))]).await;
    let mut last = json!(0);
    while last != 2 {
        let frame = socket.next().await;
        assert_eq!(frame["type"], "prediction");
        assert_eq!(frame["seq"], frame["prediction"]["seq"]);
        last = frame["seq"].clone();
    }
}

#[tokio::test]
async fn patches_lead_to_the_state_also_past_late_events() {
    let server = Server::start().await;
    let seed = play::seed();
    let mut socket = server.socket().await;
    socket.subscribe("match/m1/1", Value::Null).await;
    let mut state = socket.next_of("snapshot").await["state"].clone();
    let events = play::random("match/m1/1", 300, seed);
    let (mut sent, mut patches) = (0, 0);
    for batch in events.chunks(3) {
        server.post(batch).await;
        sent += batch.len();
        while state["seq"] != sent {
            let frame = socket.next_of("state").await;
            if let Some(patch) = frame.get("patch") {
                merge(&mut state, patch.clone());
                patches += 1;
            } else {
                state = frame["state"].clone();
            }
            assert_eq!(frame["seq"], state["seq"]);
        }
        assert_eq!(state, server.get("/api/v1/matches/m1/maps/1").await.json(), "seed {seed}");
    }
    assert!(patches > 50, "only {patches} patches");
}

#[tokio::test]
async fn a_match_with_maps_that_start_later() {
    let server = Server::start().await;
    server.post(&[own("match/m1", 1, &json!({})), own("match/m1/1", 1, &json!({}))]).await;
    server.post(&[own("match/m10/1", 1, &json!({}))]).await;
    let mut socket = server.socket().await;
    socket.subscribe("match/m1", Value::Null).await;
    let mut state = socket.next_of("snapshot").await["state"].clone();
    // The standing is put together for who asks; the rest is the same.
    let whole = async || {
        let mut whole = server.get("/api/v1/matches/m1").await.json();
        whole.as_object_mut().unwrap().remove("standing").unwrap();
        whole
    };
    assert_eq!(state, whole().await);
    server.post(&[own("match/m1/1", 2, &json!({})), own("match/m1/2", 1, &json!({}))]).await;
    server.post(&[own("match/m1", 2, &json!({}))]).await;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    let seqs = |state: &Value| {
        [&state["series"]["seq"], &state["maps"]["1"]["seq"], &state["maps"]["2"]["seq"]]
            .map(Value::as_u64)
    };
    while seen.len() < 3 || seqs(&state) != [Some(2), Some(2), Some(1)] {
        let frame = socket.next().await;
        assert!(frame["topic"].is_null() || frame["topic"] == "match/m1", "{frame}");
        match frame["type"].as_str().unwrap() {
            "event" => {
                seen.push(format!("{} {}", frame["subject"].as_str().unwrap(), frame["seq"]));
                frame["cursor"].as_str().unwrap().clone_into(&mut cursor);
            }
            "state" => merge(&mut state, frame["patch"].clone()),
            _ => {}
        }
    }
    seen.sort();
    assert_eq!(seen, ["match/m1 2", "match/m1/1 2", "match/m1/2 1"]);
    assert_eq!(state, whole().await);
    // The cursor of the last event is where one goes on, with the whole state first.
    server.post(&[own("match/m1/2", 2, &json!({}))]).await;
    let mut socket = server.socket().await;
    socket.subscribe("match/m1", cursor.into()).await;
    let frame = socket.next_of("event").await;
    assert_eq!((&frame["subject"], &frame["seq"]), (&json!("match/m1/2"), &json!(2)));
    let frame = socket.next_of("state").await;
    assert_eq!(frame["state"], whole().await);
}

#[tokio::test]
async fn large_frames_are_compressed_and_come_out_the_same() {
    let server = Server::start().await;
    let mut socket = server.socket().await;
    socket.subscribe("match/m1/1", 0.into()).await;
    let text = "abc".repeat(20_000);
    server.post(&[own("match/m1/1", 1, &json!({"text": text}))]).await;
    assert_eq!(socket.next_of("event").await["event"]["data"]["text"], text);
}

#[tokio::test]
async fn heartbeats_pings_and_silence() {
    let beat = Duration::from_millis(50);
    let limits = Limits {
        heartbeat: beat,
        ping: beat,
        silence: Duration::from_millis(500),
        ..Limits::default()
    };
    let server = Server::with(limits).await;
    server.post(&numbered("match/m1/1", 1, 2)).await;
    let mut socket = server.socket().await;
    socket.subscribe("match/m1/1", 0.into()).await;
    loop {
        let heartbeat = socket.next_of("heartbeat").await;
        if heartbeat["heads"]["match/m1/1"] == 2 {
            break;
        }
    }
    let mut events = Events::open(&server, "topic=match/m1/1&after=2&views=events", None).await;
    assert_eq!(events.next().await.unwrap().retry, "2000");
    while events.next().await.unwrap().comment != "heartbeat" {}
    // A client that answers no ping is silent.
    let silent = crate::slow::Silent::connect(&server, "match/m1/1", 0).await;
    server.metric_reaches("matchwire_connections_closed_total{reason=\"silent\"}", 1.0).await;
    drop(silent);
    // This one answers them as it reads.
    socket.next_of("heartbeat").await;
}

#[tokio::test]
async fn server_sent_events() {
    let server = Server::start().await;
    server.post(&[event("match/m1/1", 1, "match.started", &json!({}))]).await;
    let mut events = Events::open(&server, "topic=match/m1/1", None).await;
    assert_eq!(events.next().await.unwrap().retry, "2000");
    assert_eq!(events.next().await.unwrap().name, "subscribed");
    let snapshot = events.next().await.unwrap();
    let cursor = |seq: u64| Some(format!("c1~{}~1-{seq}", server.log.id()));
    assert_eq!((snapshot.name.as_str(), &snapshot.id), ("snapshot", &cursor(1)));
    // Line breaks within a stored event are kept, as lines.
    let body = "{\"specversion\":\"1.0\",\"id\":\"2\",\"source\":\"s\",\"subject\":\"match/m1/1\",\
                \"type\":\"x.a\",\"data\":{\n\"a\":\n1}}";
    assert_eq!(server.post_as("application/cloudevents+json", body).await.status, 200);
    let sent = events.next_of("event").await;
    assert_eq!(sent.id, cursor(2));
    let frame: Value = serde_json::from_str(&sent.data).unwrap();
    assert_eq!((&frame["type"], &frame["event"]["data"]), (&json!("event"), &json!({"a": 1})));
    let state = events.next_of("state").await;
    assert_eq!(state.id, None);
}
