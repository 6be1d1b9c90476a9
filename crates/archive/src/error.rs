//! Why an archive cannot be opened.

use std::io;

/// Why an archive cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The place is no place, or does not let us in.
    #[error(transparent)]
    Store(#[from] matchwire_store::Error),
    /// The place does not answer.
    #[error("{place} has not answered within {} s", crate::worker::PATIENCE.as_secs())]
    Late {
        /// The place.
        place: String,
    },
    /// The thread that speaks to the store cannot be started.
    #[error("the thread of the archive cannot be started")]
    Thread(#[from] io::Error),
}
