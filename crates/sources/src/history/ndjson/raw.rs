//! What stands in a line.

use matchwire_domain::{
    live_match::{Forfeit, Label, PersonName, TeamIndex},
    series::{BestOf, Name},
    tournament::{Placement, Registration},
};
use serde::Deserialize;

/// A match that was played, or was to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Match {
    #[serde(rename = "match")]
    pub(super) id: String,
    #[serde(default)]
    pub(super) game: Option<Name>,
    #[serde(default)]
    pub(super) tournament: Option<Name>,
    #[serde(default)]
    pub(super) stage: Option<Label>,
    #[serde(default)]
    pub(super) best_of: Option<BestOf>,
    #[serde(default)]
    pub(super) starts: Option<String>,
    /// When it was over, or it was clear that it is not played.
    pub(super) ended: String,
    pub(super) teams: [Side; 2],
    pub(super) result: Result,
    /// Maps won, in the order of teams.
    #[serde(default)]
    pub(super) score: Option<[u16; 2]>,
    /// Whether play had begun when it was forfeited or abandoned.
    #[serde(default)]
    pub(super) begun: bool,
}

/// A team, or whoever plays alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Side {
    #[serde(default)]
    pub(super) id: Option<Label>,
    pub(super) name: Label,
    #[serde(default)]
    pub(super) players: Vec<Person>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    pub(super) account: String,
    #[serde(default)]
    pub(super) name: Option<PersonName>,
}

/// How a match ended; teams by their index, 0 or 1.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Result {
    Won(TeamIndex),
    Drawn,
    /// That team lost without being beaten.
    Forfeited {
        team: TeamIndex,
        #[serde(default)]
        how: Forfeit,
    },
    /// That team had no opponent.
    Bye(TeamIndex),
    Cancelled,
    Abandoned,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tournament {
    #[serde(rename = "tournament")]
    pub(super) id: Name,
    #[serde(default)]
    pub(super) name: Option<Label>,
    #[serde(default)]
    pub(super) game: Option<Name>,
    #[serde(default)]
    pub(super) season: Option<Name>,
    #[serde(default)]
    pub(super) private: Option<bool>,
    #[serde(default)]
    pub(super) starts: Option<String>,
    #[serde(default)]
    pub(super) ended: Option<String>,
    #[serde(default)]
    pub(super) cancelled: bool,
    #[serde(default)]
    pub(super) entrants: Vec<Registration>,
    #[serde(default)]
    pub(super) placements: Vec<Placement>,
}
