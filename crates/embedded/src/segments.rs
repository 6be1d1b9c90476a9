//! The medium: ties the writer, the history and the files together.

mod pages;

use std::{
    ops::RangeInclusive,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use matchwire_domain::{envelope::Recorded, subject::Subject, timestamp::Timestamp};
use matchwire_log::{
    Error, Medium,
    medium::{Durability, Head, Hit, Hits, Identity, Record, Tail, Written},
};
use parking_lot::{Condvar, Mutex, RwLock};

use crate::{
    disk::{Directory, Disk},
    format::{GROUP_HEADER_BYTES, Home, View, group_bytes},
    history::{self, Hole, Part},
    keeper::{Keeper, Keeping},
    lifecycle::{Aging, Lifecycle},
    recovery::{Opened, Recovery, corrupt, recover},
    scrub::{ScrubStats, Scrubbing},
    sealed::Blocks,
    segment::Segment,
    storage::{Monitor, Storage},
    writer::{Writer, create_segment},
};

/// The largest group; offsets in a segment have 32 bits.
const MAX_GROUP_BYTES: usize = 1 << 30;
/// How many places are fetched at once.
const PAGE_RECORDS: usize = 1_024;

/// How files are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// A segment that would get larger than this is full, and the next one started. At most 2 GiB;
    /// by default 64 MiB.
    pub segment_bytes: u64,
    /// How far ahead of the groups zeros are written; by default 4 MiB.
    pub ahead_bytes: u64,
    /// How many full segments may wait to be sealed before appends wait for that; by default 8.
    /// Each takes some 15 to 50 MB of memory.
    pub max_waiting: usize,
    /// How many sealed files of about one size are merged into one; by default 8.
    pub fan_in: usize,
    /// How much memory decoded blocks of sealed files may take; by default 16 MiB.
    pub cache_bytes: usize,
    /// How fast sealed files are checked again in the background, in bytes per second; by default
    /// 8 MiB, and 0 is never.
    pub scrub_bytes_per_s: u64,
    /// Whether full segments are sealed and merged by a thread of its own. If not, nothing is done
    /// unless [`Segments::maintain`] is called.
    pub background: bool,
    /// The id of a log that is made, instead of one that is drawn; for simulations, which want the
    /// same bytes each time.
    pub log_id: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            ahead_bytes: 4 << 20,
            max_waiting: 8,
            fan_in: 8,
            cache_bytes: 16 << 20,
            scrub_bytes_per_s: 8 << 20,
            background: true,
            log_id: None,
        }
    }
}

/// A medium in a directory of files.
pub struct Segments {
    shared: Arc<Shared>,
    report: Recovery,
    identity: Identity,
    /// The threads that work in the background.
    keepers: Vec<Keeper>,
}

/// What appends, reads and the keeper share.
pub(crate) struct Shared {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) log_id: u64,
    /// The names of the log and of its current history.
    pub(crate) log_name: String,
    pub(crate) lineage_name: String,
    pub(crate) options: Options,
    pub(crate) cache: Arc<Blocks>,
    /// Positions at which the history forked: files are not merged over them.
    pub(crate) forks: Vec<u64>,
    /// Nothing once a write or a sync has failed.
    writer: Mutex<Option<Writer>>,
    pub(crate) state: RwLock<State>,
    pub(crate) aging: Aging,
    pub(crate) keeping: Keeping,
    pub(crate) scrubbing: Scrubbing,
    pub(crate) counts: Counts,
    /// Held by whoever replaces files.
    pub(crate) files: Mutex<()>,
    /// Told whenever a part of the history has changed.
    pub(crate) changed: (Mutex<()>, Condvar),
}

/// What was written since the start, in bytes.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) appended_bytes: AtomicU64,
    pub(crate) sealed_bytes: AtomicU64,
}

pub(crate) struct State {
    tail: Tail,
    /// What was written before the open segment.
    pub(crate) parts: Arc<Vec<Part>>,
    pub(crate) open: Segment,
}

impl Segments {
    /// Opens a directory, makes a log in it if it is empty, and keeps other processes out.
    pub fn open(directory: &Path, options: Options) -> Result<Self, Error> {
        Self::open_on(Arc::new(Directory::open(directory)?), options)
    }

    /// Opens a log on another disk than the real one.
    pub fn open_on(disk: Arc<dyn Disk>, options: Options) -> Result<Self, Error> {
        Self::open_with(disk, options, Lifecycle::default())
    }

