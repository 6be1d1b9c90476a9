//! Counter-Strike as one game among others.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Bomb, Event, Phase, PlayerState, Score, Side, State, Stats, Tally, fill,
    odds::{self, MODELS, Model},
};
use crate::{
    live_match::{Course, Identities, Open, Part, Prediction, Priority, Rules, Status},
    timestamp::Timestamp,
};

impl Rules for State {
    const GAME: &'static str = "cs2";
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
            Phase::Ended => Status::Ended,
            Phase::Waiting | Phase::WarmUp => Status::Scheduled,
            Phase::FreezeTime | Phase::Round | Phase::RoundOver => Status::Live,
        }
    }

    fn team_on(&self, side: &str) -> Option<usize> {
        match side {
            "CT" => Some(self.team_on(Side::Ct)),
            "T" => Some(self.team_on(Side::T)),
            _ => None,
        }
    }

    fn score(&self) -> [u16; 2] {
        self.team_scores()
    }

    fn set_score(&mut self, score: [u16; 2]) {
        for (team, score) in self.teams.iter_mut().zip(score) {
            team.score = score;
        }
    }

    fn close(&mut self) {
        self.end_play();
    }

    fn predict(&self, model: &str) -> Option<Prediction> {
        let model = Model::named(model).unwrap_or_default();
        let odds::Prediction { seq, round_no, model, round, map } = odds::predict(self, model);
        Some(Prediction {
            seq,
            round_no: Some(round_no),
            model,
            round: Some(round),
            map,
            draw: None,
        })
    }

    fn models() -> &'static [&'static str] {
        const NAMES: [&str; 2] = [MODELS[0].name(), MODELS[1].name()];
        &NAMES
    }

    fn claim(&self, event: &Event) -> Option<String> {
        match event {
            Event::PlayerKilled(killed) => {
                Some(format!("that {} killed {}", *killed.killer, *killed.victim))
            }
            Event::BombPlanted(_) => Some("that the bomb was planted".into()),
            Event::BombDefused(_) => Some("that the bomb was defused".into()),
            Event::RoundEnded(ended) => Some(format!("that {} won the round", ended.winner.name())),
            Event::MapEnded(ended) => {
                let Score { ct, t } = ended.score;
                Some(format!("that the map ended {ct}:{t}"))
            }
            _ => None,
        }
    }

    fn aspects(event: &Event) -> Vec<&'static str> {
        fill::aspects(event)
    }

    fn fill(&mut self, event: &Event, time: Timestamp, lacking: &dyn Fn(&str) -> bool) -> bool {
        self.fill_in(event, time, lacking)
    }

    fn parts(&self) -> BTreeMap<String, Part> {
        let played = self.players.iter().filter(|(_, player)| player.tally.rounds > 0);
        let part = |player: &PlayerState| {
            let Tally { aces, clutches_won, .. } = player.tally;
            Part::new(player.team, &[("ace", aces), ("clutch", clutches_won)])
        };
        played.map(|(id, player)| (id.clone(), part(player))).collect()
    }

    fn stats(maps: &[&Self]) -> Value {
        serde_json::to_value(Stats::of(maps)).unwrap_or_default()
    }

    fn reveal(&mut self, people: &dyn Identities) {
        for (id, player) in &mut self.players {
            if player.account.is_none() {
                player.account = people.account_of(id);
            }
            player.name.reveal(id, people);
        }
    }

    fn open(&self) -> Open {
        // A bomb that went off or was defused has decided the round.
        let is_played = matches!(self.phase, Phase::FreezeTime | Phase::Round);
        let is_open = is_played && !matches!(self.bomb, Bomb::Exploded | Bomb::Defused);
        Open { round: is_open, map: self.phase != Phase::Ended, voided: self.ledger.voided }
    }

    fn round_winner(&self, round_no: u16) -> Option<usize> {
        self.rounds.get(&round_no).map(|round| round.winner)
    }

    /// Money is told as what a player has, so the next `money.changed`, `player.equipped` or
    /// `round.stats` makes good for one that is missing. Damage is summed, and a table or equipment
    /// comes once a round, so those are worth more.
    fn priority(tag: &str) -> Priority {
        match tag {
            "money.changed" => Priority::Low,
            "map.loaded" | "rules.set" | "player.joined" | "warmup.started" | "warmup.ended"
            | "match.started" | "match.restarting" | "match.reloaded" | "score.reported"
            | "team.scored" | "freeze.started" | "round.started" | "round.ended"
            | "round.drawn" | "sides.swapped" | "player.killed" | "player.died"
            | "bomb.planted" | "bomb.defused" | "bomb.exploded" | "map.ended" => Priority::Critical,
            _ => Priority::Normal,
        }
    }
}
