//! What is known of a match, as it is served: no nulls, and what changes one by one is an object by
//! id or number, so that a merge patch is small.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{BodyPart, Card, Clock, Period, ShotOutcome};
use crate::{
    live_match::{Course, Rules as _, ShownName},
    timestamp::Timestamp,
};

/// How many people a state holds; a feed that names more is anomalous.
pub const MAX_PLAYERS: usize = 128;
/// How many goals, cards, substitutions and kicks a state lists of each; later ones are only counted.
pub const MAX_LISTED: usize = 200;

/// A match as of an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct State {
    /// What all games have in common.
    #[serde(flatten)]
    pub course: Course,
    /// What is going on.
    pub phase: Phase,
    /// The period that is played, or the last one that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// The clock, once it has started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockState>,
    /// Both teams; everything else names them by index.
    pub teams: [Team; 2],
    /// Everyone who was named, by player id.
    pub players: BTreeMap<String, PlayerState>,
    /// The goals that stand, by number, in the order of play. A goal that is taken back leaves its
    /// number unused.
    pub goals: BTreeMap<u16, Goal>,
    /// The goals that were taken back, by the number that they had.
    pub disallowed: BTreeMap<u16, Goal>,
    /// Penalty kicks in play that are no goal, by number.
    pub missed_penalties: BTreeMap<u16, MissedPenalty>,
    /// The cards, by number, in the order of play.
    pub cards: BTreeMap<u16, CardState>,
    /// The substitutions, by number, in the order of play.
    pub substitutions: BTreeMap<u16, Substitution>,
    /// The kicks from the penalty mark, if it came to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shootout: Option<Shootout>,
    /// The periods that were heard of.
    pub periods: BTreeMap<Period, PeriodState>,
    /// What kind of match it is.
    #[serde(flatten)]
    pub format: Format,
    /// What the fold needs to go on and nobody else does.
    #[serde(skip)]
    pub(super) ledger: Ledger,
}

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Not kicked off.
    Waiting,
    /// A period is played.
    Play,
    /// Between two periods.
    Interval,
    /// Over.
    Ended,
}

/// The clock of the match as of the last event that told it.
///
/// While `phase` is `play`, it has gone on since: a client adds the time since `time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ClockState {
    /// Milliseconds since the period began.
    pub elapsed_ms: u32,
    /// The minute as people count them, from 1.
    pub minute: u16,
    /// How many minutes are added to it: 2 of 45+2.
    #[serde(skip_serializing_if = "is_zero")]
    pub added: u16,
    /// When the event that told it happened.
    pub time: Timestamp,
}

/// What kind of match it is, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Format {
    /// Whether somebody has to win.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knockout: Option<bool>,
    /// Whether a draw has extra time before the kicks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_time: Option<bool>,
    /// The index of the team that plays at home.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<usize>,
    /// The goals of the first leg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_leg: Option<[u16; 2]>,
    /// The goals of both legs, this one as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<[u16; 2]>,
}

/// A team.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Team {
    /// As the feed calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How it lines up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formation: Option<String>,
    /// Goals, without a shoot-out's kicks.
    pub score: u16,
    /// Cautions, second ones too.
    pub yellow_cards: u16,
    /// Sendings-off, those by a second caution too.
    pub red_cards: u16,
    /// How many of its eleven were sent off while they played.
    pub dismissed: u16,
    /// Substitutions made.
    pub substitutions: u16,
    /// Attempts at goal: goals but own goals, and shots saved, off target, against the frame or
    /// blocked (Opta).
    pub shots: u16,
    /// Of them goals, and those that only the goalkeeper or the last defender kept out (Opta).
    pub shots_on_target: u16,
    /// The sum of the expected goals of its shots, own goals and shoot-outs without, where given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xg: Option<Millionths>,
    /// The part of the time that it had possession, as of the last change; both sum to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub possession: Option<Thousandths>,
    /// Goals that it was expected to score in 90 minutes, where told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_goals: Option<f64>,
}

