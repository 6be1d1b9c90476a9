//! One record.

use std::sync::Arc;

use matchwire_domain::{chain::Digest, envelope::Recorded, subject::Subject, timestamp::Timestamp};
use matchwire_log::{Defect, medium::Record};

use super::Fields;

const HEADER_BYTES: usize = 66;
/// The flag of a record that seals its stream.
const SEALS: u8 = 1;

/// A record, borrowed from the bytes of its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct View<'a> {
    pub(crate) seq: u64,
    pub(crate) recorded: Timestamp,
    pub(crate) fingerprint: u64,
    pub(crate) chain: Digest,
    pub(crate) seals: bool,
    pub(crate) subject: &'a str,
    pub(crate) stored: &'a [u8],
    /// How many bytes the record takes.
    pub(crate) size: usize,
}

impl<'a> View<'a> {
    pub(crate) fn of(record: &'a Record) -> Self {
        let (subject, stored) = (record.subject.as_str(), &*record.recorded.stored);
        Self {
            seq: record.recorded.seq,
            recorded: record.recorded.recorded,
            fingerprint: record.fingerprint,
            chain: record.recorded.chain,
            seals: record.seals,
            subject,
            stored,
            size: HEADER_BYTES + subject.len() + stored.len(),
        }
    }

    /// How many bytes the record takes when it is written.
    pub(crate) fn put_bytes(&self) -> usize {
        HEADER_BYTES + self.subject.len() + self.stored.len()
    }

    /// Appends the record. Its size must fit 32 bits, and that of the subject 8.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let stored_bytes = u32::try_from(self.stored.len()).unwrap_or(u32::MAX);
        let subject_bytes = u8::try_from(self.subject.len()).unwrap_or(u8::MAX);
        out.extend([0; 4]);
        out.extend(stored_bytes.to_le_bytes());
        out.extend(self.seq.to_le_bytes());
        out.extend(self.recorded.ms().to_le_bytes());
        out.extend(self.fingerprint.to_le_bytes());
        out.extend(self.chain.0);
        out.push(if self.seals { SEALS } else { 0 });
        out.push(subject_bytes);
        out.extend_from_slice(self.subject.as_bytes());
        out.extend_from_slice(self.stored);
        if let Some((crc, body)) = out.get_mut(start..).and_then(<[u8]>::split_first_chunk_mut) {
            *crc = crc32c::crc32c(body).to_le_bytes();
        }
    }

    /// Reads the record at the front; nothing if it is damaged.
    pub(crate) fn decode(bytes: &'a [u8], version: u32) -> Option<Self> {
        let (view, crc) = Self::parse(bytes, version)?;
        (crc32c::crc32c(bytes.get(4..view.size)?) == crc || Defect::IgnoreChecksum.is_on())
            .then_some(view)
    }

    /// Reads the record at the front without checking it, and the checksum that it should have.
    pub(crate) fn parse(bytes: &'a [u8], version: u32) -> Option<(Self, u32)> {
        let mut fields = Fields(bytes);
        let crc = fields.u32()?;
        let stored_bytes = usize::try_from(fields.u32()?).ok()?;
        let seq = fields.u64()?;
        let recorded = Timestamp::from_ms(fields.i64()?);
        let fingerprint = fields.u64()?;
        let chain = Digest(fields.array()?);
        let flags = if version == 1 { 0 } else { fields.u8()? };
        let subject_bytes = usize::from(fields.u8()?);
        let subject = std::str::from_utf8(fields.bytes(subject_bytes)?).ok()?;
        let stored = fields.bytes(stored_bytes)?;
        let (seals, size) = (flags & SEALS != 0, bytes.len() - fields.0.len());
        Some((Self { seq, recorded, fingerprint, chain, seals, subject, stored, size }, crc))
    }

    /// The record for a reader, if it is the one that was looked for.
    pub(crate) fn recorded(&self, subject: &Subject, seq: u64) -> Option<Recorded> {
        let stored: Arc<[u8]> = self.stored.into();
        let right = self.subject == subject.as_str() && self.seq == seq;
        right.then(|| Recorded {
            seq,
            recorded: self.recorded,
            leaf: Digest::leaf(&stored),
            chain: self.chain,
            stored,
        })
    }
}
