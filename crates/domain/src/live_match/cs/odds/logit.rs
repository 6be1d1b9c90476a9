//! P(the counter-terrorists win the round): three logistic regressions, for the time to buy, for
//! the round without a bomb, and for the round with one.
//!
//! The coefficients come from `docs/models/mw-logit-1.py`. All weights are positive and every
//! strength only grows with a living player, so one player more is never worse. `libm` computes
//! `exp` and `ln`, since the platform's own differ in the last bit from machine to machine.

use super::{
    moment::{self, Moment, Stage},
    open,
};
use crate::{
    live_match::cs::{Bomb, Phase, PlayerState, Side, State},
    timestamp::Timestamp,
};

/// Dollars that a player is taken to have where no feed tells: about the mean before buying.
const UNKNOWN_MONEY: u32 = 3_500;
/// Dollars that a living player is taken to carry where no feed tells: about the mean in play of
/// each side.
const UNKNOWN_EQUIPMENT_CT: u32 = 4_200;
const UNKNOWN_EQUIPMENT_T: u32 = 3_900;
/// Players of a side of which nobody is known.
const FULL_SIDE: f64 = 5.0;

/// Time to buy: only what the sides own.
mod buy {
    pub(super) const BIAS: f64 = 0.0478;
    pub(super) const WEALTH: f64 = 1.2044;
}

/// The round is played and the bomb not planted.
mod unplanted {
    pub(super) const BIAS: f64 = -0.2528;
    pub(super) const ALIVE: f64 = 2.1246;
    pub(super) const HEALTH: f64 = 1.3495;
    pub(super) const EQUIPMENT: f64 = 1.1868;
    pub(super) const TIME_LEFT: f64 = 0.2136;
    pub(super) const LAST_30_S: f64 = 0.3042;
}

/// The bomb ticks.
mod planted {
    pub(super) const BIAS: f64 = -9.3311;
    pub(super) const ALIVE: f64 = 2.2063;
    pub(super) const HEALTH: f64 = 1.5888;
    pub(super) const EQUIPMENT: f64 = 1.2429;
    pub(super) const TIME_LEFT: f64 = 1.5311;
    pub(super) const LAST_10_S: f64 = 6.7735;
    pub(super) const CLEARED: f64 = 0.3364;
}

/// What a side can fight with. Where nobody is known of one side, both are taken to be complete:
/// whoever sees one side alone, as a player's own client does, need not see all of it.
struct Force {
    alive: f64,
    health: f64,
    equipment: f64,
}

/// P(CT wins the round) that is played, or that comes next.
pub(super) fn ct_wins(state: &State) -> f64 {
    match state.phase {
        Phase::Round => in_round(state),
        Phase::FreezeTime | Phase::RoundOver => {
            let [ct, t] = [Side::Ct, Side::T].map(|side| wealth(state, side));
            before_round(log_ratio(ct, t, 4_000.0))
        }
        Phase::Waiting | Phase::WarmUp | Phase::Ended => before_round(0.0),
    }
}

/// P(CT wins the round) as of a moment; what is not known is taken as it is for a state.
pub(super) fn ct_wins_at(now: &Moment) -> f64 {
    if let Some(decided) = now.decided() {
        return open(decided);
    }
    let force = |side: &moment::Force, unknown_equipment: u32| {
        let alive = f64::from(side.living());
        let equipment = side.weapons.map(|_| f64::from(side.equipment()));
        Force {
            alive,
            health: side.health.map_or(100.0 * alive, f64::from),
            equipment: equipment.unwrap_or(alive * f64::from(unknown_equipment)),
        }
    };
    let [ct, t] = &now.sides;
    let (ct_force, t_force) = (force(ct, UNKNOWN_EQUIPMENT_CT), force(t, UNKNOWN_EQUIPMENT_T));
    match now.stage() {
        Stage::Buy => {
            let [ct, t] = [ct, t].map(|side| {
                let money = side.money.map_or(FULL_SIDE * f64::from(UNKNOWN_MONEY), f64::from);
                money + f64::from(side.equipment())
            });
            before_round(log_ratio(ct, t, 4_000.0))
        }
        Stage::Open => {
            let left_s = now.left_s.map_or(57.5, f64::from);
            open(logistic(without_bomb(left_s, &ct_force, &t_force)))
        }
        Stage::Planted => {
            let left_s = now.left_s.map_or(20.0, f64::from);
            open(logistic(with_bomb(left_s, &ct_force, &t_force)))
        }
    }
}

fn before_round(wealth: f64) -> f64 {
    open(logistic(buy::BIAS + buy::WEALTH * wealth))
}

