//! One connection, from `welcome` to its close.

use std::{convert::Infallible, future::poll_fn, pin::Pin, sync::Arc, time::Instant};

use bytes::Bytes;
use futures_util::SinkExt;
use serde_json::{Map, Value, json};
use tokio::{
    sync::{AcquireError, OwnedSemaphorePermit, watch},
    time::{self, Duration, MissedTickBehavior},
};
use yawc::{Frame, OpCode, WebSocket, WebSocketError};

use super::{
    line::Line,
    message::{self, Message, Pace, Position},
    packet::{self, Deflater},
    wire::{Returned, Wire},
};
use crate::{
    app::{App, going_away},
    close::Close,
    cursor::After,
    delivery::{Delivery, Refusal, Subscription},
    problem::Problem,
    replay::{self, Replay},
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
    wire: Arc<Wire>,
    socket: WebSocket<Line>,
    delivery: Delivery,
    closing: watch::Receiver<bool>,
    /// Messages since the window began.
    messages: (Instant, u32),
    /// Whether there may be more to pull without the bell having rung.
    has_more: bool,
    /// Whether a crowd may take the connection: not again at once after it was refused.
    may_join: bool,
    /// Events that were pulled and are not known to be written.
    unwritten: u64,
    /// The wait for a turn to be given what was missed.
    turn: Option<Turn>,
}

type Turn = Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send>>;

impl Session {
    pub(super) fn new(app: Arc<App>, wire: Arc<Wire>, socket: WebSocket<Line>) -> Self {
        Self {
            delivery: Delivery::new(app.clone()),
            closing: app.closing.subscribe(),
            messages: (Instant::now(), 0),
            has_more: false,
            may_join: false,
            unwritten: 0,
            turn: None,
            app,
            wire,
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
        Box::pin(self.finish(close)).await;
        drop(open);
    }

    async fn serve(&mut self) -> Result<Infallible, Close> {
        let welcome = json!({
            "type": "welcome",
            "protocol": super::PROTOCOL,
            "session": trace::fresh(),
            "heartbeat_ms": u64::try_from(self.app.limits.heartbeat.as_millis()).unwrap_or(0),
            "log_id": self.app.live.log().id(),
        });
        self.say("welcome", &welcome.to_string()).await?;
        loop {
            // What it takes to read by oneself is only there for as long as it is needed.
            Box::pin(self.read_alone()).await?;
            self.stay_in_crowd().await?;
        }
    }

    /// Pulls and writes until a crowd is asked to.
    async fn read_alone(&mut self) -> Result<(), Close> {
        let every = |period: Duration| {
            let mut interval = time::interval_at(time::Instant::now() + period, period);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        };
        let (mut heartbeat, mut ping) =
            (every(self.app.limits.heartbeat), every(self.app.limits.ping));
        loop {
            let bell = self.delivery.bell().clone();
            let (has_more, follows_matches) = (self.has_more, self.delivery.follows_matches());
            if self.turn.is_none() && self.delivery.needs_turn() {
                self.turn = Some(Box::pin(self.app.turns.clone().acquire_owned()));
            }
            let turn = &mut self.turn;
            let ready = async {
                match turn {
                    // It is waited for again where it was.
                    Some(turn) => turn.as_mut().await.ok(),
                    None if has_more => None,
                    None => {
                        bell.notified().await;
                        None
                    }
                }
            };
            tokio::select! {
                biased;
                () = going_away(&mut self.closing) => return Err(Close::Away),
                frame = self.socket.next_frame() => self.hear(frame).await?,
                _ = heartbeat.tick() => {
                    self.check_silence()?;
                    let heartbeat = self.delivery.heartbeat();
                    self.say("heartbeat", &heartbeat).await?;
                }
                _ = ping.tick() => self.write(packet::control(&Frame::ping(""))).await?,
                turn = ready => {
                    self.turn = None;
                    self.deliver(turn).await?;
                }
                () = time::sleep(LOOK), if follows_matches => self.deliver(None).await?,
            }
            if !self.has_more && self.may_join && self.join() {
                return Ok(());
            }
        }
    }

    /// Asks the crowd of the only subscription to take the connection.
    fn join(&mut self) -> bool {
        let Some(subscription) = self.delivery.take_only() else { return false };
        if !self.wire.apply() {
            self.delivery.put_back(subscription);
            return false;
        }
        self.app.hub.join(&self.app, &self.wire, subscription);
        true
    }

    /// Listens to the client, until the crowd gives the connection back, or the client says what
    /// cannot be answered from within the crowd.
    async fn stay_in_crowd(&mut self) -> Result<(), Close> {
        loop {
            tokio::select! {
                biased;
                () = going_away(&mut self.closing) => return Err(Close::Away),
                () = self.wire.returned() => {
                    if let Some(returned) = self.wire.take_back() {
                        return self.read_on(returned).await;
                    }
                }
                frame = self.socket.next_frame() => {
                    if frame.as_ref().is_ok_and(|frame| frame.opcode() == OpCode::Pong) {
                        self.wire.hear();
                        self.count_message()?;
                        continue;
                    }
                    self.leave_crowd().await?;
                    return self.hear(frame).await;
                }
            }
        }
    }

    async fn leave_crowd(&mut self) -> Result<(), Close> {
        let returned = loop {
            match self.wire.take_back() {
                Some(returned) => break returned,
                None => self.wire.returned().await,
            }
        };
        self.read_on(returned).await
    }

    /// Goes on where the crowd left the client.
    async fn read_on(&mut self, returned: Returned) -> Result<(), Close> {
        let subscription = match returned {
            Returned::Untaken(subscription) => {
                self.may_join = false;
                *subscription
            }
            Returned::At(bookmark) => {
                let bell = self.delivery.bell();
                Box::pin(Subscription::resume(&self.app, bell, &bookmark))
                    .await
                    .map_err(|_| Close::Internal)?
            }
        };
        self.delivery.put_back(subscription);
        self.check_silence()?;
        // What waits in the wire goes first.
        self.write(Bytes::new()).await
    }

    /// Sends a batch. A turn is over once the socket has taken what it takes at once.
    async fn deliver(&mut self, turn: Option<OwnedSemaphorePermit>) -> Result<(), Close> {
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
        self.may_join = true;
        let is_live = turn.is_none();
        let frames = packet::encode(&batch, self.deflater());
        self.unwritten = batch.iter().filter(|out| out.event.is_some()).count() as u64;
        self.wire.add(frames);
        self.wire.flush().map_err(|_| Close::Done)?;
        drop(turn);
        self.write(Bytes::new()).await?;
        self.unwritten = 0;
        self.app.meter.delivered(&batch, 1, is_live);
        Ok(())
    }

    fn deflater(&self) -> Option<&Deflater> {
        self.wire.deflates().then_some(&self.app.deflater)
    }

    async fn say(&mut self, kind: &'static str, text: &str) -> Result<(), Close> {
        let frame = packet::text(text.as_bytes(), self.deflater());
        self.write(frame).await?;
        self.app.meter.sent(kind, 1);
        Ok(())
    }

    /// Writes frames, for as long as the client keeps up.
    async fn write(&mut self, frames: Bytes) -> Result<(), Close> {
        let Self { wire, delivery, closing, app, .. } = self;
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
            sent = wire.write(frames) => sent.map_err(|_| Close::Done),
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
        self.wire.hear();
        self.count_message()?;
        match frame.opcode() {
            OpCode::Text => Box::pin(self.obey(frame.payload())).await,
            OpCode::Binary | OpCode::Continuation => Err(Close::BadFrame),
            OpCode::Close => Err(Close::Done),
            // The pong is written before more is read, so that pings cannot pile up.
            OpCode::Ping => {
                let _ = poll_fn(|cx| self.socket.poll_flush_unpin(cx)).await;
                self.write(Bytes::new()).await
            }
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
                self.say("heartbeat", &heartbeat).await
            }
            Message::Unsubscribe { topic } => match Topic::parse(&topic) {
                Ok(topic) => {
                    self.delivery.unsubscribe(&topic);
                    Ok(())
                }
                Err(detail) => self.complain("topic", &detail, &topic).await,
            },
            Message::Subscribe { topic, after, views, replay } => {
                self.subscribe(&topic, after, views.as_deref(), replay).await
            }
        }
    }

