//! How good players or teams are, by the matches that play has decided.
//!
//! ```text
//! Outcome ─► Bout ─► Ratings, by a System, in the order of results
//! ```
//!
//! Forfeits, byes, and matches that were cancelled or abandoned say nothing of how good anybody is, and
//! are no [`Bout`]. [`Ratings`] can be replayed from any bout on, since it keeps what everyone's rating was
//! before: a result that is late or corrected folds again from where it belongs, and another [`System`] is
//! tried on all of history by folding the same bouts with it.

mod bout;
mod ratings;
mod system;

#[cfg(test)]
mod tests;

pub use bout::{Bout, Rated};
pub use ratings::Ratings;
pub use system::{Rating, System};
