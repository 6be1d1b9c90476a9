//! What a reconciliation has found.

use matchwire_domain::activity::{Deed, Kind};
use matchwire_log::view_store::Table;
use serde::Serialize;
use serde_json::Value;

use super::{Source, told};

/// How many matches, tournaments and players are told by name, of each at most.
pub const MAX_TOLD: usize = 100;
/// How many differences are told of each of them.
const MAX_DIFFERENCES: usize = 20;

/// What was compared, and what is not as it should be.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Up to which group of the log the view had seen everything.
    pub position: u64,
    /// How many players have activities.
    pub players: u64,
    /// How many activities they have.
    pub activities: u64,
    /// How many matches and tournaments are in the log.
    pub sources: u64,
    /// Of how many players something is wrong.
    pub drifted_players: u64,
    /// Of how many matches and tournaments.
    pub drifted_sources: u64,
    /// Of how many matches and tournaments it cannot be told, since events of them were removed for their age, or are damaged.
    pub partial_sources: u64,
    /// Of how many it cannot be told yet: they have events that the view has not seen.
    pub unsettled_sources: u64,
    /// How many rows are of nobody, as their keys make no sense.
    pub stray_rows: u64,
    /// What is wrong with matches and tournaments, at most [`MAX_TOLD`] of them.
    pub in_sources: Vec<SourceDrift>,
    /// What is wrong with what is counted of players, at most [`MAX_TOLD`] of them.
    pub in_players: Vec<PlayerDrift>,
}

/// What is wrong with a match or a tournament.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceDrift {
    /// Which.
    #[serde(flatten)]
    pub source: Source,
    /// Of whom, at most 20. If there are none, only what is noted beside activities is wrong.
    pub differences: Vec<Difference>,
}

/// An activity that is not stored as the log says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The player.
    pub player: String,
    /// What was done; empty if it cannot be read.
    pub kind: String,
    /// What stands, if anything does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored: Option<Deed>,
    /// What should stand, if anything should.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<Deed>,
    /// How often it is stated more than it is taken back.
    pub times: i64,
}

impl Difference {
    pub(super) fn new(
        player: &str,
        kind: &Kind,
        stored: Option<&Deed>,
        right: Option<&Deed>,
        times: i64,
    ) -> Self {
        let (player, kind) = (player.to_owned(), kind.to_string());
        Self { player, kind, stored: stored.cloned(), right: right.cloned(), times }
    }
}

/// What is wrong with what is counted of a player.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlayerDrift {
    /// The player.
    pub player: String,
    /// Rows, at most 20.
    pub rows: Vec<RowDrift>,
}

/// A row that is not what the stored activities come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowDrift {
    /// The table.
    pub table: &'static str,
    /// What it is of.
    pub of: String,
    /// What is stored, if anything is; `true` if a row has nothing in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored: Option<Value>,
    /// What should be, if anything should.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<Value>,
}

impl RowDrift {
    pub(super) fn new(
        table: Table,
        key: &[u8],
        stored: Option<&Vec<u8>>,
        right: Option<&Vec<u8>>,
    ) -> Self {
        let value = |row: &Vec<u8>| told::value(table, row);
        let (stored, right) = (stored.map(value), right.map(value));
        Self { table: table.name(), of: told::of(table, key), stored, right }
    }
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.drifted_players + self.drifted_sources + self.stray_rows == 0
    }

    /// The share of the players of whom something is wrong, or that of the matches and tournaments if that is more, 0 to 1.
    pub fn share(&self) -> f64 {
        let of_players = share(self.drifted_players, self.players);
        of_players.max(share(self.drifted_sources, self.sources))
    }

    pub(super) fn tell_source(&mut self, source: &Source, mut differences: Vec<Difference>) {
        self.drifted_sources += 1;
        if self.in_sources.len() < MAX_TOLD {
            differences.truncate(MAX_DIFFERENCES);
            self.in_sources.push(SourceDrift { source: source.clone(), differences });
        }
    }

    pub(super) fn tell_player(&mut self, player: &str, mut rows: Vec<RowDrift>) {
        if let Some(told) = self.in_players.iter_mut().find(|told| told.player == player) {
            told.rows.extend(rows);
            told.rows.truncate(MAX_DIFFERENCES);
        } else if self.in_players.len() < MAX_TOLD {
            rows.truncate(MAX_DIFFERENCES);
            self.in_players.push(PlayerDrift { player: player.into(), rows });
        }
    }
}

/// What share of so many something is wrong with. If nothing is left of what there was, it is all.
fn share(drifted: u64, of: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^52 of them")]
    let (drifted, of) = (drifted as f64, of as f64);
    (drifted / of.max(1.0)).min(1.0)
}
