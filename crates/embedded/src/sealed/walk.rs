//! Walks over a sealed file in order: the source of merges, exports and restores.

use std::sync::Arc;

use matchwire_domain::{chain::Digest, subject::Subject};
use matchwire_log::Error;

use super::{
    block::{Block, Cursor},
    frame::{FRAME_HEADER_BYTES, Part, Place},
    ids,
    reader::Whole,
    streams::{Id, Opening, Row, Streams},
    table::genesis,
};
use crate::window::Window;

/// A walk over a file. It reads blocks alone, and needs no table. Events that are in the archive are
/// fetched.
pub(crate) struct Walk {
    whole: Arc<Whole>,
    window: Window,
    block: Block,
    /// The number of the next block, and the offset of this one.
    next_block: usize,
    offset: u64,
    /// The chunk of the block that is read, and how far.
    chunk: usize,
    cursor: Cursor,
    /// That chunk is one of the stream.
    is_entered: bool,
    /// The stream that is read, with what its next chunk must start with.
    stream: Option<Reached>,
    /// Events that are in the archive are not fetched; their rows cannot be read.
    stays_here: bool,
    /// Rows may be missing between chunks, and are given as lost ones.
    is_over_gaps: bool,
    /// So many are missing before the chunk that was entered.
    gap: u64,
    ids: (Vec<u8>, ids::Cursor),
    next_ids: usize,
}

struct Reached {
    subject: Box<str>,
    next_seq: u64,
    chain: Digest,
}

impl Walk {
    pub(super) fn new(whole: Arc<Whole>) -> Result<Self, Error> {
        let window = Window::new(whole.file.clone())?;
        Ok(Self {
            whole,
            window,
            block: Block::default(),
            next_block: 0,
            offset: 0,
            chunk: 0,
            cursor: Cursor::default(),
            is_entered: false,
            stream: None,
            stays_here: false,
            is_over_gaps: false,
            gap: 0,
            ids: (Vec::new(), ids::Cursor::default()),
            next_ids: 0,
        })
    }

    /// One that fetches nothing.
    pub(super) fn here(whole: Arc<Whole>) -> Result<Self, Error> {
        Ok(Self { stays_here: true, ..Self::new(whole)? })
    }

    /// One over what is left of a damaged file.
    pub(super) fn over_gaps(whole: Arc<Whole>) -> Result<Self, Error> {
        Ok(Self { is_over_gaps: true, ..Self::new(whole)? })
    }

    /// The payload of a frame, read through the window.
    fn frame(&mut self, place: Place, part: Part) -> Result<(&[u8], usize), Error> {
        let bytes = usize::try_from(place.bytes).unwrap_or(usize::MAX);
        let bytes = self.window.get(place.offset, bytes)?;
        let frame = self.whole.home.decode(bytes, place.offset);
        let frame = frame.map_err(|what| self.whole.corrupt(place.offset, what))?;
        if frame.part != part || frame.payload.len() + FRAME_HEADER_BYTES != bytes.len() {
            return Err(self.whole.corrupt(place.offset, "a frame is another one"));
        }
        Ok((frame.payload, frame.raw_bytes))
    }

    /// Sees to it that there is a chunk, if there are any more.
    fn has_chunk(&mut self) -> Result<bool, Error> {
        while self.chunk >= self.block.chunks.len() {
            let Some(at) = self.whole.index.blocks.get(self.next_block) else { return Ok(false) };
            let place = at.place;
            let whole = self.whole.clone();
            let (payload, raw_bytes) = self.frame(place, Part::Block)?;
            let block = whole.block(place.offset, payload, raw_bytes)?;
            self.block = if self.stays_here { block } else { whole.with_events(block)? };
            (self.chunk, self.offset) = (0, place.offset);
            self.next_block += 1;
            self.enter();
        }
        Ok(true)
    }

    /// Starts with the chunk that comes next in the block.
    fn enter(&mut self) {
        (self.is_entered, self.gap) = (false, 0);
        self.cursor = self.block.chunks.get(self.chunk).map(Cursor::new).unwrap_or_default();
    }

