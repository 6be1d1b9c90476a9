//! A source whose events leave: those that retention removes, and those that go to an archive. Of
//! each there stays the check of its identity, and the chain goes on over it.

use matchwire_domain::{chain::Digest, envelope::Attributes, timestamp::Timestamp};
use matchwire_log::{Error, Fingerprints};

use super::{
    Range, sealed_name,
    streams::{Id, Kind, Opening, Row, Streams},
};

/// A group of an archive takes no more rows once it has so many, or so many bytes of them.
const GROUP_ROWS: u32 = 8_192;
const GROUP_BYTES: usize = 1 << 20;

/// Of a stream, the time before which its events leave; nothing if none does.
pub(crate) type Until = dyn Fn(&str) -> Option<Timestamp>;

/// Which events leave.
pub(crate) enum Leaves {
    /// Those of a stream that were recorded before a time, for ever.
    Before(Box<Until>),
    /// All, to the groups of an archive.
    All(Groups),
}

/// Counts rows into groups.
#[derive(Debug, Clone, Default)]
pub(crate) struct Groups {
    group: u32,
    rows: u32,
    bytes: usize,
}

/// The place of a row in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupAt {
    pub(crate) group: u32,
    pub(crate) row: u32,
}

impl Groups {
    /// The place of the next event, of so many bytes.
    pub(crate) fn next(&mut self, stored_bytes: usize) -> GroupAt {
        if self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            *self = Self { group: self.group + 1, rows: 0, bytes: 0 };
        }
        let at = GroupAt { group: self.group, row: self.rows };
        (self.rows, self.bytes) = (self.rows + 1, self.bytes + stored_bytes);
        at
    }
}

/// The rows of another source, some of them without their events.
pub(crate) struct Emptied {
    streams: Box<dyn Streams>,
    leaves: Leaves,
    /// What the source is, for errors.
    range: Range,
    subject: Box<str>,
    /// The chain up to the row before, while it is known.
    chain: Option<Digest>,
    is_anchored: bool,
    /// Of the stream, what was recorded before leaves.
    before: Option<Timestamp>,
    check: [u8; 8],
}

impl Emptied {
    pub(crate) fn new(streams: Box<dyn Streams>, leaves: Leaves, range: Range) -> Self {
        Self {
            streams,
            leaves,
            range,
            subject: "".into(),
            chain: None,
            is_anchored: false,
            before: None,
            check: [0; 8],
        }
    }
}

impl Streams for Emptied {
    fn next_stream(&mut self) -> Result<Option<Opening>, Error> {
        let opening = self.streams.next_stream()?;
        if let Some(Opening { subject, before, is_anchored, .. }) = &opening {
            self.subject = subject.clone();
            (self.chain, self.is_anchored) = (Some(*before), *is_anchored);
            self.before = match &self.leaves {
                Leaves::Before(time) => time(subject),
                Leaves::All(_) => Some(Timestamp::from_ms(i64::MAX)),
            };
        }
        Ok(opening)
    }

    fn next_row(&mut self) -> Result<Option<Row<'_>>, Error> {
        let Some(row) = self.streams.next_row()? else { return Ok(None) };
        let is_anchor = std::mem::take(&mut self.is_anchored);
        if !row.kind.is_event() {
            self.chain = row.chain;
            return Ok(Some(row));
        }
        // Times do not go back, so behind the first event that stays all others do.
        if self.before.is_none_or(|before| row.recorded >= before) {
            self.before = None;
            return Ok(Some(row));
        }
        let corrupt = |what: &str| Error::Corrupt {
            file: sealed_name(self.range),
            offset: 0,
            what: format!("seq {} of {} {what}", row.seq, self.subject),
        };
        let next = |chain: Digest| chain.next(row.seq, row.recorded, Digest::leaf(row.stored));
        let chain = if is_anchor { self.chain } else { self.chain.map(next) };
        let chain = match (chain, row.chain) {
            (Some(chain), given) if given.is_none_or(|given| given == chain) => chain,
            (None, Some(given)) => given,
            _ => return Err(corrupt("does not fit its chain")),
        };
        let attributes =
            Attributes::read(row.stored).map_err(|_| corrupt("is not a valid envelope"))?;
        let check = Fingerprints::check(&attributes.source, &attributes.id);
        (self.chain, self.check) = (Some(chain), check.to_le_bytes());
        let seals = row.kind == Kind::Last;
        let kind = match &mut self.leaves {
            Leaves::Before(_) => Kind::Trimmed { seals },
            Leaves::All(groups) => {
                let GroupAt { group, row } = groups.next(row.stored.len());
                Kind::Away { group, row, seals }
            }
        };
        let Row { seq, position, recorded, fingerprint, .. } = row;
        let chain = Some(chain);
        Ok(Some(Row { seq, position, recorded, fingerprint, kind, chain, stored: &self.check }))
    }

    fn next_id(&mut self) -> Result<Option<Id>, Error> {
        self.streams.next_id()
    }
}
