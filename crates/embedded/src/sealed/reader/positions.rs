//! Where the records of a stream are in the order of groups.

use matchwire_domain::subject::Subject;
use matchwire_log::Error;

use super::{Entry, Sealed};
use crate::sealed::block::{Block, Chunk, Cursor};

impl Sealed {
    /// The `seq` that a stream had reached before the group at a position. Positions of events that
    /// are in the archive have to be fetched.
    pub(crate) fn seq_before(
        &self,
        subject: &Subject,
        entry: &Entry,
        position: u64,
    ) -> Result<u64, Error> {
        let block_of = |seq| self.whole.index.block_of(entry.ordinal, seq).unwrap_or(0);
        // The last block whose first row has only rows before the position ahead of it; a stream does
        // not go back in positions.
        let (mut low, mut high) = (block_of(entry.first_seq), block_of(entry.last_seq));
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            match self.reached(subject, middle, position, entry)? {
                Some(_) => low = middle,
                None => high = middle - 1,
            }
        }
        Ok(self.reached(subject, low, position, entry)?.unwrap_or(entry.first_seq - 1))
    }

    /// The last row of a stream in a block, or before it, that is before the group at a position;
    /// nothing if the row before the block is not before it.
    fn reached(
        &self,
        subject: &Subject,
        number: usize,
        position: u64,
        entry: &Entry,
    ) -> Result<Option<u64>, Error> {
        let at = self.whole.index.blocks.get(number);
        let place = at.map_or(self.whole.footer.index, |at| at.place);
        let block = self.whole.events(place)?;
        let mut chunks =
            block.chunks.iter().filter(|chunk| block.subject(chunk) == subject.as_str());
        let missing = || self.whole.corrupt(place.offset, format!("it has nothing of {subject}"));
        let first = chunks.next().ok_or_else(missing)?;
        // What the first chunk of a stream begins with stands for no row.
        if first.first_seq > entry.first_seq && first.position >= position {
            return Ok(None);
        }
        let mut seq = first.first_seq - 1;
        for chunk in std::iter::once(first).chain(chunks) {
            let before = rows_before(&block, chunk, position).ok_or_else(|| {
                self.whole.corrupt(place.offset, format!("rows of {subject} cannot be read"))
            })?;
            seq += before;
            if before < chunk.count {
                break;
            }
        }
        Ok(Some(seq))
    }
}

/// How many rows of a chunk are before the group at a position; nothing if they cannot be read.
fn rows_before(block: &Block, chunk: &Chunk, position: u64) -> Option<u64> {
    let mut cursor = Cursor::new(chunk);
    let mut before = 0;
    while !cursor.is_done(chunk) {
        if cursor.next(block, chunk)?.position >= position {
            return Some(before);
        }
        before = cursor.row;
    }
    Some(chunk.count)
}
