//! The medium: ties the writer, the indexes and the files together.

mod fetch;

use std::{path::Path, sync::Arc};

use matchwire_domain::{envelope::Recorded, subject::Subject};
use matchwire_log::{
    Error, Medium,
    medium::{Durability, Head, Record, Tail, Written},
};
use parking_lot::{Mutex, RwLock};

use crate::{
    catalog::{Catalog, Part},
    disk::{Directory, Disk, File},
    filter::{Filter, Filters},
    format::{GROUP_HEADER_BYTES, Home, View, group_bytes},
    index::{Index, Span},
    pages::index_name,
    recovery::{Open, Opened, Recovery, corrupt, rebuild_index, recover},
    scan::segment_name,
    sealed::Sealed,
    writer::{Writer, create_segment, error, remove_segment},
};

/// The largest group; offsets in a segment have 32 bits.
const MAX_GROUP_BYTES: usize = 1 << 30;
/// How many places are fetched at once.
const PAGE_RECORDS: usize = 1_024;

/// How segments are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// A segment that would get larger than this is sealed, and the next one started. At most
    /// 2 GiB; by default 64 MiB.
    ///
    /// Sealing sorts and writes the segment's index while appends wait: some 20 ms for 64 MiB of
    /// 300-byte events, and 100 ms for 256 MiB.
    pub segment_bytes: u64,
    /// How far ahead of the groups zeros are written; by default 4 MiB.
    pub ahead_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, ahead_bytes: 4 << 20 }
    }
}

/// A medium in a directory of segment files.
pub struct Segments {
    id: String,
    disk: Arc<dyn Disk>,
    report: Recovery,
    segment_bytes: u64,
    /// Nothing once a write or a sync has failed.
    writer: Mutex<Option<Writer>>,
    state: RwLock<State>,
    filters: Mutex<Filters>,
    repair: Mutex<()>,
}

struct State {
    tail: Tail,
    catalog: Catalog,
    open: Open,
}

/// Where the next records of a stream are.
enum Place {
    Sealed(Part),
    Open(Arc<dyn File>, u64, Vec<Span>),
}

impl Segments {
    /// Opens a directory, makes a log in it if it is empty, and keeps other processes out.
    pub fn open(directory: &Path, options: Options) -> Result<Self, Error> {
        Self::open_on(Arc::new(Directory::open(directory)?), options)
    }

    /// Opens a log on another disk than the real one.
    pub fn open_on(disk: Arc<dyn Disk>, options: Options) -> Result<Self, Error> {
        let Opened { catalog, open, tail, end, size, report } = recover(&*disk)?;
        let Options { segment_bytes, ahead_bytes } = options;
        let writer = Writer::new(open.file.clone(), open.home, end, size, ahead_bytes);
        Ok(Self {
            id: format!("{:016x}", open.home.log_id),
            disk,
            report,
            segment_bytes: segment_bytes.min(2 << 30),
            writer: Mutex::new(Some(writer)),
            state: RwLock::new(State { tail, catalog, open }),
            filters: Mutex::default(),
            repair: Mutex::default(),
        })
    }

    /// What was found when it was opened.
    pub fn recovery(&self) -> &Recovery {
        &self.report
    }

    fn write(
        &self,
        writer: &mut Writer,
        position: u64,
        group: &[Record],
    ) -> Result<Written, Error> {
        let bytes = group_bytes(group);
        if bytes > MAX_GROUP_BYTES {
            return Err(Error::TooLarge { bytes, limit: MAX_GROUP_BYTES });
        }
        let is_empty = writer.home.segment == position;
        if !is_empty && writer.end + bytes as u64 > self.segment_bytes {
            self.roll(writer, position)?;
        }
        let start = writer.end;
        let written = writer.write(position, group)?;
        let mut state = self.state.write();
        let mut offset = start + GROUP_HEADER_BYTES as u64;
        for record in group {
            let view = View::of(record);
            let segment = writer.home.segment;
            state.open.index.add(offset, &view).map_err(|what| corrupt(segment, offset, what))?;
            offset += view.size() as u64;
            state.tail.recorded = state.tail.recorded.max(view.recorded);
        }
        state.tail.position = position + 1;
        Ok(written)
    }

    /// Seals the open segment and starts the next one, with the group at `position`.
    fn roll(&self, writer: &mut Writer, position: u64) -> Result<(), Error> {
        let home = Home { segment: position, ..writer.home };
        let state = self.state.read();
        let recorded = state.tail.recorded;
        let file = create_segment(&*self.disk, home, recorded)?;
        let (sealed, rows, bytes, filter) =
            Sealed::encode(writer.home, writer.end, position - 1, recorded, &state.open.index);
        drop(state);
        let index = self.disk.create(&index_name(writer.home.segment));
        if let Err(failed) = index.and_then(|index| index.write_at(&bytes, 0)) {
            remove_segment(&*self.disk, home)?;
            return Err(error(failed));
        }
        writer.go_on(file.clone(), home);
        let mut state = self.state.write();
        self.filters.lock().put(sealed.home.segment, Arc::new(filter));
        let segment = sealed.home.segment;
        let added = state.catalog.add(&Arc::new(sealed), rows);
        state.open = Open { home, file, index: Index::default() };
        added.map_err(|what| corrupt(segment, 0, what))
    }

