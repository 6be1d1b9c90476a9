//! What is left of a damaged file as a source, with rows that say what is lost.

use std::{cell::RefCell, rc::Rc, sync::Arc, vec};

use matchwire_domain::{chain::Digest, subject::Subject, timestamp::Timestamp};
use matchwire_log::Error;

use super::{Entries, Walk, Whole};
use crate::sealed::{
    streams::{Id, Kind, Opening, Row, Streams},
    table::Entry,
};

/// Rows of a stream that are lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LostRows {
    pub(crate) subject: Box<str>,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
}

/// Where losses are told.
pub(crate) type Told = Rc<RefCell<Vec<LostRows>>>;

/// The streams of the blocks and of the table, in order.
pub(super) struct Patched {
    walk: Walk,
    table: Table,
    told: Option<Told>,
    /// The next stream of the blocks, and of the table.
    opening: Option<Opening>,
    named: Option<(Subject, Entry)>,
    stream: Option<Stream>,
    /// A row of the walk, to be given next.
    row: Vec<u8>,
}

/// The stream that is read.
struct Stream {
    subject: Box<str>,
    next_seq: u64,
    /// The blocks have rows of it.
    is_walked: bool,
    /// What comes before the rows of the blocks: how many are lost, and the chain after them.
    lost_before: Option<(u64, Digest)>,
    entry: Option<Entry>,
    position: u64,
    recorded: Timestamp,
    is_closed: bool,
}

impl Patched {
    pub(super) fn new(whole: Arc<Whole>, told: Option<Told>) -> Result<Self, Error> {
        let mut walk = Walk::over_gaps(whole.clone())?;
        let mut table = Table { whole, next_page: 0, read: Vec::new().into_iter() };
        let (opening, named) = (walk.next_stream()?, table.next()?);
        Ok(Self { walk, table, told, opening, named, stream: None, row: Vec::new() })
    }

    fn tell(&self, subject: &str, first_seq: u64, rows: u64) {
        if let Some(told) = &self.told {
            let (subject, last_seq) = (subject.into(), first_seq + rows - 1);
            told.borrow_mut().push(LostRows { subject, first_seq, last_seq });
        }
    }
}

impl Streams for Patched {
    fn next_stream(&mut self) -> Result<Option<Opening>, Error> {
        while self.next_row()?.is_some() {}
        let (walked, named) = match (&self.opening, &self.named) {
            (None, None) => return Ok(None),
            (Some(_), None) => (true, false),
            (None, Some(_)) => (false, true),
            (Some(opening), Some((subject, _))) => {
                (*opening.subject <= *subject.as_str(), subject.as_str() <= &*opening.subject)
            }
        };
        let opening = if walked { self.opening.take() } else { None };
        let entry = if named { self.named.take() } else { None };
        if named {
            self.named = self.table.next()?;
        }
        let first = match (&opening, &entry) {
            (_, Some((subject, entry))) => Opening {
                subject: subject.as_str().into(),
                first_seq: entry.first_seq,
                before: entry.before,
                is_anchored: entry.is_anchored,
            },
            (Some(opening), None) => opening.clone(),
            (None, None) => return Ok(None),
        };
        let lost_before = opening.as_ref().and_then(|opening| {
            let rows = opening.first_seq.checked_sub(first.first_seq).filter(|rows| *rows > 0)?;
            Some((rows, opening.before))
        });
        self.stream = Some(Stream {
            subject: first.subject.clone(),
            next_seq: first.first_seq,
            is_walked: walked,
            lost_before,
            entry: entry.map(|(_, entry)| entry),
            position: self.table.whole.home.range.first,
            recorded: Timestamp::default(),
            is_closed: false,
        });
        Ok(Some(first))
    }

    fn next_row(&mut self) -> Result<Option<Row<'_>>, Error> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        let lost = |stream: &mut Stream, rows: u64, after: Digest, seals: bool| {
            let seq = stream.next_seq;
            stream.next_seq += rows;
            stream.is_closed = seals;
            let (position, recorded) = (stream.position, stream.recorded);
            let kind = Kind::Lost { rows, seals };
            let (chain, stored) = (Some(after), [].as_slice());
            Row { seq, position, recorded, fingerprint: 0, kind, chain, stored }
        };
        if let Some((rows, after)) = stream.lost_before.take() {
            let row = lost(stream, rows, after, false);
            let subject = stream.subject.clone();
            self.tell(&subject, row.seq, rows);
            return Ok(Some(row));
        }
        if stream.is_walked {
            if let Some(row) = self.walk.next_row()? {
                let (rows, seals) = row.kind.span();
                (stream.next_seq, stream.is_closed) = (row.seq + rows, seals);
                (stream.position, stream.recorded) = (row.position, row.recorded);
                let (seq, is_lost) = (row.seq, matches!(row.kind, Kind::Lost { .. }));
                self.row.clear();
                self.row.extend_from_slice(row.stored);
                let row = Row { stored: &[], ..row };
                if is_lost {
                    let subject = stream.subject.clone();
                    self.tell(&subject, seq, rows);
                }
                return Ok(Some(Row { stored: &self.row, ..row }));
            }
            stream.is_walked = false;
            self.opening = self.walk.next_stream()?;
        }
        let Some(entry) = stream.entry.take() else { return Ok(None) };
        let rows = (entry.last_seq + 1).saturating_sub(stream.next_seq);
        if rows == 0 || stream.is_closed {
            return Ok(None);
        }
        let row = lost(stream, rows, entry.chain, entry.is_closed);
        let subject = stream.subject.clone();
        self.tell(&subject, row.seq, rows);
        Ok(Some(row))
    }

    /// Its ids are taken from its rows.
    fn next_id(&mut self) -> Result<Option<Id>, Error> {
        Ok(None)
    }
}

/// The pages of the table that are there, one after the other.
struct Table {
    whole: Arc<Whole>,
    next_page: usize,
    read: vec::IntoIter<(Subject, Entry)>,
}

impl Table {
    fn next(&mut self) -> Result<Option<(Subject, Entry)>, Error> {
        loop {
            if let Some(entry) = self.read.next() {
                return Ok(Some(entry));
            }
            let Some(page) = self.whole.index.pages.get(self.next_page) else { return Ok(None) };
            self.read = Entries::new(&self.whole).page(page)?.into_iter();
            self.next_page += 1;
        }
    }
}
