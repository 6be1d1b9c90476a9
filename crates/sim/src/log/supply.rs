//! Makes appends: new events, events that were there before, with the same content or another one,
//! and required heads that hold or do not.

use matchwire_domain::{
    chain::Digest,
    envelope::{Event, SEALED},
    subject::Subject,
};
use rand::{
    Rng,
    rngs::SmallRng,
    seq::{IndexedMutRandom as _, IndexedRandom as _},
};

use super::{
    model::Model,
    scenario::{STREAMS, Scenario},
};

/// How many calls are remembered, to be repeated.
const REMEMBERED: usize = 64;
/// The variant of an event that seals its stream.
const SEALING: u64 = 2;

/// An event with the hash of its bytes.
#[derive(Debug, Clone)]
pub(super) struct Fact {
    pub(super) event: Event,
    pub(super) leaf: Digest,
}

/// An append to a stream, which has a number.
#[derive(Debug, Clone)]
pub(super) struct Tried {
    pub(super) stream: usize,
    pub(super) facts: Vec<Fact>,
    pub(super) expected_seq: Option<u64>,
}

pub(super) struct Supply {
    subjects: Vec<Subject>,
    /// How many ids there were.
    ids: u64,
    made: Vec<Tried>,
}

impl Supply {
    pub(super) fn new(streams: usize) -> Self {
        let subjects = STREAMS.iter().take(streams).map(|text| Subject::parse(text));
        Self { subjects: subjects.flatten().collect(), ids: 0, made: Vec::new() }
    }

    /// The streams by number.
    pub(super) fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// The appends of the next call.
    pub(super) fn call(
        &mut self,
        scenario: &Scenario,
        model: &Model,
        random: &mut SmallRng,
    ) -> Vec<Tried> {
        let appends = random.random_range(1..=scenario.appends_in_a_call);
        (0..appends).map(|_| self.append(scenario, model, random)).collect()
    }

    /// An append that was tried before, if there was one.
    pub(super) fn again(&self, random: &mut SmallRng) -> Option<Tried> {
        self.made.choose(random).cloned()
    }

    /// An event that was never tried.
    pub(super) fn unknown(&mut self, stream: usize, scenario: &Scenario) -> Option<Fact> {
        self.ids += 1;
        self.fact(stream, self.ids, 0, scenario)
    }

    fn append(&mut self, scenario: &Scenario, model: &Model, random: &mut SmallRng) -> Tried {
        if random.random_ratio(scenario.repeats, 100)
            && let Some(again) = self.again(random)
        {
            return again;
        }
        let stream = scenario.stream(random);
        let events = random.random_range(1..=scenario.events_in_an_append);
        let facts = (0..events).filter_map(|_| {
            if self.ids > 0 && random.random_ratio(scenario.repeats, 200) {
                let variant = u64::from(random.random_ratio(1, 4));
                return self.fact(stream, random.random_range(1..=self.ids), variant, scenario);
            }
            self.ids += 1;
            let variant = if random.random_ratio(scenario.seals, 100) { SEALING } else { 0 };
            self.fact(stream, self.ids, variant, scenario)
        });
        let facts = facts.collect();
        let head = model.head(stream);
        let expected_seq = random.random_ratio(scenario.requires, 100).then(|| {
            let wrong = random.random_ratio(1, 3);
            if wrong { random.random_range(0..head + 3) } else { head }
        });
        let tried = Tried { stream, facts, expected_seq };
        if self.made.len() < REMEMBERED {
            self.made.push(tried.clone());
        } else if let Some(old) = self.made.choose_mut(random) {
            *old = tried.clone();
        }
        tried
    }

    /// The event with a number: the same number and variant give the same bytes, and another
    /// variant the same identity with other content.
    fn fact(&self, stream: usize, id: u64, variant: u64, scenario: &Scenario) -> Option<Fact> {
        let subject = self.subjects.get(stream)?.clone();
        let seals = variant == SEALING;
        let kind = if seals { SEALED } else { "sim.test" };
        let source = if id.is_multiple_of(7) { "other" } else { "s" };
        let filled = |most: usize, with: &str, salt| with.repeat(length(id ^ salt, most));
        let id = format!("{id}{}", filled(scenario.id_bytes, "x", 0));
        let data = filled(scenario.payload_bytes, "7", 1 + variant);
        let stored = format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{id}\",\"source\":\"{source}\",\
             \"subject\":\"{subject}\",\"type\":\"{kind}\",\"data\":[{variant},\"{data}\"]}}"
        );
        let leaf = Digest::leaf(stored.as_bytes());
        let stored = stored.into_bytes().into();
        Some(Fact {
            event: Event { subject, source: source.into(), id: id.into(), stored, seals },
            leaf,
        })
    }
}

/// A length of up to `most` that follows from a number; short ones are more frequent.
fn length(number: u64, most: usize) -> usize {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^= mixed >> 29;
    let most = most as u64 + 1;
    let long = mixed % most;
    let scale = (mixed >> 40) % most + 1;
    usize::try_from(long * scale / most).unwrap_or_default()
}
