//! Where a reader is in the streams of a topic.
//!
//! It carries the lineage of the log under which it was given, and the `seq` of each stream by its number:
//! `c1~0123456789abcdef~0-3~1-812`, for a single stream as well. So what was seen before a fork of the
//! log is told from what has the same `seq` after it. Clients treat it as opaque. From a client the
//! bare `seq` of a single stream is taken, too.

use std::{collections::BTreeMap, fmt};

use crate::{app::App, query};

/// The form of cursors; another form gets another name. The live folds write it into frames, too.
const FORM: &str = "c1";
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
        let mut fields = text.split('~');
        fields.next().filter(|form| *form == FORM)?;
        let is_hex = |id: &&str| id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit());
        let lineage = fields.next().filter(is_hex)?.to_owned();
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
        for bad in ["", "-1", "c2~0123456789abcdef", "c1~xyz", "c1~0123456789abcdef~1", "1.5"] {
            assert_eq!(After::parse(bad), None, "{bad}");
        }
    }
}
