//! Requests whose bodies nobody wants, and connections from one request to the next.

use std::time::Duration;

use matchwire_gateway::Limits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{Server, soon};

/// A client that sends everything before it reads anything, and keeps its connection.
struct Plain(TcpStream);

impl Plain {
    async fn connect(server: &Server) -> Self {
        Self(TcpStream::connect(server.address).await.unwrap())
    }

    async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        soon(self.0.write_all(bytes.as_ref())).await.unwrap();
    }

    async fn send(&mut self, line: &str, kind: &str, body: &[u8]) {
        let length = body.len();
        let head = format!(
            "{line} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\n\
             content-length: {length}\r\n\r\n"
        );
        self.write(head).await;
        self.write(body).await;
    }

    /// A response: its head in lower case, and its body.
    async fn answer(&mut self) -> (String, String) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(soon(self.0.read_u8()).await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.unwrap().parse().unwrap()];
        soon(self.0.read_exact(&mut body)).await.unwrap();
        (head, String::from_utf8(body).unwrap())
    }

    async fn is_alive(&mut self) -> bool {
        self.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        self.answer().await.0.starts_with("http/1.1 200")
    }

    /// Waits until the server has closed.
    async fn ends(&mut self) {
        assert_eq!(soon(self.0.read(&mut [0; 1])).await.unwrap_or(0), 0);
    }
}

const LINES: &str = "application/x-ndjson";

#[tokio::test]
async fn one_who_sends_too_much_reads_why_and_may_go_on() {
    let server = Server::start().await;
    let mut client = Plain::connect(&server).await;
    client.send("POST /api/v1/events", LINES, &vec![b' '; 24 << 20]).await;
    let (head, body) = client.answer().await;
    assert!(head.starts_with("http/1.1 413") && !head.contains("connection: close"), "{head}");
    assert!(body.contains("\"too_large\""), "{body}");
    assert!(client.is_alive().await);
    // The same, without a length that tells it from the start.
    client
        .write(format!(
            "POST /api/v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: {LINES}\r\n\
             transfer-encoding: chunked\r\n\r\n"
        ))
        .await;
    let chunk = format!("100000\r\n{}\r\n", " ".repeat(1 << 20));
    for _ in 0..9 {
        client.write(&chunk).await;
    }
    client.write("0\r\n\r\n").await;
    assert!(client.answer().await.0.starts_with("http/1.1 413"));
    assert!(client.is_alive().await);
}

#[tokio::test]
async fn a_body_that_nobody_reads_does_not_disturb_the_next_request() {
    let server = Server::start().await;
    let mut client = Plain::connect(&server).await;
    let body = vec![b'x'; 1 << 20];
    for (line, kind, status) in [
        ("POST /api/v1/events", "text/plain", "415"),
        ("POST /api/v1/sources/cs-log/a%20b/1", "text/plain", "422"),
        ("POST /nothing", LINES, "404"),
        ("POST /api/v1/matches", LINES, "405"),
        ("GET /healthz", LINES, "200"),
    ] {
        client.send(line, kind, &body).await;
        let (head, _) = client.answer().await;
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{line}: {head}");
        assert!(client.is_alive().await, "{line}");
    }
}

#[tokio::test]
async fn what_is_thrown_away_is_bounded() {
    let brief = Duration::from_millis(200);
    let limits = Limits { leftover_bytes: 4, body_idle: brief, ..Limits::default() };
    let server = Server::with(limits).await;
    let head = "POST /nothing HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n";
    // Too much, too slow, and asked before anything is sent.
    for rest in ["\r\n12345", "\r\n1", "expect: 100-continue\r\n\r\n"] {
        let mut client = Plain::connect(&server).await;
        client.write(format!("{head}{rest}")).await;
        let (head, _) = client.answer().await;
        assert!(head.starts_with("http/1.1 404"), "{head}");
        assert!(head.contains("connection: close"), "{head}");
        client.ends().await;
    }
}

#[tokio::test]
async fn a_request_has_one_host() {
    let server = Server::start().await;
    for hosts in ["", "host: localhost\r\nhost: localhost\r\n"] {
        let mut client = Plain::connect(&server).await;
        client.write(format!("GET /healthz HTTP/1.1\r\n{hosts}\r\n")).await;
        let (head, body) = client.answer().await;
        assert!(head.starts_with("http/1.1 400"), "{head}");
        assert!(body.contains("\"bad_request\""), "{body}");
    }
    let mut client = Plain::connect(&server).await;
    client.write("GET /healthz HTTP/1.0\r\n\r\n").await;
    assert!(client.answer().await.0.starts_with("http/1.0 200"));
}

#[tokio::test]
async fn an_idle_connection_lives_longer_than_a_head_may_take() {
    let brief = Duration::from_millis(250);
    let server = Server::with(Limits { head: brief, ..Limits::default() }).await;
    let mut idle = Plain::connect(&server).await;
    assert!(idle.is_alive().await);
    // A connection whose second head never ends is cut, and so is one that never began.
    let mut never = Plain::connect(&server).await;
    let mut half = Plain::connect(&server).await;
    assert!(half.is_alive().await);
    half.write("GET /heal").await;
    half.ends().await;
    never.ends().await;
    assert!(idle.is_alive().await);
    // An idle one is cut in the end.
    let server = Server::with(Limits { idle: brief, ..Limits::default() }).await;
    let mut idle = Plain::connect(&server).await;
    assert!(idle.is_alive().await);
    idle.ends().await;
}

#[tokio::test]
async fn what_is_followed_is_not_idle() {
    let brief = Duration::from_millis(100);
    let limits = Limits { head: brief * 3, idle: brief, heartbeat: brief, ..Limits::default() };
    let server = Server::with(limits).await;
    let mut stream = Plain::connect(&server).await;
    assert!(stream.is_alive().await);
    stream.write("GET /api/v1/stream?topic=match/m1/1 HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let mut socket = server.socket().await;
    // Something that is sent meanwhile begins no head.
    socket.subscribe("match/m1/1", 0.into()).await;
    stream.write("GET /heal").await;
    let mut text = Vec::new();
    for count in 1..=8 {
        socket.next_of("heartbeat").await;
        while String::from_utf8_lossy(&text).matches(": heartbeat").count() < count {
            text.push(soon(stream.0.read_u8()).await.unwrap());
        }
    }
}
