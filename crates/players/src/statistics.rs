//! What is counted of a player within a scope: totals and rates, streaks, head to head.
//!
//! [`Tally`] and [`Versus`] are sums, which an activity or its reversal changes in constant time, in any
//! order of arrival. [`Streaks`] need the order of results: the newest one costs constant time, and one
//! that is late or taken back folds again only that player's results of that scope. [`Statistics`] holds
//! them together in memory; a view that has them on disk does with rows what it does with maps.

mod scope;

mod streaks;
mod tally;

mod record;

#[cfg(test)]
mod tests;

pub use record::{Record, Statistics};
pub use scope::{Format, Reach, Scope, Span};
pub use streaks::{Late, Run, Streaks, Verdict};
pub use tally::{Tally, Versus};
