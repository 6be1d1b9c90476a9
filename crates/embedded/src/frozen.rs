//! A log beside the process that writes it, as a medium: as it was when it was opened, and nothing can be appended.
//!
//! What computes views reads a [`Log`]; by this it does so in a process of its own, too.

use std::{ops::RangeInclusive, sync::Arc};

use matchwire_domain::{envelope::Recorded, subject::Subject, timestamp::Timestamp};
use matchwire_log::{
    Error, Log, Medium, Options, SystemClock,
    medium::{Durability, Head, Hits, Identity, Record, Tail, Written},
};

use crate::{
    export::Export,
    history::{self, Part},
};

/// A medium that is what it was at a moment.
struct Frozen {
    identity: Identity,
    parts: Vec<Part>,
}

impl Export {
    /// The log as it was when it was opened, for whoever reads one. An append waits for ever.
    pub fn into_log(self) -> Log {
        let identity = Identity {
            id: self.log_id().into(),
            durability: Durability::Disk,
            lineage: self.lineage(),
        };
        let frozen = Frozen { identity, parts: self.parts };
        // Its steps are never taken, as nothing is to be written.
        let (log, _) = Log::stepped(Box::new(frozen), Arc::new(SystemClock), Options::default());
        log
    }
}

impl Medium for Frozen {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn tail(&self) -> Tail {
        let recorded = self.parts.iter().rev().find_map(|part| match part {
            Part::Sealed(sealed) => Some(sealed.recorded()),
            Part::Segment(segment) => Some(segment.recorded),
            Part::Hole(_) => None,
        });
        let last = self.parts.last().map_or(0, |part| part.range().1);
        Tail { position: last + 1, recorded: recorded.unwrap_or(Timestamp::from_ms(0)) }
    }

    fn head(&self, subject: &Subject) -> Result<Option<Head>, Error> {
        history::head(&self.parts, subject.as_str())
    }

    fn seq_before(&self, subject: &Subject, position: u64) -> Result<u64, Error> {
        history::seq_before(&self.parts, subject, position, None)
    }

    fn subjects(
        &self,
        prefix: &str,
        after: Option<&str>,
        positions: RangeInclusive<u64>,
        limit: usize,
    ) -> Result<Vec<Subject>, Error> {
        history::subjects(self.parts.iter(), Vec::new(), prefix, after, &positions, limit)
    }

    fn stretch(&self, position: u64) -> u64 {
        let at = self.parts.partition_point(|part| part.range().1 <= position);
        self.parts.get(at).map_or(position, |part| part.range().1)
    }

    fn append(&self, _: u64, _: &[Record]) -> Result<Written, Error> {
        Err(Error::Stopped)
    }

    fn read(
        &self,
        subject: &Subject,
        after: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Recorded>, Error> {
        let mut next = after.saturating_add(1);
        loop {
            let found = history::find(&self.parts, subject.as_str(), next, None)?;
            let Some((part, found, seq)) = found else { return Ok(Vec::new()) };
            let page = match part.read(subject, &found, seq, limit, limit_bytes) {
                // A later part may have been trimmed as well.
                Err(Error::Trimmed { subject, floor }) => {
                    let floor = history::floor(&self.parts, subject.as_str())?.unwrap_or(floor);
                    return Err(Error::Trimmed { subject, floor });
                }
                page => page?,
            };
            if !page.is_empty() || limit == 0 || limit_bytes == 0 {
                return Ok(page);
            }
            // All that the part had from there on is lost.
            next = found.last_seq + 1;
        }
    }

    fn lookup(&self, subject: &Subject, fingerprints: &[u64]) -> Result<Hits, Error> {
        history::lookup(&self.parts, subject.as_str(), None, fingerprints, Vec::new())
    }
}
