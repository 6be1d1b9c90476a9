//! A match that was played is played again, by the same frames.

use std::sync::Arc;

use hyper::body::Bytes;
use matchwire_domain::{merge_patch::merge, subject::Subject};
use matchwire_gateway::Limits;
use matchwire_log::ManualClock;
use rand::Rng;
use serde_json::{Value, json};

use crate::{
    harness::{Events, Server, numbered, own},
    play,
    setup::Setup,
};

const START: i64 = 1_700_000_000_000;

struct Played {
    server: Server,
    clock: Arc<ManualClock>,
    /// What followers of the match were told of events, with the cursor of each.
    told: Vec<(Option<String>, String)>,
    now: i64,
}

/// A server on which a match of two maps was played, with somebody who followed it.
async fn played() -> Played {
    let clock = Arc::new(ManualClock::new(START));
    let limits = Limits { replays: 3, ..Limits::default() };
    let server = Server::of(Setup { clock: clock.clone(), limits, ..Setup::default() }).await;
    let mut rng = play::rng(play::seed());
    let first = play::random("match/m1/1", 60, rng.random());
    let second = play::random("match/m1/2", 60, rng.random());
    let (mut now, mut told) = (START, Vec::new());
    let mut events = Events::open(&server, "topic=match/m1&after=0", None).await;
    for event in first.into_iter().chain(second) {
        now += rng.random_range(1..4_000);
        clock.set(now);
        assert_eq!(server.post(&[event]).await.status, 200);
        told.push(next_event(&mut events).await);
    }
    Played { server, clock, told, now }
}

async fn next_event(events: &mut Events) -> (Option<String>, String) {
    let sent = events.next_of("event").await;
    (sent.id, sent.data)
}

impl Played {
    async fn replay(&self, query: &str, last: Option<&str>) -> Events {
        let headers: Vec<(&str, &str)> = last.iter().map(|last| ("last-event-id", *last)).collect();
        Events::open_at(&self.server, &format!("/api/v1/replay/m1{query}"), &headers).await
    }

    fn set(&mut self, ms: i64) {
        self.now = ms;
        self.clock.set(ms);
    }

    /// When each event was recorded, in the order in which they were told.
    fn recorded(&self) -> Vec<i64> {
        let of = |map: u16| {
            let subject = Subject::match_map("m1", map).unwrap();
            self.server.log.read(&subject, 0, 1_000).unwrap()
        };
        let entries = of(1).into_iter().chain(of(2));
        entries.map(|entry| entry.recorded.recorded.ms()).collect()
    }
}

#[tokio::test]
async fn a_replay_is_the_same_frames_at_its_own_pace() {
    let mut played = played().await;
    let mut events = played.replay("?speed=4", None).await;
    let mut socket = played.server.socket().await;
    let message = json!({"type": "subscribe", "topic": "match/m1", "replay": {"speed": 4}});
    socket.say(&message).await;
    assert_eq!(socket.next_of("subscribed").await["topic"], "match/m1");
    let begun = played.now;
    let recorded = played.recorded();
    let mut heard = 0;
    for step in 0.. {
        played.set(begun + step * 7_000);
        let is_due = |time: &&i64| **time - recorded[0] <= step * 28_000;
        let due = recorded.iter().filter(is_due).count();
        for (_, told) in &played.told[heard..due] {
            assert_eq!(&next_event(&mut events).await.1, told);
            let told: Value = serde_json::from_str(told).unwrap();
            let frame = socket.next_of("event").await;
            assert_eq!((&frame["event"], &frame["seq"]), (&told["event"], &told["seq"]));
        }
        heard = due;
        // Nothing more has come by then: what is sent before the heartbeat is all there is.
        socket.say(&json!({"type": "ping"})).await;
        loop {
            let frame = socket.next().await;
            assert_ne!(frame["type"], "event", "{frame} comes too early");
            if frame["type"] == "heartbeat" || frame["type"] == "end" {
                break;
            }
        }
        if due == recorded.len() {
            break;
        }
    }
    let end = events.next_of("end").await;
    let told: Value = serde_json::from_str(&end.data).unwrap();
    assert_eq!((&told["topic"], told["cursor"].as_str()), (&json!("match/m1"), end.id.as_deref()));
    assert!(events.next().await.is_none());
    played.server.metric_reaches("matchwire_connections_closed_total{reason=\"done\"}", 1.0).await;
}

#[tokio::test]
async fn a_replay_at_once_comes_to_the_same_state_and_goes_on_from_any_cursor() {
    let played = played().await;
    let now = played.server.get("/api/v1/matches/m1").await.json();
    let mut events = played.replay("?speed=0", None).await;
    let (mut state, mut told, mut last) = (Value::Null, Vec::new(), None);
    while let Some(sent) = events.next().await {
        let frame: Value = serde_json::from_str(&sent.data).unwrap_or_default();
        match sent.name.as_str() {
            "event" => told.push((sent.id.clone(), sent.data)),
            "state" if frame["state"].is_object() => state = frame["state"].clone(),
            "state" => merge(&mut state, frame["patch"].clone()),
            _ => {}
        }
        last = sent.id.or(last);
    }
    assert_eq!(state["maps"], now["maps"]);
    let texts = |told: &[(Option<String>, String)]| -> Vec<Value> {
        let event = |told: &(Option<String>, String)| -> Value {
            serde_json::from_str::<Value>(&told.1).unwrap()["event"].clone()
        };
        told.iter().map(event).collect()
    };
    assert_eq!(texts(&told), texts(&played.told));
    // Whoever comes back goes on where it was, and does not once there is nothing more.
    let (cursor, _) = &told[70];
    let mut rest = played.replay("?speed=0&views=events", cursor.as_deref()).await;
    for (_, event) in &told[71..] {
        assert_eq!(&next_event(&mut rest).await.1, event);
    }
    let had_all = [("last-event-id", last.as_deref().unwrap())];
    let path = "/api/v1/replay/m1?speed=0";
    let reply = played.server.send("GET", path, &had_all, Bytes::new()).await;
    assert_eq!((reply.status.as_u16(), reply.bytes.len()), (204, 0));
}

