//! Clients that do not read.

use std::time::Duration;

use matchwire_gateway::Limits;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::harness::{Server, own, soon};

/// A WebSocket client that has subscribed to the events of a stream and reads only when asked.
pub(crate) struct Silent(TcpStream);

impl Silent {
    pub(crate) async fn connect(server: &Server, topic: &str, after: u64) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 << 10).unwrap();
        let mut stream = socket.connect(server.address).await.unwrap();
        let head = "GET /api/v1/ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n\
                    upgrade: websocket\r\nsec-websocket-version: 13\r\n\
                    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut response = Vec::new();
        while !response.ends_with(b"\r\n\r\n") {
            response.push(soon(stream.read_u8()).await.unwrap());
        }
        assert!(response.starts_with(b"HTTP/1.1 101"));
        let views = ["events", "state"];
        let wish = json!({"type": "subscribe", "topic": topic, "after": after, "views": views});
        let wish = wish.to_string();
        // A text frame of less than 126 bytes, masked with zeros.
        let mut frame = vec![0x81, 0x80 | u8::try_from(wish.len()).unwrap(), 0, 0, 0, 0];
        frame.extend_from_slice(wish.as_bytes());
        stream.write_all(&frame).await.unwrap();
        let mut silent = Self(stream);
        loop {
            let (_, payload) = silent.frame().await.unwrap();
            if String::from_utf8_lossy(&payload).contains("subscribed") {
                return silent;
            }
        }
    }

    /// The next frame of the protocol of a type; others are passed over.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let (opcode, payload) = self.frame().await.unwrap();
            if opcode == 1 {
                let frame: Value = serde_json::from_slice(&payload).unwrap();
                if frame["type"] == kind {
                    return frame;
                }
            }
        }
    }

    /// The next frame: its opcode and payload; `None` when the connection has ended.
    async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let stream = &mut self.0;
        let opcode = soon(stream.read_u8()).await.ok()? & 0x0f;
        let length = match soon(stream.read_u8()).await.ok()? {
            126 => u64::from(soon(stream.read_u16()).await.ok()?),
            127 => soon(stream.read_u64()).await.ok()?,
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        soon(stream.read_exact(&mut payload)).await.ok()?;
        Some((opcode, payload))
    }
}

fn heavy(n: u64) -> Value {
    own("match/m1/1", n, &json!({"n": n, "text": "x".repeat(60_000)}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_cannot_keep_up_is_closed_and_nobody_else_is() {
    let server = Server::with(Limits { lag_events: 50, ..Limits::default() }).await;
    let mut slow = Silent::connect(&server, "match/m1/1", 0).await;
    let mut quick = server.socket().await;
    quick.subscribe("match/m1/1", 0.into()).await;
    let mut sent = 0;
    let reason = "matchwire_connections_closed_total{reason=\"too_slow\"}";
    while server.metric(reason).await < 1.0 {
        assert!(sent < 2_000, "the slow one is not closed");
        sent += 10;
        let events: Vec<Value> = (sent - 9..=sent).map(heavy).collect();
        assert_eq!(server.post(&events).await.status, 200);
        for seq in sent - 9..=sent {
            assert_eq!(quick.next_of("event").await["seq"], seq);
        }
    }
    server.metric_reaches("matchwire_frames_dropped_total", 1.0).await;
    // What the slow one has is a beginning without a gap, and then it is told why.
    let mut seqs = Vec::new();
    let code = loop {
        let Some((opcode, payload)) = slow.frame().await else { panic!("no close frame") };
        match opcode {
            1 => {
                let frame: Value = serde_json::from_slice(&payload).unwrap();
                if frame["type"] == "event" {
                    seqs.push(frame["seq"].as_u64().unwrap());
                }
            }
            8 => break u16::from_be_bytes([payload[0], payload[1]]),
            _ => {}
        }
    };
    assert_eq!(code, 1013);
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    assert!((seqs.len() as u64) < sent);
    // It comes back and misses nothing.
    let mut back = server.socket().await;
    back.subscribe("match/m1/1", seqs.len().into()).await;
    for seq in seqs.len() as u64 + 1..=sent {
        assert_eq!(back.next_of("event").await["seq"], seq);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_never_reads_is_dropped() {
    let limits = Limits { stall: Duration::from_millis(300), ..Limits::default() };
    let server = Server::with(limits).await;
    let slow = Silent::connect(&server, "match/m1/1", 0).await;
    let path = "/api/v1/stream?topic=match/m1/1&after=0";
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let open = async |kind: &str| {
        server.metric(&format!("matchwire_connections{{kind=\"{kind}\"}}")).await
    };
    soon(async { while open("sse").await < 1.0 {} }).await;
    for n in 0..40 {
        let events: Vec<Value> = (n * 10 + 1..=n * 10 + 10).map(heavy).collect();
        assert_eq!(server.post(&events).await.status, 200);
    }
    soon(async { while open("websocket").await + open("sse").await > 0.0 {} }).await;
    drop((slow, stream));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_are_conflated_for_the_slow() {
    let server = Server::start().await;
    let mut slow = Silent::connect(&server, "match/m1/1", 0).await;
    let count = 300;
    for n in 1..=count {
        assert_eq!(server.post(&[heavy(n)]).await.status, 200);
    }
    let (mut events, mut states, mut last) = (0, 0, 0);
    while events < count || last < count {
        let Some((_, payload)) = slow.frame().await else { panic!("the connection ended") };
        let frame: Value = serde_json::from_slice(&payload).unwrap();
        match frame["type"].as_str() {
            Some("event") => {
                events += 1;
                assert_eq!(frame["seq"], events);
            }
            Some("state") => {
                states += 1;
                last = frame["seq"].as_u64().unwrap();
            }
            _ => {}
        }
    }
    assert!(states < count, "{states} states for {count} events");
    assert!(server.metric("matchwire_frames_conflated_total").await >= 1.0);
}
