//! Opens a directory after whatever happened to it.
//!
//! Each group is synced before the next one is written, and each file is complete and synced before
//! it has its name. So a crash can damage only the last group of the last segment. That group is cut
//! off, and [`Recovery`] says how much that was: it was never acknowledged. All other damage is a
//! [`Hole`]: it is reported, what lies across it cannot be read, and everything else goes on.
//!
//! ```text
//!   what is there                          what is done
//!   … valid, closed in order               nothing; writing goes on there
//!   … valid, zeros to the end              the last group moves to a new segment, see below
//!   … valid, bad to the end                the bad part is cut off; then likewise
//!   … valid, bad, valid                    a hole
//!   … bad, in a segment before the last    a hole, up to the next segment
//!   a number missing between files         a hole
//!   last segment: bad header, no group     the start is refused: what it had is not known; a repair
//!                                          or an accepted loss makes it a hole
//!   a sealed file that cannot be opened    it is written again, if its blocks are whole; else a
//!                                          hole, unless those that it was made from are there
//!   a file whose name ends in .tmp         removed: it was being made
//!   a segment that a sealed file covers    removed: the sealed file was verified before
//! ```
//!
//! After a crash the last group may be only on its way to the disk; and if its sync has failed, the
//! system may believe it there, though it is not, and a later sync would not write it. So its bytes
//! are written to a new segment, which is synced, and only then cut off where they were.
//!
//! What is kept is synced, with the directory, before anybody may read it.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
};

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::{Defect, Error};

use crate::{
    disk::{Disk, File},
    format::{Group, Home, SEGMENT_HEADER_BYTES, SegmentHeader, VERSION, View, put_group},
    history::{self, Hole, Part},
    identity::{self, Identity, Lost},
    scan::{Damage, Scan, Visitor, scan, segment_name},
    sealed::{Blocks, Range, Salvage, Sealed, parse_name, sealed_name},
    segment::Segment,
    window::Window,
    writer::{TMP_SUFFIX, create_segment},
};

/// What was found when a directory was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// How many files there are: sealed ones and segments.
    pub files: usize,
    /// How many bytes were cut off at the end: a group that was never acknowledged.
    pub cut_bytes: u64,
    /// From which file, and where.
    pub cut_at: Option<(String, u64)>,
    /// What is missing, and was not accepted as lost.
    pub holes: Vec<Hole>,
}

/// A directory that was opened.
pub(crate) struct Opened {
    pub(crate) identity: Identity,
    pub(crate) parts: Vec<Part>,
    /// The segment that is written to.
    pub(crate) open: Segment,
    pub(crate) report: Recovery,
}

/// Up to which position a last segment is given up of which nothing can be read, by its first one;
/// `None` refuses to.
pub(crate) type GiveUp<'a> = &'a dyn Fn(u64) -> Option<u64>;

/// Opens a directory, or makes a log in an empty one. `log_id` is that of a log that is made.
pub(crate) fn recover(
    disk: &dyn Disk,
    log_id: Option<u64>,
    cache: &Arc<Blocks>,
    give_up: GiveUp<'_>,
) -> Result<Opened, Error> {
    remove_unfinished(disk)?;
    let mut identity = match Identity::read(disk)? {
        Some(identity) => identity,
        None if list(disk)?.is_empty() => {
            let mut identity = Identity::new(log_id);
            identity.write(disk)?;
            identity
        }
        None => {
            let what = "it is missing or cannot be read, though there are segments".into();
            return Err(Error::Corrupt { file: identity::NAME.into(), offset: 0, what });
        }
    };
    // Segments must not outlast the name of their log.
    disk.sync()?;
    if identity.is_old() {
        tracing::info!(place = disk.place(), "bringing the log to the format of this version");
        identity.write(disk)?;
    }
    let mut report = Recovery::default();
    let mut moved = None;
    loop {
        let mut history = History::new(disk, &identity, cache);
        let last = history.collect()?;
        let mut scanned = history.last(last)?;
        if scanned.is_lost() {
            let position = scanned.lose(give_up)?;
            let mut identity = identity.clone();
            // It may have had more, whose positions are now given again.
            identity.fork(position + 1);
            identity.write(disk)?;
            return history.open(identity, scanned, report);
        }
        if let Some(position) = scanned.settle(&history, moved, &mut report)? {
            moved = Some(position);
            continue;
        }
        return history.open(identity.clone(), scanned, report);
    }
}

