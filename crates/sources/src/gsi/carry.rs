//! What is remembered from post to post.

use std::collections::{BTreeMap, BTreeSet};

use matchwire_domain::live_match::cs::{PlayerReported, Score};
use serde::{Deserialize, Serialize};

use super::snapshot::{Bomb, Phase, Play, Step};
use crate::{roster::Roster, series::Series};

/// How many clients one reader follows: ten players, and those who watch. Beyond, the one that was
/// silent longest is forgotten.
const MAX_CLIENTS: usize = 16;
/// How many people's scoreboards are remembered; those after are told again and again.
const MAX_PEOPLE: usize = 64;

/// What a reader remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carry {
    /// Which map is played.
    pub(super) series: Series,
    /// What was told of it.
    pub(super) told: Option<Told>,
    /// When that was told last, in seconds since 1970.
    pub(super) time_s: i64,
    /// Who posts, by player id.
    pub(super) clients: BTreeMap<String, Client>,
    /// Whom the stream of the map knows.
    pub(super) roster: Roster,
    /// Whom a spectator saw last, by player id.
    pub(super) present: BTreeSet<String>,
    /// What was reported last, by player id.
    pub(super) reported: BTreeMap<String, PlayerReported>,
}

/// One client of the game.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Client {
    /// When it posted last, by its own clock, in seconds since 1970.
    pub(super) time_s: i64,
    /// Where play stood; `None` in the menu.
    pub(super) place: Option<Place>,
    /// A hash of all that it saw, and of what it said it had seen before.
    pub(super) now: String,
    pub(super) before: Option<String>,
}

/// Where play stood for a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) map_name: String,
    pub(super) phase: Phase,
    pub(super) score: Score,
    pub(super) step: Option<Step>,
    pub(super) bomb: Option<Bomb>,
}

/// What the stream of the map was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) phase: Option<Phase>,
    pub(super) score: Score,
    pub(super) step: Option<Step>,
    pub(super) bomb: Option<Bomb>,
    /// What the teams on the sides are called: CT, T.
    pub(super) names: [Option<String>; 2],
    /// What play stops for, as the game's clock has it.
    pub(super) pause: Option<String>,
    /// When the round's clock began to run.
    pub(super) live_s: Option<i64>,
}

impl Place {
    pub(super) fn of(play: &Play) -> Self {
        let Play { map_name, phase, score, step, bomb, .. } = play;
        let map_name = map_name.clone();
        Self { map_name, phase: *phase, score: *score, step: *step, bomb: *bomb }
    }

    /// Whether from here a client cannot come there but by another match, or by one that starts
    /// again or goes on from a back-up.
    pub(super) fn is_left_for(&self, play: &Play) -> bool {
        self.map_name != play.map_name
            || sum(play.score) < sum(self.score)
            || (self.phase == Phase::GameOver && play.phase != Phase::GameOver)
            || (self.phase != Phase::WarmUp && play.phase == Phase::WarmUp)
    }

    /// Whether the round is played again, without a winner.
    pub(super) fn is_round_again(&self, play: &Play) -> bool {
        self.score == play.score && play.step.is_some() && play.step < self.step
    }
}

impl Told {
    /// Of a map of which nothing was told but its name.
    pub(super) fn nothing() -> Self {
        Self {
            phase: None,
            score: Score::default(),
            step: None,
            bomb: None,
            names: [None, None],
            pause: None,
            live_s: None,
        }
    }

    /// How far the map is: rounds, and what the next one is at.
    pub(super) fn progress(&self) -> (u32, Option<Step>) {
        (sum(self.score), self.step)
    }
}

/// How many rounds a score is of.
pub(super) fn sum(score: Score) -> u32 {
    u32::from(score.ct) + u32::from(score.t)
}

impl Carry {
    /// Puts down what a client saw last.
    pub(super) fn remember(&mut self, id: &str, client: Client) {
        if self.clients.len() >= MAX_CLIENTS && !self.clients.contains_key(id) {
            let oldest = self.clients.iter().min_by_key(|(_, client)| client.time_s);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                self.clients.remove(&oldest);
            }
        }
        self.clients.insert(id.into(), client);
    }

    /// Puts down what was reported of a player.
    pub(super) fn note(&mut self, id: &str, report: PlayerReported) {
        if self.reported.len() < MAX_PEOPLE || self.reported.contains_key(id) {
            self.reported.insert(id.into(), report);
        }
    }

    /// The stream has nothing of what was reported any more.
    pub(super) fn forget_reports(&mut self) {
        self.reported.clear();
    }

    /// A round begins, or sides change: health and equipment are not what they were.
    pub(super) fn forget_health(&mut self) {
        for report in self.reported.values_mut() {
            (report.health, report.equipment) = (None, None);
        }
    }

    /// Another map is played.
    pub(super) fn begin_map(&mut self) {
        self.told = Some(Told::nothing());
        self.forget_reports();
    }

    /// Another map is played, in a stream of its own: nobody is known there.
    pub(super) fn begin_stream(&mut self) {
        self.roster = Roster::default();
        self.present.clear();
        self.begin_map();
    }
}
