//! A sealed file that is open: finds streams, ids and records in it.

mod absent;
mod entries;
mod file;
mod positions;

use std::sync::Arc;

use matchwire_domain::{chain::Digest, envelope::Recorded, subject::Subject, timestamp::Timestamp};
use matchwire_log::{Error, medium::Floor};

use super::{
    Blocks, Range,
    block::{Block, Chunk, Content, Cursor},
    filter::subject_key,
    frame::{Home, Part},
    ids,
    streams::Row,
    table::{Entry, PageRows},
    walk::Walk,
};
use crate::{archive::Object, disk::Disk};
pub(crate) use entries::Entries;
pub(super) use file::Whole;

/// A sealed file that is open. Its footer and sparse index are in memory; its filters once they were
/// first asked.
pub(crate) struct Sealed {
    pub(super) whole: Arc<Whole>,
}

/// What a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stats {
    pub(crate) file_bytes: u64,
    /// Of all events that are stored here, before they were compressed.
    pub(crate) stored_bytes: u64,
    /// Those that are not trimmed.
    pub(crate) events: u64,
    pub(crate) trimmed: u64,
    /// Of the events, those that are in the archive.
    pub(crate) away: u64,
    pub(crate) streams: u64,
    /// What it takes in memory now, without the cache.
    pub(crate) memory_bytes: usize,
    pub(crate) first_recorded: Timestamp,
    pub(crate) last_recorded: Timestamp,
}

impl Sealed {
    /// Opens a file, and checks its header, footer and sparse index.
    pub(crate) fn open(
        disk: &dyn Disk,
        log_id: u64,
        range: Range,
        cache: Arc<Blocks>,
    ) -> Result<Self, Error> {
        Self::open_as(disk, super::sealed_name(range), Home { log_id, range }, cache)
    }

    pub(super) fn open_as(
        disk: &dyn Disk,
        name: String,
        home: Home,
        cache: Arc<Blocks>,
    ) -> Result<Self, Error> {
        Ok(Self { whole: Arc::new(Whole::open(disk, name, home, cache)?) })
    }

    /// The name after a rename.
    pub(super) fn set_name(&mut self, name: String) {
        if let Some(whole) = Arc::get_mut(&mut self.whole) {
            whole.name = name;
        }
    }

    /// What it covers.
    pub(crate) fn range(&self) -> Range {
        self.whole.home.range
    }

    /// The latest recordedtime in the file or before it.
    pub(crate) fn recorded(&self) -> Timestamp {
        self.whole.footer.sums.recorded
    }

    /// What it has.
    pub(crate) fn stats(&self) -> Stats {
        let (sums, index) = (&self.whole.footer.sums, &self.whole.index);
        Stats {
            file_bytes: self.whole.file_bytes,
            stored_bytes: sums.stored_bytes,
            events: sums.events.saturating_sub(index.trimmed),
            trimmed: index.trimmed,
            away: index.away,
            streams: sums.streams,
            memory_bytes: self.whole.memory_bytes(),
            first_recorded: sums.first_recorded,
            last_recorded: sums.last_recorded,
        }
    }

    /// Its name in the log's directory.
    pub(crate) fn name(&self) -> &str {
        &self.whole.name
    }

    /// The archive's object that has events of it.
    pub(crate) fn object(&self) -> Option<&Object> {
        self.whole.index.object.as_ref()
    }

    /// What it has of a stream.
    pub(crate) fn entry(&self, subject: &str) -> Result<Option<Entry>, Error> {
        let whole = &self.whole;
        if !whole.subject_filter()?.may_have(subject_key(subject)) {
            return Ok(None);
        }
        let Some(page) = whole.index.page_of(subject) else { return Ok(None) };
        let mut found = None;
        self.page(page, &mut |row_subject, row| {
            if row_subject == subject.as_bytes() {
                let parsed = Subject::parse(subject).ok();
                found = parsed.map(|parsed| row.entry(whole.home.log_id, &parsed));
            }
            found.is_none() && row_subject <= subject.as_bytes()
        })?;
        Ok(found)
    }

