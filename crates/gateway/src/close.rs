//! Why a WebSocket is closed, and the one place where that gets its code.

use yawc::{Frame, close::CloseCode};

/// Why the server ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Close {
    /// The client is done, or gone.
    Done,
    /// The server ends.
    Away,
    /// The client sent a frame that is too large.
    TooLarge,
    /// The client cannot keep up; it may resume.
    TooSlow,
    /// The client was silent for too long.
    Silent,
    /// The client sent what is no frame of the protocol.
    BadFrame,
    /// The client wants too much.
    TooMany,
    /// The server fails.
    Internal,
}

impl Close {
    /// The close code and its reason.
    pub(crate) fn parts(self) -> (u16, &'static str) {
        match self {
            Self::Done => (1000, "done"),
            Self::Away => (1001, "server going away"),
            Self::Silent => (1001, "silent for too long"),
            Self::TooLarge => (1009, "frame too large"),
            Self::Internal => (1011, "internal error"),
            Self::TooSlow => (1013, "too slow; resume with the last cursor"),
            Self::BadFrame => (4400, "bad frame"),
            Self::TooMany => (4429, "too many"),
        }
    }

    pub(crate) fn frame(self) -> Frame {
        let (code, reason) = self.parts();
        Frame::close(CloseCode::from(code), reason)
    }

    /// The label under which it is counted.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Away => "away",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::Silent => "silent",
            Self::BadFrame => "bad_frame",
            Self::TooMany => "too_many",
            Self::Internal => "internal",
        }
    }
}
