//! How good predictions were: each one that was made while its outcome was open is scored against it.
//!
//! [`Moment`] is what was predicted at an event, [`score`] compares the moments of a map with what came
//! of them, and [`Tally`] is the sum of such comparisons, from which the figures come. Sums are of whole
//! numbers, so that what was added can be taken away again, and the order does not matter. Which maps
//! are scored and when is left to `matchwire_log::calibration`.

mod moment;
mod tally;
#[cfg(test)]
mod tests;

pub use moment::{Moment, score};
pub use tally::{BINS, Bin, Side, Tally};

use std::{borrow::Cow, collections::BTreeMap};

use crate::live_match::Target;

/// What is scored together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The game.
    pub game: Cow<'static, str>,
    /// The model that predicted.
    pub model: &'static str,
    /// What it predicted.
    pub target: Target,
    /// Whether nobody was told.
    pub shadow: bool,
}

/// What the predictions of a map, or of many, came to.
pub type Scores = BTreeMap<Key, Tally>;
