//! Simulated Counter-Strike 2: a best-of-three match from a seed, as the events that a server's feed
//! would give.
//!
//! What happens is invented and believable: two teams of unequal strength, buys that follow the
//! game's economy, duels, trades, plants and retakes, saves, time-outs and overtime. The same seed
//! gives the same bytes. Nothing here does I/O or knows the time of day: a [`Step`] has an offset,
//! and [`cloud_event_json`] puts it into an envelope at a moment that its caller gives.
//!
//! With the feature `log` there is also [`mod@log`], which is no match: it drives a log on a disk
//! that fails.

mod club;
mod series;
mod wire;

mod arsenal;
mod economy;
mod fight;
mod map;
mod roster;
mod round;
mod script;

#[cfg(feature = "log")]
pub mod log;

#[cfg(test)]
mod tests;

pub use club::past_json;
pub use script::Step;
pub use series::{DEFAULT_SEED, MapResult, PlayerResult, RoundResult, Series};
pub use wire::{SOURCE, cloud_event_json};
