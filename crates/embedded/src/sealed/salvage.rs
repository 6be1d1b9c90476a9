//! What is left of a damaged sealed file: its blocks are found by their checksums, without an index,
//! and each says what it has.
//!
//! If all blocks are there, the file can be written again as it was. If not, it can be written with
//! its losses: a chunk that says which rows are lost, where the chain before and behind them, or the
//! table, tells that. What neither tells is not known to be missing; then the file says that it is
//! lossy.

mod patched;

use std::sync::{Arc, atomic::AtomicBool};

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::Error;

use super::{
    Blocks, Prepared, Range, Rebuilt, Sealed, Streams, Target,
    block::{Block, Content},
    ends::{FOOTER_BYTES, Footer, HEADER_BYTES, recorded},
    frame::{FRAME_HEADER_BYTES, Frame, Home, MAGIC, Part, Place},
    index::{BlockAt, Index, PageAt},
    merge::prepare,
    reader::{Entries, Whole},
    table::PageRows,
    walk::Walk,
};
use crate::{disk::Disk, window::Window, writer::TMP_SUFFIX};
use patched::Patched;
pub(crate) use patched::{LostRows, Told};

/// How much is looked through at once for the next frame.
const LOOK_BYTES: usize = 1 << 20;

/// A damaged file, as far as it can be read.
pub(crate) struct Salvage {
    whole: Arc<Whole>,
    /// All its blocks are there.
    is_complete: bool,
    /// All streams are in the pages of the table that are there.
    knows_streams: bool,
}

impl Salvage {
    /// Reads a file from front to back.
    pub(crate) fn read(
        disk: &dyn Disk,
        log_id: u64,
        range: Range,
        cache: &Arc<Blocks>,
    ) -> Result<Self, Error> {
        let (name, home) = (super::sealed_name(range), Home { log_id, range });
        let file = disk.open(&name)?;
        let mut window = Window::new(file.clone())?;
        let footer = window.size().checked_sub(FOOTER_BYTES as u64);
        let footer = match footer {
            Some(at) => Footer::decode(window.get(at, FOOTER_BYTES)?, home).ok(),
            None => None,
        };
        let reached = recorded(window.get(0, HEADER_BYTES)?, home);
        let end = Footer { home, ..footer.unwrap_or_default() };
        let mut whole = Whole::without_index(file, name, home, end, cache.clone())?;
        let mut found = Found::default();
        found.all(&whole, &mut window)?;
        let sums = &mut whole.footer.sums;
        sums.recorded = sums.recorded.max(reached).max(found.recorded);
        let is_complete =
            found.is_complete || footer.is_some_and(|footer| footer.sums.events == found.events);
        let knows_streams = footer.is_some_and(|footer| footer.sums.streams == found.streams);
        whole.index = found.index;
        Ok(Self { whole: Arc::new(whole), is_complete, knows_streams })
    }

