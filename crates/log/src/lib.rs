//! The ordered log, the one truth that everything else is a view of.
//!
//! [`Log`] is the sequencer: it knows streams, duplicates, `seq` and chains. Under it lies a
//! [`Medium`], which only appends groups of records durably and reads them back; [`Memory`] is the
//! one for tests, and the segment files of `matchwire-embedded` the one for disks.

mod append;
mod clock;
mod defect;
mod error;
mod fingerprint;
mod lineage;
mod stats;

mod changes;
mod log;
mod queue;
mod sequencer;
mod streams;

pub mod medium;
mod memory;

mod view;

pub mod sweep;

pub mod tournaments;

pub mod view_store;

pub mod projection;
pub mod projections;

pub mod live;

pub mod calibration;

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;

pub use append::{Append, Entry, Outcome, Refused};
pub use changes::{Changed, Changes};
pub use clock::{Clock, ManualClock, SystemClock};
pub use defect::Defect;
pub use error::Error;
pub use fingerprint::Fingerprints;
pub use lineage::{Fork, Lineage};
pub use log::{Log, Options};
pub use medium::{Durability, Medium};
pub use memory::Memory;
pub use sequencer::Steps;
pub use stats::{Backlog, Committed, Observer, Stats};
pub use view::{By, Delays, MAX_DELAY, MAX_REPLAYED, Pace, Screen, Timetable, View};
