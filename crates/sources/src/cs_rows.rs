//! Rows of snapshots of Counter-Strike rounds, as a table of `ct_*` and `t_*` columns: one row is one
//! moment of a round, and the rows of a match stand one after the other.
//!
//! Any column may be missing, and any cell empty: that is then not known. [`Columns`] finds the columns
//! and reads a row; [`Follower`] sees from the rows themselves where a match and a round begin, and keeps
//! what the rows above tell. The winner of the round is never read. CSV itself is left to the caller.

mod columns;
mod follower;
#[cfg(test)]
mod tests;

pub use columns::{BadCell, Columns, Row};
pub use follower::Follower;
