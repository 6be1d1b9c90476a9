//! Small clients for a server on loopback; what it is made of is in `setup`.

use std::{fmt::Display, net::SocketAddr, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Request, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use matchwire_gateway::{DeadLetters, Inlet};
use matchwire_log::{Log, projection::Runner};
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::oneshot, task::JoinHandle};
use yawc::{Frame, OpCode, TcpWebSocket, WebSocket, WebSocketError, close::CloseCode};

use crate::setup::Ids;

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for what must come.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it took too long")
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) log: Log,
    pub(crate) ids: Arc<Ids>,
    pub(crate) letters: DeadLetters,
    pub(crate) inlet: Inlet,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) task: JoinHandle<std::io::Result<()>>,
    /// What drives the stored views.
    pub(crate) _views: [Runner; 2],
    pub(crate) _exports: tempfile::TempDir,
}

impl Server {
    /// Asks the server to end, and waits until it has.
    pub(crate) async fn end(mut self) {
        self.begin_end();
        soon(self.task).await.unwrap().unwrap();
    }

    pub(crate) fn begin_end(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], Bytes::new()).await
    }

    /// Asks for a client of whom a proxy tells.
    pub(crate) async fn get_for(&self, client: &str, path: &str) -> Reply {
        self.send("GET", path, &[("x-forwarded-for", client)], Bytes::new()).await
    }

    /// Sends events as lines.
    pub(crate) async fn post(&self, events: &[Value]) -> Reply {
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        self.post_as("application/x-ndjson", lines.join("\n")).await
    }

    pub(crate) async fn post_as(&self, kind: &str, body: impl Into<Bytes>) -> Reply {
        self.send("POST", "/api/v1/events", &[("content-type", kind)], body.into()).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Reply {
        let response = self.open(method, path, headers, body).await;
        let (head, body) = response.into_parts();
        let bytes = soon(body.collect()).await.unwrap().to_bytes();
        Reply { status: head.status, headers: head.headers, bytes }
    }

    /// Sends a request and gives the response before its body.
    pub(crate) async fn open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> hyper::Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", self.address.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        soon(sender.send_request(request.body(Full::new(body)).unwrap())).await.unwrap()
    }

    pub(crate) async fn socket(&self) -> Socket {
        Socket::connect(self.address).await
    }

    /// The value of a metric, 0 if it has none yet.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = String::from_utf8(self.get("/metrics").await.bytes.to_vec()).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Waits until a metric has a value.
    pub(crate) async fn metric_reaches(&self, name: &str, value: f64) {
        soon(async { while self.metric(name).await < value {} }).await;
    }
}

