//! What can happen in a match, each with the schema of its data.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{Clock, Period};
use crate::live_match::{
    Label, PersonName, Player, TeamIndex, course,
    declare::{bounded, vocabulary},
};

vocabulary! {
    with course::Event;
    /// What kind of match it is, as far as known. What is left out stays as it was told.
    "format.told" => FormatTold {
        /// Whether somebody has to win: extra time and kicks from the penalty mark decide a draw.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        knockout: Option<bool>,
        /// Whether a draw has extra time before the kicks; it has if nobody says otherwise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        extra_time: Option<bool>,
        /// The index of the team that plays at home; neutral ground if nobody says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        home: Option<TeamIndex>,
        /// The goals of a first leg, in the order of teams: the aggregate score decides.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first_leg: Option<[u16; 2]>,
    };
    /// A team is told, with players or without; more of them may follow.
    "lineup.told" => LineupTold {
        /// The team.
        team: TeamIndex,
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Label>,
        /// How it lines up, `4-3-3`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        formation: Option<Label>,
        /// How strong it is: the goals that it is expected to score in 90 minutes of this match.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expected_goals: Option<GoalRate>,
        /// Its players.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        players: Option<Lineup>,
    };
    /// A period begins; of a shoot-out, before the first kick.
    "period.started" => PeriodStarted {
        /// Which.
        period: Period,
    };
    /// A period is over.
    "period.ended" => PeriodEnded {
        /// Which.
        period: Period,
        /// Milliseconds since it began.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        elapsed_ms: Option<u32>,
        /// The score then, in the order of teams, if the feed tells it; of a shoot-out, the kicks
        /// that were scored.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score: Option<[u16; 2]>,
    };
    /// How much time is added to a period, at least, as the fourth official shows it.
    "stoppage.announced" => StoppageAnnounced {
        /// To which.
        period: Period,
        /// Minutes.
        minutes: u16,
    };
    /// A goal. Another event with the same `goal` tells more of it, and does not count again.
    "goal.scored" => GoalScored {
        /// The team that it counts for; of an own goal the other one than the scorer's.
        team: TeamIndex,
        /// The feed's name for the goal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        goal: Option<Label>,
        /// Who scored.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scorer: Option<Player>,
        /// Who gave the last pass.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assist: Option<Player>,
        /// Into the own goal.
        #[serde(default, skip_serializing_if = "is_false")]
        own_goal: bool,
        /// By a penalty kick in play.
        #[serde(default, skip_serializing_if = "is_false")]
        penalty: bool,
        /// With what.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body_part: Option<BodyPart>,
        /// The shot's expected goals, by the feed's model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        xg: Option<Xg>,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clock: Option<Clock>,
    };
    /// Who gave the last pass before a goal, told before the goal or after it.
    "goal.assisted" => GoalAssisted {
        /// The feed's name for the goal.
        goal: Label,
        /// Who.
        player: Player,
    };
    /// A goal that was given is taken back, by the video assistant referee or otherwise.
    "goal.disallowed" => GoalDisallowed {
        /// The feed's name for the goal; the last one if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        goal: Option<Label>,
        /// The team that loses it, where `goal` is left out: that team's last one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        team: Option<TeamIndex>,
        /// Why, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Label>,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clock: Option<Clock>,
    };
    /// A penalty kick in play that is no goal. It is a shot.
    "penalty.missed" => PenaltyMissed {
        /// The team that took it.
        team: TeamIndex,
        /// Who took it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        player: Option<Player>,
        /// What became of it.
        outcome: ShotOutcome,
        /// Its expected goals, by the feed's model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        xg: Option<Xg>,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clock: Option<Clock>,
    };
    /// A shot that is no goal; a goal is a shot by itself.
    "shot.taken" => ShotTaken {
        /// The team that shot.
        team: TeamIndex,
        /// Who shot.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        player: Option<Player>,
        /// What became of it.
        outcome: ShotOutcome,
        /// With what.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body_part: Option<BodyPart>,
        /// Its expected goals, by the feed's model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        xg: Option<Xg>,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clock: Option<Clock>,
    };
    /// A card (Law 12).
    "card.shown" => CardShown {
        /// The team of whom it is shown to.
        team: TeamIndex,
        /// To whom.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        player: Option<Player>,
        /// Which.
        card: Card,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clock: Option<Clock>,
    };
    /// One player comes on for another (Law 3).
    "player.substituted" => PlayerSubstituted {
        /// The team.
        team: TeamIndex,
        /// Who goes off.
        off: Player,
        /// Who comes on.
        on: Player,
        /// Why, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Label>,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clock: Option<Clock>,
    };
    /// A player goes off and nobody comes on, for a while or for good.
    "player.left" => PlayerLeft {
        /// The team.
        team: TeamIndex,
        /// Who.
        player: Player,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clock: Option<Clock>,
    };
    /// A player who had left is back.
    "player.returned" => PlayerReturned {
        /// The team.
        team: TeamIndex,
        /// Who.
        player: Player,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clock: Option<Clock>,
    };
    /// A team has the ball, from now until this is told again. To tell it twice changes nothing.
    "possession.changed" => PossessionChanged {
        /// The team.
        team: TeamIndex,
        /// When.
        clock: Clock,
    };
    /// A kick from the penalty mark after play (Law 10).
    "shootout.kicked" => ShootoutKicked {
        /// The team that took it.
        team: TeamIndex,
        /// Who took it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        player: Option<Player>,
        /// Whether it is scored.
        scored: bool,
    };
    /// The match is over.
    "match.finished" => MatchFinished {
        /// The score, in the order of teams, if the feed tells it; without a shoot-out's kicks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score: Option<[u16; 2]>,
    };
}

