//! Blocks whose events are in the archive: fetches their group, and puts it in its place.

use std::sync::Arc;

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::Error;

use super::{
    block::{Block, Chunk, Content, Head},
    frame::{Part, Place},
    reader::Whole,
    varint::{put, put_signed, put_size},
    writer::Columns,
};
use crate::archive::{Object, Row};

/// Behind this in a key of the cache: a block with its events. Offsets are far below.
const FILLED: u64 = 1 << 63;

impl Block {
    /// The group of the archive that has events of it.
    pub(super) fn group(&self) -> Option<u32> {
        self.chunks.iter().find_map(|chunk| match chunk.content {
            Content::Away { group, .. } => Some(group),
            _ => None,
        })
    }

    /// The block with the events of a group in it; nothing if they are not those of its chunks.
    fn filled(&self, rows: &[Row]) -> Option<Self> {
        let mut columns = Columns::default();
        for chunk in &self.chunks {
            let (metas, stored) = (columns.metas.len(), columns.stored.len());
            let content = match chunk.content {
                Content::Away { row, .. } => {
                    self.put_rows(&mut columns, chunk, rows.get(usize::try_from(row).ok()?..)?)?;
                    Content::Events
                }
                content => {
                    let copy = |span: &std::ops::Range<usize>| self.payload.get(span.clone());
                    columns.metas.extend_from_slice(copy(&chunk.metas)?);
                    columns.fingerprints.extend_from_slice(copy(&chunk.fingerprints)?);
                    columns.stored.extend_from_slice(copy(&chunk.stored)?);
                    content
                }
            };
            if content != Content::Lost {
                columns.rows += usize::try_from(chunk.count).ok()?;
            }
            columns.chunks += 1;
            let head = Head {
                start: Some((self.subject(chunk), chunk.first_seq, chunk.before)),
                is_anchored: chunk.is_anchored,
                count: chunk.count,
                content,
                metas_bytes: columns.metas.len() - metas,
                stored_bytes: columns.stored.len() - stored,
                position: chunk.position,
                recorded: Timestamp::from_ms(chunk.recorded),
                is_closed: chunk.is_closed,
                after: chunk.after,
            };
            head.put(&mut columns.heads);
        }
        Self::decode(columns.take().to_vec())
    }

    fn put_rows(&self, columns: &mut Columns, chunk: &Chunk, rows: &[Row]) -> Option<()> {
        let rows = rows.get(..usize::try_from(chunk.count).ok()?)?;
        let (mut position, mut recorded) = (chunk.position, chunk.recorded);
        for (row, seq) in rows.iter().zip(chunk.first_seq..) {
            if *row.subject != *self.subject(chunk) || row.seq != seq {
                return None;
            }
            put(&mut columns.metas, row.position.checked_sub(position)?);
            put_signed(&mut columns.metas, row.recorded.ms().checked_sub(recorded)?);
            put_size(&mut columns.metas, row.stored.len());
            columns.fingerprints.extend(row.fingerprint.to_le_bytes());
            columns.stored.extend_from_slice(&row.stored);
            (position, recorded) = (row.position, row.recorded.ms());
        }
        Some(())
    }
}

impl Whole {
    /// A block with its events, which may have to be fetched.
    pub(super) fn events(&self, place: Place) -> Result<Arc<Block>, Error> {
        let block = self.cached(place, Part::Block)?;
        if block.group().is_none() {
            return Ok(block);
        }
        let key = place.offset | FILLED;
        if let Some(filled) = self.cache.get(self.number, key) {
            return Ok(filled);
        }
        let filled = Arc::new(self.fill(&block)?);
        self.cache.put(self.number, key, &filled);
        Ok(filled)
    }

    /// A block that was read, with its events.
    pub(super) fn with_events(&self, block: Block) -> Result<Block, Error> {
        if block.group().is_some() { self.fill(&block) } else { Ok(block) }
    }

    fn fill(&self, block: &Block) -> Result<Block, Error> {
        let (Some(group), Some(object)) = (block.group(), &self.index.object) else {
            return Err(
                self.corrupt(self.footer.index.offset, "it does not say where its events are")
            );
        };
        let Object { name, .. } = object;
        let Some(archive) = &self.cache.archive else {
            let what = format!("nobody has said where the archive with the object {name} is");
            return Err(Error::Away { place: "the archive".into(), what });
        };
        let rows = archive.read(object, group)?;
        block.filled(&rows).ok_or_else(|| Error::Corrupt {
            file: name.clone(),
            offset: 0,
            what: format!("its group {group} does not have the events of {}", self.name),
        })
    }
}
