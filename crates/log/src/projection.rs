//! Stored views: how each is computed from the log, and what computes it.
//!
//! ```text
//!   log ──sweep──► Projection::apply ──rows + position──► StoredView ──snapshot──► Reader
//!         (windows)      one transaction a batch
//! ```
//!
//! A [`Projection`] says what a view is made of. A [`Runner`] drives it, on a thread of its own: it applies what
//! comes, in batches; it builds a version that is not there yet, that was damaged, or that has seen what is no part of the
//! log any more; and it goes on with every build that it finds unfinished, which is how a rebuild is asked for. A [`Reader`]
//! reads the view, and tells how far it is.

mod batch;
mod follower;
mod position;
mod reader;
mod rounds;
mod runner;
mod status;
#[cfg(test)]
mod tests;

use matchwire_domain::{
    envelope::Recorded,
    subject::{Pattern, Subject},
};

pub use self::{
    position::Position,
    reader::{Reader, Unready},
    runner::{Options, Runner},
    status::{Building, Status},
};
use crate::view_store::{Error, Schema, Snapshot, Transaction};

/// How a stored view is computed.
///
/// # The contract
///
/// **Pure.** [`apply`](Self::apply) is a function of the rows and the events: no clock, no randomness, nothing from
/// anywhere else. The same events give the same rows.
///
/// **Order.** A stream's events come in order, without a gap, and each once, but for those that retention has removed
/// and for what is damaged or lost. Between streams there is no order, and it is another one when the view is built anew; so
/// rows that are made of several streams must come out the same in any order. How many events come in one call, and
/// how many calls make a transaction, differs as well.
///
/// **Finishing.** What is better done once for many events is left to [`finish`](Self::finish), which comes before each commit.
///
/// **Settling.** What an event makes necessary may be more than a batch should have. Then the rows themselves say what is left to be
/// done, and [`settle`](Self::settle) does a part of it. It is called again and again once the view has seen what there is,
/// with whatever rows are stored then; a build that has seen all there is serves once nothing is left.
///
/// **Removing.** Some rows are removed so that nobody finds them any more, in no free page of a file either, as those of a person
/// who is forgotten. [`removals`](Self::removals) tells how often that was, from the rows. A build reads such rows' events before
/// it reads that they are to go; so it is purged before it serves.
///
/// **Versions.** Whoever changes what the rows are, or the tables, counts the schema's version up: the view is
/// built anew beside the old one.
pub trait Projection: Send + Sync + 'static {
    /// The view's name, version and tables.
    fn schema(&self) -> Schema;

    /// The streams of which the view is made. To be made of others is another version.
    fn scope(&self) -> Vec<Pattern>;

    /// Takes the next events of a stream, at least one, into the rows. An error is the transaction's own, handed on.
    fn apply(
        &self,
        rows: &mut dyn Transaction,
        subject: &Subject,
        events: &[Recorded],
    ) -> Result<(), Error>;

    /// Does what was left to the end of a transaction; called once before each is committed, behind what it has applied.
    fn finish(&self, rows: &mut dyn Transaction) -> Result<(), Error>;

    /// Does a part of what the rows say is left to be done, and tells whether nothing is left. A part is less than a batch.
    fn settle(&self, rows: &mut dyn Transaction) -> Result<bool, Error>;

    /// How often rows were removed of which nothing may be left in the view's files. It never becomes less.
    fn removals(&self, view: &dyn Snapshot) -> Result<u64, Error>;
}
