//! What the game's own scoreboard says of players.
//!
//! A map may be told by a scoreboard, by what was done one by one, or by both. A count is whichever
//! says more: what was done is counted once, and a scoreboard knows what was not told.

use super::{Gear, Label, Phase, PlayerReported, State, Tally};

/// What was reported last of a player.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Reported {
    /// The round in which that was.
    pub(super) round: u16,
    /// The sums; nought where nothing was said.
    pub(super) tally: Tally,
}

impl Reported {
    /// Whichever says more in each count. Where not every death was told one by one, what was counted takes
    /// players to have survived; who had a part in a round then only the scoreboard knows.
    pub(super) fn together_with(&self, counted: Tally) -> Tally {
        let mut tally = counted.at_least(self.tally);
        if counted.deaths < self.tally.deaths && self.tally.kast_rounds > 0 {
            tally.kast_rounds = self.tally.kast_rounds;
        }
        tally
    }
}

impl State {
    /// Takes what the scoreboard says; answers whether a player died or lives of it.
    pub(super) fn report(&mut self, told: &PlayerReported) -> bool {
        let id: &str = &told.player;
        let in_round = self.phase == Phase::Round;
        let Some(player) = self.person(id) else { return false };
        let was_alive = player.alive;
        if let Some(health) = told.health {
            player.health = health.min(100);
            player.alive = health > 0 && player.role.is_player();
        }
        set(&mut player.armor, told.armor.map(|armor| armor.min(100)));
        set(&mut player.helmet, told.helmet);
        set(&mut player.kit, told.kit);
        set(&mut player.money, told.money);
        set(&mut player.equipment, told.equipment);
        set(&mut player.mvps, told.mvps);
        if let (Some(items), None) = (&told.items, told.equipment) {
            let items: &[Label] = items;
            player.equipment = Some(super::equipment::value(items));
        }
        if told.items.is_some() || told.armor.is_some() {
            let gear = player.gear.get_or_insert_default();
            if let Some(items) = &told.items {
                *gear = Gear::of(items);
            }
            gear.armor = player.armor.unwrap_or(gear.armor);
            gear.helmet = player.helmet.unwrap_or(gear.helmet);
            gear.kit = player.kit.unwrap_or(gear.kit);
        }
        let moved = in_round && player.alive != was_alive;
        self.ledger.health_told |= told.health.is_some();
        let round = self.ledger.round;
        let reported = self.ledger.reported.entry(id.into()).or_default();
        if reported.tally.set(told) {
            reported.round = round;
            self.total_up();
        }
        moved
    }
}

/// What is told replaces what was known.
fn set<T>(known: &mut Option<T>, told: Option<T>) {
    if told.is_some() {
        *known = told;
    }
}

impl Tally {
    /// Sets what was told; answers whether anything was.
    fn set(&mut self, told: &PlayerReported) -> bool {
        let counts = [
            (&mut self.kills, told.kills),
            (&mut self.deaths, told.deaths),
            (&mut self.assists, told.assists),
            (&mut self.flash_assists, told.flash_assists),
            (&mut self.headshots, told.headshots),
            (&mut self.trades, told.trades),
            (&mut self.team_kills, told.team_kills),
            (&mut self.opening_kills, told.opening_kills),
            (&mut self.opening_deaths, told.opening_deaths),
            (&mut self.multi_kills, told.multi_kills),
            (&mut self.aces, told.aces),
            (&mut self.clutches_won, told.clutches_won),
            (&mut self.rounds, told.rounds),
            (&mut self.kast_rounds, told.kast_rounds),
        ];
        let mut any = false;
        for (count, told) in counts {
            any |= told.is_some();
            *count = told.unwrap_or(*count);
        }
        let damage =
            [(&mut self.damage, told.damage), (&mut self.utility_damage, told.utility_damage)];
        for (sum, told) in damage {
            any |= told.is_some();
            *sum = told.unwrap_or(*sum);
        }
        any
    }
}
