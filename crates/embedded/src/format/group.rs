//! A group of records, which is on disk as a whole or not at all.

use matchwire_log::medium::Record;

use super::{Fields, Home, View};

pub(crate) const GROUP_HEADER_BYTES: usize = 36;
/// Groups start at multiples of this.
const ALIGN_BYTES: usize = 8;
pub(crate) const MAGIC: [u8; 8] = *b"\xF6MWGRP\r\n";

/// A group whose checksum is right, borrowed from the bytes of its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group<'a> {
    pub(crate) number: u64,
    /// The offset up to which the segment was synced when the group was written.
    pub(crate) synced: u64,
    pub(crate) count: u32,
    body: &'a [u8],
}

/// How many bytes a group of these records takes, with its filling.
pub(crate) fn group_bytes(records: &[Record]) -> usize {
    let records: usize = records.iter().map(|record| View::of(record).size()).sum();
    (GROUP_HEADER_BYTES + records).next_multiple_of(ALIGN_BYTES)
}

/// Replaces `out` by a group, which must be below 4 GiB.
pub(crate) fn put_group(
    out: &mut Vec<u8>,
    home: Home,
    number: u64,
    synced: u64,
    records: &[Record],
) {
    out.clear();
    out.extend([0; GROUP_HEADER_BYTES]);
    for record in records {
        View::of(record).put(out);
    }
    let body_bytes = u32::try_from(out.len() - GROUP_HEADER_BYTES).unwrap_or(u32::MAX);
    let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
    let mut header = Vec::with_capacity(GROUP_HEADER_BYTES);
    header.extend(MAGIC);
    header.extend([0; 4]);
    header.extend(body_bytes.to_le_bytes());
    header.extend(number.to_le_bytes());
    header.extend(synced.to_le_bytes());
    header.extend(count.to_le_bytes());
    if let Some(front) = out.first_chunk_mut::<GROUP_HEADER_BYTES>() {
        front.copy_from_slice(&header);
    }
    out.resize(out.len().next_multiple_of(ALIGN_BYTES), 0);
    let crc = home.crc(out.get(12..).unwrap_or_default());
    if let Some(place) = out.get_mut(8..12) {
        place.copy_from_slice(&crc.to_le_bytes());
    }
}

impl<'a> Group<'a> {
    /// How many bytes a group takes, by its header, with its filling.
    pub(crate) fn size(header: &[u8]) -> Option<usize> {
        let mut fields = Fields(header);
        let magic: [u8; 8] = fields.array()?;
        fields.u32()?;
        let body_bytes = usize::try_from(fields.u32()?).ok()?;
        let size = GROUP_HEADER_BYTES.checked_add(body_bytes)?;
        (magic == MAGIC).then_some(size.checked_next_multiple_of(ALIGN_BYTES)?)
    }

    /// Reads the group at the front; nothing if it is damaged.
    pub(crate) fn decode(bytes: &'a [u8], home: Home) -> Option<Self> {
        let covered = bytes.get(12..Self::size(bytes)?)?;
        let mut fields = Fields(bytes.get(8..)?);
        let crc = fields.u32()?;
        let body_bytes = usize::try_from(fields.u32()?).ok()?;
        let (number, synced, count) = (fields.u64()?, fields.u64()?, fields.u32()?);
        let body = fields.bytes(body_bytes)?;
        (home.crc(covered) == crc).then_some(Self { number, synced, count, body })
    }

    /// Its records, each with its offset from the start of the group; an item is nothing, and the
    /// last one, where a record is damaged.
    pub(crate) fn records(&self) -> impl Iterator<Item = Option<(usize, View<'a>)>> {
        let (total, mut rest) = (self.body.len(), self.body);
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let offset = GROUP_HEADER_BYTES + total - rest.len();
            let decoded = View::decode(rest);
            rest = decoded.map_or(&[], |(_, rest)| rest);
            Some(decoded.map(|(view, _)| (offset, view)))
        })
    }
}
