//! The log under faults: one log on one disk, driven by a seed through appends, reads, maintenance,
//! kills, power failures and everything else that goes wrong, against a model of what it must say.
//!
//! ```text
//!   scenario ─► life: one operation after the other ─► report, or the failure
//!                │ appends by `supply`           ▲
//!                ▼                               │ compares
//!              process: Log, Steps, Segments ── model
//!                │
//!              Faulty, the disk that fails, and Shelf, the archive that does
//! ```
//!
//! Everything happens on one thread, in the order that the seed gives: a call of `append` waits in
//! the queue until the life steps the writer. So the same seed is the same run, to the last byte on
//! the disk.

mod scenario;
mod supply;

mod medium;
mod model;
mod process;
mod shelf;

mod audit;
mod decay;
mod life;
mod old_age;
mod recovery;
mod settle;

mod trace;

use std::panic::{AssertUnwindSafe, catch_unwind};

use matchwire_domain::chain::Digest;
pub use matchwire_embedded::disk::Met;
pub use matchwire_log::Defect;

use life::Life;
pub use trace::Trace;

/// What a run is to have beside its seed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// A defect that the log has on purpose.
    pub defect: Option<Defect>,
    /// Whether to compute [`Report::digest`], which takes time.
    pub digest: bool,
}

/// What happened in a run that went well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Operations that were carried out.
    pub operations: u64,
    /// How often the log was opened.
    pub opens: u64,
    /// Events that were appended and acknowledged.
    pub appended: u64,
    /// Events that were duplicates.
    pub duplicates: u64,
    /// Appends that required another head than there was.
    pub conflicts: u64,
    /// Calls whose outcome was not known.
    pub unknown: u64,
    /// Pieces of background work that were done.
    pub maintained: u64,
    /// Files that were trimmed or archived.
    pub aged: u64,
    /// Answers that told of damage, while there was some.
    pub damaged: u64,
    /// Faults of the disk that came up.
    pub met: Met,
    /// A hash over every answer, and over all files at each opening.
    pub digest: Option<Digest>,
}

impl Report {
    /// Adds the numbers of another run.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.operations, other.operations),
            (&mut self.opens, other.opens),
            (&mut self.appended, other.appended),
            (&mut self.duplicates, other.duplicates),
            (&mut self.conflicts, other.conflicts),
            (&mut self.unknown, other.unknown),
            (&mut self.maintained, other.maintained),
            (&mut self.aged, other.aged),
            (&mut self.damaged, other.damaged),
            (&mut self.met.crashes, other.met.crashes),
            (&mut self.met.kills, other.met.kills),
            (&mut self.met.reads, other.met.reads),
            (&mut self.met.writes, other.met.writes),
            (&mut self.met.syncs, other.met.syncs),
            (&mut self.met.full, other.met.full),
            (&mut self.met.flips, other.met.flips),
        ];
        for (sum, more) in pairs {
            *sum += more;
        }
    }
}

/// The log has broken a promise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("seed {seed}: {what}")]
pub struct Failure {
    /// The seed of the run.
    pub seed: u64,
    /// Which promise, and where.
    pub what: String,
}

/// Lives one life of a log. A panic is a failure, too.
pub fn run(seed: u64, settings: Settings, trace: Trace<'_>) -> Result<Report, Failure> {
    let life = AssertUnwindSafe(|| Life::new(seed, settings, trace).live());
    let lived = Defect::during(settings.defect, || catch_unwind(life));
    let lived = lived.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("panic: {}", text.unwrap_or("without a text")))
    });
    lived.map_err(|what| Failure { seed, what })
}
