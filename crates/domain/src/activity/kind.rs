//! What can be done, and of what it is known.

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What activities are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// The outcome of a match.
    Match,
    /// A tournament.
    Tournament,
}

impl Model {
    /// Its name, as it stands in `source_model`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Tournament => "tournament",
        }
    }
}

/// What a player did. The names reach views and exports: they are never renamed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Kind {
    /// Had a part in a match in which something was played.
    MatchPlayed,
    /// Won it.
    MatchWon,
    /// Lost it.
    MatchLost,
    /// Neither.
    MatchDrawn,
    /// Is entered for a tournament.
    TournamentJoined,
    /// Has a place in it.
    TournamentPlaced,
    /// Has the first one.
    TournamentWon,
    /// A feat of the game's own, by its word for it: `ace`, `goal`.
    Feat(String),
}

impl Kind {
    /// Those that all games have.
    const COMMON: [(&'static str, Self); 7] = [
        ("match_played", Self::MatchPlayed),
        ("match_won", Self::MatchWon),
        ("match_lost", Self::MatchLost),
        ("match_drawn", Self::MatchDrawn),
        ("tournament_joined", Self::TournamentJoined),
        ("tournament_placed", Self::TournamentPlaced),
        ("tournament_won", Self::TournamentWon),
    ];

    /// Its name, as it stands in `event_type`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Feat(feat) => feat,
            common => {
                let named = Self::COMMON.iter().find(|(_, kind)| kind == common);
                named.map_or("", |(name, _)| name)
            }
        }
    }
}

impl FromStr for Kind {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        let common = Self::COMMON.into_iter().find(|(known, _)| *known == name);
        Ok(common.map_or_else(|| Self::Feat(name.to_owned()), |(_, kind)| kind))
    }
}

impl From<String> for Kind {
    fn from(name: String) -> Self {
        let Ok(kind) = name.parse();
        kind
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        kind.as_str().to_owned()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
