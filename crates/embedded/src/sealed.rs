//! The index file of a sealed segment.
//!
//! ```text
//! 00000000000000000001.idx
//! ┌────────┬──────────────────┬───────┬───────────────┬───────────────────┐
//! │ header │ table of streams │ zeros │ pages: places │ pages: fingerprints│
//! └────────┴──────────────────┴───────┴───────────────┴───────────────────┘
//!
//! header, 64 bytes
//!    0  8  magic
//!    8  4  CRC-32C of log id, segment and what follows, with the table
//!   12  4  version of the format, 1
//!   16  4  bytes of the table
//!   20  4  how many streams
//!   24  4  how many records
//!   28  4  zero
//!   32  8  end of the groups in the segment's file
//!   40  8  number of the last group
//!   48  8  latest recordedtime
//!   56  8  zero
//!
//! stream in the table: bytes of the subject (1), subject, first seq (8), how many (4), chain of
//!                      the last one (32)
//! place:               offset (4) and bytes (4) of a record; those of the first stream in order of
//!                      seq, then those of the second, …
//! fingerprint:         fingerprint (8), number of the stream (4), how-manieth of it (4); in order
//! ```
//!
//! The header and the table are read when the log is opened; pages when they are needed (see
//! `pages.rs`). The file is never synced: it can be rebuilt from the segment.

use matchwire_domain::{chain::Digest, timestamp::Timestamp};
use matchwire_log::Error;

use crate::{
    disk::File,
    filter::Filter,
    format::{Fields, Home, VERSION},
    index::{Index, Slot, Span, Stream},
    pages::{PAGE_BYTES, Pages},
};

const MAGIC: [u8; 8] = *b"\xF7MWIDX\r\n";
const HEADER_BYTES: usize = 64;

/// What is kept in memory of a sealed segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) home: Home,
    /// Where the groups end in the segment's file.
    pub(crate) end: u64,
    pub(crate) last_group: u64,
    pub(crate) recorded: Timestamp,
    spans: Pages<8>,
    ids: Pages<16>,
}

/// A stream in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) subject: Box<str>,
    pub(crate) first_seq: u64,
    pub(crate) count: u32,
    pub(crate) chain: Digest,
}

impl Sealed {
    /// Makes the file of an index, and the filter that goes with it.
    pub(crate) fn encode(
        home: Home,
        end: u64,
        last_group: u64,
        recorded: Timestamp,
        index: &Index,
    ) -> (Self, Vec<Row>, Vec<u8>, Filter) {
        let rows: Vec<Row> = index.streams.iter().map(Row::of).collect();
        let mut table = Vec::new();
        for row in &rows {
            row.put(&mut table);
        }
        let ids = index.sorted_ids();
        let records = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let sealed = Self::new(home, end, last_group, recorded, table.len(), records);

        let mut body = Vec::with_capacity(HEADER_BYTES + table.len());
        body.extend(VERSION.to_le_bytes());
        body.extend(u32::try_from(table.len()).unwrap_or(u32::MAX).to_le_bytes());
        body.extend(u32::try_from(rows.len()).unwrap_or(u32::MAX).to_le_bytes());
        body.extend(records.to_le_bytes());
        body.extend([0; 4]);
        body.extend(end.to_le_bytes());
        body.extend(last_group.to_le_bytes());
        body.extend(recorded.ms().to_le_bytes());
        body.extend([0; 8]);
        body.extend(table);
        let pages = usize::try_from(sealed.ids.first + sealed.ids.pages()).unwrap_or_default();
        let mut file = Vec::with_capacity(pages * PAGE_BYTES);
        file.extend(MAGIC);
        file.extend(home.crc(&body).to_le_bytes());
        file.extend(body);
        file.resize(file.len().next_multiple_of(PAGE_BYTES), 0);
        let spans = index.streams.iter().flat_map(|stream| &stream.spans);
        sealed.spans.put(&mut file, spans.copied().map(put_span));
        sealed.ids.put(&mut file, ids.iter().map(put_id));

        let mut filter = Filter::new(ids.len());
        for page in ids.chunks(Pages::<16>::ENTRIES) {
            filter.add_page(page.iter().map(|(id, _)| *id));
        }
        (sealed, rows, file, filter)
    }

    fn new(
        home: Home,
        end: u64,
        last_group: u64,
        recorded: Timestamp,
        table_bytes: usize,
        records: u32,
    ) -> Self {
        let first = (HEADER_BYTES + table_bytes).div_ceil(PAGE_BYTES);
        let first = u32::try_from(first).unwrap_or(u32::MAX);
        let spans = Pages { home, first, count: records };
        let ids = Pages { home, first: first + spans.pages(), count: records };
        Self { home, end, last_group, recorded, spans, ids }
    }