/// A response, read.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error} in {:?}", self.bytes))
    }

    /// The code of a problem, which must be whole.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        for field in ["type", "title", "detail", "trace_id"] {
            assert!(problem[field].is_string(), "{field} in {problem}");
        }
        problem["code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A WebSocket client.
pub(crate) struct Socket(TcpWebSocket);

impl Socket {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::connect_with(address, &[]).await
    }

    /// Connects with further headers.
    pub(crate) async fn connect_with(address: SocketAddr, headers: &[(&str, &str)]) -> Self {
        let options =
            yawc::Options::default().with_low_latency_compression().with_limits(64 << 20, 64 << 20);
        let url = format!("ws://{address}/api/v1/ws").parse().unwrap();
        let mut request =
            yawc::HttpRequest::builder().header("sec-websocket-protocol", "matchwire.v1.json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let socket =
            WebSocket::connect(url).with_options(options).with_request(request).await.unwrap();
        let mut socket = Self(socket);
        let welcome = socket.next().await;
        assert_eq!(welcome["type"], "welcome");
        assert_eq!(welcome["protocol"], "matchwire.v1.json");
        socket
    }

    pub(crate) async fn say(&mut self, message: &Value) {
        self.raw(Frame::text(message.to_string())).await;
    }

    pub(crate) async fn raw(&mut self, frame: Frame) {
        use futures_util::SinkExt;
        soon(self.0.send(frame)).await.unwrap();
    }

    pub(crate) async fn subscribe(&mut self, topic: &str, after: Value) {
        let mut message = json!({"type": "subscribe", "topic": topic});
        if !after.is_null() {
            message["after"] = after;
        }
        self.say(&message).await;
        let subscribed = self.next_of("subscribed").await;
        assert_eq!(subscribed["topic"], topic);
    }

    /// The next frame of the protocol.
    pub(crate) async fn next(&mut self) -> Value {
        match self.heard().await {
            Ok(frame) => frame,
            Err(code) => panic!("closed with {code:?}"),
        }
    }

    /// The next frame of a type; others are passed over.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// The next frame, or the code with which the connection was closed.
    pub(crate) async fn heard(&mut self) -> Result<Value, Option<u16>> {
        loop {
            match soon(self.0.next_frame()).await {
                Ok(frame) if frame.opcode() == OpCode::Text => {
                    return Ok(serde_json::from_slice(frame.payload()).unwrap());
                }
                Ok(frame) if frame.opcode() == OpCode::Close => {
                    return Err(frame.close_code().map(code));
                }
                Ok(_) => {}
                Err(WebSocketError::ConnectionClosed | WebSocketError::IoError(_)) => {
                    return Err(None);
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// The code with which the server closes, after whatever else it says.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.heard().await {
                return code;
            }
        }
    }
}

fn code(code: CloseCode) -> u16 {
    code.into()
}

/// A stream of server-sent events.
pub(crate) struct Events {
    body: Incoming,
    buffer: Vec<u8>,
}

/// One server-sent event.
#[derive(Debug, Default, Clone)]
pub(crate) struct Sent {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) data: String,
    pub(crate) comment: String,
    pub(crate) retry: String,
}

impl Events {
    pub(crate) async fn open(server: &Server, query: &str, last: Option<&str>) -> Self {
        let headers: Vec<(&str, &str)> = last.iter().map(|last| ("last-event-id", *last)).collect();
        Self::open_at(server, &format!("/api/v1/stream?{query}"), &headers).await
    }

    /// Opens any path that answers so.
    pub(crate) async fn open_at(server: &Server, path: &str, headers: &[(&str, &str)]) -> Self {
        let response = server.open("GET", path, headers, Bytes::new()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), buffer: Vec::new() }
    }

    /// The next event; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                return Some(parse(std::str::from_utf8(&block).unwrap()));
            }
            let frame = soon(self.body.frame()).await?.ok()?;
            self.buffer.extend_from_slice(&frame.into_data().unwrap_or_default());
        }
    }

    pub(crate) async fn next_of(&mut self, name: &str) -> Sent {
        loop {
            let sent = self.next().await.expect("the stream ended");
            if sent.name == name {
                return sent;
            }
        }
    }
}

fn parse(block: &str) -> Sent {
    let mut sent = Sent::default();
    for line in block.lines().filter(|line| !line.is_empty()) {
        let (field, value) = line.split_once(": ").unwrap_or((line, ""));
        match field {
            "id" => sent.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut sent.name),
            "data" if sent.data.is_empty() => value.clone_into(&mut sent.data),
            "data" => sent.data = format!("{}\n{value}", sent.data),
            "retry" => value.clone_into(&mut sent.retry),
            "" => value.clone_into(&mut sent.comment),
            _ => panic!("{line}"),
        }
    }
    sent
}

/// An event of a user's own type.
pub(crate) fn own(subject: &str, id: impl Display + Copy, data: &Value) -> Value {
    event(subject, id, "x.test", data)
}

/// An event.
pub(crate) fn event(subject: &str, id: impl Display + Copy, kind: &str, data: &Value) -> Value {
    json!({
        "specversion": "1.0", "id": id.to_string(), "source": "test", "subject": subject,
        "type": kind, "time": "2026-01-01T00:00:00.000Z", "data": data,
    })
}

/// So many events of a user's own type, numbered on from `first`.
pub(crate) fn numbered(subject: &str, first: u64, count: u64) -> Vec<Value> {
    (first..first + count).map(|n| own(subject, n, &json!({"n": n}))).collect()
}
