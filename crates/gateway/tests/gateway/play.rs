//! Random play on a map, from a seed.

use std::hash::{BuildHasher, RandomState};

use rand::{Rng, SeedableRng, rngs::SmallRng, seq::IndexedRandom};
use serde_json::{Value, json};

use crate::harness::event;

/// The seed of a run: that of the environment, to see a failure again, or a new one, printed.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("MATCHWIRE_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("seed {seed}; MATCHWIRE_TEST_SEED={seed} repeats it");
    seed
}

pub(crate) fn rng(seed: u64) -> SmallRng {
    SmallRng::seed_from_u64(seed)
}

/// So many events, of which some carry a sequence, and some of those are late.
pub(crate) fn random(subject: &str, count: usize, seed: u64) -> Vec<Value> {
    let mut rng = rng(seed);
    (0..count).map(|n| one(subject, n, &mut rng)).collect()
}

fn one(subject: &str, n: usize, rng: &mut SmallRng) -> Value {
    let mut player = || format!("steam:{}", rng.random_range(1..=10));
    let (a, b) = (player(), player());
    let side = *["CT", "T"].choose(rng).unwrap();
    let reason = *["elimination", "time_ran_out"].choose(rng).unwrap();
    let (kind, data) = match rng.random_range(0..14) {
        _ if n == 0 => ("match.started", json!({"map_name": "de_test"})),
        0 => ("player.joined", json!({"player": a, "name": "n", "side": side})),
        1 => ("freeze.started", json!({})),
        2 => ("round.started", json!({})),
        3 => ("round.ended", json!({"winner": side, "reason": reason})),
        4..=6 => ("player.killed", json!({"killer": a, "victim": b, "weapon": "ak47"})),
        7 => ("bomb.planted", json!({"player": a})),
        8 => ("money.changed", json!({"player": a, "money": rng.random_range(0..16_000)})),
        9 => ("match.paused", json!({"reason": "technical"})),
        10 => ("match.resumed", json!({})),
        11 => ("event.voided", json!({"seq": rng.random_range(0..=n)})),
        12 => (
            "event.amended",
            json!({"seq": rng.random_range(0..=n), "type": "bomb.planted", "data": {"player": a}}),
        ),
        _ => ("x.note", json!({"n": n})),
    };
    let mut made = event(subject, n, kind, &data);
    if n > 0 && rng.random_bool(0.3) {
        let sequence = if rng.random_bool(0.1) { n / 2 } else { n };
        made["sequence"] = format!("{sequence:06}").into();
    }
    made
}
