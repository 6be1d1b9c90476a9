//! Sealed files: full segments, written again by stream, compressed, with their indexes.
//!
//! ```text
//! 00000000000000000001-00000000000000000420.sealed    the groups that it covers, first and last
//! ┌────────┬───────┬───────┬───────┬───┬──────┬───┬─────┬───┬─────────┬──────────┬───────┬────────┐
//! │ header │ block │ block │ table │ … │ table│ … │ ids │ … │ filter: │ filter:  │ index │ footer │
//! │        │       │       │ page  │   │ page │   │ page│   │ ids     │ subjects │       │        │
//! └────────┴───────┴───────┴───────┴───┴──────┴───┴─────┴───┴─────────┴──────────┴───────┴────────┘
//!          └── streams in order of subject ──────┘
//!
//! header, 64 bytes
//!    0  8  magic
//!    8  4  CRC-32C of what follows
//!   12  4  version of the format, 3
//!   16  8  log id
//!   24  8  first group
//!   32  8  last group
//!   40  8  recordedtime that is reached with the file, in milliseconds since 1970
//!   48 16  zero
//!
//! frame: everything between header and footer, one behind the other
//!    0  8  magic; it is not UTF-8, so that blocks can be found again if the index is lost
//!    8  4  CRC-32C of log id, first and last group, the frame's offset, and what follows
//!   12  4  kind: 1 block, 2 table page, 3 ids page, 4 filter of ids, 5 filter of subjects, 6 index
//!   16  4  bytes of the payload
//!   20  4  bytes of the payload once it is decompressed; a block is compressed with zstd
//!   24  …  the payload
//!
//! block:      varints: chunks, rows, bytes of heads, bytes of metas; then heads, metas,
//!             fingerprints (8 each), stored events, each of them chunk by chunk
//! head:       flags (1); if its events are away: their group, and the first one's row in it; if it
//!             does not continue the chunk before: subject with its length (1),
//!             first seq, chain before it (32, unless it is the genesis); then how many rows, bytes
//!             of metas, bytes of stored events, position before the first row, recordedtime before
//!             it (zigzag), chain after the last row (32)
//! flags:      1 continues the chunk before, 2 starts at the genesis, 4 its last row seals the stream,
//!             8 its rows are lost: it has only a head, by which the chain goes on; 16 what comes
//!             before its first row was missing when it was sealed: for the chain before stands that
//!             of the first row; 32 its rows were trimmed: for each stored event stand the second 8
//!             bytes of the hash of its identity; 64 its events are away, in the archive: those 8
//!             bytes stand for the fingerprint, and it has neither metas nor stored events
//! meta:       position less that of the row before, recordedtime likewise (zigzag), bytes stored
//! table page: how many, number of the first stream; then for each: bytes that its subject shares
//!             with the one before (1), bytes of the rest (1), rest, flags (1), first seq, how many;
//!             flag 32: how many were trimmed; flag 64: time of the first one that was not (zigzag);
//!             chain before (32, unless it is the genesis), chain of the last one (32)
//! ids page:   how many, first fingerprint (8); then for each: fingerprint less the one before,
//!             number of the stream, seq; in order of fingerprint
//! filter:     see `filter.rs`
//! index:      where the frames are, see `index.rs`
//! footer:     see `ends.rs`
//! ```
//!
//! Numbers without a size are varints of 7 bits a byte, low ones first; others are little-endian.
//! A chunk is at most 128 consecutive rows of one stream; some 1,024 if they are trimmed or away. A
//! block has rows of one group of the archive at most. Chains of single rows are not stored: who
//! reads a row computes the chains of its chunk, which must end where the chunk says.
//!
//! What is sealed when, and which files are merged, is left to the medium.

/// The level of zstd: the lowest one, which is as small as level 3 for events.
pub(crate) const LEVEL: i32 = 1;

mod ends;
mod frame;
mod name;
mod varint;

mod block;
mod filter;
mod ids;
mod index;
mod table;

mod arrival;
mod streams;
mod walk;

mod merge;
mod writer;

mod cache;
mod fill;
mod reader;
mod verify;

mod emptied;

mod rebuilt;
mod salvage;

#[cfg(test)]
mod tests;

pub(crate) use arrival::{Arrival, Arrivals};
pub(crate) use cache::Blocks;
pub(crate) use emptied::{Emptied, Groups, Leaves};
pub(crate) use ends::footer_crc;
pub(crate) use merge::{Prepared, Target, prepare, seal};
pub(crate) use name::{Range, parse_name, sealed_name};
pub(crate) use reader::Sealed;
pub(crate) use rebuilt::Rebuilt;
pub(crate) use salvage::{LostRows, Salvage};
pub(crate) use streams::{Id, Kind, Opening, Row, Streams};
pub(crate) use table::Entry;
pub(crate) use verify::Depth;
pub(crate) use walk::Walk;
