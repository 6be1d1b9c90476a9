//! Which of several sources is believed about a map, so that no fact counts twice.
//!
//! `sources.ranked` names the sources that tell of the same facts, the primary one first. At any moment
//! of play one of them is believed: the primary one, or the one that `source.switched` names for the
//! time after a moment, or, where a part of the believed one's feed is missing, the next one that told
//! something there. Facts of the others are not folded but compared: what they claim and the believed
//! one does not, within the window, is an anomaly. A fact that both tell on either side of a switch
//! is folded once. Sources that are not ranked add to each other, as ever.
//!
//! Of what the believed source has not told so far, by kind, the next ranked one that has is taken: its
//! facts fill in the game's aspects that are lacking, [`crate::live_match::Rules::fill`].

use std::collections::{BTreeSet, VecDeque};

use super::fact::Fact;
use crate::{live_match::course::Event, timestamp::Timestamp};

/// By how much two sources' times of one fact may differ if `sources.ranked` does not say.
const WINDOW_MS: i64 = 15_000;
/// How many claims wait to be compared; beyond, the oldest is given up.
const MAX_WAITING: usize = 256;

/// Judges the facts of a stream, one after the other in the order of play.
#[derive(Default)]
pub(super) struct Arbiter {
    ranked: Vec<Box<str>>,
    window_ms: i64,
    /// Who is believed after a moment, in the order of the log; the first ranked one before.
    switches: Vec<(Timestamp, usize)>,
    gaps: Vec<Gap>,
    waiting: VecDeque<Claim>,
    /// Of which aspects a source has told.
    told: BTreeSet<(usize, &'static str)>,
}

/// A part of a source's feed that is missing.
struct Gap {
    rank: usize,
    bytes: (u64, u64),
    /// The last fact of the source before it, and the first one after it.
    after: Timestamp,
    before: Option<Timestamp>,
    /// Who told something in between.
    filled_by: Option<usize>,
}

/// What a source claims, until another one claims it too.
struct Claim {
    rank: usize,
    time: Timestamp,
    seq: u64,
    what: String,
    is_folded: bool,
}

/// Whether a fact is folded, and what does not fit.
pub(super) struct Judgement {
    pub(super) is_folded: bool,
    pub(super) disagreements: Vec<String>,
}

impl Arbiter {
    /// Reads from a stream's facts, in the order of the log, who is to be believed when.
    pub(super) fn of(facts: &[Fact]) -> Self {
        let mut arbiter = Self { window_ms: WINDOW_MS, ..Self::default() };
        for ranking in facts.iter().filter_map(Fact::common) {
            if let Event::SourcesRanked(ranking) = ranking {
                arbiter.ranked = ranking.sources.iter().map(|name| name.as_str().into()).collect();
                let window_ms = ranking.window_s.map(|seconds| i64::from(seconds) * 1_000);
                arbiter.window_ms = window_ms.unwrap_or(WINDOW_MS);
            }
        }
        if !arbiter.ranked.is_empty() {
            arbiter.survey(facts);
        }
        arbiter
    }

    fn survey(&mut self, facts: &[Fact]) {
        let mut last: Vec<Option<Timestamp>> = vec![None; self.ranked.len()];
        for fact in facts {
            let rank = self.rank(&fact.source);
            match (fact.common(), rank) {
                (Some(Event::SourceSwitched(switched)), _) => {
                    if let Some(to) = self.rank(&switched.to) {
                        self.switches.push((switched.since, to));
                    }
                }
                (Some(Event::SourceGap(gap)), Some(rank)) => {
                    let after = last.get(rank).copied().flatten().unwrap_or_default();
                    let bytes = (gap.from, gap.to);
                    self.gaps.push(Gap { rank, bytes, after, before: None, filled_by: None });
                }
                (Some(Event::SourceLate(late)), Some(rank)) => {
                    let is_closed = |gap: &Gap| {
                        gap.rank == rank && late.from <= gap.bytes.0 && gap.bytes.1 <= late.to
                    };
                    self.gaps.retain(|gap| !is_closed(gap));
                }
                (_, Some(rank)) if !is_common(fact) => {
                    let open = self.gaps.iter_mut().filter(|gap| gap.before.is_none());
                    for gap in open.filter(|gap| gap.rank == rank && fact.time >= gap.after) {
                        gap.before = Some(fact.time);
                    }
                    if let Some(last) = last.get_mut(rank) {
                        *last = (*last).max(Some(fact.time));
                    }
                }
                _ => {}
            }
        }
        for fact in facts.iter().filter(|fact| !is_common(fact)) {
            let Some(rank) = self.rank(&fact.source) else { continue };
            for gap in self.gaps.iter_mut().filter(|gap| gap.rank != rank && gap.holds(fact.time)) {
                gap.filled_by = Some(gap.filled_by.map_or(rank, |filler| filler.min(rank)));
            }
        }
    }

