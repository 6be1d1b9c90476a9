//! Blocks: consecutive rows of one or more streams, as chunks.

use std::ops::Range as Span;

use matchwire_domain::{chain::Digest, timestamp::Timestamp};

use super::{
    streams::{Kind, Row},
    varint::{put, put_signed, put_size},
};
use crate::format::Fields;

const CONTINUES: u8 = 1;
pub(super) const GENESIS: u8 = 2;
pub(super) const CLOSED: u8 = 4;
const LOST: u8 = 8;
pub(super) const ANCHORED: u8 = 16;
pub(super) const TRIMMED: u8 = 32;
const AWAY: u8 = 64;

/// A decompressed payload. Pages have no chunks.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) payload: Vec<u8>,
    pub(super) chunks: Vec<Chunk>,
}

/// Consecutive rows of one stream, and where their parts are in the payload.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    subject: Span<usize>,
    pub(super) first_seq: u64,
    pub(super) count: u64,
    /// The chain before the first row; nothing is the genesis. Where `is_anchored`, that of the
    /// first row.
    pub(super) before: Option<Digest>,
    pub(super) is_anchored: bool,
    pub(super) after: Digest,
    /// Its last row seals the stream.
    pub(super) is_closed: bool,
    /// What its rows are.
    pub(super) content: Content,
    pub(super) position: u64,
    pub(super) recorded: i64,
    pub(super) metas: Span<usize>,
    pub(super) fingerprints: Span<usize>,
    pub(super) stored: Span<usize>,
}

/// What the rows of a chunk are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Content {
    /// Events.
    #[default]
    Events,
    /// They are lost; only what the head says is known.
    Lost,
    /// They were trimmed; in the place of the event stands the check of its identity.
    Trimmed,
    /// They are in a group of the archive's object, from a row on. In the place of the fingerprints
    /// stand the checks of the identities, and the other columns are empty.
    Away { group: u32, row: u32 },
}

/// The head of a chunk that is written.
#[derive(Debug)]
pub(super) struct Head<'a> {
    /// Subject, first seq and chain before (nothing is the genesis), unless it continues the chunk
    /// before it.
    pub(super) start: Option<(&'a str, u64, Option<Digest>)>,
    pub(super) is_anchored: bool,
    pub(super) count: u64,
    pub(super) content: Content,
    pub(super) metas_bytes: usize,
    pub(super) stored_bytes: usize,
    pub(super) position: u64,
    pub(super) recorded: Timestamp,
    pub(super) is_closed: bool,
    pub(super) after: Digest,
}

impl Head<'_> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let mut flags = if self.is_closed { CLOSED } else { 0 };
        match self.start {
            None => flags |= CONTINUES,
            Some((_, _, None)) => flags |= GENESIS,
            Some(_) => {}
        }
        flags |= match self.content {
            Content::Events => 0,
            Content::Lost => LOST,
            Content::Trimmed => TRIMMED,
            Content::Away { .. } => AWAY,
        };
        flags |= if self.is_anchored { ANCHORED } else { 0 };
        out.push(flags);
        if let Content::Away { group, row } = self.content {
            put(out, group.into());
            put(out, row.into());
        }
        if let Some((subject, first_seq, before)) = self.start {
            out.push(u8::try_from(subject.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(subject.as_bytes());
            put(out, first_seq);
            out.extend(before.iter().flat_map(|before| before.0));
        }
        put(out, self.count);
        put_size(out, self.metas_bytes);
        put_size(out, self.stored_bytes);
        put(out, self.position);
        put_signed(out, self.recorded.ms());
        out.extend(self.after.0);
    }
}

