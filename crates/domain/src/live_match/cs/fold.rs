//! The fold: how each event changes the state, and what counts when.

use super::{Bomb, Event, MapEnded, Phase, RulesSet, State, equipment};
use crate::{
    live_match::{ShownName, Status, course::leader},
    timestamp::Timestamp,
};

impl State {
    /// Folds an event that happened at `time`. Total: whatever comes, there is a state after it.
    ///
    /// Answers whether it moved the odds, so that a new prediction is worth it.
    pub fn apply(&mut self, event: &Event, time: Timestamp) -> bool {
        if self.course.status == Status::Ended && !self.opens_a_map(event) {
            return false;
        }
        self.apply_course(event, time)
            || self.apply_people(event)
            || (self.counts() && self.apply_play(event, time))
    }

    /// Whether what is done now counts.
    fn counts(&self) -> bool {
        !matches!(self.phase, Phase::WarmUp | Phase::Ended)
    }

    /// After the end nothing counts until the map changes.
    fn opens_a_map(&self, event: &Event) -> bool {
        match event {
            Event::MapLoaded(_) => true,
            Event::MatchStarted(started) => match (&started.map_name, &self.map_name) {
                (Some(new), Some(old)) => **new != **old,
                _ => false,
            },
            _ => false,
        }
    }

    /// The course of the match: what begins, ends, restarts and stops.
    fn apply_course(&mut self, event: &Event, time: Timestamp) -> bool {
        match event {
            Event::MapLoaded(loaded) => self.open_map(&loaded.map_name),
            Event::RulesSet(rules) => self.set_rules(rules),
            Event::WarmupStarted(_) => {
                self.void_all();
                self.phase = Phase::WarmUp;
            }
            Event::WarmupEnded(_) if self.phase == Phase::WarmUp => self.phase = Phase::Waiting,
            Event::MatchStarted(started) => {
                if let Some(name) = &started.map_name
                    && self.map_name.as_deref() != Some(name.as_str())
                {
                    if self.map_name.is_some() {
                        self.open_map(name);
                    }
                    self.map_name = Some(name.to_string());
                }
                self.void_all();
                self.prune();
                self.begin_round();
                self.phase = Phase::FreezeTime;
            }
            Event::MatchRestarting(_) => self.void_all(),
            Event::MatchReloaded(reloaded) => {
                self.begin_round();
                self.phase = Phase::FreezeTime;
                self.ledger.restoring = true;
                if let Some(score) = reloaded.score {
                    self.restore(score);
                }
            }
            Event::MapEnded(ended) => self.end_map(ended),
            Event::ScoreReported(reported) if self.counts() => self.reconcile(reported.score),
            Event::TeamScored(told) if self.counts() => {
                self.hear_score(told.side, told.score);
                return false;
            }
            Event::FreezeStarted(_) if self.counts() => {
                self.begin_round();
                self.phase = Phase::FreezeTime;
                self.ledger.freeze_started = Some(time);
            }
            Event::RoundStarted(_) if self.counts() => {
                if self.phase != Phase::FreezeTime {
                    self.begin_round();
                }
                self.settle_sides();
                self.phase = Phase::Round;
                self.round_started = Some(time);
                self.course.pause = None;
            }
            Event::RoundEnded(ended) if self.counts() => self.end_round(ended),
            Event::RoundDrawn(_) if self.counts() => self.phase = Phase::RoundOver,
            Event::SidesSwapped(_) => self.change_sides(),
            _ => return false,
        }
        !matches!(event, Event::ScoreReported(_))
    }

    /// Who is here.
    fn apply_people(&mut self, event: &Event) -> bool {
        match event {
            Event::TeamNamed(named) => {
                self.name_team(named.side, &named.name);
                false
            }
            Event::PlayerJoined(joined) => {
                self.join(joined);
                self.phase == Phase::Round
            }
            Event::PlayerConnected(connected) => {
                if let Some(player) = self.person(&connected.player) {
                    player.connected = true;
                    player.name = ShownName::of(&connected.name);
                }
                false
            }
            Event::PlayerDisconnected(gone) => {
                self.leave(&gone.player);
                self.phase == Phase::Round
            }
            _ => false,
        }
    }

