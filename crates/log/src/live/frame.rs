//! What followers are told, as text that is written once and shared by all of them.
//!
//! The text is that of the protocol's frame for the topic that is the stream itself. For a topic
//! of several streams a follower puts the shared part, [`EventFrame::event`] and its like, into a
//! frame of its own.

use std::{fmt::Write as _, ops::Range, sync::Arc, time::Instant};

use bytes::Bytes;
use matchwire_domain::{
    envelope::Attributes,
    live_match::{Games, Latest},
    subject::{Kind, Subject},
    timeline::Fold,
};
use serde_json::Value;

use crate::Entry;

/// What stands for the type of an event that is not of the vocabulary, so that labels are bounded.
pub(super) const OWN_KIND: &str = "x";

/// An event on its way to followers.
#[derive(Debug)]
pub struct EventFrame {
    /// Its number in the stream.
    pub seq: u64,
    /// Its type, or `x` for a user's own.
    pub kind: &'static str,
    /// The frame for the stream's own topic.
    pub text: Bytes,
    /// When it came in, where that is still known.
    pub received: Option<Instant>,
    /// When it was folded and ready to be sent, if followers were waiting for it then.
    pub ready: Option<Instant>,
    cursor: Range<usize>,
    event: Range<usize>,
}

impl EventFrame {
    /// The frame of an event of a stream. `lineage` is the log's current one, for the cursor.
    pub fn new(
        games: &Games,
        subject: &Subject,
        lineage: &str,
        entry: &Entry,
        ready: Option<Instant>,
    ) -> Arc<Self> {
        let recorded = &entry.recorded;
        let seq = recorded.seq;
        let mut text = String::with_capacity(recorded.stored.len() + 400);
        let _ = write!(
            text,
            "{{\"type\":\"event\",\"topic\":\"{subject}\",\"subject\":\"{subject}\",\"seq\":{seq},\
             \"cursor\":\""
        );
        let start = text.len();
        let _ = write!(text, "c1~{lineage}~{}-{seq}", number(subject));
        let cursor = start..text.len();
        text.push_str("\",\"event\":");
        let start = text.len();
        recorded.write(&mut text);
        let event = start..text.len();
        text.push('}');
        Arc::new(Self {
            seq,
            kind: kind(games, &recorded.stored),
            text: text.into(),
            received: entry.received,
            ready,
            cursor,
            event,
        })
    }

    /// One with a text and nothing else.
    #[cfg(test)]
    pub(super) fn plain(seq: u64, text: bytes::Bytes) -> Self {
        let (received, ready) = (None, None);
        Self { seq, kind: OWN_KIND, text, received, ready, cursor: 0..0, event: 0..0 }
    }

    /// Where a reader of the stream's own topic is after it, in the form of the protocol.
    pub fn cursor(&self) -> &[u8] {
        self.text.get(self.cursor.clone()).unwrap_or_default()
    }

    /// The CloudEvent alone.
    pub fn event(&self) -> &[u8] {
        self.text.get(self.event.clone()).unwrap_or_default()
    }
}

/// The number of a stream within its match, as cursors name it: that of the map, 0 for others.
fn number(subject: &Subject) -> u16 {
    match subject.kind() {
        Kind::MatchMap(_, map) => map,
        _ => 0,
    }
}

fn kind(games: &Games, stored: &[u8]) -> &'static str {
    let Ok(attributes) = Attributes::read(stored) else { return OWN_KIND };
    games.tag(&attributes.kind).unwrap_or(OWN_KIND)
}

/// A change of the state.
#[derive(Debug)]
pub struct StateFrame {
    /// The version that it changes.
    pub base: u64,
    /// The version that comes out.
    pub version: u64,
    /// The last event in it.
    pub seq: u64,
    /// The frame for the stream's own topic.
    pub text: Bytes,
    patch: Range<usize>,
}

impl StateFrame {
    pub(super) fn new(subject: &Subject, base: u64, next: &Snapshot, patch: &str) -> Arc<Self> {
        let mut text =
            format!("{{\"type\":\"state\",\"topic\":\"{subject}\",\"seq\":{},\"patch\":", next.seq);
        let start = text.len();
        text.push_str(patch);
        let patch = start..text.len();
        text.push('}');
        Arc::new(Self { base, version: next.version, seq: next.seq, text: text.into(), patch })
    }

    /// The merge patch alone.
    pub fn patch(&self) -> &[u8] {
        self.text.get(self.patch.clone()).unwrap_or_default()
    }
}

/// A prediction.
#[derive(Debug)]
pub struct PredictionFrame {
    /// Counts the predictions that a feed showed, so that a follower knows what is new.
    pub number: u64,
    /// The event that it belongs to; once a late event or time has changed it, the last event in it.
    pub seq: u64,
    /// The frame for the stream's own topic.
    pub text: Bytes,
    prediction: Range<usize>,
}

impl PredictionFrame {
    pub(super) fn new(subject: &Subject, number: u64, seq: u64, latest: &Latest) -> Arc<Self> {
        let mut text = format!(
            "{{\"type\":\"prediction\",\"topic\":\"{subject}\",\"seq\":{seq},\"prediction\":"
        );
        let start = text.len();
        text.push_str(&serde_json::to_string(latest).unwrap_or_default());
        let prediction = start..text.len();
        text.push('}');
        Arc::new(Self { number, seq, text: text.into(), prediction })
    }

    /// The prediction alone.
    pub fn prediction(&self) -> &[u8] {
        self.text.get(self.prediction.clone()).unwrap_or_default()
    }
}

/// The state as of an event.
#[derive(Debug)]
pub struct Snapshot {
    /// Counts the states that a feed showed; two of the same `seq` differ after a late event.
    pub version: u64,
    /// The last event in it; 0 before the first.
    pub seq: u64,
    /// The [`PredictionFrame::number`] of the prediction in it; 0 before the first.
    pub predicted: u64,
    /// Whether predictions are missing, so that the same events may come to another state.
    pub has_gaps: bool,
    text: String,
}

impl Snapshot {
    pub(super) fn new(version: u64, predicted: u64, fold: &Fold) -> Arc<Self> {
        let (seq, has_gaps, text) = (fold.seq(), fold.has_gaps(), fold.play.to_json());
        Arc::new(Self { version, seq, predicted, has_gaps, text })
    }

    /// The state as JSON, without spaces.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The state, read again.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}
