//! Random appends on a disk whose power fails at a random moment, over and over.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use matchwire_domain::chain::Digest;
use matchwire_log::{Error, Log, Outcome};
use rand::{Rng, SeedableRng, rngs::SmallRng, seq::IndexedRandom};

use super::{append, call, log, read};
use crate::{disk::Faulty, verify_on};

const STREAMS: [&str; 3] = ["match/a/1", "match/a/2", "room/r"];
const SEEDS: u64 = 40;
const CRASHES: u64 = 6;

/// An append that was tried, and what is known of it.
#[derive(Clone)]
struct Tried {
    stream: &'static str,
    ids: Vec<String>,
}

/// What must hold whatever happens.
#[derive(Default)]
struct Model {
    next_id: usize,
    /// Every append that was ever tried.
    tried: Vec<Tried>,
    /// Stream and id to number and chain, for what was acknowledged.
    acknowledged: HashMap<(&'static str, String), (u64, Digest)>,
}

/// Prints the seed if the test fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed with MATCHWIRE_SEED={}", self.0);
        }
    }
}

/// Every acknowledged event is there once, in order, with a valid chain; every other append is there
/// as a whole or not at all. `MATCHWIRE_SEED` runs one seed.
#[test]
fn nothing_acknowledged_is_lost() {
    let given = std::env::var("MATCHWIRE_SEED").ok().map(|seed| seed.parse().unwrap());
    let start = given.unwrap_or_else(|| RandomState::new().hash_one("seed") >> 1);
    let seeds = if given.is_some() { 1 } else { SEEDS };
    let mut crashes = 0;
    for seed in start..start + seeds {
        let _seed = Seed(seed);
        crashes += life(seed);
    }
    assert!(given.is_some() || crashes > SEEDS * CRASHES / 2, "{crashes} crashes");
}

/// A process is killed right after it has written the log's name, and never synced it; the next
/// one relies on it, and then the power fails.
#[test]
fn the_name_of_a_log_outlasts_what_is_in_it() {
    for seed in 0..16 {
        let disk = Faulty::new(seed);
        disk.crash_after(3);
        assert!(log(&disk).is_err());
        disk.revive();
        let next = log(&disk).unwrap();
        call(&next, vec![append("room/r", &[String::from("1")])]).unwrap();
        drop(next);
        disk.restart();
        assert_eq!(read(&log(&disk).unwrap(), "room/r").unwrap().len(), 1, "seed {seed}");
    }
}

/// One disk with several crashes; gives how many there were.
fn life(seed: u64) -> u64 {
    let mut random = SmallRng::seed_from_u64(seed);
    let disk = Faulty::new(random.random());
    let mut model = Model::default();
    let mut crashes = 0;
    for _ in 0..CRASHES {
        disk.crash_after(random.random_range(1..60));
        if let Ok(log) = log(&disk) {
            for _ in 0..random.random_range(1..40) {
                if model.step(&log, &mut random).is_err() {
                    break;
                }
            }
        }
        crashes += u64::from(disk.has_crashed());
        if random.random() {
            // Only the process has died; but what the next one serves must outlast the power, too.
            disk.revive();
            model.see(&disk);
        }
        disk.restart();
        // This opening may crash, too.
        disk.crash_after(random.random_range(1..12));
        drop(log(&disk));
        disk.restart();
        model.check(&disk);
    }
    crashes
}

impl Model {
    /// Tries some appends in one call.
    fn step(&mut self, log: &Log, random: &mut SmallRng) -> Result<(), Error> {
        let calls: Vec<Tried> =
            (0..random.random_range(1..4)).map(|_| self.choose(random)).collect();
        self.tried.extend(calls.iter().cloned());
        let results =
            call(log, calls.iter().map(|tried| append(tried.stream, &tried.ids)).collect());
        let results =
            results.inspect_err(|error| assert!(matches!(error, Error::Stopped | Error::Io(_))))?;
        for (tried, result) in calls.into_iter().zip(results) {
            for (id, outcome) in tried.ids.into_iter().zip(result.unwrap()) {
                self.acknowledge(tried.stream, &id, outcome);
            }
        }
        Ok(())
    }

    /// New events, or an append that was tried before.
    fn choose(&mut self, random: &mut SmallRng) -> Tried {
        if let Some(tried) = self.tried.choose(random)
            && random.random_ratio(1, 4)
        {
            return tried.clone();
        }
        let stream = *STREAMS.choose(random).unwrap();
        let ids = (0..random.random_range(1..6)).map(|_| {
            self.next_id += 1;
            // Ids of many lengths, so that groups end everywhere in a sector.
            format!("{}-{}", self.next_id, "x".repeat(random.random_range(0..120)))
        });
        Tried { stream, ids: ids.collect() }
    }

    fn acknowledge(&mut self, stream: &'static str, id: &str, outcome: Outcome) {
        let (seq, chain, new) = match outcome {
            Outcome::Appended { seq, chain, .. } => (seq, chain, true),
            Outcome::Duplicate { seq, chain, differs, .. } => {
                assert!(!differs, "{stream} {id} is known with other content");
                (seq, chain, false)
            }
        };
        let before = self.acknowledged.insert((stream, id.into()), (seq, chain));
        assert!(!new || before.is_none(), "{stream} {id} was acknowledged before");
        assert!(before.is_none_or(|b| b == (seq, chain)), "{stream} {id} has changed its place");
    }

    /// What is served is as good as acknowledged.
    fn see(&mut self, disk: &Faulty) {
        let log = log(disk).unwrap();
        for stream in STREAMS {
            for (seq, (id, chain)) in (1..).zip(read(&log, stream).unwrap()) {
                self.acknowledged.insert((stream, id), (seq, chain));
            }
        }
    }

    fn check(&self, disk: &Faulty) {
        let log = log(disk).unwrap();
        let mut found = HashMap::new();
        for stream in STREAMS {
            for (seq, (id, chain)) in (1..).zip(read(&log, stream).unwrap()) {
                let twice = found.insert((stream, id.clone()), (seq, chain));
                assert!(twice.is_none(), "{stream} has {id} twice");
            }
        }
        for (event, place) in &self.acknowledged {
            assert_eq!(found.get(event), Some(place), "{event:?} was acknowledged");
        }
        for Tried { stream, ids } in &self.tried {
            let seqs: Vec<u64> = ids
                .iter()
                .filter_map(|id| found.get(&(*stream, id.clone())))
                .map(|(seq, _)| *seq)
                .collect();
            assert!(seqs.is_empty() || seqs.len() == ids.len(), "{stream} has a part of {ids:?}");
            assert!(
                seqs.is_sorted_by(|a, b| a + 1 == *b),
                "{stream}: {ids:?} has the seqs {seqs:?}"
            );
        }
        let verified = verify_on(disk, &mut |_| ()).unwrap();
        assert_eq!((verified.events, verified.damage), (found.len() as u64, Vec::new()));
    }
}
