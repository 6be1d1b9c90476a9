//! A segment in order of arrival: the one that is written to, and those that wait to be sealed.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use matchwire_domain::{envelope::Recorded, subject::Subject, timestamp::Timestamp};
use matchwire_log::Error;

use crate::{
    disk::File,
    fetch::Fetch,
    format::{Home, SEGMENT_HEADER_BYTES, View},
    index::{Index, Span, Stream},
};

/// Groups without a gap in one file, with their index.
pub(crate) struct Segment {
    pub(crate) home: Home,
    pub(crate) file: Arc<dyn File>,
    /// The position of its first group; that of the file, unless damage comes before.
    pub(crate) first: u64,
    /// The position after its last group.
    pub(crate) next: u64,
    /// Where its groups end in the file.
    pub(crate) end: u64,
    /// The latest recordedtime in it or before it.
    pub(crate) recorded: Timestamp,
    /// The recordedtime of its first record.
    pub(crate) first_recorded: Option<Timestamp>,
    /// Whether a part of the file is damaged. It is left as it is then, for a repair.
    pub(crate) is_damaged: AtomicBool,
    pub(crate) index: Index,
}

impl Segment {
    /// A segment without groups.
    pub(crate) fn new(home: Home, file: Arc<dyn File>, recorded: Timestamp) -> Self {
        Self {
            home,
            file,
            first: home.segment,
            next: home.segment,
            end: SEGMENT_HEADER_BYTES as u64,
            recorded,
            first_recorded: None,
            is_damaged: AtomicBool::new(false),
            index: Index::default(),
        }
    }

    pub(crate) fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::SeqCst)
    }

    /// Notes that the file is damaged.
    pub(crate) fn set_damaged(&self) {
        self.is_damaged.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first == self.next
    }

    /// Adds a record of the group at a position, that is at an offset.
    pub(crate) fn add(
        &mut self,
        position: u64,
        offset: u64,
        view: &View<'_>,
    ) -> Result<(), String> {
        self.index.add(position - self.home.segment, offset, view)?;
        self.recorded = self.recorded.max(view.recorded);
        self.first_recorded.get_or_insert(view.recorded);
        Ok(())
    }

    /// Subjects with a prefix of streams that have records at these positions, in order, after `after`.
    pub(crate) fn subjects(
        &self,
        prefix: &str,
        after: Option<&str>,
        positions: &RangeInclusive<u64>,
        limit: usize,
    ) -> Vec<Subject> {
        let groups = self.groups(positions);
        let streams = self.index.streams(prefix, after);
        let there = streams.filter(|stream| stream.is_in(&groups));
        there.take(limit).map(|stream| stream.subject.clone()).collect()
    }

    /// The groups at these positions, as the index has them.
    fn groups(&self, positions: &RangeInclusive<u64>) -> RangeInclusive<u64> {
        let group = |position: u64| position.saturating_sub(self.home.segment);
        if *positions.end() < self.home.segment {
            return RangeInclusive::new(1, 0);
        }
        group(*positions.start())..=group(*positions.end())
    }

    /// The `seq` that a stream, which has records here, had reached before the group at a position.
    pub(crate) fn seq_before(&self, stream: &Stream, position: u64) -> u64 {
        let group = position.saturating_sub(self.home.segment);
        stream.first_seq - 1 + stream.count_before(group)
    }

    /// Where up to `limit` records of a stream are, from a seq on that it has here.
    pub(crate) fn spans(&self, subject: &str, seq: u64, limit: usize) -> Vec<Span> {
        let Some(stream) = self.index.stream(subject) else { return Vec::new() };
        let skip = usize::try_from(seq - stream.first_seq).unwrap_or(usize::MAX);
        stream.spans.iter().skip(skip).take(limit).copied().collect()
    }

    /// What fetches records of a stream.
    pub(crate) fn fetch<'a>(&'a self, subject: &'a Subject) -> Fetch<'a> {
        Fetch { file: &*self.file, home: self.home, subject }
    }

    /// Records of a stream with seq from `seq` on, which it has here.
    pub(crate) fn read(
        &self,
        subject: &Subject,
        seq: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Recorded>, Error> {
        let spans = self.spans(subject.as_str(), seq, limit);
        self.fetch(subject).records(seq, &spans, limit_bytes)
    }
}
