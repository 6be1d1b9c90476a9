//! Following a topic over WebSocket, with every event exactly once.

use std::{borrow::Cow, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Map, json, value::RawValue};
use tokio::net::TcpStream;
use yawc::{Frame, HttpRequest, OpCode, Options, WebSocket};

use crate::{Delivered, Error};

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
    /// How fast it is replayed; nothing if it is live.
    pace: Option<Pace>,
    socket: Option<WebSocket<TcpStream>>,
    wait: Duration,
    log_id: Option<String>,
}

/// How fast a topic is replayed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// How many times as fast as it was; 0 is at once.
    pub speed: f64,
    /// The longest pause, in seconds of the match; longer ones are cut to it.
    pub max_gap_s: Option<f64>,
}

/// What the server tells.
#[derive(Debug, Clone)]
pub enum Told {
    /// The next event.
    Event(Box<Delivered>),
    /// Events of a stream were lost for good, and it goes on behind them; what the server says.
    Lost(String),
    /// What was told before is void; the reason. Events go on from the state of now.
    Reset(String),
    /// The replay has ended: nothing more comes.
    End,
}

/// A frame of the server; what it does not name is of no interest here.
#[derive(Deserialize)]
struct Heard<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    cursor: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
    #[serde(borrow, default)]
    log_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    code: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    detail: Option<Cow<'a, str>>,
}

impl Follow {
    pub(crate) fn new(authority: String, topic: &str, after: &str) -> Self {
        let (topic, after) = (topic.into(), after.into());
        let wait = Duration::from_millis(100);
        Self { authority, topic, after, pace: None, socket: None, wait, log_id: None }
    }

    /// The same topic as it was, replayed, until [`Told::End`].
    #[must_use]
    pub fn replayed(self, pace: Pace) -> Self {
        Self { pace: Some(pace), ..self }
    }

    /// The cursor of the last event that was told.
    pub fn cursor(&self) -> &str {
        &self.after
    }

    /// The id of the server's log, which is part of every chain; once it has connected.
    pub fn log_id(&self) -> Option<&str> {
        self.log_id.as_deref()
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
        let frame: Heard<'_> =
            serde_json::from_slice(payload).map_err(|e| Error::Answer(e.to_string()))?;
        let text = |text: Option<Cow<'_, str>>| text.unwrap_or_default().into_owned();
        // Of a snapshot it says where events go on after a reset.
        if let Some(cursor) = frame.cursor {
            self.after = cursor.into_owned();
        }
        match &*frame.kind {
            "event" => {
                self.wait = Duration::from_millis(100);
                let event = frame.event.map_or("", RawValue::get);
                Ok(Some(Told::Event(Box::new(Delivered::parse(event)?))))
            }
            "welcome" => {
                self.log_id = frame.log_id.map(Cow::into_owned);
                Ok(None)
            }
            "end" => Ok(Some(Told::End)),
            "reset" => Ok(Some(Told::Reset(text(frame.reason)))),
            "error" if frame.code.as_deref() == Some("lost") => {
                Ok(Some(Told::Lost(text(frame.detail))))
            }
            "error" => {
                let (code, detail) = (text(frame.code), text(frame.detail));
                // Damage of the log is the server's fault, but it does not pass.
                Err(Error::Refused { status: 400, code, detail })
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
        let mut subscribe = json!({
            "type": "subscribe", "topic": self.topic, "after": self.after, "views": ["events"],
        });
        if let (Some(Pace { speed, max_gap_s }), Some(said)) =
            (self.pace, subscribe.as_object_mut())
        {
            let gap = max_gap_s.map(|gap| ("max_gap".to_owned(), gap.into()));
            let replay: Map<_, _> =
                [("speed".to_owned(), speed.into())].into_iter().chain(gap).collect();
            said.insert("replay".into(), replay.into());
        }
        socket.send(Frame::text(subscribe.to_string())).await.map_err(|e| broken(&e))?;
        Ok(socket)
    }
}
