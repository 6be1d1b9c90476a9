//! The statistics of players over one map or several, with the rates that people compare.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{State, Tally};

/// Statistics over one map or several.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stats {
    /// Rounds that count, of all maps together.
    pub rounds: u16,
    /// Everyone who played a round, by player id.
    pub players: BTreeMap<String, PlayerStats>,
}

/// A player's statistics.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PlayerStats {
    /// The outside account, for those who may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The name, as it was last told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What was counted.
    #[serde(flatten)]
    pub tally: Tally,
    /// Average damage a round: health taken from enemies by rounds played, one decimal.
    pub adr: f64,
    /// The share of rounds with a kill, an assist, survival or an avenged death, 0 to 1, three decimals.
    pub kast: f64,
    /// Kills a round, two decimals.
    pub kpr: f64,
    /// The share of kills with a headshot, 0 to 1, three decimals.
    pub headshot_share: f64,
}

impl Stats {
    /// Over some maps of one match.
    pub fn of(maps: &[&State]) -> Self {
        let mut stats = Self { rounds: 0, players: BTreeMap::new() };
        for map in maps {
            let rounds = u16::try_from(map.rounds.len()).unwrap_or(u16::MAX);
            stats.rounds = stats.rounds.saturating_add(rounds);
            for (id, player) in map.players.iter().filter(|(_, player)| player.tally.rounds > 0) {
                let entry = stats.players.entry(id.clone()).or_default();
                entry.account = player.account.clone().or(entry.account.take());
                entry.name = player.name.shown().or(entry.name.take());
                entry.tally = entry.tally.plus(player.tally);
            }
        }
        for player in stats.players.values_mut() {
            player.rate();
        }
        stats
    }
}

impl PlayerStats {
    fn rate(&mut self) {
        let tally = self.tally;
        self.adr = ratio(tally.damage, tally.rounds.into(), 10.0);
        self.kast = ratio(tally.kast_rounds.into(), tally.rounds.into(), 1_000.0);
        self.kpr = ratio(tally.kills.into(), tally.rounds.into(), 100.0);
        self.headshot_share = ratio(tally.headshots.into(), tally.kills.into(), 1_000.0);
    }
}

/// A quotient, to so many parts; 0 if there is nothing to divide by.
fn ratio(of: u32, by: u32, parts: f64) -> f64 {
    if by == 0 {
        return 0.0;
    }
    (f64::from(of) / f64::from(by) * parts).round() / parts
}
