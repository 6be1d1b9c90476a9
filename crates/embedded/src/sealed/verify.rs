//! Reads a sealed file as a whole and checks everything that can be checked.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
};

use matchwire_domain::{subject::Subject, timestamp::Timestamp};
use matchwire_log::Error;

use super::{
    Sealed,
    block::{Block, Chunk, Content, Cursor},
    ends::{FOOTER_BYTES, Footer, HEADER_BYTES, Sums, check_header},
    filter::{Filter, mixed, subject_key},
    frame::{FRAME_HEADER_BYTES, Frame, Part, Place},
    ids,
    index::{BlockAt, IdsAt, Index, PageAt},
    reader::{Whole, prove},
    streams::{Id, Row},
    table::{Entry, PageRows, genesis},
};
use crate::window::Window;

/// What is checked of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// What is in the file.
    File,
    /// Its events in the archive as well, which are fetched.
    Archive,
}

impl Sealed {
    /// Reads everything, and checks it: checksums, chains from their bytes, the table and the ids
    /// against the rows, the filters and the index against those. `progress` is told the bytes of
    /// each frame. Of events that are in the archive only what the file says of them is checked.
    ///
    /// The first damage is an [`Error::Corrupt`] with its place.
    pub(crate) fn verify(&self, progress: &mut dyn FnMut(u64)) -> Result<(), Error> {
        self.verify_until(Depth::File, &AtomicBool::new(false), progress)
    }

    /// The same as deep as is said, until it is to stop.
    pub(crate) fn verify_until(
        &self,
        depth: Depth,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), Error> {
        let whole = &*self.whole;
        let mut window = Window::new(whole.file.clone())?;
        check_ends(whole, &mut window)?;
        let mut found = Found::new(whole, depth)?;
        let footer_at = whole.file_bytes - FOOTER_BYTES as u64;
        let mut offset = HEADER_BYTES as u64;
        while offset < footer_at {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::Stopped);
            }
            let size = Frame::size(window.get(offset, FRAME_HEADER_BYTES)?);
            let bytes = window.get(offset, size.unwrap_or_default())?;
            let frame = whole.home.decode(bytes, offset);
            let frame = frame.map_err(|what| whole.corrupt(offset, what))?;
            let bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            found.frame(Place { offset, bytes }, &frame)?;
            offset += u64::from(bytes);
            progress(bytes.into());
        }
        found.finish(footer_at)
    }
}

/// Checks that header and footer are still what they were when the file was opened.
fn check_ends(whole: &Whole, window: &mut Window) -> Result<(), Error> {
    let header = check_header(window.get(0, HEADER_BYTES)?, whole.home);
    if !matches!(header, Ok(None)) {
        return Err(whole.corrupt(0, "its header is damaged"));
    }
    let footer_at = whole.file_bytes - FOOTER_BYTES as u64;
    let footer = Footer::decode(window.get(footer_at, FOOTER_BYTES)?, whole.home);
    if footer != Ok(whole.footer) {
        return Err(whole.corrupt(footer_at, "its footer is damaged"));
    }
    Ok(())
}

/// What was found so far.
struct Found<'a> {
    whole: &'a Whole,
    depth: Depth,
    /// Rows were passed over of which only the number is known here.
    is_partial: bool,
    index: Index,
    sums: Sums,
    /// The places of filters and index.
    ends: Vec<(Part, Place)>,
    /// The stream that is read; and those that were read whole, until the table names them.
    stream: Option<(Subject, Entry)>,
    streams: VecDeque<(Subject, Entry)>,
    /// Those that the table names, until they were read whole.
    named: VecDeque<(Subject, Entry)>,
    last_fingerprint: u64,
    /// Sums over all ids, of the rows and of the pages, in whatever order.
    ids: (u128, u128),
    id_count: u64,
    id_filter: &'a Filter,
    subject_filter: &'a Filter,
}

impl<'a> Found<'a> {
    fn new(whole: &'a Whole, depth: Depth) -> Result<Self, Error> {
        let object = whole.index.object.clone();
        Ok(Self {
            whole,
            depth,
            is_partial: false,
            index: Index { object, ..Index::default() },
            sums: Sums::default(),
            ends: Vec::new(),
            stream: None,
            streams: VecDeque::new(),
            named: VecDeque::new(),
            last_fingerprint: 0,
            ids: (0, 0),
            id_count: 0,
            id_filter: whole.id_filter()?,
            subject_filter: whole.subject_filter()?,
        })
    }

