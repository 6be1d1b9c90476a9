//! One round, from the moment that players may move until it is won.

use matchwire_domain::live_match::cs::{
    BombDefuseStarted, BombDefused, BombExploded, BombPickedUp, BombPlantStarted, BombPlanted,
    Label, Reason, Side,
};
use rand::{Rng, seq::IndexedRandom};

use crate::{
    economy::{self, BOMB_REWARD},
    fight::Stage,
    roster::Seat,
};

/// How long a round lasts without a bomb.
pub(crate) const ROUND_S: u16 = 115;
/// How long a bomb ticks.
pub(crate) const BOMB_S: u16 = 40;
/// How long it takes to plant.
const PLANT_MS: u64 = 3_200;
/// How long it takes to defuse, with and without a kit.
const DEFUSE_MS: (u64, u64) = (5_000, 10_000);
/// Nobody starts a fight so shortly before the clock decides.
const TOO_LATE_MS: u64 = 4_000;

/// How a round went.
pub(crate) struct Outcome {
    pub(crate) winner: Side,
    pub(crate) reason: Reason,
    pub(crate) was_planted: bool,
}

/// A round that is played. Its clock began a moment ago, when the first players moved.
pub(crate) struct Round<'a, 'b> {
    stage: &'a mut Stage<'b>,
    /// When the terrorists go for a site, after a while of looking for an opening.
    execute_at_ms: u64,
    /// When the clock runs out: the round's, then the bomb's.
    ends_at_ms: u64,
    site: &'static str,
    is_planted: bool,
    /// A side that has given the round up and saves its weapons.
    saving: Option<Side>,
    bomb_result: Option<Reason>,
}

impl<'a, 'b> Round<'a, 'b> {
    pub(crate) fn new(stage: &'a mut Stage<'b>, started_ms: u64) -> Self {
        let patience_ms = stage.rng.random_range(25_000..85_000);
        let site = if stage.rng.random_bool(0.55) { "A" } else { "B" };
        Self {
            execute_at_ms: started_ms + patience_ms,
            ends_at_ms: started_ms + u64::from(ROUND_S) * 1_000,
            stage,
            site,
            is_planted: false,
            saving: None,
            bomb_result: None,
        }
    }

    /// Plays it to its end.
    pub(crate) fn play(mut self) -> Outcome {
        loop {
            if let Some((winner, reason)) = self.decided() {
                return Outcome { winner, reason, was_planted: self.is_planted };
            }
            match (self.is_planted, self.stage.script.now_ms < self.execute_at_ms) {
                (true, _) => self.retake(),
                (false, true) => self.probe(),
                (false, false) => self.attack(),
            }
        }
    }

    fn decided(&self) -> Option<(Side, Reason)> {
        if let Some(reason) = self.bomb_result {
            let winner = if reason == Reason::BombDefused { Side::Ct } else { Side::T };
            return Some((winner, reason));
        }
        match self.alive() {
            (0, _) => Some((Side::T, Reason::Elimination)),
            (_, 0) if !self.is_planted => Some((Side::Ct, Reason::Elimination)),
            _ if !self.is_planted && self.left_ms() == 0 => Some((Side::Ct, Reason::TimeRanOut)),
            _ => None,
        }
    }

    /// How many counter-terrorists and terrorists are alive.
    fn alive(&self) -> (usize, usize) {
        let lobby = &self.stage.lobby;
        (lobby.alive(Side::Ct).len(), lobby.alive(Side::T).len())
    }

    fn left_ms(&self) -> u64 {
        self.ends_at_ms.saturating_sub(self.stage.script.now_ms)
    }

    /// Time passes. Answers whether there is enough left to do something; if not, it runs out.
    fn pass(&mut self, from_ms: u64, to_ms: u64) -> bool {
        self.stage.script.wait(self.stage.rng.random_range(from_ms..to_ms));
        let is_time = self.left_ms() > TOO_LATE_MS;
        if !is_time {
            self.stage.script.now_ms = self.ends_at_ms;
        }
        is_time
    }

    /// Looking for an opening.
    fn probe(&mut self) {
        self.pass(5_000, 15_000);
        for side in [Side::T, Side::Ct] {
            if self.stage.rng.random_bool(0.3) {
                self.stage.throw(side);
            }
        }
        if self.stage.rng.random_bool(0.42) {
            self.stage.skirmish(1.08);
        }
    }