impl Block {
    /// Reads a payload; nothing if it is not what a writer makes.
    pub(super) fn decode(payload: Vec<u8>) -> Option<Self> {
        let mut fields = Fields(&payload);
        let (count, rows) = (fields.size()?, fields.size()?);
        let (heads_bytes, metas_bytes) = (fields.size()?, fields.size()?);
        let mut heads = Fields(fields.bytes(heads_bytes)?);
        let at = |fields: &Fields<'_>| payload.len() - fields.0.len();
        // Where the next chunk has its parts.
        let mut metas = at(&fields);
        fields.bytes(metas_bytes)?;
        let mut fingerprints = at(&fields);
        let ends = (fingerprints, fingerprints.checked_add(rows.checked_mul(8)?)?, payload.len());
        let mut stored = ends.1;
        fields.bytes(rows.checked_mul(8)?)?;

        let mut chunks: Vec<Chunk> = Vec::with_capacity(count.min(heads_bytes / 32));
        // The heads stand right before the metas.
        let head_at = |heads: &Fields<'_>| metas_start(heads, ends.0, metas_bytes);
        for _ in 0..count {
            let mut chunk = Chunk::start(&mut heads, chunks.last(), &head_at)?;
            let (metas_bytes, stored_bytes) = (heads.size()?, heads.size()?);
            chunk.position = heads.varint()?;
            chunk.recorded = heads.signed()?;
            chunk.after = Digest(heads.array()?);
            let has_rows = chunk.content != Content::Lost;
            let rows = if has_rows { usize::try_from(chunk.count).ok()? } else { 0 };
            chunk.metas = take(&mut metas, metas_bytes)?;
            chunk.fingerprints = take(&mut fingerprints, rows.checked_mul(8)?)?;
            chunk.stored = take(&mut stored, stored_bytes)?;
            chunks.push(chunk);
        }
        let whole = heads.0.is_empty() && (metas, fingerprints, stored) == ends;
        whole.then_some(Self { payload, chunks })
    }

    pub(super) fn subject(&self, chunk: &Chunk) -> &str {
        let bytes = self.payload.get(chunk.subject.clone()).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// About how much memory it takes.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.payload.len() + self.chunks.len() * size_of::<Chunk>()
    }
}

/// Where the next byte of the heads is in the payload.
fn metas_start(heads: &Fields<'_>, metas_end: usize, metas_bytes: usize) -> usize {
    metas_end - metas_bytes - heads.0.len()
}

fn take(at: &mut usize, bytes: usize) -> Option<Span<usize>> {
    let end = at.checked_add(bytes)?;
    Some(std::mem::replace(at, end)..end)
}

impl Chunk {
    /// Reads a head up to how many rows there are.
    fn start(
        heads: &mut Fields<'_>,
        last: Option<&Self>,
        at: &dyn Fn(&Fields<'_>) -> usize,
    ) -> Option<Self> {
        let flags = heads.u8()?;
        let content = match flags & (LOST | TRIMMED | AWAY) {
            0 => Content::Events,
            LOST => Content::Lost,
            TRIMMED => Content::Trimmed,
            AWAY => Content::Away { group: heads.number()?, row: heads.number()? },
            _ => return None,
        };
        let (subject, first_seq, before) = if flags & CONTINUES != 0 {
            let last = last.filter(|last| !last.is_closed)?;
            (last.subject.clone(), last.last_seq().checked_add(1)?, Some(last.after))
        } else {
            let bytes = usize::from(heads.u8()?);
            let start = at(heads);
            std::str::from_utf8(heads.bytes(bytes)?).ok()?;
            let first_seq = heads.varint().filter(|seq| *seq > 0)?;
            let genesis = flags & GENESIS != 0;
            let before = if genesis { None } else { Some(Digest(heads.array()?)) };
            (start..start + bytes, first_seq, before)
        };
        let count = heads.varint().filter(|count| *count > 0)?;
        first_seq.checked_add(count)?;
        Some(Self {
            subject,
            first_seq,
            count,
            before,
            is_anchored: flags & ANCHORED != 0,
            after: Digest([0; 32]),
            is_closed: flags & CLOSED != 0,
            content,
            position: 0,
            recorded: 0,
            metas: 0..0,
            fingerprints: 0..0,
            stored: 0..0,
        })
    }

    /// What a row is that has its event, or had it.
    fn kind(&self, seals: bool) -> Kind {
        match self.content {
            Content::Trimmed => Kind::Trimmed { seals },
            _ if seals => Kind::Last,
            _ => Kind::Event,
        }
    }

    /// The check of an identity, of a row that does not have its event here.
    pub(super) fn check(&self, block: &Block, seq: u64) -> Option<u64> {
        let nth = usize::try_from(seq.checked_sub(self.first_seq)?).ok()?;
        let span = match self.content {
            Content::Events | Content::Lost => return None,
            Content::Trimmed => &self.stored,
            Content::Away { .. } => &self.fingerprints,
        };
        let checks = block.payload.get(span.clone())?.as_chunks::<8>().0;
        checks.get(nth).map(|check| u64::from_le_bytes(*check))
    }

    pub(super) fn last_seq(&self) -> u64 {
        self.first_seq + self.count - 1
    }

    /// A row that stands for some that are lost before the chunk.
    pub(super) fn lost_before(&self, rows: u64) -> Row<'static> {
        let (seq, kind) = (self.first_seq - rows, Kind::Lost { rows, seals: false });
        Row { seq, kind, chain: self.before, ..self.lost() }
    }

