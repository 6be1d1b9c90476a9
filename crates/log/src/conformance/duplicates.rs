//! The sequencer over the medium: identity, and the head that an append requires.

use std::{ops::RangeInclusive, sync::Barrier, thread};

use matchwire_domain::{envelope::Recorded, subject::Subject};

use super::{Open, append, call, event, ids, put, seqs, subject};
use crate::{
    Append, Error, Medium, Outcome, Refused, conformance,
    medium::{Head, Hits, Identity, Record, Tail, Written},
};

/// An identity is stream, source and id; the second one gets the number of the first.
pub fn finds_duplicates(open: &Open) {
    let log = conformance::open(open);
    let first = put(&log, append("match/a/1", &["1", "2"]));
    assert_eq!(seqs(&put(&log, append("match/a/1", &["2", "3", "1"]))), [-2, 3, -1]);
    assert_eq!(seqs(&put(&log, append("match/b/1", &["1"]))), [1], "another stream");
    let mut other = append("match/a/1", &["1"]);
    other.events[0].source = "other".into();
    assert_eq!(seqs(&put(&log, other)), [4], "another source");
    let Outcome::Appended { seq, leaf, chain } = first[1] else { panic!("{first:?}") };
    let again = put(&log, append("match/a/1", &["2"]));
    assert_eq!(again, [Outcome::Duplicate { seq, leaf, chain, differs: false }]);
    assert_eq!(ids(&log, "match/a/1"), ["1", "2", "3", "1"]);
}

/// Duplicates are found within one append, and over the appends of one call.
pub fn finds_duplicates_within_a_call(open: &Open) {
    let log = conformance::open(open);
    let calls = vec![append("match/a/1", &["1", "1", "2", "1"]), append("match/a/1", &["2", "3"])];
    let results: Vec<_> =
        call(&log, calls).unwrap().into_iter().map(|result| seqs(&result.unwrap())).collect();
    assert_eq!(results, [vec![1, -1, 2, -1], vec![-2, 3]]);
    assert_eq!(ids(&log, "match/a/1"), ["1", "2", "3"]);
}

/// An identity is known for as long as the stream exists.
pub fn finds_duplicates_after_reopening(open: &Open) {
    let names: Vec<String> = (0..200).map(|id| id.to_string()).collect();
    let mut seq = 0;
    for chunk in names.chunks(20) {
        let log = conformance::open(open);
        for id in chunk {
            seq += 1;
            assert_eq!(seqs(&put(&log, append("match/a/1", &[id]))), [seq]);
        }
    }
    let log = conformance::open(open);
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let again: Vec<i64> = (1..=200).map(|seq| -seq).collect();
    assert_eq!(seqs(&put(&log, append("match/a/1", &all))), again);
    assert_eq!(ids(&log, "match/a/1"), names);
}

/// The same identity with other content is a duplicate that says so, and the first one stays.
pub fn tells_what_differs(open: &Open) {
    let log = conformance::open(open);
    let with = |n| Append { events: vec![event("match/a/1", "1", n)], ..append("match/a/1", &[]) };
    let differs = |outcomes: Vec<Outcome>| match outcomes[..] {
        [Outcome::Duplicate { seq: 1, differs, .. }] => differs,
        _ => panic!("{outcomes:?}"),
    };
    put(&log, with(1));
    assert!(differs(put(&log, with(2))));
    assert!(!differs(put(&log, with(1))));
    drop(log);
    let log = conformance::open(open);
    assert!(differs(put(&log, with(2))));
    assert_eq!(ids(&log, "match/a/1").len(), 1);
}

/// A required head that does not hold fails its append, and no other of the call.
pub fn conflicts_fail_their_own_append_only(open: &Open) {
    let requiring = |expected, ids: &[&str]| Append {
        expected_seq: Some(expected),
        ..append("match/a/1", ids)
    };
    let log = conformance::open(open);
    let results = call(
        &log,
        vec![
            requiring(0, &["1"]),
            requiring(0, &["2"]),
            requiring(1, &["3", "4"]),
            append("match/b/1", &["1"]),
        ],
    );
    let results: Vec<_> =
        results.unwrap().into_iter().map(|result| result.map(|ok| seqs(&ok))).collect();
    let conflict = Err(Refused::Conflict { expected: 0, actual: 1 });
    assert_eq!(results, [Ok(vec![1]), conflict, Ok(vec![2, 3]), Ok(vec![1])]);
    drop(log);
    let log = conformance::open(open);
    let refused = call(&log, vec![requiring(2, &["5"])]).unwrap().remove(0);
    assert_eq!(refused, Err(Refused::Conflict { expected: 2, actual: 3 }));
    assert_eq!(seqs(&put(&log, requiring(3, &["5"]))), [4]);
    assert_eq!(ids(&log, "match/a/1"), ["1", "3", "4", "5"]);
}