#[tokio::test]
async fn whoever_goes_on_does_not_wait_again() {
    let mut played = played().await;
    let recorded = played.recorded();
    let (cursor, _) = &played.told[40].clone();
    let mut events = played.replay("?views=events", cursor.as_deref()).await;
    let begun = played.now;
    // The next one comes as long after it began as it came after the one before.
    played.set(begun + recorded[41] - recorded[40]);
    assert_eq!(next_event(&mut events).await.1, played.told[41].1);
}

#[tokio::test]
async fn what_is_wrong_and_what_is_too_much() {
    let played = played().await;
    let server = &played.server;
    for bad in [
        "speed=fast",
        "speed=-1",
        "speed=1e3",
        "speed=1001",
        "speed=0.001",
        "max_gap=-1",
        "max_gap=90000",
        "after=3",
        "by=hand",
        "from=1",
    ] {
        let reply = server.get(&format!("/api/v1/replay/m1?{bad}")).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, "query"), "{bad}");
    }
    assert_eq!(server.get("/api/v1/replay/m2").await.problem(), "not_found");
    assert_eq!(server.get("/api/v1/replay/a%20b").await.problem(), "path");
    let mut socket = server.socket().await;
    for (replay, code) in [(json!({"speed": 5_000}), "replay"), (json!({}), "not_found")] {
        socket.say(&json!({"type": "subscribe", "topic": "match/m2/1", "replay": replay})).await;
        assert_eq!(socket.next_of("error").await["code"], code);
    }
    let mut running = Vec::new();
    for _ in 0..3 {
        running.push(played.replay("", None).await);
    }
    assert_eq!(server.get("/api/v1/replay/m1").await.problem(), "busy");
    socket.say(&json!({"type": "subscribe", "topic": "match/m1", "replay": {}})).await;
    assert_eq!(socket.next_of("error").await["code"], "busy");
    server.metric_reaches("matchwire_replays", 3.0).await;
    // One that nobody reads any more makes room.
    drop(running);
    let free = async { while server.metric("matchwire_replays").await > 0.0 {} };
    tokio::time::timeout(crate::harness::PATIENCE, free).await.unwrap();
}

#[tokio::test]
async fn a_socket_goes_on_with_live_topics_behind_a_replay() {
    let server = Server::start().await;
    server.post(&numbered("match/m1/1", 1, 3)).await;
    let mut socket = server.socket().await;
    socket.subscribe("match/m2/1", json!(0)).await;
    let message = json!({
        "type": "subscribe", "topic": "match/m1/1", "after": 1, "views": ["events"], "replay": {"speed": 0},
    });
    socket.say(&message).await;
    for seq in [2, 3] {
        assert_eq!(socket.next_of("event").await["seq"], seq);
    }
    let end = socket.next_of("end").await;
    assert_eq!(end["topic"], "match/m1/1");
    // The topic is free again, and what is live goes on.
    server.post(&[own("match/m2/1", 1, &json!({}))]).await;
    assert_eq!(socket.next_of("event").await["topic"], "match/m2/1");
    socket.subscribe("match/m1/1", end["cursor"].clone()).await;
    server.post(&numbered("match/m1/1", 4, 1)).await;
    assert_eq!(socket.next_of("event").await["seq"], 4);
}

#[tokio::test]
async fn what_was_imported_at_once_can_go_by_its_own_time() {
    let clock = Arc::new(ManualClock::new(START));
    let server = Server::of(Setup { clock: clock.clone(), ..Setup::default() }).await;
    let at = |second: u64| {
        let mut event = own("match/m1/1", second, &json!({}));
        event["time"] = format!("2022-12-18T15:00:{second:02}Z").into();
        event
    };
    server.post(&[at(1), at(3), at(9)]).await;
    let path = "/api/v1/replay/m1?by=time&speed=2&views=events";
    let mut events = Events::open_at(&server, path, &[]).await;
    let mut socket = server.socket().await;
    let replay = json!({"by": "time", "speed": 2});
    socket.say(&json!({"type": "subscribe", "topic": "match/m1/1", "replay": replay})).await;
    for (ms, seq) in [(0, 1), (1_000, 2), (4_000, 3)] {
        clock.set(START + ms);
        let told: Value = serde_json::from_str(&next_event(&mut events).await.1).unwrap();
        assert_eq!(
            (&told["seq"], &socket.next_of("event").await["seq"]),
            (&seq.into(), &seq.into())
        );
    }
    assert_eq!(socket.next_of("end").await["topic"], "match/m1/1");
}
