//! Why a place cannot be opened, or a request to it fails.

use std::io;

/// Why a place cannot be opened, or a request to it fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The place is not named as it must be.
    #[error("{place:?} is no place for objects: {what}")]
    Name {
        /// What was given.
        place: String,
        /// What is wrong with it.
        what: String,
    },
    /// The directory is not there.
    #[error("{0} is not a directory")]
    Missing(String),
    /// The directory cannot be made.
    #[error("cannot make {place}")]
    Make {
        /// The directory.
        place: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The store does not let us in, or lacks what must be there.
    #[error("cannot use {place}: {what}")]
    Refused {
        /// The place.
        place: String,
        /// What the store says, and what to look at.
        what: String,
    },
    /// A request to the store failed.
    #[error("a request to {place} failed: {error}")]
    Request {
        /// The place.
        place: String,
        /// What failed. It says so with all its reasons, so it is no source of this.
        error: object_store::Error,
    },
}
