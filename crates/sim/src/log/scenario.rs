//! What kind of life a seed gives: sizes, skew, and which faults there are.

use rand::{Rng, rngs::SmallRng, seq::IndexedRandom};

/// Names of streams of every kind and length.
pub(super) const STREAMS: [&str; 12] = [
    "match/a/1",
    "room/r",
    "match/a/2",
    "match/a",
    "player/p-1",
    "source/cs-log/a/1",
    "room/r/eu",
    "match/the-name-of-a-match-may-have-sixty-four-characters-and-this-has/1",
    "tournament/t",
    "account/c",
    "admin/keys",
    "match/b/1",
];

/// Ages that a life may reach, or not.
const AGES_MS: [u64; 4] = [10, 200, 2_000, 60_000];

/// What is drawn once for a life.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    pub(super) segment_bytes: u64,
    pub(super) ahead_bytes: u64,
    /// How many sealed files are merged into one.
    pub(super) fan_in: usize,
    pub(super) cache_bytes: usize,
    pub(super) group_bytes: usize,
    pub(super) queue_calls: usize,
    pub(super) recent_bytes: usize,
    /// Which bits of fingerprints are used; few, and many events share one.
    pub(super) fingerprint_mask: u64,
    pub(super) operations: u64,
    /// How many of [`STREAMS`] there are.
    pub(super) streams: usize,
    /// Whether the first streams have most of the events.
    pub(super) skewed: bool,
    /// The most calls that wait at once.
    pub(super) in_flight: usize,
    pub(super) appends_in_a_call: usize,
    pub(super) events_in_an_append: usize,
    pub(super) id_bytes: usize,
    pub(super) payload_bytes: usize,
    /// In percent, how often an append or an event is one of before, requires a head, and is one
    /// for which nobody waits.
    pub(super) repeats: u32,
    pub(super) requires: u32,
    pub(super) forsaken: u32,
    /// In percent, how many events seal their stream.
    pub(super) seals: u32,
    /// Which streams are trimmed, and after how long.
    pub(super) retain: Option<(&'static str, u64)>,
    /// After how long a file goes to the archive, and how often in percent that fails.
    pub(super) archive: Option<(u64, u32)>,
    pub(super) latency_ms: u64,
    /// In percent, how often something goes wrong, and what may.
    pub(super) mishaps: u32,
    pub(super) faults: Vec<Mishap>,
}

/// What may go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mishap {
    Crash,
    Kill,
    Full,
    Sync,
    Write,
    Read,
    Decay,
    Clock,
}

const MISHAPS: [Mishap; 8] = [
    Mishap::Crash,
    Mishap::Kill,
    Mishap::Full,
    Mishap::Sync,
    Mishap::Write,
    Mishap::Read,
    Mishap::Decay,
    Mishap::Clock,
];

/// What a life does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Put,
    Stage,
    Step,
    Read,
    Look,
    Maintain,
    Age,
    Reopen,
    Suffer(Mishap),
}

impl Scenario {
    pub(super) fn draw(random: &mut SmallRng) -> Self {
        fn pick<T: Copy + Default>(random: &mut SmallRng, from: &[T]) -> T {
            from.choose(random).copied().unwrap_or_default()
        }
        let all = random.random_ratio(1, 4);
        let faults = MISHAPS.into_iter().filter(|_| all || random.random()).collect();
        Self {
            segment_bytes: pick(random, &[1, 700, 2_000, 2_000, 5_000, 20_000]),
            ahead_bytes: pick(random, &[0, 100, 700, 3_000]),
            fan_in: pick(random, &[2, 2, 3, 8]),
            cache_bytes: pick(random, &[0, 10_000, 16 << 20]),
            group_bytes: pick(random, &[1_500, 8 << 20, 8 << 20, 8 << 20]),
            queue_calls: pick(random, &[2, 10_000, 10_000, 10_000]),
            recent_bytes: pick(random, &[0, 0, 3_000, 64 << 20]),
            fingerprint_mask: pick(random, &[u64::MAX, u64::MAX, 0xF, 1]),
            operations: pick(random, &[20, 60, 60, 120, 400]),
            streams: random.random_range(1..=STREAMS.len()),
            skewed: random.random(),
            in_flight: pick(random, &[1, 3, 8]),
            appends_in_a_call: pick(random, &[1, 1, 3]),
            events_in_an_append: pick(random, &[1, 3, 6]),
            id_bytes: pick(random, &[8, 40, 200]),
            payload_bytes: pick(random, &[0, 60, 400, 3_000]),
            repeats: pick(random, &[0, 10, 30]),
            requires: pick(random, &[0, 10, 40]),
            forsaken: pick(random, &[0, 0, 10]),
            seals: pick(random, &[0, 0, 0, 2]),
            retain: random
                .random_ratio(1, 2)
                .then(|| (pick(random, &["**", "match/*/1", "*/*"]), pick(random, &AGES_MS))),
            archive: random
                .random_ratio(1, 3)
                .then(|| (pick(random, &AGES_MS), pick(random, &[0, 20]))),
            latency_ms: pick(random, &[0, 0, 5, 2_000]),
            mishaps: pick(random, &[2, 5, 14]),
            faults,
        }
    }

    pub(super) fn has(&self, mishap: Mishap) -> bool {
        self.faults.contains(&mishap)
    }

    pub(super) fn next(&self, random: &mut SmallRng) -> Operation {
        if random.random_ratio(self.mishaps, 100)
            && let Some(mishap) = self.faults.choose(random)
        {
            return Operation::Suffer(*mishap);
        }
        match random.random_range(0..100) {
            0..46 => Operation::Put,
            46..54 => Operation::Stage,
            54..74 => Operation::Step,
            74..84 => Operation::Read,
            84..90 => Operation::Look,
            90..96 => Operation::Maintain,
            96..98 => Operation::Age,
            _ => Operation::Reopen,
        }
    }

    /// The number of a stream.
    pub(super) fn stream(&self, random: &mut SmallRng) -> usize {
        let stream = random.random_range(0..self.streams);
        if self.skewed { random.random_range(0..=stream) } else { stream }
    }
}
