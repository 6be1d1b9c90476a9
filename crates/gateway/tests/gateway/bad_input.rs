//! Bad input, one by one: each gets its error, costs little, and disturbs nobody else.

use std::{io::Write, time::Duration};

use hyper::body::Bytes;
use matchwire_gateway::Limits;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use yawc::Frame;

use crate::harness::{Server, Socket, event, numbered, own, soon};

const LINES: &str = "application/x-ndjson";
const ONE: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

/// The code with which the only event of a request is rejected.
async fn rejected(server: &Server, body: impl Into<Bytes>) -> String {
    let reply = server.post_as(ONE, body).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    let result = &reply.json()["results"][0];
    assert_eq!(result["status"], "rejected");
    assert!(result["error"]["detail"].as_str().unwrap().len() < 2_000);
    result["error"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn events_that_are_none() {
    let server = Server::start().await;
    let good = own("match/m1/1", 1, &json!({}));
    let with = |name: &str, value: Value| {
        let mut event = good.clone();
        event[name] = value;
        event.to_string()
    };
    let killed = |data: &Value| event("match/m1/1", 1, "player.killed", data).to_string();
    // A malformed body.
    for body in ["", "{", "[]", "null", "17", "{}", "\u{0}"] {
        assert_eq!(rejected(&server, body).await, "envelope", "{body}");
    }
    assert_eq!(server.post_as(BATCH, "{}").await.problem(), "bad_body");
    assert_eq!(server.post_as(BATCH, "[1,").await.problem(), "bad_body");
    assert_eq!(server.post_as(LINES, "nonsense\n{\n").await.status, 400);
    // A wrong type of an attribute, an unknown one, a wrong content type.
    assert_eq!(rejected(&server, with("id", json!(7))).await, "envelope");
    assert_eq!(rejected(&server, with("time", json!("noon"))).await, "envelope");
    assert_eq!(rejected(&server, with("seq", json!(1))).await, "envelope");
    assert_eq!(rejected(&server, with("colour", json!("red"))).await, "envelope");
    assert_eq!(server.post_as("text/plain", "{}").await.problem(), "media_type");
    assert_eq!(server.post_as("application/json", "{}").await.problem(), "media_type");
    let latin = "application/x-ndjson; charset=latin1";
    assert_eq!(server.post_as(latin, "{}").await.problem(), "media_type");
    // Unknown types, fields and data out of range.
    assert_eq!(rejected(&server, with("type", json!("match.exploded"))).await, "unknown_type");
    let kill = json!({"killer": "p1", "victim": "p2", "weapon": "ak47"});
    let mut more = kill.clone();
    more["calibre"] = 7.into();
    assert_eq!(rejected(&server, killed(&more)).await, "schema");
    let mut long = kill.clone();
    long["weapon"] = "x".repeat(200).into();
    assert_eq!(rejected(&server, killed(&long)).await, "schema");
    let money = |value: Value| {
        let data = json!({"player": "p1", "money": value});
        event("match/m1/1", 1, "money.changed", &data).to_string()
    };
    for bad in [json!(-1), json!(1e30), json!(4_294_967_296_u64), json!(1.5), json!("800")] {
        assert_eq!(rejected(&server, money(bad)).await, "schema");
    }
    assert_eq!(rejected(&server, with("data", json!([1]))).await, "schema");
    // Subjects outside the grammar, and those that only the server writes.
    for subject in ["", "match", "match/m 1/1", "match/m1/0", "games/1", "match/m1/1/1"] {
        assert_eq!(rejected(&server, with("subject", json!(subject))).await, "subject");
    }
    for subject in ["admin/keys", "source/cs-log/m1/auto", "upstream/u1", "import/i1"] {
        assert_eq!(rejected(&server, with("subject", json!(subject))).await, "subject");
    }
    // A deep nest, and one that is far deeper.
    for depth in [70, 500_000] {
        let data = "[".repeat(depth) + &"]".repeat(depth);
        let body = good.to_string().replace("\"data\":{}", &format!("\"data\":{data}"));
        assert_eq!(rejected(&server, body).await, "too_deep");
    }
    // Invalid UTF-8.
    let mut bytes = good.to_string().into_bytes();
    let at = bytes.iter().position(|b| *b == b'1').unwrap();
    bytes[at] = 0xff;
    assert_eq!(rejected(&server, bytes).await, "envelope");
    assert_eq!(server.post(&[good]).await.status, 200);
}

#[tokio::test]
async fn too_much_in_one_request() {
    let server = Server::start().await;
    let limit = 4 << 20;
    let padded = |size: usize| {
        let mut body = own("match/m1/1", 1, &json!({})).to_string().into_bytes();
        body.resize(size, b' ');
        body
    };
    assert_eq!(server.post_as(ONE, padded(limit)).await.status, 200);
    let reply = server.post_as(ONE, padded(limit + 1)).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (413, "too_large"));
    // Without a declared length, too: the body is cut off as it comes.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = "POST /api/v1/events HTTP/1.1\r\nhost: localhost\r\n\
                content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let sender = tokio::spawn(async move {
        let chunk = [b"10000\r\n".as_slice(), &vec![b' '; 0x10000], b"\r\n"].concat();
        while write.write_all(&chunk).await.is_ok() {}
    });
    let mut answer = [0; 12];
    soon(read.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    drop(read);
    soon(sender).await.unwrap();

    let events = numbered("match/m1/1", 10, 1_001);
    assert_eq!(server.post(&events).await.problem(), "too_large");
    let batch = server.post_as(BATCH, Value::from(events.clone()).to_string()).await;
    assert_eq!(batch.problem(), "too_large");
    assert_eq!(server.post(&events[..1_000]).await.status, 200);
}

#[tokio::test]
async fn bombs_and_broken_compression() {
    let server = Server::start().await;
    let post = async |coding: &str, body: Vec<u8>| {
        let headers = [("content-type", LINES), ("content-encoding", coding)];
        server.send("POST", "/api/v1/events", &headers, body.into()).await
    };
    let zeros = vec![b' '; 1 << 20];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let mut zstd = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    for _ in 0..64 {
        gzip.write_all(&zeros).unwrap();
        zstd.write_all(&zeros).unwrap();
    }
    let reply = post("gzip", gzip.finish().unwrap()).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (413, "too_large"));
    assert_eq!(post("zstd", zstd.finish().unwrap()).await.problem(), "too_large");
    // A window of 128 MiB is what a frame may ask for, and not what it gets.
    let mut wide = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    wide.window_log(27).unwrap();
    wide.write_all(&zeros).unwrap();
    assert_eq!(post("zstd", wide.finish().unwrap()).await.problem(), "bad_body");
    assert_eq!(post("gzip", b"no gzip".to_vec()).await.problem(), "bad_body");
    assert_eq!(post("zstd", b"no zstd".to_vec()).await.problem(), "bad_body");
    let reply = post("br", Vec::new()).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (415, "media_type"));
}