/// Removes what was being made, and the index files of format 1, which nobody reads any more.
fn remove_unfinished(disk: &dyn Disk) -> Result<(), Error> {
    let is_index = |name: &str| {
        let number = name.strip_suffix(".idx").and_then(|number| number.parse().ok());
        number.is_some_and(|number: u64| format!("{number:020}.idx") == name)
    };
    for name in disk.list()? {
        if name.ends_with(TMP_SUFFIX) || is_index(&name) {
            disk.remove(&name)?;
        }
    }
    Ok(())
}

/// A file of the log, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    Sealed(Range),
    /// A segment, by its first position.
    Segment(u64),
}

impl Listed {
    fn first(self) -> u64 {
        match self {
            Self::Sealed(range) => range.first,
            Self::Segment(first) => first,
        }
    }
}

/// The files in a directory, in order of their first position; of several that start there, the
/// one that covers the most comes first.
pub(crate) fn list(disk: &dyn Disk) -> Result<Vec<Listed>, Error> {
    let mut files = BTreeMap::new();
    for name in disk.list()? {
        if let Some(range) = parse_name(&name) {
            files.insert((range.first, u64::MAX - range.last), Listed::Sealed(range));
        } else if let Some(first) = name.strip_suffix(".seg").and_then(|n| n.parse().ok())
            && segment_name(first) == name
        {
            files.insert((first, u64::MAX), Listed::Segment(first));
        }
    }
    Ok(files.into_values().collect())
}

/// The history of a log while it is put together.
pub(crate) struct History<'a> {
    pub(crate) disk: &'a dyn Disk,
    pub(crate) log_id: u64,
    lost: &'a [Lost],
    cache: &'a Arc<Blocks>,
    pub(crate) parts: Vec<Part>,
    pub(crate) files: usize,
    /// The position after the last part.
    next: u64,
    recorded: Timestamp,
    is_read_only: bool,
    /// Damage that hides nothing.
    pub(crate) notes: Vec<Error>,
}

impl<'a> History<'a> {
    pub(crate) fn new(disk: &'a dyn Disk, identity: &'a Identity, cache: &'a Arc<Blocks>) -> Self {
        let (log_id, lost) = (identity.log_id(), identity.lost.as_slice());
        Self {
            disk,
            log_id,
            lost,
            cache,
            parts: Vec::new(),
            files: 0,
            next: 1,
            recorded: Timestamp::default(),
            is_read_only: false,
            notes: Vec::new(),
        }
    }

    /// One that changes nothing.
    pub(crate) fn read_only(
        disk: &'a dyn Disk,
        identity: &'a Identity,
        cache: &'a Arc<Blocks>,
    ) -> Self {
        Self { is_read_only: true, ..Self::new(disk, identity, cache) }
    }

    /// All parts, with those of the last segment.
    pub(crate) fn end(mut self, last: Option<Scanned>) -> Vec<Part> {
        let segment = last.and_then(|last| self.push_pieces(last).1);
        self.parts.extend(segment.map(|segment| Part::Segment(Arc::new(segment))));
        self.parts
    }

    /// Collects all parts but the last segment, which it gives.
    pub(crate) fn collect(&mut self) -> Result<Option<u64>, Error> {
        let mut files = list(self.disk)?.into_iter().peekable();
        let mut failed: Option<(Range, Hole)> = None;
        while let Some(file) = files.next() {
            match file {
                Listed::Segment(first) if files.peek().is_none() && first >= self.next => {
                    self.settle_failed(failed.take(), first);
                    return Ok(Some(first));
                }
                Listed::Segment(first) => {
                    self.settle_failed(failed.take(), first);
                    let until = files.peek().map_or(u64::MAX, |next| next.first());
                    self.add_segment(first, until)?;
                }
                Listed::Sealed(range) if range.last < self.next => {
                    self.remove_covered(&sealed_name(range))?;
                }
                Listed::Sealed(range) => {
                    let opened = Sealed::open(self.disk, self.log_id, range, self.cache.clone());
                    match opened {
                        Ok(sealed) => {
                            self.settle_failed(failed.take(), range.first);
                            self.add_sealed(sealed);
                        }
                        Err(Error::Corrupt { .. }) if self.reseal(range)? => {
                            self.settle_failed(failed.take(), range.first);
                            self.add_resealed(range)?;
                        }
                        Err(Error::Corrupt { file, offset, what }) => {
                            let Range { first, last } = range;
                            let is_accepted = self.is_accepted(first, last);
                            let hole = Hole { first, last, file, offset, what, is_accepted };
                            failed = failed.or(Some((range, hole)));
                        }
                        Err(other) => return Err(other),
                    }
                }
            }
        }
        self.settle_failed(failed.take(), u64::MAX);
        Ok(None)
    }

