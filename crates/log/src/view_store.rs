//! The seam under stored views: tables of rows, and the position in the log up to which they were computed.
//!
//! What a view means is its [`Projection`](crate::projection)'s business, and what a position says is its
//! runner's: here it is a text.

mod error;
mod keys;
mod memory;
mod schema;

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;

use std::sync::Arc;

pub use self::{
    error::Error,
    keys::{Keys, Order},
    memory::MemoryViews,
    schema::{Schema, Table},
};

/// The longest key of a row, in bytes.
pub const MAX_KEY_BYTES: usize = 1_024;
/// The largest value of a row, in bytes.
pub const MAX_VALUE_BYTES: usize = 1 << 20;
/// The longest position, in bytes.
pub const MAX_POSITION_BYTES: usize = 1_024;

/// Where views are stored: all of a server, each in as many versions as there are.
///
/// ```text
///   tournaments 1    ██████████ serves an older binary, if that comes back
///   tournaments 2    ██████████ serves           ← open, begin, commit, …
///                    ██████░░░░ is being built   ← build, begin, commit, …, finish: it serves
/// ```
///
/// # The contract
///
/// **Rows.** A view has the tables that its [`Schema`] names. A table has rows: a key and a value, both bytes,
/// in the order of the keys' bytes. There is nothing else: no types, no joins, no second index.
///
/// **Commits.** Rows change in a [`Transaction`] alone, and with them the view's position: all of it is stored
/// or nothing. A transaction [begins](StoredView::begin) from the position that its writer expects. If the view
/// has another one, somebody else has written: [`Error::Overtaken`], and nothing changes. So however many writers
/// there are, in one process or several, every part of the log is applied once. Of two that
/// begin at the same time one waits for the other's end, and is overtaken, or [`Error::Busy`] after some seconds.
///
/// **Durability.** A crash of the process loses nothing that was committed. A crash of the machine may lose the
/// last commits, rows and position together: what is left is the view as it was after an earlier commit, from
/// which its runner goes on. It costs time and nothing else, since the log is the truth.
///
/// **Reading.** A [`Snapshot`] is the view as it was after one commit, for as long as it is held. It waits for
/// no writer, and no writer waits for it. It may hold space that was freed since, so it is not to be held longer
/// than a request takes.
///
/// **Versions.** A view is stored once for each version of its schema. A version that is not there yet, or is to be
/// computed anew, is [built](Self::build) beside what serves, and serves after [`Build::finish`], which
/// is atomic: before it, and after a crash at any moment before it, what served goes on serving. Other versions
/// are not touched. A snapshot of what served before stays readable; who has it open meets [`Error::Gone`] at the
/// next change, and opens the view again.
///
/// **Removing.** A row that was deleted or replaced before a [purge](StoredView::purge) is nowhere in the view's
/// files any more. Views are removed by [`remove`](Self::remove) alone.
///
/// **Failure.** Whatever is damaged says [`Error::Damaged`] with the place, and never gives a row that was not
/// put. Damage that was met once is said by every later [`begin`](StoredView::begin) too, so that the view's
/// writer hears of what a reader has found. A damaged view is built anew. Which errors are worth a retry,
/// [`Error::is_retryable`] says; after any other one of a transaction nothing of it is stored.
pub trait ViewStore: Send + Sync + 'static {
    /// Every view that is stored, by name and version; what is being built comes after what serves. Damage is told of each by
    /// itself.
    fn list(&self) -> Result<Vec<Stored>, Error>;

    /// The view that serves this version, if one was finished. Tables of another name than the schema's are
    /// [`Error::Damaged`].
    fn open(&self, schema: &Schema) -> Result<Option<Arc<dyn StoredView>>, Error>;

    /// A view that is to serve this version once it is finished: without rows and position, or what was left of
    /// a build that was not finished, if its tables are the same and it is whole. There is one at a time: while
    /// somebody has it, it is [`Error::Busy`].
    fn build(&self, schema: &Schema, start: Start) -> Result<Box<dyn Build>, Error>;

    /// Removes a version of a view, what serves and what is being built; false if there was neither. It is
    /// [`Error::Busy`] while somebody builds it. Whoever serves it meets [`Error::Gone`] at the next change.
    fn remove(&self, name: &str, version: u32) -> Result<bool, Error>;
}

