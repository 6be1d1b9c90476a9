//! The engines of a single server: the log's medium, segment files with group commit, and views in `SQLite`.
//!
//! [`Segments`] is the medium. Groups are written to a segment in order of arrival ([`mod@format`]);
//! a full one is sealed: written again by stream, compressed, with its indexes. What recovery does
//! is described in [`recovery`]; what becomes of events as they grow old, in [`Lifecycle`]. Streams, numbers and duplicates are the business of `matchwire-log`
//! above it. [`SqliteViews`] is the store of views.

pub mod disk;

pub mod format;
mod identity;
mod scan;
mod window;

mod fetch;
mod index;
mod segment;

mod sealed;

pub mod archive;

mod history;
mod keeper;
mod lifecycle;
pub mod recovery;
mod retention;
mod scrub;
mod segments;
mod storage;
mod writer;

mod export;
mod frozen;
mod stats;
mod verify;

mod views;

pub mod copy;
pub mod restore;

mod clipped;
mod loss;
mod repair;
mod replacement;

pub use export::Export;
pub use history::Hole;
pub use identity::Identity;
pub use keeper::give_way;
pub use lifecycle::Lifecycle;
pub use loss::{AcceptedLoss, LostEvents, accept_loss, accept_loss_on};
pub use recovery::Recovery;
pub use repair::{Repaired, repair, repair_on};
pub use retention::{Retention, Rule, RuleError};
pub use scrub::ScrubStats;
pub use segments::{Options, Segments};
pub use stats::{Files, Stats, stats, stats_on};
pub use storage::{Monitor, Storage};
pub use verify::{Progress, Spot, Verified, verify, verify_on};
pub use views::SqliteViews;

#[cfg(test)]
mod tests;
