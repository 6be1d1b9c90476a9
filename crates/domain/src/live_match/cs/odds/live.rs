//! The moment that a live state is in, as the trained model sees it, and its prediction.

use super::{
    Model,
    moment::{Force, MAPS, Moment, Weapons},
};
use crate::{
    live_match::cs::{Bomb, Phase, PlayerState, Side, State},
    timestamp::Timestamp,
};

/// The clock at the start of the time to buy, as the model knows it, and how long that lasts.
const BUY_FROM_S: f32 = 175.0;
const BUY_S: f32 = 20.0;

/// P(CT wins the round) that is played, or that comes next.
pub(super) fn ct_wins(state: &State) -> f64 {
    match (state.phase, state.bomb) {
        (Phase::Round, Bomb::Defused) => 1.0,
        (Phase::Round, Bomb::Exploded) => 0.0,
        (Phase::Waiting | Phase::WarmUp | Phase::Ended, _) => {
            let before = Moment { left_s: Some(BUY_FROM_S), ..Moment::default() };
            Model::Boosted.ct_wins_at(&before, &state.ledger.history)
        }
        _ => Model::Boosted.ct_wins_at(&Moment::of(state), &state.ledger.history),
    }
}

impl Moment {
    /// The moment that a state is in. What the feed does not tell is left out.
    pub(in crate::live_match::cs) fn of(state: &State) -> Self {
        let in_round = state.phase == Phase::Round;
        let planted = in_round && state.bomb == Bomb::Planted;
        let told = Told::of(state);
        let map = state.map_name.as_deref();
        let map = map.and_then(|name| MAPS.iter().position(|known| *known == name));
        Self {
            left_s: if in_round {
                let (since, length_s) = if planted {
                    (state.bomb_planted, state.bomb_s)
                } else {
                    (state.round_started, state.round_s)
                };
                since_s(state, since).map(|since| (f32::from(length_s) - since).max(0.0))
            } else {
                let since = since_s(state, state.ledger.freeze_started).unwrap_or(0.0);
                Some(BUY_FROM_S - since.min(BUY_S))
            },
            planted: Some(planted),
            map: map.and_then(|index| u8::try_from(index).ok()),
            round_of_half: Some(round_of_half(state)),
            sides: [Side::Ct, Side::T].map(|side| {
                let force = Force::of(state, side, told);
                // Before a round nobody is dead for good, and who fell in the last one has nothing.
                match state.phase {
                    Phase::Round => force,
                    Phase::FreezeTime if force.alive.is_some_and(|alive| alive > 0.0) => force,
                    _ => Force { money: force.money, ..Force::default() },
                }
            }),
        }
    }
}

/// Rounds since the teams began with the money of a new half.
fn round_of_half(state: &State) -> u16 {
    let played = state.rounds_played();
    match played.checked_sub(state.max_rounds) {
        Some(overtime) => 3 + overtime % 3,
        None => played % (state.max_rounds / 2).max(1),
    }
}

/// Seconds since something, as of the last event.
fn since_s(state: &State, since: Option<Timestamp>) -> Option<f32> {
    let since_ms = state.course.time?.ms().saturating_sub(since?.ms());
    // A round lasts minutes; the first hour in tenths of seconds is exact.
    let tenths = u16::try_from((since_ms / 100).clamp(0, 36_000)).unwrap_or_default();
    Some(f32::from(tenths) / 10.0)
}

/// What a feed tells of players at all. A player of whom such a feed has not told has bought nothing,
/// or is unhurt.
#[derive(Clone, Copy)]
struct Told {
    /// Whether it tells of all who play. The client of a player tells of that player, and of whom it
    /// has looked at.
    everyone: bool,
    health: bool,
    gear: bool,
}

impl Told {
    fn of(state: &State) -> Self {
        let [one, other] = [Side::Ct, Side::T].map(|side| state.on_side(side).count());
        let unhurt = || state.players.values().all(|player| player.tally.deaths == 0);
        Self {
            // Who has left is still counted; so nobody plays with half as many as the others.
            everyone: one.min(other) * 2 >= one.max(other) && one > 0,
            health: state.ledger.health_told || unhurt(),
            gear: state.players.values().any(|player| player.gear.is_some()),
        }
    }
}

impl Force {
    fn of(state: &State, side: Side, told: Told) -> Self {
        if !told.everyone {
            return Self::default();
        }
        let (mut alive, mut health) = (0.0, 0.0);
        let (mut armor, mut helmets, mut kits) = (0.0, 0.0, 0.0);
        let mut weapons = Weapons::default();
        // In the time to buy everyone is alive who is there.
        let is_buying = state.phase == Phase::FreezeTime;
        let here = |player: &&PlayerState| player.alive || (is_buying && player.connected);
        for player in state.on_side(side).filter(here) {
            alive += 1.0;
            // Who lives has health; 0 is one whom no feed has told about yet.
            health += f32::from(if player.health == 0 { 100 } else { player.health.min(100) });
            let gear = player.gear.unwrap_or_default();
            armor += f32::from(gear.armor);
            helmets += f32::from(u8::from(gear.helmet));
            kits += f32::from(u8::from(gear.kit));
            weapons.value += dollars(gear.weapons);
            weapons.rifles += f32::from(gear.rifles);
            weapons.awps += f32::from(gear.awps);
            weapons.smgs += f32::from(gear.smgs);
            weapons.pistols += f32::from(gear.pistols);
        }
        Self {
            alive: Some(alive),
            health: told.health.then_some(health),
            armor: told.gear.then_some(armor),
            helmets: told.gear.then_some(helmets),
            money: money(state.on_side(side).filter(|player| player.connected)),
            kits: told.gear.then_some(kits),
            weapons: told.gear.then_some(weapons),
            // Feeds tell what was bought, and not what was thrown.
            grenades: None,
        }
    }
}

/// The money of some players; whoever's is not known has the mean of the others.
fn money<'a>(players: impl Iterator<Item = &'a PlayerState>) -> Option<f32> {
    let (mut sum, mut known, mut all) = (0.0, 0.0, 0.0);
    for player in players {
        all += 1.0;
        if let Some(money) = player.money {
            sum += dollars(money);
            known += 1.0;
        }
    }
    (known > 0.0).then(|| sum / known * all)
}

/// Dollars of one player, of which no more than 65,535 are believed.
fn dollars(amount: u32) -> f32 {
    f32::from(u16::try_from(amount).unwrap_or(u16::MAX))
}
