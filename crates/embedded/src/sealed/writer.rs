//! Writes a sealed file from front to back: rows into chunks, chunks into blocks, and the pages.

mod chunks;
mod columns;
mod out;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use matchwire_domain::{chain::Digest, timestamp::Timestamp};
use matchwire_log::Error;

use super::{
    Range,
    block::Content,
    ends::{Footer, HEADER_BYTES, Sums, put_header},
    filter::{Filter, subject_key},
    frame::{Home, Part, Place},
    ids,
    index::{BlockAt, IdsAt, Index, PageAt},
    sealed_name,
    streams::{Id, Kind, Opening, Row},
    table::{self, Entry, FullPage},
};
use crate::{archive::Object, disk::File};
use columns::Chunk;
pub(super) use columns::Columns;
use out::Out;

/// A block is full with so many bytes before they are compressed.
const BLOCK_BYTES: usize = 128 << 10;
/// A block, or a chunk, may get so much larger to end where the chain is known.
const SLACK: usize = 2;
/// A chunk is full with so many rows: who reads one row computes the chain of all.
const CHUNK_ROWS: usize = 64;
/// The same for a chunk of events that are not here.
const EMPTY_CHUNK_ROWS: usize = 1_024;
/// The most that a block may have; a reader takes no more.
const MAX_BLOCK_BYTES: usize = 64 << 20;

pub(super) struct Writer<'a> {
    home: Home,
    pub(super) is_lossy: bool,
    out: Out,
    stop: &'a AtomicBool,
    compressor: zstd::bulk::Compressor<'static>,
    index: Index,
    sums: Sums,
    block: Columns,
    chunk: Chunk,
    stream: Stream,
    table: table::Page,
    ids: ids::Page,
    last_fingerprint: u64,
    ids_left: u64,
    id_filter: Option<Filter>,
    /// The keys of all subjects, until their number is known.
    subject_keys: Vec<u64>,
}