    /// Leaves the chunk that was read, or passed over.
    fn leave(&mut self) {
        if let (Some(stream), Some(chunk)) = (&mut self.stream, self.block.chunks.get(self.chunk)) {
            (stream.next_seq, stream.chain) = (chunk.last_seq() + 1, chunk.after);
        }
        self.chunk += 1;
        self.enter();
    }

    /// Whether the chunk goes on with the stream; an error if it should and does not fit.
    fn goes_on(&mut self) -> Result<bool, Error> {
        let (Some(stream), Some(chunk)) = (&self.stream, self.block.chunks.get(self.chunk)) else {
            return Ok(false);
        };
        if self.block.subject(chunk) != &*stream.subject {
            return Ok(false);
        }
        let (found, expected) = (chunk.first_seq, stream.next_seq);
        if found == expected && chunk.before == Some(stream.chain) {
            return Ok(true);
        }
        if self.is_over_gaps && found > expected && chunk.before.is_some() {
            self.gap = found - expected;
            return Ok(true);
        }
        let subject = &stream.subject;
        let what = format!("{subject} goes on with seq {found} where {expected} belongs");
        Err(self.whole.corrupt(self.offset, what))
    }

    /// Goes to the next row of the stream; whether there is one.
    fn has_row(&mut self) -> Result<bool, Error> {
        while self.stream.is_some() && self.has_chunk()? {
            if !self.is_entered && !self.goes_on()? {
                break;
            }
            self.is_entered = true;
            if self.block.chunks.get(self.chunk).is_some_and(|chunk| !self.cursor.is_done(chunk)) {
                return Ok(true);
            }
            self.leave();
        }
        Ok(false)
    }
}

impl Streams for Walk {
    fn next_stream(&mut self) -> Result<Option<Opening>, Error> {
        while self.has_row()? {
            self.leave();
        }
        self.stream = None;
        if !self.has_chunk()? {
            return Ok(None);
        }
        let Some(chunk) = self.block.chunks.get(self.chunk) else { return Ok(None) };
        let subject = self.block.subject(chunk);
        let parsed = Subject::parse(subject);
        let parsed = parsed.map_err(|error| self.whole.corrupt(self.offset, error.to_string()))?;
        let before = chunk.before.unwrap_or_else(|| genesis(self.whole.home.log_id, &parsed));
        let first_seq = chunk.first_seq;
        let is_anchored = chunk.is_anchored;
        let opening = Opening { subject: subject.into(), first_seq, before, is_anchored };
        self.stream = Some(Reached { subject: subject.into(), next_seq: first_seq, chain: before });
        self.is_entered = true;
        Ok(Some(opening))
    }

    fn next_row(&mut self) -> Result<Option<Row<'_>>, Error> {
        if !self.has_row()? {
            return Ok(None);
        }
        let (whole, offset) = (&self.whole, self.offset);
        let Some(chunk) = self.block.chunks.get(self.chunk) else { return Ok(None) };
        if self.gap > 0 {
            let rows = std::mem::take(&mut self.gap);
            return Ok(Some(chunk.lost_before(rows)));
        }
        let row = self.cursor.next(&self.block, chunk);
        row.map(Some).ok_or_else(|| whole.corrupt(offset, "a row cannot be read"))
    }

    fn next_id(&mut self) -> Result<Option<Id>, Error> {
        while !self.ids.1.has_more() {
            let Some(at) = self.whole.index.ids.get(self.next_ids) else { return Ok(None) };
            let place = at.place;
            let payload = self.frame(place, Part::Ids)?.0.to_vec();
            let cursor = ids::Cursor::new(&payload);
            let damaged = || self.whole.corrupt(place.offset, "a page of ids cannot be read");
            self.ids = (payload, cursor.ok_or_else(damaged)?);
            self.next_ids += 1;
        }
        let id = self.ids.1.next(&self.ids.0);
        let damaged = || self.whole.corrupt(0, "a page of ids cannot be read");
        id.map(Some).ok_or_else(damaged)
    }
}
