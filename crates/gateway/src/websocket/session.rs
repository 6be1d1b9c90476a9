//! One connection, from `welcome` to its close.

use std::{future::poll_fn, sync::Arc, time::Instant};

use futures_util::SinkExt;
use serde_json::{Map, Value, json};
use tokio::{
    sync::watch,
    time::{self, Duration, Interval, MissedTickBehavior},
};
use yawc::{Frame, HttpWebSocket, OpCode, WebSocketError};

use super::message::{self, Message, Position};
use crate::{
    app::{App, going_away},
    close::Close,
    delivery::{Delivery, Out, Refusal},
    problem::Problem,
    topic::Topic,
    trace,
};

/// How long a client may take to receive what it was sent and a close frame.
const GRACE: Duration = Duration::from_secs(5);
/// The window in which messages of a client are counted.
const WINDOW: Duration = Duration::from_secs(10);
/// How often new maps of a match are looked for.
const LOOK: Duration = Duration::from_millis(250);

pub(super) struct Session {
    app: Arc<App>,
    socket: HttpWebSocket,
    delivery: Delivery,
    closing: watch::Receiver<bool>,
    heartbeat: Interval,
    ping: Interval,
    /// When the client was last heard.
    heard: Instant,
    /// Messages since the window began.
    messages: (Instant, u32),
    /// Whether there may be more to pull without the bell having rung.
    has_more: bool,
    /// Events that were pulled and are not known to be written.
    unwritten: u64,
}

impl Session {
    pub(super) fn new(app: Arc<App>, socket: HttpWebSocket) -> Self {
        let every = |period: Duration| {
            let mut interval = time::interval_at(time::Instant::now() + period, period);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        };
        Self {
            delivery: Delivery::new(app.clone()),
            closing: app.closing.subscribe(),
            heartbeat: every(app.limits.heartbeat),
            ping: every(app.limits.ping),
            heard: Instant::now(),
            messages: (Instant::now(), 0),
            has_more: false,
            unwritten: 0,
            app,
            socket,
        }
    }

    pub(super) async fn run(mut self) {
        let open = self.app.meter.open("websocket");
        let close = match self.serve().await {
            Ok(never) => match never {},
            Err(close) => close,
        };
        self.app.meter.closed(close);
        if close == Close::TooSlow {
            self.app.meter.dropped(self.delivery.behind() + self.unwritten);
        }
        self.finish(close).await;
        drop(open);
    }

    async fn serve(&mut self) -> Result<std::convert::Infallible, Close> {
        let welcome = json!({
            "type": "welcome",
            "protocol": super::PROTOCOL,
            "session": trace::fresh(),
            "heartbeat_ms": u64::try_from(self.app.limits.heartbeat.as_millis()).unwrap_or(0),
            "log_id": self.app.live.log().id(),
        });
        self.say("welcome", welcome.to_string()).await?;
        loop {
            let bell = self.delivery.bell().clone();
            let (has_more, follows_matches) = (self.has_more, self.delivery.follows_matches());
            let ready = async {
                if !has_more {
                    bell.notified().await;
                }
            };
            tokio::select! {
                biased;
                () = going_away(&mut self.closing) => return Err(Close::Away),
                frame = self.socket.next_frame() => self.hear(frame).await?,
                _ = self.heartbeat.tick() => {
                    let heartbeat = self.delivery.heartbeat();
                    self.say("heartbeat", heartbeat).await?;
                }
                _ = self.ping.tick() => self.check_silence().await?,
                () = ready => self.deliver().await?,
                () = time::sleep(LOOK), if follows_matches => self.deliver().await?,
            }
        }
    }

    async fn deliver(&mut self) -> Result<(), Close> {
        if self.delivery.lags() {
            return Err(Close::TooSlow);
        }
        let batch = self.delivery.pull().await.map_err(|refusal| match refusal {
            Refusal::TooMany => Close::TooMany,
            Refusal::Cursor | Refusal::Log(_) => Close::Internal,
        })?;
        self.has_more = !batch.is_empty();
        if batch.is_empty() {
            return Ok(());
        }
        let frames = batch.iter().map(|out| Frame::text(out.text.clone())).collect();
        self.unwritten = batch.iter().filter(|out| out.event.is_some()).count() as u64;
        self.write(frames).await?;
        self.unwritten = 0;
        for Out { kind, event, .. } in &batch {
            self.app.meter.sent(kind.as_str(), event.as_deref());
        }
        Ok(())
    }

    async fn say(&mut self, kind: &'static str, text: String) -> Result<(), Close> {
        self.write(vec![Frame::text(text)]).await?;
        self.app.meter.sent(kind, None);
        Ok(())
    }

