//! A match map as it is played: Counter-Strike 2 and CS:GO.
//!
//! [`Event`] is the vocabulary, [`State`] what it folds to. A feed's facts are never refused for
//! their meaning: [`State::apply`] is total, and what does not fit becomes an anomaly.

mod event;

mod state;

mod fold;
mod people;
mod rounds;

mod equipment;

#[cfg(test)]
mod tests;

pub use event::*;
pub use people::TRADE_MS;
pub use state::*;