fn in_round(state: &State) -> f64 {
    match state.bomb {
        Bomb::Defused => return 1.0,
        Bomb::Exploded => return 0.0,
        _ => {}
    }
    let is_planted = state.bomb == Bomb::Planted;
    let [ct, t] = [Side::Ct, Side::T].map(|side| Force::of(state, side));
    let (ct_dead, t_dead) = (ct.alive == 0.0, t.alive == 0.0);
    open(match (ct_dead, t_dead) {
        (true, true) if !is_planted => 0.5,
        (true, _) => 0.0,
        (false, true) if !is_planted => 1.0,
        _ => logistic(if is_planted {
            with_bomb(left_s(state, state.bomb_planted, state.bomb_s), &ct, &t)
        } else {
            without_bomb(left_s(state, state.round_started, state.round_s), &ct, &t)
        }),
    })
}

fn without_bomb(left_s: f64, ct: &Force, t: &Force) -> f64 {
    unplanted::BIAS
        + unplanted::ALIVE * log_ratio(ct.alive, t.alive, 0.5)
        + unplanted::HEALTH * log_ratio(ct.health, t.health, 50.0)
        + unplanted::EQUIPMENT * log_ratio(ct.equipment, t.equipment, 1_000.0)
        + unplanted::TIME_LEFT * left_s.min(115.0) / 115.0
        + unplanted::LAST_30_S * (30.0 - left_s).max(0.0) / 30.0
}

fn with_bomb(left_s: f64, ct: &Force, t: &Force) -> f64 {
    planted::BIAS
        + planted::ALIVE * log_ratio(ct.alive, t.alive, 0.5)
        + planted::HEALTH * log_ratio(ct.health, t.health, 50.0)
        + planted::EQUIPMENT * log_ratio(ct.equipment, t.equipment, 1_000.0)
        + planted::TIME_LEFT * left_s.min(40.0) / 40.0
        + planted::LAST_10_S * left_s.min(10.0) / 10.0
        + if t.alive == 0.0 { planted::CLEARED } else { 0.0 }
}

impl Force {
    fn of(state: &State, side: Side) -> Self {
        let unknown_equipment = match side {
            Side::Ct => UNKNOWN_EQUIPMENT_CT,
            Side::T => UNKNOWN_EQUIPMENT_T,
        };
        if !both_seen(state) {
            let equipment = FULL_SIDE * f64::from(unknown_equipment);
            return Self { alive: FULL_SIDE, health: FULL_SIDE * 100.0, equipment };
        }
        let mut force = Self { alive: 0.0, health: 0.0, equipment: 0.0 };
        for player in state.on_side(side).filter(|player| player.alive) {
            // Who lives has health; 0 is one whom no feed has told about yet.
            let health = if player.health == 0 { 100 } else { player.health };
            force.alive += 1.0;
            force.health += f64::from(health);
            force.equipment += f64::from(player.equipment.unwrap_or(unknown_equipment));
        }
        force
    }
}

/// Whether somebody is known of either side.
fn both_seen(state: &State) -> bool {
    [Side::Ct, Side::T].iter().all(|side| state.on_side(*side).next().is_some())
}

/// What a side owns, in dollars: money and what is carried.
fn wealth(state: &State, side: Side) -> f64 {
    if !both_seen(state) {
        return FULL_SIDE * f64::from(UNKNOWN_MONEY);
    }
    let of = |player: &PlayerState| {
        f64::from(player.money.unwrap_or(UNKNOWN_MONEY))
            + f64::from(player.equipment.unwrap_or_default())
    };
    state.on_side(side).filter(|player| player.connected).map(of).sum()
}

/// Seconds that are left of `length_s` as of the last event; half of them if no start is known.
fn left_s(state: &State, started: Option<Timestamp>, length_s: u16) -> f64 {
    let whole_ms = i64::from(length_s) * 1_000;
    let left_ms = match (state.course.time, started) {
        (Some(now), Some(started)) => whole_ms - (now.ms() - started.ms()),
        _ => whole_ms / 2,
    };
    let left_ms = left_ms.clamp(0, whole_ms);
    // At most 65,535 seconds, in milliseconds: far from what a u32 holds.
    f64::from(u32::try_from(left_ms).unwrap_or_default()) / 1_000.0
}

/// By how much one side's strength exceeds the other's; `prior` keeps small ones apart.
fn log_ratio(ours: f64, theirs: f64, prior: f64) -> f64 {
    libm::log((ours + prior) / (theirs + prior))
}

fn logistic(score: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-score))
}
