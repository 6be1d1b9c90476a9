//! A raw segment as a source: its records sorted by stream, without copying what is stored.

use foldhash::HashMap;
use matchwire_domain::{chain::Digest, subject::Subject};
use matchwire_log::Error;

use super::{
    streams::{Id, Kind, Opening, Row, Streams},
    table::genesis,
};
use crate::{
    format::{Home, View},
    scan::segment_name,
};

/// So many rows ahead of the one that is read, the memory of a record is asked for.
const AHEAD_ROWS: usize = 4;

/// Gives the chain before a seq of a stream.
pub(crate) type Before<'a> = dyn FnMut(&str, u64) -> Result<Option<Digest>, Error> + 'a;

/// Collects the records of a raw segment, in order of arrival. Takes about 50 bytes for each.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    numbers: HashMap<Box<str>, u32>,
    streams: Vec<Part>,
    ids: Vec<Id>,
}

/// The records of a stream.
#[derive(Debug)]
struct Part {
    subject: Box<str>,
    first_seq: u64,
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    position: u64,
    /// Where its record starts.
    offset: u32,
    is_last: bool,
}

/// A raw segment in memory, sorted.
#[derive(Debug)]
pub(crate) struct Arrival {
    home: Home,
    bytes: Vec<u8>,
    streams: Vec<(Part, Option<Digest>)>,
    ids: Vec<Id>,
    /// How many streams, rows of the last one of those, and ids were taken.
    at: (usize, usize, usize),
}

impl Arrivals {
    /// Adds the record of a group that starts at an offset of the segment's file, or says what is
    /// wrong with it.
    pub(crate) fn add(
        &mut self,
        position: u64,
        offset: u64,
        kind: Kind,
        view: &View<'_>,
    ) -> Result<(), String> {
        let offset = u32::try_from(offset).map_err(|_| "the segment is too large")?;
        let number = if let Some(number) = self.numbers.get(view.subject) {
            *number
        } else {
            let number = u32::try_from(self.streams.len()).map_err(|_| "too many streams")?;
            let subject: Box<str> = view.subject.into();
            self.numbers.insert(subject.clone(), number);
            self.streams.push(Part { subject, first_seq: view.seq, slots: Vec::new() });
            number
        };
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        let Some(part) = self.streams.get_mut(place) else { return Ok(()) };
        let (expected, found) = (part.first_seq + part.slots.len() as u64, view.seq);
        if found != expected {
            let subject = view.subject;
            return Err(format!("{subject} goes on with seq {found} where {expected} belongs"));
        }
        part.slots.push(Slot { position, offset, is_last: kind == Kind::Last });
        self.ids.push(Id { fingerprint: view.fingerprint, ordinal: number, seq: view.seq });
        Ok(())
    }

    /// The source over the bytes of a segment's file, from its first one on. `before` is asked for
    /// the chain before each stream's first record here, unless that has seq 1; nothing if nobody
    /// knows it, since what comes before is missing.
    pub(crate) fn over(
        self,
        home: Home,
        bytes: Vec<u8>,
        before: &mut Before<'_>,
    ) -> Result<Arrival, Error> {
        let Self { streams: parts, mut ids, numbers } = self;
        drop(numbers);
        let mut parts: Vec<(Part, u32)> = parts.into_iter().zip(0..).collect();
        parts.sort_unstable_by(|(one, _), (other, _)| one.subject.cmp(&other.subject));
        let mut ordinals = vec![0; parts.len()];
        let mut streams = Vec::with_capacity(parts.len());
        for ((part, number), ordinal) in parts.into_iter().zip(0..) {
            if let Some(place) = ordinals.get_mut(usize::try_from(number).unwrap_or(usize::MAX)) {
                *place = ordinal;
            }
            let subject = Subject::parse(&part.subject);
            let chain = match subject {
                Ok(subject) if part.first_seq == 1 => Some(genesis(home.log_id, &subject)),
                _ => before(&part.subject, part.first_seq)?,
            };
            streams.push((part, chain));
        }
        for id in &mut ids {
            let place = usize::try_from(id.ordinal).unwrap_or(usize::MAX);
            id.ordinal = ordinals.get(place).copied().unwrap_or_default();
        }
        ids.sort_unstable();
        Ok(Arrival { home, bytes, streams, ids, at: (0, 0, 0) })
    }
}

impl Streams for Arrival {
    fn next_stream(&mut self) -> Result<Option<Opening>, Error> {
        let Some((part, before)) = self.streams.get(self.at.0) else { return Ok(None) };
        self.at = (self.at.0 + 1, 0, self.at.2);
        let Part { subject, first_seq, .. } = part;
        let (before, is_anchored) = match before {
            Some(before) => (*before, false),
            None => (self.first_chain(part)?, true),
        };
        let (subject, first_seq) = (subject.clone(), *first_seq);
        Ok(Some(Opening { subject, first_seq, before, is_anchored }))
    }

    fn next_row(&mut self) -> Result<Option<Row<'_>>, Error> {
        let part = self.at.0.checked_sub(1).and_then(|last| self.streams.get(last));
        let Some((part, _)) = part else { return Ok(None) };
        let Some(slot) = part.slots.get(self.at.1) else { return Ok(None) };
        let seq = part.first_seq + self.at.1 as u64;
        self.at.1 += 1;
        if let Some(ahead) = part.slots.get(self.at.1 + AHEAD_ROWS) {
            fetch(&self.bytes, ahead.offset);
        }
        let bytes = self.bytes.get(usize::try_from(slot.offset).unwrap_or(usize::MAX)..);
        let view = bytes.and_then(|bytes| View::decode(bytes, self.home.version));
        let right = |view: &View<'_>| view.subject == &*part.subject && view.seq == seq;
        let view = view.filter(right).ok_or_else(|| Error::Corrupt {
            file: segment_name(self.home.segment),
            offset: slot.offset.into(),
            what: format!("the record with seq {seq} of {} is damaged", part.subject),
        })?;
        Ok(Some(Row {
            seq,
            position: slot.position,
            recorded: view.recorded,
            fingerprint: view.fingerprint,
            kind: if slot.is_last { Kind::Last } else { Kind::Event },
            chain: Some(view.chain),
            stored: view.stored,
        }))
    }

    fn next_id(&mut self) -> Result<Option<Id>, Error> {
        let id = self.ids.get(self.at.2).copied();
        self.at.2 += 1;
        Ok(id)
    }
}

impl Arrival {
    /// The chain of a stream's first record.
    fn first_chain(&self, part: &Part) -> Result<Digest, Error> {
        let offset = part.slots.first().map_or(0, |slot| slot.offset);
        let bytes = self.bytes.get(usize::try_from(offset).unwrap_or(usize::MAX)..);
        let view = bytes.and_then(|bytes| View::decode(bytes, self.home.version));
        view.map(|view| view.chain).ok_or_else(|| Error::Corrupt {
            file: segment_name(self.home.segment),
            offset: offset.into(),
            what: format!("the first record of {} is damaged", part.subject),
        })
    }
}

/// Reads some bytes of a record, so that they are in the processor's cache when it is needed: the
/// records of a stream are all over the segment.
fn fetch(bytes: &[u8], offset: u32) {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    for line in 0..6 {
        std::hint::black_box(bytes.get(start.saturating_add(line * 64)).copied());
    }
}
