//! The simulator of the log: the log keeps its promises, and the simulator would notice if not.
//!
//! `MATCHWIRE_SEED` lives that one life. For more than these, `cargo xtask sim --seeds N`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use matchwire_sim::log::{Defect, Report, Settings, Trace, run};

const SEEDS: u64 = 300;
/// How many lives may pass before a defect is found.
const PATIENCE: u64 = 400;

#[test]
fn no_promise_is_broken() {
    let given = std::env::var("MATCHWIRE_SEED").ok().map(|seed| seed.parse().unwrap());
    let first = given.unwrap_or_else(|| RandomState::new().hash_one("seed") >> 24);
    let seeds = if given.is_some() { 1 } else { SEEDS };
    println!("{seeds} seeds from {first}");
    let next = AtomicU64::new(0);
    let lives = || {
        let mut sum = Report::default();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= seeds {
                return sum;
            }
            match run(first + index, Settings::default(), Trace::off()) {
                Ok(report) => sum.add(&report),
                Err(failure) => panic!("{failure}; again with MATCHWIRE_SEED={}", failure.seed),
            }
        }
    };
    let mut sum = Report::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(lives)).collect();
        for thread in threads {
            match thread.join() {
                Ok(report) => sum.add(&report),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    println!("{sum:?}");
    let met = sum.met;
    let faults = [met.crashes, met.kills, met.reads, met.writes, met.syncs, met.full, met.flips];
    assert!(given.is_some() || faults.iter().all(|count| *count > 20), "{faults:?}");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let settings = Settings { digest: true, ..Settings::default() };
    let lived = |seed| {
        let mut story = Vec::new();
        let mut tell = |line: &str| story.push(line.to_owned());
        (run(seed, settings, Trace::to(&mut tell)).unwrap(), story)
    };
    let mut before = None;
    for seed in 0..30 {
        let (first, second) = (lived(seed), lived(seed));
        assert!(first.0.digest.is_some() && first.0.digest != before, "seed {seed}");
        before = first.0.digest;
        assert_eq!(first.1, second.1, "seed {seed}");
        assert_eq!(first.0, second.0, "seed {seed}");
    }
}

#[test]
fn every_defect_is_found() {
    for defect in Defect::ALL {
        let settings = Settings { defect: Some(defect), ..Settings::default() };
        let mut lives = (0..PATIENCE).map(|seed| run(seed, settings, Trace::off()));
        let failure = lives.find_map(Result::err);
        let failure = failure.unwrap_or_else(|| panic!("{defect:?} was not found"));
        println!("{defect:?} was found after {} lives: {failure}", failure.seed + 1);
    }
}
