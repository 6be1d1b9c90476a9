//! How the last comparisons of what is stored of players with the log came out, as the gateway tells it.

use std::{sync::Arc, time::Duration};

use matchwire_domain::timestamp::Timestamp;

/// How the last comparisons came out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// When the last one came to its end; nothing if none has.
    pub succeeded: Option<Timestamp>,
    /// How long it took.
    pub took: Duration,
    /// How many players it has compared.
    pub players: u64,
    /// Of how many of them something is wrong.
    pub drifted_players: u64,
    /// How many matches and tournaments it has compared.
    pub sources: u64,
    /// Of how many of them something is wrong.
    pub drifted_sources: u64,
    /// How many of them it could not compare, as a part of their events is gone or damaged.
    pub partial_sources: u64,
    /// How many of them had events that the view had not seen.
    pub unsettled_sources: u64,
    /// How many rows were of nobody.
    pub stray_rows: u64,
    /// Whether the server compares by itself, once a day.
    pub is_daily: bool,
    /// How many comparisons did not come to their end.
    pub failures: u64,
    /// Whether the last one did not.
    pub is_failed: bool,
}

/// Tells how they came out.
pub type ReconcileWatch = Arc<dyn Fn() -> Reconciled + Send + Sync>;
