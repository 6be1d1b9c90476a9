//! A stream as it is read to be folded.

use matchwire_domain::{envelope::Recorded, subject::Subject};
use matchwire_log::{Error, Log};

/// How many events are read at once.
const PAGE_EVENTS: usize = 1_000;

/// What can be read of a stream.
pub(crate) struct Stream {
    pub(crate) events: Vec<Recorded>,
    /// Whether nothing of it was removed or is damaged.
    pub(crate) is_whole: bool,
}

impl Default for Stream {
    fn default() -> Self {
        Self { events: Vec::new(), is_whole: true }
    }
}

impl Stream {
    /// All behind an event that can be read. What was removed for its age is not there, and at damage it ends: what is behind
    /// that comes with the next event, once it is mended.
    pub(crate) fn read(log: &Log, subject: &Subject, mut after: u64) -> Result<Self, Error> {
        let mut read = Self::default();
        loop {
            let page = match log.read(subject, after, PAGE_EVENTS) {
                Err(Error::Trimmed { floor, .. }) if floor.seq > after => {
                    after = floor.seq;
                    read.is_whole = false;
                    continue;
                }
                Err(error @ Error::Corrupt { .. }) => {
                    tracing::warn!(%subject, %error, "a part of a stream cannot be folded");
                    read.is_whole = false;
                    return Ok(read);
                }
                page => page?,
            };
            let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(read) };
            // Behind a loss that was accepted.
            read.is_whole &= first.recorded.seq == after + 1;
            after = last.recorded.seq;
            read.events.extend(page.into_iter().map(|entry| entry.recorded));
        }
    }
}
