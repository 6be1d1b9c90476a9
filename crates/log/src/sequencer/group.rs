//! A group while it is put together: numbers, chains and duplicates, without any I/O.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};
use matchwire_domain::{
    chain::Digest,
    envelope::{Event, Recorded},
    subject::Subject,
    timestamp::Timestamp,
};

use crate::{
    Defect,
    append::{Append, Outcome, Refused},
    medium::{Head, Record},
    streams::Run,
};

/// An append whose events are hashed.
pub(crate) struct Hashed {
    pub(crate) append: Append,
    /// One for each event.
    pub(crate) fingerprints: Vec<u64>,
    /// One for each event.
    pub(crate) leaves: Vec<Digest>,
}

/// An event that was there before, as far as a duplicate's answer needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum First {
    /// Its record is at hand.
    Recorded { seq: u64, leaf: Digest, chain: Digest },
    /// Only its identity is.
    Known { seq: u64 },
}

impl First {
    pub(crate) fn of(recorded: &Recorded) -> Self {
        Self::Recorded { seq: recorded.seq, leaf: recorded.leaf, chain: recorded.chain }
    }

    fn duplicate(self, of: Digest) -> Outcome {
        match self {
            Self::Recorded { seq, leaf, chain } => {
                Outcome::Duplicate { seq, leaf, chain, differs: leaf != of }
            }
            Self::Known { seq } => Outcome::Known { seq },
        }
    }
}

/// The records of the next group.
pub(crate) struct Group {
    log_id: String,
    recorded: Timestamp,
    /// The group before, while it may not be durable yet: this one goes on where that one ends.
    before: Option<Arc<Group>>,
    pub(crate) records: Vec<Record>,
    pub(crate) runs: Vec<Run>,
    pub(crate) duplicates: u64,
    heads: HashMap<Subject, Head>,
    /// Source and id of each record.
    identities: Vec<(Arc<str>, Arc<str>)>,
    /// The first record with a fingerprint.
    ids: HashMap<u64, usize>,
    /// Records whose fingerprint another identity of this group has, too.
    collided: Vec<usize>,
}

impl Group {
    pub(crate) fn new(log_id: String, recorded: Timestamp, before: Option<Arc<Group>>) -> Self {
        Self {
            log_id,
            recorded,
            before,
            records: Vec::new(),
            runs: Vec::new(),
            duplicates: 0,
            heads: HashMap::new(),
            identities: Vec::new(),
            ids: HashMap::new(),
            collided: Vec::new(),
        }
    }

    /// Lets go of the group before, once nothing more is added.
    pub(crate) fn detach(&mut self) {
        self.before = None;
    }

    /// Adds an append to a stream whose durable head is `head`. `known` has, for each event that
    /// is durable already, where; it may be shorter than the events.
    pub(crate) fn stage(
        &mut self,
        hashed: Hashed,
        known: &[Option<First>],
        head: Option<Head>,
    ) -> Result<Vec<Outcome>, Refused> {
        let Hashed { append, fingerprints, leaves } = hashed;
        let Append { subject, events, expected_seq, received } = append;
        let known = |index: usize| known.get(index).copied().flatten();
        let staged = self.head(&subject).filter(|_| !Defect::ReuseSeq.is_on());
        let head = staged.or(head);
        if let Some(refused) = refusal(&events, expected_seq, head) {
            let mut all = events.iter().zip(&fingerprints).enumerate();
            let is_new = |(index, (event, fingerprint)): (usize, (&Event, &u64))| {
                known(index).is_none() && self.find(*fingerprint, event).is_none()
            };
            if all.any(is_new) {
                return Err(refused);
            }
        }
        let genesis = || (0, Digest::genesis(&self.log_id, &subject));
        let (mut seq, mut chain) = head.map_or_else(genesis, |head| (head.seq, head.chain));

        let before = self.records.len();
        let mut outcomes = Vec::with_capacity(events.len());
        self.records.reserve(events.len());
        self.identities.reserve(events.len());
        self.ids.reserve(events.len());
        for (index, (event, (fingerprint, leaf))) in
            events.into_iter().zip(fingerprints.into_iter().zip(leaves)).enumerate()
        {
            if let Some(first) = known(index).or_else(|| self.find(fingerprint, &event)) {
                self.duplicates += 1;
                outcomes.push(first.duplicate(leaf));
                continue;
            }
            seq += 1;
            chain = chain.next(seq, self.recorded, leaf);
            outcomes.push(Outcome::Appended { seq, leaf, chain });
            self.push(fingerprint, event, (seq, leaf, chain));
        }
        let stored = self.records.len() - before;
        if let Some(Record { seals, .. }) = self.records.last().filter(|_| stored > 0) {
            self.heads.insert(subject.clone(), Head { seq, chain, is_sealed: *seals });
            self.runs.push(Run { subject, received, events: stored });
        }
        Ok(outcomes)
    }