    /// Writes a sealed file that cannot be opened again from its own blocks, if they are whole.
    fn reseal(&self, range: Range) -> Result<bool, Error> {
        if self.is_read_only {
            return Ok(false);
        }
        let salvage = Salvage::read(self.disk, self.log_id, range, self.cache)?;
        let resealed = salvage.reseal(self.disk, 1, &AtomicBool::new(false))?;
        if resealed.is_some() {
            tracing::warn!(file = sealed_name(range), "a sealed file was written again");
        }
        Ok(resealed.is_some())
    }

    fn add_resealed(&mut self, range: Range) -> Result<(), Error> {
        let sealed = Sealed::open(self.disk, self.log_id, range, self.cache.clone())?;
        self.add_sealed(sealed);
        Ok(())
    }

    /// A sealed file could not be opened, and the next file starts at `next`: what it covers up to
    /// there is missing.
    fn settle_failed(&mut self, failed: Option<(Range, Hole)>, next: u64) {
        if let Some((range, hole)) = failed {
            let (first, last) = (range.first.max(self.next), range.last.min(next - 1));
            if first <= last {
                self.add_hole(Hole { first, last, ..hole });
            }
        }
    }

    fn is_accepted(&self, first: u64, last: u64) -> bool {
        let gone = || self.lost.iter().filter(|lost| !lost.in_part);
        let mut next = first;
        while let Some(gone) = gone().find(|gone| gone.first <= next && next <= gone.last) {
            next = gone.last + 1;
        }
        next > last
    }

    fn add_hole(&mut self, hole: Hole) {
        if hole.is_accepted {
            tracing::warn!(
                first = hole.first,
                last = hole.last,
                "groups are lost, as was accepted"
            );
        } else {
            tracing::error!(error = %hole.error(), "the log has a hole");
        }
        self.next = hole.last + 1;
        self.parts.push(Part::Hole(Arc::new(hole)));
    }

    /// Notes that the positions up to `first` are missing, if they are.
    fn miss_until(&mut self, first: u64) {
        if self.next < first {
            let last = first - 1;
            let what = "it is missing".into();
            let (from, file, offset) = (self.next, segment_name(self.next), 0);
            let is_accepted = self.is_accepted(from, last);
            self.add_hole(Hole { first: from, last, file, offset, what, is_accepted });
        }
    }

    fn add_sealed(&mut self, sealed: Sealed) {
        let Range { first, last } = sealed.range();
        self.miss_until(first);
        self.recorded = self.recorded.max(sealed.recorded());
        self.files += 1;
        self.next = last + 1;
        self.parts.push(Part::Sealed(Arc::new(sealed)));
    }

    /// Adds a segment that is not the last one; the next file starts at `until`.
    fn add_segment(&mut self, first: u64, until: u64) -> Result<(), Error> {
        let name = segment_name(first);
        if first < self.next {
            return self.remove_covered(&name);
        }
        self.miss_until(first);
        let mut scanned = self.scan(first, until)?;
        let Scan { next, end, torn_bytes, .. } = scanned.found;
        if next < until && torn_bytes > 0 {
            let damage = Damage { offset: end, bytes: torn_bytes, first: next, last: until - 1 };
            scanned.pieces.damage(damage);
        }
        let (recorded, segment) = self.push_pieces(scanned);
        self.recorded = self.recorded.max(recorded);
        self.parts.extend(segment.map(|segment| Part::Segment(Arc::new(segment))));
        self.files += 1;
        self.next = next;
        if torn_bytes > 0 {
            self.next = until;
        }
        Ok(())
    }

    fn remove_covered(&self, name: &str) -> Result<(), Error> {
        if self.is_read_only {
            return Ok(());
        }
        tracing::debug!(file = name, "removing a file that another one covers");
        Ok(self.disk.remove(name)?)
    }

    fn scan(&mut self, first: u64, until: u64) -> Result<Scanned, Error> {
        let file = self.disk.open(&segment_name(first))?;
        let home = Home::new(self.log_id, first);
        let (header, is_damaged) = if let Some(header) = header(self.disk, &file, home)? {
            (header, false)
        } else {
            let error = corrupt(first, 0, "its header is damaged");
            tracing::error!(%error, "the groups behind it are still read");
            self.notes.push(error);
            (SegmentHeader::new(home, self.recorded), true)
        };
        let header = SegmentHeader { recorded: header.recorded.max(self.recorded), ..header };
        let mut pieces = Pieces::new(header, file.clone(), is_damaged);
        let found = scan(file.clone(), &header, until, &mut pieces)?;
        Ok(Scanned { header, file, has_bad_header: is_damaged, pieces, found })
    }