    /// At most `limit` subjects with a prefix, in order, after `after`.
    pub(crate) fn subjects(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Subject>, Error> {
        let index = &self.whole.index;
        let from = after.map_or(prefix, |after| after.max(prefix));
        let (prefix, after) = (prefix.as_bytes(), after.map(str::as_bytes));
        let mut found = Vec::new();
        let mut goes_on = limit > 0;
        let mut bad = None;
        for page in index.page_of(from).unwrap_or(0)..index.pages.len() {
            if !goes_on {
                break;
            }
            self.page(page, &mut |subject, _| {
                if subject.starts_with(prefix) && after.is_none_or(|after| subject > after) {
                    match std::str::from_utf8(subject).ok().map(Subject::parse) {
                        Some(Ok(subject)) => found.push(subject),
                        _ => bad = Some(page),
                    }
                }
                goes_on = found.len() < limit && (subject.starts_with(prefix) || subject < prefix);
                goes_on
            })?;
        }
        match bad.and_then(|page| index.pages.get(page)) {
            Some(page) => Err(self.whole.corrupt(page.place.offset, "a subject is none")),
            None => Ok(found),
        }
    }

    /// Calls `visit` with the streams of a page, until it says that it wants no more.
    fn page(
        &self,
        number: usize,
        visit: &mut dyn FnMut(&[u8], &super::table::PageRow) -> bool,
    ) -> Result<(), Error> {
        let Some(at) = self.whole.index.pages.get(number) else { return Ok(()) };
        let damaged = || self.whole.corrupt(at.place.offset, "a page of the table cannot be read");
        let page = self.whole.cached(at.place, Part::Table)?;
        let mut rows = PageRows::new(&page.payload).ok_or_else(damaged)?;
        while rows.has_more() {
            let row = rows.read().ok_or_else(damaged)?;
            if !visit(rows.subject(), &row) {
                break;
            }
        }
        Ok(())
    }

    /// Records of a stream with seq greater than `after`: at least one if there is one here, at most
    /// `limit`, and no further one once `limit_bytes` stored bytes are reached. Their chains are
    /// computed, and must be those of the file. Where rows are lost a page ends, or begins behind
    /// them.
    pub(crate) fn read(
        &self,
        subject: &Subject,
        entry: &Entry,
        after: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Recorded>, Error> {
        let mut page = Page {
            next: after.saturating_add(1).max(entry.first_seq),
            limit,
            bytes_left: limit_bytes,
            records: Vec::new(),
        };
        let mut number = self.whole.index.block_of(entry.ordinal, page.next).unwrap_or(0);
        while page.next <= entry.last_seq && !page.is_full() {
            let missing = |offset| {
                let what = format!("it has no seq {} of {subject}", page.next);
                self.whole.corrupt(offset, what)
            };
            let at = self.whole.index.blocks.get(number);
            let place = at.ok_or_else(|| missing(self.whole.footer.index.offset))?.place;
            let block = self.whole.events(place)?;
            let start = page.next;
            for chunk in &block.chunks {
                let is_next = chunk.first_seq <= page.next && page.next <= chunk.last_seq();
                if is_next && !page.is_full() && block.subject(chunk) == subject.as_str() {
                    if chunk.content == Content::Trimmed && page.records.is_empty() {
                        let floor = Floor { seq: chunk.last_seq(), chain: chunk.after };
                        let floor = self.floor(subject.as_str(), entry)?.unwrap_or(floor);
                        return Err(Error::Trimmed { subject: subject.clone(), floor });
                    }
                    page.add(&block, chunk, entry)
                        .ok_or_else(|| self.whole.broken(place.offset, subject, chunk))?;
                }
            }
            if page.next == start && !page.is_full() {
                let what = format!("it has no seq {start} of {subject}");
                return Err(self.whole.corrupt(place.offset, what));
            }
            number += 1;
        }
        Ok(page.records)
    }

    /// Calls `found(index, seq, check)` for each record of the stream that has
    /// `fingerprints[index]`; the check is there if the record's event is not. Nothing is fetched.
    pub(crate) fn lookup(
        &self,
        subject: &str,
        entry: &Entry,
        fingerprints: &[u64],
        found: &mut dyn FnMut(usize, u64, Option<u64>),
    ) -> Result<(), Error> {
        let filter = self.whole.id_filter()?;
        let has_empty = self.whole.index.trimmed + self.whole.index.away > 0;
        for (index, fingerprint) in fingerprints.iter().enumerate() {
            if !filter.may_have(*fingerprint) {
                continue;
            }
            for at in self.whole.index.ids_of(*fingerprint) {
                let offset = at.place.offset;
                let damaged = || self.whole.corrupt(offset, "a page of ids cannot be read");
                let page = self.whole.cached(at.place, Part::Ids)?;
                let mut cursor = ids::Cursor::new(&page.payload).ok_or_else(damaged)?;
                while cursor.has_more() {
                    let id = cursor.next(&page.payload).ok_or_else(damaged)?;
                    if id.fingerprint > *fingerprint {
                        break;
                    }
                    if id.fingerprint == *fingerprint && id.ordinal == entry.ordinal {
                        let check =
                            if has_empty { self.check(subject, entry, id.seq)? } else { None };
                        found(index, id.seq, check);
                    }
                }
            }
        }
        Ok(())
    }

    /// Walks over everything in order of subject, then seq. One block is in memory at a time, and
    /// nothing goes to the cache. Checksums are checked; chains are not computed, but given where
    /// the file has them.
    pub(crate) fn walk(&self) -> Result<Walk, Error> {
        Walk::new(self.whole.clone())
    }

    /// The same without fetching events from the archive; the rows of those cannot be read.
    pub(crate) fn walk_here(&self) -> Result<Walk, Error> {
        Walk::here(self.whole.clone())
    }
}

/// The records that a call of `read` has so far.
struct Page {
    next: u64,
    limit: usize,
    bytes_left: usize,
    records: Vec<Recorded>,
}

impl Page {
    fn is_full(&self) -> bool {
        self.records.len() >= self.limit || self.bytes_left == 0
    }

    /// Adds what is wanted of a chunk; nothing if the chunk is not what it says.
    fn add(&mut self, block: &Block, chunk: &Chunk, entry: &Entry) -> Option<()> {
        let starts = chunk.first_seq == entry.first_seq;
        let before = if starts { entry.before } else { chunk.before? };
        let ends = chunk.last_seq() == entry.last_seq;
        let fits = chunk.before.is_none_or(|chain| chain == before)
            && chunk.is_anchored == (starts && entry.is_anchored)
            && chunk.last_seq() <= entry.last_seq
            && (!ends || chunk.after == entry.chain);
        match chunk.content {
            Content::Lost if self.records.is_empty() => self.next = chunk.last_seq() + 1,
            Content::Lost | Content::Trimmed => self.limit = self.records.len(),
            Content::Events | Content::Away { .. } => {}
        }
        let first = self.next;
        let (records, bytes_left) = (&mut self.records, &mut self.bytes_left);
        let proven = prove(block, chunk, before, &mut |row, leaf, chain| {
            if row.seq < first || records.len() >= self.limit || *bytes_left == 0 {
                return;
            }
            *bytes_left = bytes_left.saturating_sub(row.stored.len());
            let (seq, recorded, stored) = (row.seq, row.recorded, row.stored.into());
            records.push(Recorded { seq, recorded, leaf, chain, stored });
        });
        self.next = records.last().map_or(self.next, |last| last.seq + 1);
        proven.filter(|()| fits)
    }
}

/// Computes the chains of a chunk's rows; nothing if they do not end where the chunk says. Where the
/// events are not here there is nothing to be proven.
pub(super) fn prove(
    block: &Block,
    chunk: &Chunk,
    before: Digest,
    visit: &mut dyn FnMut(&Row<'_>, Digest, Digest),
) -> Option<()> {
    if chunk.content != Content::Events {
        return Some(());
    }
    let (mut cursor, mut chain, mut anchor) =
        (Cursor::new(chunk), before, chunk.is_anchored.then_some(before));
    while !cursor.is_done(chunk) {
        let row = cursor.next(block, chunk)?;
        let leaf = Digest::leaf(row.stored);
        chain = match anchor.take() {
            Some(anchor) => anchor,
            None => chain.next(row.seq, row.recorded, leaf),
        };
        visit(&row, leaf, chain);
    }
    (chain == chunk.after).then_some(())
}
