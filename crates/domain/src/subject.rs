//! The names of streams.
//!
//! A subject is a kind and one or two segments, `match/m1/1`; the grammar is in [`Subject::parse`].
//! Which events a kind of stream may hold is the business of [`crate::vocabulary`].

mod pattern;

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

pub use pattern::{Pattern, PatternError};

/// The longest segment, in bytes.
pub const MAX_SEGMENT_BYTES: usize = 64;
/// The highest number of a map within a match.
pub const MAX_MAP: u16 = 999;

/// The name of one stream, valid by construction. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subject(Arc<str>);

/// Why a text is not a subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The first segment is not a kind of stream.
    #[error("subject {0:?} starts with no known kind of stream; known are {KINDS}")]
    Kind(String),
    /// There are too few or too many segments.
    #[error("subject {0:?} has {1} segments after its kind; it takes {2}")]
    Arity(String, usize, &'static str),
    /// A segment has a wrong character or length.
    #[error("segment {0:?} of a subject must match [A-Za-z0-9._~-]{{1,64}}")]
    Segment(String),
    /// The map of a match is not a number in range.
    #[error("map {0:?} must be a number from 1 to {MAX_MAP} without leading zeros")]
    Map(String),
}

const KINDS: &str = "match, player, tournament, room, account, admin, source, upstream and import";

/// What a stream is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    /// `match/<match>`: the schedule and result of a series.
    Match(&'a str),
    /// `match/<match>/<map>`: play on one map.
    MatchMap(&'a str, u16),
    /// `source/<source>/<match>/<map or auto>`: what a source's reader carries from post to post.
    Source(&'a str, &'a str, &'a str),
    /// `tournament/<tournament>`: who is entered, and how it ended for them.
    Tournament(&'a str),
    /// `player/<player>`: friends, consent, privacy.
    Player(&'a str),
    /// Every other kind, which has streams but no folds yet.
    Other,
}

impl Subject {
    /// Reads a subject: `match/<match>`, `match/<match>/<map>`, `player/<player>`,
    /// `tournament/<tournament>`, `room/<room>`, `room/<room>/<region>`, `account/<account>`,
    /// `admin/<topic>`, `source/<source>/<match>/<map>`, `upstream/<upstream>`, `import/<import>`. A
    /// segment matches `[A-Za-z0-9._~-]{1,64}`; the map of a match is a number from 1 to [`MAX_MAP`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (kind, rest) = text.split_once('/').unwrap_or((text, ""));
        let segments: Vec<&str> =
            if rest.is_empty() { Vec::new() } else { rest.split('/').take(5).collect() };
        let (arity, takes) = match kind {
            "match" | "room" => (1..=2, "one or two"),
            "player" | "tournament" | "account" | "admin" | "upstream" | "import" => (1..=1, "one"),
            "source" => (3..=3, "three"),
            _ => return Err(Error::Kind(clip(kind))),
        };
        if !arity.contains(&segments.len()) {
            return Err(Error::Arity(clip(text), segments.len(), takes));
        }
        for segment in &segments {
            check_segment(segment)?;
        }
        if let ("match", [_, map]) = (kind, segments.as_slice()) {
            parse_map(map)?;
        }
        Ok(Self(text.into()))
    }

    /// The stream of one map of a match.
    pub fn match_map(match_id: &str, map: u16) -> Result<Self, Error> {
        Self::parse(&format!("match/{match_id}/{map}"))
    }

    /// What the stream is about.
    pub fn kind(&self) -> Kind<'_> {
        let mut segments = self.0.split('/');
        match (segments.next(), segments.next(), segments.next(), segments.next()) {
            (Some("match"), Some(id), None, _) => Kind::Match(id),
            (Some("match"), Some(id), Some(map), None) => {
                map.parse().map_or(Kind::Other, |map| Kind::MatchMap(id, map))
            }
            (Some("source"), Some(source), Some(id), Some(map)) => Kind::Source(source, id, map),
            (Some("tournament"), Some(id), None, _) => Kind::Tournament(id),
            (Some("player"), Some(id), None, _) => Kind::Player(id),
            _ => Kind::Other,
        }
    }

    /// Whether only the server writes and reads the stream.
    pub fn is_internal(&self) -> bool {
        ["admin/", "source/", "upstream/", "import/"].iter().any(|kind| self.0.starts_with(kind))
    }

    /// The subject as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks one segment against `[A-Za-z0-9._~-]{1,64}`.
pub fn check_segment(segment: &str) -> Result<(), Error> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'~' | b'-');
    if (1..=MAX_SEGMENT_BYTES).contains(&segment.len()) && segment.bytes().all(good) {
        Ok(())
    } else {
        Err(Error::Segment(clip(segment)))
    }
}

/// Reads the number of a map.
pub fn parse_map(text: &str) -> Result<u16, Error> {
    text.parse()
        .ok()
        .filter(|map| (1..=MAX_MAP).contains(map) && text == map.to_string())
        .ok_or_else(|| Error::Map(clip(text)))
}

/// What an error quotes of a text that may be anything.
fn clip(text: &str) -> String {
    text.chars().take(80).collect()
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl TryFrom<String> for Subject {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.0.as_ref().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammar() {
        for good in ["match/m1", "match/m1/1", "match/A.b_c~d-9/999", "player/p1", "room/r/eu"] {
            assert_eq!(Subject::parse(good).map(|s| s.to_string()), Ok(good.to_owned()), "{good}");
        }
        let long = format!("match/{}/1", "x".repeat(65));
        for bad in [
            "",
            "match",
            "match/",
            "match//1",
            "match/m1/0",
            "match/m1/01",
            "match/m1/1000",
            "match/m1/auto",
            "match/m1/1/1",
            "match/é/1",
            "match/a b",
            "games/m1",
            "player/a/b",
            "/match/m1",
            "match/m1/",
            "source/cs-log/m1",
            &long,
        ] {
            assert!(Subject::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn kind_of_a_stream() {
        let kind = |s: &str| format!("{:?}", Subject::parse(s).unwrap().kind());
        assert_eq!(kind("match/m1/2"), "MatchMap(\"m1\", 2)");
        assert_eq!(kind("match/m1"), "Match(\"m1\")");
        assert_eq!(kind("source/cs-log/m1/auto"), "Source(\"cs-log\", \"m1\", \"auto\")");
        assert_eq!(kind("player/p1"), "Player(\"p1\")");
        assert_eq!(kind("tournament/t"), "Tournament(\"t\")");
        assert_eq!(kind("room/r"), "Other");
        let internal = |s: &str| Subject::parse(s).unwrap().is_internal();
        for own in ["source/cs-log/m1/auto", "admin/keys", "upstream/u", "import/i"] {
            assert!(internal(own), "{own}");
        }
        assert!(!internal("match/admin") && !internal("room/source"));
    }
}
