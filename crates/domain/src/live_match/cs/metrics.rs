//! What is derived from the play of a round: openings, trades, clutches, KAST, what a team carried.
//!
//! All of it is counted for the round that is on, so that it comes and goes with the round when play is
//! void or restored.

use super::{
    Buy, Clutch, Economy, Gear, Phase, PlayerEquipped, PlayerKilled, Role, Side, State, TRADE_MS,
    Tally, equipment, people::add,
};
use crate::timestamp::Timestamp;

/// How long one can buy after a round's start, in milliseconds: the game's `mp_buytime` unless a server sets
/// another one.
const BUY_MS: i64 = 20_000;

/// So many kills in a round are an ace.
const ACE: u16 = 5;

/// Whether a weapon is a grenade that hurts, or the fire it leaves; being hit by a can does not count, as it
/// does not in the server's own table.
pub(super) fn is_utility(weapon: &str) -> bool {
    matches!(weapon, "hegrenade" | "inferno" | "firebomb")
}

/// Whether a player had a part in a round: the K, A, S and T of KAST.
fn has_part(round: &Tally) -> bool {
    round.kills > 0 || round.assists > 0 || round.deaths == 0 || round.traded_deaths > 0
}

impl State {
    /// Marks the kills that one avenges: those of teammates by the victim, not long ago. Answers whether
    /// there are any.
    pub(super) fn avenge(&mut self, killed: &PlayerKilled, time: Timestamp) -> bool {
        let is_avenged = |earlier: &super::Kill| {
            earlier.killer == **killed.victim
                && !earlier.team_kill
                && (0..=TRADE_MS).contains(&(time.ms() - earlier.time.ms()))
                && earlier.victim != **killed.killer
        };
        let mut avenged = Vec::new();
        let mut is_trade = false;
        for kill in self.kills.values_mut().filter(|kill| is_avenged(kill)) {
            is_trade = true;
            if !std::mem::replace(&mut kill.traded, true) {
                avenged.push(kill.victim.clone());
            }
        }
        for victim in avenged {
            self.count(&victim, |tally| add(&mut tally.traded_deaths, true));
        }
        is_trade
    }

    /// Whether a kill now is the first one of the round.
    pub(super) fn opens_round(&self) -> bool {
        matches!(self.phase, Phase::Round | Phase::Waiting)
            && self.kills.values().all(|kill| kill.team_kill)
    }

    /// Notes who is left alone against one or more, of a side that was more than one.
    pub(super) fn note_clutches(&mut self) {
        if self.phase != Phase::Round {
            return;
        }
        for (place, side) in [Side::Ct, Side::T].into_iter().enumerate() {
            let against = self.alive(side.other());
            if self.alive(side) != 1 || against == 0 || self.on_side(side).nth(1).is_none() {
                continue;
            }
            let is_last = |player: &super::PlayerState| {
                player.alive && player.side == Some(side) && player.role == Role::Player
            };
            let last = self.players.iter().find(|(_, player)| is_last(player));
            let last = last.map(|(id, _)| (id.clone(), u16::try_from(against).unwrap_or(u16::MAX)));
            if let Some(clutch) = self.ledger.clutches.get_mut(place) {
                *clutch = clutch.take().or(last);
            }
        }
    }

    /// The clutches of the round that a side has just won.
    pub(super) fn clutches(&self, winner: Side) -> Vec<Clutch> {
        let sides = [Side::Ct, Side::T].into_iter().zip(&self.ledger.clutches);
        let clutch = |(side, clutch): (Side, &Option<(String, u16)>)| {
            let (player, against) = clutch.clone()?;
            Some(Clutch { player, against, won: side == winner })
        };
        sides.filter_map(clutch).collect()
    }

    /// What the teams carried in the round of that number, in their order; `None` if nobody told.
    pub(super) fn economy(&self, number: u16) -> Option<[Economy; 2]> {
        let carried = |side: Side| {
            let told = self.on_side(side).filter_map(|player| player.equipment);
            told.fold(None, |sum: Option<u32>, one| Some(sum.unwrap_or(0).saturating_add(one)))
        };
        let is_pistol = number == 1 || Some(number) == (self.max_rounds / 2).checked_add(1);
        let economy = |equipment: u32| Economy {
            equipment,
            buy: match equipment {
                _ if is_pistol => Buy::Pistol,
                0..5_000 => Buy::Eco,
                5_000..10_000 => Buy::SemiEco,
                10_000..20_000 => Buy::SemiBuy,
                _ => Buy::Full,
            },
        };
        let [first, second] = &self.teams;
        Some([economy(carried(first.side)?), economy(carried(second.side)?)])
    }

    /// After what is done between a round's end and the next one: who dies by the bomb when it goes off
    /// has not survived the round.
    pub(super) fn reassess(&mut self) {
        if self.phase != Phase::RoundOver {
            return;
        }
        let Some(round) = self.ledger.tallies.get_mut(&self.ledger.round) else { return };
        for tally in round.values_mut().filter(|tally| tally.rounds > 0) {
            tally.kast_rounds = u16::from(has_part(tally));
            tally.multi_kills = u16::from(tally.kills >= 2);
            tally.aces = u16::from(tally.kills >= ACE);
        }
        self.total_up();
    }

    /// A player carries things out of the buy zone. What was bought is known when that is first told in a
    /// round, or as long as one can buy; who comes through the zone later carries what was found, and who
    /// dies in it nothing.
    pub(super) fn equip(&mut self, equipped: &PlayerEquipped, time: Timestamp) {
        let id: &str = &equipped.player;
        let is_time = match (self.phase, self.round_started) {
            (Phase::Round, Some(started)) => time.ms() - started.ms() <= BUY_MS,
            (phase, _) => phase != Phase::RoundOver,
        };
        let is_first = !self.ledger.equipped.contains(id) && self.phase != Phase::RoundOver;
        let in_round = self.phase == Phase::Round;
        let Some(player) = self.person(id) else { return };
        if in_round && player.side.is_some() && !player.alive {
            return;
        }
        player.gear = Some(Gear::of(&equipped.items));
        if is_time || is_first {
            player.equipment = Some(equipment::value(&equipped.items));
            self.ledger.equipped.insert(id.into());
        }
    }

    /// At the end of a round: what counts once for a round.
    pub(super) fn close_accounts(&mut self, clutches: &[Clutch]) {
        let done = self.ledger.tallies.get(&self.ledger.round).cloned().unwrap_or_default();
        let took_part = |id: &String, player: &super::PlayerState| {
            let plays = player.side.is_some() && player.role == Role::Player;
            plays && (player.connected || done.contains_key(id))
        };
        let ids: Vec<String> = self
            .players
            .iter()
            .filter(|(id, player)| took_part(id, player))
            .map(|(id, _)| id.clone())
            .collect();
        for id in ids {
            let round = done.get(&id).copied().unwrap_or_default();
            let clutch = clutches.iter().find(|clutch| clutch.player == id);
            self.count(&id, |tally| {
                add(&mut tally.rounds, true);
                add(&mut tally.kast_rounds, has_part(&round));
                add(&mut tally.multi_kills, round.kills >= 2);
                add(&mut tally.aces, round.kills >= ACE);
                add(&mut tally.clutches, clutch.is_some());
                add(&mut tally.clutches_won, clutch.is_some_and(|clutch| clutch.won));
            });
        }
    }
}
