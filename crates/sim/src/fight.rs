//! Duels: who hits whom, who dies, who helped, and what it pays.

use matchwire_domain::live_match::cs::{
    BombDropped, Label, PlayerAssisted, PlayerHurt, PlayerKilled, Side,
};
use rand::{Rng, rngs::SmallRng, seq::IndexedRandom};

use crate::{
    arsenal::Weapon,
    economy,
    roster::{Lobby, Seat},
    script::Script,
};

/// How much damage makes an assist.
const ASSIST_DAMAGE: u16 = 41;
/// How much better it is to come upon an enemy who has just fought.
const TRADE_EDGE: f64 = 1.2;

/// What play needs: the players, the script, and chance.
pub(crate) struct Stage<'a> {
    pub(crate) lobby: &'a mut Lobby,
    pub(crate) script: &'a mut Script,
    pub(crate) rng: &'a mut SmallRng,
    /// Who has the bomb.
    pub(crate) carrier: Option<Seat>,
}

/// Where a hit lands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hitgroup {
    Head,
    Chest,
    Stomach,
    Leg,
    Generic,
}

impl Hitgroup {
    fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Chest => "chest",
            Self::Stomach => "stomach",
            Self::Leg => "left leg",
            Self::Generic => "generic",
        }
    }

    /// How many percent of a gun's damage a hit does here.
    fn percent(self) -> u16 {
        match self {
            Self::Head => 400,
            Self::Stomach => 125,
            Self::Leg => 75,
            Self::Chest | Self::Generic => 100,
        }
    }
}

/// A hit: with what, where, and how hard.
#[derive(Clone, Copy)]
struct Hit {
    weapon: &'static str,
    damage: u16,
    through_armor: u16,
    group: Hitgroup,
}