/// A view that is stored: all rows of one version.
pub trait StoredView: Send + Sync {
    /// The view as it is now, to be read.
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error>;

    /// The view as it is now, to be read by several threads: snapshots after one and the same commit, as many as are wanted. They
    /// are fewer, but never none, where a store cannot tell commits apart that come too quickly.
    fn snapshots(&self, count: usize) -> Result<Vec<Box<dyn Snapshot>>, Error>;

    /// Begins to change the view, which must be at the expected position; nothing is the position of a view that
    /// was never committed to.
    fn begin(&self, expected: Option<&str>) -> Result<Box<dyn Transaction + '_>, Error>;

    /// Makes rows that were deleted or replaced unreadable for whoever has the files. It may write the whole view anew,
    /// while nobody else can change it. It may be [`Error::Busy`] while snapshots are held; then some of it may
    /// remain, and the same call is to be made again.
    fn purge(&self) -> Result<(), Error>;

    /// What it takes.
    fn size(&self) -> Result<Size, Error>;
}

/// A view that is being built. Dropped without [`finish`](Self::finish) it stays as it is, for another
/// [`build`](ViewStore::build) to go on with.
pub trait Build: StoredView {
    /// Lets it serve in the place of what served until now, and gives it as [`ViewStore::open`] would. After an
    /// error it is what it was before, or serves.
    fn finish(self: Box<Self>) -> Result<Arc<dyn StoredView>, Error>;
}

/// A view as it was after one commit.
pub trait Snapshot: Send {
    /// Up to where the log was applied; nothing before the first commit.
    fn position(&self) -> Result<Option<String>, Error>;

    /// The value of a key.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// The first rows with these keys in an order, at most `limit`.
    fn range(
        &self,
        table: Table,
        keys: &Keys,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Row>, Error>;

    /// How many rows have these keys. It takes as long as it takes to walk over them.
    fn count(&self, table: Table, keys: &Keys) -> Result<u64, Error>;
}

/// A change of a view. It reads what it wrote itself. Dropped without a [`commit`](Self::commit) it changes nothing.
pub trait Transaction {
    /// The value of a key, as with [`Snapshot::get`].
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// The first rows with these keys, as with [`Snapshot::range`].
    fn range(
        &self,
        table: Table,
        keys: &Keys,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Row>, Error>;

    /// Sets the value of a key. [`Error::TooLarge`] beyond [`MAX_KEY_BYTES`] and [`MAX_VALUE_BYTES`].
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), Error>;

    /// Removes a key and its value, if it is there.
    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), Error>;

    /// Stores the changes, and that the view is at `position` now. [`Error::TooLarge`] beyond
    /// [`MAX_POSITION_BYTES`].
    fn commit(self: Box<Self>, position: &str) -> Result<(), Error>;
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its key.
    pub key: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
}

/// How a build begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With what an unfinished one has left.
    Resumed,
    /// With nothing; what was left is thrown away.
    Anew,
}

/// What a view takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Bytes on the disk, with what is needed to write.
    pub bytes: u64,
    /// Rows of all tables.
    pub rows: u64,
}

/// A version of a view that is in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The view.
    pub name: String,
    /// The version of its schema.
    pub version: u32,
    /// Whether it is being built, or was left so.
    pub is_building: bool,
    /// Up to where the log was applied, if anything was.
    pub position: Option<String>,
    /// What it takes; of one that cannot be read, its bytes.
    pub size: Size,
    /// Why it cannot be read, if it cannot.
    pub failure: Option<String>,
}
