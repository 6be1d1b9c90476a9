//! The seam through which a sealed file is written: streams in order, from wherever they come.

use matchwire_domain::{chain::Digest, timestamp::Timestamp};
use matchwire_log::Error;

/// One record on its way into a sealed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub(crate) seq: u64,
    /// The number of the group that it was appended with.
    pub(crate) position: u64,
    pub(crate) recorded: Timestamp,
    pub(crate) fingerprint: u64,
    pub(crate) kind: Kind,
    /// The chain after it, where the source has it; it saves computing it.
    pub(crate) chain: Option<Digest>,
    pub(crate) stored: &'a [u8],
}

/// What a record is to its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One of its events.
    Event,
    /// The event that sealed it; none comes after.
    Last,
    /// So many rows from this one on are lost. Their number and the chain after them are known, and
    /// whether the last one sealed the stream; nothing else is.
    Lost { rows: u64, seals: bool },
    /// An event that was removed by retention, and whether it sealed the stream. What is stored of
    /// it is the check of its identity, 8 bytes.
    Trimmed { seals: bool },
    /// An event that is in an archive, and whether it seals the stream: so many rows into a group of
    /// the file's object. What is stored here is the check of its identity, 8 bytes.
    Away { group: u32, row: u32, seals: bool },
}

impl Kind {
    /// Whether the event itself is in the row.
    pub(crate) fn is_event(self) -> bool {
        matches!(self, Self::Event | Self::Last)
    }

    /// How many seqs the row stands for, and whether its stream ends with it.
    pub(crate) fn span(self) -> (u64, bool) {
        match self {
            Self::Event => (1, false),
            Self::Last => (1, true),
            Self::Lost { rows, seals } => (rows, seals),
            Self::Trimmed { seals } | Self::Away { seals, .. } => (1, seals),
        }
    }
}

/// The start of a stream's records in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) subject: Box<str>,
    pub(crate) first_seq: u64,
    /// The chain before the first record; where `is_anchored`, that of the first record itself.
    pub(crate) before: Digest,
    /// What comes before the first record was missing, and so is the chain before it: that of the
    /// record is believed.
    pub(crate) is_anchored: bool,
}

/// The fingerprint of a record in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id {
    pub(crate) fingerprint: u64,
    /// The number of its stream, from 0 in the order in which they came.
    pub(crate) ordinal: u32,
    pub(crate) seq: u64,
}

/// What is sealed: streams in order of subject, each with its rows in order of seq without a gap.
///
/// The caller takes the next stream, then its rows until there are none; then, after the last
/// stream, the ids.
pub(crate) trait Streams {
    /// The next stream. Rows of the one before that were not taken are passed over.
    fn next_stream(&mut self) -> Result<Option<Opening>, Error>;

    /// The next row of the current stream.
    fn next_row(&mut self) -> Result<Option<Row<'_>>, Error>;

    /// The next id of all rows, in order of fingerprint.
    fn next_id(&mut self) -> Result<Option<Id>, Error>;
}
