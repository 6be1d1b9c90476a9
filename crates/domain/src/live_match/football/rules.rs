//! Football as one game among others.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Event, Phase, PlayerState, State, Stats, odds};
use crate::{
    live_match::{
        Course, Identities, Part, Prediction, Priority, Rules, Status, Target, TeamIndex,
    },
    timestamp::Timestamp,
};

impl Rules for State {
    const GAME: &'static str = "football";
    const WHOLE: Target = Target::Result;
    const IS_ONE_MAP: bool = true;
    type Event = Event;

    fn begin(course: Course) -> Self {
        Self::of(course)
    }

    fn course(&self) -> &Course {
        &self.course
    }

    fn course_mut(&mut self) -> &mut Course {
        &mut self.course
    }

    fn fold(&mut self, event: &Event, time: Timestamp) -> bool {
        self.apply(event, time)
    }

    fn status(&self) -> Status {
        match self.phase {
            Phase::Waiting => Status::Scheduled,
            Phase::Play | Phase::Interval => Status::Live,
            Phase::Ended => Status::Ended,
        }
    }

    fn team_on(&self, side: &str) -> Option<usize> {
        let home = self.format.home.unwrap_or(0);
        match side {
            "home" => Some(home),
            "away" => Some(1 - home.min(1)),
            _ => None,
        }
    }

    fn score(&self) -> [u16; 2] {
        self.teams_score()
    }

    fn set_score(&mut self, score: [u16; 2]) {
        for (team, score) in self.teams.iter_mut().zip(score) {
            team.score = score;
        }
    }

    fn close(&mut self) {
        self.end_play();
    }

    fn predict(&self, _model: &str) -> Option<Prediction> {
        odds::predict(self)
    }

    fn models() -> &'static [&'static str] {
        &[odds::MODEL]
    }

    fn claim(&self, event: &Event) -> Option<String> {
        // Sources have accounts of their own for people, so these are named by their team.
        let team = |team: TeamIndex| {
            let name = self.teams.get(team.index()).and_then(|team| team.name.clone());
            name.unwrap_or_else(|| format!("team {}", team.index()))
        };
        match event {
            Event::GoalScored(goal) => Some(format!("that {} scored", team(goal.team))),
            Event::GoalDisallowed(_) => Some("that a goal was disallowed".into()),
            Event::CardShown(shown) if shown.card.dismisses() => {
                Some(format!("that a player of {} was sent off", team(shown.team)))
            }
            Event::ShootoutKicked(kick) => {
                let what = if kick.scored { "scored" } else { "missed" };
                Some(format!("that {} {what} a kick of the shoot-out", team(kick.team)))
            }
            Event::MatchFinished(_) => Some("that the match is over".into()),
            _ => None,
        }
    }

    fn parts(&self) -> BTreeMap<String, Part> {
        if self.period.is_none() {
            return BTreeMap::new();
        }
        let played = self.players.iter().filter(|(_, player)| player.took_part());
        let part = |player: &PlayerState| {
            Part::new(player.team, &[("goal", player.goals), ("assist", player.assists)])
        };
        played.map(|(id, player)| (id.clone(), part(player))).collect()
    }

    fn stats(maps: &[&Self]) -> Value {
        // A match has one map; of more the last one counts, as a match that is played again.
        let last = maps.last().map(|map| Stats::of(map));
        serde_json::to_value(last).unwrap_or_default()
    }

    fn reveal(&mut self, people: &dyn Identities) {
        for (id, player) in &mut self.players {
            if player.account.is_none() {
                player.account = people.account_of(id);
            }
            player.name.reveal(id, people);
        }
    }

    /// Who has the ball is told anew each time, so the next `possession.changed` makes good for one that
    /// is missing. Shots and assists are counted; all else is the score, or who is on the pitch, or when.
    fn priority(tag: &str) -> Priority {
        match tag {
            "possession.changed" => Priority::Low,
            "goal.assisted" | "shot.taken" => Priority::Normal,
            _ => Priority::Critical,
        }
    }
}
