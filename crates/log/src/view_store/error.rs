//! Why a store of views refuses or fails.

/// Why a store of views refuses or fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another writer was there: the view is not where this one left it. Nothing was stored.
    #[error(
        "another writer was at the view {view}: it is at {}, and the commit expects {}",
        shown(.found.as_ref()),
        shown(.expected.as_ref())
    )]
    Overtaken {
        /// The view.
        view: String,
        /// The position that was expected.
        expected: Option<String>,
        /// The position that the view has.
        found: Option<String>,
    },
    /// What is stored is damaged, or is not what it should be. The view must be built anew.
    #[error("{place} is damaged: {what}")]
    Damaged {
        /// The file, or another name of the place.
        place: String,
        /// What is wrong there.
        what: String,
    },
    /// The view was removed, or another build of it has taken its place: it is to be opened again.
    #[error("{place} is gone, removed or replaced")]
    Gone {
        /// The file, or another name of the place.
        place: String,
    },
    /// Somebody else stands in the way for longer than is waited.
    #[error("{place} is in use: {what}")]
    Busy {
        /// The file, or another name of the place.
        place: String,
        /// By what.
        what: String,
    },
    /// There is no space left.
    #[error("{place} cannot grow, since its disk is full")]
    Full {
        /// The file, or another name of the place.
        place: String,
    },
    /// A key, a value or a position is larger than one may be.
    #[error("a {what} of {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        limit: usize,
    },
    /// Reading or writing failed.
    #[error("{place} cannot be used: {what}")]
    Failed {
        /// The file, or another name of the place.
        place: String,
        /// What stands against it.
        what: String,
    },
}

impl Error {
    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Full { .. } | Self::Failed { .. })
    }

    /// That something of so many bytes is too large, if it is.
    pub fn check_size(what: &'static str, bytes: usize, limit: usize) -> Result<(), Self> {
        if bytes > limit { Err(Self::TooLarge { what, bytes, limit }) } else { Ok(()) }
    }
}

fn shown(position: Option<&String>) -> String {
    position.map_or_else(|| "the beginning".into(), |position| format!("{position:?}"))
}
