//! What can happen to a tournament, each with the schema of its data.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::{
    live_match::{
        Label, PersonName, Player,
        declare::{bounded, vocabulary},
    },
    series::Name,
    timestamp::Timestamp,
};

vocabulary! {
    /// A tournament is set, or set otherwise: what is left out stays as it was told before. One that was
    /// cancelled takes place after all.
    "tournament.announced" => TournamentAnnounced {
        /// The name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Label>,
        /// The game, as maps' states name it: `cs2`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        game: Option<Name>,
        /// The season that it counts for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        season: Option<Name>,
        /// Whether it is private: what is played in it counts for the players' own eyes alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        private: Option<bool>,
        /// When it begins, RFC 3339.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        starts: Option<Timestamp>,
    };
    /// Teams or players are entered. A team that is entered again has other members from then on.
    "tournament.registered" => TournamentRegistered {
        /// Who.
        entrants: Registrations,
    };
    /// Teams or players are no longer entered.
    "tournament.withdrawn" => TournamentWithdrawn {
        /// Who.
        entrants: Entrants,
    };
    /// Teams or players have a place. Until the tournament ends it is a provisional one.
    "tournament.placed" => TournamentPlaced {
        /// Who has which.
        placements: Placements,
    };
    /// Teams or players are made to leave: they have taken part, and have no place.
    "tournament.disqualified" => TournamentDisqualified {
        /// Who.
        entrants: Entrants,
        /// Why, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Label>,
    };
    /// It is over, and places stand.
    "tournament.ended" => TournamentEnded;
    /// It does not take place, and counts for nothing.
    "tournament.cancelled" => TournamentCancelled {
        /// Why, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Label>,
    };
}

/// A team or a player that is entered: `{"player": "…"}`, or a team with its members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Registration {
    /// A team.
    Team(Team),
    /// A player who plays alone.
    Player(Player),
}

/// A team that is entered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// How the platform that embeds Matchwire names it, as in the line-ups of matches.
    pub id: Label,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Label>,
    /// The members.
    pub players: Members,
}

/// A team, by its id, or a player, of those who are entered: `{"team": "…"}` or `{"player": "…"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Entrant {
    /// A team.
    Team(Label),
    /// A player who plays alone.
    Player(Player),
}

/// Who has which place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Placement {
    /// Who.
    pub entrant: Entrant,
    /// The place, from 1; several may have the same.
    #[schemars(range(min = 1))]
    pub place: std::num::NonZeroU32,
}

bounded! {
    /// The members of a team, at most 64.
    Members(Vec<Player>), 64, "maxItems", Vec::len;
    /// Teams and players that are entered, at most 512 at once.
    Registrations(Vec<Registration>), 512, "maxItems", Vec::len;
    /// Teams and players, at most 512 at once.
    Entrants(Vec<Entrant>), 512, "maxItems", Vec::len;
    /// Places, at most 512 at once.
    Placements(Vec<Placement>), 512, "maxItems", Vec::len;
}

impl Registrations {
    /// How many are told at once.
    pub const MAX: usize = 512;

    /// The first [`Self::MAX`] of some entrants.
    pub fn cut(mut entrants: Vec<Registration>) -> Self {
        entrants.truncate(Self::MAX);
        Self(entrants)
    }
}

impl Placements {
    /// How many are told at once.
    pub const MAX: usize = 512;

    /// The first [`Self::MAX`] of some places.
    pub fn cut(mut placements: Vec<Placement>) -> Self {
        placements.truncate(Self::MAX);
        Self(placements)
    }
}

impl Event {
    /// The tags of events in which people's names stand.
    pub const NAMED: &[&str] = &[];

    /// The names of people in the event: there are none.
    #[allow(clippy::unused_self, reason = "the signature of every vocabulary")]
    pub fn names_mut(&mut self) -> Vec<(&Player, &mut PersonName)> {
        Vec::new()
    }

    /// Everyone who is named in the event.
    pub fn players_mut(&mut self) -> Vec<&mut Player> {
        match self {
            Self::TournamentRegistered(told) => {
                told.entrants.0.iter_mut().flat_map(Registration::players_mut).collect()
            }
            Self::TournamentWithdrawn(TournamentWithdrawn { entrants })
            | Self::TournamentDisqualified(TournamentDisqualified { entrants, .. }) => {
                entrants.0.iter_mut().filter_map(Entrant::player_mut).collect()
            }
            Self::TournamentPlaced(told) => {
                let entrants = told.placements.0.iter_mut().map(|placed| &mut placed.entrant);
                entrants.filter_map(Entrant::player_mut).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Registration {
    fn players_mut(&mut self) -> Vec<&mut Player> {
        match self {
            Self::Team(team) => team.players.0.iter_mut().collect(),
            Self::Player(player) => vec![player],
        }
    }
}

impl Entrant {
    fn player_mut(&mut self) -> Option<&mut Player> {
        match self {
            Self::Team(_) => None,
            Self::Player(player) => Some(player),
        }
    }
}