    fn push(&mut self, fingerprint: u64, event: Event, (seq, leaf, chain): (u64, Digest, Digest)) {
        let index = self.records.len();
        if *self.ids.entry(fingerprint).or_insert(index) != index {
            self.collided.push(index);
        }
        let Event { subject, source, id, stored, seals } = event;
        self.identities.push((source, id));
        let recorded = Recorded { seq, recorded: self.recorded, leaf, chain, stored };
        self.records.push(Record { subject, fingerprint, recorded, seals });
    }

    /// The head that a stream has with this group, or with the one before.
    fn head(&self, subject: &Subject) -> Option<Head> {
        let before = || self.before.as_ref().and_then(|before| before.head(subject));
        self.heads.get(subject).copied().or_else(before)
    }

    /// The record of this group, or of the one before, with an event's identity.
    fn find(&self, fingerprint: u64, event: &Event) -> Option<First> {
        let before = || self.before.as_ref().and_then(|before| before.find(fingerprint, event));
        let Some(first) = self.ids.get(&fingerprint) else { return before() };
        let same = |index: &&usize| {
            let identity = self.identities.get(**index);
            let record = self.records.get(**index);
            record.is_some_and(|record| record.subject == event.subject)
                && identity.is_some_and(|(source, id)| *source == event.source && *id == event.id)
        };
        let index = std::iter::once(first).chain(&self.collided).find(same);
        let record = index.and_then(|index| self.records.get(*index));
        record.map(|record| First::of(&record.recorded)).or_else(before)
    }
}

/// Why an append with these events is refused, if any of them is new.
fn refusal(events: &[Event], expected_seq: Option<u64>, head: Option<Head>) -> Option<Refused> {
    let actual = head.map_or(0, |head| head.seq);
    let conflict = |expected| Refused::Conflict { expected, actual };
    let sealed = head.filter(|head| head.is_sealed).map(|_| Refused::Sealed { seq: actual });
    let (_, others) = events.split_last()?;
    sealed
        .or(expected_seq.filter(|expected| *expected != actual).map(conflict))
        .or(others.iter().any(|event| event.seals).then_some(Refused::NotLast))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use matchwire_domain::envelope::Attributes;

    use super::*;

    fn hashed(ids: &[&str], fingerprint: u64) -> Hashed {
        let subject = Subject::parse("match/a/1").unwrap();
        let event = |id: &&str| {
            let json = format!(
                r#"{{"specversion":"1.0","id":"{id}","source":"s","subject":"match/a/1","type":"x.t"}}"#
            );
            Event::new(&Attributes::parse(&json).unwrap(), "{}").unwrap()
        };
        let events: Vec<Event> = ids.iter().map(event).collect();
        Hashed {
            fingerprints: vec![fingerprint; ids.len()],
            leaves: events.iter().map(|event| Digest::leaf(&event.stored)).collect(),
            append: Append { subject, events, expected_seq: None, received: Instant::now() },
        }
    }

    fn seqs(outcomes: Result<Vec<Outcome>, Refused>) -> Vec<i64> {
        let seq = |outcome: Outcome| match outcome {
            Outcome::Appended { seq, .. } => seq.cast_signed(),
            Outcome::Duplicate { seq, .. } | Outcome::Known { seq } => -seq.cast_signed(),
        };
        outcomes.unwrap().into_iter().map(seq).collect()
    }

    #[test]
    fn a_fingerprint_that_is_shared_within_a_group_loses_nothing() {
        let mut group = Group::new("0123456789abcdef".into(), Timestamp::from_ms(0), None);
        assert_eq!(seqs(group.stage(hashed(&["1", "2", "1"], 7), &[], None)), [1, 2, -1]);
        assert_eq!(seqs(group.stage(hashed(&["3", "2", "4"], 7), &[], None)), [3, -2, 4]);
        assert_eq!(group.records.len(), 4);
    }

    #[test]
    fn numbers_go_on_from_the_durable_head() {
        let mut group = Group::new("0123456789abcdef".into(), Timestamp::from_ms(0), None);
        let head = Some(Head { seq: 41, chain: Digest([1; 32]), is_sealed: false });
        let first = First::Recorded { seq: 9, leaf: Digest([2; 32]), chain: Digest([3; 32]) };
        let outcomes = group.stage(hashed(&["1", "2"], 7), &[Some(first)], head).unwrap();
        assert!(matches!(outcomes[0], Outcome::Duplicate { seq: 9, differs: true, .. }));
        assert!(matches!(outcomes[1], Outcome::Appended { seq: 42, .. }));
        let chain = Digest([1; 32]).next(42, Timestamp::from_ms(0), group.records[0].recorded.leaf);
        assert_eq!(group.records[0].recorded.chain, chain);
    }
}
