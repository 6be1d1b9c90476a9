//! What a reader remembers from post to post.
//!
//! It is stored with every post, in the reader's own stream, so a crash between posts loses none
//! of it.

use std::collections::BTreeMap;

use matchwire_domain::live_match::cs::Event;
use serde::{Deserialize, Serialize};

use super::block::Block;
use crate::{
    roster::Roster,
    series::{CountsFrom, Series},
};

/// How many servers' logs one reader follows; beyond, the one that began first is forgotten.
const MAX_FEEDS: usize = 8;
/// By how many of its first bytes a log is known; they have the time of its first line.
const OPENING_BYTES: usize = 64;
/// How many spans of one feed are kept; beyond, the oldest gap is given up.
const MAX_SPANS: usize = 8;
/// How many bytes of lines that are not whole may wait in all feeds together.
const MAX_WAITING_BYTES: usize = 96 * 1_024;

/// What a reader remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carry {
    /// Where the play is that came last.
    pub(super) latest: Context,
    /// What has come of each server's log, by the feed's hash and the number of the log.
    pub(super) feeds: BTreeMap<String, Feed>,
    /// A number for each feed, as they began.
    pub(super) feeds_begun: u64,
    /// A number for each turn from one log to another.
    posts: u64,
}

/// What is known at a place in a feed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Context {
    /// The map that is played.
    #[serde(flatten)]
    pub(super) series: Series,
    /// A block that is open.
    pub(super) block: Option<Block>,
    /// Whom the stream of the map knows.
    pub(super) roster: Roster,
}

/// What has come of one server's log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Feed {
    /// As the feeds began.
    pub(super) number: u64,
    /// When posts last turned to it; the highest is the one that is being posted.
    posted: u64,
    /// What was known when it began.
    pub(super) origin: Context,
    /// Its first bytes.
    #[serde(with = "as_text")]
    opening: Vec<u8>,
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
    /// The log of a feed to which a stretch from `begin` on belongs, with its name.
    ///
    /// What begins at 0 tells by its first bytes which log it is; what follows belongs to the same.
    pub(super) fn feed(&mut self, hash: &str, begin: u64, text: &[u8]) -> (String, &mut Feed) {
        let of_hash = format!("{hash}.");
        let known = self.feeds.iter().filter(|(name, _)| name.starts_with(&of_hash));
        let active = if begin == 0 {
            known.filter(|(_, feed)| feed.opens_with(text)).max_by_key(|(_, feed)| feed.number)
        } else {
            known.max_by_key(|(_, feed)| feed.posted)
        };
        let name = if let Some((name, _)) = active {
            name.clone()
        } else {
            self.make_room();
            self.feeds_begun += 1;
            // Never used before, so that no two logs' lines have one identity.
            format!("{of_hash}{}", self.feeds_begun)
        };
        let number = self.feeds_begun;
        let feed = self.feeds.entry(name.clone());
        let feed =
            feed.or_insert_with(|| Feed { number, origin: self.latest.clone(), ..Feed::default() });
        if feed.posted != self.posts || self.posts == 0 {
            self.posts += 1;
            feed.posted = self.posts;
        }
        if begin == 0 && feed.opening.len() < OPENING_BYTES {
            feed.opening = text.iter().take(OPENING_BYTES).copied().collect();
        }
        (name, feed)
    }

    /// Gives up what has waited longest, where too much does.
    pub(super) fn bound(&mut self) {
        let mut feeds: Vec<&mut Feed> = self.feeds.values_mut().collect();
        feeds.sort_by_key(|feed| std::cmp::Reverse(feed.posted));
        let mut room = MAX_WAITING_BYTES;
        for span in feeds.into_iter().flat_map(|feed| feed.spans.iter_mut().rev()) {
            if let Some(left) = room.checked_sub(span.head.len() + span.tail.len()) {
                room = left;
            } else {
                span.head = Vec::new();
                span.tail = Vec::new();
                span.head_open = false;
            }
        }
    }

    /// Forgets the log that began first, where there are too many.
    fn make_room(&mut self) {
        if self.feeds.len() < MAX_FEEDS {
            return;
        }
        let oldest = self.feeds.iter().min_by_key(|(_, feed)| feed.number);
        if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
            self.feeds.remove(&oldest);
        }
    }
}

impl Feed {
    /// Whether a text may be the beginning of this log, as far as both are known.
    fn opens_with(&self, text: &[u8]) -> bool {
        self.opening.iter().zip(text).all(|(known, new)| known == new)
    }

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

impl Context {
    /// Follows the course of a series; nobody is known on the next map yet.
    pub(super) fn follow(&mut self, event: &Event, counts_maps: bool) {
        if self.series.follow(event, counts_maps, CountsFrom::SERVER) {
            self.roster = Roster::default();
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
