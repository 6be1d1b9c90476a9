//! How many results of one kind came one after the other.

use matchwire_domain::activity::{Activity, Kind};
use serde::{Deserialize, Serialize};

use crate::Key;

/// How play decided a match for a player.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Won.
    Won,
    /// Lost.
    Lost,
    /// Drawn.
    Drawn,
}

impl Verdict {
    /// Of an activity; `None` if it is not a result of play.
    pub fn of(activity: &Activity) -> Option<Self> {
        match activity.kind {
            _ if activity.deed.by_forfeit => None,
            Kind::MatchWon => Some(Self::Won),
            Kind::MatchLost => Some(Self::Lost),
            Kind::MatchDrawn => Some(Self::Drawn),
            _ => None,
        }
    }
}

/// Results of one kind, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Which.
    pub of: Verdict,
    /// How many.
    pub length: u32,
}

/// A player's streaks within a split. Forfeits neither make one longer nor end it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streaks {
    /// The one that the last result belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Run>,
    /// The most matches won one after the other.
    pub longest_won: u32,
    /// The most lost.
    pub longest_lost: u32,
    /// The most that were not lost.
    pub longest_unbeaten: u32,
    /// How many were not lost up to the last one.
    pub unbeaten: u32,
    /// The place of the last result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Key>,
}

/// A result is not later than the last one: the streaks must be folded again, with [`Streaks::of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Late;

impl Streaks {
    /// Of results in their order.
    pub fn of<'a>(results: impl IntoIterator<Item = (&'a Key, Verdict)>) -> Self {
        let mut streaks = Self::default();
        for (key, verdict) in results {
            streaks.count(key, verdict);
        }
        streaks
    }

    /// Counts the next result.
    pub fn push(&mut self, key: &Key, verdict: Verdict) -> Result<(), Late> {
        if self.last.as_ref().is_some_and(|last| last >= key) {
            return Err(Late);
        }
        self.count(key, verdict);
        Ok(())
    }

    fn count(&mut self, key: &Key, verdict: Verdict) {
        let before = self.current.filter(|run| run.of == verdict).map_or(0, |run| run.length);
        let length = before.saturating_add(1);
        self.current = Some(Run { of: verdict, length });
        self.unbeaten = if verdict == Verdict::Lost { 0 } else { self.unbeaten.saturating_add(1) };
        self.longest_unbeaten = self.longest_unbeaten.max(self.unbeaten);
        match verdict {
            Verdict::Won => self.longest_won = self.longest_won.max(length),
            Verdict::Lost => self.longest_lost = self.longest_lost.max(length),
            Verdict::Drawn => {}
        }
        self.last = Some(key.clone());
    }
}
