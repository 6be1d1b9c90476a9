//! What is known of a map, as it is served: no nulls, and what changes one by one is an object by
//! id, so that a merge patch is small.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Gear, Reason, Role, Side, Tally};
use crate::{
    live_match::{Course, Rules as _, ShownName},
    timestamp::Timestamp,
};

/// How many people a state holds; a feed that names more is anomalous.
pub const MAX_PLAYERS: usize = 128;

/// A map as of an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct State {
    /// What all games have in common.
    #[serde(flatten)]
    pub course: Course,
    /// What is going on, finer than `status`.
    pub phase: Phase,
    /// The map's name, `de_nuke`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map_name: Option<String>,
    /// The round that is played, or the last one that was; 0 before the first.
    pub round: u16,
    /// Rounds of regulation, told by the feed or concluded from it.
    pub max_rounds: u16,
    /// Both teams; everything else names them by index.
    pub teams: [Team; 2],
    /// Everyone who was seen, by player id.
    pub players: BTreeMap<String, PlayerState>,
    /// The rounds that count, by number.
    pub rounds: BTreeMap<u16, Round>,
    /// The kills of this round, by their number in it, 1, 2, …
    pub kills: BTreeMap<u16, Kill>,
    /// Where the bomb is.
    pub bomb: Bomb,
    /// Where it was planted, `A` or `B`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bomb_site: Option<String>,
    /// When the round's clock started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round_started: Option<Timestamp>,
    /// When the bomb was planted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bomb_planted: Option<Timestamp>,
    /// How long a round lasts without a bomb, in seconds.
    pub round_s: u16,
    /// How long a bomb ticks, in seconds.
    pub bomb_s: u16,
    /// What the fold needs to go on and nobody else does.
    #[serde(skip)]
    pub(super) ledger: super::rounds::Ledger,
}

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing yet.
    Waiting,
    /// Warm-up: nothing counts.
    WarmUp,
    /// Time to buy.
    FreezeTime,
    /// The round is played.
    Round,
    /// The round is decided, the next has not begun.
    RoundOver,
    /// The map is over.
    Ended,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Team {
    /// As the feed calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The side it is on.
    pub side: Side,
    /// Rounds won.
    pub score: u16,
}

/// A person in the match.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PlayerState {
    /// The outside account, for those who may see it; the log does not hold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The name on the server, for those who may see it.
    #[serde(skip_serializing_if = "ShownName::is_hidden")]
    pub name: ShownName,
    /// The index of the team; left out for spectators and those without one yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<usize>,
    /// The side the person stands on, left out for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// Player unless told otherwise.
    #[serde(skip_serializing_if = "Role::is_player")]
    pub role: Role,
    /// On the server now.
    pub connected: bool,
    /// Alive in this round.
    pub alive: bool,
    /// Health, 0 to 100, while alive.
    pub health: u16,
    /// Money in dollars, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub money: Option<u32>,
    /// What the player carried out of the buy zone, in dollars, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equipment: Option<u32>,
    /// Armour, 0 to 100, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub armor: Option<u16>,
    /// With a helmet, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helmet: Option<bool>,
    /// With a defuse kit, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kit: Option<bool>,
    /// Rounds in which the game called the player the most valuable, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mvps: Option<u16>,
    /// What of it matters for the round, where known; predictions use it and nobody is told.
    #[serde(skip)]
    pub gear: Option<Gear>,
    /// The statistics that count.
    #[serde(flatten)]
    pub tally: Tally,
}

/// A round that counts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Round {
    /// The index of the team that won.
    pub winner: usize,
    /// The side it was on.
    pub side: Side,
    /// How.
    pub reason: Reason,
    /// The score after it, in the order of teams.
    pub score: [u16; 2],
    /// What the teams carried, in their order, where the feed tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub economy: Option<[Economy; 2]>,
    /// Who was left alone against how many.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clutches: Vec<Clutch>,
}

/// What a team carried in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Economy {
    /// In dollars, all players together.
    pub equipment: u32,
    /// What that is called.
    pub buy: Buy,
}

/// What a team's equipment is called, by the limits of HLTV's economy tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Buy {
    /// The first round of a half of regulation, with what everybody is given.
    Pistol,
    /// Below 5,000 dollars.
    Eco,
    /// From 5,000 dollars on.
    SemiEco,
    /// From 10,000 dollars on; also called a force buy.
    SemiBuy,
    /// From 20,000 dollars on.
    Full,
}

/// A player who was left alone against one or more.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Clutch {
    /// Player id.
    pub player: String,
    /// How many enemies were alive when the last teammate fell.
    pub against: u16,
    /// Whether the player's side won the round.
    pub won: bool,
}

/// A kill.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Kill {
    /// Player id.
    pub killer: String,
    /// Player id.
    pub victim: String,
    /// As the game calls it, `ak47`.
    pub weapon: String,
    /// Whether it was one.
    #[serde(skip_serializing_if = "is_false")]
    pub headshot: bool,
    /// Whether it avenged a teammate.
    #[serde(skip_serializing_if = "is_false")]
    pub trade: bool,
    /// Whether it was avenged itself.
    #[serde(skip_serializing_if = "is_false")]
    pub traded: bool,
    /// Whether it was the first one of the round.
    #[serde(skip_serializing_if = "is_false")]
    pub opening: bool,
    /// Whether it was a teammate.
    #[serde(skip_serializing_if = "is_false")]
    pub team_kill: bool,
    /// Player id of the one who helped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assister: Option<String>,
    /// Player id of the one who blinded the victim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flash_assister: Option<String>,
    /// When.
    pub time: Timestamp,
}

/// Where the bomb is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bomb {
    /// Nobody told.
    None,
    /// Somebody has it.
    Carried,
    /// It lies on the ground.
    Dropped,
    /// It ticks.
    Planted,
    /// It was defused.
    Defused,
    /// It went off.
    Exploded,
}

impl State {
    /// A map of which nothing is known.
    pub fn new(match_id: &str, map: u16) -> Self {
        Self::begin(Course { game: Self::GAME.into(), ..Course::new(match_id, map) })
    }

    /// A map of which nothing is known but its course.
    pub(super) fn of(course: Course) -> Self {
        let team = |side| Team { name: None, side, score: 0 };
        Self {
            course,
            phase: Phase::Waiting,
            map_name: None,
            round: 0,
            max_rounds: 24,
            teams: [team(Side::Ct), team(Side::T)],
            players: BTreeMap::new(),
            rounds: BTreeMap::new(),
            kills: BTreeMap::new(),
            bomb: Bomb::None,
            bomb_site: None,
            round_started: None,
            bomb_planted: None,
            round_s: 115,
            bomb_s: 40,
            ledger: super::rounds::Ledger::default(),
        }
    }

    /// The index of the team that is on a side.
    pub fn team_on(&self, side: Side) -> usize {
        let [first, _] = &self.teams;
        usize::from(first.side != side)
    }

    /// How many players of a side are alive.
    pub fn alive(&self, side: Side) -> usize {
        self.on_side(side).filter(|player| player.alive).count()
    }

    /// The players, without coaches and spectators, of a side.
    pub fn on_side(&self, side: Side) -> impl Iterator<Item = &PlayerState> {
        self.players
            .values()
            .filter(move |player| player.side == Some(side) && player.role == Role::Player)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_false(value: &bool) -> bool {
    !value
}
