//! The statistics of players, held together in memory.

use std::collections::BTreeMap;

use matchwire_domain::activity::Activity;

use super::{Split, Streaks, Tally, Verdict, Versus};
use crate::Key;

/// What is counted of a player within a split.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Totals.
    pub tally: Tally,
    /// Streaks.
    pub streaks: Streaks,
    /// Head to head, by the player id of the other one; nobody with whom there is nothing.
    pub versus: BTreeMap<String, Versus>,
    /// Results in their order, and how often each is stated more than it is taken back: once, or while
    /// only a part of the activities has arrived otherwise.
    results: BTreeMap<(Key, Verdict), i64>,
}

/// The statistics of players, by player id and split. Activities may come in any order; each counts
/// once for each time that it comes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics(BTreeMap<String, BTreeMap<Split, Record>>);

impl Statistics {
    /// Of some activities.
    pub fn of<'a>(activities: impl IntoIterator<Item = &'a Activity>) -> Self {
        let mut statistics = Self::default();
        for activity in activities {
            statistics.take(activity);
        }
        statistics
    }

    /// Counts an activity, or takes it back. A record in which nothing is left is gone.
    pub fn take(&mut self, activity: &Activity) {
        let splits = self.0.entry(activity.player.clone()).or_default();
        for split in Split::all_of(&activity.deed) {
            let record = splits.entry(split.clone()).or_default();
            record.take(activity);
            if *record == Record::default() {
                splits.remove(&split);
            }
        }
        if splits.is_empty() {
            self.0.remove(&activity.player);
        }
    }

    /// The record of a player within a split; `None` if there is nothing in it.
    pub fn record(&self, player: &str, split: &Split) -> Option<&Record> {
        self.0.get(player)?.get(split)
    }

    /// All records, by player id and split.
    pub fn iter<'a>(&'a self) -> impl Iterator<Item = (&'a str, &'a Split, &'a Record)> {
        let splits = |(player, splits): (&'a String, &'a BTreeMap<Split, Record>)| {
            splits.iter().map(move |(split, record)| (player.as_str(), split, record))
        };
        self.0.iter().flat_map(splits)
    }
}

impl Record {
    /// Counts an activity, or takes it back.
    pub fn take(&mut self, activity: &Activity) {
        self.tally.take(activity);
        let Some(verdict) = Verdict::of(activity) else { return };
        for other in &activity.deed.against {
            let versus = self.versus.entry(other.clone()).or_default();
            versus.take(activity);
            if *versus == Versus::default() {
                self.versus.remove(other);
            }
        }
        let key = Key { ended: activity.deed.time, match_id: activity.source_id.clone() };
        let stated = self.results.entry((key.clone(), verdict)).or_default();
        let was_counted = *stated > 0;
        *stated += if activity.is_reversal() { -1 } else { 1 };
        let is_counted = *stated > 0;
        if *stated == 0 {
            self.results.remove(&(key.clone(), verdict));
        }
        let is_new = is_counted && !was_counted;
        if is_counted != was_counted && !(is_new && self.streaks.push(&key, verdict).is_ok()) {
            let counted = self.results.iter().filter(|(_, stated)| **stated > 0);
            self.streaks = Streaks::of(counted.map(|((key, verdict), _)| (key, *verdict)));
        }
    }
}