    fn frame(&mut self, place: Place, frame: &Frame<'_>) -> Result<(), Error> {
        let corrupt = |what: &str| self.whole.corrupt(place.offset, what);
        match frame.part {
            Part::Block => self.block(place, frame),
            Part::Table => self.page(place, frame.payload),
            Part::Ids => {
                let page = self.ids(place, frame.payload);
                page.ok_or_else(|| self.whole.corrupt(place.offset, "the ids are wrong"))
            }
            Part::IdFilter if frame.payload != self.id_filter.payload() => {
                Err(corrupt("the filter of ids has changed"))
            }
            Part::SubjectFilter if frame.payload != self.subject_filter.payload() => {
                Err(corrupt("the filter of subjects has changed"))
            }
            part => {
                self.ends.push((part, place));
                Ok(())
            }
        }
    }

    fn block(&mut self, place: Place, frame: &Frame<'_>) -> Result<(), Error> {
        let whole = self.whole;
        let mut block = whole.block(place.offset, frame.payload, frame.raw_bytes)?;
        let is_away = |chunk: &&Chunk| matches!(chunk.content, Content::Away { .. });
        self.index.away +=
            block.chunks.iter().filter(is_away).map(|chunk| chunk.count).sum::<u64>();
        if self.depth == Depth::Archive {
            block = whole.with_events(block)?;
        }
        for (number, chunk) in block.chunks.iter().enumerate() {
            let corrupt = |what| whole.corrupt(place.offset, what);
            self.chunk(place.offset, &block, chunk)?;
            let Some((_, entry)) = &self.stream else {
                return Err(corrupt("it has a chunk of no stream"));
            };
            if number == 0 {
                let (ordinal, seq) = (entry.ordinal, chunk.first_seq);
                self.index.blocks.push(BlockAt { place, ordinal, seq });
            }
        }
        Ok(())
    }

