//! Followers that are cut at random and come back: every event exactly once.

use std::collections::BTreeMap;

use rand::Rng;
use serde_json::Value;

use crate::{
    harness::{Events, Server, numbered},
    play::{rng, seed},
};

const EVENTS: u64 = 1_500;

/// Sends events to three streams in batches of random size.
async fn feed(server: &Server, seed: u64) {
    let mut rng = rng(seed);
    let subjects = ["match/m1", "match/m1/1", "match/m1/2"];
    let mut sent = [0; 3];
    while sent.iter().any(|sent| *sent < EVENTS) {
        let index = rng.random_range(0..3);
        let count = rng.random_range(1..=40).min(EVENTS - sent[index]);
        if count > 0 {
            let events = numbered(subjects[index], sent[index] + 1, count);
            assert_eq!(server.post(&events).await.status, 200);
            sent[index] += count;
        }
    }
}

/// Holds that each stream's events come once and in order.
#[derive(Default)]
struct Seen(BTreeMap<String, u64>);

impl Seen {
    fn take(&mut self, frame: &Value) {
        let last = self.0.entry(frame["subject"].as_str().unwrap().to_owned()).or_default();
        assert_eq!(frame["seq"].as_u64().unwrap(), *last + 1, "{}", frame["subject"]);
        assert_eq!(frame["event"]["data"]["n"], frame["seq"]);
        *last += 1;
    }

    fn is_all(&self, streams: usize) -> bool {
        self.0.len() == streams && self.0.values().all(|last| *last == EVENTS)
    }
}

async fn over_sockets(server: &Server, topic: &str, streams: usize, seed: u64) {
    let mut rng = rng(seed);
    let (mut taken, mut cursor, mut cuts) = (Seen::default(), Value::from(0), 0);
    while !taken.is_all(streams) {
        let mut socket = server.socket().await;
        socket.subscribe(topic, cursor.clone()).await;
        for _ in 0..rng.random_range(1..200) {
            if taken.is_all(streams) {
                break;
            }
            let frame = socket.next_of("event").await;
            taken.take(&frame);
            cursor = frame["cursor"].clone();
        }
        cuts += 1;
    }
    assert!(cuts > 3, "only {cuts} cuts");
}

async fn over_streams(server: &Server, topic: &str, streams: usize, seed: u64) {
    let mut rng = rng(seed);
    let (mut taken, mut last, mut cuts) = (Seen::default(), None::<String>, 0);
    let query = format!("topic={topic}&after=0");
    while !taken.is_all(streams) {
        let mut events = Events::open(server, &query, last.as_deref()).await;
        for _ in 0..rng.random_range(1..200) {
            if taken.is_all(streams) {
                break;
            }
            let sent = events.next_of("event").await;
            taken.take(&serde_json::from_str(&sent.data).unwrap());
            last = sent.id;
        }
        cuts += 1;
    }
    assert!(cuts > 3, "only {cuts} cuts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_exactly_once() {
    let server = Server::start().await;
    let seed = seed();
    tokio::join!(
        feed(&server, seed),
        over_sockets(&server, "match/m1/1", 1, seed ^ 1),
        over_sockets(&server, "match/m1", 3, seed ^ 2),
        over_streams(&server, "match/m1/2", 1, seed ^ 3),
        over_streams(&server, "match/m1", 3, seed ^ 4),
    );
}
