//! Who will win, as it is served.

use serde::Serialize;

/// The probability of winning, per team, as of an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// The event it belongs to.
    pub seq: u64,
    /// The round it was made in, where the game has rounds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round_no: Option<u16>,
    /// The model that made it.
    pub model: &'static str,
    /// P(team wins the round), in the order of teams; sums to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<[f64; 2]>,
    /// P(team wins the map), in the order of teams; sums to 1, with `draw` where there is one.
    pub map: [f64; 2],
    /// P(nobody wins), where a draw stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draw: Option<f64>,
}

/// The last prediction that there is, as a state has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Latest {
    /// The prediction, as it was made.
    #[serde(flatten)]
    pub prediction: Prediction,
    /// Whether play has gone on since and its model could not be asked. Left out while it has not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
}

impl From<Prediction> for Latest {
    fn from(prediction: Prediction) -> Self {
        Self { prediction, stale: false }
    }
}

const MILLION: f64 = 1e6;

/// Both teams' probabilities from the first one's, in millionths, so that the pair sums to 1 as it
/// is written.
pub(crate) fn both(first: f64) -> [f64; 2] {
    let millionths = (first * MILLION).round();
    [millionths / MILLION, (MILLION - millionths) / MILLION]
}
