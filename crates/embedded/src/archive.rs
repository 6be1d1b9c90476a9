//! The seam to where sealed files go when they are old: objects of rows in groups, on some store that
//! is slower and cheaper than the log's own disk.
//!
//! What stays here of such a file is everything but its events: the table of streams, the ids, the
//! filters, and of each group the heads of its chunks with their chains. So an archived stream's head
//! and its duplicates are known without the store, and whatever comes back from there is proven by
//! the chain.

use std::sync::Arc;

use matchwire_domain::{chain::Digest, timestamp::Timestamp};
use matchwire_log::Error;

/// Keeps objects for a log.
///
/// # The contract
///
/// An object is written once, under a name that is not used again for another content. When
/// [`write`](Self::write) returns `Ok` it is as durable as the store makes it, and can be read by
/// every later process. After an error nothing is relied on; what was begun may stay, and is written
/// over when the same name is written again.
///
/// [`read`](Self::read) gives exactly the rows of a group, in order, or an error: [`Error::Away`]
/// where the store cannot be reached or says no, which may be tried again, and [`Error::Corrupt`]
/// with the object's name where the object is missing or is not what was written. Rows are not
/// believed: their chain is computed by the caller.
///
/// All calls block, also for as long as a network takes, within a bound that the store sets. They may
/// come from any thread, also from one that runs asynchronous tasks.
pub trait Archive: Send + Sync + 'static {
    /// A name for messages.
    fn place(&self) -> String;

    /// Writes an object of the groups that `next` gives until it gives none.
    fn write(&self, about: &About, next: &mut NextGroup<'_>) -> Result<Object, Error>;

    /// The rows of a group, which is counted from 0.
    fn read(&self, object: &Object, group: u32) -> Result<Vec<Row>, Error>;

    /// The names of all objects that start with a prefix, which ends in `/`.
    fn list(&self, prefix: &str) -> Result<Vec<String>, Error>;

    /// Removes an object; one that is not there is no error.
    fn remove(&self, name: &str) -> Result<(), Error>;
}

/// Gives the next group of rows of an object, which has at least one row.
pub type NextGroup<'a> = dyn FnMut() -> Result<Option<Vec<Row>>, Error> + Send + 'a;

/// What an object is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its name: letters, digits, `.`, `-` and `/`.
    pub name: String,
    /// The log's id, 16 hexadecimal digits, which is part of every chain.
    pub log_id: String,
    /// The first and the last position of the file that it was.
    pub positions: (u64, u64),
}

/// An object that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// An event in an object. Rows are in order of subject, then seq.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The stream.
    pub subject: Arc<str>,
    /// The number in the stream.
    pub seq: u64,
    /// The position of the group that it was appended with.
    pub position: u64,
    /// When the log took it.
    pub recorded: Timestamp,
    /// What the log looks its identity up by.
    pub fingerprint: u64,
    /// The stream's chain up to and with it; at least the last row of each stream in a group has it.
    pub chain: Option<Digest>,
    /// The event's stored bytes, which are its JSON.
    pub stored: Vec<u8>,
}
