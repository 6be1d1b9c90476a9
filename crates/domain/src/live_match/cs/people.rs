//! People: who is here, who is alive, and what each did.

use super::{
    Cause, Gear, Kill, MAX_PLAYERS, Phase, PlayerAssisted, PlayerDied, PlayerHurt, PlayerJoined,
    PlayerKilled, PlayerState, Role, RoundStats, Side, State, Tally, metrics,
};
use crate::{live_match::ShownName, timestamp::Timestamp};

/// A kill avenges a teammate if it follows within this time. (The 5 seconds that HLTV's and
/// Leetify's definitions of a traded death share.)
pub const TRADE_MS: i64 = 5_000;

/// How many kills a round lists; ten players cannot die more often.
const MAX_KILLS: usize = 64;

impl State {
    /// The person, made known if need be; `None` where there are too many already.
    pub(super) fn person(&mut self, id: &str) -> Option<&mut PlayerState> {
        if !self.players.contains_key(id) {
            if self.players.len() >= MAX_PLAYERS {
                self.course.note_anomaly(
                    "too_many_players",
                    format!("{id} is not counted: {MAX_PLAYERS} people are known already"),
                );
                return None;
            }
            self.players
                .insert(id.into(), PlayerState { connected: true, ..PlayerState::default() });
        }
        self.players.get_mut(id)
    }

    pub(super) fn join(&mut self, joined: &PlayerJoined) {
        // Who was not even seen to connect was there before the feed was.
        let spawns = matches!(self.phase, Phase::Waiting | Phase::WarmUp | Phase::FreezeTime)
            || !self.players.contains_key(&**joined.player);
        let team = joined.side.map(|side| self.team_on(side));
        // A server also moves those off their side who have left it.
        let leaves = joined.side.is_none() && joined.role.is_player();
        if leaves && !self.players.get(&**joined.player).is_some_and(|player| player.connected) {
            return;
        }
        let Some(player) = self.person(&joined.player) else { return };
        player.name = ShownName::of(&joined.name);
        player.role = joined.role;
        player.connected = true;
        let playing = joined.role == Role::Player;
        let moved = player.side != joined.side;
        player.side = joined.side;
        if !playing {
            player.alive = false;
            player.team = team.filter(|_| joined.role == Role::Coach);
        } else if joined.side.is_some() {
            player.team = player.team.or(team);
            if spawns {
                player.alive = true;
                player.health = 100;
            } else if moved {
                player.alive = false;
            }
        } else {
            player.alive = false;
        }
    }

    pub(super) fn leave(&mut self, id: &str) {
        if let Some(player) = self.players.get_mut(id) {
            player.connected = false;
            player.alive = false;
        }
        self.note_clutches();
    }

    /// Everyone who plays is alive and well. Those who died have lost what they carried.
    pub(super) fn revive(&mut self) {
        for player in self.players.values_mut() {
            if !player.alive {
                player.equipment = player.equipment.map(|_| 0);
                player.gear = player.gear.map(|_| Gear::default());
            }
            player.alive = player.connected && player.side.is_some() && player.role.is_player();
            player.health = if player.alive { 100 } else { 0 };
        }
    }

    pub(super) fn kill(&mut self, killed: &PlayerKilled, time: Timestamp) {
        if killed.killer == killed.victim {
            let player = killed.victim.clone();
            return self.die(&PlayerDied { player, cause: Cause::Suicide });
        }
        self.fall(&killed.victim);
        if self.person(&killed.killer).is_none() {
            return;
        }
        let own = self.side_of(&killed.killer);
        let team_kill = own.is_some() && own == self.side_of(&killed.victim);
        let trade = !team_kill && self.avenge(killed, time);
        let opening = !team_kill && self.opens_round();
        self.count(&killed.killer, |tally| {
            if team_kill {
                return add(&mut tally.team_kills, true);
            }
            add(&mut tally.kills, true);
            add(&mut tally.headshots, killed.headshot);
            add(&mut tally.trades, trade);
            add(&mut tally.opening_kills, opening);
        });
        self.count(&killed.victim, |tally| add(&mut tally.opening_deaths, opening));
        if self.kills.len() < MAX_KILLS {
            let kill = Kill {
                killer: killed.killer.to_string(),
                victim: killed.victim.to_string(),
                weapon: killed.weapon.to_string(),
                headshot: killed.headshot,
                trade,
                traded: false,
                opening,
                team_kill,
                assister: None,
                flash_assister: None,
                time,
            };
            let number = u16::try_from(self.kills.len()).unwrap_or(u16::MAX);
            self.kills.insert(number.saturating_add(1), kill);
        }
    }

