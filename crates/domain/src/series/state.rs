//! What a match's own stream tells, and how it folds.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{
    Event, MapVetoed, MapWon, MatchScheduled, SeriesEnded, Team, TeamRef, VetoAction, order::Order,
};
use crate::{
    live_match::{Course, Identities, Prediction, Rules, ShownName, Status},
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
    /// The name, for those who may see it.
    #[serde(skip_serializing_if = "ShownName::is_hidden")]
    pub name: ShownName,
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
        if set.fills {
            return self.fill_in(set);
        }
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
            self.set_teams(teams);
        }
        if let Some(server) = &set.server {
            self.server = Some(server.get().clone());
        }
        self.starts = set.starts.or(self.starts);
        // A match that was cancelled and is set again will be played.
        if self.course.ruled() == Some("cancelled") {
            self.course.ruling = None;
            self.course.has_begun = false;
            self.score = None;
            self.maps.clear();
            self.veto.clear();
            self.phase = Status::Scheduled;
        }
    }

    /// The teams are set. Those that are known in the other order change their places, and what was
    /// told of each goes with it.
    fn set_teams(&mut self, teams: &[Team; 2]) {
        if self.order(Some(&teams.each_ref().map(TeamRef::of))) == Order::Crossed {
            for step in self.veto.values_mut() {
                step.team = step.team.map(|team| 1 - team);
            }
            for map in self.maps.values_mut() {
                map.winner = 1 - map.winner;
                map.score = map.score.map(|[first, second]| [second, first]);
            }
            self.score = self.score.map(|[first, second]| [second, first]);
            self.course.winner = self.course.winner.map(|team| 1 - team);
        }
        self.teams = Some(teams.each_ref().map(TeamState::of));
    }

    /// Takes what nobody has told yet; what was told otherwise is a disagreement.
    fn fill_in(&mut self, told: &MatchScheduled) {
        if let (Some(game), true) = (&told.game, self.course.game.is_empty()) {
            self.course.game = game.get().clone().into();
        }
        let best_of = told.best_of.as_ref().map(|best_of| *best_of.get());
        if let (Some(ours), Some(theirs)) = (self.best_of, best_of)
            && ours != theirs
        {
            let detail =
                format!("the match is a best of {ours}, and whoever plays it says {theirs}");
            self.course.note_anomaly("disagreement", detail);
        }
        self.best_of = self.best_of.or(best_of);
        let name = |name: &super::Name| name.get().clone();
        self.tournament = self.tournament.take().or_else(|| told.tournament.as_ref().map(name));
        self.stage = self.stage.take().or_else(|| told.stage.as_ref().map(|s| s.to_string()));
        self.server = self.server.take().or_else(|| told.server.as_ref().map(name));
        self.starts = self.starts.or(told.starts);
        let Some(teams) = &told.teams else { return };
        let order = self.order(Some(&teams.each_ref().map(TeamRef::of)));
        let theirs = order.pair(teams.each_ref().map(TeamState::of));
        let Some(ours) = &mut self.teams else {
            self.teams = Some(theirs);
            return;
        };
        if order == Order::Strange {
            let [a, b] = ours.each_ref().map(|team| team.name.clone());
            let [c, d] = theirs.map(|team| team.name);
            let detail = format!("the match is of {a} and {b}, and who plays it are {c} and {d}");
            return self.course.note_anomaly("disagreement", detail);
        }
        for (ours, theirs) in ours.iter_mut().zip(theirs) {
            ours.id = ours.id.take().or(theirs.id);
            if ours.players.is_empty() {
                ours.players = theirs.players;
            }
        }
    }

    /// How teams stand to those of the match. Where either are unknown, they are taken to be the same.
    fn order(&self, teams: Option<&[TeamRef; 2]>) -> Order {
        match (&self.teams, teams) {
            (Some(ours), Some(theirs)) => Order::of(ours, theirs),
            _ => Order::Straight,
        }
    }

    fn veto(&mut self, step: &MapVetoed) {
        if self.veto.len() >= MAX_VETO_STEPS {
            let detail = format!("a veto has at most {MAX_VETO_STEPS} steps");
            return self.course.note_anomaly("veto_too_long", detail);
        }
        let order = self.order(step.teams.as_ref());
        let number = u16::try_from(self.veto.len()).unwrap_or(u16::MAX).saturating_add(1);
        let step = VetoStep {
            action: step.action,
            team: step.team.map(|team| order.index(team)),
            map_name: step.map_name.to_string(),
            side: step.side.as_ref().map(|side| side.to_string()),
        };
        self.veto.insert(number, step);
    }

    fn win_map(&mut self, won: &MapWon) {
        let order = self.order(won.teams.as_ref());
        let result = MapResult {
            winner: order.index(won.winner),
            score: won.score.map(|score| order.pair(score)),
            map_name: won.map_name.as_ref().map(|name| name.to_string()),
        };
        self.maps.insert(*won.map.get(), result);
        self.phase = Status::Live;
    }

    fn end(&mut self, ended: &SeriesEnded) {
        let order = self.order(ended.teams.as_ref());
        self.score = ended.score.map(|score| order.pair(score)).or(self.score);
        self.course.winner = ended.winner.map(|team| order.index(team));
        self.phase = Status::Ended;
    }
}

impl TeamRef {
    fn of(team: &Team) -> Self {
        Self { name: team.name.clone(), id: team.id.clone() }
    }
}

impl TeamState {
    fn of(team: &Team) -> Self {
        let member = |member: &super::Member| {
            let name = member.name.as_ref().map(ShownName::of).unwrap_or_default();
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
            // What was played may be annulled; what a referee ruled stands until it is corrected.
            Event::MatchCancelled(cancelled) if self.course.ruling.is_none() => {
                self.phase = Status::Ended;
                self.course.winner = None;
                self.course.rule("cancelled", cancelled.reason.as_ref());
            }
            Event::ByeGiven(bye) if self.phase != Status::Ended => {
                self.phase = Status::Ended;
                self.course.winner = Some(bye.team.index());
                self.course.rule("bye", bye.reason.as_ref());
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

    fn reveal(&mut self, people: &dyn Identities) {
        let teams = self.teams.iter_mut().flatten();
        for (id, member) in teams.flat_map(|team| &mut team.players) {
            if member.account.is_none() {
                member.account = people.account_of(id);
            }
            member.name.reveal(id, people);
        }
    }
}