/// The stream that is being written.
struct Stream {
    subject: Box<str>,
    ordinal: u32,
    first_seq: u64,
    next_seq: u64,
    before: Digest,
    is_anchored: bool,
    /// The chain that the next row must have.
    expected: Option<Digest>,
    /// The chain before the open chunk, and the last known one.
    chunk_before: Digest,
    chain: Digest,
    is_closed: bool,
    /// The last seq that was trimmed, or 0; and the time of the first event that was not.
    floor: u64,
    oldest: Option<Timestamp>,
    last_position: u64,
    last_recorded: Timestamp,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        file: Arc<dyn File>,
        home: Home,
        recorded: Timestamp,
        level: i32,
        stop: &'a AtomicBool,
    ) -> Result<Self, Error> {
        let nowhere = Digest([0; 32]);
        Ok(Self {
            home,
            is_lossy: false,
            out: Out::new(file, HEADER_BYTES as u64),
            stop,
            compressor: zstd::bulk::Compressor::new(level)?,
            index: Index::default(),
            sums: Sums { recorded, ..Sums::default() },
            block: Columns::default(),
            chunk: Chunk::default(),
            stream: Stream {
                subject: "".into(),
                ordinal: 0,
                first_seq: 0,
                next_seq: 0,
                before: nowhere,
                is_anchored: false,
                expected: None,
                chunk_before: nowhere,
                chain: nowhere,
                is_closed: false,
                floor: 0,
                oldest: None,
                last_position: 0,
                last_recorded: Timestamp::default(),
            },
            table: table::Page::default(),
            ids: ids::Page::default(),
            last_fingerprint: 0,
            ids_left: 0,
            id_filter: None,
            subject_keys: Vec::new(),
        })
    }

    /// Begins a stream, whose subject is behind those before it, and gives it a number.
    pub(super) fn open(&mut self, opening: Opening) -> Result<u32, Error> {
        let Opening { subject, first_seq, before, is_anchored } = opening;
        if self.sums.streams > 0 && *subject <= *self.stream.subject {
            return Err(self.corrupt(format!("{subject} is not in order")));
        }
        // That it is a subject, and that `before` is right, is seen when the file is read back.
        if first_seq == 0 || subject.len() > usize::from(u8::MAX) {
            return Err(self.corrupt(format!("{subject} cannot start with seq {first_seq}")));
        }
        let ordinal = u32::try_from(self.sums.streams);
        let ordinal = ordinal.map_err(|_| self.corrupt("too many streams".into()))?;
        self.sums.streams += 1;
        self.subject_keys.push(subject_key(&subject));
        self.stream = Stream {
            subject,
            ordinal,
            first_seq,
            next_seq: first_seq,
            before,
            is_anchored: is_anchored && first_seq > 1,
            expected: None,
            chunk_before: before,
            chain: before,
            is_closed: false,
            floor: 0,
            oldest: None,
            last_position: 0,
            last_recorded: Timestamp::default(),
        };
        self.chunk.continues = false;
        Ok(ordinal)
    }

    /// Checks that another part of the stream starts where the one before it ended.
    pub(super) fn go_on(&mut self, opening: &Opening) -> Result<(), Error> {
        let (found, expected) = (opening.first_seq, self.stream.next_seq);
        let subject = &opening.subject;
        if found != expected {
            let what = format!("{subject} goes on with seq {found} where {expected} belongs");
            return Err(self.corrupt(what));
        }
        self.settle()?;
        if opening.is_anchored {
            self.stream.expected = Some(opening.before);
        } else if opening.before != self.stream.chain {
            return Err(self.corrupt(format!("the chain of {subject} is broken at seq {found}")));
        }
        Ok(())
    }

    /// Adds a row to the stream.
    pub(super) fn push(&mut self, row: &Row<'_>) -> Result<(), Error> {
        self.check(row)?;
        if let Kind::Lost { rows, .. } = row.kind {
            return self.push_lost(row, rows);
        }
        self.check_expected(row)?;
        self.turn_to(row)?;
        if self.chunk.rows == 0 {
            self.begin_chunk(row);
        }
        self.put_row(row);
        self.count(row);

        // Where the chain is known, as at the end of a chunk that is merged, nothing is computed;
        // where the events are not here, it cannot be.
        let is_here = self.chunk.content == Content::Events;
        let slack = match self.chunk.unknown.is_empty() {
            true => 1,
            false if is_here => SLACK,
            false => return Ok(()),
        };
        let rows = if is_here { CHUNK_ROWS } else { EMPTY_CHUNK_ROWS };
        let is_full = self.block.bytes() >= BLOCK_BYTES * slack;
        if is_full || self.chunk.rows >= rows * slack || stream_ends(row) {
            self.end_chunk()?;
        }
        if is_full { self.end_block() } else { Ok(()) }
    }

    /// Checks a row against the chain that it must have.
    fn check_expected(&mut self, row: &Row<'_>) -> Result<(), Error> {
        let Some(expected) = self.stream.expected.take() else { return Ok(()) };
        self.settle()?;
        let leaf = Digest::leaf(row.stored);
        let found = if row.kind.is_event() {
            Some(self.stream.chain.next(row.seq, row.recorded, leaf))
        } else {
            row.chain
        };
        if found.is_some_and(|found| found != expected) {
            let subject = &self.stream.subject;
            let what = format!("the chain of {subject} is broken at seq {}", row.seq);
            return Err(self.corrupt(what));
        }
        Ok(())
    }

    fn check(&self, row: &Row<'_>) -> Result<(), Error> {
        let stream = &self.stream;
        let subject = &stream.subject;
        if row.seq != stream.next_seq || row.seq == u64::MAX {
            let (found, expected) = (row.seq, stream.next_seq);
            let what = format!("{subject} goes on with seq {found} where {expected} belongs");
            return Err(self.corrupt(what));
        }
        if stream.is_closed {
            let what = format!("{subject} goes on with seq {} after it was sealed", row.seq);
            return Err(self.corrupt(what));
        }
        if row.position < stream.last_position {
            let what = format!("seq {} of {subject} has an earlier position", row.seq);
            return Err(self.corrupt(what));
        }
        let bytes = row.stored.len();
        let limit = MAX_BLOCK_BYTES - BLOCK_BYTES * (SLACK + 1);
        if bytes > limit { Err(Error::TooLarge { bytes, limit }) } else { Ok(()) }
    }

    fn count(&mut self, row: &Row<'_>) {
        self.sums.add(row, self.index.trimmed);
        match row.kind {
            Kind::Trimmed { .. } => {
                self.index.trimmed += 1;
                self.stream.floor = row.seq;
            }
            kind => {
                self.index.away += u64::from(matches!(kind, Kind::Away { .. }));
                self.stream.oldest.get_or_insert(row.recorded);
            }
        }
    }

    fn end_block(&mut self) -> Result<(), Error> {
        self.check_stop()?;
        self.chunk.continues = false;
        let Some((ordinal, seq)) = self.block.first.take() else { return Ok(()) };
        let raw = self.block.take();
        let payload = self.compressor.compress(raw)?;
        let place = self.out.frame(self.home, Part::Block, raw.len(), &payload)?;
        self.index.blocks.push(BlockAt { place, ordinal, seq });
        Ok(())
    }

    /// Ends the stream.
    pub(super) fn close(&mut self) -> Result<(), Error> {
        self.end_chunk()?;
        let Stream { ordinal, first_seq, next_seq, before, is_anchored, .. } = self.stream;
        let Stream { chain, is_closed, floor, oldest, .. } = self.stream;
        let subject = &self.stream.subject;
        if next_seq == first_seq {
            return Err(self.corrupt(format!("{subject} has no rows")));
        }
        let last_seq = next_seq - 1;
        let entry = Entry {
            first_seq,
            last_seq,
            before,
            is_anchored,
            chain,
            is_closed,
            floor,
            oldest,
            ordinal,
        };
        let full = self.table.add(subject, &entry);
        full.map_or(Ok(()), |page| self.put_page(page))
    }

    fn put_page(&mut self, page: FullPage) -> Result<(), Error> {
        let FullPage { payload, first: subject, ordinal } = page;
        let place = self.out.frame(self.home, Part::Table, payload.len(), &payload)?;
        self.index.pages.push(PageAt { place, ordinal, subject });
        Ok(())
    }

    /// Ends the blocks and the table; then come the ids.
    pub(super) fn end_streams(&mut self) -> Result<(), Error> {
        self.end_block()?;
        if let Some(page) = self.table.take() {
            self.put_page(page)?;
        }
        let events = usize::try_from(self.sums.events).unwrap_or(usize::MAX);
        self.id_filter = Some(Filter::new(events));
        self.ids_left = self.sums.events;
        Ok(())
    }

    /// Adds the next id in order of fingerprint.
    pub(super) fn push_id(&mut self, id: Id) -> Result<(), Error> {
        let left = self.ids_left.checked_sub(1);
        let is_sorted = id.fingerprint >= self.last_fingerprint;
        let Some(left) = left.filter(|_| is_sorted) else {
            return Err(self.corrupt("the ids do not fit the records".into()));
        };
        (self.ids_left, self.last_fingerprint) = (left, id.fingerprint);
        if let Some(filter) = &mut self.id_filter {
            filter.add(id.fingerprint);
        }
        let full = self.ids.add(id);
        full.map_or(Ok(()), |page| self.put_ids(page))
    }

    fn put_ids(&mut self, (payload, fingerprint): (Vec<u8>, u64)) -> Result<(), Error> {
        self.check_stop()?;
        let place = self.out.frame(self.home, Part::Ids, payload.len(), &payload)?;
        self.index.ids.push(IdsAt { place, fingerprint });
        Ok(())
    }

    /// Writes the rest, and syncs the file.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        if let Some(page) = self.ids.take() {
            self.put_ids(page)?;
        }
        if self.ids_left > 0 {
            return Err(self.corrupt("there are fewer ids than records".into()));
        }
        let id_filter = self.id_filter.take().unwrap_or_else(|| Filter::new(0));
        let mut subject_filter = Filter::new(self.subject_keys.len());
        self.subject_keys.iter().for_each(|key| subject_filter.add(*key));
        let id_filter = self.put_whole(Part::IdFilter, id_filter.payload())?;
        let subject_filter = self.put_whole(Part::SubjectFilter, subject_filter.payload())?;
        let index = self.index.encode();
        let index = self.put_whole(Part::Index, &index)?;
        let (home, sums, is_lossy) = (self.home, self.sums, self.is_lossy);
        let footer = Footer { home, sums, id_filter, subject_filter, index, is_lossy };
        self.out.end(&footer.encode(), &put_header(self.home, self.sums.recorded))
    }

    /// Says in which object those events are that are not here.
    pub(super) fn set_object(&mut self, object: Option<Object>) {
        self.index.object = object;
    }

    fn put_whole(&mut self, part: Part, payload: &[u8]) -> Result<Place, Error> {
        self.out.frame(self.home, part, payload.len(), payload)
    }

    fn check_stop(&self) -> Result<(), Error> {
        if self.stop.load(Ordering::Relaxed) { Err(Error::Stopped) } else { Ok(()) }
    }

    fn corrupt(&self, what: String) -> Error {
        corrupt(self.home.range, what)
    }
}

/// What was to be sealed does not fit together.
pub(super) fn corrupt(range: Range, what: String) -> Error {
    Error::Corrupt { file: sealed_name(range), offset: 0, what }
}

fn stream_ends(row: &Row<'_>) -> bool {
    row.kind.span().1
}
