//! What a player decides, each with the schema of its data.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::{
    live_match::{PersonName, Player, declare::vocabulary},
    series::Name,
};

/// The type of [`PlayerErased`], which no correction takes back: keys that are gone do not come back.
pub const FORGETS: &str = "player.erased";

vocabulary! {
    /// The player names another one a friend. They are friends when both have named each other.
    "player.friended" => PlayerFriended {
        /// The other one.
        player: Player,
    };
    /// The player no longer names another one a friend.
    "player.unfriended" => PlayerUnfriended {
        /// The other one.
        player: Player,
    };
    /// The player consents to something, or withdraws that.
    "player.consented" => PlayerConsented {
        /// To what, as the platform that embeds Matchwire names it: `newsletter`.
        purpose: Name,
        /// Whether consent is given; else it is withdrawn.
        given: bool,
    };
    /// The player is forgotten: who it was, nobody can find out any more. Only the server says so.
    "player.erased" => PlayerErased;
    /// The player decides who may see what; what is left out stays as it was.
    "privacy.set" => PrivacySet {
        /// What the player has done, one by one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        activity: Option<Visibility>,
        /// What is counted of it: statistics, ratings, places on leaderboards.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        statistics: Option<Visibility>,
    };
}

/// Who may see something of a player.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// The player alone.
    #[default]
    Owner,
    /// Friends, too.
    Friends,
    /// Everyone.
    Public,
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
            Self::PlayerFriended(PlayerFriended { player })
            | Self::PlayerUnfriended(PlayerUnfriended { player }) => vec![player],
            _ => Vec::new(),
        }
    }
}
