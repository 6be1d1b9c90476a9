//! The medium in memory: the reference for the others, and what tests run on.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use matchwire_domain::{envelope::Recorded, subject::Subject, timestamp::Timestamp};
use parking_lot::RwLock;

use crate::{
    Error,
    medium::{Durability, Head, Medium, Record, Tail, Written},
};

/// A medium in memory. Clones share the records, so that opening a clone is what opening a
/// directory again is for others. It is bounded by nothing but the machine.
#[derive(Clone)]
pub struct Memory {
    id: Arc<str>,
    kept: Arc<RwLock<Kept>>,
}

struct Kept {
    tail: Tail,
    streams: BTreeMap<Subject, Vec<Recorded>>,
    ids: HashMap<u64, Vec<(Subject, u64)>>,
}

impl Memory {
    /// A medium without records.
    #[expect(clippy::new_without_default, reason = "every one has another id")]
    pub fn new() -> Self {
        use std::hash::{BuildHasher, RandomState};
        let id = RandomState::new().hash_one(0);
        let tail = Tail { position: 1, recorded: Timestamp::default() };
        Self {
            id: format!("{id:016x}").into(),
            kept: Arc::new(RwLock::new(Kept {
                tail,
                streams: BTreeMap::new(),
                ids: HashMap::new(),
            })),
        }
    }
}

impl Medium for Memory {
    fn id(&self) -> &str {
        &self.id
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn tail(&self) -> Tail {
        self.kept.read().tail
    }

    fn heads(&self) -> Vec<Head> {
        let kept = self.kept.read();
        let last = |(subject, records): (&Subject, &Vec<Recorded>)| {
            let last = records.last()?;
            Some(Head { subject: subject.clone(), seq: last.seq, chain: last.chain })
        };
        kept.streams.iter().filter_map(last).collect()
    }

    fn append(&self, position: u64, group: &[Record]) -> Result<Written, Error> {
        let mut kept = self.kept.write();
        if position != kept.tail.position {
            return Err(Error::Stopped);
        }
        let mut written = Written::default();
        for Record { subject, fingerprint, recorded } in group {
            written.bytes += recorded.stored.len() as u64;
            kept.ids.entry(*fingerprint).or_default().push((subject.clone(), recorded.seq));
            kept.tail.recorded = kept.tail.recorded.max(recorded.recorded);
            kept.streams.entry(subject.clone()).or_default().push(recorded.clone());
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
        let records = kept.streams.get(subject).and_then(|r| r.get(skip..)).unwrap_or_default();
        let mut bytes = 0;
        let fits = |record: &&Recorded| {
            let more = bytes < limit_bytes;
            bytes += record.stored.len();
            more
        };
        Ok(records.iter().take(limit).take_while(fits).cloned().collect())
    }

    fn lookup(&self, subject: &Subject, fingerprints: &[u64]) -> Result<Vec<(usize, u64)>, Error> {
        let kept = self.kept.read();
        let mut found = Vec::new();
        for (index, fingerprint) in fingerprints.iter().enumerate() {
            let seqs = kept.ids.get(fingerprint).into_iter().flatten();
            found.extend(seqs.filter(|(s, _)| s == subject).map(|(_, seq)| (index, *seq)));
        }
        Ok(found)
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