    /// The last segment; without one, as in a directory of which everything is sealed, a new one.
    pub(crate) fn last(&mut self, first: Option<u64>) -> Result<Scanned, Error> {
        let first = if let Some(first) = first {
            first
        } else {
            let home = Home::new(self.log_id, self.next);
            create_segment(self.disk, home, self.recorded, &[])?;
            self.next
        };
        self.miss_until(first);
        self.scan(first, u64::MAX)
    }

    /// Adds what damage has cut off from the last piece of a segment, and gives the last piece,
    /// unless it is empty.
    fn push_pieces(&mut self, scanned: Scanned) -> (Timestamp, Option<Segment>) {
        let Scanned { pieces, found, header, .. } = scanned;
        let name = segment_name(header.home.segment);
        let Pieces { done, mut current, is_damaged, .. } = pieces;
        for (segment, damage) in done {
            if let Some(segment) = segment {
                self.parts.push(Part::Segment(Arc::new(segment)));
            }
            let Damage { offset, bytes, first, last } = damage;
            let what = format!("{bytes} bytes are damaged");
            let is_accepted = self.is_accepted(first, last);
            self.add_hole(Hole { first, last, file: name.clone(), offset, what, is_accepted });
        }
        if is_damaged {
            current.set_damaged();
        }
        if current.is_empty() || found.next >= current.next {
            current.end = found.end;
        }
        (found.recorded, (!current.is_empty()).then_some(current))
    }

    /// Ends the recovery: goes on in the last segment.
    fn open(
        mut self,
        identity: Identity,
        scanned: Scanned,
        mut report: Recovery,
    ) -> Result<Opened, Error> {
        let (home, file) = (scanned.header.home, scanned.file.clone());
        let goes_on = scanned.is_sure();
        let next = scanned.found.next;
        let (recorded, segment) = self.push_pieces(scanned);
        let open = if goes_on {
            segment.unwrap_or_else(|| Segment::new(home, file, recorded))
        } else {
            self.parts.extend(segment.map(|segment| Part::Segment(Arc::new(segment))));
            let home = Home::new(self.log_id, next);
            let file = create_segment(self.disk, home, recorded, &[])?;
            self.files += 1;
            Segment::new(home, file, recorded)
        };
        if !Defect::ServeUnsyncedTail.is_on() {
            open.file.sync()?;
            self.disk.sync()?;
        }
        report.files = self.files + 1;
        report.holes = history::holes(&self.parts);
        report.holes.retain(|hole| !hole.is_accepted);
        Ok(Opened { identity, parts: self.parts, open, report })
    }
}

/// A segment that was walked over.
pub(crate) struct Scanned {
    header: SegmentHeader,
    file: Arc<dyn File>,
    has_bad_header: bool,
    pieces: Pieces,
    pub(crate) found: Scan,
}

impl Scanned {
    /// Whether everything in it is known to be on the disk, so that writing may go on behind it:
    /// there is nothing, or it was closed in order, or all of it was moved here just now.
    fn is_sure(&self) -> bool {
        let Pieces { is_damaged, header, .. } = &self.pieces;
        let Scan { last, is_closed, .. } = self.found;
        if Defect::ServeUnsyncedTail.is_on() {
            return true;
        }
        let start = (SEGMENT_HEADER_BYTES as u64, header.home.segment);
        let is_moved = last == Some(start);
        !is_damaged && header.home.version == VERSION && (last.is_none() || is_closed || is_moved)
    }

    /// Whether nobody can say what it had. The word that the log was closed there says that it had
    /// nothing.
    fn is_lost(&self) -> bool {
        self.has_bad_header && self.found.last.is_none() && !self.found.is_closed
    }

    /// Makes all of it a hole, and gives its last position.
    fn lose(&mut self, give_up: GiveUp<'_>) -> Result<u64, Error> {
        let first = self.header.home.segment;
        let Some(last) = give_up(first) else {
            let what = "its header is damaged, and none of its groups can be read; put back a copy of \
                        it, repair the log from a copy, or accept the loss";
            return Err(corrupt(first, 0, what));
        };
        let Scan { end: offset, torn_bytes: bytes, .. } = self.found;
        self.pieces.damage(Damage { offset, bytes, first, last });
        self.found.next = last + 1;
        Ok(last)
    }

