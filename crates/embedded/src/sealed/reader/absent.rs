//! What a file knows of events that it does not have: those that were trimmed, and those that are in
//! the archive. Nothing is fetched for it.

use std::{sync::Arc, time::Duration};

use matchwire_domain::{subject::Subject, timestamp::Timestamp};
use matchwire_log::{Error, medium::Floor};

use super::{Entry, Sealed};
use crate::{
    retention::due,
    sealed::{
        block::{Block, Chunk},
        frame::Part,
    },
};

impl Sealed {
    /// When the first event was recorded that is not trimmed; nothing if all are.
    pub(crate) fn oldest(&self) -> Option<Timestamp> {
        let stats = self.stats();
        (stats.events > 0).then_some(stats.first_recorded)
    }

    /// When the first of its events has to be removed, by the age that those of a stream may have;
    /// nothing if none has to be. It is looked up once.
    pub(crate) fn due(
        &self,
        age: impl Fn(&Subject) -> Option<Duration>,
    ) -> Result<Option<Timestamp>, Error> {
        if let Some(due) = self.whole.due.get() {
            return Ok(*due);
        }
        let mut first: Option<Timestamp> = None;
        let mut entries = self.entries();
        while let Some((subject, entry)) = entries.next()? {
            if entry.floor == entry.last_seq {
                continue;
            }
            if let Some(age) = age(&subject) {
                // Format 2 does not say it for each stream.
                let oldest = entry.oldest.unwrap_or(self.stats().first_recorded);
                let due = due(oldest, age);
                first = Some(first.map_or(due, |first| first.min(due)));
            }
        }
        Ok(*self.whole.due.get_or_init(|| first))
    }

    /// The last event of a stream that was trimmed here; nothing if none was.
    pub(crate) fn floor(&self, subject: &str, entry: &Entry) -> Result<Option<Floor>, Error> {
        let seq = entry.floor;
        if seq == 0 || seq == entry.last_seq {
            return Ok((seq > 0).then_some(Floor { seq, chain: entry.chain }));
        }
        let chain = self.with_chunk(subject, entry, seq, |_, chunk| {
            (chunk.last_seq() == seq).then_some(chunk.after)
        })?;
        Ok(Some(Floor { seq, chain }))
    }

    /// The check of the identity that a record has whose event is not here; nothing if it is.
    pub(super) fn check(
        &self,
        subject: &str,
        entry: &Entry,
        seq: u64,
    ) -> Result<Option<u64>, Error> {
        self.with_chunk(subject, entry, seq, |block, chunk| Some(chunk.check(block, seq)))
    }

    /// What is asked of the chunk that has a seq of a stream, as it is in the file.
    fn with_chunk<T>(
        &self,
        subject: &str,
        entry: &Entry,
        seq: u64,
        ask: impl FnOnce(&Arc<Block>, &Chunk) -> Option<T>,
    ) -> Result<T, Error> {
        let index = &self.whole.index;
        let number = index.block_of(entry.ordinal, seq).unwrap_or(0);
        let place = index.blocks.get(number).map_or(self.whole.footer.index, |at| at.place);
        let missing =
            || self.whole.corrupt(place.offset, format!("it has no seq {seq} of {subject}"));
        let block = self.whole.cached(place, Part::Block)?;
        let has = |chunk: &&Chunk| {
            (chunk.first_seq..=chunk.last_seq()).contains(&seq) && block.subject(chunk) == subject
        };
        let chunk = block.chunks.iter().find(has);
        chunk.and_then(|chunk| ask(&block, chunk)).ok_or_else(missing)
    }
}
