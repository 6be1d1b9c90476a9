//! A random course of events, starts, stops, removals and requests to build anew.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
};

use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

use super::*;

#[test]
fn a_view_is_what_is_in_the_log_whatever_happens_to_it() {
    let given = std::env::var("MATCHWIRE_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("MATCHWIRE_SEED={seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let memory = Memory::new();
    let (mut rig, store) = (Rig::over(&memory), MemoryViews::new());
    let mut runners: Vec<Runner> = Vec::new();
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    for _ in 0..120 {
        match random.random_range(0..10) {
            0 if runners.len() < 2 => runners.push(rig.start(&store, TALLY)),
            1 if !runners.is_empty() => {
                drop(runners.swap_remove(random.random_range(0..runners.len())));
            }
            // While one builds it cannot be removed, and nobody else builds.
            2 => drop(store.remove("tally", 1)),
            3 => drop(store.build(&TALLY.schema(), Start::Anew)),
            4 => {
                runners.clear();
                rig = Rig { written: rig.written, ..Rig::over(&memory) };
            }
            _ => {
                let streams: Vec<String> = (0..random.random_range(1..40))
                    .map(|_| format!("match/m{}/1", random.random_range(0..9)))
                    .collect();
                rig.put(&streams.iter().map(String::as_str).collect::<Vec<_>>());
                for stream in streams {
                    *counted.entry(stream).or_default() += 1;
                }
            }
        }
        if random.random_ratio(1, 4)
            && let Some(runner) = runners.first()
        {
            // With two of them one may be in the middle of putting another build in the place of this one.
            block_on(runner.reader().catch_up());
        }
    }
    runners.clear();
    let runner = rig.start(&store, TALLY);
    assert_eq!(counts(&runner.reader()), counted.into_iter().collect::<Vec<_>>());
}
