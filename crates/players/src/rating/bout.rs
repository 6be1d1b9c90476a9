//! A match as far as ratings are concerned.

use matchwire_domain::outcome::{Ending, Outcome};
use serde::{Deserialize, Serialize};

use crate::Key;

/// Who is rated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rated {
    /// Players, alone or as the members of a team.
    Players,
    /// Teams as they are, whoever plays for them, by their ids.
    Teams,
}

/// A match that play has decided, between two sides who are rated. One of a private tournament is none, since what
/// everybody is rated by would tell of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bout {
    /// Its place among others.
    pub key: Key,
    /// Who is on each side.
    pub sides: [Vec<String>; 2],
    /// The index of the side that won; `None` for a draw.
    pub winner: Option<usize>,
}

impl Bout {
    /// Of an outcome, if it says how good they are: play has decided it, and there is somebody to rate on both
    /// sides.
    pub fn of(outcome: &Outcome, rated: Rated) -> Option<Self> {
        let [first, second] = &outcome.sides;
        if outcome.is_private || !first.ending.is_by_play() || !second.ending.is_by_play() {
            return None;
        }
        let sides = outcome.sides.each_ref().map(|side| match rated {
            Rated::Players => side.members.keys().cloned().collect(),
            Rated::Teams => side.team.iter().cloned().collect::<Vec<_>>(),
        });
        let [first, second] = &sides;
        if first.is_empty() || second.is_empty() || first == second {
            return None;
        }
        let winner = outcome.sides.iter().position(|side| side.ending == Ending::Won);
        let key = Key { ended: outcome.ended, match_id: outcome.match_id.clone() };
        Some(Self { key, sides, winner })
    }
}
