//! Imports: histories that were brought in as a whole, and can be taken back as a whole.
//!
//! Each has a stream that only the server writes, `import/<import>`, and everything that it tells has its
//! [`source`], with the number of the event within the import as id. [`Event`] is what stands in its stream, and
//! [`State`] folds it and decides what may come next.
//!
//! ```text
//! started ─► batched ─► batched ─► … ─► finished        batched, before its events: where to look for them
//!               └────────┴───────────────┴─► revoking ─► unwound ─► … ─► revoked
//! ```
//!
//! A batch is announced before its events are told, with the streams that they go to and how long those were. So,
//! wherever a server or a sender is killed, the log knows where the events of an import are, and what stood
//! in those streams before it.

mod event;
mod state;

#[cfg(test)]
mod tests;

use crate::subject::{Error, Subject};

pub use event::{Batched, Event, File, Finished, Revoking, Started, Unwound};
pub use state::{Refused, State, Status};

/// How many events an import may have.
pub const MAX_EVENTS: u64 = 100_000_000;
/// How many files are told of.
pub const MAX_FILES: usize = 1_000;
/// What the source of an import's events starts with.
const SOURCE_PREFIX: &str = "import/";

/// The stream of an import. Its name is a segment, `[A-Za-z0-9._~-]{1,64}`.
pub fn subject(import: &str) -> Result<Subject, Error> {
    Subject::parse(&format!("import/{import}"))
}

/// The source of everything that an import tells.
pub fn source(import: &str) -> String {
    format!("{SOURCE_PREFIX}{import}")
}

/// The import that a source is of, if it is of one.
pub fn of_source(source: &str) -> Option<&str> {
    source.strip_prefix(SOURCE_PREFIX)
}
