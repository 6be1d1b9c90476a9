//! A group while it is put together: numbers, chains and duplicates, without any I/O.

use std::{sync::Arc, time::Instant};

use foldhash::{HashMap, HashMapExt as _};
use matchwire_domain::{
    chain::Digest,
    envelope::{Event, Recorded},
    subject::Subject,
    timestamp::Timestamp,
};

use crate::{
    append::{Append, Conflict, Outcome},
    medium::Record,
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
pub(crate) struct First {
    pub(crate) seq: u64,
    pub(crate) leaf: Digest,
    pub(crate) chain: Digest,
}

impl First {
    pub(crate) fn of(recorded: &Recorded) -> Self {
        Self { seq: recorded.seq, leaf: recorded.leaf, chain: recorded.chain }
    }

    fn duplicate(self, leaf: Digest) -> Outcome {
        let differs = self.leaf != leaf;
        Outcome::Duplicate { seq: self.seq, leaf: self.leaf, chain: self.chain, differs }
    }
}

/// The records of the next group.
pub(crate) struct Group<'a> {
    log_id: &'a str,
    recorded: Timestamp,
    pub(crate) records: Vec<Record>,
    pub(crate) runs: Vec<Run>,
    pub(crate) duplicates: u64,
    heads: HashMap<Subject, (u64, Digest)>,
    /// Source and id of each record.
    identities: Vec<(Arc<str>, Arc<str>)>,
    /// The first record with a fingerprint.
    ids: HashMap<u64, usize>,
    /// Records whose fingerprint another identity of this group has, too.
    collided: Vec<usize>,
}

impl<'a> Group<'a> {
    pub(crate) fn new(log_id: &'a str, recorded: Timestamp) -> Self {
        Self {
            log_id,
            recorded,
            records: Vec::new(),
            runs: Vec::new(),
            duplicates: 0,
            heads: HashMap::new(),
            identities: Vec::new(),
            ids: HashMap::new(),
            collided: Vec::new(),
        }
    }

    /// Adds an append to a stream whose durable head is `head`. `known` has, for each event that
    /// is durable already, where; it may be shorter than the events.
    pub(crate) fn stage(
        &mut self,
        hashed: Hashed,
        known: &[Option<First>],
        head: Option<(u64, Digest)>,
    ) -> Result<Vec<Outcome>, Conflict> {
        let Hashed { append, fingerprints, leaves } = hashed;
        let Append { subject, events, expected_seq, received } = append;
        let known = |index: usize| known.get(index).copied().flatten();
        let (log_id, genesis) = (self.log_id, &subject);
        let head = || head.unwrap_or_else(|| (0, Digest::genesis(log_id, genesis)));
        let (mut seq, mut chain) = self.heads.get(&subject).copied().unwrap_or_else(head);

        let mut all = events.iter().zip(&fingerprints).enumerate();
        let is_new = |(index, (event, fingerprint)): (usize, (&Event, &u64))| {
            known(index).is_none() && self.find(*fingerprint, event).is_none()
        };
        if let Some(expected) = expected_seq.filter(|expected| *expected != seq)
            && all.any(is_new)
        {
            return Err(Conflict { expected, actual: seq });
        }

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
            self.push(fingerprint, event, First { seq, leaf, chain });
        }
        self.end_run(subject, received, self.records.len() - before, (seq, chain));
        Ok(outcomes)
    }

    fn push(&mut self, fingerprint: u64, event: Event, first: First) {
        let index = self.records.len();
        if *self.ids.entry(fingerprint).or_insert(index) != index {
            self.collided.push(index);
        }
        let First { seq, leaf, chain } = first;
        let Event { subject, source, id, stored } = event;
        self.identities.push((source, id));
        let recorded = Recorded { seq, recorded: self.recorded, leaf, chain, stored };
        self.records.push(Record { subject, fingerprint, recorded });
    }

    fn end_run(&mut self, subject: Subject, received: Instant, events: usize, head: (u64, Digest)) {
        if events > 0 {
            self.heads.insert(subject.clone(), head);
            self.runs.push(Run { subject, received, events });
        }
    }

    /// The record of this group with an event's identity.
    fn find(&self, fingerprint: u64, event: &Event) -> Option<First> {
        let first = self.ids.get(&fingerprint)?;
        let same = |index: &&usize| {
            let identity = self.identities.get(**index);
            let record = self.records.get(**index);
            record.is_some_and(|record| record.subject == event.subject)
                && identity.is_some_and(|(source, id)| *source == event.source && *id == event.id)
        };
        let index = std::iter::once(first).chain(&self.collided).find(same)?;
        self.records.get(*index).map(|record| First::of(&record.recorded))
    }
}

#[cfg(test)]
mod tests {
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

    fn seqs(outcomes: Result<Vec<Outcome>, Conflict>) -> Vec<i64> {
        let seq = |outcome: Outcome| match outcome {
            Outcome::Appended { seq, .. } => seq.cast_signed(),
            Outcome::Duplicate { seq, .. } => -seq.cast_signed(),
        };
        outcomes.unwrap().into_iter().map(seq).collect()
    }

    #[test]
    fn a_fingerprint_that_is_shared_within_a_group_loses_nothing() {
        let mut group = Group::new("0123456789abcdef", Timestamp::from_ms(0));
        assert_eq!(seqs(group.stage(hashed(&["1", "2", "1"], 7), &[], None)), [1, 2, -1]);
        assert_eq!(seqs(group.stage(hashed(&["3", "2", "4"], 7), &[], None)), [3, -2, 4]);
        assert_eq!(group.records.len(), 4);
    }

    #[test]
    fn numbers_go_on_from_the_durable_head() {
        let mut group = Group::new("0123456789abcdef", Timestamp::from_ms(0));
        let head = Some((41, Digest([1; 32])));
        let first = First { seq: 9, leaf: Digest([2; 32]), chain: Digest([3; 32]) };
        let outcomes = group.stage(hashed(&["1", "2"], 7), &[Some(first)], head).unwrap();
        assert!(matches!(outcomes[0], Outcome::Duplicate { seq: 9, differs: true, .. }));
        assert!(matches!(outcomes[1], Outcome::Appended { seq: 42, .. }));
        let chain = Digest([1; 32]).next(42, Timestamp::from_ms(0), group.records[0].recorded.leaf);
        assert_eq!(group.records[0].recorded.chain, chain);
    }
}