    /// Cuts off what was not finished at the end of the last segment, and moves its last group to a
    /// new one if nobody can say whether it is on the disk. Gives the position of a group that was
    /// moved; then everything is to be read again. `moved` is that of one that was moved before.
    fn settle(
        &self,
        history: &History<'_>,
        moved: Option<u64>,
        report: &mut Recovery,
    ) -> Result<Option<u64>, Error> {
        let Scan { end, last, is_closed, torn_bytes, recorded, .. } = self.found;
        let home = self.header.home;
        let name = segment_name(home.segment);
        // Nobody can say then that what follows was never finished.
        if self.has_bad_header {
            return Ok(None);
        }
        if torn_bytes > 0 {
            tracing::warn!(
                file = name,
                offset = end,
                bytes = torn_bytes,
                "cutting off a group that was not finished"
            );
            report.cut_bytes += torn_bytes;
            report.cut_at = Some((name.clone(), end));
        }
        // That it was closed proves that what is damaged before was there; the log goes on elsewhere.
        if torn_bytes > 0 || is_closed && !self.pieces.is_damaged {
            self.file.set_size(end)?;
            self.file.sync()?;
        }
        let Some((offset, position)) = last.filter(|_| !is_closed) else { return Ok(None) };
        if Defect::ServeUnsyncedTail.is_on() || moved == Some(position) {
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(end - offset).unwrap_or_default()];
        self.file.read_at(&mut bytes, offset)?;
        let home_of_group = Home::new(history.log_id, position);
        let mut moved = Vec::new();
        let group = Group::decode(&bytes, home).ok_or_else(|| {
            corrupt(home.segment, offset, "the last group cannot be read a second time")
        })?;
        let views: Vec<View<'_>> = group.records().flatten().map(|(_, view)| view).collect();
        let start = SEGMENT_HEADER_BYTES as u64;
        put_group(&mut moved, home_of_group, position, start, views.into_iter());
        create_segment(history.disk, home_of_group, recorded, &moved)?;
        if position != home.segment {
            self.file.set_size(offset)?;
            self.file.sync()?;
        }
        Ok(Some(position))
    }
}

/// The pieces of a segment, which damage separates.
struct Pieces {
    header: SegmentHeader,
    file: Arc<dyn File>,
    is_damaged: bool,
    /// Pieces with the damage behind each.
    done: Vec<(Option<Segment>, Damage)>,
    current: Segment,
}

impl Pieces {
    fn new(header: SegmentHeader, file: Arc<dyn File>, is_damaged: bool) -> Self {
        let current = Segment::new(header.home, file.clone(), header.recorded);
        Self { header, file, is_damaged, done: Vec::new(), current }
    }
}

impl Visitor for Pieces {
    fn record(&mut self, position: u64, offset: u64, view: &View<'_>) -> Result<(), String> {
        self.current.next = position + 1;
        self.current.add(position, offset, view)
    }

    fn damage(&mut self, damage: Damage) {
        let mut next = Segment::new(self.header.home, self.file.clone(), self.current.recorded);
        (next.first, next.next) = (damage.last + 1, damage.last + 1);
        let mut before = std::mem::replace(&mut self.current, next);
        before.end = damage.offset;
        before.set_damaged();
        self.done.push(((!before.is_empty()).then_some(before), damage));
        self.is_damaged = true;
    }
}

/// Reads the header of a segment; nothing if it is damaged.
pub(crate) fn header(
    disk: &dyn Disk,
    file: &Arc<dyn File>,
    home: Home,
) -> Result<Option<SegmentHeader>, Error> {
    let mut window = Window::new(file.clone())?;
    let Some(header) = SegmentHeader::decode(window.get(0, SEGMENT_HEADER_BYTES)?) else {
        return Ok(None);
    };
    let Home { log_id, segment, version } = header.home;
    if !(1..=VERSION).contains(&version) {
        let name = segment_name(home.segment);
        let what = format!(
            "{name} has format {version}, and this version of matchwire reads formats 1 to {VERSION}"
        );
        return Err(Error::Unusable { place: disk.place(), what });
    }
    if (log_id, segment) != (home.log_id, home.segment) {
        let what = format!("it is segment {segment} of log {log_id:016x}");
        return Err(corrupt(home.segment, 0, what));
    }
    Ok(Some(header))
}

/// Damage in a segment.
pub(crate) fn corrupt(segment: u64, offset: u64, what: impl Into<String>) -> Error {
    Error::Corrupt { file: segment_name(segment), offset, what: what.into() }
}
