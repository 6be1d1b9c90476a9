//! Chunks: begins, fills and ends them, and computes the chain where the source does not give it.

use matchwire_domain::chain::Digest;
use matchwire_log::Error;

use super::{BLOCK_BYTES, Writer};
use crate::sealed::{
    block::{Content, Head},
    streams::{Kind, Row},
    varint::{put, put_signed, put_size},
};

impl Writer<'_> {
    /// Adds a chunk that says that rows are lost.
    pub(super) fn push_lost(&mut self, row: &Row<'_>, rows: u64) -> Result<(), Error> {
        self.end_chunk()?;
        let Some(next_seq) = row.seq.checked_add(rows).filter(|next| *next > row.seq) else {
            return Err(self.corrupt("more rows are lost than there can be".into()));
        };
        let Some(after) = row.chain else {
            return Err(self.corrupt(format!("the chain after seq {} is lost", row.seq)));
        };
        self.begin_chunk(row);
        self.chunk.content = Content::Lost;
        let chunk_before = self.stream.chain;
        let stream = &mut self.stream;
        (stream.next_seq, stream.chain) = (next_seq, after);
        (stream.is_closed, stream.chunk_before) = (row.kind.span().1, chunk_before);
        self.put_chunk(rows);
        if self.block.bytes() >= BLOCK_BYTES { self.end_block() } else { Ok(()) }
    }

    /// Ends the chunk where a row is of another content, and the block where a row is of another
    /// group of an archive: so a block has the rows of one group.
    pub(super) fn turn_to(&mut self, row: &Row<'_>) -> Result<(), Error> {
        let content = match row.kind {
            Kind::Trimmed { .. } => Content::Trimmed,
            Kind::Away { group, row, .. } => Content::Away { group, row },
            _ => Content::Events,
        };
        let goes_on = match (self.chunk.content, content) {
            (Content::Away { group: open, .. }, Content::Away { group, .. }) => open == group,
            (open, content) => open == content,
        };
        if self.chunk.rows > 0 && !goes_on {
            self.end_chunk()?;
        }
        if let Content::Away { group, .. } = content
            && self.block.group.replace(group).is_some_and(|open| open != group)
        {
            self.end_block()?;
            self.block.group = Some(group);
        }
        if self.chunk.rows == 0 {
            self.chunk.content = content;
        }
        Ok(())
    }

    /// Adds a row to the columns of its chunk.
    pub(super) fn put_row(&mut self, row: &Row<'_>) {
        let (block, chunk, stream) = (&mut self.block, &mut self.chunk, &mut self.stream);
        if let Kind::Away { .. } = row.kind {
            block.fingerprints.extend_from_slice(row.stored);
        } else {
            put(&mut block.metas, row.position - stream.last_position);
            put_signed(&mut block.metas, row.recorded.ms() - stream.last_recorded.ms());
            put_size(&mut block.metas, row.stored.len());
            block.fingerprints.extend(row.fingerprint.to_le_bytes());
            block.stored.extend_from_slice(row.stored);
        }
        (block.rows, chunk.rows) = (block.rows + 1, chunk.rows + 1);
        (stream.last_position, stream.last_recorded) = (row.position, row.recorded);
        stream.next_seq += 1;
        stream.is_closed = row.kind.span().1;
        match row.chain {
            Some(chain) => {
                stream.chain = chain;
                chunk.unknown.clear();
            }
            None => chunk.unknown.push((row.recorded, row.stored.len())),
        }
    }

    /// Computes the chain up to here, where the source did not give it.
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        if self.chunk.content != Content::Events && !self.chunk.unknown.is_empty() {
            let (subject, seq) = (&self.stream.subject, self.stream.next_seq - 1);
            let what = format!("{subject} cannot be cut at seq {seq}, which is not here any more");
            return Err(self.corrupt(what));
        }
        let (stream, chunk) = (&mut self.stream, &mut self.chunk);
        let bytes: usize = chunk.unknown.iter().map(|(_, bytes)| bytes).sum();
        let mut at = self.block.stored.len() - bytes;
        let mut seq = stream.next_seq - chunk.unknown.len() as u64;
        for (recorded, bytes) in chunk.unknown.drain(..) {
            let stored = self.block.stored.get(at..at + bytes).unwrap_or_default();
            stream.chain = if stream.is_anchored && seq == stream.first_seq {
                stream.before
            } else {
                stream.chain.next(seq, recorded, Digest::leaf(stored))
            };
            (at, seq) = (at + bytes, seq + 1);
        }
        Ok(())
    }

    pub(super) fn begin_chunk(&mut self, row: &Row<'_>) {
        let (block, chunk, stream) = (&mut self.block, &mut self.chunk, &mut self.stream);
        chunk.first_seq = row.seq;
        (chunk.metas_start, chunk.stored_start) = (block.metas.len(), block.stored.len());
        (chunk.position, chunk.recorded) = (row.position, row.recorded);
        (stream.last_position, stream.last_recorded) = (row.position, row.recorded);
        stream.chunk_before = stream.chain;
        block.first.get_or_insert((stream.ordinal, row.seq));
    }

    pub(super) fn end_chunk(&mut self) -> Result<(), Error> {
        if self.chunk.rows > 0 {
            self.settle()?;
            self.put_chunk(self.chunk.rows as u64);
        }
        Ok(())
    }

    fn put_chunk(&mut self, count: u64) {
        let (block, chunk, stream) = (&mut self.block, &mut self.chunk, &self.stream);
        let before = (chunk.first_seq > 1).then_some(stream.chunk_before);
        let start = (&*stream.subject, chunk.first_seq, before);
        let head = Head {
            start: (!chunk.continues).then_some(start),
            is_anchored: stream.is_anchored && chunk.first_seq == stream.first_seq,
            count,
            content: chunk.content,
            metas_bytes: block.metas.len() - chunk.metas_start,
            stored_bytes: block.stored.len() - chunk.stored_start,
            position: chunk.position,
            recorded: chunk.recorded,
            is_closed: stream.is_closed,
            after: stream.chain,
        };
        head.put(&mut block.heads);
        block.chunks += 1;
        (chunk.continues, chunk.rows) = (true, 0);
    }
}