    /// Writes the file again; nothing if a block is damaged.
    pub(crate) fn reseal(
        &self,
        disk: &dyn Disk,
        level: i32,
        stop: &AtomicBool,
    ) -> Result<Option<Sealed>, Error> {
        if !self.is_complete {
            return Ok(None);
        }
        let whole = self.whole.clone();
        let walk = move || Ok(Box::new(Walk::new(whole.clone())?) as Box<dyn Streams>);
        let source = Rebuilt::new(walk).map(|source| Box::new(source) as Box<dyn Streams>);
        let is_lossy = self.whole.footer.is_lossy;
        let target = Target { level, ..self.target(disk, is_lossy, stop) };
        let sealed = source.and_then(|source| super::seal(&target, vec![source]));
        match sealed {
            Ok(sealed) => Ok(Some(sealed)),
            // Its checksums are right, and yet it does not fit together.
            Err(Error::Corrupt { .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Writes what there is, with what is known of the losses, which `told` is given.
    pub(crate) fn prepare_with_losses(
        &self,
        disk: &dyn Disk,
        told: &Told,
    ) -> Result<Prepared, Error> {
        let stop = &AtomicBool::new(false);
        let (whole, told) = (self.whole.clone(), told.clone());
        let patched = move |told: Option<Told>| Patched::new(whole.clone(), told);
        let first = std::cell::Cell::new(Some(told));
        // The rows are read again for their ids; what is lost is told but once.
        let open = move || Ok(Box::new(patched(first.take())?) as Box<dyn Streams>);
        let source = Rebuilt::new(open)?;
        let is_lossy = !self.knows_streams || self.whole.footer.is_lossy;
        prepare(&self.target(disk, is_lossy, stop), vec![Box::new(source)])
    }

    fn target<'a>(&self, disk: &'a dyn Disk, is_lossy: bool, stop: &'a AtomicBool) -> Target<'a> {
        let Home { log_id, range } = self.whole.home;
        let (recorded, cache) = (self.whole.footer.sums.recorded, self.whole.cache.clone());
        let (level, object, suffix) = (super::LEVEL, None, TMP_SUFFIX);
        Target { disk, log_id, range, recorded, level, cache, is_lossy, object, suffix, stop }
    }
}

impl Sealed {
    /// Writes the file again from its own blocks, and gives the new one; nothing if a block is
    /// damaged, too.
    pub(crate) fn resealed(
        &self,
        disk: &dyn Disk,
        stop: &AtomicBool,
    ) -> Result<Option<Self>, Error> {
        let Home { log_id, range } = self.whole.home;
        Salvage::read(disk, log_id, range, &self.whole.cache)?.reseal(disk, 1, stop)
    }

    /// Whether something is missing in it of which nothing is known.
    pub(crate) fn is_lossy(&self) -> bool {
        self.whole.footer.is_lossy
    }
}

/// What a search has found.
#[derive(Default)]
struct Found {
    index: Index,
    events: u64,
    streams: u64,
    recorded: Timestamp,
    /// No byte before the ids is damaged, and so no block.
    is_complete: bool,
    is_damaged: bool,
}

impl Found {
    fn all(&mut self, whole: &Whole, window: &mut Window) -> Result<(), Error> {
        let mut offset = HEADER_BYTES as u64;
        while offset < window.size() {
            if let Some(bytes) = self.frame(whole, window, offset)? {
                offset += bytes;
                continue;
            }
            self.is_damaged = true;
            offset = next_frame(whole, window, offset + 1)?;
        }
        Ok(())
    }

    /// Takes the frame at an offset, and gives its size; nothing if there is none that is whole.
    fn frame(
        &mut self,
        whole: &Whole,
        window: &mut Window,
        offset: u64,
    ) -> Result<Option<u64>, Error> {
        let Some(size) = Frame::size(window.get(offset, FRAME_HEADER_BYTES)?) else {
            return Ok(None);
        };
        let bytes = window.get(offset, size)?;
        let Ok(frame) = whole.home.decode(bytes, offset) else { return Ok(None) };
        let place = Place { offset, bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX) };
        let is_good = match frame.part {
            Part::Block => self.block(whole, place, &frame),
            Part::Table => self.page(place, frame.payload).is_some(),
            Part::Ids | Part::IdFilter | Part::SubjectFilter | Part::Index => {
                self.is_complete |= !self.is_damaged;
                true
            }
        };
        Ok(is_good.then_some(place.bytes.into()))
    }

    fn block(&mut self, whole: &Whole, place: Place, frame: &Frame<'_>) -> bool {
        let raw = whole.cache.decompress(frame.payload, frame.raw_bytes);
        let Some(block) = raw.and_then(Block::decode) else { return false };
        let Some(first) = block.chunks.first() else { return false };
        self.index.blocks.push(BlockAt { place, ordinal: 0, seq: first.first_seq });
        for chunk in &block.chunks {
            self.events += if chunk.content == Content::Lost { 0 } else { chunk.count };
            self.recorded = self.recorded.max(Timestamp::from_ms(chunk.recorded));
        }
        true
    }

    fn page(&mut self, place: Place, payload: &[u8]) -> Option<()> {
        let mut rows = PageRows::new(payload)?;
        let mut streams = 0;
        while rows.has_more() {
            rows.read()?;
            streams += 1;
        }
        self.streams += streams;
        self.index.pages.push(PageAt { place, ordinal: 0, subject: "".into() });
        rows.is_done().then_some(())
    }
}

/// Where the next frame is that is whole, or the end of the file.
fn next_frame(whole: &Whole, window: &mut Window, from: u64) -> Result<u64, Error> {
    let mut offset = from;
    while offset < window.size() {
        let piece = window.get(offset, LOOK_BYTES)?;
        let bytes = piece.len() as u64;
        let starts = piece.windows(MAGIC.len()).zip(0_u64..);
        let starts = starts.filter(|(bytes, _)| **bytes == MAGIC).map(|(_, at)| offset + at);
        for start in starts.collect::<Vec<u64>>() {
            let size = Frame::size(window.get(start, FRAME_HEADER_BYTES)?);
            let frame = window.get(start, size.unwrap_or_default())?;
            if whole.home.decode(frame, start).is_ok() {
                return Ok(start);
            }
        }
        // A magic may be across the end of the piece.
        let step = bytes.saturating_sub(MAGIC.len() as u64 - 1).max(1);
        offset += if bytes < LOOK_BYTES as u64 { bytes } else { step };
    }
    Ok(window.size())
}
