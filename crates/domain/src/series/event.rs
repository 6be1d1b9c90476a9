//! What can happen to a match as a whole, each with the schema of its data.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::{
    live_match::{
        Label, PersonName, Player, TeamIndex, course,
        declare::{bounded, vocabulary},
    },
    subject,
    timestamp::Timestamp,
};

vocabulary! {
    with course::Event;
    /// A match is set, or set otherwise: what is left out stays as it was told before.
    "match.scheduled" => MatchScheduled {
        /// Whether it only fills in what nobody has told yet, as whoever plays the match does, and
        /// not who sets it. What differs from what was told is noted then, and changes nothing.
        #[serde(default, skip_serializing_if = "is_false")]
        fills: bool,
        /// The game, as maps' states name it: `cs2`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        game: Option<Name>,
        /// How many maps there are at most, 1 to 99; whoever wins most of them wins the match.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        best_of: Option<BestOf>,
        /// The tournament, as the streams `tournament/<tournament>` name it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tournament: Option<Name>,
        /// The stage of the tournament, for people: `Quarter-final`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<Label>,
        /// The teams with their line-ups, in the order that indexes refer to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        teams: Option<[Team; 2]>,
        /// When it is to start, RFC 3339.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        starts: Option<Timestamp>,
        /// The server that plays it; a source may post for a server instead of for a match.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<Name>,
    };
    /// Another server plays the match, or none.
    "server.assigned" => ServerAssigned {
        /// The server; left out for none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<Name>,
    };
    /// A step of the veto.
    "map.vetoed" => MapVetoed {
        /// What is done.
        action: VetoAction,
        /// The index of the team that does it; left out for what is left over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        team: Option<TeamIndex>,
        /// The name of the map, `de_nuke`.
        map_name: Label,
        /// The side that the team begins on, as the game calls its sides.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        side: Option<Label>,
        /// The teams as the feed orders them, if it has an order of its own: `team` is in that
        /// order, and the match's teams are known again by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        teams: Option<[TeamRef; 2]>,
    };
    /// The match begins.
    "series.started" => SeriesStarted;
    /// A map of the match was won, as the feed tells it; its own stream need not be here.
    "map.won" => MapWon {
        /// The number of the map.
        map: MapNumber,
        /// The index of the team that won it.
        winner: TeamIndex,
        /// The score of the map, in the order of teams.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score: Option<[u16; 2]>,
        /// The name of the map, `de_nuke`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        map_name: Option<Label>,
        /// The teams as the feed orders them, if it has an order of its own: `winner` and `score` are in that
        /// order, and the match's teams are known again by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        teams: Option<[TeamRef; 2]>,
    };
    /// The match is over.
    "series.ended" => SeriesEnded {
        /// The index of the team that won; left out for a draw.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        winner: Option<TeamIndex>,
        /// Maps won, in the order of teams.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score: Option<[u16; 2]>,
        /// The teams as the feed orders them, if it has an order of its own: `winner` and `score` are in that
        /// order, and the match's teams are known again by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        teams: Option<[TeamRef; 2]>,
    };
    /// A team goes on without an opponent; nothing is played.
    "bye.given" => ByeGiven {
        /// The index of the team that has it.
        team: TeamIndex,
        /// Why, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Label>,
    };
    /// The match is not played.
    "match.cancelled" => MatchCancelled {
        /// Why, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Label>,
    };
}

impl Event {
    /// The tags of events in which people's names stand.
    pub const NAMED: &[&str] = &["match.scheduled"];

    /// The names of people in the event, each with the person.
    pub fn names_mut(&mut self) -> Vec<(&Player, &mut PersonName)> {
        let Self::MatchScheduled(MatchScheduled { teams: Some(teams), .. }) = self else {
            return Vec::new();
        };
        let members = teams.iter_mut().flat_map(|team| team.players.members_mut());
        members.filter_map(|member| Some((&member.player, member.name.as_mut()?))).collect()
    }

    /// Everyone who is named in the event.
    pub fn players_mut(&mut self) -> Vec<&mut Player> {
        let Self::MatchScheduled(MatchScheduled { teams: Some(teams), .. }) = self else {
            return Vec::new();
        };
        let members = teams.iter_mut().flat_map(|team| team.players.members_mut());
        members.map(|member| &mut member.player).collect()
    }
}

/// A team that is to play.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// The name.
    pub name: Label,
    /// How the platform that embeds Matchwire names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Label>,
    /// Who is to play.
    #[serde(default, skip_serializing_if = "LineUp::is_unknown")]
    pub players: LineUp,
}

/// A team, as a feed calls it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamRef {
    /// The name.
    pub name: Label,
    /// How the platform that embeds Matchwire names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Label>,
}

/// Somebody in a line-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Who.
    pub player: Player,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<PersonName>,
}

bounded! {
    #[derive(Default)]
    /// A line-up, at most 64 people.
    LineUp(Vec<Member>), 64, "maxItems", Vec::len;
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_false(value: &bool) -> bool {
    !value
}

impl LineUp {
    /// How many people it has at most.
    pub const MAX: usize = 64;

    /// The first [`Self::MAX`] of some people.
    pub fn cut(mut members: Vec<Member>) -> Self {
        members.truncate(Self::MAX);
        Self(members)
    }

    fn is_unknown(&self) -> bool {
        self.0.is_empty()
    }

    fn members_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.0.iter_mut()
    }
}

/// A step of a veto.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VetoAction {
    /// The map is not played.
    Ban,
    /// The map is played.
    Pick,
    /// The map is left over and played.
    Decider,
    /// The side on a map is chosen.
    Side,
}

/// Declares a value with a rule that its schema tells too.
macro_rules! checked {
    ($($(#[doc = $doc:literal])+ $name:ident($inner:ty), $what:literal, $check:expr, $schema:tt;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub struct $name($inner);

        impl $name {
            /// The value, if it is one.
            pub fn new(value: $inner) -> Option<Self> {
                let check: fn(&$inner) -> bool = $check;
                check(&value).then_some(Self(value))
            }

            /// The value.
            pub fn get(&self) -> &$inner {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(<$inner>::deserialize(deserializer)?)
                    .ok_or_else(|| serde::de::Error::custom($what))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
            fn inline_schema() -> bool { true }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
                schemars::json_schema!($schema)
            }
        }
    )+};
}

checked! {
    /// A name that can stand in a subject, `[A-Za-z0-9._~-]{1,64}`.
    Name(String), "a name must match [A-Za-z0-9._~-]{1,64}",
        |name| subject::check_segment(name).is_ok(),
        {"type": "string", "pattern": "^[A-Za-z0-9._~-]{1,64}$"};
    /// How many maps a match has at most, 1 to 99.
    BestOf(u16), "best_of must be 1 to 99", |maps| (1..=99).contains(maps),
        {"type": "integer", "minimum": 1, "maximum": 99};
    /// The number of a map, 1 to 999.
    MapNumber(u16), "map must be 1 to 999", |map| (1..=subject::MAX_MAP).contains(map),
        {"type": "integer", "minimum": 1, "maximum": 999};
}
