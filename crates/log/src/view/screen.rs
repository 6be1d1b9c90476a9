//! What hides streams as a whole from those who are not to know of them.

use matchwire_domain::subject::Subject;

use crate::{Error, Log};

/// Decides of which streams whoever reads a view knows nothing.
pub trait Screen: Send + Sync {
    /// Whether a stream is hidden, by all that can be read of the log now. It is asked with every read, so what it finds out
    /// it remembers for as long as [`Log::beside_play`] is the same. May block like [`Log::read`].
    fn hides(&self, log: &Log, subject: &Subject) -> Result<bool, Error>;
}
