//! Delivery: what a connection is told of its topics, in order, whatever the encoding.
//!
//! A connection holds no queue of its own. It knows how far it is in each stream and pulls what
//! comes next: from the frames that the live folds hold ready, shared by all, or from the log if
//! it is further behind. So a slow reader costs no memory; one that had caught up and falls too
//! far behind is told so by [`Delivery::lags`] and is cut off by its encoding.
//!
//! Events are strictly consecutive for each stream. State and prediction are sent once the events
//! they stand for are, and are conflated when there are too many.

mod bookmark;
mod compose;
mod followed;
mod opening;
mod replayed;
mod subscription;
mod views;
mod wide;

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use matchwire_log::live::{Bell, EventFrame};
use serde_json::{Map, Value, json};

use self::followed::Followed;
use self::wide::Wide;
pub(crate) use self::wide::{about, lost, start};
pub(crate) use self::{bookmark::Bookmark, subscription::Subscription, views::Views};
use crate::{app::App, cursor::After, problem::Problem, topic::Topic};

/// How often new maps of a match are looked for.
const LOOK_MS: u128 = 250;
/// A batch ends when it has so many bytes.
const BATCH_BYTES: usize = 128 << 10;
/// How many events are pulled at once.
const PULL_EVENTS: usize = 128;
/// After so many changes the reader is sent the whole state instead of the next one, so that whatever it has
/// made of them does not stay wrong for long.
const WHOLE_EVERY: u32 = 256;
/// How many events a reader is given without a turn.
const AT_ONCE: u64 = 64;
/// The most streams that one connection follows.
const MAX_STREAMS: usize = 1_024;

/// A frame on its way out.
#[derive(Debug, Clone)]
pub(crate) struct Out {
    pub(crate) kind: Kind,
    /// The frame as JSON.
    pub(crate) text: Bytes,
    /// Where a reader is after it.
    pub(crate) place: Place,
    /// The event, whose latency is to be measured.
    pub(crate) event: Option<Arc<EventFrame>>,
}

/// Where a reader is.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// The frame does not move it.
    Same,
    /// Where the event's own cursor says.
    Event,
    /// At this cursor.
    Cursor(String),
}

/// The types of frames that delivery sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Subscribed,
    Snapshot,
    Event,
    State,
    Prediction,
    Reset,
    End,
    Error,
    Heartbeat,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 9] = [
        Self::Subscribed,
        Self::Snapshot,
        Self::Event,
        Self::State,
        Self::Prediction,
        Self::Reset,
        Self::End,
        Self::Error,
        Self::Heartbeat,
    ];

    /// The `type` on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Subscribed => "subscribed",
            Self::Snapshot => "snapshot",
            Self::Event => "event",
            Self::State => "state",
            Self::Prediction => "prediction",
            Self::Reset => "reset",
            Self::End => "end",
            Self::Error => "error",
            Self::Heartbeat => "heartbeat",
        }
    }
}

/// Why a subscription is not taken.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The cursor is none of this topic.
    Cursor,
    /// There are too many.
    TooMany,
    /// The log cannot be read.
    Log(matchwire_log::Error),
}

impl From<matchwire_log::Error> for Refusal {
    fn from(error: matchwire_log::Error) -> Self {
        Self::Log(error)
    }
}

/// The subscriptions of one connection.
pub(crate) struct Delivery {
    app: Arc<App>,
    bell: Bell,
    subscriptions: Vec<Followed>,
    /// Topics that ended at what cannot be read, and were not told of yet.
    broken: Vec<(Topic, Problem)>,
    looked: Instant,
}

impl Delivery {
    pub(crate) fn new(app: Arc<App>) -> Self {
        let bell = Bell::default();
        let (subscriptions, broken) = (Vec::new(), Vec::new());
        Self { app, bell, subscriptions, broken, looked: Instant::now() }
    }

    /// Rings when there may be something to pull.
    pub(crate) fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Follows a topic, in the place of an earlier subscription to it.
    pub(crate) async fn subscribe(
        &mut self,
        topic: Topic,
        after: After,
        views: Views,
    ) -> Result<(), Refusal> {
        let app = self.app.clone();
        self.make_room(&topic)?;
        let followed = if topic.is_wide() {
            Wide::open(&app, &self.bell, topic, after, views).await?.into()
        } else {
            self.open(&app, topic, after, views).await?.into()
        };
        self.subscriptions.push(followed);
        Ok(())
    }

    /// Ends an earlier subscription to a topic. An error if there may not be another one.
    fn make_room(&mut self, topic: &Topic) -> Result<(), Refusal> {
        self.unsubscribe(topic);
        let has_room = self.subscriptions.len() < self.app.limits.subscriptions;
        if has_room { Ok(()) } else { Err(Refusal::TooMany) }
    }

    async fn open(
        &self,
        app: &App,
        topic: Topic,
        after: After,
        views: Views,
    ) -> Result<Subscription, Refusal> {
        let room = MAX_STREAMS - self.streams().min(MAX_STREAMS);
        Subscription::open(app, &self.bell, topic, after, views, room).await
    }

