//! Following a topic over WebSocket, with every event exactly once.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use yawc::{Frame, HttpRequest, OpCode, Options, WebSocket};

use crate::Error;

/// The server sends a heartbeat every 5 s; a connection silent for so long is dead.
const SILENCE: Duration = Duration::from_secs(20);
/// The longest wait between two attempts to connect.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// A topic that is followed. It connects when it is first asked, connects again when the
/// connection breaks, and goes on after the last event.
pub struct Follow {
    authority: String,
    topic: String,
    after: String,
    socket: Option<WebSocket<TcpStream>>,
    wait: Duration,
}

/// What the server tells.
#[derive(Debug, Clone)]
pub enum Told {
    /// The next event: the whole `event` frame.
    Event(Value),
    /// What was told before is void; the reason. Events go on from the state of now.
    Reset(String),
}

impl Follow {
    pub(crate) fn new(authority: String, topic: &str, after: &str) -> Self {
        let (topic, after) = (topic.into(), after.into());
        Self { authority, topic, after, socket: None, wait: Duration::from_millis(100) }
    }

    /// The cursor of the last event that was told.
    pub fn cursor(&self) -> &str {
        &self.after
    }

    /// Waits for what comes next. An error that is not retryable is final; after another one the
    /// next call connects again.
    pub async fn next(&mut self) -> Result<Told, Error> {
        loop {
            let mut socket = match self.socket.take() {
                Some(socket) => socket,
                None => self.connect().await?,
            };
            let frame = tokio::time::timeout(SILENCE, socket.next()).await;
            let Ok(Some(frame)) = frame else {
                return Err(Error::Connection("the connection broke".into()));
            };
            match frame.opcode() {
                OpCode::Text => {
                    self.socket = Some(socket);
                    if let Some(told) = self.read(frame.payload())? {
                        return Ok(told);
                    }
                }
                OpCode::Close => {
                    let status = frame.close_code().map_or(1006, u16::from);
                    let detail = frame.close_reason().ok().flatten().unwrap_or_default().to_owned();
                    return Err(Error::Refused { status, code: "closed".into(), detail });
                }
                _ => self.socket = Some(socket),
            }
        }
    }

    /// Waits longer with every attempt in vain.
    pub async fn pause(&mut self) {
        tokio::time::sleep(self.wait).await;
        self.wait = (self.wait * 2).min(MAX_WAIT);
    }

    fn read(&mut self, payload: &[u8]) -> Result<Option<Told>, Error> {
        let frame: Value =
            serde_json::from_slice(payload).map_err(|e| Error::Answer(e.to_string()))?;
        let text =
            |key: &str| frame.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        match text("type").as_str() {
            "event" => {
                self.after = text("cursor");
                self.wait = Duration::from_millis(100);
                Ok(Some(Told::Event(frame)))
            }
            "reset" => Ok(Some(Told::Reset(text("reason")))),
            "error" => {
                Err(Error::Refused { status: 400, code: text("code"), detail: text("detail") })
            }
            _ => Ok(None),
        }
    }

    async fn connect(&self) -> Result<WebSocket<TcpStream>, Error> {
        let broken = |e: &dyn std::fmt::Display| Error::Connection(e.to_string());
        let url = format!("ws://{}/api/v1/ws", self.authority);
        let url = url.parse().map_err(|_| Error::Address(self.authority.clone()))?;
        let stream = TcpStream::connect(&self.authority).await.map_err(|e| broken(&e))?;
        let request = HttpRequest::builder().header("Sec-WebSocket-Protocol", "matchwire.v1.json");
        let handshake = WebSocket::handshake_with_request(url, stream, Options::default(), request);
        let mut socket = tokio::time::timeout(SILENCE, handshake)
            .await
            .map_err(|_| Error::Timeout(SILENCE))?
            .map_err(|e| broken(&e))?;
        let subscribe = json!({
            "type": "subscribe", "topic": self.topic, "after": self.after, "views": ["events"],
        });
        socket.send(Frame::text(subscribe.to_string())).await.map_err(|e| broken(&e))?;
        Ok(socket)
    }
}