    /// Onto the site.
    fn attack(&mut self) {
        let (ct, t) = self.alive();
        if self.saving.is_none() && t <= 2 && ct >= t + 2 && self.stage.rng.random_bool(0.25) {
            self.saving = Some(Side::T);
        }
        if self.saving.is_some() {
            if self.pass(4_000, 9_000) && self.stage.rng.random_bool(0.12) {
                self.stage.skirmish(1.1);
            }
            return;
        }
        if !self.pass(1_200, 4_500) {
            return;
        }
        let carrier = self.carrier();
        let eager = match self.left_ms() {
            ..18_000 => 0.8,
            _ if t >= ct => 0.38,
            _ => 0.2,
        };
        match carrier {
            Some(planter) if self.stage.rng.random_bool(eager) => self.plant(planter),
            _ => self.stage.skirmish(1.14),
        }
    }

    /// Who has the bomb; if it lies on the ground, somebody takes it.
    fn carrier(&mut self) -> Option<Seat> {
        if self.stage.carrier.is_none() {
            let taker = self.stage.lobby.alive(Side::T).choose(self.stage.rng).copied()?;
            self.stage.carrier = Some(taker);
            let player = self.stage.lobby[taker].account.clone();
            self.stage.script.say(BombPickedUp { player });
        }
        self.stage.carrier
    }

    fn plant(&mut self, planter: Seat) {
        let player = self.stage.lobby[planter].account.clone();
        let site = Some(Label::cut(self.site));
        self.stage.script.say(BombPlantStarted { player: player.clone(), site: site.clone() });
        if self.stage.rng.random_bool(0.2) {
            self.stage.script.wait(PLANT_MS / 2);
            return self.stage.skirmish(1.3);
        }
        self.stage.script.wait(PLANT_MS);
        self.stage.script.say(BombPlanted { player: Some(player), site });
        self.stage.carrier = None;
        self.is_planted = true;
        self.ends_at_ms = self.stage.script.now_ms + u64::from(BOMB_S) * 1_000;
        economy::reward(self.stage.lobby, self.stage.script, planter, BOMB_REWARD);
    }

    /// The bomb ticks.
    fn retake(&mut self) {
        let (ct, t) = self.alive();
        if t == 0 {
            return self.defuse();
        }
        let is_hopeless = ct + 2 <= t || (ct == 1 && t == 2) || self.left_ms() < 9_000;
        if self.saving.is_none() && is_hopeless && self.stage.rng.random_bool(0.4) {
            self.saving = Some(Side::Ct);
        }
        let (is_time, fights) = match self.saving {
            Some(_) => (self.pass(4_000, 9_000), 0.15),
            None => (self.pass(1_500, 6_000), 0.85),
        };
        if !is_time {
            self.explode();
        } else if self.stage.rng.random_bool(fights) {
            self.stage.skirmish(0.93);
        }
    }

    /// Nobody is left to keep a counter-terrorist from the bomb but the clock.
    fn defuse(&mut self) {
        let alive = self.stage.lobby.alive(Side::Ct);
        let with_kit = alive.iter().find(|seat| self.stage.lobby[**seat].has_kit);
        let Some(defuser) = with_kit.or(alive.first()).copied() else { return };
        let kit = self.stage.lobby[defuser].has_kit;
        let needs_ms = if kit { DEFUSE_MS.0 } else { DEFUSE_MS.1 };
        self.stage.script.wait(self.stage.rng.random_range(1_000..6_000));
        if self.left_ms() <= needs_ms {
            return self.explode();
        }
        let player = self.stage.lobby[defuser].account.clone();
        self.stage.script.say(BombDefuseStarted { player: player.clone(), kit });
        self.stage.script.wait(needs_ms);
        self.stage.script.say(BombDefused { player: Some(player) });
        economy::reward(self.stage.lobby, self.stage.script, defuser, BOMB_REWARD);
        self.bomb_result = Some(Reason::BombDefused);
    }

    fn explode(&mut self) {
        self.stage.script.wait_until(self.ends_at_ms);
        self.stage.script.say(BombExploded {});
        self.bomb_result = Some(Reason::BombExploded);
    }
}
