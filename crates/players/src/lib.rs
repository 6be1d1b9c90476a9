//! What is counted of players, from their activities and from the outcomes of matches, and who may see what of it.
//!
//! ```text
//! activities ─► Statistics: totals, rates, streaks, head to head
//! outcomes   ─► Ratings: Glicko-2, OpenSkill
//! privacy    ─► Rights: what of all that somebody may see
//! ```
//!
//! What is counted is pure, and does not depend on the order in which anything arrives: results stand in the
//! order of the time at which their match ended, and then of the match's name. [`view`] keeps it in rows.

mod key;
mod stream;

pub mod statistics;

pub mod rating;

pub mod rights;

pub mod view;

pub mod preview;

pub use key::Key;
