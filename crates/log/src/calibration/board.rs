//! What every map came to, the sums of that, and which maps are to be looked at.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    hash::{BuildHasher as _, RandomState},
};

use matchwire_domain::{calibration::Scores, subject::Subject};

use super::Standing;

/// How many maps' scores stand by themselves.
pub const MAX_HELD: usize = 10_000;
/// How many maps are counted in all; beyond, new ones are not.
const MAX_MAPS: usize = 1_000_000;
/// How many maps are known to be incomplete.
const MAX_MARKED: usize = 10_000;

/// Scores by map, and their sums.
pub(super) struct Board {
    total: Scores,
    pub(super) held: BTreeMap<Subject, (u64, Scores)>,
    /// By when it was put last.
    order: BTreeMap<u64, Subject>,
    puts: u64,
    /// Fingerprints of maps that are in the total and nowhere else.
    pub(super) merged: HashSet<u64>,
    hasher: RandomState,
    /// Maps that are old, and those that have changed. They take turns.
    old: BTreeSet<Subject>,
    changed: BTreeSet<Subject>,
    is_turn_of_old: bool,
    /// One more that is being looked at.
    is_busy: bool,
    pub(super) is_complete: bool,
    incomplete: BTreeSet<Subject>,
    max_held: usize,
}

impl Default for Board {
    fn default() -> Self {
        Self::holding(MAX_HELD)
    }
}

impl Board {
    pub(super) fn holding(max_held: usize) -> Self {
        Self {
            total: Scores::new(),
            held: BTreeMap::new(),
            order: BTreeMap::new(),
            puts: 0,
            merged: HashSet::new(),
            hasher: RandomState::new(),
            old: BTreeSet::new(),
            changed: BTreeSet::new(),
            is_turn_of_old: false,
            is_busy: false,
            is_complete: false,
            incomplete: BTreeSet::new(),
            max_held,
        }
    }

    /// Has maps looked at that were in the log before.
    pub(super) fn add_old(&mut self, maps: impl IntoIterator<Item = Subject>) {
        self.old.extend(maps);
    }

    /// Has maps looked at that have new events.
    pub(super) fn add_changed(&mut self, maps: impl IntoIterator<Item = Subject>) {
        self.changed.extend(maps);
    }

    /// The next map to be looked at. [`looked_at`](Self::looked_at) must follow.
    pub(super) fn next(&mut self) -> Option<Subject> {
        let (first, second) = if self.is_turn_of_old {
            (&mut self.old, &mut self.changed)
        } else {
            (&mut self.changed, &mut self.old)
        };
        let next = first.pop_first().or_else(|| second.pop_first());
        self.is_turn_of_old = !self.is_turn_of_old;
        self.is_busy = next.is_some();
        next
    }

    /// Whether no old map waits.
    pub(super) fn has_no_old(&self) -> bool {
        self.old.is_empty()
    }

    pub(super) fn looked_at(&mut self) {
        self.is_busy = false;
    }

    pub(super) fn is_idle(&self) -> bool {
        self.changed.is_empty() && self.old.is_empty()
    }

    /// Notes whether a map could not be scored, or not as a whole.
    pub(super) fn mark(&mut self, map: &Subject, is_incomplete: bool) {
        if !is_incomplete {
            self.incomplete.remove(map);
        } else if self.incomplete.len() < MAX_MARKED {
            self.incomplete.insert(map.clone());
        }
    }

    /// Counts what a map came to, in place of what it had come to before.
    pub(super) fn put(&mut self, map: Subject, scores: Scores) {
        let fingerprint = self.hasher.hash_one(&map);
        if self.merged.contains(&fingerprint) {
            return;
        }
        if let Some((put, before)) = self.held.remove(&map) {
            self.order.remove(&put);
            self.take_away(&before);
        }
        if scores.is_empty() {
            return;
        }
        if self.held.len() + self.merged.len() >= MAX_MAPS {
            return self.mark(&map, true);
        }
        for (key, tally) in &scores {
            *self.total.entry(key.clone()).or_default() += tally;
        }
        self.puts += 1;
        self.order.insert(self.puts, map.clone());
        self.held.insert(map, (self.puts, scores));
        self.merge();
    }

    fn take_away(&mut self, scores: &Scores) {
        for (key, tally) in scores {
            if let Some(total) = self.total.get_mut(key) {
                *total -= tally;
            }
        }
        self.total.retain(|_, total| !total.is_empty());
    }

    /// Forgets what the maps came to that have not changed for longest. They stay in the total.
    fn merge(&mut self) {
        while self.held.len() > self.max_held {
            let Some((_, map)) = self.order.pop_first() else { return };
            self.held.remove(&map);
            self.merged.insert(self.hasher.hash_one(&map));
        }
    }

    pub(super) fn standing(&self) -> Standing {
        let waiting = self.changed.len() + self.old.len() + usize::from(self.is_busy);
        Standing {
            scores: self.total.clone(),
            is_complete: self.is_complete,
            waiting,
            incomplete: self.incomplete.len(),
        }
    }
}
