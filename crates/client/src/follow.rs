//! Following a topic over WebSocket, with every event exactly once.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use matchwire_domain::merge_patch::merge;
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};
use tokio::net::TcpStream;
use yawc::{Frame, HttpRequest, OpCode, Options, WebSocket};

use crate::{Delivered, Error};

/// The server sends a heartbeat every 5 s; a connection silent for so long is dead.
const SILENCE: Duration = Duration::from_secs(15);
/// The first wait between two attempts to connect is up to this, and each is up to twice as long as the
/// one before.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait.
const MAX_WAIT: Duration = Duration::from_secs(15);

/// A topic that is followed. It connects when it is first asked, connects again when the
/// connection breaks, and goes on after the last event.
///
/// Events of a stream are told once each and in order, however often the connection breaks: one that
/// comes again is passed over, and one that is missing ends the connection, so that the next one
/// brings it.
pub struct Follow {
    authority: String,
    topic: String,
    after: String,
    /// How fast it is replayed; nothing if it is live.
    pace: Option<Pace>,
    has_state: bool,
    /// Of a topic of many matches that of each stream, of another one its own.
    states: HashMap<String, Value>,
    /// Those that the connection has told as a whole, so that changes to them make sense.
    whole: HashSet<String>,
    /// The last event of each stream.
    seqs: HashMap<String, u64>,
    /// Whether the server has said that events are lost, so that a gap follows.
    is_lost: bool,
    socket: Option<WebSocket<TcpStream>>,
    /// How long the next wait may be at most.
    wait: Duration,
    /// How long the server wants it to be.
    asked_wait: Option<Duration>,
    log_id: Option<String>,
}

/// How fast a topic is replayed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// How many times as fast as it was; 0 is at once.
    pub speed: f64,
    /// The longest pause, in seconds of the match; longer ones are cut to it.
    pub max_gap_s: Option<f64>,
    /// Whether events come by their own time instead of when they were recorded.
    pub by_time: bool,
}

/// What the server tells.
#[derive(Debug, Clone)]
pub enum Told {
    /// The next event.
    Event(Box<Delivered>),
    /// The state has changed, and is up to date with the events that were told; see [`Follow::state`].
    State,
    /// Events of a stream were lost for good, or cannot be read, and it goes on behind them; what the server
    /// says.
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
    state: Option<&'a RawValue>,
    #[serde(borrow, default)]
    patch: Option<&'a RawValue>,
    #[serde(default)]
    heads: HashMap<String, Value>,
    #[serde(default)]
    retry_ms: u64,
    #[serde(borrow, default)]
    log_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    subject: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    code: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    detail: Option<Cow<'a, str>>,
}

impl Follow {
    pub(crate) fn new(authority: String, topic: &str, after: &str) -> Self {
        Self {
            authority,
            topic: topic.into(),
            after: after.into(),
            pace: None,
            has_state: false,
            states: HashMap::new(),
            whole: HashSet::new(),
            seqs: HashMap::new(),
            is_lost: false,
            socket: None,
            wait: FIRST_WAIT,
            asked_wait: None,
            log_id: None,
        }
    }