/// A fraction or sum, kept exactly in millionths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(into = "f64")]
pub struct Millionths(pub u64);

impl Millionths {
    /// The nearest.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1")]
    pub(super) fn of(fraction: f64) -> Self {
        Self((fraction.clamp(0.0, 1.0) * 1e6).round() as u64)
    }
}

impl From<Millionths> for f64 {
    #[allow(clippy::cast_precision_loss, reason = "a match has no 2^53 millionths of a goal")]
    fn from(millionths: Millionths) -> Self {
        millionths.0 as f64 / 1e6
    }
}

/// A fraction in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "f64")]
pub struct Thousandths(pub u16);

impl From<Thousandths> for f64 {
    fn from(thousandths: Thousandths) -> Self {
        f64::from(thousandths.0) / 1e3
    }
}

/// A person in the match.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PlayerState {
    /// The outside account, for those who may see it; the log does not hold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The name, for those who may see it.
    #[serde(skip_serializing_if = "ShownName::is_hidden")]
    pub name: ShownName,
    /// The index of the team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<usize>,
    /// The number on the shirt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u16>,
    /// As the feed calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// Whether the player was in the starting eleven, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<bool>,
    /// Whether the player is on the pitch, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_pitch: Option<bool>,
    /// Whole minutes on the pitch, without added time, as of the last time that the player left it
    /// or a period ended.
    pub minutes: u16,
    /// Goals for the own team.
    pub goals: u16,
    /// Goals for the other one.
    pub own_goals: u16,
    /// Last passes before a goal.
    pub assists: u16,
    /// Cautions, a second one too.
    pub yellow_cards: u16,
    /// Sent off, also by a second caution.
    pub red_cards: u16,
    /// Attempts at goal, as those of a team.
    pub shots: u16,
    /// Of them on target.
    pub shots_on_target: u16,
    /// The sum of their expected goals, where given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xg: Option<Millionths>,
    /// Since when the player has been on the pitch, in milliseconds of play.
    #[serde(skip)]
    pub(super) since_ms: Option<u32>,
    /// Milliseconds of play before that.
    #[serde(skip)]
    pub(super) played_ms: u32,
    /// Whether the player was taken off or sent off, and may not come back (Law 3).
    #[serde(skip)]
    pub(super) is_out: bool,
}

/// A goal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Goal {
    /// The event that told it.
    pub seq: u64,
    /// The team that it counts for.
    pub team: usize,
    /// The minute, where the clock is known.
    #[serde(flatten)]
    pub at: Minute,
    /// Player id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scorer: Option<String>,
    /// Player id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assist: Option<String>,
    /// Into the own goal.
    #[serde(skip_serializing_if = "is_false")]
    pub own_goal: bool,
    /// By a penalty kick.
    #[serde(skip_serializing_if = "is_false")]
    pub penalty: bool,
    /// With what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_part: Option<BodyPart>,
    /// The shot's expected goals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xg: Option<Millionths>,
    /// The score after it, in the order of teams.
    pub score: [u16; 2],
    /// Why it was taken back, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The feed's name for it.
    #[serde(skip)]
    pub(super) name: Option<String>,
}

/// A minute of the match as people count them: 45+2.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Minute {
    /// The period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// The minute, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minute: Option<u16>,
    /// Minutes added to it.
    #[serde(skip_serializing_if = "is_zero")]
    pub added: u16,
}

impl Minute {
    pub(super) fn of(clock: Option<Clock>) -> Self {
        let Some(clock) = clock else { return Self::default() };
        let (minute, added) = clock.minute();
        Self { period: Some(clock.period), minute: Some(minute), added }
    }
}

/// A penalty kick in play that is no goal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MissedPenalty {
    /// The team that took it.
    pub team: usize,
    /// The minute.
    #[serde(flatten)]
    pub at: Minute,
    /// Player id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub player: Option<String>,
    /// What became of it.
    pub outcome: ShotOutcome,
}

