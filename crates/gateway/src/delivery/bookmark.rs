//! Where a reader is in everything that a subscription shows, so that another one can read on.

use std::sync::OnceLock;

use bytes::Bytes;
use matchwire_domain::subject::Subject;
use matchwire_log::live::Bell;

use super::{
    Delivery, Followed, Refusal, Views, heartbeat,
    subscription::{Part, Subscription},
};
use crate::{
    app::App,
    cursor::Cursor,
    topic::{self, Topic},
    websocket::packet,
};

/// Where a reader of a topic is.
#[derive(Debug)]
pub(crate) struct Bookmark {
    pub(crate) topic: Topic,
    pub(crate) views: Views,
    places: Vec<Place>,
    has_state: bool,
    heartbeat: OnceLock<Bytes>,
}

/// Where a reader is in one stream.
#[derive(Debug)]
struct Place {
    subject: Subject,
    seq: u64,
    version: Option<u64>,
    predicted: u64,
}

impl Bookmark {
    /// The heartbeat of who is here, as it goes over a WebSocket.
    pub(crate) fn heartbeat(&self, app: &App) -> Bytes {
        let encode = || {
            let seqs = || self.places.iter().map(|it| (topic::number(&it.subject), it.seq));
            let sent = match self.places.first().filter(|_| !self.topic.is_match()) {
                Some(only) => only.seq.into(),
                None => Cursor::now(app, seqs().collect()).to_string().into(),
            };
            packet::text(heartbeat([(self.topic.as_str(), sent)]).as_bytes(), None)
        };
        self.heartbeat.get_or_init(encode).clone()
    }
}

impl Subscription {
    /// Where the reader is.
    pub(crate) fn bookmark(&self) -> Bookmark {
        let place = |part: &Part| Place {
            subject: part.subject().clone(),
            seq: part.seq,
            version: part.version,
            predicted: part.predicted,
        };
        Bookmark {
            topic: self.topic.clone(),
            views: self.views,
            places: self.parts.iter().map(place).collect(),
            has_state: self.has_state,
            heartbeat: OnceLock::new(),
        }
    }

    /// Whether the reader is there, so that what comes next is the same from both places.
    pub(crate) fn is_at(&self, bookmark: &Bookmark) -> bool {
        let Views { state, prediction, .. } = self.views;
        let is_same = |part: &Part| {
            // Two readers may have met the streams in another order.
            let place = bookmark.places.iter().find(|place| place.subject == *part.subject());
            place.is_some_and(|place| {
                part.seq == place.seq
                    && (!state || part.version == place.version)
                    && (!prediction || part.predicted == place.predicted)
            })
        };
        self.first.is_empty()
            && self.has_state == bookmark.has_state
            && self.parts.len() == bookmark.places.len()
            && self.parts.iter().all(is_same)
    }

    /// Reads on from a bookmark.
    pub(crate) async fn resume(
        app: &App,
        bell: &Bell,
        bookmark: &Bookmark,
    ) -> Result<Self, Refusal> {
        let Bookmark { topic, views, has_state, .. } = bookmark;
        let (topic, views, has_state) = (topic.clone(), *views, *has_state);
        let mut parts = Vec::with_capacity(bookmark.places.len());
        for Place { subject, seq, version, predicted } in &bookmark.places {
            let mut part = Part::new(app.live.follow(subject, bell).await?);
            (part.seq, part.version, part.predicted) = (*seq, *version, *predicted);
            part.is_live = true;
            parts.push(part);
        }
        let (first, changes, replay) = (Vec::new(), 0, None);
        Ok(Self { topic, views, parts, first, has_state, changes, replay })
    }
}

impl Delivery {
    /// The only subscription, if it may be shared with other connections.
    pub(crate) fn take_only(&mut self) -> Option<Subscription> {
        let [Followed::Streams(only)] = self.subscriptions.as_slice() else { return None };
        let is_live = only.replay.is_none();
        let may_share = is_live && self.broken.is_empty() && only.parts.len() <= MAX_SHARED_STREAMS;
        match self.subscriptions.pop_if(|_| may_share)? {
            Followed::Streams(subscription) => Some(*subscription),
            Followed::Wide(_) => None,
        }
    }

    /// Goes on with a subscription that was taken out.
    pub(crate) fn put_back(&mut self, subscription: Subscription) {
        self.subscriptions.push(subscription.into());
    }
}

/// A topic of more streams has few readers, and much to compare.
const MAX_SHARED_STREAMS: usize = 64;
