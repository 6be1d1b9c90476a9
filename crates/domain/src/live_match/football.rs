//! Association football, by the Laws of the Game 2024/25 of the IFAB (cited as Law n).
//!
//! [`Event`] is the vocabulary, [`State`] what it folds to, [`odds`] who will win. A feed's facts are
//! never refused for their meaning: the fold is total, and what does not fit becomes an anomaly.

mod clock;
mod event;

mod state;

mod fold;
mod goals;
mod people;
mod shootout;

mod rules;
mod stats;

pub mod odds;

#[cfg(test)]
mod tests;

pub use super::{Label, Player, Status, TeamIndex};
pub use clock::*;
pub use event::*;
pub use state::*;
pub use stats::{PlayerStats, Stats, TeamStats};
