//! Patterns of subjects, `room/*`.

use std::{fmt, str::FromStr};

use super::{Subject, check_segment};

/// The most segments of a pattern; no subject has more.
const MAX_SEGMENTS: usize = 8;

/// Which subjects are meant: segments between slashes, of which `*` is any one and `**` any number,
/// also none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Segment {
    Literal(Box<str>),
    One,
    Any,
}

/// Why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "pattern {0:?} must be segments between slashes, at most {MAX_SEGMENTS}, each of them a name, * \
     for any one, or ** for any number, as in room/* or match/**"
)]
pub struct PatternError(String);

impl Pattern {
    /// Whether a subject is meant. The server's own streams are only if the pattern names their
    /// first segment.
    pub fn matches(&self, subject: &Subject) -> bool {
        let names_kind = matches!(self.segments.first(), Some(Segment::Literal(_)));
        if subject.is_internal() && !names_kind {
            return false;
        }
        let names: Vec<&str> = subject.as_str().split('/').collect();
        matches(&self.segments, &names)
    }

    /// What all subjects start with that are meant.
    pub fn prefix(&self) -> String {
        let mut prefix = String::new();
        for (at, segment) in self.segments.iter().enumerate() {
            let slash = if at > 0 { "/" } else { "" };
            match segment {
                Segment::Literal(name) => prefix.extend([slash, name]),
                Segment::One => {
                    prefix.push_str(slash);
                    break;
                }
                Segment::Any => break,
            }
        }
        prefix
    }

    /// How much it says of what it means, to be compared: of two patterns that both match a subject, the
    /// greater one names it more closely. Segment by segment, a name is more than `*`, and that more
    /// than `**`.
    pub fn closeness(&self) -> impl Ord + use<> {
        const END: u8 = 4;
        let weight = |segment: &Segment| match segment {
            Segment::Literal(_) => 3,
            Segment::One => 2,
            Segment::Any => 1,
        };
        let is_open = matches!(self.segments.last(), Some(Segment::Any));
        let end = (!is_open).then_some(END);
        self.segments.iter().map(weight).chain(end).collect::<Vec<u8>>()
    }
}

/// Subjects and patterns have a few segments, so trying all splits at `**` costs nothing.
fn matches(segments: &[Segment], names: &[&str]) -> bool {
    let Some((segment, rest)) = segments.split_first() else { return names.is_empty() };
    match (segment, names.split_first()) {
        (Segment::Any, after) => {
            matches(rest, names) || after.is_some_and(|(_, names)| matches(segments, names))
        }
        (_, None) => false,
        (Segment::One, Some((_, names))) => matches(rest, names),
        (Segment::Literal(text), Some((name, names))) => **text == **name && matches(rest, names),
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let segment = |text: &str| match text {
            "*" => Some(Segment::One),
            "**" => Some(Segment::Any),
            name => check_segment(name).ok().map(|()| Segment::Literal(name.into())),
        };
        let segments: Option<Vec<Segment>> =
            text.split('/').take(MAX_SEGMENTS + 1).map(segment).collect();
        segments
            .filter(|segments| segments.len() <= MAX_SEGMENTS)
            .map(|segments| Self { segments })
            .ok_or_else(|| PatternError(super::clip(text)))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.segments.iter().enumerate() {
            f.write_str(if at > 0 { "/" } else { "" })?;
            f.write_str(match segment {
                Segment::Literal(name) => name,
                Segment::One => "*",
                Segment::Any => "**",
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_subjects_are_meant() {
        let subjects =
            ["match/m1", "match/m1/1", "room/r", "room/r/eu", "player/p1", "source/cs-log/m1/1"];
        let check = |pattern: &str, expected: &[&str]| {
            let parsed: Pattern = pattern.parse().unwrap();
            assert_eq!(parsed.to_string(), pattern);
            let meant = |text: &&str| parsed.matches(&Subject::parse(text).unwrap());
            let found: Vec<&str> = subjects.into_iter().filter(meant).collect();
            assert_eq!(found, expected, "{pattern}");
            assert!(found.iter().all(|subject| subject.starts_with(&parsed.prefix())));
        };
        check("match/m1", &["match/m1"]);
        check("match/*", &["match/m1"]);
        check("match/**", &["match/m1", "match/m1/1"]);
        check("match/*/*", &["match/m1/1"]);
        check("*/*", &["match/m1", "room/r", "player/p1"]);
        check("**", &["match/m1", "match/m1/1", "room/r", "room/r/eu", "player/p1"]);
        check("**/eu", &["room/r/eu"]);
        check("source/**", &["source/cs-log/m1/1"]);
        check("*/cs-log/**", &[]);
        check("**/**/**/m1", &["match/m1"]);
    }

    #[test]
    fn what_all_start_with() {
        let check = |pattern: &str, prefix: &str| {
            assert_eq!(pattern.parse::<Pattern>().unwrap().prefix(), prefix, "{pattern}");
        };
        check("match/m1", "match/m1");
        check("match/*", "match/");
        check("match/m1/**", "match/m1");
        check("match/m1/*", "match/m1/");
        check("match/*/1", "match/");
        check("**/eu", "");
        check("*/eu", "");
    }

    #[test]
    fn which_pattern_is_closer() {
        let order = ["**", "**/m1", "*/**", "*/*", "match/**", "match/*/**"];
        let closer =
            ["match/*/1", "match/*", "match/m1/**", "match/m1/*", "match/m1/1", "match/m1"];
        let order: Vec<Pattern> =
            order.into_iter().chain(closer).map(|text| text.parse().unwrap()).collect();
        for (at, pattern) in order.iter().enumerate() {
            for other in &order[at + 1..] {
                assert!(pattern.closeness() < other.closeness(), "{pattern} and {other}");
            }
        }
    }

    #[test]
    fn what_is_no_pattern() {
        let long = ["a"; MAX_SEGMENTS + 1].join("/");
        for bad in ["", "/", "room/", "/room", "room//r", "room/***", "room/a*", "room/ä", &long] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
    }
}
