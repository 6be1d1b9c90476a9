//! The medium alone.

use std::sync::atomic::{AtomicBool, Ordering};

use matchwire_domain::{chain::Digest, envelope::Recorded, timestamp::Timestamp};

use super::{Open, subject};
use crate::{
    Error, Medium,
    medium::{Head, Record, Tail},
};

/// A record with content of a given size, made from its seq.
fn record(stream: &str, seq: u64, bytes: usize) -> Record {
    let content = u8::try_from(seq % 251).unwrap();
    let stored: Vec<u8> = vec![content; bytes];
    Record {
        subject: subject(stream),
        fingerprint: seq % 3,
        recorded: Recorded {
            seq,
            recorded: Timestamp::from_ms(i64::try_from(seq).unwrap() * 10),
            leaf: Digest::leaf(&stored),
            chain: Digest([content; 32]),
            stored: stored.into(),
        },
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
    let id = medium.id().to_owned();
    assert!(id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
    assert_eq!(medium.tail(), Tail { position: 1, recorded: Timestamp::default() });
    assert_eq!(medium.heads(), vec![]);
    assert!(medium.read(&subject("match/a/1"), 0, 10, 1_000).unwrap().is_empty());
    assert!(medium.lookup(&subject("match/a/1"), &[0, 1, 2]).unwrap().is_empty());
    drop(medium);
    assert_eq!(open().id(), id);
}

/// What was appended is there, in order, also after opening again, and can be appended to.
pub fn keeps_groups_in_order(open: &Open) {
    let (a, b) = ("match/a/1", "match/b/1");
    let groups = [
        vec![record(a, 1, 300), record(b, 1, 0), record(a, 2, 1)],
        vec![record(b, 2, 5_000)],
        vec![record(b, 3, 7), record(b, 4, 8), record(a, 3, 9)],
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
    let mut heads = medium.heads();
    heads.sort_by(|a, b| a.subject.cmp(&b.subject));
    let mut expected = Vec::new();
    for stream in ["match/a/1", "match/b/1"].map(subject) {
        let of_stream: Vec<Record> =
            records.clone().filter(|record| record.subject == stream).cloned().collect();
        same(&medium.read(&stream, 0, 100, 1 << 20).unwrap(), &of_stream);
        let last = &of_stream.last().unwrap().recorded;
        expected.push(Head { subject: stream, seq: last.seq, chain: last.chain });
    }
    assert_eq!(heads, expected);
    let latest = records.map(|record| record.recorded.recorded).max().unwrap();
    assert_eq!(medium.tail().recorded, latest);
}

/// An append at another position than the next is fenced off and changes nothing.
pub fn refuses_other_positions(open: &Open) {
    let stream = "match/a/1";
    let medium = open();
    medium.append(1, &[record(stream, 1, 10)]).unwrap();
    drop(medium);
    for position in [0, 1, 3, u64::MAX] {
        let medium = open();
        let refused = medium.append(position, &[record(stream, 2, 10)]);
        assert!(matches!(refused, Err(Error::Stopped)), "position {position}");
        assert_eq!(medium.read(&subject(stream), 0, 10, 1_000).unwrap().len(), 1);
    }
    open().append(2, &[record(stream, 2, 10)]).unwrap();
}

/// A page starts after `after` and keeps to its limits, but has one record at least.
pub fn reads_in_pages(open: &Open) {
    let stream = "match/a/1";
    let records: Vec<Record> = (1..=30).map(|seq| record(stream, seq, 100)).collect();
    let medium = open();
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
    for position in 1..=5 {
        let group = [record("match/a/1", position, 10), record("match/b/1", position, 10)];
        medium.append(position, &group).unwrap();
    }
    let check = |medium: &dyn Medium| {
        let mut found = medium.lookup(&subject("match/a/1"), &[1, 0, 9]).unwrap();
        found.sort_unstable();
        assert_eq!(found, [(0, 1), (0, 4), (1, 3)]);
        assert!(medium.lookup(&subject("match/c/1"), &[1, 0]).unwrap().is_empty());
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
        for position in 1..=50 {
            let group =
                [record("match/a/1", position * 2 - 1, 64), record("match/a/1", position * 2, 64)];
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
    let records: Vec<Record> =
        (1..).zip(sizes).map(|(seq, bytes)| record(stream, seq, bytes)).collect();
    let medium = open();
    medium.append(1, &records).unwrap();
    drop(medium);
    same(&open().read(&subject(stream), 0, 100, 8 << 20).unwrap(), &records);
}
