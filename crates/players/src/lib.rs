//! What is counted of players, from their activities and from the outcomes of matches.
//!
//! ```text
//! activities ─► Statistics: totals, rates, streaks, head to head
//! outcomes   ─► Ratings: Glicko-2, OpenSkill
//! ```
//!
//! What is counted is pure, and does not depend on the order in which anything arrives: results stand in the
//! order of the time at which their match ended, and then of the match's name. [`view`] keeps it in rows.

mod key;

pub mod statistics;

pub mod rating;

pub mod view;

pub use key::Key;
