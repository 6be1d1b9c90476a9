//! What a player has done, as facts that are never changed: matches played, won, lost and drawn,
//! tournaments joined, placed and won, and the games' own feats.
//!
//! ```text
//! outcome of a match, state of a tournament ─► Deeds ─► revise ─► activities
//! ```
//!
//! [`Deeds`] are what holds of a match or a tournament now. [`revise`] compares them with the activities
//! that were made of it before: what no longer holds is taken back by a reversal, what holds anew is
//! stated, and the old ones stay. So the sum of all activities is always that of what holds.

mod deeds;
mod kind;
mod revise;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

pub use deeds::Deeds;
pub use kind::{Kind, Model};
pub use revise::revise;

/// Something that a player has done, or the reversal of it.
///
/// Its natural key is `(player, source_model, source_id, event_type, revision)`. Revisions of the other
/// four count 1, 2, 3, … without a gap: an odd one states, and the even one after it takes exactly that
/// back and carries all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Player id.
    pub player: String,
    /// What it was made of.
    pub source_model: Model,
    /// The match or tournament.
    pub source_id: String,
    /// What was done.
    #[serde(rename = "event_type")]
    pub kind: Kind,
    /// Which one of its key it is, from 1.
    pub revision: u32,
    /// The circumstances.
    #[serde(flatten)]
    pub deed: Deed,
}

impl Activity {
    /// Whether it takes back the one of the revision before it.
    pub fn is_reversal(&self) -> bool {
        self.revision.is_multiple_of(2)
    }

    /// What it adds to a count: as often as it was done, or that taken back.
    pub fn change(&self) -> i64 {
        let count = i64::from(self.deed.count);
        if self.is_reversal() { -count } else { count }
    }

    /// Whether it is a win that the player has as a member of a team.
    pub fn is_team_win(&self) -> bool {
        self.deed.is_team && matches!(self.kind, Kind::MatchWon | Kind::TournamentWon)
    }
}

/// The circumstances of something that a player has done. What is left out of its JSON is no, once or
/// unknown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Deed {
    /// When: of a match when it ended.
    pub time: Timestamp,
    /// The game, empty where nobody told it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub game: String,
    /// The tournament.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tournament: Option<String>,
    /// The season that it counts for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub season: Option<String>,
    /// Whether the tournament is private: it then counts in what the player sees, and nobody else.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_private: bool,
    /// Whether it was done as one of a team.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_team: bool,
    /// How the platform names that team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Who was on the other side, by player id; of a result alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub against: Vec<String>,
    /// How the platform names their team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against_team: Option<String>,
    /// Whether the match was won or lost without being decided by play.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_forfeit: bool,
    /// How often, from 1.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub count: u32,
    /// The place in a tournament, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u32>,
}

impl Deed {
    /// Something that was done once then, of which no more is known.
    pub fn at(time: Timestamp) -> Self {
        Self {
            time,
            game: String::new(),
            tournament: None,
            season: None,
            is_private: false,
            is_team: false,
            team: None,
            against: Vec::new(),
            against_team: None,
            by_forfeit: false,
            count: 1,
            place: None,
        }
    }
}

fn once() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_once(count: &u32) -> bool {
    *count == 1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_false(value: &bool) -> bool {
    !value
}
