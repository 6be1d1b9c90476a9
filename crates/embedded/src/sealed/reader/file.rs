//! The file behind a sealed file that is open: its ends, its index, and its frames on demand.

use std::{
    io::ErrorKind,
    sync::{Arc, OnceLock},
};

use matchwire_domain::{subject::Subject, timestamp::Timestamp};
use matchwire_log::Error;

use crate::{
    disk::{Disk, File},
    format::VERSION,
    sealed::{
        block::{Block, Chunk},
        cache::Blocks,
        ends::{FOOTER_BYTES, Footer, HEADER_BYTES, check_header},
        filter::Filter,
        frame::{FRAME_HEADER_BYTES, Frame, Home, Part, Place},
        index::Index,
    },
};

pub(in crate::sealed) struct Whole {
    pub(in crate::sealed) file: Arc<dyn File>,
    pub(in crate::sealed) name: String,
    pub(in crate::sealed) home: Home,
    pub(in crate::sealed) file_bytes: u64,
    pub(in crate::sealed) footer: Footer,
    pub(in crate::sealed) index: Index,
    pub(in crate::sealed) cache: Arc<Blocks>,
    /// The number of the file in the cache.
    pub(in crate::sealed) number: u64,
    id_filter: OnceLock<Filter>,
    subject_filter: OnceLock<Filter>,
    /// When the first of its events has to be removed, once somebody has asked.
    pub(super) due: OnceLock<Option<Timestamp>>,
}

impl Drop for Whole {
    fn drop(&mut self) {
        self.cache.forget(self.number);
    }
}

impl Whole {
    pub(super) fn open(
        disk: &dyn Disk,
        name: String,
        home: Home,
        cache: Arc<Blocks>,
    ) -> Result<Self, Error> {
        let file = disk.open(&name)?;
        let file_bytes = file.size()?;
        let corrupt =
            |offset, what: &str| Error::Corrupt { file: name.clone(), offset, what: what.into() };
        let footer_at = file_bytes.checked_sub(FOOTER_BYTES as u64);
        let footer_at = footer_at.filter(|at| *at >= HEADER_BYTES as u64);
        let footer_at = footer_at.ok_or_else(|| corrupt(file_bytes, "it is cut off"))?;
        let mut bytes = [0; FOOTER_BYTES];
        let header = bytes.get_mut(..HEADER_BYTES).unwrap_or_default();
        file.read_at(header, 0)?;
        if let Some(version) = check_header(header, home).map_err(|what| corrupt(0, what))? {
            let what =
                format!("{name} has format {version}, and this version reads format {VERSION}");
            return Err(Error::Unusable { place: disk.place(), what });
        }
        file.read_at(&mut bytes, footer_at)?;
        let footer = Footer::decode(&bytes, home).map_err(|what| corrupt(footer_at, what))?;
        let mut whole = Self::without_index(file, name, home, footer, cache)?;
        let (payload, _) = whole.frame(footer.index, Part::Index)?;
        let damaged = || whole.corrupt(footer.index.offset, "its index cannot be read");
        whole.index = Index::decode(&payload).ok_or_else(damaged)?;
        Ok(whole)
    }

    /// A file of which only the blocks are to be read, once the index says where they are.
    pub(in crate::sealed) fn without_index(
        file: Arc<dyn File>,
        name: String,
        home: Home,
        footer: Footer,
        cache: Arc<Blocks>,
    ) -> Result<Self, Error> {
        let file_bytes = file.size()?;
        Ok(Self {
            file,
            name,
            home,
            file_bytes,
            footer,
            index: Index::default(),
            number: cache.file_number(),
            cache,
            id_filter: OnceLock::new(),
            subject_filter: OnceLock::new(),
            due: OnceLock::new(),
        })
    }

    /// Damage in this file.
    pub(in crate::sealed) fn corrupt(&self, offset: u64, what: impl Into<String>) -> Error {
        Error::Corrupt { file: self.name.clone(), offset, what: what.into() }
    }

