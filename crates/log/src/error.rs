//! Why the log refuses or fails.

use matchwire_domain::subject::Subject;

use crate::medium::Floor;

/// Why the log refuses or fails. Only [`Error::Full`] and [`Error::Away`] are worth a retry.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The queue or the disk is full. Nothing was stored; the same append may be tried again.
    #[error("the log cannot take more now, since its queue or its disk is full; try again later")]
    Full,
    /// One call is larger than the log takes at all.
    #[error("an append of {bytes} bytes is over the limit of {limit}; split it")]
    TooLarge {
        /// The size of the call.
        bytes: usize,
        /// The most that one call may have.
        limit: usize,
    },
    /// What is stored is damaged.
    #[error("{file} is damaged at byte {offset}: {what}")]
    Corrupt {
        /// The file, or another name of the place.
        file: String,
        /// Where in the file.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// What is asked for was removed, as the retention of the stream says.
    #[error("{subject} is trimmed up to seq {}; read it from seq {} on", .floor.seq, .floor.seq + 1)]
    Trimmed {
        /// The stream.
        subject: Subject,
        /// The last event that was removed.
        floor: Floor,
    },
    /// What is asked for is in an archive that cannot be reached now. The same call may be tried again.
    #[error("{place} holds this part of the log and cannot be read now: {what}")]
    Away {
        /// The archive.
        place: String,
        /// What stands against it.
        what: String,
    },
    /// The directory of the log cannot be used as it is.
    #[error("the log in {place} cannot be opened: {what}")]
    Unusable {
        /// The directory.
        place: String,
        /// What stands against it.
        what: String,
    },
    /// Reading or writing failed.
    #[error("the log's storage failed")]
    Io(#[from] std::io::Error),
    /// The log has stopped after a failure. Whether an append that was under way is stored is not
    /// known: its caller must repeat it, with the same ids, once the log runs again.
    #[error("the log has stopped; repeat the append with the same ids once it runs again")]
    Stopped,
}

impl Error {
    /// Whether it is about what was asked for alone, and other streams, or other parts of the same
    /// one, can be read nevertheless.
    pub fn is_partial(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::Trimmed { .. } | Self::Away { .. })
    }

    /// Whether the same call may succeed later on this log.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Full | Self::Away { .. })
    }
}
