//! The block and the chunk that are being filled.

use matchwire_domain::timestamp::Timestamp;

use crate::sealed::varint::put_size;

/// The block that is being filled.
#[derive(Default)]
pub(super) struct Columns {
    /// The stream of its first row by number, and the seq.
    pub(super) first: Option<(u32, u64)>,
    pub(super) chunks: usize,
    pub(super) rows: usize,
    pub(super) heads: Vec<u8>,
    pub(super) metas: Vec<u8>,
    pub(super) fingerprints: Vec<u8>,
    pub(super) stored: Vec<u8>,
    pub(super) raw: Vec<u8>,
}

/// The chunk that is being filled.
#[derive(Default)]
pub(super) struct Chunk {
    /// It goes on with the stream of the chunk before it in the block.
    pub(super) continues: bool,
    pub(super) first_seq: u64,
    pub(super) rows: usize,
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
    pub(super) fn take(&mut self) -> &[u8] {
        let raw = &mut self.raw;
        raw.clear();
        for size in [self.chunks, self.rows, self.heads.len(), self.metas.len()] {
            put_size(raw, size);
        }
        let columns = [&mut self.heads, &mut self.metas, &mut self.fingerprints, &mut self.stored];
        for column in columns {
            raw.append(column);
        }
        (self.chunks, self.rows) = (0, 0);
        raw
    }
}
