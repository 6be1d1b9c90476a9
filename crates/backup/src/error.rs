//! Why a back-up or a restore fails.

use std::io;

use matchwire_domain::timestamp::Timestamp;

use crate::Day;

/// Why a back-up or a restore fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The place of the back-up is not named as it must be.
    #[error("{place:?} is no place for a back-up: {what}")]
    Place {
        /// What was given.
        place: String,
        /// What is wrong with it.
        what: String,
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
    Store {
        /// The place.
        place: String,
        /// What failed. It says so with all its reasons, so it is no source of this.
        error: object_store::Error,
    },
    /// There is no back-up.
    #[error("{0} is not a back-up: it has no log/backup.json")]
    Missing(String),
    /// The back-up was made by a newer version.
    #[error(
        "the back-up in {place} has format {format}, and this version of matchwire reads \
         format {readable}; use the version that made it, or a newer one"
    )]
    Newer {
        /// The place.
        place: String,
        /// Its format.
        format: u32,
        /// The newest one that is read.
        readable: u32,
    },
    /// Something in the back-up is not what was put there.
    #[error("{object} of the back-up is damaged: {what}")]
    Damaged {
        /// The object.
        object: String,
        /// What is wrong.
        what: String,
    },
    /// The back-up is of another history than the log has.
    #[error("the back-up in {place} is not of this log: {what}; back up to a new place")]
    Diverged {
        /// The place.
        place: String,
        /// What differs.
        what: String,
    },
    /// The safe cannot be used.
    #[error("cannot use the safe {place}: {what}")]
    Safe {
        /// The place.
        place: String,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// There is no safe, and the vault is needed.
    #[error(
        "there is no safe in {0}, and only its keys open the vault of the back-up; name it with --safe, or restore \
         with --without-vault, after which nobody's account, name or text can be read any more"
    )]
    NoSafe(String),
    /// The key of the vault's back-up is destroyed.
    #[error(
        "the key of {day}, with which the vault of the back-up was sealed, is not in the safe {place}: keys are \
         destroyed after 30 days; take a newer back-up, or restore with --without-vault, after which nobody's account, \
         name or text can be read any more"
    )]
    Dark {
        /// The safe.
        place: String,
        /// The day of the key.
        day: Day,
    },
    /// Another process makes a back-up to the same place.
    #[error("another process makes a back-up to {0}; stop that one, or use a new place")]
    Busy(String),
    /// The data directory to restore to holds something.
    #[error("{0} is not empty; restore to a directory that does not exist yet")]
    Occupied(String),
    /// Nothing was recorded by the time to restore to.
    #[error("nothing was recorded by {to_time}: the first event is of {first}")]
    TooEarly {
        /// The time that was asked for.
        to_time: Timestamp,
        /// That of the first event.
        first: Timestamp,
    },
    /// The log cannot be read, or cannot be made.
    #[error(transparent)]
    Log(#[from] matchwire_log::Error),
    /// A file cannot be read or written.
    #[error("{what}")]
    File {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// Whether the same may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store { .. } | Self::Refused { .. } | Self::File { .. } => true,
            Self::Log(error) => {
                error.is_retryable() || matches!(error, matchwire_log::Error::Io(_))
            }
            _ => false,
        }
    }

    pub(crate) fn file(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        |source| Self::File { what, source }
    }
}

impl From<matchwire_store::Error> for Error {
    fn from(error: matchwire_store::Error) -> Self {
        use matchwire_store::Error as Of;
        match error {
            Of::Name { place, what } => Self::Place { place, what },
            Of::Missing(place) => Self::Missing(place),
            Of::Make { place, source } => {
                Self::File { what: format!("cannot make {place}"), source }
            }
            Of::Refused { place, what } => Self::Refused { place, what },
            Of::Request { place, error } => Self::Store { place, error },
        }
    }
}

/// Runs what blocks on a thread for that.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::File {
        what: "a thread has failed".into(),
        source: io::Error::other(error),
    })
}
