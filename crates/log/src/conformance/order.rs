//! The sequencer over the medium: numbers, chains, time, pages and watchers.

use std::{
    sync::{Arc, Barrier},
    thread,
};

use matchwire_domain::{
    chain::Digest,
    envelope::{Attributes, Event},
};

use super::{Open, append, block_on, call, event, ids, open_at, put, read_all, seqs, subject};
use crate::{ManualClock, Outcome, Refused, conformance};

/// Each stream counts for itself, and its chain is valid from its start, over openings.
pub fn numbers_and_chains_each_stream(open: &Open) {
    let (a, b) = ("match/a/1", "match/a/2");
    let log = conformance::open(open);
    assert_eq!(seqs(&put(&log, append(a, &["1", "2", "3"]))), [1, 2, 3]);
    let results = call(&log, vec![append(b, &["1"]), append(a, &["4", "5"]), append(b, &["2"])]);
    let results: Vec<_> = results.unwrap().into_iter().map(|r| seqs(&r.unwrap())).collect();
    assert_eq!(results, [vec![1], vec![4, 5], vec![2]]);
    drop(log);
    let log = conformance::open(open);
    let outcomes = put(&log, append(a, &["6"]));
    assert_eq!(ids(&log, a), ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(ids(&log, b), ["1", "2"]);
    let last = read_all(&log, a).pop().unwrap().recorded;
    let (leaf, chain) = (Digest::leaf(&last.stored), last.chain);
    assert_eq!(outcomes, [Outcome::Appended { seq: 6, leaf, chain }]);
}

/// An append that may not be stored leaves nothing behind, and an empty one is nothing.
pub fn stores_all_or_none(open: &Open) {
    let stream = "match/a/1";
    let log = conformance::open(open);
    assert_eq!(call(&log, vec![]).unwrap(), vec![]);
    assert_eq!(put(&log, append(stream, &[])), vec![]);
    let mut refused = append(stream, &["1", "2"]);
    refused.expected_seq = Some(9);
    call(&log, vec![refused]).unwrap().remove(0).unwrap_err();
    assert_eq!(log.head(&subject(stream)).unwrap(), 0);
    assert_eq!(log.subjects("", None, 10).unwrap(), vec![]);
    assert_eq!(log.find(&subject(stream), "s", "1").unwrap().map(|r| r.seq), None);
    assert_eq!(seqs(&put(&log, append(stream, &["2", "1"]))), [1, 2]);
    drop(log);
    assert_eq!(ids(&conformance::open(open), stream), ["2", "1"]);
}

/// Every page is what the whole has at its place.
pub fn pages_are_complete(open: &Open) {
    let stream = "match/a/1";
    let log = conformance::open(open);
    for start in (0..100).step_by(9) {
        let ids: Vec<String> = (start..start + 9).map(|id| id.to_string()).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        call(&log, vec![append(stream, &ids), append("match/b/1", &ids)]).unwrap();
    }
    let all = read_all(&log, stream);
    let subject = subject(stream);
    for (after, limit) in [(0, 1), (0, 108), (17, 3), (50, 1_000), (107, 5), (108, 5), (500, 5)] {
        let page = log.read(&subject, after, limit).unwrap();
        let start = usize::try_from(after).unwrap().min(all.len());
        let expected = &all[start..all.len().min(start + limit)];
        let chains = |entries: &[crate::Entry]| -> Vec<Digest> {
            entries.iter().map(|entry| entry.recorded.chain).collect()
        };
        assert_eq!(chains(&page), chains(expected), "after {after}, limit {limit}");
    }
    let found = log.find(&subject, "s", "42").unwrap().unwrap();
    assert_eq!((found.seq, found.chain), (43, all[42].recorded.chain));
    assert!(log.find(&subject, "t", "42").unwrap().is_none());
}

/// Appends from many threads are each contiguous and all there.
pub fn takes_concurrent_appends(open: &Open) {
    const THREADS: usize = 4;
    const CALLS: usize = 20;
    let log = conformance::open(open);
    let barrier = Barrier::new(THREADS);
    thread::scope(|scope| {
        for n in 0..THREADS {
            let (log, barrier) = (log.clone(), &barrier);
            scope.spawn(move || {
                barrier.wait();
                for i in 0..CALLS {
                    let ids = [0, 1, 2].map(|k| format!("{n}-{i}-{k}"));
                    let outcomes =
                        put(&log, append("match/a/1", &ids.each_ref().map(String::as_str)));
                    let seqs = seqs(&outcomes);
                    assert!(seqs[0] > 0 && seqs == [seqs[0], seqs[0] + 1, seqs[0] + 2]);
                    put(&log, append(&format!("match/b/{}", n + 1), &[&i.to_string()]));
                }
            });
        }
    });
    drop(log);
    let log = conformance::open(open);
    assert_eq!(read_all(&log, "match/a/1").len(), THREADS * CALLS * 3);
    for n in 0..THREADS {
        let expected: Vec<String> = (0..CALLS).map(|i| i.to_string()).collect();
        assert_eq!(ids(&log, &format!("match/b/{}", n + 1)), expected);
    }
}

/// A watcher is told of a head when the medium has it, in order, also of a stream to come.
pub fn tells_watchers_what_is_durable(open: &Open) {
    const EVENTS: u64 = 60;
    let stream = subject("match/a/1");
    let log = conformance::open(open);
    let mut head = log.watch(&stream);
    assert_eq!(*head.borrow_and_update(), 0);
    thread::scope(|scope| {
        let reader = log.clone();
        let stream = &stream;
        let watcher = scope.spawn(move || {
            let mut seen = 0;
            while seen < EVENTS {
                block_on(head.changed()).unwrap();
                let told = *head.borrow_and_update();
                assert!(told > seen, "told {told} after {seen}");
                // This log keeps nothing in memory, so the medium answers.
                let page = reader.read(stream, told - 1, 1).unwrap();
                assert_eq!(page[0].recorded.seq, told);
                seen = told;
            }
        });
        for id in 0..EVENTS {
            put(&log, append("match/a/1", &[&id.to_string()]));
        }
        watcher.join().unwrap();
    });
    assert_eq!(*log.watch(&stream).borrow(), EVENTS);
    assert_eq!(*log.watch(&subject("match/b/1")).borrow(), 0);
}

/// `recordedtime` stands still when the clock goes back, also over openings and streams.
pub fn time_never_goes_back(open: &Open) {
    let clock = Arc::new(ManualClock::new(5_000));
    let time = |log: &crate::Log, stream: &str| {
        read_all(log, stream).pop().unwrap().recorded.recorded.ms()
    };
    let log = open_at(open, &clock);
    put(&log, append("match/a/1", &["1"]));
    clock.set(4_000);
    put(&log, append("match/b/1", &["1"]));
    assert_eq!((time(&log, "match/a/1"), time(&log, "match/b/1")), (5_000, 5_000));
    clock.set(6_000);
    put(&log, append("match/a/1", &["2"]));
    drop(log);
    clock.set(-1);
    let log = open_at(open, &clock);
    put(&log, append("match/c/1", &["1"]));
    assert_eq!((time(&log, "match/a/1"), time(&log, "match/c/1")), (6_000, 6_000));
}

/// Subjects are listed in order, by prefix, in pages.
pub fn lists_subjects(open: &Open) {
    let log = conformance::open(open);
    let streams = ["room/x", "match/b/1", "match/a/2", "match/a/1", "match/a", "match/ab/1"];
    let appends = streams
        .map(|stream| crate::Append { events: vec![event(stream, "1", 0)], ..append(stream, &[]) });
    call(&log, appends.to_vec()).unwrap();
    drop(log);
    let log = conformance::open(open);
    let list = |prefix: &str, after: Option<&str>, limit| -> Vec<String> {
        log.subjects(prefix, after, limit).unwrap().iter().map(ToString::to_string).collect()
    };
    assert_eq!(list("match/a/", None, 10), ["match/a/1", "match/a/2"]);
    assert_eq!(list("match/", Some("match/a/1"), 2), ["match/a/2", "match/ab/1"]);
    assert_eq!(list("room/", Some("match/a/1"), 2), ["room/x"]);
    assert_eq!(list("match/", Some("room/x"), 2), [""; 0]);
    assert_eq!(list("", None, 100).len(), 6);
}

/// After an event that seals its stream only its duplicates are taken, also after opening again.
pub fn a_sealed_stream_takes_nothing_more(open: &Open) {
    let stream = "match/a/1";
    let seal = || {
        let json = format!(
            r#"{{"specversion":"1.0","id":"end","source":"s","subject":"{stream}","type":"stream.sealed"}}"#
        );
        Event::new(&Attributes::parse(&json).unwrap(), "{}").unwrap()
    };
    let with = |events: Vec<Event>| crate::Append { events, ..append(stream, &[]) };
    let one = |log: &crate::Log, append| call(log, vec![append]).unwrap().remove(0);
    let log = conformance::open(open);
    let last = || vec![event(stream, "1", 0), seal()];
    let inside = with(vec![seal(), event(stream, "1", 0)]);
    assert_eq!(one(&log, inside), Err(Refused::NotLast));
    assert_eq!(log.head(&subject(stream)).unwrap(), 0);
    assert_eq!(seqs(&put(&log, with(last()))), [1, 2]);
    let check = |log: &crate::Log| {
        assert_eq!(one(log, append(stream, &["2"])), Err(Refused::Sealed { seq: 2 }));
        assert_eq!(seqs(&put(log, with(last()))), [-1, -2]);
        assert_eq!(seqs(&put(log, append("match/a/2", &[&log.id()[..4]]))).len(), 1);
    };
    check(&log);
    drop(log);
    check(&conformance::open(open));
}
