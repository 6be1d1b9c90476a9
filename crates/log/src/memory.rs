//! The medium in memory: the reference for the others, and what tests run on.

use std::{
    collections::{BTreeMap, HashMap},
    ops::{Bound, RangeInclusive},
    sync::Arc,
};

use matchwire_domain::{envelope::Recorded, subject::Subject, timestamp::Timestamp};
use parking_lot::RwLock;

use crate::{
    Error, Lineage,
    medium::{Durability, Head, Hit, Hits, Identity, Medium, Record, Tail, Written},
};

/// A medium in memory. Clones share the records, so that opening a clone is what opening a
/// directory again is for others. It is bounded by nothing but the machine.
#[derive(Clone)]
pub struct Memory {
    identity: Arc<Identity>,
    kept: Arc<RwLock<Kept>>,
}

struct Kept {
    tail: Tail,
    streams: BTreeMap<String, Stream>,
    ids: HashMap<u64, Vec<(Subject, u64)>>,
}

struct Stream {
    subject: Subject,
    records: Vec<Recorded>,
    /// The position of each record.
    positions: Vec<u64>,
    is_sealed: bool,
}

impl Memory {
    /// A medium without records.
    #[expect(clippy::new_without_default, reason = "every one has another id")]
    pub fn new() -> Self {
        use std::hash::{BuildHasher, RandomState};
        let id = format!("{:016x}", RandomState::new().hash_one(0));
        let lineage = Lineage::new(&id);
        let tail = Tail { position: 1, recorded: Timestamp::default() };
        let kept = Kept { tail, streams: BTreeMap::new(), ids: HashMap::new() };
        Self {
            identity: Arc::new(Identity { id, durability: Durability::Memory, lineage }),
            kept: Arc::new(RwLock::new(kept)),
        }
    }
}

impl Medium for Memory {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn tail(&self) -> Tail {
        self.kept.read().tail
    }

    fn head(&self, subject: &Subject) -> Result<Option<Head>, Error> {
        let kept = self.kept.read();
        let Some(Stream { records, is_sealed, .. }) = kept.streams.get(subject.as_str()) else {
            return Ok(None);
        };
        let head =
            |last: &Recorded| Head { seq: last.seq, chain: last.chain, is_sealed: *is_sealed };
        Ok(records.last().map(head))
    }

    fn seq_before(&self, subject: &Subject, position: u64) -> Result<u64, Error> {
        let kept = self.kept.read();
        let before = |stream: &Stream| stream.positions.partition_point(|at| *at < position) as u64;
        Ok(kept.streams.get(subject.as_str()).map_or(0, before))
    }

    fn subjects(
        &self,
        prefix: &str,
        after: Option<&str>,
        positions: RangeInclusive<u64>,
        limit: usize,
    ) -> Result<Vec<Subject>, Error> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let kept = self.kept.read();
        let all = kept.streams.range::<str, _>((from, Bound::Unbounded));
        let matching = all.take_while(|(subject, _)| subject.starts_with(prefix));
        let is_there = |stream: &Stream| {
            let first = stream.positions.partition_point(|at| at < positions.start());
            stream.positions.get(first).is_some_and(|at| positions.contains(at))
        };
        let there = matching.filter(|(_, stream)| is_there(stream));
        Ok(there.take(limit).map(|(_, stream)| stream.subject.clone()).collect())
    }

    fn stretch(&self, position: u64) -> u64 {
        position.max(self.kept.read().tail.position - 1)
    }

    fn append(&self, position: u64, group: &[Record]) -> Result<Written, Error> {
        let mut kept = self.kept.write();
        if position != kept.tail.position {
            return Err(Error::Stopped);
        }
        let mut written = Written::default();
        for Record { subject, fingerprint, recorded, seals } in group {
            written.bytes += recorded.stored.len() as u64;
            kept.ids.entry(*fingerprint).or_default().push((subject.clone(), recorded.seq));
            kept.tail.recorded = kept.tail.recorded.max(recorded.recorded);
            let stream = kept.streams.entry(subject.to_string()).or_insert_with(|| Stream {
                subject: subject.clone(),
                records: Vec::new(),
                positions: Vec::new(),
                is_sealed: false,
            });
            stream.records.push(recorded.clone());
            stream.positions.push(position);
            stream.is_sealed = *seals;
        }
        kept.tail.position += 1;
        Ok(written)
    }

    fn read(
        &self,
        subject: &Subject,
        after: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Recorded>, Error> {
        let kept = self.kept.read();
        let skip = usize::try_from(after).unwrap_or(usize::MAX);
        let stream = kept.streams.get(subject.as_str());
        let records = stream.and_then(|stream| stream.records.get(skip..)).unwrap_or_default();
        let mut bytes = 0;
        let fits = |record: &&Recorded| {
            let more = bytes < limit_bytes;
            bytes += record.stored.len();
            more
        };
        Ok(records.iter().take(limit).take_while(fits).cloned().collect())
    }

    fn lookup(&self, subject: &Subject, fingerprints: &[u64]) -> Result<Hits, Error> {
        let kept = self.kept.read();
        let mut found = Vec::new();
        for (index, fingerprint) in fingerprints.iter().enumerate() {
            let seqs = kept.ids.get(fingerprint).into_iter().flatten();
            let hit = |(_, seq): &(Subject, u64)| Hit { index, seq: *seq, check: None };
            found.extend(seqs.filter(|(s, _)| s == subject).map(hit));
        }
        Ok(Hits { found, hidden: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::Open;

    fn fresh() -> Open {
        let memory = Memory::new();
        Box::new(move || Box::new(memory.clone()))
    }

    crate::conformance_tests!(fresh);
}
