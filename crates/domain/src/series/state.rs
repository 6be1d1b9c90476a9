//! What a match's own stream tells, and how it folds.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{Event, MapVetoed, MapWon, MatchScheduled, SeriesEnded, Team, VetoAction};
use crate::{
    live_match::{Course, Prediction, Priority, Rules, Ruling, Status},
    timestamp::Timestamp,
};

/// How many steps of a veto a state holds; those after it are an anomaly.
pub const MAX_VETO_STEPS: usize = 64;

/// A match as of an event of its own stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct State {
    /// What all games have in common; `winner` and `status` are those of the match.
    #[serde(flatten)]
    pub course: Course,
    /// How many maps there are at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_of: Option<u16>,
    /// The tournament.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tournament: Option<String>,
    /// The stage of the tournament.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Both teams, once they are known; everything else names them by index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teams: Option<[TeamState; 2]>,
    /// When it is to start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<Timestamp>,
    /// The server that plays it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The steps of the veto, by their number, 1, 2, …
    pub veto: BTreeMap<u16, VetoStep>,
    /// What the feed told of maps that were won, by their number.
    pub maps: BTreeMap<u16, MapResult>,
    /// Maps won, in the order of teams, as the feed or a referee tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<[u16; 2]>,
    /// Where it stands.
    #[serde(skip)]
    phase: Status,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TeamState {
    /// The name.
    pub name: String,
    /// How the platform names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Who is to play, by player id.
    pub players: BTreeMap<String, MemberState>,
}

/// Somebody in a line-up.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MemberState {
    /// The outside account, for those who may see it; the log does not hold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A step of the veto.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VetoStep {
    /// What was done.
    pub action: VetoAction,
    /// The index of the team that did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<usize>,
    /// The map.
    pub map_name: String,
    /// The side that was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<String>,
}

/// A map that was won.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MapResult {
    /// The index of the team that won it.
    pub winner: usize,
    /// The score, in the order of teams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<[u16; 2]>,
    /// The map's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map_name: Option<String>,
}

impl State {
    fn schedule(&mut self, set: &MatchScheduled) {
        if let Some(game) = &set.game {
            self.course.game = game.get().clone().into();
        }
        if let Some(best_of) = &set.best_of {
            self.best_of = Some(*best_of.get());
        }
        if let Some(tournament) = &set.tournament {
            self.tournament = Some(tournament.get().clone());
        }
        if let Some(stage) = &set.stage {
            self.stage = Some(stage.to_string());
        }
        if let Some(teams) = &set.teams {
            self.teams = Some(teams.each_ref().map(TeamState::of));
        }
        if let Some(server) = &set.server {
            self.server = Some(server.get().clone());
        }
        self.starts = set.starts.or(self.starts);
        // A match that was cancelled and is set again will be played.
        if self.course.ruling.as_ref().is_some_and(|ruling| ruling.kind == Some("cancelled")) {
            self.course.ruling = None;
            self.phase = Status::Scheduled;
        }
    }

    fn veto(&mut self, step: &MapVetoed) {
        if self.veto.len() >= MAX_VETO_STEPS {
            let detail = format!("a veto has at most {MAX_VETO_STEPS} steps");
            return self.course.note_anomaly("veto_too_long", detail);
        }
        let number = u16::try_from(self.veto.len()).unwrap_or(u16::MAX).saturating_add(1);
        let step = VetoStep {
            action: step.action,
            team: step.team.map(crate::live_match::TeamIndex::index),
            map_name: step.map_name.to_string(),
            side: step.side.as_ref().map(|side| side.to_string()),
        };
        self.veto.insert(number, step);
    }

    fn win_map(&mut self, won: &MapWon) {
        let result = MapResult {
            winner: won.winner.index(),
            score: won.score,
            map_name: won.map_name.as_ref().map(|name| name.to_string()),
        };
        self.maps.insert(*won.map.get(), result);
        self.phase = Status::Live;
    }

    fn end(&mut self, ended: &SeriesEnded) {
        self.score = ended.score.or(self.score);
        self.course.winner = ended.winner.map(crate::live_match::TeamIndex::index);
        self.phase = Status::Ended;
    }
}

impl TeamState {
    fn of(team: &Team) -> Self {
        let member = |member: &super::Member| {
            let name = member.name.as_ref().map(|name| name.to_string());
            (member.player.to_string(), MemberState { account: None, name })
        };
        Self {
            name: team.name.to_string(),
            id: team.id.as_ref().map(|id| id.to_string()),
            players: team.players.iter().map(member).collect(),
        }
    }
}

impl Rules for State {
    const GAME: &'static str = "";
    type Event = Event;

    fn begin(course: Course) -> Self {
        Self {
            course,
            best_of: None,
            tournament: None,
            stage: None,
            teams: None,
            starts: None,
            server: None,
            veto: BTreeMap::new(),
            maps: BTreeMap::new(),
            score: None,
            phase: Status::Scheduled,
        }
    }

    fn course(&self) -> &Course {
        &self.course
    }

    fn course_mut(&mut self) -> &mut Course {
        &mut self.course
    }

    fn fold(&mut self, event: &Event, _time: Timestamp) -> bool {
        match event {
            Event::MatchScheduled(set) => self.schedule(set),
            Event::ServerAssigned(assigned) => {
                self.server = assigned.server.as_ref().map(|server| server.get().clone());
            }
            Event::MapVetoed(step) => self.veto(step),
            Event::SeriesStarted(_) if self.phase == Status::Scheduled => {
                self.phase = Status::Live;
            }
            Event::MapWon(won) if self.phase != Status::Ended => self.win_map(won),
            Event::SeriesEnded(ended) if self.course.ruling.is_none() => self.end(ended),
            Event::MatchCancelled(cancelled) if self.phase != Status::Ended => {
                self.phase = Status::Ended;
                let reason = cancelled.reason.as_ref().map(|reason| reason.to_string());
                let kind = Some("cancelled");
                self.course.ruling = Some(Ruling { kind, reason, confirmed: false });
            }
            _ => {}
        }
        false
    }

    fn status(&self) -> Status {
        self.phase
    }

    fn team_on(&self, _side: &str) -> Option<usize> {
        None
    }

    fn score(&self) -> [u16; 2] {
        self.score.unwrap_or_default()
    }

    fn set_score(&mut self, score: [u16; 2]) {
        self.score = Some(score);
    }

    fn close(&mut self) {
        self.phase = Status::Ended;
    }

    fn predict(&self, _model: &str) -> Option<Prediction> {
        // What is played is in the maps' streams; see `Standing`.
        None
    }

    fn models() -> &'static [&'static str] {
        &[]
    }

    fn claim(&self, _event: &Event) -> Option<String> {
        None
    }

    fn stats(_maps: &[&Self]) -> Value {
        Value::Null
    }

    fn reveal(&mut self, account_of: &dyn Fn(&str) -> Option<String>) {
        let teams = self.teams.iter_mut().flatten();
        for (id, member) in teams.flat_map(|team| &mut team.players) {
            if member.account.is_none() {
                member.account = account_of(id);
            }
        }
    }

    /// Few events, and each of them is what the match is.
    fn priority(_tag: &str) -> Priority {
        Priority::Critical
    }
}
