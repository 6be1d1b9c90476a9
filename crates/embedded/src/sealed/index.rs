//! The sparse index, which is kept in memory: where the blocks and pages of a file are.
//!
//! Payload of its frame: how many blocks, pages of the table and pages of ids; then each of them,
//! with its offset less the one before and its bytes. A block has the number of its first stream
//! less that of the block before, and its first seq; a page of the table has the number and the
//! subject (with its length, 1) of its first stream; a page of ids has its first fingerprint (8).
//! From format 3 on there follow how many rows were trimmed, and how many are in an archive; if any
//! are, the name of their object (with its length) and its size.
//!
//! It takes some 24 bytes for each block, 90 for each page of the table, and 24 for each of ids:
//! about 0.3 bytes for each event and 1.5 for each stream.

use super::{
    frame::Place,
    varint::{put, put_size},
};
use crate::{archive::Object, format::Fields};

/// Where the frames of a file are, each in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Index {
    pub(super) blocks: Vec<BlockAt>,
    pub(super) pages: Vec<PageAt>,
    pub(super) ids: Vec<IdsAt>,
    /// How many rows were trimmed.
    pub(super) trimmed: u64,
    /// How many rows are in the archive, and where.
    pub(super) away: u64,
    pub(super) object: Option<Object>,
}

/// A block, and its first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockAt {
    pub(super) place: Place,
    pub(super) ordinal: u32,
    pub(super) seq: u64,
}

/// A page of the table, and its first stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageAt {
    pub(super) place: Place,
    pub(super) ordinal: u32,
    pub(super) subject: Box<str>,
}

/// A page of ids, and its first fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IdsAt {
    pub(super) place: Place,
    pub(super) fingerprint: u64,
}

impl Index {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for count in [self.blocks.len(), self.pages.len(), self.ids.len()] {
            put(&mut out, count as u64);
        }
        let (mut offset, mut ordinal) = (0, 0);
        for block in &self.blocks {
            put_place(&mut out, &mut offset, block.place);
            put(&mut out, u64::from(block.ordinal - ordinal));
            put(&mut out, block.seq);
            ordinal = block.ordinal;
        }
        offset = 0;
        for page in &self.pages {
            put_place(&mut out, &mut offset, page.place);
            put(&mut out, page.ordinal.into());
            out.push(u8::try_from(page.subject.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(page.subject.as_bytes());
        }
        offset = 0;
        for page in &self.ids {
            put_place(&mut out, &mut offset, page.place);
            out.extend(page.fingerprint.to_le_bytes());
        }
        put(&mut out, self.trimmed);
        put(&mut out, self.away);
        if let Some(Object { name, bytes }) = &self.object {
            put_size(&mut out, name.len());
            out.extend_from_slice(name.as_bytes());
            put(&mut out, *bytes);
        }
        out
    }

    /// Reads a payload; nothing if it is not what a writer makes.
    pub(super) fn decode(payload: &[u8]) -> Option<Self> {
        let mut fields = Fields(payload);
        // Each takes three bytes at least, so no more is reserved than there can be.
        let mut count = || fields.size().filter(|count| *count <= payload.len() / 3);
        let (blocks, pages, ids) = (count()?, count()?, count()?);
        let mut index = Self {
            blocks: Vec::with_capacity(blocks),
            pages: Vec::with_capacity(pages),
            ids: Vec::with_capacity(ids),
            ..Self::default()
        };
        let (mut offset, mut ordinal) = (0, 0_u32);
        for _ in 0..blocks {
            let place = read_place(&mut fields, &mut offset)?;
            ordinal = ordinal.checked_add(fields.number()?)?;
            index.blocks.push(BlockAt { place, ordinal, seq: fields.varint()? });
        }
        offset = 0;
        for _ in 0..pages {
            let place = read_place(&mut fields, &mut offset)?;
            let ordinal = fields.number()?;
            let bytes = usize::from(fields.u8()?);
            let subject = std::str::from_utf8(fields.bytes(bytes)?).ok()?.into();
            index.pages.push(PageAt { place, ordinal, subject });
        }
        offset = 0;
        for _ in 0..ids {
            let place = read_place(&mut fields, &mut offset)?;
            index.ids.push(IdsAt { place, fingerprint: fields.u64()? });
        }
        if fields.0.is_empty() {
            return Some(index);
        }
        (index.trimmed, index.away) = (fields.varint()?, fields.varint()?);
        if index.away > 0 {
            let bytes = fields.size()?;
            let name = std::str::from_utf8(fields.bytes(bytes)?).ok()?.to_owned();
            index.object = Some(Object { name, bytes: fields.varint()? });
        }
        fields.0.is_empty().then_some(index)
    }

    /// The number of the block that has a record, if one has it.
    pub(super) fn block_of(&self, ordinal: u32, seq: u64) -> Option<usize> {
        let after = |block: &BlockAt| (block.ordinal, block.seq) <= (ordinal, seq);
        self.blocks.partition_point(after).checked_sub(1)
    }

    /// The number of the page that has a subject, if one has it.
    pub(super) fn page_of(&self, subject: &str) -> Option<usize> {
        self.pages.partition_point(|page| *page.subject <= *subject).checked_sub(1)
    }

    /// The pages that may have a fingerprint.
    pub(super) fn ids_of(&self, fingerprint: u64) -> &[IdsAt] {
        // Those with the fingerprint itself may begin on the page before.
        let start = self.ids.partition_point(|page| page.fingerprint < fingerprint);
        let end = self.ids.partition_point(|page| page.fingerprint <= fingerprint);
        self.ids.get(start.saturating_sub(1)..end).unwrap_or_default()
    }

    /// About how much memory it takes.
    pub(super) fn memory_bytes(&self) -> usize {
        let subjects: usize = self.pages.iter().map(|page| page.subject.len() + 16).sum();
        self.blocks.capacity() * size_of::<BlockAt>()
            + self.pages.capacity() * size_of::<PageAt>()
            + subjects
            + self.ids.capacity() * size_of::<IdsAt>()
    }
}

fn put_place(out: &mut Vec<u8>, last: &mut u64, place: Place) {
    put(out, place.offset - *last);
    put(out, place.bytes.into());
    *last = place.offset;
}

fn read_place(fields: &mut Fields<'_>, last: &mut u64) -> Option<Place> {
    *last = last.checked_add(fields.varint()?)?;
    Some(Place { offset: *last, bytes: fields.number()? })
}
