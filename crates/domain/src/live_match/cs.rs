//! Counter-Strike 2 and CS:GO.
//!
//! [`Event`] is the vocabulary, [`State`] what it folds to, [`odds`] who will win. A feed's facts are
//! never refused for their meaning: [`State::apply`] is total, and what does not fit becomes an
//! anomaly.

mod event;

mod state;

mod fill;
mod fold;
mod metrics;
mod people;
mod reported;
mod rounds;

mod equipment;
mod rules;
mod stats;
mod tally;

pub mod odds;

#[cfg(test)]
mod tests;

pub use super::{
    Label, MatchPaused, MatchResumed, PauseReason, PersonName, Player, SourceGap, SourceLate,
    Status,
};
pub use equipment::Gear;
pub use event::*;
pub use people::TRADE_MS;
pub use state::*;
pub use stats::{PlayerStats, Stats};
pub use tally::Tally;
