//! Money: what a round pays, and what a team buys with it.

use matchwire_domain::live_match::cs::{Label, MoneyChanged, Reason, Side};
use rand::{Rng, rngs::SmallRng};

use crate::{
    arsenal::{
        AK47, AWP, DEAGLE, FAMAS, FIVESEVEN, FLASH, FRAG, GALIL, INCENDIARY, Item, M4A1S, MAC10,
        MOLOTOV, MP9, P250, SCOUT, SMOKE, TEC9,
    },
    roster::{Both, Lobby, Seat, Team},
    script::Script,
};

/// What every player has when a half begins.
pub(crate) const START_MONEY: u32 = 800;
/// What every player has when a half of overtime begins.
pub(crate) const OVERTIME_MONEY: u32 = 10_000;
/// For whoever plants, and for whoever defuses.
pub(crate) const BOMB_REWARD: u32 = 300;
/// For each of a team that planted and lost.
const PLANT_BONUS: u32 = 800;
/// What the loss of a round pays at least, and how much more each further one, up to four times.
const LOSS_BONUS: u32 = 1_400;
const LOSS_STEP: u32 = 500;
const MAX_LOSSES: u32 = 4;

/// How many losses a team has in a row, as the bonus counts them: a win takes one back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Losses(Both<u32>);

impl Losses {
    /// As a half begins.
    pub(crate) fn new() -> Self {
        Self(Both([1, 1]))
    }

    /// What the loss pays each of a team.
    fn bonus(self, team: Team) -> u32 {
        LOSS_BONUS + LOSS_STEP * self.0[team]
    }

    fn note(&mut self, winner: Team) {
        let loser = winner.other();
        self.0[winner] = self.0[winner].saturating_sub(1);
        self.0[loser] = (self.0[loser] + 1).min(MAX_LOSSES);
    }
}

/// Pays everybody for a round.
pub(crate) fn pay(
    lobby: &mut Lobby,
    losses: &mut Losses,
    script: &mut Script,
    (winner, reason): (Side, Reason),
    was_planted: bool,
) {
    let winning = lobby.team_on(winner);
    let win = match reason {
        Reason::BombExploded | Reason::BombDefused => 3_500,
        _ => 3_250,
    };
    let planted = if was_planted && winner == Side::Ct { PLANT_BONUS } else { 0 };
    let loss = losses.bonus(winning.other()) + planted;
    losses.note(winning);
    for seat in lobby.seats() {
        let fighter = &lobby[seat];
        let hid = reason == Reason::TimeRanOut && fighter.side == Side::T && fighter.is_alive;
        let dollars = match (fighter.team == winning, hid) {
            (true, _) => win,
            (false, true) => 0,
            (false, false) => loss,
        };
        reward(lobby, script, seat, dollars);
    }
}

/// Gives a player money, and tells.
pub(crate) fn reward(lobby: &mut Lobby, script: &mut Script, seat: Seat, dollars: u32) {
    if lobby[seat].earn(dollars) {
        tell(lobby, script, seat, None);
    }
}

/// Sets everybody's money, and tells.
pub(crate) fn reset(lobby: &mut Lobby, script: &mut Script, dollars: u32) {
    for seat in lobby.seats() {
        lobby[seat].money = dollars;
        tell(lobby, script, seat, None);
    }
}

fn tell(lobby: &Lobby, script: &mut Script, seat: Seat, item: Option<&str>) {
    let fighter = &lobby[seat];
    script.say(MoneyChanged {
        player: fighter.account.clone(),
        money: fighter.money,
        item: item.map(Label::cut),
    });
}

/// How a team means to play a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// The first round of a half.
    Pistol,
    /// Save, so that the next round can be bought.
    Eco,
    /// Spend whatever there is.
    Force,
    /// Rifles, armour and grenades.
    Full,
}

/// What a team buys depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occasion {
    /// It is the first round of a half.
    pub(crate) is_pistol: bool,
    /// Money is worth nothing after it: the last round of a half, or match point.
    pub(crate) is_last: bool,
}

/// Both teams buy.
pub(crate) fn shop(lobby: &mut Lobby, script: &mut Script, rng: &mut SmallRng, on: Both<Occasion>) {
    for team in Team::BOTH {
        let plan = plan(lobby, rng, team, on[team]);
        for seat in lobby.of(team).collect::<Vec<_>>() {
            for item in wishes(lobby, rng, seat, plan) {
                if let Some(name) = lobby[seat].buy(item) {
                    script.wait(rng.random_range(60..160));
                    tell(lobby, script, seat, Some(&name));
                }
            }
        }
    }
}

fn plan(lobby: &Lobby, rng: &mut SmallRng, team: Team, on: Occasion) -> Plan {
    if on.is_pistol {
        return Plan::Pistol;
    }
    // A kept rifle counts as the money for one.
    let worth: u32 = lobby
        .of(team)
        .map(|seat| lobby[seat].money + lobby[seat].primary.map_or(0, |gun| gun.price))
        .sum();
    let side = lobby.of(team).next().map_or(Side::T, |seat| lobby[seat].side);
    let rifles = if side == Side::Ct { 4_400 } else { 4_000 };
    match worth / 5 {
        worth if worth >= rifles => Plan::Full,
        _ if on.is_last => Plan::Force,
        worth if worth >= 2_300 && rng.random_bool(0.4) => Plan::Force,
        _ => Plan::Eco,
    }
}

/// What a player would like, the most wanted first.
fn wishes(lobby: &Lobby, rng: &mut SmallRng, seat: Seat, plan: Plan) -> Vec<Item> {
    let fighter = &lobby[seat];
    let is_ct = fighter.side == Side::Ct;
    let fire = if is_ct { INCENDIARY } else { MOLOTOV };
    match plan {
        Plan::Pistol => match rng.random_range(0..10) {
            0..6 => vec![Item::Kevlar],
            6..8 if is_ct => vec![Item::Kit, FLASH, FLASH],
            _ => vec![Item::Pistol(&P250), SMOKE, FLASH],
        },
        Plan::Eco => match rng.random_range(0..10) {
            0..3 => vec![Item::Pistol(&P250)],
            3 => vec![FLASH],
            _ => Vec::new(),
        },
        Plan::Force => {
            let pistol = if is_ct { &FIVESEVEN } else { &TEC9 };
            let light = if is_ct { &MP9 } else { &MAC10 };
            let rifle = if is_ct { &FAMAS } else { &GALIL };
            let gun = match fighter.money {
                2_800.. => Item::Primary(rifle),
                2_400.. if fighter.is_sniper => Item::Primary(&SCOUT),
                1_700.. => Item::Primary(light),
                1_350.. => Item::Pistol(&DEAGLE),
                _ => Item::Pistol(pistol),
            };
            vec![gun, Item::Helmet, Item::Kevlar, FLASH, SMOKE, fire]
        }
        Plan::Full => {
            let rifle = if is_ct { &M4A1S } else { &AK47 };
            let spare = if is_ct { &FAMAS } else { &GALIL };
            let gun = match fighter.money {
                5_750.. if fighter.is_sniper => &AWP,
                money if money >= rifle.price + 650 => rifle,
                money if money >= spare.price + 650 => spare,
                _ if is_ct => &MP9,
                _ => &MAC10,
            };
            let mut list = vec![Item::Primary(gun), Item::Helmet, Item::Kevlar];
            if is_ct && rng.random_bool(0.6) {
                list.push(Item::Kit);
            }
            list.extend([SMOKE, FLASH, fire, FRAG, FLASH]);
            list
        }
    }
}
