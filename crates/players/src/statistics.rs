//! What is counted of a player within a split: totals and rates, streaks, head to head.
//!
//! [`Tally`] and [`Versus`] are sums, which an activity or its reversal changes in constant time, in any
//! order of arrival. [`Streaks`] need the order of results: the newest one costs constant time, and one
//! that is late or taken back folds again only that player's results of that split. [`Statistics`] holds
//! them together in memory; a view that has them on disk does with rows what it does with maps.

mod split;

mod streaks;
mod tally;

mod record;

#[cfg(test)]
mod tests;

pub use record::{Record, Statistics};
pub use split::{Format, Reach, Span, Split};
pub use streaks::{Late, Run, Streaks, Verdict};
pub use tally::{Tally, Versus};
