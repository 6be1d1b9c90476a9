//! Which streams are in which sealed segments, in memory: some 150 bytes for each stream, and 32
//! more for each segment that it is in.

use std::sync::Arc;

use foldhash::HashMap;
use matchwire_domain::{chain::Digest, subject::Subject};

use crate::sealed::{Row, Sealed};

#[derive(Debug, Default)]
pub(crate) struct Catalog {
    streams: HashMap<Box<str>, Known>,
}

/// A stream, as far as the sealed segments have it.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) seq: u64,
    pub(crate) chain: Digest,
    /// In order of seq, without a gap.
    parts: Vec<Part>,
}

/// The records of one stream in one segment.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) sealed: Arc<Sealed>,
    /// The number of the stream in the segment.
    pub(crate) number: u32,
    pub(crate) first_seq: u64,
    pub(crate) count: u32,
    /// Where the places of its records start, counted over all streams of the segment.
    pub(crate) start: u32,
}

impl Part {
    fn seq(&self) -> u64 {
        self.first_seq + u64::from(self.count) - 1
    }
}

impl Catalog {
    /// Adds a segment that follows those before it, or says what does not fit.
    pub(crate) fn add(&mut self, sealed: &Arc<Sealed>, rows: Vec<Row>) -> Result<(), String> {
        let mut start = 0;
        for (number, row) in (0..).zip(rows) {
            let Row { subject, first_seq, count, chain } = row;
            Subject::parse(&subject).map_err(|error| error.to_string())?;
            self.check(&subject, first_seq)?;
            let part = Part { sealed: sealed.clone(), number, first_seq, count, start };
            start += count;
            let seq = part.seq();
            let new = Known { seq, chain, parts: Vec::with_capacity(1) };
            let known = self.streams.entry(subject).or_insert(new);
            (known.seq, known.chain) = (seq, chain);
            known.parts.push(part);
        }
        Ok(())
    }

    /// Checks that a segment goes on with a stream where the ones before it end.
    pub(crate) fn check(&self, subject: &str, first_seq: u64) -> Result<(), String> {
        let expected = self.streams.get(subject).map_or(1, |known| known.seq + 1);
        if first_seq == expected {
            Ok(())
        } else {
            Err(format!("{subject} goes on with seq {first_seq} where {expected} belongs"))
        }
    }

    /// The streams with their names.
    pub(crate) fn streams(&self) -> impl Iterator<Item = (&str, &Known)> {
        self.streams.iter().map(|(subject, known)| (subject.as_ref(), known))
    }

    /// The part that has a seq.
    pub(crate) fn part(&self, subject: &str, seq: u64) -> Option<&Part> {
        let parts = &self.streams.get(subject)?.parts;
        parts.get(parts.partition_point(|part| part.seq() < seq))
    }

    /// All parts of a stream.
    pub(crate) fn parts(&self, subject: &str) -> &[Part] {
        self.streams.get(subject).map_or(&[], |known| &known.parts)
    }
}