    /// The row that stands for those that are lost.
    fn lost(&self) -> Row<'static> {
        Row {
            seq: self.first_seq,
            position: self.position,
            recorded: Timestamp::from_ms(self.recorded),
            fingerprint: 0,
            kind: Kind::Lost { rows: self.count, seals: self.is_closed },
            chain: Some(self.after),
            stored: &[],
        }
    }
}

/// How far the rows of a chunk are read.
#[derive(Debug, Clone, Default)]
pub(super) struct Cursor {
    /// How many were read.
    pub(super) row: u64,
    metas: usize,
    fingerprints: usize,
    stored: usize,
    position: u64,
    recorded: i64,
}

impl Cursor {
    pub(super) fn new(chunk: &Chunk) -> Self {
        Self {
            row: 0,
            metas: chunk.metas.start,
            fingerprints: chunk.fingerprints.start,
            stored: chunk.stored.start,
            position: chunk.position,
            recorded: chunk.recorded,
        }
    }

    /// Whether all rows were read.
    pub(super) fn is_done(&self, chunk: &Chunk) -> bool {
        self.row == chunk.count
    }

    /// The next row, if there is one; nothing if it is not what a writer makes.
    pub(super) fn next<'a>(&mut self, block: &'a Block, chunk: &Chunk) -> Option<Row<'a>> {
        match chunk.content {
            Content::Lost => {
                self.row = chunk.count;
                return Some(chunk.lost());
            }
            // Whoever wants its rows fills the block first.
            Content::Away { .. } => return None,
            Content::Events | Content::Trimmed => {}
        }
        let payload = &block.payload;
        let mut metas = Fields(payload.get(self.metas..chunk.metas.end)?);
        self.position = self.position.checked_add(metas.varint()?)?;
        self.recorded = self.recorded.checked_add(metas.signed()?)?;
        let stored_bytes = metas.size()?;
        self.metas = chunk.metas.end - metas.0.len();
        let fingerprint = Fields(payload.get(self.fingerprints..)?).u64()?;
        self.fingerprints += 8;
        let span = take(&mut self.stored, stored_bytes)?;
        let stored = payload.get(span).filter(|_| self.stored <= chunk.stored.end)?;
        let seq = chunk.first_seq + self.row;
        self.row += 1;
        let is_last = self.is_done(chunk);
        if is_last && (self.metas, self.stored) != (chunk.metas.end, chunk.stored.end) {
            return None;
        }
        Some(Row {
            seq,
            position: self.position,
            recorded: Timestamp::from_ms(self.recorded),
            fingerprint,
            kind: chunk.kind(is_last && chunk.is_closed),
            chain: is_last.then_some(chunk.after),
            stored,
        })
    }
}