    /// Writes frames and flushes them once, for as long as the client keeps up.
    async fn write(&mut self, frames: Vec<Frame>) -> Result<(), Close> {
        let Self { socket, delivery, closing, app, .. } = self;
        let sending = async {
            for frame in frames {
                socket.feed(frame).await?;
            }
            socket.flush().await
        };
        let lagging = async {
            loop {
                delivery.bell().notified().await;
                if delivery.lags() {
                    break;
                }
            }
        };
        let result = tokio::select! {
            biased;
            sent = sending => sent.map_err(|_| Close::Done),
            () = going_away(closing) => Err(Close::Away),
            () = lagging => Err(Close::TooSlow),
            () = time::sleep(app.limits.stall) => Err(Close::TooSlow),
        };
        // The bell may have rung meanwhile.
        self.has_more = true;
        result
    }

    async fn hear(&mut self, frame: yawc::Result<Frame>) -> Result<(), Close> {
        let frame = frame.map_err(|error| match error {
            WebSocketError::FrameTooLarge => Close::TooLarge,
            WebSocketError::ConnectionClosed
            | WebSocketError::IoError(_)
            | WebSocketError::HTTPError(_) => Close::Done,
            _ => Close::BadFrame,
        })?;
        self.heard = Instant::now();
        self.count_message()?;
        match frame.opcode() {
            OpCode::Text => self.obey(frame.payload()).await,
            OpCode::Binary | OpCode::Continuation => Err(Close::BadFrame),
            OpCode::Close => Err(Close::Done),
            // The pong is written before more is read, so that pings cannot pile up.
            OpCode::Ping => self.write(Vec::new()).await,
            OpCode::Pong => Ok(()),
        }
    }

    fn count_message(&mut self) -> Result<(), Close> {
        let (begun, count) = &mut self.messages;
        if begun.elapsed() > WINDOW {
            (*begun, *count) = (Instant::now(), 0);
        }
        *count += 1;
        if *count > self.app.limits.messages { Err(Close::TooMany) } else { Ok(()) }
    }

    async fn obey(&mut self, text: &[u8]) -> Result<(), Close> {
        match serde_json::from_slice(text).map_err(|_| Close::BadFrame)? {
            Message::Ping {} => {
                let heartbeat = self.delivery.heartbeat();
                self.say("heartbeat", heartbeat).await
            }
            Message::Unsubscribe { topic } => match Topic::parse(&topic) {
                Ok(topic) => {
                    self.delivery.unsubscribe(&topic);
                    Ok(())
                }
                Err(detail) => self.complain("topic", &detail, &topic).await,
            },
            Message::Subscribe { topic, after, views } => {
                self.subscribe(&topic, after, views.as_deref()).await
            }
        }
    }

    async fn subscribe(
        &mut self,
        topic: &str,
        after: Option<Position>,
        views: Option<&[String]>,
    ) -> Result<(), Close> {
        let parsed = match Topic::parse(topic) {
            Ok(parsed) => parsed,
            Err(detail) => return self.complain("topic", &detail, topic).await,
        };
        let views = match message::views(views) {
            Ok(views) => views,
            Err(detail) => return self.complain("views", &detail, topic).await,
        };
        let cursor = "after must be a seq or a cursor that belongs to the topic";
        let Some(after) = message::after(after) else {
            return self.complain("cursor", cursor, topic).await;
        };
        match self.delivery.subscribe(parsed, after, views).await {
            Ok(()) => self.deliver().await,
            Err(Refusal::Cursor) => self.complain("cursor", cursor, topic).await,
            Err(Refusal::TooMany) => Err(Close::TooMany),
            Err(Refusal::Log(error)) if error.is_partial() => {
                self.tell(Problem::from(error).members(), topic).await
            }
            Err(Refusal::Log(error)) => {
                tracing::error!(%error, topic, "a topic cannot be followed");
                self.complain("internal", "the topic cannot be followed now", topic).await
            }
        }
    }

    async fn complain(&mut self, code: &str, detail: &str, topic: &str) -> Result<(), Close> {
        let members = [("code".to_owned(), code.into()), ("detail".to_owned(), detail.into())];
        self.tell(members.into_iter().collect(), topic).await
    }

    /// Sends an error about a topic.
    async fn tell(&mut self, mut members: Map<String, Value>, topic: &str) -> Result<(), Close> {
        members.insert("type".into(), "error".into());
        members.insert("topic".into(), topic.chars().take(200).collect::<String>().into());
        self.say("error", Value::Object(members).to_string()).await
    }

    async fn check_silence(&mut self) -> Result<(), Close> {
        if self.heard.elapsed() >= self.app.limits.silence {
            return Err(Close::Silent);
        }
        self.write(vec![Frame::ping("")]).await
    }

    /// Sends the close frame, and waits a little for the client to have it.
    async fn finish(&mut self, close: Close) {
        let socket = &mut self.socket;
        let ending = async {
            // What the library has to say about a broken frame, it says itself.
            if !matches!(close, Close::Done | Close::TooLarge) {
                socket.feed(close.frame()).await?;
                socket.flush().await?;
            }
            // Closing with unread input would reset the connection, and lose the close frame.
            while socket.next_frame().await.is_ok() {}
            poll_fn(|cx| socket.poll_close_unpin(cx)).await
        };
        let _ = time::timeout(GRACE, ending).await;
    }
}
