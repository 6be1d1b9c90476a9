//! What goes into the log and what comes out of it.

use std::time::Instant;

use matchwire_domain::{
    chain::Digest,
    envelope::{Event, Recorded},
    subject::Subject,
};

/// Events for one stream. Those that are not duplicates are stored all or none, and contiguously.
#[derive(Debug, Clone)]
pub struct Append {
    /// The stream; every event names the same one.
    pub subject: Subject,
    /// The events, in their order.
    pub events: Vec<Event>,
    /// The head that the stream must have for anything to be stored.
    ///
    /// Like a seal, it is not looked at when every event is a duplicate: then the append was made before, and
    /// whoever repeats it, for want of an answer, gets that answer.
    pub expected_seq: Option<u64>,
    /// When the events came in, for the latency of later stages.
    pub received: Instant,
}

/// What became of one event of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is stored.
    Appended {
        /// Its number in the stream.
        seq: u64,
        /// SHA-256 of its stored bytes.
        leaf: Digest,
        /// The stream's chain up to and with it.
        chain: Digest,
    },
    /// Its identity was there before.
    Duplicate {
        /// The number of the first one.
        seq: u64,
        /// SHA-256 of the stored bytes of the first one.
        leaf: Digest,
        /// The stream's chain up to and with the first one.
        chain: Digest,
        /// Whether the first one has other content.
        differs: bool,
    },
    /// Its identity was there before, and is all that is at hand of the first one: its record was
    /// trimmed, or is in an archive. Whether the content differs is not known.
    Known {
        /// The number of the first one.
        seq: u64,
    },
}

/// Why nothing of an append was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It required another head than the stream has.
    #[error("the stream is at seq {actual}, and the append requires {expected}")]
    Conflict {
        /// What the append required.
        expected: u64,
        /// The head of the stream.
        actual: u64,
    },
    /// The stream is sealed.
    #[error("the stream is sealed at seq {seq}, and takes nothing more")]
    Sealed {
        /// Its last event.
        seq: u64,
    },
    /// An event that seals the stream is followed by others.
    #[error("an event that seals its stream must be the last one of its append")]
    NotLast,
}

/// A recorded event, with the moments at which it passed the stages before, where they are still
/// known: that is so for recent events of this process.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The event.
    pub recorded: Recorded,
    /// When it came in.
    pub received: Option<Instant>,
    /// When it was durable.
    pub durable: Option<Instant>,
}
