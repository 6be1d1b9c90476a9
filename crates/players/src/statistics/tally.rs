//! Sums that an activity or its reversal changes in constant time.

use std::collections::BTreeMap;

use matchwire_domain::activity::{Activity, Kind};
use serde::{Deserialize, Serialize};

/// Tournaments in which a place is on the podium.
const PODIUM: u32 = 3;

/// What a player has done within a split. While only a reversal has arrived, and not yet what it takes
/// back, a sum may be less than nought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Matches in which something was played.
    pub played: i64,
    /// Won by play.
    pub won: i64,
    /// Lost by play.
    pub lost: i64,
    /// Drawn.
    pub drawn: i64,
    /// Won since the other side gave up, was disqualified or was not there.
    pub forfeits_won: i64,
    /// Lost by one of these.
    pub forfeits_lost: i64,
    /// Tournaments that were joined.
    pub tournaments: i64,
    /// Of them those with a place among the first three.
    pub podiums: i64,
    /// Of them those that were won.
    pub tournaments_won: i64,
    /// The game's own, by its words for them; no noughts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub feats: BTreeMap<String, i64>,
}

impl Tally {
    /// Counts an activity, or takes it back.
    pub fn take(&mut self, activity: &Activity) {
        let change = activity.change();
        let by_forfeit = activity.deed.by_forfeit;
        let sum = match &activity.kind {
            Kind::MatchPlayed => &mut self.played,
            Kind::MatchWon if by_forfeit => &mut self.forfeits_won,
            Kind::MatchWon => &mut self.won,
            Kind::MatchLost if by_forfeit => &mut self.forfeits_lost,
            Kind::MatchLost => &mut self.lost,
            Kind::MatchDrawn => &mut self.drawn,
            Kind::TournamentJoined => &mut self.tournaments,
            Kind::TournamentPlaced if activity.deed.place.is_some_and(|place| place <= PODIUM) => {
                &mut self.podiums
            }
            Kind::TournamentPlaced => return,
            Kind::TournamentWon => &mut self.tournaments_won,
            Kind::Feat(feat) => {
                let sum = self.feats.entry(feat.clone()).or_default();
                *sum = sum.saturating_add(change);
                if *sum == 0 {
                    self.feats.remove(feat);
                }
                return;
            }
        };
        *sum = sum.saturating_add(change);
    }

    /// The share of the matches that play decided which were won, 0 to 1; `None` without one.
    pub fn win_rate(&self) -> Option<f64> {
        rate(self.won, self.won.saturating_add(self.lost).saturating_add(self.drawn))
    }

    /// How often a feat was done in a match played, on average; `None` without one.
    pub fn per_match(&self, feat: &str) -> Option<f64> {
        rate(self.feats.get(feat).copied().unwrap_or_default(), self.played)
    }

    /// Whether nothing is counted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How a player has fared against another one, by play alone. With teams it is against each of the
/// other team.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versus {
    /// Won.
    pub won: i64,
    /// Lost.
    pub lost: i64,
    /// Drawn.
    pub drawn: i64,
}

impl Versus {
    /// Counts an activity against the other one, or takes it back.
    pub fn take(&mut self, activity: &Activity) {
        if activity.deed.by_forfeit {
            return;
        }
        let sum = match activity.kind {
            Kind::MatchWon => &mut self.won,
            Kind::MatchLost => &mut self.lost,
            Kind::MatchDrawn => &mut self.drawn,
            _ => return,
        };
        *sum = sum.saturating_add(activity.change());
    }

    /// Both together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            won: self.won.saturating_add(other.won),
            lost: self.lost.saturating_add(other.lost),
            drawn: self.drawn.saturating_add(other.drawn),
        }
    }

    /// How often they have met.
    pub fn met(self) -> i64 {
        self.won.saturating_add(self.lost).saturating_add(self.drawn)
    }

    /// The share of their matches that were won, 0 to 1; `None` without one.
    pub fn win_rate(self) -> Option<f64> {
        rate(self.won, self.met())
    }
}

#[allow(clippy::cast_precision_loss, reason = "nobody plays 2^53 matches")]
fn rate(of: i64, by: i64) -> Option<f64> {
    (by > 0).then(|| of as f64 / by as f64)
}