    pub(crate) fn unsubscribe(&mut self, topic: &Topic) {
        self.subscriptions.retain(|subscription| subscription.topic() != topic);
    }

    /// What comes next, a bounded batch; empty if there is nothing until the bell rings.
    pub(crate) async fn pull(&mut self) -> Result<Vec<Out>, Refusal> {
        self.look_for_maps().await?;
        let mut batch = Batch::default();
        let (mut at, mut is_news) = (0, false);
        while let Some(subscription) = self.subscriptions.get_mut(at) {
            let (app, before) = (subscription.app(&self.app), batch.outs.len());
            let pulled = subscription.pull(&app, &self.bell, &mut batch).await;
            is_news |= subscription.becomes_current();
            let has_nothing = pulled.is_ok() && batch.outs.len() == before;
            let goes_on = self.goes_on(at, pulled)?;
            let ends = has_nothing && self.ends(at, &mut batch);
            at += usize::from(goes_on && !ends);
            if batch.is_full() {
                break;
            }
        }
        for (topic, problem) in self.broken.drain(..) {
            let text = compose::error(&topic, problem.members());
            batch.put(Kind::Error, text, Place::Same);
        }
        if is_news {
            batch.put(Kind::Heartbeat, self.heartbeat().into(), Place::Same);
        }
        // The next batch starts with another topic, so that a busy one starves none.
        if !self.subscriptions.is_empty() {
            self.subscriptions.rotate_left(1);
        }
        Ok(batch.outs)
    }

    /// Whether the reader had caught up with a stream and is now too far behind in it.
    pub(crate) fn lags(&self) -> bool {
        let limit = self.app.limits.lag_events;
        self.subscriptions.iter().any(|subscription| subscription.lags(limit))
    }

    /// How many events the reader was not given yet, of all it asked for.
    pub(crate) fn behind(&self) -> u64 {
        self.subscriptions.iter().map(Followed::behind).sum()
    }

    /// Whether the reader missed so much that it takes turns with others in being given it.
    pub(crate) fn needs_turn(&self) -> bool {
        self.subscriptions.iter().any(Followed::needs_turn)
    }

    /// Whether there is nothing more to come: every topic has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.subscriptions.is_empty() && self.broken.is_empty()
    }

    /// Whether new maps of a match must be looked for from time to time.
    pub(crate) fn follows_matches(&self) -> bool {
        self.subscriptions.iter().any(|followed| followed.topic().is_match())
    }

    /// The heartbeat: up to where each topic was sent.
    pub(crate) fn heartbeat(&self) -> String {
        let subscriptions = self.subscriptions.iter();
        heartbeat(subscriptions.map(|it| (it.topic().as_str(), it.sent(&self.app))))
    }

    fn streams(&self) -> usize {
        self.subscriptions.iter().map(Followed::streams).sum()
    }

    async fn look_for_maps(&mut self) -> Result<(), Refusal> {
        if !self.follows_matches() || self.looked.elapsed().as_millis() < LOOK_MS {
            return Ok(());
        }
        self.looked = Instant::now();
        let mut room = MAX_STREAMS - self.streams().min(MAX_STREAMS);
        let mut at = 0;
        while let Some(subscription) = self.subscriptions.get_mut(at) {
            let app = subscription.app(&self.app);
            let found = subscription.look_for_maps(&app, &self.bell, room).await;
            at += usize::from(self.goes_on(at, found.map(|found| room -= found))?);
        }
        Ok(())
    }

    /// Whether a subscription goes on: one that meets what cannot be read ends, and no other one.
    fn goes_on(&mut self, at: usize, done: Result<(), Refusal>) -> Result<bool, Refusal> {
        match done {
            Err(Refusal::Log(error)) if error.is_partial() => {
                let topic = self.subscriptions.remove(at).topic().clone();
                self.broken.push((topic, error.into()));
                Ok(false)
            }
            other => other.map(|()| true),
        }
    }
}

/// The heartbeat of a reader with these topics, with up to where each was sent.
fn heartbeat<'a>(heads: impl IntoIterator<Item = (&'a str, Value)>) -> String {
    let heads: Map<_, _> =
        heads.into_iter().map(|(topic, sent)| (topic.to_owned(), sent)).collect();
    json!({"type": "heartbeat", "heads": heads}).to_string()
}

/// Frames that are written together.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) outs: Vec<Out>,
    bytes: usize,
}

impl Batch {
    fn put(&mut self, kind: Kind, text: Bytes, place: Place) {
        self.bytes += text.len();
        self.outs.push(Out { kind, text, place, event: None });
    }

    fn put_event(&mut self, event: Arc<EventFrame>, text: Bytes, place: Place) {
        self.bytes += text.len();
        self.outs.push(Out { kind: Kind::Event, text, place, event: Some(event) });
    }

    fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES
    }
}