#[tokio::test]
async fn slow_and_half_closed_senders() {
    let brief = Duration::from_millis(200);
    let limits = Limits { head: brief, body_idle: brief, body: brief * 4, ..Limits::default() };
    let server = Server::with(limits).await;
    let head = "POST /api/v1/events HTTP/1.1\r\nhost: localhost\r\n\
                content-type: application/x-ndjson\r\ncontent-length: 1000\r\n\r\n";
    let answer = async |mut stream: TcpStream| {
        let mut text = Vec::new();
        let _ = soon(stream.read_to_end(&mut text)).await;
        String::from_utf8(text).unwrap()
    };
    // The head never ends.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&head.as_bytes()[..40]).await.unwrap();
    let text = answer(stream).await;
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
    // The body stands still.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(b"{").await.unwrap();
    let text = answer(stream).await;
    assert!(text.starts_with("HTTP/1.1 408") && text.contains("\"timeout\""), "{text}");
    // The body trickles.
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    write.write_all(head.as_bytes()).await.unwrap();
    let mut trickle = tokio::time::interval(brief / 4);
    let trickling = async {
        loop {
            trickle.tick().await;
            if write.write_all(b" ").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut text = [0; 12];
    tokio::select! {
        () = trickling => unreachable!(),
        done = soon(read.read_exact(&mut text)) => assert_eq!(done.unwrap(), 12),
    }
    assert_eq!(&text, b"HTTP/1.1 408");
    // The sender stops half-way, and still listens.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(b"{").await.unwrap();
    stream.shutdown().await.unwrap();
    let text = answer(stream).await;
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{text}");
    assert_eq!(server.post(&numbered("match/m1/1", 1, 1)).await.status, 200);
}

#[tokio::test]
async fn what_is_not_http() {
    let server = Server::start().await;
    for rubbish in
        [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"GET\r\n\r\n", &vec![b'x'; 100_000], b"\0\0"]
    {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let _ = stream.write_all(rubbish).await;
        let _ = stream.shutdown().await;
        let mut text = Vec::new();
        let _ = soon(stream.read_to_end(&mut text)).await;
        assert!(text.is_empty() || text.starts_with(b"HTTP/1.1 4"), "{rubbish:?}");
    }
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_share_of_memory_for_bodies() {
    let server = Server::with(Limits { bodies_bytes: 64 << 10, ..Limits::default() }).await;
    let reply = server.post_as(ONE, vec![b' '; 100 << 10]).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (503, "busy"));
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(server.post(&numbered("match/m1/1", 1, 10)).await.status, 200);
}

#[tokio::test]
async fn rubbish_on_a_socket() {
    let server = Server::start().await;
    let mut other = server.socket().await;
    other.subscribe("match/m1/1", 0.into()).await;
    let closes = async |frame: Frame| {
        let mut socket = server.socket().await;
        socket.raw(frame).await;
        socket.closed().await
    };
    for bad in ["", "{", "[]", "hello", r#"{"type":"dance"}"#, r#"{"type":"ping","x":1}"#] {
        assert_eq!(closes(Frame::text(bad.to_owned())).await, Some(4400), "{bad}");
    }
    assert_eq!(closes(Frame::binary(vec![1, 2, 3])).await, Some(4400));
    assert_eq!(closes(Frame::text(vec![b'"', 0xff, b'"'])).await, Some(4400));
    assert_eq!(closes(Frame::text(vec![b' '; (64 << 10) + 1])).await, Some(1009));
    // One that is compressed well enough is still too large.
    assert_eq!(closes(Frame::text(vec![b' '; 32 << 20])).await, Some(1009));
    assert_eq!(closes(Frame::text(vec![b' '; 64 << 10])).await, Some(4400));
    server.post(&numbered("match/m1/1", 1, 1)).await;
    assert_eq!(other.next_of("event").await["seq"], 1);
}

#[tokio::test]
async fn wrong_wishes_leave_a_socket_open() {
    let server = Server::start().await;
    let mut socket = server.socket().await;
    let subscribe = |topic: &str| json!({"type": "subscribe", "topic": topic});
    for (code, message) in [
        ("topic", subscribe("nonsense")),
        ("topic", subscribe("room/*")),
        ("topic", subscribe(&"x".repeat(10_000))),
        ("topic", json!({"type": "unsubscribe", "topic": "x"})),
        ("views", json!({"type": "subscribe", "topic": "match/m1/1", "views": ["smell"]})),
        ("cursor", json!({"type": "subscribe", "topic": "match/m1/1", "after": "soon"})),
        ("cursor", json!({"type": "subscribe", "topic": "match/m1", "after": 5})),
    ] {
        socket.say(&message).await;
        let error = socket.next_of("error").await;
        assert_eq!(error["code"], code, "{message}");
        assert!(error["topic"].is_string() && error["detail"].is_string());
    }
    socket.subscribe("match/m1/1", Value::Null).await;
    assert_eq!(socket.next_of("snapshot").await["seq"], 0);
}

#[tokio::test]
async fn too_many_wishes() {
    let limits = Limits { subscriptions: 3, messages: 50, ..Limits::default() };
    let server = Server::with(limits).await;
    let mut socket = server.socket().await;
    for n in 0..3 {
        socket.subscribe(&format!("match/m{n}/1"), Value::Null).await;
        // Again is instead, not in addition.
        socket.subscribe(&format!("match/m{n}/1"), Value::Null).await;
    }
    socket.say(&json!({"type": "subscribe", "topic": "match/m9/1"})).await;
    assert_eq!(socket.closed().await, Some(4429));
    let mut socket = server.socket().await;
    for _ in 0..51 {
        socket.raw(Frame::ping("x")).await;
    }
    assert_eq!(socket.closed().await, Some(4429));
}

#[tokio::test]
async fn only_our_subprotocol() {
    let server = Server::start().await;
    let ask = async |protocol: &str| {
        let headers = [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-protocol", protocol),
        ];
        server.open("GET", "/api/v1/ws", &headers, Bytes::new()).await
    };
    assert_eq!(ask("mqtt").await.status(), 400);
    let response = ask("mqtt, matchwire.v1.json").await;
    assert_eq!(response.status(), 101);
    assert_eq!(response.headers()["sec-websocket-protocol"], "matchwire.v1.json");
    Socket::connect(server.address).await;
}
