//! The medium alone.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use matchwire_domain::{chain::Digest, envelope::Recorded, subject::Subject, timestamp::Timestamp};

use super::{Open, subject};
use crate::{
    Error, Lineage, Medium,
    medium::{Head, Identity, Record, Tail},
};

/// Makes the records of a medium, each stream with its chain.
struct Records {
    id: String,
    heads: BTreeMap<Subject, (u64, Digest)>,
}

impl Records {
    fn of(medium: &dyn Medium) -> Self {
        Self { id: medium.identity().id.clone(), heads: BTreeMap::new() }
    }

    /// The next record of a stream, with content of a given size.
    fn next(&mut self, stream: &str, bytes: usize) -> Record {
        let subject = subject(stream);
        let genesis = || (0, Digest::genesis(&self.id, &subject));
        let head = self.heads.entry(subject.clone()).or_insert_with(genesis);
        let (seq, recorded) = (head.0 + 1, Timestamp::from_ms(i64::try_from(head.0).unwrap() * 10));
        let stored = vec![u8::try_from(seq % 251).unwrap(); bytes];
        let leaf = Digest::leaf(&stored);
        *head = (seq, head.1.next(seq, recorded, leaf));
        let recorded = Recorded { seq, recorded, leaf, chain: head.1, stored: stored.into() };
        Record { subject, fingerprint: seq % 3, recorded, seals: false }
    }
}

fn same(a: &[Recorded], b: &[Record]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b.iter().map(|record| &record.recorded)) {
        assert_eq!((a.seq, a.recorded, a.leaf, a.chain), (b.seq, b.recorded, b.leaf, b.chain));
        assert_eq!(a.stored, b.stored, "the bytes of {}", a.seq);
    }
}

/// An empty medium has an id that stays, the first position, and nothing else.
pub fn starts_empty(open: &Open) {
    let medium = open();
    let Identity { id, lineage, .. } = medium.identity().clone();
    assert_eq!(lineage, Lineage::new(&id));
    assert!(id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
    assert_eq!(medium.tail(), Tail { position: 1, recorded: Timestamp::default() });
    assert_eq!(medium.head(&subject("match/a/1")).unwrap(), None);
    assert_eq!(medium.seq_before(&subject("match/a/1"), 1).unwrap(), 0);
    assert_eq!((medium.stretch(0), medium.stretch(7)), (0, 7));
    assert_eq!(medium.subjects("", None, 0..=u64::MAX, 9).unwrap(), []);
    assert!(medium.read(&subject("match/a/1"), 0, 10, 1_000).unwrap().is_empty());
    assert!(medium.lookup(&subject("match/a/1"), &[0, 1, 2]).unwrap().found.is_empty());
    drop(medium);
    assert_eq!(open().identity().id, id);
}

/// It can be read on from every position, stream by stream.
pub fn knows_where_records_are(open: &Open) {
    let medium = open();
    let mut records = Records::of(&*medium);
    let streams = ["match/a/1", "match/b/1", "match/ab/1", "room/r"];
    // Of each group, which streams have how many records.
    let groups =
        [[2, 0, 0, 0], [1, 3, 0, 0], [0, 1, 0, 9], [0, 0, 0, 1], [4, 0, 1, 0], [1, 1, 0, 0]];
    for (counts, position) in groups.iter().zip(1..) {
        let each = streams.iter().zip(counts);
        let all = each.flat_map(|(stream, count)| std::iter::repeat_n(*stream, *count));
        let group: Vec<Record> = all.map(|stream| records.next(stream, 40)).collect();
        medium.append(position, &group).unwrap();
    }
    drop(medium);
    let medium = open();
    for (at, stream) in streams.iter().enumerate() {
        for position in 0..=9_u64 {
            let before = groups.iter().zip(1..).filter(|(_, at)| *at < position);
            let expected: usize = before.map(|(counts, _)| counts[at]).sum();
            let seq = medium.seq_before(&subject(stream), position).unwrap();
            assert_eq!(seq, expected as u64, "{stream} before {position}");
        }
    }
    for (first, last) in (0..8).flat_map(|first| (first..8).map(move |last| (first, last))) {
        let has =
            |at: usize| groups.iter().zip(1..).any(|(c, p)| c[at] > 0 && first <= p && p <= last);
        for prefix in ["", "match/", "match/a/", "room/x"] {
            let found = medium.subjects(prefix, None, first..=last, 9).unwrap();
            assert!(found.is_sorted_by_key(Subject::as_str));
            assert!(found.iter().all(|subject| subject.as_str().starts_with(prefix)));
            for (at, stream) in streams.iter().enumerate() {
                let is_there = found.iter().any(|subject| subject.as_str() == *stream);
                let is_due = has(at) && stream.starts_with(prefix);
                assert!(is_there || !is_due, "{stream} in {first} to {last}");
            }
        }
    }
    let mut position = 0;
    while position < 6 {
        let next = medium.stretch(position);
        assert!(position < next && next <= 6, "{next} after {position}");
        position = next;
    }
    assert_eq!(medium.stretch(6), 6);
}

/// What was appended is there, in order, also after opening again, and can be appended to.
pub fn keeps_groups_in_order(open: &Open) {
    let (a, b) = ("match/a/1", "match/b/1");
    let mut records = Records::of(&*open());
    let groups = [
        vec![records.next(a, 300), records.next(b, 0), records.next(a, 1)],
        vec![records.next(b, 5_000)],
        vec![records.next(b, 7), records.next(b, 8), records.next(a, 9)],
    ];
    for (index, group) in groups.iter().enumerate() {
        // Opened again before each.
        let medium = open();
        let position = index as u64 + 1;
        assert_eq!(medium.tail().position, position);
        let written = medium.append(position, group).unwrap();
        assert!(written.bytes >= group.iter().map(|r| r.recorded.stored.len() as u64).sum());
        assert_eq!(medium.tail().position, position + 1);
        check(&*medium, groups.iter().take(index + 1).flatten());
        drop(medium);
        check(&*open(), groups.iter().take(index + 1).flatten());
    }
}

/// Checks that a medium has these records of two streams, and nothing else.
fn check<'a>(medium: &dyn Medium, records: impl Iterator<Item = &'a Record> + Clone) {
    for stream in ["match/a/1", "match/b/1"].map(subject) {
        let of_stream: Vec<Record> =
            records.clone().filter(|record| record.subject == stream).cloned().collect();
        same(&medium.read(&stream, 0, 100, 1 << 20).unwrap(), &of_stream);
        let last = &of_stream.last().unwrap().recorded;
        let head = Head { seq: last.seq, chain: last.chain, is_sealed: false };
        assert_eq!(medium.head(&stream).unwrap(), Some(head));
        assert_eq!(medium.seq_before(&stream, 1).unwrap(), 0);
    }
    let streams = ["match/a/1", "match/b/1"].map(subject);
    assert_eq!(medium.subjects("", None, 0..=u64::MAX, 9).unwrap(), streams);
    let latest = records.map(|record| record.recorded.recorded).max().unwrap();
    assert_eq!(medium.tail().recorded, latest);
}

