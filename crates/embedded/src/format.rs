//! The bytes on disk: segments, groups and records.
//!
//! ```text
//! 00000000000000000001.seg              one segment; the name is the number of its first group
//! ┌────────┬─────────┬─────────┬───┬─────────┬────────────────┐
//! │ header │ group 1 │ group 2 │ … │ group n │ zeros          │ ← written ahead, for later groups
//! └────────┴─────────┴─────────┴───┴─────────┴────────────────┘
//! A group without records says that the log was closed in order; it is written over afterwards.
//!
//! segment header, 40 bytes
//!    0  8  magic
//!    8  4  CRC-32C of what follows
//!   12  4  version of the format, 3
//!   16  8  log id
//!   24  8  segment: the number of its first group
//!   32  8  recordedtime that was reached before the segment, in milliseconds since 1970
//!
//! group, at a multiple of 8, filled up with zeros to the next one
//!    0  8  magic; it is not UTF-8, so that no stored event can contain it
//!    8  4  CRC-32C of log id, segment and the rest of the header, 28 bytes
//!   12  4  CRC-32C of the records, with the zeros
//!   16  4  bytes of all records
//!   20  4  how many records
//!   24  8  number of the group, one more than that of the group before
//!   32  8  offset up to which the segment was synced when the group was written
//!   40  …  the records
//!
//! record
//!    0  4  CRC-32C of what follows
//!    4  4  bytes of the stored event
//!    8  8  seq
//!   16  8  recordedtime, in milliseconds since 1970
//!   24  8  fingerprint of the event's identity
//!   32 32  chain
//!   64  1  flags: 1 it seals its stream
//!   65  1  bytes of the subject
//!   66  …  subject, then the stored event
//! ```
//!
//! The header of a group has a checksum of its own, since a header that is valid proves that
//! everything before it was synced.
//!
//! Formats 1 and 2 are read but never written. In 2 segments are the same; sealed files have nothing
//! that was trimmed or archived. In 1 a group has 36 bytes before its records (one CRC-32C for all,
//! then bytes, number, synced, count), and a record has no flags.
//!
//! Numbers are little-endian. A record has its own checksum, since readers fetch single records.
//! The leaf is not stored: it is computed from the event when that is read, so it is true to what
//! is delivered. The chain is stored, since computing it would take the whole stream; and whoever
//! verifies the log computes it again.

mod fields;
mod group;
mod header;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use fields::Fields;
pub(crate) use group::{
    GROUP_HEADER_BYTES, Group, GroupHeader, MAGIC as GROUP_MAGIC, group_bytes, put_group,
};
pub(crate) use header::{SEGMENT_HEADER_BYTES, SegmentHeader};
pub(crate) use record::View;

/// The version of the format that is written. Earlier ones are read.
pub const VERSION: u32 = 3;

/// What a file belongs to; part of its checksums, so that nothing from elsewhere passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) log_id: u64,
    /// The number of the first group of the segment.
    pub(crate) segment: u64,
    /// The format that it is in.
    pub(crate) version: u32,
}

impl Home {
    /// That of a segment that is written now.
    pub(crate) fn new(log_id: u64, segment: u64) -> Self {
        Self { log_id, segment, version: VERSION }
    }

    /// The checksum of bytes that belong here.
    pub(crate) fn crc(self, bytes: &[u8]) -> u32 {
        let crc = crc32c::crc32c(&self.log_id.to_le_bytes());
        let crc = crc32c::crc32c_append(crc, &self.segment.to_le_bytes());
        crc32c::crc32c_append(crc, bytes)
    }
}