    /// The place of a source among those that are ranked: `cs-log` is that of `cs-log/1234`, too.
    fn rank(&self, source: &str) -> Option<usize> {
        let is = |name: &str| {
            source.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.ranked.iter().position(|name| is(name))
    }

    /// Who is believed about a moment.
    fn believed(&self, time: Timestamp) -> usize {
        let switch = self.switches.iter().rev().find(|(since, _)| *since < time);
        let believed = switch.map_or(0, |(_, to)| *to);
        let gap = self.gaps.iter().find(|gap| gap.rank == believed && gap.holds(time));
        gap.and_then(|gap| gap.filled_by).unwrap_or(believed)
    }

    /// Whether a fact is one that several sources tell.
    pub(super) fn is_judge_of(&self, fact: &Fact) -> bool {
        self.rank(&fact.source).is_some() && !is_common(fact)
    }

    /// Whether the next fact of the stream changes who is to be believed about what was before it.
    pub(super) fn is_disturbed_by(&self, fact: &Fact) -> bool {
        if fact.is_of(&["sources.ranked", "source.switched"]) {
            return true;
        }
        let Some(rank) = self.rank(&fact.source) else { return false };
        if is_common(fact) {
            return fact.is_of(&["source.gap", "source.late"]);
        }
        let closes = |gap: &Gap| gap.rank == rank && gap.before.is_none() && fact.time >= gap.after;
        let fills = |gap: &Gap| {
            gap.rank != rank
                && gap.holds(fact.time)
                && gap.filled_by.is_none_or(|filler| rank < filler)
        };
        self.gaps.iter().any(|gap| closes(gap) || fills(gap))
    }

    /// The source that is believed about a moment, if any are ranked.
    pub(super) fn believed_source(&self, time: Timestamp) -> Option<&str> {
        self.ranked.get(self.believed(time)).map(|name| &**name)
    }

    /// Notes of which aspects a fact tells.
    pub(super) fn note_told(&mut self, fact: &Fact, aspects: Vec<&'static str>) {
        if let Some(rank) = self.rank(&fact.source) {
            self.told.extend(aspects.into_iter().map(|aspect| (rank, aspect)));
        }
    }

    /// Whether neither the source that is believed about a fact's moment nor one that is ranked before the
    /// fact's own has told of an aspect so far.
    pub(super) fn lacks(&self, fact: &Fact, aspect: &str) -> bool {
        let Some(rank) = self.rank(&fact.source) else { return false };
        let believed = self.believed(fact.time);
        let goes_before = |other: usize| other != rank && (other == believed || other < rank);
        !self.told.iter().any(|(other, told)| *told == aspect && goes_before(*other))
    }

    /// Judges the next fact. `claim` is what it claims, in words that are the same whoever claims it.
    pub(super) fn judge(&mut self, fact: &Fact, claim: Option<String>) -> Judgement {
        let Some(rank) = self.rank(&fact.source) else {
            return Judgement { is_folded: true, disagreements: Vec::new() };
        };
        let is_believed = self.believed(fact.time) == rank;
        let disagreements = if is_believed { self.expire(fact.time) } else { Vec::new() };
        let Some(what) = claim else { return Judgement { is_folded: is_believed, disagreements } };
        let is_it = |other: &Claim| {
            other.rank != rank
                && other.what == what
                && (other.time.ms() - fact.time.ms()).abs() <= self.window_ms
        };
        // What another one has claimed already is the same fact: it is folded if neither was yet.
        if let Some(at) = self.waiting.iter().position(is_it) {
            let other = self.waiting.remove(at);
            let is_folded = is_believed && !other.is_some_and(|other| other.is_folded);
            return Judgement { is_folded, disagreements };
        }
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.pop_front();
        }
        let (time, seq) = (fact.time, fact.seq);
        self.waiting.push_back(Claim { rank, time, seq, what, is_folded: is_believed });
        Judgement { is_folded: is_believed, disagreements }
    }

    /// Gives up the claims that the believed source has had time enough to make, too, and did not. What
    /// was folded is still known when another source comes late with it.
    fn expire(&mut self, now: Timestamp) -> Vec<String> {
        let oldest = now.ms() - self.window_ms;
        let is_alone = |claim: &Claim| !claim.is_folded && claim.time.ms() < oldest;
        let (alone, waiting): (VecDeque<Claim>, _) =
            std::mem::take(&mut self.waiting).into_iter().partition(is_alone);
        self.waiting = waiting;
        let name = |rank: usize| self.ranked.get(rank).map_or("?", |name| &**name);
        alone
            .iter()
            .map(|claim| {
                let believed = name(self.believed(claim.time));
                format!(
                    "{} claims {} in event {}, and {believed} does not",
                    name(claim.rank),
                    claim.what,
                    claim.seq
                )
            })
            .collect()
    }
}

/// Whether all games have the event, so that it is not about what was played.
fn is_common(fact: &Fact) -> bool {
    fact.told.as_ref().is_some_and(|(tag, _)| Event::TAGS.contains(&&**tag))
}

impl Gap {
    fn holds(&self, time: Timestamp) -> bool {
        self.after < time && self.before.is_none_or(|before| time < before)
    }
}