    /// Where the record with a seq is, with up to so many after it.
    fn place(&self, subject: &str, seq: u64, limit: usize) -> Option<Place> {
        let state = self.state.read();
        if let Some(part) = state.catalog.part(subject, seq) {
            return Some(Place::Sealed(part.clone()));
        }
        let (_, stream) = state.open.index.stream(subject)?;
        let skip = usize::try_from(seq.checked_sub(stream.first_seq)?).ok()?;
        let spans: Vec<Span> = stream.spans.iter().skip(skip).take(limit).copied().collect();
        let Open { home, file, .. } = &state.open;
        (!spans.is_empty()).then(|| Place::Open(file.clone(), home.segment, spans))
    }

    /// Does something with the index file of a sealed segment; if that is damaged, it is built
    /// again first.
    fn with_index<T>(
        &self,
        sealed: &Sealed,
        action: impl Fn(&dyn File) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let name = index_name(sealed.home.segment);
        let attempt = || match self.disk.open(&name) {
            Ok(file) => action(&*file),
            Err(failed) if failed.kind() == std::io::ErrorKind::NotFound => {
                let what = "it is missing".into();
                Err(Error::Corrupt { file: name.clone(), offset: 0, what })
            }
            Err(failed) => Err(failed.into()),
        };
        match attempt() {
            Err(Error::Corrupt { .. }) => {}
            other => return other,
        }
        let _one_at_a_time = self.repair.lock();
        match attempt() {
            Err(Error::Corrupt { what, offset, .. }) => {
                tracing::warn!(file = name, offset, what, "building a damaged index again");
                rebuild_index(&*self.disk, sealed.home)?;
                attempt()
            }
            other => other,
        }
    }

    fn filter(&self, sealed: &Sealed) -> Result<Arc<Filter>, Error> {
        let segment = sealed.home.segment;
        if let Some(filter) = self.filters.lock().get(segment) {
            return Ok(filter);
        }
        let filter = Arc::new(self.with_index(sealed, |file| sealed.filter(file))?);
        self.filters.lock().put(segment, filter.clone());
        Ok(filter)
    }
}

impl Medium for Segments {
    fn id(&self) -> &str {
        &self.id
    }

    fn durability(&self) -> Durability {
        Durability::Disk
    }

    fn tail(&self) -> Tail {
        self.state.read().tail
    }

    fn heads(&self) -> Vec<Head> {
        let state = self.state.read();
        let head = |subject: &str, seq, chain| {
            let subject = Subject::parse(subject).ok()?;
            Some(Head { subject, seq, chain })
        };
        let open = &state.open.index;
        let sealed = state.catalog.streams().filter(|(subject, _)| open.stream(subject).is_none());
        let sealed = sealed.filter_map(|(subject, known)| head(subject, known.seq, known.chain));
        let open = open.streams.iter();
        let open = open.filter_map(|stream| head(&stream.subject, stream.seq(), stream.chain));
        sealed.chain(open).collect()
    }

    fn append(&self, position: u64, group: &[Record]) -> Result<Written, Error> {
        let mut guard = self.writer.lock();
        let Some(writer) = guard.as_mut() else { return Err(Error::Stopped) };
        if position != self.tail().position {
            return Err(Error::Stopped);
        }
        let written = self.write(writer, position, group);
        if written.as_ref().is_err_and(|error| !error.is_retryable()) {
            *guard = None;
        }
        written
    }

    fn read(
        &self,
        subject: &Subject,
        after: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Recorded>, Error> {
        let mut records: Vec<Recorded> = Vec::new();
        let (mut bytes, mut next) = (0, after.saturating_add(1));
        while records.len() < limit && bytes < limit_bytes {
            let limit = (limit - records.len()).min(PAGE_RECORDS);
            let (file, segment, spans) = match self.place(subject.as_str(), next, limit) {
                None => break,
                Some(Place::Open(file, segment, spans)) => (file, segment, spans),
                Some(Place::Sealed(part)) => {
                    let skip = u32::try_from(next - part.first_seq).unwrap_or(u32::MAX);
                    let left = usize::try_from(part.count - skip).unwrap_or(usize::MAX);
                    let (start, limit) = (part.start + skip, limit.min(left));
                    let segment = part.sealed.home.segment;
                    let index = |file: &dyn File| part.sealed.spans(file, start, limit);
                    let spans = self.with_index(&part.sealed, index)?;
                    (self.disk.open(&segment_name(segment))?, segment, spans)
                }
            };
            let fetch = fetch::Fetch { file: &*file, segment, subject };
            let fetched = fetch.records(next, &spans, limit_bytes - bytes)?;
            bytes += fetched.iter().map(|recorded| recorded.stored.len()).sum::<usize>();
            next += fetched.len() as u64;
            records.extend(fetched);
        }
        Ok(records)
    }

    fn lookup(&self, subject: &Subject, fingerprints: &[u64]) -> Result<Vec<(usize, u64)>, Error> {
        let mut found = Vec::new();
        let parts = {
            let state = self.state.read();
            for (index, fingerprint) in fingerprints.iter().enumerate() {
                let index_of = &state.open.index;
                index_of.lookup(subject.as_str(), *fingerprint, |seq| found.push((index, seq)));
            }
            state.catalog.parts(subject.as_str()).to_vec()
        };
        for Part { sealed, number, first_seq, .. } in &parts {
            let filter = self.filter(sealed)?;
            for (index, fingerprint) in fingerprints.iter().enumerate() {
                if filter.may_have(*fingerprint) {
                    let slots =
                        self.with_index(sealed, |file| sealed.slots(file, &filter, *fingerprint))?;
                    let slots = slots.into_iter().filter(|slot| slot.stream == *number);
                    found.extend(slots.map(|slot| (index, first_seq + u64::from(slot.nth))));
                }
            }
        }
        Ok(found)
    }
}
