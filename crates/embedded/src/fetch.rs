//! Fetches records from a segment's file by their places.

use matchwire_domain::{envelope::Recorded, subject::Subject};
use matchwire_log::Error;

use crate::{
    disk::File,
    format::{Home, View},
    index::Span,
    scan::segment_name,
};

/// Places are read together over a gap of at most so many bytes …
const GAP_BYTES: u64 = 4 << 10;
/// … and up to so many bytes in all.
const READ_BYTES: u64 = 256 << 10;

/// Where to fetch from.
pub(crate) struct Fetch<'a> {
    pub(crate) file: &'a dyn File,
    pub(crate) home: Home,
    pub(crate) subject: &'a Subject,
}

impl Fetch<'_> {
    /// The records at these places, which have the seqs from `first` on, until their stored bytes
    /// reach a limit.
    pub(crate) fn records(
        &self,
        first: u64,
        spans: &[Span],
        limit_bytes: usize,
    ) -> Result<Vec<Recorded>, Error> {
        let mut records = Vec::with_capacity(spans.len());
        let (mut bytes, mut buffer) = (0, Vec::new());
        let mut rest = spans;
        while !rest.is_empty() && bytes < limit_bytes {
            let (run, after) = rest.split_at(together(rest));
            rest = after;
            let start = run.first().map_or(0, |span| u64::from(span.offset));
            let end = run.last().map_or(0, |span| u64::from(span.offset) + u64::from(span.bytes));
            buffer.resize(usize::try_from(end - start).unwrap_or_default(), 0);
            self.file.read_at(&mut buffer, start)?;
            for span in run {
                let seq = first + records.len() as u64;
                let from = usize::try_from(u64::from(span.offset) - start).unwrap_or(usize::MAX);
                let record = buffer.get(from..).unwrap_or_default();
                let view = View::decode(record, self.home.version);
                let recorded = view.and_then(|view| view.recorded(self.subject, seq));
                let recorded = recorded.ok_or_else(|| self.damaged(*span, seq))?;
                bytes += recorded.stored.len();
                records.push(recorded);
                if bytes >= limit_bytes {
                    break;
                }
            }
        }
        Ok(records)
    }

    fn damaged(&self, span: Span, seq: u64) -> Error {
        Error::Corrupt {
            file: segment_name(self.home.segment),
            offset: span.offset.into(),
            what: format!("the record with seq {seq} of {} is damaged", self.subject),
        }
    }
}

/// How many of the first places are read with one call; at least one.
fn together(spans: &[Span]) -> usize {
    let start = spans.first().map_or(0, |span| u64::from(span.offset));
    let mut end = start;
    let near = |span: &&Span| {
        let (from, to) = (u64::from(span.offset), u64::from(span.offset) + u64::from(span.bytes));
        let near = from <= end + GAP_BYTES && to <= start + READ_BYTES;
        end = end.max(to);
        near
    };
    spans.iter().take_while(near).count().max(1)
}
