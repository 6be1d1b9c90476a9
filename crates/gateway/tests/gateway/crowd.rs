//! Those who follow the same are served together, and nobody notices.

use std::time::Duration;

use matchwire_domain::merge_patch::merge;
use matchwire_gateway::Limits;
use rand::Rng;
use serde_json::{Value, json};

use crate::{
    harness::{Server, Socket, event, numbered, own, soon},
    play,
    slow::Silent,
};

/// What a client has been told of a topic.
#[derive(Default)]
struct Told {
    seqs: Vec<u64>,
    state: Value,
    state_seq: u64,
    head: Value,
}

impl Told {
    fn note(&mut self, frame: &Value) {
        match frame["type"].as_str().unwrap() {
            "event" => self.seqs.push(frame["seq"].as_u64().unwrap()),
            "snapshot" => {
                self.state = frame["state"].clone();
                self.state_seq = frame["seq"].as_u64().unwrap();
            }
            "state" => {
                let seq = frame["seq"].as_u64().unwrap();
                assert!(seq >= self.state_seq, "states are in order");
                self.state_seq = seq;
                match frame.get("patch") {
                    Some(patch) => merge(&mut self.state, patch.clone()),
                    None => self.state = frame["state"].clone(),
                }
            }
            "heartbeat" => self.head = frame["heads"]["match/m1/1"].clone(),
            "reset" | "error" => panic!("{frame}"),
            _ => {}
        }
    }

    /// Reads until an event and its state are there.
    async fn read_to(&mut self, socket: &mut Socket, seq: u64) {
        while self.seqs.last().is_none_or(|last| *last < seq) || self.state_seq < seq {
            let frame = socket.next().await;
            self.note(&frame);
        }
    }
}

fn kill(n: u64) -> Value {
    let (killer, victim) = (format!("steam:{}", n % 7), format!("steam:{}", 7 + n % 5));
    let data = json!({"killer": killer, "victim": victim, "weapon": "ak47", "headshot": n.is_multiple_of(2)});
    event("match/m1/1", n, "player.killed", &data)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_its_members_do_each_has_everything_once_and_in_order() {
    let mut random = play::rng(play::seed());
    let beat = Duration::from_millis(20);
    let server = Server::with(Limits { heartbeat: beat, ..Limits::default() }).await;
    let mut clients: Vec<(Socket, Told)> = Vec::new();
    let mut sent = 0;
    for _ in 0..40 {
        for _ in 0..random.random_range(0..4) {
            let mut socket = server.socket().await;
            socket.subscribe("match/m1/1", 0.into()).await;
            clients.push((socket, Told::default()));
        }
        let count = random.random_range(1..20);
        let events: Vec<Value> = (sent + 1..=sent + count).map(kill).collect();
        assert_eq!(server.post(&events).await.status, 200);
        sent += count;
        for (socket, told) in &mut clients {
            match random.random_range(0..6) {
                // It reads what is there.
                0..3 => told.read_to(socket, sent).await,
                // It subscribes again, from where it is.
                3 => {
                    let after = told.seqs.last().copied().unwrap_or(0);
                    let topic = "match/m1/1";
                    socket.say(&json!({"type": "unsubscribe", "topic": topic})).await;
                    socket.say(&json!({"type": "ping"})).await;
                    // Until then it may be told more.
                    loop {
                        let frame = socket.next().await;
                        told.note(&frame);
                        if frame["type"] == "heartbeat" && frame["heads"] == json!({}) {
                            break;
                        }
                    }
                    let after = told.seqs.last().copied().unwrap_or(after);
                    told.state_seq = 0;
                    socket.subscribe(topic, after.into()).await;
                }
                4 => socket.say(&json!({"type": "ping"})).await,
                _ => {}
            }
        }
    }
    let state = server.get("/api/v1/matches/m1/maps/1").await.json();
    for (socket, told) in &mut clients {
        told.read_to(socket, sent).await;
        assert_eq!(told.seqs, (1..=sent).collect::<Vec<_>>());
        assert_eq!(told.state, state);
    }
    server.metric_reaches("matchwire_crowds", 1.0).await;
    for (socket, told) in &mut clients {
        while told.head != sent {
            let frame = socket.next().await;
            told.note(&frame);
        }
    }
    // Nobody is left to serve.
    drop(clients);
    soon(async { while server.metric("matchwire_crowds").await > 0.0 {} }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_crowd_is_served_in_parts() {
    let server = Server::start().await;
    let mut sockets = Vec::new();
    for _ in 0..600 {
        let mut socket = server.socket().await;
        socket.subscribe("match/m1/1", 0.into()).await;
        sockets.push(socket);
    }
    // Large enough to be compressed for those who take that, which not all do.
    let large = own("match/m1/1", 1, &json!({"text": "x".repeat(3_000)}));
    let mut silent = Silent::connect(&server, "match/m1/1", 0).await;
    assert_eq!(server.post(&[large]).await.status, 200);
    assert_eq!(server.post(&numbered("match/m1/1", 2, 3)).await.status, 200);
    for socket in &mut sockets {
        for seq in 1..=4 {
            assert_eq!(socket.next_of("event").await["seq"], seq);
        }
    }
    for seq in 1..=4 {
        assert_eq!(silent.next_of("event").await["seq"], seq);
    }
    assert!(
        (server.metric("matchwire_frames_sent_total{type=\"event\"}").await - 2_404.0).abs() < 0.5
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_map_is_found_while_another_one_is_busy() {
    let beat = Duration::from_millis(100);
    let server = Server::with(Limits { heartbeat: beat, ..Limits::default() }).await;
    server.post(&numbered("match/m1/1", 1, 1)).await;
    let mut socket = server.socket().await;
    socket.subscribe("match/m1", 0.into()).await;
    server.metric_reaches("matchwire_crowds", 1.0).await;
    let busy = async {
        let mut n = 2;
        loop {
            server.post(&numbered("match/m1/1", n, 5)).await;
            n += 5;
        }
    };
    let found = async {
        server.post(&numbered("match/m1/2", 1, 1)).await;
        while socket.next_of("event").await["subject"] != "match/m1/2" {}
        // Heartbeats come between them, too.
        socket.next_of("heartbeat").await;
        let mut late = server.socket().await;
        late.subscribe("match/m1", Value::Null).await;
        late.next_of("event").await;
    };
    tokio::select! {
        () = busy => {}
        () = soon(found) => {}
    }
}

#[tokio::test]
async fn the_whole_state_comes_every_so_often() {
    let server = Server::start().await;
    let mut socket = server.socket().await;
    let topic = "match/m1/1";
    let views = json!(["state"]);
    socket.say(&json!({"type": "subscribe", "topic": topic, "after": 0, "views": views})).await;
    let (mut whole, mut patches) = (0, 0);
    for n in 1..=300 {
        assert_eq!(server.post(&[kill(n)]).await.status, 200);
        loop {
            let frame = socket.next_of("state").await;
            whole += u32::from(frame.get("state").is_some());
            patches += u32::from(frame.get("patch").is_some());
            if frame["seq"] == n {
                break;
            }
        }
    }
    // The first one, and another one after 256 changes.
    assert!(whole >= 2 && patches >= 256, "{whole} {patches}");
}