    /// Reads header and table; nothing if they are damaged or do not belong here.
    pub(crate) fn load(file: &dyn File, home: Home) -> std::io::Result<Option<(Self, Vec<Row>)>> {
        let size = file.size()?;
        if size < HEADER_BYTES as u64 {
            return Ok(None);
        }
        let mut bytes = vec![0; HEADER_BYTES];
        file.read_at(&mut bytes, 0)?;
        let table_bytes = Fields(bytes.get(16..).unwrap_or_default()).u32();
        let all = HEADER_BYTES as u64 + u64::from(table_bytes.unwrap_or(u32::MAX));
        if size < all {
            return Ok(None);
        }
        bytes.resize(usize::try_from(all).unwrap_or(usize::MAX), 0);
        file.read_at(&mut bytes, 0)?;
        let decoded = Self::decode(&bytes, home);
        Ok(decoded.filter(|(sealed, _)| {
            let pages = sealed.ids.first + sealed.ids.pages();
            size == u64::from(pages) * PAGE_BYTES as u64
        }))
    }

    fn decode(bytes: &[u8], home: Home) -> Option<(Self, Vec<Row>)> {
        let mut fields = Fields(bytes);
        let magic: [u8; 8] = fields.array()?;
        if magic != MAGIC || fields.u32()? != home.crc(fields.0) || fields.u32()? != VERSION {
            return None;
        }
        let table_bytes = usize::try_from(fields.u32()?).ok()?;
        let (streams, records, _) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let (end, last_group) = (fields.u64()?, fields.u64()?);
        let recorded = Timestamp::from_ms(fields.i64()?);
        fields.u64()?;
        let rows = (0..streams).map(|_| Row::read(&mut fields)).collect::<Option<_>>()?;
        Some((Self::new(home, end, last_group, recorded, table_bytes, records), rows))
    }

    /// The places of up to `limit` records, from one on, counted over all streams of the segment.
    pub(crate) fn spans(
        &self,
        file: &dyn File,
        start: u32,
        limit: usize,
    ) -> Result<Vec<Span>, Error> {
        let (first, mut skip) = Pages::<8>::place(start);
        let mut spans = Vec::new();
        for page in first..self.spans.pages() {
            let entries = self.spans.read(file, page)?;
            spans.extend(entries.into_iter().skip(skip).take(limit - spans.len()).map(span));
            skip = 0;
            if spans.len() == limit {
                break;
            }
        }
        Ok(spans)
    }

    /// Which records have a fingerprint.
    pub(crate) fn slots(
        &self,
        file: &dyn File,
        filter: &Filter,
        fingerprint: u64,
    ) -> Result<Vec<Slot>, Error> {
        let mut slots = Vec::new();
        for page in filter.pages(fingerprint) {
            let page = u32::try_from(page).unwrap_or(u32::MAX);
            let ids = self.ids.read(file, page)?.into_iter().filter_map(|entry| id(&entry));
            slots.extend(ids.filter(|(id, _)| *id == fingerprint).map(|(_, slot)| slot));
        }
        Ok(slots)
    }

    /// Reads all fingerprints for a filter.
    pub(crate) fn filter(&self, file: &dyn File) -> Result<Filter, Error> {
        let mut filter = Filter::new(usize::try_from(self.ids.count).unwrap_or_default());
        for page in 0..self.ids.pages() {
            let ids = self.ids.read(file, page)?;
            filter.add_page(ids.iter().filter_map(|entry| id(entry).map(|(id, _)| id)));
        }
        Ok(filter)
    }
}

impl Row {
    fn of(stream: &Stream) -> Self {
        Self {
            subject: stream.subject.as_ref().into(),
            first_seq: stream.first_seq,
            count: u32::try_from(stream.spans.len()).unwrap_or(u32::MAX),
            chain: stream.chain,
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::try_from(self.subject.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(self.subject.as_bytes());
        out.extend(self.first_seq.to_le_bytes());
        out.extend(self.count.to_le_bytes());
        out.extend(self.chain.0);
    }

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let bytes = usize::from(fields.u8()?);
        let subject = std::str::from_utf8(fields.bytes(bytes)?).ok()?.into();
        let (first_seq, count) = (fields.u64()?, fields.u32()?);
        Some(Self { subject, first_seq, count, chain: Digest(fields.array()?) })
    }
}

fn put_span(span: Span) -> [u8; 8] {
    (u64::from(span.offset) | u64::from(span.bytes) << 32).to_le_bytes()
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves of 64 bits")]
fn span(entry: [u8; 8]) -> Span {
    let both = u64::from_le_bytes(entry);
    Span { offset: both as u32, bytes: (both >> 32) as u32 }
}

fn put_id((id, slot): &(u64, Slot)) -> [u8; 16] {
    let all = u128::from(*id) | u128::from(slot.stream) << 64 | u128::from(slot.nth) << 96;
    all.to_le_bytes()
}

fn id(entry: &[u8; 16]) -> Option<(u64, Slot)> {
    let mut fields = Fields(entry);
    Some((fields.u64()?, Slot { stream: fields.u32()?, nth: fields.u32()? }))
}