/// An append at another position than the next is fenced off and changes nothing.
pub fn refuses_other_positions(open: &Open) {
    let stream = "match/a/1";
    let medium = open();
    let mut records = Records::of(&*medium);
    medium.append(1, &[records.next(stream, 10)]).unwrap();
    drop(medium);
    let next = [records.next(stream, 10)];
    for position in [0, 1, 3, u64::MAX] {
        let medium = open();
        let refused = medium.append(position, &next);
        assert!(matches!(refused, Err(Error::Stopped)), "position {position}");
        assert_eq!(medium.read(&subject(stream), 0, 10, 1_000).unwrap().len(), 1);
    }
    open().append(2, &next).unwrap();
}

/// A page starts after `after` and keeps to its limits, but has one record at least.
pub fn reads_in_pages(open: &Open) {
    let stream = "match/a/1";
    let medium = open();
    let mut make = Records::of(&*medium);
    let records: Vec<Record> = (1..=30).map(|_| make.next(stream, 100)).collect();
    for (index, group) in records.chunks(7).enumerate() {
        medium.append(index as u64 + 1, group).unwrap();
    }
    drop(medium);
    let medium = open();
    let stream = subject(stream);
    let page = |after, limit, bytes| medium.read(&stream, after, limit, bytes).unwrap();
    same(&page(0, 100, 1 << 20), &records);
    same(&page(13, 4, 1 << 20), &records[13..17]);
    same(&page(28, 4, 1 << 20), &records[28..]);
    same(&page(5, 100, 250), &records[5..8]);
    same(&page(5, 100, 1), &records[5..6]);
    for (after, limit) in [(30, 10), (31, 10), (u64::MAX, 10), (0, 0)] {
        same(&page(after, limit, 1 << 20), &[]);
    }
}

/// A look-up finds every record of the stream with a fingerprint, and none of other streams.
pub fn looks_up_all_that_share_a_fingerprint(open: &Open) {
    let medium = open();
    let mut records = Records::of(&*medium);
    for position in 1..=5 {
        let group = [records.next("match/a/1", 10), records.next("match/b/1", 10)];
        medium.append(position, &group).unwrap();
    }
    let check = |medium: &dyn Medium| {
        let found = medium.lookup(&subject("match/a/1"), &[1, 0, 9]).unwrap().found;
        let mut found: Vec<(usize, u64)> = found.iter().map(|hit| (hit.index, hit.seq)).collect();
        found.sort_unstable();
        assert_eq!(found, [(0, 1), (0, 4), (1, 3)]);
        assert!(medium.lookup(&subject("match/c/1"), &[1, 0]).unwrap().found.is_empty());
    };
    check(&*medium);
    drop(medium);
    check(&*open());
}

/// A reader sees a prefix of a stream that only grows while a writer appends.
pub fn reads_while_it_writes(open: &Open) {
    let (medium, done) = (open(), AtomicBool::new(false));
    let stream = subject("match/a/1");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut seen = 0;
            while !done.load(Ordering::SeqCst) {
                let records = medium.read(&stream, 0, 1_000, 1 << 20).unwrap();
                assert!(records.len() >= seen, "what was there has gone");
                assert!(records.iter().zip(1..).all(|(record, seq)| record.seq == seq));
                seen = records.len();
            }
        });
        let mut records = Records::of(&*medium);
        for position in 1..=50 {
            let group = [records.next("match/a/1", 64), records.next("match/a/1", 64)];
            medium.append(position, &group).unwrap();
        }
        done.store(true, Ordering::SeqCst);
    });
    assert_eq!(medium.read(&stream, 0, 1_000, 1 << 20).unwrap().len(), 100);
}

/// Bytes of any kind and size come back as they were.
pub fn keeps_any_bytes(open: &Open) {
    let stream = "source/cs-log/~-_.A/auto";
    let sizes = [0, 1, 4_095, 4_096, 4_097, 70_000, 1 << 20];
    let medium = open();
    let mut make = Records::of(&*medium);
    let records = sizes.map(|bytes| make.next(stream, bytes));
    medium.append(1, &records).unwrap();
    drop(medium);
    same(&open().read(&subject(stream), 0, 100, 8 << 20).unwrap(), &records);
}
