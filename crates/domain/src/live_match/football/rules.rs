//! Football as one game among others.

use super::{Event, Phase, State, odds};
use crate::{
    live_match::{Course, Prediction, Rules, Status},
    timestamp::Timestamp,
};

impl Rules for State {
    const GAME: &'static str = "football";
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

    fn reveal(&mut self, account_of: &dyn Fn(&str) -> Option<String>) {
        for (id, player) in &mut self.players {
            if player.account.is_none() {
                player.account = account_of(id);
            }
        }
    }
}