    async fn subscribe(
        &mut self,
        topic: &str,
        after: Option<Position>,
        views: Option<&[String]>,
        replay: Option<Pace>,
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
        let subscribed = match replay {
            None => self.delivery.subscribe(parsed, after, views).await,
            Some(Pace { speed, max_gap, by }) => {
                let pace = match replay::pace(speed, max_gap, by.as_deref()) {
                    Ok(pace) => pace,
                    Err(detail) => return self.complain("replay", &detail, topic).await,
                };
                let after = if after == After::Snapshot { After::Seq(0) } else { after };
                match Replay::begin(&self.app, &parsed, pace, &after).await {
                    Ok(replay) => self.delivery.replay(replay, parsed, after, views).await,
                    Err(problem) => return self.tell(problem.members(), topic).await,
                }
            }
        };
        match subscribed {
            Ok(()) => self.deliver(None).await,
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
        self.say("error", &Value::Object(members).to_string()).await
    }

    fn check_silence(&self) -> Result<(), Close> {
        if self.app.limits.is_gone(self.wire.silence()) { Err(Close::Silent) } else { Ok(()) }
    }

    /// Sends the close frame, and waits a little for the client to have it.
    async fn finish(&mut self, close: Close) {
        if close == Close::Away {
            let retry_ms = self.app.comeback.next(&self.app.limits).as_millis();
            let retry_ms = u64::try_from(retry_ms).unwrap_or(u64::MAX);
            let drain = json!({"type": "drain", "retry_ms": retry_ms}).to_string();
            self.wire.add(packet::text(drain.as_bytes(), None));
        }
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