    /// A chunk whose chain is not the right one.
    pub(in crate::sealed) fn broken(&self, offset: u64, subject: &Subject, chunk: &Chunk) -> Error {
        let (first, last) = (chunk.first_seq, chunk.last_seq());
        self.corrupt(offset, format!("the chain of {subject} is broken at seq {first} to {last}"))
    }

    /// Reads the payload of a frame, and says how many bytes it has once it is decompressed.
    pub(in crate::sealed) fn frame(
        &self,
        place: Place,
        part: Part,
    ) -> Result<(Vec<u8>, usize), Error> {
        let end = place.offset.checked_add(place.bytes.into());
        if end.is_none_or(|end| end > self.file_bytes) {
            return Err(self.corrupt(place.offset, "a frame is cut off"));
        }
        let mut bytes = vec![0; usize::try_from(place.bytes).unwrap_or_default()];
        let read = self.file.read_at(&mut bytes, place.offset);
        read.map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => self.corrupt(place.offset, "a frame is cut off"),
            _ => error.into(),
        })?;
        let frame = self.home.decode(&bytes, place.offset);
        let frame = frame.map_err(|what| self.corrupt(place.offset, what))?;
        if frame.part != part || Frame::size(&bytes) != Some(bytes.len()) {
            return Err(self.corrupt(place.offset, "a frame is another one than the index says"));
        }
        let raw_bytes = frame.raw_bytes;
        bytes.drain(..FRAME_HEADER_BYTES);
        Ok((bytes, raw_bytes))
    }

    /// A block or a page, from the cache or the file.
    pub(in crate::sealed) fn cached(&self, place: Place, part: Part) -> Result<Arc<Block>, Error> {
        if let Some(block) = self.cache.get(self.number, place.offset) {
            return Ok(block);
        }
        let (payload, raw_bytes) = self.frame(place, part)?;
        let block = if part == Part::Block {
            self.block(place.offset, &payload, raw_bytes)?
        } else {
            Block { payload, chunks: Vec::new() }
        };
        let block = Arc::new(block);
        self.cache.put(self.number, place.offset, &block);
        Ok(block)
    }

    /// Reads the payload of a block.
    pub(in crate::sealed) fn block(
        &self,
        offset: u64,
        payload: &[u8],
        raw_bytes: usize,
    ) -> Result<Block, Error> {
        let raw = self.cache.decompress(payload, raw_bytes);
        let block = raw.and_then(Block::decode);
        block.ok_or_else(|| self.corrupt(offset, "a block cannot be read"))
    }

    pub(in crate::sealed) fn id_filter(&self) -> Result<&Filter, Error> {
        self.filter(&self.id_filter, self.footer.id_filter, Part::IdFilter)
    }

    pub(in crate::sealed) fn subject_filter(&self) -> Result<&Filter, Error> {
        self.filter(&self.subject_filter, self.footer.subject_filter, Part::SubjectFilter)
    }

    fn filter<'a>(
        &self,
        kept: &'a OnceLock<Filter>,
        place: Place,
        part: Part,
    ) -> Result<&'a Filter, Error> {
        if let Some(filter) = kept.get() {
            return Ok(filter);
        }
        let (payload, _) = self.frame(place, part)?;
        let filter = Filter::from_payload(payload);
        let filter = filter.ok_or_else(|| self.corrupt(place.offset, "a filter cannot be read"))?;
        Ok(kept.get_or_init(|| filter))
    }

    /// What it takes in memory now.
    pub(super) fn memory_bytes(&self) -> usize {
        let filters = [&self.id_filter, &self.subject_filter];
        let filters = filters.map(|filter| filter.get().map_or(0, |it| it.payload().len()));
        size_of::<Self>() + self.index.memory_bytes() + filters.iter().sum::<usize>()
    }
}
