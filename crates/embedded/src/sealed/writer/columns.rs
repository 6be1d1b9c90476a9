//! The block and the chunk that are being filled.

use matchwire_domain::timestamp::Timestamp;

use crate::sealed::{block::Content, varint::put_size};

/// The block that is being filled.
#[derive(Default)]
pub(in crate::sealed) struct Columns {
    /// The stream of its first row by number, and the seq.
    pub(in crate::sealed) first: Option<(u32, u64)>,
    /// The group of an archive that has rows of it.
    pub(in crate::sealed) group: Option<u32>,
    pub(in crate::sealed) chunks: usize,
    pub(in crate::sealed) rows: usize,
    pub(in crate::sealed) heads: Vec<u8>,
    pub(in crate::sealed) metas: Vec<u8>,
    pub(in crate::sealed) fingerprints: Vec<u8>,
    pub(in crate::sealed) stored: Vec<u8>,
    pub(in crate::sealed) raw: Vec<u8>,
}

/// The chunk that is being filled.
#[derive(Default)]
pub(super) struct Chunk {
    /// It goes on with the stream of the chunk before it in the block.
    pub(super) continues: bool,
    pub(super) first_seq: u64,
    pub(super) rows: usize,
    pub(super) content: Content,
    pub(super) metas_start: usize,
    pub(super) stored_start: usize,
    pub(super) position: u64,
    pub(super) recorded: Timestamp,
    /// Rows since the chain was last known: time and bytes.
    pub(super) unknown: Vec<(Timestamp, usize)>,
}

impl Columns {
    pub(super) fn bytes(&self) -> usize {
        self.heads.len() + self.metas.len() + self.fingerprints.len() + self.stored.len()
    }

    /// Puts the columns together, and empties them.
    pub(in crate::sealed) fn take(&mut self) -> &[u8] {
        let raw = &mut self.raw;
        raw.clear();
        for size in [self.chunks, self.rows, self.heads.len(), self.metas.len()] {
            put_size(raw, size);
        }
        let columns = [&mut self.heads, &mut self.metas, &mut self.fingerprints, &mut self.stored];
        for column in columns {
            raw.append(column);
        }
        (self.chunks, self.rows, self.group) = (0, 0, None);
        raw
    }
}