/// A card.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardState {
    /// The team of whom it was shown to.
    pub team: usize,
    /// The minute.
    #[serde(flatten)]
    pub at: Minute,
    /// Player id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub player: Option<String>,
    /// Which.
    pub card: Card,
}

/// A substitution.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Substitution {
    /// The team.
    pub team: usize,
    /// The minute.
    #[serde(flatten)]
    pub at: Minute,
    /// Player id of who went off.
    pub off: String,
    /// Player id of who came on.
    pub on: String,
}

/// Kicks from the penalty mark.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Shootout {
    /// Kicks scored, in the order of teams.
    pub score: [u16; 2],
    /// Kicks taken, in the order of teams.
    pub taken: [u16; 2],
    /// The kicks in their order, by number, where they are told.
    pub kicks: BTreeMap<u16, Kick>,
    /// The index of the team that won it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub winner: Option<usize>,
}

/// A kick from the penalty mark.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kick {
    /// The team that took it.
    pub team: usize,
    /// Player id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub player: Option<String>,
    /// Whether it was scored.
    pub scored: bool,
}

/// What is known of a period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct PeriodState {
    /// When it began, as the event that told it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// How long it was, in milliseconds, once it is over and where that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<u32>,
    /// Minutes that were announced to be added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announced_min: Option<u16>,
    /// The score at its end, in the order of teams; of a shoot-out, its kicks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<[u16; 2]>,
}

/// What the fold needs to go on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Ledger {
    /// Whether a referee ended it: nothing that is played counts any more.
    pub(super) is_closed: bool,
    /// Whether the feed told that it is over.
    pub(super) is_finished: bool,
    /// Who gave the last pass before goals that are not told yet, by the feed's name for them.
    pub(super) assists: BTreeMap<String, String>,
    /// Who has the ball, and since which millisecond of the period.
    pub(super) holder: Option<(usize, Clock)>,
    /// Milliseconds of possession, in the order of teams.
    pub(super) held_ms: [u64; 2],
    /// Which teams' starting elevens are told.
    pub(super) lined_up: [bool; 2],
    /// The highest number that a goal was given.
    pub(super) last_goal: u16,
}

impl State {
    /// A match of which nothing is known.
    pub fn new(match_id: &str, map: u16) -> Self {
        Self::begin(Course { game: Self::GAME.into(), ..Course::new(match_id, map) })
    }

    /// A match of which nothing is known but its course.
    pub(super) fn of(course: Course) -> Self {
        Self {
            course,
            phase: Phase::Waiting,
            period: None,
            clock: None,
            teams: [Team::default(), Team::default()],
            players: BTreeMap::new(),
            goals: BTreeMap::new(),
            disallowed: BTreeMap::new(),
            missed_penalties: BTreeMap::new(),
            cards: BTreeMap::new(),
            substitutions: BTreeMap::new(),
            shootout: None,
            periods: BTreeMap::new(),
            format: Format::default(),
            ledger: Ledger::default(),
        }
    }

    /// The clock as of the last event that told it.
    pub fn now(&self) -> Option<Clock> {
        Some(Clock { period: self.period?, elapsed_ms: self.clock?.elapsed_ms })
    }

    /// By how many goals the first team leads, with those of a first leg.
    pub fn lead(&self) -> i32 {
        let [first, second] = self.format.aggregate.unwrap_or_else(|| self.teams_score());
        i32::from(first) - i32::from(second)
    }

    /// The score, in the order of teams.
    pub(super) fn teams_score(&self) -> [u16; 2] {
        let [first, second] = &self.teams;
        [first.score, second.score]
    }

    /// A team by its index; the second one, if it is none.
    pub(super) fn team_mut(&mut self, index: usize) -> &mut Team {
        let [first, second] = &mut self.teams;
        if index == 0 { first } else { second }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_false(value: &bool) -> bool {
    !value
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_zero(value: &u16) -> bool {
    *value == 0
}