impl Stage<'_> {
    /// Somebody of either side.
    fn anyone(&mut self, side: Side) -> Option<Seat> {
        self.lobby.alive(side).choose(self.rng).copied()
    }

    /// A duel and the trades that follow; `ct_edge` is how much better the CTs' place is.
    pub(crate) fn skirmish(&mut self, ct_edge: f64) {
        let (Some(ct), Some(t)) = (self.anyone(Side::Ct), self.anyone(Side::T)) else { return };
        let (mut killer, mut victim) = self.duel(ct, t, ct_edge);
        loop {
            let mates = self.lobby.alive(self.lobby[victim].side);
            let percent = [0, 20, 28, 36, 44].get(mates.len()).copied().unwrap_or(44);
            if !self.rng.random_ratio(percent, 100) {
                return;
            }
            let Some(avenger) = mates.choose(self.rng).copied() else { return };
            self.script.wait(self.rng.random_range(500..3_200));
            (killer, victim) = self.duel(avenger, killer, TRADE_EDGE);
        }
    }

    /// One of two kills the other; `edge` is the first one's. Answers with killer and victim.
    fn duel(&mut self, one: Seat, other: Seat, edge: f64) -> (Seat, Seat) {
        let ours = edge * self.strength(one);
        let theirs = self.strength(other);
        let (ours, theirs) = (ours * ours, theirs * theirs);
        let (killer, victim) =
            if self.rng.random_bool(ours / (ours + theirs)) { (one, other) } else { (other, one) };
        if self.rng.random_bool(0.5) {
            self.graze(victim, killer);
        }
        self.kill(killer, victim);
        (killer, victim)
    }

    fn strength(&self, seat: Seat) -> f64 {
        let fighter = &self.lobby[seat];
        let armor = match (fighter.armor, fighter.has_helmet) {
            (0, _) => 0.86,
            (_, false) => 0.95,
            (_, true) => 1.0,
        };
        let health = 0.6 + 0.4 * f64::from(fighter.health) / 100.0;
        fighter.skill * fighter.weapon().power * armor * health
    }

    /// A hit or two that the victim survives.
    fn graze(&mut self, attacker: Seat, victim: Seat) {
        for _ in 0..self.rng.random_range(1..=2) {
            let hit = self.shot(self.lobby[attacker].weapon(), false);
            if self.harm(victim, hit).0 < self.lobby[victim].health {
                self.hit(attacker, victim, hit);
            }
        }
    }

    fn shot(&mut self, weapon: &Weapon, is_head: bool) -> Hit {
        let group = match self.rng.random_range(0..6) {
            _ if is_head => Hitgroup::Head,
            0..3 => Hitgroup::Chest,
            3..5 => Hitgroup::Stomach,
            _ => Hitgroup::Leg,
        };
        let damage = weapon.damage * self.rng.random_range(85..=100) / 100;
        Hit { weapon: weapon.name, damage, through_armor: weapon.through_armor, group }
    }

    /// What a hit takes from health and armour.
    fn harm(&self, victim: Seat, hit: Hit) -> (u16, u16) {
        let Self { lobby, .. } = self;
        let full = (hit.damage * hit.group.percent() / 100).max(1);
        let is_covered = lobby[victim].armor > 0
            && match hit.group {
                Hitgroup::Head => lobby[victim].has_helmet,
                Hitgroup::Leg => false,
                _ => true,
            };
        if !is_covered {
            return (full, 0);
        }
        let health = (full * hit.through_armor / 100).max(1);
        (health, ((full - health) / 2).min(lobby[victim].armor))
    }

    fn hit(&mut self, attacker: Seat, victim: Seat, hit: Hit) {
        let (damage, damage_armor) = self.harm(victim, hit);
        let hurt = &mut self.lobby[victim];
        hurt.hurt_by.push((attacker, damage.min(hurt.health)));
        hurt.health = hurt.health.saturating_sub(damage);
        hurt.armor -= damage_armor;
        let (health, armor) = (hurt.health, hurt.armor);
        self.script.say(PlayerHurt {
            attacker: self.lobby[attacker].account.clone(),
            victim: self.lobby[victim].account.clone(),
            weapon: Label::cut(hit.weapon),
            damage,
            damage_armor,
            health,
            armor,
            hitgroup: Label::cut(hit.group.name()),
        });
        self.script.wait(self.rng.random_range(60..190));
    }

    fn kill(&mut self, killer: Seat, victim: Seat) {
        let weapon = self.lobby[killer].weapon();
        let mut is_head = false;
        let mut body_shots = if self.rng.random_ratio(weapon.headshots, 100) {
            self.rng.random_range(0..2)
        } else {
            9
        };
        while self.lobby[victim].health > 0 {
            is_head = body_shots == 0;
            body_shots = body_shots.max(1) - 1;
            let hit = self.shot(weapon, is_head);
            self.hit(killer, victim, hit);
        }
        self.lobby[victim].is_alive = false;
        self.lobby[victim].result.deaths += 1;
        self.lobby[killer].result.kills += 1;
        self.lobby[killer].result.headshots += u16::from(is_head);
        self.script.say(PlayerKilled {
            killer: self.lobby[killer].account.clone(),
            victim: self.lobby[victim].account.clone(),
            weapon: Label::cut(weapon.name),
            headshot: is_head,
            penetrated: self.rng.random_bool(0.05),
            through_smoke: self.rng.random_bool(0.06),
            attacker_blind: self.rng.random_bool(0.01),
            no_scope: weapon.name == "awp" && self.rng.random_bool(0.03),
            killer_at: None,
            victim_at: None,
        });
        self.thank(killer, victim);
        economy::reward(self.lobby, self.script, killer, weapon.reward);
        if self.carrier == Some(victim) {
            self.carrier = None;
            self.script.say(BombDropped { player: self.lobby[victim].account.clone() });
        }
        self.loot(killer, victim);
    }

    /// Assists: by damage, and by a flash.
    fn thank(&mut self, killer: Seat, victim: Seat) {
        let hurt_by = &self.lobby[victim].hurt_by;
        let done = |seat: Seat| -> u16 {
            hurt_by.iter().filter(|(by, _)| *by == seat).map(|(_, damage)| *damage).sum()
        };
        let helper = self
            .lobby
            .seats()
            .filter(|seat| *seat != killer && done(*seat) >= ASSIST_DAMAGE)
            .max_by_key(|seat| done(*seat));
        if let Some(helper) = helper {
            self.assist(helper, victim, false);
        }
        let flasher = self.lobby.alive(self.lobby[killer].side).into_iter().find(|seat| {
            let has_flash = self.lobby[*seat].grenades.contains(&"flashbang");
            has_flash && *seat != killer && Some(*seat) != helper
        });
        if let Some(flasher) = flasher
            && self.rng.random_bool(0.12)
        {
            self.spend(flasher, "flashbang");
            self.assist(flasher, victim, true);
        }
    }

    fn assist(&mut self, helper: Seat, victim: Seat, flash: bool) {
        self.lobby[helper].result.assists += 1;
        self.script.say(PlayerAssisted {
            assister: self.lobby[helper].account.clone(),
            victim: self.lobby[victim].account.clone(),
            flash,
        });
    }

    fn spend(&mut self, seat: Seat, name: &str) {
        let grenades = &mut self.lobby[seat].grenades;
        if let Some(place) = grenades.iter().position(|own| *own == name) {
            grenades.remove(place);
        }
    }

    /// The killer may take the victim's gun, if it is the better one.
    fn loot(&mut self, killer: Seat, victim: Seat) {
        let price = |gun: Option<&'static Weapon>| gun.map_or(0, |gun| gun.price);
        let found = self.lobby[victim].primary;
        if price(found) > price(self.lobby[killer].primary) + 600 && self.rng.random_bool(0.4) {
            self.lobby[killer].primary = found;
        }
    }

    /// A grenade that hurts somebody and kills nobody.
    pub(crate) fn throw(&mut self, side: Side) {
        let Some(thrower) = self.anyone(side) else { return };
        let Some(victim) = self.anyone(side.other()) else { return };
        let fire = ["molotov", "incgrenade"];
        let held = self.lobby[thrower].grenades.iter().copied();
        let Some(name) = held.into_iter().find(|name| *name == "hegrenade" || fire.contains(name))
        else {
            return;
        };
        self.spend(thrower, name);
        let weapon = if fire.contains(&name) { "inferno" } else { name };
        let damage = self.rng.random_range(6..45);
        let hit = Hit { weapon, damage, through_armor: 60, group: Hitgroup::Generic };
        if self.harm(victim, hit).0 < self.lobby[victim].health {
            self.hit(thrower, victim, hit);
        }
    }
}