    /// What is done in a round.
    fn apply_play(&mut self, event: &Event, time: Timestamp) -> bool {
        match event {
            Event::PlayerKilled(killed) => {
                self.kill(killed, time);
                self.reassess();
            }
            Event::PlayerDied(died) => {
                self.die(died);
                self.reassess();
            }
            Event::PlayerAssisted(assisted) => {
                self.assist(assisted);
                self.reassess();
                return false;
            }
            Event::PlayerReported(reported) => return self.report(reported),
            Event::PlayerHurt(hurt) => {
                self.hurt(hurt);
                return false;
            }
            Event::BombPlanted(planted) => {
                self.bomb = Bomb::Planted;
                self.bomb_planted = Some(time);
                self.bomb_site = planted.site.as_ref().map(|site| site.to_string());
            }
            Event::BombDefused(_) => self.bomb = Bomb::Defused,
            Event::BombExploded(_) => self.bomb = Bomb::Exploded,
            Event::BombPickedUp(_) => return self.move_bomb(Bomb::Carried),
            Event::BombDropped(_) => return self.move_bomb(Bomb::Dropped),
            Event::MoneyChanged(changed) => {
                if let Some(player) = self.person(&changed.player) {
                    let before = player.money.replace(changed.money);
                    let side = player.side;
                    if let Some(item) = &changed.item {
                        player.gear.get_or_insert_default().add(item);
                        let bought = equipment::value(std::slice::from_ref(item));
                        let had = player.equipment.unwrap_or_default();
                        player.equipment = Some(had.saturating_add(bought));
                    }
                    if let (Some(side), Some(before)) = (side, before) {
                        self.ledger.history.spend(side, before, changed.money);
                    }
                }
                return false;
            }
            Event::PlayerEquipped(equipped) => {
                self.equip(equipped, time);
                return false;
            }
            Event::RoundStats(stats) => {
                self.compare(stats);
                return false;
            }
            _ => return false,
        }
        if self.phase == Phase::Waiting {
            self.phase = Phase::Round;
        }
        true
    }

    /// A bomb that ticks is neither carried nor dropped, whatever a late line says.
    fn move_bomb(&mut self, bomb: Bomb) -> bool {
        if matches!(self.bomb, Bomb::None | Bomb::Carried | Bomb::Dropped) {
            self.bomb = bomb;
        }
        false
    }

    pub(super) fn clear_bomb(&mut self) {
        self.bomb = Bomb::None;
        self.bomb_planted = None;
        self.bomb_site = None;
    }

    /// Another map, or the same one anew: people stay, play is void.
    fn open_map(&mut self, name: &str) {
        let same = self.map_name.as_deref() == Some(name);
        self.void_all();
        if !same || self.course.status == Status::Ended {
            self.clear_shelf();
        }
        let fresh = Self::new("", 0);
        self.map_name = Some(name.into());
        self.phase = Phase::Waiting;
        self.course.status = Status::Scheduled;
        self.course.pause = None;
        self.max_rounds = fresh.max_rounds;
        self.ledger.rules_told = false;
        (self.round_s, self.bomb_s) = (fresh.round_s, fresh.bomb_s);
    }

    fn set_rules(&mut self, rules: &RulesSet) {
        // A server says 0 before its configuration is read, for 'no limit'.
        if let Some(rounds) = rules.max_rounds.filter(|rounds| (2..=200).contains(rounds)) {
            self.max_rounds = rounds;
            self.ledger.rules_told = true;
        }
        if let Some(seconds) = rules.round_s.filter(|seconds| *seconds > 0) {
            self.round_s = seconds;
        }
        if let Some(seconds) = rules.bomb_s.filter(|seconds| *seconds > 0) {
            self.bomb_s = seconds;
        }
    }

    fn end_map(&mut self, ended: &MapEnded) {
        if self.counts() {
            self.reconcile(ended.score);
        }
        if let Some(name) = &ended.map_name {
            self.map_name.get_or_insert_with(|| name.to_string());
        }
        self.course.winner = leader(self.team_scores());
        self.end_play();
    }

    /// Nothing more is played on this map.
    pub(super) fn end_play(&mut self) {
        self.course.pause = None;
        self.phase = Phase::Ended;
        self.round = self.rounds_played();
    }
}
