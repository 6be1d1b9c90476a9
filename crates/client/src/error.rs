//! What can go wrong between here and the server.

use std::time::Duration;

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server's address cannot be used.
    #[error("server {0:?} must be an address like http://127.0.0.1:8080")]
    Address(String),
    /// The server cannot be reached, or the connection broke.
    #[error("cannot reach the server: {0}")]
    Connection(String),
    /// The server did not answer in time.
    #[error("the server did not answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// The server refused.
    #[error("the server answers {status} {code}: {detail}")]
    Refused {
        /// The HTTP status, or the close code of a WebSocket.
        status: u16,
        /// The stable code of the problem.
        code: String,
        /// What exactly.
        detail: String,
        /// After how many seconds to try again, where it says so.
        retry_after_s: Option<u64>,
    },
    /// The server's answer cannot be read.
    #[error("the server's answer cannot be read: {0}")]
    Answer(String),
}

impl Error {
    /// Whether the same call may succeed later. Every call of this client may be repeated: events
    /// have identities.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Connection(_) | Self::Timeout(_) => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..=599 | 1001..=1013),
            Self::Address(_) | Self::Answer(_) => false,
        }
    }
}