    /// Keeps the state of the topic, too.
    #[must_use]
    pub fn with_state(mut self) -> Self {
        self.has_state = true;
        self
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

    /// The state as of what was told; nothing before it is first told, and of a topic of many matches.
    pub fn state(&self) -> Option<&Value> {
        self.state_of(&self.topic)
    }

    /// The state of one stream of a topic of many matches, as of what was told.
    pub fn state_of(&self, subject: &str) -> Option<&Value> {
        self.states.get(subject)
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
                    let told = self.read(frame.payload())?;
                    self.socket = Some(socket);
                    if let Some(told) = told {
                        return Ok(told);
                    }
                }
                OpCode::Close => {
                    let status = frame.close_code().map_or(1006, u16::from);
                    let detail = frame.close_reason().ok().flatten().unwrap_or_default().to_owned();
                    let code = "closed".into();
                    return Err(Error::Refused { status, code, detail, retry_after_s: None });
                }
                _ => self.socket = Some(socket),
            }
        }
    }

    /// Waits before the next attempt: as long as the server has asked for, or at random, up to twice
    /// as long with every attempt in vain, so that a crowd does not come back at once.
    pub async fn pause(&mut self) {
        let share = RandomState::new().hash_one(&self.topic) >> 32;
        let random =
            self.wait.mul_f64(f64::from(u32::try_from(share).unwrap_or(0)) / 2_f64.powi(32));
        tokio::time::sleep(self.asked_wait.take().unwrap_or(random)).await;
        self.wait = (self.wait * 2).min(MAX_WAIT);
    }

    /// Reads a frame. After an error the connection is of no more use.
    fn read(&mut self, payload: &[u8]) -> Result<Option<Told>, Error> {
        let frame: Heard<'_> =
            serde_json::from_slice(payload).map_err(|e| Error::Answer(e.to_string()))?;
        let text = |text: Option<Cow<'_, str>>| text.unwrap_or_default().into_owned();
        match &*frame.kind {
            "event" => self.event(frame),
            "snapshot" | "state" => self.change(frame),
            "heartbeat" => {
                // Up to there all was sent on this connection.
                let sent = frame.heads.get(&self.topic).and_then(Value::as_u64);
                let last = self.seqs.get(&self.topic).copied();
                if sent.is_some_and(|sent| last.is_some_and(|last| last < sent)) {
                    return Err(Error::Connection("events are missing".into()));
                }
                Ok(None)
            }
            "welcome" => {
                self.log_id = frame.log_id.map(Cow::into_owned);
                Ok(None)
            }
            "end" => Ok(Some(Told::End)),
            "drain" => {
                self.asked_wait = Some(Duration::from_millis(frame.retry_ms).min(MAX_WAIT * 4));
                Ok(None)
            }
            "reset" => {
                self.seqs.clear();
                self.states.clear();
                Ok(Some(Told::Reset(text(frame.reason))))
            }
            "error" if frame.code.as_deref() == Some("lost") || frame.subject.is_some() => {
                // Of many streams it says which, and that one may go on anywhere.
                let known = frame.subject.and_then(|subject| self.seqs.remove(&*subject));
                self.is_lost = known.is_none();
                Ok(Some(Told::Lost(text(frame.detail))))
            }
            "error" => {
                let (code, detail) = (text(frame.code), text(frame.detail));
                // Damage of the log is the server's fault, but it does not pass.
                Err(Error::Refused { status: 400, code, detail, retry_after_s: None })
            }
            _ => Ok(None),
        }
    }

    fn event(&mut self, frame: Heard<'_>) -> Result<Option<Told>, Error> {
        let event = Delivered::parse(frame.event.map_or("", RawValue::get))?;
        match self.seqs.get(&event.subject).copied() {
            Some(last) if event.seq <= last => return Ok(None),
            Some(last) if event.seq > last + 1 && !self.is_lost => {
                return Err(Error::Connection(format!("events after {last} are missing")));
            }
            _ => {}
        }
        self.is_lost = false;
        self.wait = FIRST_WAIT;
        self.seqs.insert(event.subject.clone(), event.seq);
        if let Some(cursor) = frame.cursor {
            self.after = cursor.into_owned();
        }
        Ok(Some(Told::Event(Box::new(event))))
    }

    fn change(&mut self, frame: Heard<'_>) -> Result<Option<Told>, Error> {
        // Of a snapshot it says where events go on after a reset.
        if let ("snapshot", Some(cursor)) = (&*frame.kind, frame.cursor) {
            self.after = cursor.into_owned();
        }
        if !self.has_state {
            return Ok(None);
        }
        let value = |text: &RawValue| {
            serde_json::from_str(text.get()).map_err(|error| Error::Answer(error.to_string()))
        };
        let is_wide = self.topic.contains('*') || self.topic.starts_with("tournament/");
        let of = frame.subject.filter(|_| is_wide).unwrap_or(Cow::Borrowed(&*self.topic));
        let known = self.states.get_mut(&*of).filter(|_| self.whole.contains(&*of));
        match (frame.state, frame.patch, known) {
            (Some(state), ..) => {
                self.states.insert(of.clone().into_owned(), value(state)?);
                self.whole.insert(of.into_owned());
            }
            (None, Some(patch), Some(state)) => merge(state, value(patch)?),
            _ => return Err(Error::Answer("a change of a state that was not told".into())),
        }
        Ok(Some(Told::State))
    }

    async fn connect(&mut self) -> Result<WebSocket<TcpStream>, Error> {
        // Of a stream that does not move again the state is not told again.
        self.whole.clear();
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
        let views: &[&str] = if self.has_state { &["events", "state"] } else { &["events"] };
        let mut subscribe = json!({
            "type": "subscribe", "topic": self.topic, "after": self.after, "views": views,
        });
        if let (Some(Pace { speed, max_gap_s, by_time }), Some(said)) =
            (self.pace, subscribe.as_object_mut())
        {
            let gap = max_gap_s.map(|gap| ("max_gap".to_owned(), gap.into()));
            let by = by_time.then(|| ("by".to_owned(), "time".into()));
            let replay: Map<_, _> =
                [("speed".to_owned(), speed.into())].into_iter().chain(gap).chain(by).collect();
            said.insert("replay".into(), replay.into());
        }
        socket.send(Frame::text(subscribe.to_string())).await.map_err(|e| broken(&e))?;
        Ok(socket)
    }
}
