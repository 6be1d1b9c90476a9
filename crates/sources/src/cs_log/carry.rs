//! What a reader remembers from post to post.
//!
//! It is stored with every post, in the reader's own stream, so a crash between posts loses none
//! of it.

use std::collections::BTreeMap;

use matchwire_domain::{live_match::Event, subject::MAX_MAP};
use serde::{Deserialize, Serialize};

use super::{block::Block, draft::Roster};

/// How many servers' feeds one reader follows; beyond, the one that began first is forgotten.
const MAX_FEEDS: usize = 16;
/// How many spans of one feed are kept; beyond, the oldest gap is given up.
const MAX_SPANS: usize = 32;

/// What a reader remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carry {
    /// Where the play is that came last.
    pub(super) latest: Context,
    /// What has come of each server's feed, in the order of the spans; by the feed's hash.
    pub(super) feeds: BTreeMap<String, Feed>,
    /// A number for each feed, as they began.
    pub(super) feeds_begun: u64,
}

/// What is known at a place in a feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Context {
    /// The map that is played.
    pub(super) map: u16,
    /// Its name.
    pub(super) map_name: Option<String>,
    /// Whether it is over.
    pub(super) over: bool,
    /// How many rounds were played on it, as far as the feed told.
    pub(super) rounds: u16,
    /// A block that is open.
    pub(super) block: Option<Block>,
    /// Whom the stream of the map knows.
    pub(super) roster: Roster,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            map: 1,
            map_name: None,
            over: false,
            rounds: 0,
            block: None,
            roster: Roster::default(),
        }
    }
}

/// What has come of one server's log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Feed {
    /// As the feeds began.
    pub(super) number: u64,
    /// Whether its lines start with `L `.
    pub(super) prefixed: bool,
    /// In order, with gaps between them.
    pub(super) spans: Vec<Span>,
}

/// A stretch of a log without a gap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Span {
    /// The first byte.
    pub(super) begin: u64,
    /// The first byte after it.
    pub(super) end: u64,
    /// Its first bytes, as long as they make sense only with what is missing before them.
    #[serde(with = "as_text")]
    pub(super) head: Vec<u8>,
    /// Whether `head` may still grow.
    pub(super) head_open: bool,
    /// Whether the feed's lines start with `L `, so that one without is the rest of a line.
    pub(super) prefixed: bool,
    /// Its last bytes, which are no whole line yet.
    #[serde(with = "as_text")]
    pub(super) tail: Vec<u8>,
    /// What is known at its end.
    pub(super) context: Context,
}

impl Carry {
    /// The feed with this hash.
    pub(super) fn feed(&mut self, hash: &str) -> &mut Feed {
        if !self.feeds.contains_key(hash) {
            if self.feeds.len() >= MAX_FEEDS {
                let oldest = self.feeds.iter().min_by_key(|(_, feed)| feed.number);
                if let Some(oldest) = oldest.map(|(hash, _)| hash.clone()) {
                    self.feeds.remove(&oldest);
                }
            }
            self.feeds_begun += 1;
        }
        let number = self.feeds_begun;
        self.feeds.entry(hash.into()).or_insert_with(|| Feed { number, ..Feed::default() })
    }
}

impl Feed {
    /// The parts of a stretch that have not come yet.
    pub(super) fn missing(&self, begin: u64, end: u64) -> Vec<(u64, u64)> {
        let mut parts = Vec::new();
        let mut at = begin;
        for span in self.spans.iter().filter(|span| span.end > begin && span.begin < end) {
            if span.begin > at {
                parts.push((at, span.begin));
            }
            at = at.max(span.end);
        }
        if at < end {
            parts.push((at, end));
        }
        parts
    }

    /// Gives up the oldest gap where there are too many.
    pub(super) fn bound(&mut self) {
        if self.spans.len() > MAX_SPANS {
            let first = self.spans.remove(0);
            if let Some(second) = self.spans.first_mut() {
                second.begin = first.begin;
                second.head.clear();
                second.head_open = false;
            }
        }
    }
}

/// After so many rounds a change to another map means that the one before was played to its end,
/// though its end was not heard. (No map is won with fewer.)
const MIN_ROUNDS_OF_A_MAP: u16 = 13;

impl Context {
    /// Follows the course of a series; in one whose maps are counted, the next map gets the next
    /// number.
    pub(super) fn follow(&mut self, event: &Event, counts_maps: bool) {
        let name = match event {
            Event::MapLoaded(loaded) => Some(&loaded.map_name),
            Event::MatchStarted(started) => started.map_name.as_ref(),
            Event::MapEnded(_) => {
                self.over = true;
                None
            }
            Event::RoundEnded(ended) => {
                self.rounds =
                    ended.score.map_or(self.rounds, |score| score.ct.saturating_add(score.t));
                None
            }
            _ => None,
        };
        let Some(name) = name else { return };
        let other = self.map_name.as_deref().is_some_and(|old| old != name.as_str());
        let loads = matches!(event, Event::MapLoaded(_));
        let played =
            (self.over && (other || loads)) || (other && self.rounds >= MIN_ROUNDS_OF_A_MAP);
        self.map_name = Some(name.to_string());
        if played {
            self.over = false;
            self.rounds = 0;
            if counts_maps {
                self.map = self.map.saturating_add(1).min(MAX_MAP);
                self.roster = Roster::default();
            }
        }
    }
}

/// Bytes that may be cut anywhere, as text: each byte is the character of its number.
mod as_text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&bytes.iter().map(|byte| char::from(*byte)).collect::<String>())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let byte = |c| u8::try_from(u32::from(c)).map_err(serde::de::Error::custom);
        text.chars().map(byte).collect()
    }
}
