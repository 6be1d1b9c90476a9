//! The index of one segment, in memory: where the records of each stream are, and who has which
//! fingerprint. It is derived from the records and can be rebuilt at any time.

use std::{
    collections::{BTreeMap, hash_map::Entry},
    ops::{Bound, RangeInclusive},
    sync::Arc,
};

use foldhash::HashMap;
use matchwire_domain::{chain::Digest, subject::Subject};

use crate::format::View;

/// Where a record is in its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) offset: u32,
    pub(crate) bytes: u32,
    /// The position of its group, less that of the file's first one.
    pub(crate) group: u32,
}

/// A record: the stream by its number in this segment, and the how-manieth of that stream here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot {
    stream: u32,
    nth: u32,
}

/// A stream in this segment.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) subject: Subject,
    pub(crate) first_seq: u64,
    /// The chain of its last record.
    pub(crate) chain: Digest,
    /// Whether its last record seals it.
    pub(crate) is_sealed: bool,
    /// Its records, without a gap from `first_seq`.
    pub(crate) spans: Vec<Span>,
}

impl Stream {
    /// Whether it has records of these groups.
    pub(crate) fn is_in(&self, groups: &RangeInclusive<u64>) -> bool {
        let first = self.count_before(*groups.start());
        let first = usize::try_from(first).ok().and_then(|first| self.spans.get(first));
        first.is_some_and(|span| groups.contains(&span.group.into()))
    }

    /// How many records it has of groups before one.
    pub(crate) fn count_before(&self, group: u64) -> u64 {
        self.spans.partition_point(|span| u64::from(span.group) < group) as u64
    }

    /// Its last seq here.
    pub(crate) fn last_seq(&self) -> u64 {
        self.first_seq + self.spans.len() as u64 - 1
    }
}

#[derive(Debug, Default)]
pub(crate) struct Index {
    numbers: HashMap<Arc<str>, u32>,
    /// The same in order.
    names: BTreeMap<Arc<str>, u32>,
    streams: Vec<Stream>,
    /// The stream of the last record: the next one is often of the same.
    last: u32,
    ids: HashMap<u64, Slot>,
    /// Records whose fingerprint an earlier one here has, too.
    collided: Vec<(u64, Slot)>,
    /// What names and spans of all streams take.
    streams_bytes: usize,
}

/// About what a stream takes beside its name and its spans: an entry in each of two maps.
const STREAM_BYTES: usize = 96;

impl Index {
    /// Adds the record at an offset, of the how-manieth group of the file, or says what is wrong with it.
    pub(crate) fn add(&mut self, group: u64, offset: u64, view: &View<'_>) -> Result<(), String> {
        let number = self.number(view)?;
        let place = (u32::try_from(offset), u32::try_from(view.size), u32::try_from(group));
        let (Ok(offset), Ok(bytes), Ok(group)) = place else {
            return Err("the segment is too large".into());
        };
        let stream = usize::try_from(number).ok().and_then(|n| self.streams.get_mut(n));
        let Some(stream) = stream else { return Err("too many streams".into()) };
        let nth = u32::try_from(stream.spans.len()).unwrap_or(u32::MAX);
        let expected = stream.first_seq + u64::from(nth);
        if view.seq != expected {
            let (subject, seq) = (view.subject, view.seq);
            return Err(format!("{subject} goes on with seq {seq} where {expected} belongs"));
        }
        let spans = stream.spans.capacity();
        stream.spans.push(Span { offset, bytes, group });
        self.streams_bytes += (stream.spans.capacity() - spans) * size_of::<Span>();
        (stream.chain, stream.is_sealed) = (view.chain, view.seals);
        let slot = Slot { stream: number, nth };
        match self.ids.entry(view.fingerprint) {
            Entry::Vacant(vacant) => drop(vacant.insert(slot)),
            Entry::Occupied(_) => self.collided.push((view.fingerprint, slot)),
        }
        Ok(())
    }

    fn number(&mut self, view: &View<'_>) -> Result<u32, String> {
        let last = usize::try_from(self.last).ok().and_then(|last| self.streams.get(last));
        if last.is_some_and(|stream| stream.subject.as_str() == view.subject) {
            return Ok(self.last);
        }
        if let Some(number) = self.numbers.get(view.subject) {
            self.last = *number;
            return Ok(*number);
        }
        let subject = Subject::parse(view.subject).map_err(|error| error.to_string())?;
        let number = u32::try_from(self.streams.len()).unwrap_or(u32::MAX);
        let name: Arc<str> = view.subject.into();
        self.numbers.insert(name.clone(), number);
        self.names.insert(name, number);
        let (first_seq, chain, spans) = (view.seq, view.chain, Vec::new());
        self.streams.push(Stream { subject, first_seq, chain, is_sealed: false, spans });
        self.streams_bytes += 2 * view.subject.len() + STREAM_BYTES;
        self.last = number;
        Ok(number)
    }

    /// About how much memory it takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        // A hash map has a byte of control for each place, and a seventh more places than it gives.
        let ids = self.ids.capacity() * 8 / 7 * (size_of::<(u64, Slot)>() + 1);
        ids + self.streams.capacity() * size_of::<Stream>() + self.streams_bytes
    }

    pub(crate) fn stream(&self, subject: &str) -> Option<&Stream> {
        let number = *self.numbers.get(subject)?;
        self.streams.get(usize::try_from(number).ok()?)
    }

    /// All subjects, in order.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.streams("", None).map(|stream| &stream.subject)
    }

    /// Streams whose subjects start with `prefix`, in order, after `after`.
    pub(crate) fn streams<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&str>,
    ) -> impl Iterator<Item = &'a Stream> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let names = self.names.range::<str, _>((from, Bound::Unbounded));
        let names = names.take_while(move |(name, _)| name.starts_with(prefix));
        names.filter_map(|(_, number)| self.streams.get(usize::try_from(*number).ok()?))
    }

    /// Calls `found` with the seq of every record of a stream that has the fingerprint.
    pub(crate) fn lookup(&self, subject: &str, fingerprint: u64, mut found: impl FnMut(u64)) {
        let Some(first) = self.ids.get(&fingerprint) else { return };
        let Some(number) = self.numbers.get(subject) else { return };
        let Some(stream) = self.stream(subject) else { return };
        let others = self.collided.iter().filter(|(f, _)| *f == fingerprint).map(|(_, slot)| slot);
        for slot in std::iter::once(first).chain(others).filter(|slot| slot.stream == *number) {
            found(stream.first_seq + u64::from(slot.nth));
        }
    }
}