/// A card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Card {
    /// A caution.
    Yellow,
    /// The second caution, and with it sent off.
    SecondYellow,
    /// Sent off.
    Red,
}

impl Card {
    /// Whether the player is sent off.
    pub fn dismisses(self) -> bool {
        self != Self::Yellow
    }
}

/// What a shot was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyPart {
    /// The left foot.
    LeftFoot,
    /// The right foot.
    RightFoot,
    /// The head.
    Head,
    /// Anything else that may touch the ball.
    Other,
}

/// What became of a shot that is no goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShotOutcome {
    /// Kept out of the goal by the goalkeeper, or by the last defender on the line.
    Saved,
    /// Kept out by the goalkeeper, who turned it onto the frame of the goal.
    SavedToPost,
    /// Touched by the goalkeeper, though it was not going in.
    SavedOffTarget,
    /// Past the goal.
    OffTarget,
    /// Onto the frame of the goal.
    Woodwork,
    /// Blocked by a defender with others behind.
    Blocked,
}

impl ShotOutcome {
    /// Whether it would have gone in but for the goalkeeper or the last defender, which is what
    /// Opta and StatsBomb call on target; the frame of the goal is not.
    pub fn is_on_target(self) -> bool {
        matches!(self, Self::Saved | Self::SavedToPost)
    }
}

/// A player of a line-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineupPlayer {
    /// Who.
    pub player: Player,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<PersonName>,
    /// The number on the shirt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u16>,
    /// As the feed calls it, `Left Back`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Label>,
    /// Whether the player starts; a substitute does not. Not known if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<bool>,
}

bounded! {
    /// Players of a team, at most 64.
    Lineup(Vec<LineupPlayer>), 64, "maxItems", Vec::len;
}

impl Lineup {
    /// The first 64 of some players.
    pub fn cut(mut players: Vec<LineupPlayer>) -> Self {
        players.truncate(64);
        Self(players)
    }
}

/// Declares a number within bounds, which its schema tells too.
macro_rules! number {
    ($($(#[doc = $doc:literal])+ $name:ident, $min:literal, $max:literal;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl TryFrom<f64> for $name {
            type Error = String;

            fn try_from(number: f64) -> Result<Self, String> {
                if ($min..=$max).contains(&number) {
                    Ok(Self(number))
                } else {
                    Err(format!("{number} is not from {} to {}", $min, $max))
                }
            }
        }

        impl From<$name> for f64 {
            fn from(number: $name) -> Self { number.0 }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
            fn inline_schema() -> bool { true }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
                schemars::json_schema!({"type": "number", "minimum": $min, "maximum": $max})
            }
        }
    )+};
}

number! {
    /// Expected goals of a shot: the probability, 0 to 1, that such a shot is scored.
    Xg, 0.0, 1.0;
    /// Goals that a team is expected to score in 90 minutes, 0.05 to 10.
    GoalRate, 0.05, 10.0;
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Event {
    /// The tags of events in which people's names stand.
    pub const NAMED: &[&str] = &["lineup.told"];

    /// The names of people in the event, each with the person.
    pub fn names_mut(&mut self) -> Vec<(&Player, &mut PersonName)> {
        let Self::LineupTold(LineupTold { players: Some(players), .. }) = self else {
            return Vec::new();
        };
        let rows = players.0.iter_mut();
        rows.filter_map(|row| Some((&row.player, row.name.as_mut()?))).collect()
    }

    /// Everyone who is named in the event.
    pub fn players_mut(&mut self) -> Vec<&mut Player> {
        match self {
            Self::LineupTold(LineupTold { players: Some(players), .. }) => {
                players.0.iter_mut().map(|row| &mut row.player).collect()
            }
            Self::GoalScored(GoalScored { scorer, assist, .. }) => {
                scorer.iter_mut().chain(assist).collect()
            }
            Self::PenaltyMissed(PenaltyMissed { player: Some(player), .. })
            | Self::ShotTaken(ShotTaken { player: Some(player), .. })
            | Self::CardShown(CardShown { player: Some(player), .. })
            | Self::ShootoutKicked(ShootoutKicked { player: Some(player), .. })
            | Self::GoalAssisted(GoalAssisted { player, .. })
            | Self::PlayerLeft(PlayerLeft { player, .. })
            | Self::PlayerReturned(PlayerReturned { player, .. }) => vec![player],
            Self::PlayerSubstituted(PlayerSubstituted { off, on, .. }) => vec![off, on],
            _ => Vec::new(),
        }
    }

    /// When it happened by the clock of the match, where that is told.
    pub fn clock(&self) -> Option<Clock> {
        match self {
            Self::PeriodStarted(started) => Some(Clock { period: started.period, elapsed_ms: 0 }),
            Self::PeriodEnded(ended) => {
                Some(Clock { period: ended.period, elapsed_ms: ended.elapsed_ms? })
            }
            Self::GoalScored(GoalScored { clock, .. })
            | Self::GoalDisallowed(GoalDisallowed { clock, .. })
            | Self::PenaltyMissed(PenaltyMissed { clock, .. })
            | Self::ShotTaken(ShotTaken { clock, .. })
            | Self::CardShown(CardShown { clock, .. })
            | Self::PlayerSubstituted(PlayerSubstituted { clock, .. })
            | Self::PlayerLeft(PlayerLeft { clock, .. })
            | Self::PlayerReturned(PlayerReturned { clock, .. }) => *clock,
            Self::PossessionChanged(changed) => Some(changed.clock),
            Self::ShootoutKicked(_) => Some(Clock { period: Period::ShootOut, elapsed_ms: 0 }),
            _ => None,
        }
    }
}
