//! The table of streams, in pages: what a file has of each stream.

use matchwire_domain::{chain::Digest, subject::Subject, timestamp::Timestamp};

use super::{
    block::{ANCHORED, CLOSED, GENESIS, TRIMMED},
    varint::{put, put_signed},
};
use crate::format::Fields;

/// A page is full with so many bytes.
const PAGE_BYTES: usize = 4_000;
/// The time of the first event that was not trimmed stands in the row.
const TIMED: u8 = 64;

/// A stream's records in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    /// The chain before `first_seq`; the genesis for seq 1. Where `is_anchored`, that of
    /// `first_seq`, since what comes before was missing.
    pub(crate) before: Digest,
    pub(crate) is_anchored: bool,
    /// The chain of `last_seq`.
    pub(crate) chain: Digest,
    /// Its last record here seals the stream.
    pub(crate) is_closed: bool,
    /// The last seq that was trimmed here; 0 if none was.
    pub(crate) floor: u64,
    /// The recordedtime of the first event that was not trimmed; nothing if all were, and in format 2.
    pub(crate) oldest: Option<Timestamp>,
    /// The number of the stream in the file.
    pub(super) ordinal: u32,
}

/// A page that is being filled.
#[derive(Debug, Default)]
pub(super) struct Page {
    rows: Vec<u8>,
    count: u64,
    first: Box<str>,
    first_ordinal: u32,
    last: Box<str>,
}

/// A page that is full.
#[derive(Debug)]
pub(super) struct FullPage {
    pub(super) payload: Vec<u8>,
    pub(super) first: Box<str>,
    pub(super) ordinal: u32,
}

impl Page {
    /// Adds a stream; gives the page if it is full with it.
    pub(super) fn add(&mut self, subject: &str, entry: &Entry) -> Option<FullPage> {
        if self.count == 0 {
            self.first = subject.into();
            self.first_ordinal = entry.ordinal;
        }
        let same = self.last.bytes().zip(subject.bytes()).take_while(|(a, b)| a == b).count();
        let rest = subject.as_bytes().get(same..).unwrap_or_default();
        let out = &mut self.rows;
        out.push(u8::try_from(same).unwrap_or(u8::MAX));
        out.push(u8::try_from(rest.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(rest);
        let genesis = entry.first_seq == 1;
        let closed = if entry.is_closed { CLOSED } else { 0 };
        let anchored = if entry.is_anchored { ANCHORED } else { 0 };
        let trimmed = (entry.floor + 1).saturating_sub(entry.first_seq);
        let flags = closed | anchored | if genesis { GENESIS } else { 0 };
        let flags = flags | if trimmed > 0 { TRIMMED } else { 0 };
        out.push(flags | if entry.oldest.is_some() { TIMED } else { 0 });
        put(out, entry.first_seq);
        put(out, entry.last_seq - entry.first_seq);
        if trimmed > 0 {
            put(out, trimmed);
        }
        entry.oldest.iter().for_each(|oldest| put_signed(out, oldest.ms()));
        if !genesis {
            out.extend(entry.before.0);
        }
        out.extend(entry.chain.0);
        self.count += 1;
        self.last = subject.into();
        (self.rows.len() >= PAGE_BYTES).then(|| self.take()).flatten()
    }

    /// What there is of a page; nothing if it is empty.
    pub(super) fn take(&mut self) -> Option<FullPage> {
        let page = std::mem::take(self);
        let mut payload = Vec::with_capacity(page.rows.len() + 16);
        put(&mut payload, page.count);
        put(&mut payload, page.first_ordinal.into());
        payload.extend(page.rows);
        let full = FullPage { payload, first: page.first, ordinal: page.first_ordinal };
        (page.count > 0).then_some(full)
    }
}

/// Reads the streams of a page one after the other.
pub(super) struct PageRows<'a> {
    fields: Fields<'a>,
    left: u64,
    ordinal: u32,
    subject: Vec<u8>,
}

/// What a page says of a stream; `before` is nothing where it is the genesis.
#[derive(Debug)]
pub(super) struct PageRow {
    first_seq: u64,
    last_seq: u64,
    before: Option<Digest>,
    is_anchored: bool,
    chain: Digest,
    is_closed: bool,
    floor: u64,
    oldest: Option<Timestamp>,
    ordinal: u32,
}

impl<'a> PageRows<'a> {
    /// Nothing if it is no page.
    pub(super) fn new(payload: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(payload);
        let (left, ordinal) = (fields.varint()?, fields.number()?);
        Some(Self { fields, left, ordinal, subject: Vec::new() })
    }

    /// Whether all were read, and nothing is behind them.
    pub(super) fn is_done(&self) -> bool {
        self.left == 0 && self.fields.0.is_empty()
    }

    /// Whether there are more.
    pub(super) fn has_more(&self) -> bool {
        self.left > 0
    }

    /// The subject that was read last.
    pub(super) fn subject(&self) -> &[u8] {
        &self.subject
    }

    /// The next one; nothing if it is not what a writer makes.
    pub(super) fn read(&mut self) -> Option<PageRow> {
        let fields = &mut self.fields;
        let (same, rest) = (usize::from(fields.u8()?), usize::from(fields.u8()?));
        let rest = fields.bytes(rest)?;
        if same > self.subject.len() {
            return None;
        }
        self.subject.truncate(same);
        self.subject.extend_from_slice(rest);
        let flags = fields.u8()?;
        let first_seq = fields.varint()?;
        let last_seq = first_seq.checked_add(fields.varint()?)?;
        let trimmed = if flags & TRIMMED != 0 { fields.varint()? } else { 0 };
        let floor = if trimmed > 0 { first_seq.checked_add(trimmed - 1)? } else { 0 };
        let oldest = if flags & TIMED != 0 { Some(fields.signed()?) } else { None };
        let oldest = oldest.map(Timestamp::from_ms);
        let genesis = flags & GENESIS != 0;
        let before = if genesis { None } else { Some(Digest(fields.array()?)) };
        let chain = Digest(fields.array()?);
        let ordinal = self.ordinal;
        (self.left, self.ordinal) = (self.left.checked_sub(1)?, ordinal.checked_add(1)?);
        let (is_closed, is_anchored) = (flags & CLOSED != 0, flags & ANCHORED != 0);
        Some(PageRow {
            first_seq,
            last_seq,
            before,
            is_anchored,
            chain,
            is_closed,
            floor,
            oldest,
            ordinal,
        })
    }
}

impl PageRow {
    /// The entry of a subject in a log.
    pub(super) fn entry(&self, log_id: u64, subject: &Subject) -> Entry {
        Entry {
            first_seq: self.first_seq,
            last_seq: self.last_seq,
            before: self.before.unwrap_or_else(|| genesis(log_id, subject)),
            is_anchored: self.is_anchored,
            chain: self.chain,
            is_closed: self.is_closed,
            floor: self.floor,
            oldest: self.oldest,
            ordinal: self.ordinal,
        }
    }
}

/// The chain before the first event.
pub(super) fn genesis(log_id: u64, subject: &Subject) -> Digest {
    // By hand, since this is done for every stream, and `format!` takes longer than the hash.
    let digits: [u8; 16] = std::array::from_fn(|place| {
        let digit = (log_id >> (60 - 4 * place)) & 15;
        b"0123456789abcdef".get(usize::try_from(digit).unwrap_or_default()).copied().unwrap_or(b'0')
    });
    Digest::genesis(std::str::from_utf8(&digits).unwrap_or_default(), subject)
}
