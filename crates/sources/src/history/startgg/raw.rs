//! What stands in the files of a bracket.

use std::num::NonZeroU32;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// The state of a set that is complete.
pub(super) const COMPLETE: i64 = 3;

#[derive(Deserialize)]
pub(super) struct Attr {
    pub(super) event_id: u64,
    #[serde(default)]
    pub(super) tournament_name: String,
    #[serde(default)]
    pub(super) event_name: String,
    /// When it begins, in seconds since 1970.
    #[serde(default)]
    pub(super) timestamp: Option<i64>,
    #[serde(default)]
    pub(super) status: Option<String>,
}

/// A file that lists something.
#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) data: Vec<Value>,
}

#[derive(Deserialize)]
pub(super) struct Seed {
    pub(super) user_id: u64,
}

#[derive(Deserialize)]
pub(super) struct Placed {
    pub(super) user_id: u64,
    pub(super) placement: NonZeroU32,
}

/// A set, which is a match. Users without an account have no id.
#[derive(Deserialize)]
pub(super) struct Set {
    pub(super) winner_id: Option<u64>,
    pub(super) loser_id: Option<u64>,
    #[serde(default)]
    winner_score: Option<i64>,
    #[serde(default)]
    pub(super) loser_score: Option<i64>,
    #[serde(default)]
    pub(super) round_text: String,
    /// Of the winners above nought, of the losers below.
    #[serde(default)]
    pub(super) round: i64,
    #[serde(default)]
    pub(super) phase: Option<String>,
    /// Which wave of pools it is in, if it is in a pool.
    #[serde(default)]
    pub(super) wave: Option<String>,
    #[serde(default)]
    pub(super) dq: bool,
    #[serde(default)]
    pub(super) cancel: bool,
    #[serde(default)]
    pub(super) state: Option<i64>,
}

impl Set {
    /// The games won by the winner and by the loser.
    pub(super) fn score(&self) -> Option<[u16; 2]> {
        let [winner, loser] =
            [self.winner_score?, self.loser_score?].map(|score| u16::try_from(score).ok());
        Some([winner?, loser?])
    }
}

/// An entry of a list, if it can be read.
pub(super) fn entry<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}
