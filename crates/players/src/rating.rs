//! How good players or teams are, by the matches that play has decided.
//!
//! ```text
//! Outcome ─► Bout ─► Ratings, by a System, in the order of results
//! ```
//!
//! Forfeits, byes, and matches that were cancelled or abandoned say nothing of how good anybody is, and
//! are no [`Bout`]. [`Ratings`] can be replayed from any bout on, since it keeps what everyone's rating was
//! before: a result that is late or corrected folds again from where it belongs. Another [`Formula`] is
//! tried on all of history by a [`Replay`], which says how well it has foreseen each bout.

mod bout;
mod formula;
mod ratings;
mod system;

mod foresight;

#[cfg(test)]
mod tests;

pub use bout::{Bout, Rated};
pub use foresight::{Foresight, Replay};
pub use formula::{Formula, Parameter, Unfit};
pub use ratings::Ratings;
pub use system::{NoSystem, Rating, System};
