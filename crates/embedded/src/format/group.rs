//! A group of records, which is on disk as a whole or not at all.

use matchwire_log::{Defect, medium::Record};

use super::{Fields, Home, View};

pub(crate) const GROUP_HEADER_BYTES: usize = 40;
/// That of format 1.
const HEADER_1_BYTES: usize = 36;
/// Groups start at multiples of this.
const ALIGN_BYTES: usize = 8;
pub(crate) const MAGIC: [u8; 8] = *b"\xF6MWGRP\r\n";

/// What stands before the records of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupHeader {
    pub(crate) number: u64,
    /// The offset up to which the segment was synced when the group was written.
    pub(crate) synced: u64,
    pub(crate) count: u32,
    body_bytes: usize,
    body_crc: u32,
    header_bytes: usize,
}

/// A group whose checksum is right, borrowed from the bytes of its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group<'a> {
    pub(crate) header: GroupHeader,
    body: &'a [u8],
    version: u32,
}

/// How many bytes a group of these records takes, with its filling.
pub(crate) fn group_bytes(records: &[Record]) -> usize {
    let records: usize = records.iter().map(|record| View::of(record).put_bytes()).sum();
    (GROUP_HEADER_BYTES + records).next_multiple_of(ALIGN_BYTES)
}

/// Replaces `out` by a group, which must be below 4 GiB.
pub(crate) fn put_group<'a>(
    out: &mut Vec<u8>,
    home: Home,
    number: u64,
    synced: u64,
    records: impl Iterator<Item = View<'a>>,
) {
    out.clear();
    out.extend([0; GROUP_HEADER_BYTES]);
    let mut count = 0_u32;
    for record in records {
        record.put(out);
        count += 1;
    }
    let body_bytes = u32::try_from(out.len() - GROUP_HEADER_BYTES).unwrap_or(u32::MAX);
    out.resize(out.len().next_multiple_of(ALIGN_BYTES), 0);
    let body = out.get(GROUP_HEADER_BYTES..).unwrap_or_default();
    let mut rest = crc32c::crc32c(body).to_le_bytes().to_vec();
    rest.extend(body_bytes.to_le_bytes());
    rest.extend(count.to_le_bytes());
    rest.extend(number.to_le_bytes());
    rest.extend(synced.to_le_bytes());
    let mut header = MAGIC.to_vec();
    header.extend(home.crc(&rest).to_le_bytes());
    header.extend(rest);
    if let Some(front) = out.first_chunk_mut::<GROUP_HEADER_BYTES>() {
        front.copy_from_slice(&header);
    }
}

impl GroupHeader {
    /// Reads a header and checks it. In format 1 it has no checksum of its own: there it is only
    /// what the bytes say.
    pub(crate) fn decode(bytes: &[u8], home: Home) -> Option<Self> {
        let mut fields = Fields(bytes);
        if fields.array()? != MAGIC {
            return None;
        }
        let crc = fields.u32()?;
        if home.version == 1 {
            let body_bytes = usize::try_from(fields.u32()?).ok()?;
            let (number, synced, count) = (fields.u64()?, fields.u64()?, fields.u32()?);
            let header_bytes = HEADER_1_BYTES;
            return Some(Self { number, synced, count, body_bytes, body_crc: crc, header_bytes });
        }
        let rest = bytes.get(12..GROUP_HEADER_BYTES)?;
        let (body_crc, body_bytes) = (fields.u32()?, usize::try_from(fields.u32()?).ok()?);
        let (count, number, synced) = (fields.u32()?, fields.u64()?, fields.u64()?);
        let header_bytes = GROUP_HEADER_BYTES;
        let header = Self { number, synced, count, body_bytes, body_crc, header_bytes };
        (home.crc(rest) == crc || Defect::IgnoreChecksum.is_on()).then_some(header)
    }

    /// How many bytes the group takes, with its filling.
    pub(crate) fn size(&self) -> usize {
        self.header_bytes.saturating_add(self.body_bytes).next_multiple_of(ALIGN_BYTES)
    }
}

impl<'a> Group<'a> {
    /// Reads the group at the front; nothing if it is damaged.
    pub(crate) fn decode(bytes: &'a [u8], home: Home) -> Option<Self> {
        let header = GroupHeader::decode(bytes, home)?;
        let bytes = bytes.get(..header.size())?;
        let crc = match home.version {
            1 => home.crc(bytes.get(12..)?),
            _ => crc32c::crc32c(bytes.get(header.header_bytes..)?),
        };
        let end = header.header_bytes.checked_add(header.body_bytes)?;
        let body = bytes.get(header.header_bytes..end)?;
        (crc == header.body_crc || Defect::IgnoreChecksum.is_on()).then_some(Self {
            header,
            body,
            version: home.version,
        })
    }

    /// Its records, each with its offset from the start of the group; an item is nothing, and the
    /// last one, where a record is damaged.
    pub(crate) fn records(&self) -> impl Iterator<Item = Option<(usize, View<'a>)>> + use<'a> {
        let (total, mut rest, version) = (self.body.len(), self.body, self.version);
        let header_bytes = self.header.header_bytes;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let offset = header_bytes + total - rest.len();
            // The checksum of the group covers that of the record.
            let parsed = View::parse(rest, version);
            rest = parsed.map_or(&[], |(view, _)| rest.get(view.size..).unwrap_or_default());
            Some(parsed.map(|(view, _)| (offset, view)))
        })
    }
}
