//! The medium under test, shared between the log and the life, with fewer fingerprints than usual:
//! events that share one must be told apart by their records.

use std::{ops::RangeInclusive, sync::Arc};

use matchwire_domain::{envelope::Recorded, subject::Subject};
use matchwire_embedded::Segments;
use matchwire_log::{
    Error, Medium,
    medium::{Head, Hits, Identity, Record, Tail, Written},
};

pub(super) struct Masked {
    pub(super) segments: Arc<Segments>,
    /// Which bits of a fingerprint are used.
    pub(super) mask: u64,
}

impl Medium for Masked {
    fn identity(&self) -> &Identity {
        self.segments.identity()
    }

    fn tail(&self) -> Tail {
        self.segments.tail()
    }

    fn head(&self, subject: &Subject) -> Result<Option<Head>, Error> {
        self.segments.head(subject)
    }

    fn seq_before(&self, subject: &Subject, position: u64) -> Result<u64, Error> {
        self.segments.seq_before(subject, position)
    }

    fn subjects(
        &self,
        prefix: &str,
        after: Option<&str>,
        positions: RangeInclusive<u64>,
        limit: usize,
    ) -> Result<Vec<Subject>, Error> {
        self.segments.subjects(prefix, after, positions, limit)
    }

    fn stretch(&self, position: u64) -> u64 {
        self.segments.stretch(position)
    }

    fn append(&self, position: u64, group: &[Record]) -> Result<Written, Error> {
        if self.mask == u64::MAX {
            return self.segments.append(position, group);
        }
        let mut group = group.to_vec();
        for record in &mut group {
            record.fingerprint &= self.mask;
        }
        self.segments.append(position, &group)
    }

    fn read(
        &self,
        subject: &Subject,
        after: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Recorded>, Error> {
        self.segments.read(subject, after, limit, limit_bytes)
    }

    fn lookup(&self, subject: &Subject, fingerprints: &[u64]) -> Result<Hits, Error> {
        let masked: Vec<u64> = fingerprints.iter().map(|whole| whole & self.mask).collect();
        self.segments.lookup(subject, &masked)
    }
}