    pub(super) fn die(&mut self, died: &PlayerDied) {
        self.fall(&died.player);
    }

    /// A player dies, by whatever hand.
    fn fall(&mut self, id: &str) {
        let Some(player) = self.person(id) else { return };
        player.alive = false;
        player.health = 0;
        self.count(id, |tally| add(&mut tally.deaths, true));
        self.note_clutches();
        if self.phase == Phase::Round && self.kills.values().any(|kill| kill.victim == id) {
            self.course.note_anomaly("dead_player", format!("{id} dies and was dead already"));
        }
    }

    pub(super) fn assist(&mut self, assisted: &PlayerAssisted) {
        let kill = self.kills.values_mut().rev().find(|kill| kill.victim == **assisted.victim);
        if let Some(kill) = kill {
            let place = if assisted.flash { &mut kill.flash_assister } else { &mut kill.assister };
            *place = Some(assisted.assister.to_string());
        }
        let own = self.side_of(&assisted.assister);
        let friend = own.is_some() && own == self.side_of(&assisted.victim);
        if !friend && self.person(&assisted.assister).is_some() {
            self.count(&assisted.assister, |tally| {
                add(&mut tally.assists, true);
                add(&mut tally.flash_assists, assisted.flash);
            });
        }
    }

    pub(super) fn hurt(&mut self, hurt: &PlayerHurt) {
        let own = self.side_of(&hurt.attacker);
        let friend = own.is_some() && own == self.side_of(&hurt.victim);
        let Some(victim) = self.person(&hurt.victim) else { return };
        // Health is what the server counts by: damage is cut to whole points, so a hit may take one more
        // than it says, and the last one takes no more than there was. Where more is gone, nobody told of
        // a fall, and the hit took what it says.
        let lost = victim.health.saturating_sub(hurt.health);
        let is_whole = lost <= hurt.damage.saturating_add(1);
        let taken = if is_whole { lost } else { hurt.damage };
        victim.health = hurt.health.min(100);
        if let Some(gear) = &mut victim.gear {
            gear.set_armor(hurt.armor);
        }
        // Where it is known it is kept up to date.
        victim.armor = victim.armor.map(|_| hurt.armor.min(100));
        self.ledger.health_told = true;
        if !friend && self.person(&hurt.attacker).is_some() {
            let taken = u32::from(taken);
            let by_utility = if metrics::is_utility(&hurt.weapon) { taken } else { 0 };
            self.count(&hurt.attacker, |tally| {
                tally.damage = tally.damage.saturating_add(taken);
                tally.utility_damage = tally.utility_damage.saturating_add(by_utility);
            });
        }
    }

    /// Takes from the server's own table what no other event tells, and compares the rest where
    /// the table is of the same play: a server that restarts has set its own to nought already.
    pub(super) fn compare(&mut self, stats: &RoundStats) {
        let same_play = stats.score == self.score();
        for row in stats.players.iter() {
            let Some(player) = self.person(&row.player) else { return };
            player.money = Some(row.money);
            let Tally { kills, deaths, assists, .. } = player.tally;
            if same_play && (kills, deaths, assists) != (row.kills, row.deaths, row.assists) {
                let detail = format!(
                    "{} has {kills}/{deaths}/{assists} kills/deaths/assists here and {}/{}/{} in \
                     the server's table",
                    *row.player, row.kills, row.deaths, row.assists
                );
                self.course.note_anomaly("stats_mismatch", detail);
            }
        }
    }

    pub(super) fn side_of(&self, id: &str) -> Option<Side> {
        self.players.get(id).and_then(|player| player.side)
    }

    /// Counts something for a player, in the round that is on.
    pub(super) fn count(&mut self, id: &str, done: impl Fn(&mut Tally)) {
        let round = self.ledger.tallies.entry(self.ledger.round).or_default();
        done(round.entry(id.into()).or_default());
        if self.ledger.reported.contains_key(id) {
            self.total_up();
        } else if let Some(player) = self.players.get_mut(id) {
            done(&mut player.tally);
        }
    }
}

/// Counts one more, if it is one; a feed may say what it likes as often as it likes.
pub(super) fn add(count: &mut u16, one: bool) {
    *count = count.saturating_add(u16::from(one));
}