    fn chunk(&mut self, offset: u64, block: &Block, chunk: &Chunk) -> Result<(), Error> {
        let whole = self.whole;
        let subject = block.subject(chunk);
        let goes_on = self.stream.as_ref().is_some_and(|(open, _)| open.as_str() == subject);
        if !goes_on {
            let subject = Subject::parse(subject);
            let subject = subject.map_err(|error| whole.corrupt(offset, error.to_string()))?;
            self.open(offset, subject, chunk)?;
        }
        let Some((subject, entry)) = &mut self.stream else { return Ok(()) };
        let fits = !goes_on
            || (chunk.first_seq == entry.last_seq + 1
                && !chunk.is_anchored
                && chunk.before == Some(entry.chain)
                && !entry.is_closed);
        let (sums, ids, ordinal) = (&mut self.sums, &mut self.ids.0, entry.ordinal);
        let trimmed = &mut self.index.trimmed;
        let mut count = |row: &Row<'_>| {
            sums.add(row, *trimmed);
            *trimmed += u64::from(!row.kind.is_event());
            let id = Id { fingerprint: row.fingerprint, ordinal, seq: row.seq };
            *ids = ids.wrapping_add(hash(id));
        };
        let before = chunk.before.unwrap_or(entry.before);
        let proven = match chunk.content {
            Content::Events => prove(block, chunk, before, &mut |row, _, _| count(row)),
            Content::Trimmed => rows(block, chunk, &mut count),
            Content::Lost => Some(()),
            Content::Away { .. } => {
                self.is_partial = true;
                self.sums.events += chunk.count;
                Some(())
            }
        };
        proven.filter(|()| fits).ok_or_else(|| whole.broken(offset, subject, chunk))?;
        match chunk.content {
            Content::Trimmed => entry.floor = chunk.last_seq(),
            Content::Lost => {}
            Content::Events | Content::Away { .. } => {
                entry.oldest.get_or_insert(Timestamp::from_ms(chunk.recorded));
            }
        }
        (entry.last_seq, entry.chain) = (chunk.last_seq(), chunk.after);
        entry.is_closed = chunk.is_closed;
        Ok(())
    }

    /// Begins with a stream, and ends the one before it.
    fn open(&mut self, offset: u64, subject: Subject, chunk: &Chunk) -> Result<(), Error> {
        self.close(offset)?;
        let ordinal = u32::try_from(self.sums.streams).unwrap_or(u32::MAX);
        self.sums.streams += 1;
        let is_first = chunk.first_seq == 1;
        if is_first != chunk.before.is_none() {
            return Err(self.whole.corrupt(offset, "a stream starts with a wrong chain"));
        }
        let before = chunk.before.unwrap_or_else(|| genesis(self.whole.home.log_id, &subject));
        let (first_seq, last_seq) = (chunk.first_seq, chunk.last_seq());
        let chain = chunk.after;
        let is_anchored = chunk.is_anchored;
        let (is_closed, floor, oldest) = (false, 0, None);
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
        self.stream = Some((subject, entry));
        Ok(())
    }

    fn close(&mut self, offset: u64) -> Result<(), Error> {
        self.streams.extend(self.stream.take());
        self.compare(offset)
    }

    /// Compares the streams that were read with those that the table names, as far as both are.
    fn compare(&mut self, offset: u64) -> Result<(), Error> {
        while let (Some(read), Some(named)) = (self.streams.front_mut(), self.named.front()) {
            // Format 2 does not say the time.
            read.1.oldest = read.1.oldest.filter(|_| named.1.oldest.is_some());
            if read != named {
                let what = format!("the table is wrong about {}", read.0);
                return Err(self.whole.corrupt(offset, what));
            }
            self.streams.pop_front();
            self.named.pop_front();
        }
        Ok(())
    }

    fn page(&mut self, place: Place, payload: &[u8]) -> Result<(), Error> {
        let whole = self.whole;
        let damaged = || whole.corrupt(place.offset, "a page of the table is wrong");
        let mut rows = PageRows::new(payload).ok_or_else(damaged)?;
        let mut first = true;
        while rows.has_more() {
            let row = rows.read().ok_or_else(damaged)?;
            let subject = std::str::from_utf8(rows.subject()).ok().map(Subject::parse);
            let subject = subject.and_then(Result::ok).ok_or_else(damaged)?;
            let entry = row.entry(whole.home.log_id, &subject);
            let is_known = self.subject_filter.may_have(subject_key(subject.as_str()));
            if !is_known || self.named.back().is_some_and(|(last, _)| *last >= subject) {
                return Err(damaged());
            }
            if std::mem::take(&mut first) {
                let (ordinal, subject) = (entry.ordinal, subject.as_str().into());
                self.index.pages.push(PageAt { place, ordinal, subject });
            }
            self.named.push_back((subject, entry));
        }
        if rows.is_done() { self.compare(place.offset) } else { Err(damaged()) }
    }

    fn ids(&mut self, place: Place, payload: &[u8]) -> Option<()> {
        let mut cursor = ids::Cursor::new(payload)?;
        let mut first = true;
        while cursor.has_more() {
            let id = cursor.next(payload)?;
            let fingerprint = id.fingerprint;
            if fingerprint < self.last_fingerprint || !self.id_filter.may_have(fingerprint) {
                return None;
            }
            self.last_fingerprint = fingerprint;
            self.ids.1 = self.ids.1.wrapping_add(hash(id));
            self.id_count += 1;
            if std::mem::take(&mut first) {
                self.index.ids.push(IdsAt { place, fingerprint });
            }
        }
        cursor.is_done(payload).then_some(())
    }

    /// Compares what was found with what index and footer say.
    fn finish(mut self, offset: u64) -> Result<(), Error> {
        self.close(offset)?;
        let Footer { sums, id_filter, subject_filter, index, .. } = self.whole.footer;
        let ends = [
            (Part::IdFilter, id_filter),
            (Part::SubjectFilter, subject_filter),
            (Part::Index, index),
        ];
        let is_whole = !self.is_partial;
        let found = match self.is_partial {
            true => Sums { events: self.sums.events, streams: self.sums.streams, ..sums },
            // What is fetched does not count as stored here.
            false if self.index.away > 0 => {
                let Sums { recorded, stored_bytes, .. } = sums;
                Sums { recorded, stored_bytes, ..self.sums }
            }
            false => Sums { recorded: sums.recorded, ..self.sums },
        };
        let wrong = if !self.streams.is_empty() || !self.named.is_empty() {
            "the table does not have the streams of the blocks"
        } else if (is_whole && self.ids.0 != self.ids.1) || self.id_count != self.sums.events {
            "the ids are not those of the rows"
        } else if self.ends != ends || self.index != self.whole.index {
            "the index does not have what is there"
        } else if found != sums || sums.recorded < sums.last_recorded {
            "the footer does not have the sums of what is there"
        } else {
            return Ok(());
        };
        Err(self.whole.corrupt(offset, wrong))
    }
}

/// Calls `visit` with each row of a chunk; nothing if the rows are not what a writer makes.
fn rows(block: &Block, chunk: &Chunk, visit: &mut dyn FnMut(&Row<'_>)) -> Option<()> {
    let mut cursor = Cursor::new(chunk);
    while !cursor.is_done(chunk) {
        visit(&cursor.next(block, chunk)?);
    }
    Some(())
}

/// A number for an id, to be summed up.
fn hash(id: Id) -> u128 {
    let one = mixed(id.fingerprint ^ mixed(id.seq ^ mixed(id.ordinal.into())));
    let other = mixed(one ^ id.fingerprint.rotate_left(32));
    u128::from(one) << 64 | u128::from(other)
}
