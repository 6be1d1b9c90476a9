//! Random damage all over a log: it can be repaired from a copy, and it can be accepted.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use matchwire_domain::chain::Digest;
use matchwire_log::Medium as _;
use rand::{Rng, SeedableRng, rngs::SmallRng, seq::IndexedRandom};

use super::{
    SMALL, append, call,
    damage::{restore, snapshot, verified},
    log,
    repair::copy,
    subject,
};
use crate::{Options, Segments, accept_loss_on, disk::Faulty, repair_on};

const SEEDS: u64 = 60;
const STREAMS: [&str; 5] = ["match/a/1", "match/b/1", "match/c/1", "room/d", "room/e"];

type Streams = HashMap<&'static str, Vec<(u64, Digest)>>;

/// Prints the seed if the test fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed with MATCHWIRE_SEED={}", self.0);
        }
    }
}

/// A log in all states: sealed files, full segments, an open one.
fn written(random: &mut SmallRng) -> Faulty {
    let disk = Faulty::new(0);
    let log = log(&disk).unwrap();
    for id in 0..random.random_range(10..60) {
        let ids: Vec<String> =
            (0..random.random_range(1..6)).map(|n| format!("{id}-{n}")).collect();
        let some = |_: &&&str| random.random_ratio(1, 2);
        let streams: Vec<&str> = STREAMS.iter().filter(some).copied().collect();
        let streams = if streams.is_empty() { vec![STREAMS[0]] } else { streams };
        call(&log, streams.iter().map(|stream| append(stream, &ids)).collect()).unwrap();
    }
    drop(log);
    let medium = open(&disk);
    for _ in 0..random.random_range(0..20) {
        medium.maintain().unwrap();
    }
    drop(medium);
    disk
}

fn open(disk: &Faulty) -> Segments {
    let options = Options { fan_in: 4, ..SMALL };
    Segments::open_on(Arc::new(disk.clone()), options).unwrap()
}

/// Everything that can be read; within a page there is no gap.
fn all(disk: &Faulty) -> Streams {
    let medium = open(disk);
    let read = |stream: &&'static str| {
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let page = medium.read(&subject(stream), after, 3, 4_000).unwrap();
            let Some(last) = page.last() else { return (*stream, found) };
            assert!(page.is_sorted_by(|one, other| one.seq + 1 == other.seq));
            after = last.seq;
            found.extend(page.iter().map(|recorded| (recorded.seq, recorded.chain)));
        }
    };
    STREAMS.iter().map(read).collect()
}

fn harm(disk: &Faulty, random: &mut SmallRng) {
    let names = snapshot(disk);
    let files: Vec<&(String, Vec<u8>)> = names.iter().filter(|it| it.0 != "log.json").collect();
    for _ in 0..random.random_range(1..5) {
        let (name, content) = files.choose(random).unwrap();
        disk.flip(name, random.random_range(0..content.len()), random.random_range(1..=255));
    }
}

fn seeds() -> std::ops::Range<u64> {
    let given = std::env::var("MATCHWIRE_SEED").ok().map(|seed| seed.parse().unwrap());
    let start = given.unwrap_or_else(|| RandomState::new().hash_one("seed") >> 1);
    start..start + if given.is_some() { 1 } else { SEEDS }
}

#[test]
fn any_damage_can_be_repaired() {
    for seed in seeds() {
        let _seed = Seed(seed);
        let mut random = SmallRng::seed_from_u64(seed);
        let disk = written(&mut random);
        let (good, from) = (all(&disk), copy(&disk));
        harm(&disk, &mut random);
        let repaired = repair_on(&disk, &from).unwrap();
        assert!(repaired.missing.is_empty(), "{repaired:?}");
        let verified = verified(&disk);
        assert!(verified.damage.is_empty(), "{repaired:?} {:?}", verified.damage);
        // A flipped bit in the very last group makes it one that was never finished.
        for (stream, found) in all(&disk) {
            assert!(good[stream].starts_with(&found), "{stream} {repaired:?}");
            assert!(found.len() + 6 > good[stream].len(), "{stream} {repaired:?}");
        }
        let medium = open(&disk);
        while medium.maintain().unwrap() {}
    }
}

#[test]
fn any_damage_can_be_accepted() {
    for seed in seeds() {
        let _seed = Seed(seed);
        let mut random = SmallRng::seed_from_u64(seed);
        let disk = written(&mut random);
        let good = all(&disk);
        restore(&disk, &snapshot(&disk));
        harm(&disk, &mut random);
        let accepted = accept_loss_on(&disk).unwrap();
        let damage = verified(&disk).damage;
        assert!(damage.is_empty(), "{accepted:?} {damage:?}");
        for (stream, found) in all(&disk) {
            assert!(found.is_sorted_by(|one, other| one.0 < other.0));
            assert!(found.iter().all(|it| good[stream].contains(it)), "{stream} {accepted:?}");
        }
        let again = accept_loss_on(&disk).unwrap();
        assert_eq!((again.groups.len(), again.files.len()), (0, 0), "{again:?}");
        assert_eq!(again.lineage, accepted.lineage);
        let next = log(&disk).unwrap();
        for stream in STREAMS {
            let head = next.head(&subject(stream)).unwrap();
            call(&next, vec![append(stream, &["new"])]).unwrap();
            assert_eq!(next.head(&subject(stream)).unwrap(), head + 1);
        }
        drop(next);
        let medium = open(&disk);
        while medium.maintain().unwrap() {}
        drop(medium);
        let damage = verified(&disk).damage;
        assert!(damage.is_empty(), "{accepted:?} {damage:?}");
    }
}
