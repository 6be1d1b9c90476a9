//! Where a reader is in the streams of a topic.
//!
//! It carries the lineage of the log under which it was given, and the `seq` of each stream by its number:
//! `c1~0123456789abcdef~0-3~1-812`, for a single stream as well. So what was seen before a fork of the
//! log is told from what has the same `seq` after it. Clients treat it as opaque. From a client the
//! bare `seq` of a single stream is taken, too.
//!
//! Of a topic of many matches it is a [`Mark`]: up to which append group everything was read, `c2~…~41`, and within what
//! comes behind it up to which group, event and stream: `c2~…~41~90~812~match/m1/1`. Who follows states is told them behind
//! their events, so it also says, behind a `!`, up to which mark that was done: `c2~…~90!41`, or, while a snapshot of many
//! streams is sent, up to which of them: `c2~…~90!match/m1/1`.

use std::{collections::BTreeMap, fmt};

use matchwire_domain::subject::Subject;
use matchwire_log::{
    View,
    sweep::{Mark, Within},
};

use crate::{app::App, query};

/// The form of cursors; another form gets another name. The live folds write it into frames, too.
const FORM: &str = "c1";
const WIDE_FORM: &str = "c2";
/// The most streams that a cursor may name.
const MAX_STREAMS: usize = 1_000;

/// A position in the streams of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) lineage: String,
    /// The last `seq` of each stream, by its number within the match.
    pub(crate) seqs: BTreeMap<u16, u64>,
}

/// Where a subscription is to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum After {
    /// With a snapshot.
    Snapshot,
    /// After this `seq` of every stream of the topic; 0 is from the beginning.
    Seq(u64),
    /// After a position.
    Cursor(Cursor),
    /// After a position in many streams.
    Wide(WideCursor),
}

/// A position in the streams of a wide topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WideCursor {
    pub(crate) lineage: String,
    pub(crate) mark: Mark,
    pub(crate) told: Told,
}

/// Which states the reader has, of the streams of which it has the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// All that it wants.
    All,
    /// Those of the streams that did not move behind this mark.
    Until(Mark),
    /// Of what was being played when it began those up to this stream, in order of subject.
    Played(Option<Subject>),
}

impl WideCursor {
    /// A position in the log as it is.
    pub(crate) fn now(log: &View, mark: Mark, told: Told) -> Self {
        let told = if told == Told::Until(mark.clone()) { Told::All } else { told };
        Self { lineage: log.lineage().current().to_owned(), mark, told }
    }

    fn parse(text: &str) -> Option<Self> {
        let (place, told) =
            text.split_once('!').map_or((text, None), |(place, told)| (place, Some(told)));
        let (lineage, place) = place.split_once('~')?;
        let mark = parse_mark(place)?;
        let told = match told {
            None => Told::All,
            Some("") => Told::Played(None),
            Some(told) if told.starts_with(|c: char| c.is_ascii_digit()) => {
                Told::Until(parse_mark(told).filter(|told| told.reaches() <= mark.reaches())?)
            }
            Some(told) => Told::Played(Some(Subject::parse(told).ok()?)),
        };
        Some(Self { lineage: Some(lineage).filter(is_lineage)?.to_owned(), mark, told })
    }
}

impl fmt::Display for WideCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{WIDE_FORM}~{}~", self.lineage)?;
        write_mark(f, &self.mark)?;
        match &self.told {
            Told::All => Ok(()),
            Told::Until(mark) => f.write_str("!").and_then(|()| write_mark(f, mark)),
            Told::Played(subject) => write!(f, "!{}", subject.as_ref().map_or("", Subject::as_str)),
        }
    }
}

fn write_mark(f: &mut fmt::Formatter<'_>, mark: &Mark) -> fmt::Result {
    write!(f, "{}", mark.from)?;
    match &mark.within {
        Some(Within { to, subject, seq }) => write!(f, "~{to}~{seq}~{subject}"),
        None => Ok(()),
    }
}

fn parse_mark(text: &str) -> Option<Mark> {
    // The names in a subject may have the sign that is between the fields.
    let mut fields = text.splitn(4, '~');
    let from = query::number(fields.next()?)?;
    let within = match (fields.next(), fields.next(), fields.next()) {
        (None, ..) => None,
        (Some(to), Some(seq), Some(subject)) => {
            let to = query::number(to).filter(|to| *to > from)?;
            let subject = Subject::parse(subject).ok()?;
            Some(Within { to, seq: query::number(seq)?, subject })
        }
        _ => return None,
    };
    Some(Mark { from, within })
}

fn is_lineage(id: &&str) -> bool {
    id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit())
}

impl Cursor {
    /// A position in the log as it is.
    pub(crate) fn now(app: &App, seqs: BTreeMap<u16, u64>) -> Self {
        Self { lineage: app.live.log().lineage().current().to_owned(), seqs }
    }
}

impl After {
    /// Reads a cursor of either form.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(seq) = query::number(text) {
            return Some(Self::Seq(seq));
        }
        if let Some(wide) = text.strip_prefix(WIDE_FORM) {
            return WideCursor::parse(wide.strip_prefix('~')?).map(Self::Wide);
        }
        let mut fields = text.split('~');
        fields.next().filter(|form| *form == FORM)?;
        let lineage = fields.next().filter(is_lineage)?.to_owned();
        let mut seqs = BTreeMap::new();
        for field in fields.take(MAX_STREAMS) {
            let (stream, seq) = field.split_once('-')?;
            seqs.insert(query::number(stream)?.try_into().ok()?, query::number(seq)?);
        }
        Some(Self::Cursor(Cursor { lineage, seqs }))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FORM}~{}", self.lineage)?;
        self.seqs.iter().try_for_each(|(stream, seq)| write!(f, "~{stream}-{seq}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors() {
        let text = "c1~0123456789abcdef~0-3~1-812";
        let Some(After::Cursor(cursor)) = After::parse(text) else { panic!("{text}") };
        assert_eq!(cursor.to_string(), text);
        assert_eq!(After::parse("17"), Some(After::Seq(17)));
        for bad in ["", "-1", "c3~0123456789abcdef", "c1~xyz", "c1~0123456789abcdef~1", "1.5"] {
            assert_eq!(After::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn cursors_of_many_streams() {
        for text in [
            "c2~0123456789abcdef~41",
            "c2~0123456789abcdef~41~90~812~match/a~1~/7",
            "c2~0123456789abcdef~41!40",
            "c2~0123456789abcdef~41!",
            "c2~0123456789abcdef~41!match/a~1~/7",
            "c2~0123456789abcdef~41~90~812~match/b/1!41~90~7~match/a/1",
        ] {
            let Some(After::Wide(cursor)) = After::parse(text) else { panic!("{text}") };
            assert_eq!(cursor.to_string(), text);
        }
        for bad in [
            "c2",
            "c2~",
            "c2~0123456789abcdef",
            "c2~0123456789abcdef~",
            "c2~0123456789abcdef~41~90",
            "c2~0123456789abcdef~41~90~1",
            "c2~0123456789abcdef~41~41~1~match/a/1",
            "c2~0123456789abcdef~41~90~1~match/",
            "c2~0123456789abcdef~-1",
            "c20~0123456789abcdef~1",
            "c2~0123456789abcdef~41!42",
            "c2~0123456789abcdef~41!40~42~1~match/a/1",
            "c2~0123456789abcdef~41!match/",
            "c2~0123456789abcdef~41!40!",
            "c2~0123456789abcdef~41~99999999999999999999~1~match/a/1",
        ] {
            assert_eq!(After::parse(bad), None, "{bad}");
        }
    }
}