    /// Opens a log whose events do not stay as they are for ever.
    pub fn open_with(
        disk: Arc<dyn Disk>,
        options: Options,
        lifecycle: Lifecycle,
    ) -> Result<Self, Error> {
        let cache = Arc::new(Blocks::over(options.cache_bytes, lifecycle.archive.clone()));
        let Opened { identity, parts, open, report } =
            recover(&*disk, options.log_id, &cache, &|_| None)?;
        let size = open.file.size()?.max(open.end);
        let writer = Writer::new(open.file.clone(), open.home, open.end, size, options.ahead_bytes);
        let tail = Tail { position: open.next, recorded: open.recorded };
        let lineage = identity.lineage();
        let shared = Arc::new(Shared {
            disk,
            log_id: identity.log_id(),
            log_name: identity.id.clone(),
            lineage_name: lineage.current().into(),
            options: Options { segment_bytes: options.segment_bytes.min(2 << 30), ..options },
            cache,
            forks: lineage.forks().iter().map(|fork| fork.position).collect(),
            writer: Mutex::new(Some(writer)),
            state: RwLock::new(State { tail, parts: Arc::new(parts), open }),
            aging: Aging::new(lifecycle),
            keeping: Keeping::default(),
            scrubbing: Scrubbing::default(),
            counts: Counts::default(),
            files: Mutex::default(),
            changed: (Mutex::new(()), Condvar::new()),
        });
        let mut keepers = Vec::new();
        if options.background {
            keepers.push(Keeper::start(shared.clone())?);
            if options.scrub_bytes_per_s > 0 {
                keepers.push(Keeper::start_scrub(shared.clone())?);
            }
            if shared.aging.tick().is_some() {
                keepers.push(Keeper::start_aging(shared.clone())?);
            }
        }
        let identity = Identity { id: identity.id, durability: Durability::Disk, lineage };
        Ok(Self { shared, report, identity, keepers })
    }

    /// What was found when it was opened.
    pub fn recovery(&self) -> &Recovery {
        &self.report
    }

    /// What is missing in the history now.
    pub fn holes(&self) -> Vec<Hole> {
        self.shared.holes()
    }

    /// What tells of its state, for as long as somebody wants to know.
    pub fn monitor(&self) -> Monitor {
        Monitor(self.shared.clone())
    }

    /// What it takes on the disk and in memory now.
    pub fn storage(&self) -> Storage {
        self.shared.storage()
    }

    /// How the check of sealed files in the background gets on.
    pub fn scrub_stats(&self) -> ScrubStats {
        self.shared.scrub_stats()
    }

    /// Checks the next sealed file of a round, as is otherwise done in the background; false if the
    /// round is through with that.
    pub fn scrub_step(&self) -> Result<bool, Error> {
        self.shared.scrub_file(&mut |_| ())
    }

    /// Does one piece of the work that otherwise is done in the background: seals a full segment, or
    /// merges some sealed files. False if there is nothing to do.
    pub fn maintain(&self) -> Result<bool, Error> {
        self.shared.maintain()
    }

    /// Does one piece of what the [`Lifecycle`] asks for by a time, as is otherwise done in the
    /// background: rewrites a file without what is past its age, or archives one. False if there is
    /// nothing to do.
    pub fn age(&self, now: Timestamp) -> Result<bool, Error> {
        self.shared.age(now)
    }
}

impl Drop for Segments {
    fn drop(&mut self) {
        self.keepers.clear();
        let position = self.shared.state.read().tail.position;
        if let Some(mut writer) = self.shared.writer.lock().take()
            && let Err(error) = writer.close(position)
        {
            tracing::debug!(%error, "the log was not closed in order; the next start looks closer");
        }
    }
}

impl Shared {
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
        if !is_empty && writer.end + bytes as u64 > self.options.segment_bytes {
            self.roll(writer, position)?;
        }
        let start = writer.end;
        let written = writer.write(position, group)?;
        self.counts.appended_bytes.fetch_add(written.bytes, Ordering::Relaxed);
        let mut state = self.state.write();
        let mut offset = start + GROUP_HEADER_BYTES as u64;
        let State { open, tail, .. } = &mut *state;
        for record in group {
            let view = View::of(record);
            let added = open.add(position, offset, &view);
            added.map_err(|what| corrupt(open.home.segment, offset, what))?;
            offset += view.size as u64;
        }
        (open.next, open.end) = (position + 1, writer.end);
        *tail = Tail { position: position + 1, recorded: open.recorded };
        Ok(written)
    }

    /// Starts the next segment, with the group at `position`; the one before waits to be sealed.
    fn roll(&self, writer: &mut Writer, position: u64) -> Result<(), Error> {
        self.wait_for_keeper();
        self.start_segment(writer, position)
    }

    /// Starts the next segment now, unless the open one is empty, or the log has stopped.
    pub(crate) fn roll_now(&self) -> Result<(), Error> {
        let mut guard = self.writer.lock();
        let Some(writer) = guard.as_mut() else { return Ok(()) };
        let position = self.state.read().tail.position;
        if writer.home.segment == position {
            return Ok(());
        }
        let rolled = self.start_segment(writer, position);
        if rolled.as_ref().is_err_and(|error| !matches!(error, Error::Full)) {
            *guard = None;
        }
        rolled
    }

    fn start_segment(&self, writer: &mut Writer, position: u64) -> Result<(), Error> {
        let home = Home::new(self.log_id, position);
        let recorded = self.state.read().tail.recorded;
        let file = create_segment(&*self.disk, home, recorded, &[])?;
        writer.go_on(file.clone(), home);
        let mut state = self.state.write();
        let full = std::mem::replace(&mut state.open, Segment::new(home, file, recorded));
        Arc::make_mut(&mut state.parts).push(Part::Segment(Arc::new(full)));
        drop(state);
        self.tell();
        Ok(())
    }

    /// Waits while too many segments wait to be sealed and somebody is at it.
    fn wait_for_keeper(&self) {
        let (lock, changed) = &self.changed;
        let mut guard = lock.lock();
        while self.options.background
            && self.waiting() >= self.options.max_waiting
            && !self.is_keeper_stuck()
        {
            changed.wait(&mut guard);
        }
    }

    /// Tells whoever waits that something has changed.
    pub(crate) fn tell(&self) {
        drop(self.changed.0.lock());
        self.changed.1.notify_all();
    }
}