/// Whoever repeats an append with a required head gets the answer, and a partly new one a conflict.
pub fn repeats_get_the_same_answer(open: &Open) {
    let requiring = |ids: &[&str]| Append { expected_seq: Some(0), ..append("match/a/1", ids) };
    let log = conformance::open(open);
    put(&log, requiring(&["1", "2"]));
    assert_eq!(seqs(&put(&log, requiring(&["1", "2"]))), [-1, -2]);
    let partly_new = call(&log, vec![requiring(&["1", "2", "3"])]).unwrap().remove(0);
    assert_eq!(partly_new, Err(Refused::Conflict { expected: 0, actual: 2 }));
    assert_eq!(ids(&log, "match/a/1"), ["1", "2"]);
}

/// Events that share a fingerprint by chance are told apart by their records.
pub fn a_shared_fingerprint_loses_nothing(open: &Open) {
    let medium = Colliding(open());
    let clock = std::sync::Arc::new(crate::ManualClock::new(0));
    let log = crate::Log::open(Box::new(medium), clock).unwrap();
    for round in 0..2 {
        for (id, seq) in ["1", "2", "3"].into_iter().zip(1..) {
            let seq = if round == 0 { seq } else { -seq };
            assert_eq!(seqs(&put(&log, append("match/a/1", &[id]))), [seq]);
        }
    }
    assert_eq!(log.find(&subject("match/a/1"), "s", "2").unwrap().map(|r| r.seq), Some(2));
    assert_eq!(log.find(&subject("match/a/1"), "s", "4").unwrap().map(|r| r.seq), None);
}

/// One of several that append the same at the same time stores it, and all learn its number.
pub fn concurrent_duplicates_are_stored_once(open: &Open) {
    const THREADS: usize = 4;
    let log = conformance::open(open);
    let barrier = Barrier::new(THREADS);
    for round in 0..10 {
        let id = round.to_string();
        let stored: i64 = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        let seq = seqs(&put(&log, append("match/a/1", &[&id])))[0];
                        assert_eq!(seq.abs(), round + 1);
                        i64::from(seq > 0)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(stored, 1);
    }
}

/// A medium in which all events of a stream have the same fingerprint.
struct Colliding(Box<dyn Medium>);

impl Medium for Colliding {
    fn identity(&self) -> &Identity {
        self.0.identity()
    }
    fn tail(&self) -> Tail {
        self.0.tail()
    }
    fn head(&self, subject: &Subject) -> Result<Option<Head>, Error> {
        self.0.head(subject)
    }
    fn seq_before(&self, subject: &Subject, position: u64) -> Result<u64, Error> {
        self.0.seq_before(subject, position)
    }
    fn subjects(
        &self,
        prefix: &str,
        after: Option<&str>,
        positions: RangeInclusive<u64>,
        limit: usize,
    ) -> Result<Vec<Subject>, Error> {
        self.0.subjects(prefix, after, positions, limit)
    }

    fn stretch(&self, position: u64) -> u64 {
        self.0.stretch(position)
    }
    fn append(&self, position: u64, group: &[Record]) -> Result<Written, Error> {
        let group: Vec<_> =
            group.iter().cloned().map(|record| Record { fingerprint: 7, ..record }).collect();
        self.0.append(position, &group)
    }
    fn read(
        &self,
        subject: &Subject,
        after: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Recorded>, Error> {
        self.0.read(subject, after, limit, limit_bytes)
    }
    fn lookup(&self, subject: &Subject, fingerprints: &[u64]) -> Result<Hits, Error> {
        self.0.lookup(subject, &vec![7; fingerprints.len()])
    }
}