impl Medium for Segments {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn tail(&self) -> Tail {
        self.shared.state.read().tail
    }

    fn head(&self, subject: &Subject) -> Result<Option<Head>, Error> {
        let parts = {
            let state = self.shared.state.read();
            if let Some(stream) = state.open.index.stream(subject.as_str()) {
                let (seq, chain, is_sealed) = (stream.last_seq(), stream.chain, stream.is_sealed);
                return Ok(Some(Head { seq, chain, is_sealed }));
            }
            state.parts.clone()
        };
        history::head(&parts, subject.as_str()).inspect_err(|error| self.shared.suspect(error))
    }

    fn seq_before(&self, subject: &Subject, position: u64) -> Result<u64, Error> {
        let (parts, later) = {
            let state = self.shared.state.read();
            let stream = state.open.index.stream(subject.as_str());
            if let Some(stream) = stream.filter(|_| state.open.first < position) {
                return Ok(state.open.seq_before(stream, position));
            }
            (state.parts.clone(), stream.map(|stream| stream.first_seq))
        };
        history::seq_before(&parts, subject, position, later)
            .inspect_err(|error| self.shared.suspect(error))
    }

    fn subjects(
        &self,
        prefix: &str,
        after: Option<&str>,
        positions: RangeInclusive<u64>,
        limit: usize,
    ) -> Result<Vec<Subject>, Error> {
        let (parts, open) = {
            let state = self.shared.state.read();
            (state.parts.clone(), state.open.subjects(prefix, after, &positions, limit))
        };
        let overlaps = |part: &&Part| {
            let (first, last) = part.range();
            first <= *positions.end() && *positions.start() <= last
        };
        let parts = parts.iter().filter(overlaps);
        history::subjects(parts, open, prefix, after, &positions, limit)
    }

    fn stretch(&self, position: u64) -> u64 {
        let state = self.shared.state.read();
        let parts = &state.parts;
        let at = parts.partition_point(|part| part.range().1 <= position);
        parts.get(at).map_or(position.max(state.tail.position - 1), |part| part.range().1)
    }

    fn append(&self, position: u64, group: &[Record]) -> Result<Written, Error> {
        let mut guard = self.shared.writer.lock();
        let Some(writer) = guard.as_mut() else { return Err(Error::Stopped) };
        if position != self.tail().position {
            return Err(Error::Stopped);
        }
        let written = self.shared.write(writer, position, group);
        if written.as_ref().is_err_and(|error| !matches!(error, Error::Full)) {
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
            let page = match self.page(subject, next, limit, limit_bytes - bytes) {
                // What is before the damage is whole; whoever wants more is told.
                Err(Error::Corrupt { .. }) if !records.is_empty() => break,
                page => page.inspect_err(|error| self.shared.suspect(error))?,
            };
            // Behind a loss a page of its own begins, so that nobody takes it for what comes next.
            let follows = page.first().is_some_and(|first| records.is_empty() || first.seq == next);
            if !follows {
                break;
            }
            bytes += page.iter().map(|recorded| recorded.stored.len()).sum::<usize>();
            next = page.last().map_or(next, |last| last.seq + 1);
            records.extend(page);
        }
        Ok(records)
    }

    fn lookup(&self, subject: &Subject, fingerprints: &[u64]) -> Result<Hits, Error> {
        let mut found = Vec::new();
        let (parts, newer) = {
            let state = self.shared.state.read();
            let index = &state.open.index;
            let subject = subject.as_str();
            for (place, fingerprint) in fingerprints.iter().enumerate() {
                index.lookup(subject, *fingerprint, |seq| {
                    found.push(Hit { index: place, seq, check: None });
                });
            }
            let first_seq = index.stream(subject).map(|stream| stream.first_seq);
            // The stream begins here: nobody else has records of it.
            if first_seq == Some(1) {
                return Ok(Hits { found, hidden: None });
            }
            (state.parts.clone(), first_seq)
        };
        history::lookup(&parts, subject.as_str(), newer, fingerprints, found)
            .inspect_err(|error| self.shared.suspect(error))
    }
}
