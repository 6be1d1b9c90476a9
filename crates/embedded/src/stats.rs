//! What a log takes and holds, for an operator, without changing anything.

use std::path::Path;

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::{Error, Lineage};

use crate::{
    disk::{Directory, Disk},
    export::Export,
    format::{SegmentHeader, View},
    history::Part,
    identity,
    scan::{Damage, Visitor, scan},
    sealed,
    segment::Segment,
};

/// How many subjects are counted at once.
const PAGE_SUBJECTS: usize = 10_000;

/// What a log takes and holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// The log's id.
    pub log_id: String,
    /// The histories that it has had.
    pub lineage: Lineage,
    /// Sealed files: compressed, by stream.
    pub sealed: Files,
    /// Segments, in order of arrival. The last one has zeros written ahead of its groups.
    pub segments: Files,
    /// Everything else in the directory.
    pub other: Files,
    /// Objects of the archive that have events of the log.
    pub archived: Files,
    /// Bytes of the events here as they came, without framing.
    pub stored_bytes: u64,
    /// Events, archived ones included.
    pub events: u64,
    /// Of the events, those that are in the archive.
    pub archived_events: u64,
    /// Events of which retention has left no more than their identity.
    pub trimmed_events: u64,
    /// Streams.
    pub streams: u64,
    /// The `recordedtime` of the oldest and the newest event; nothing without events.
    pub recorded: Option<(Timestamp, Timestamp)>,
    /// How many groups are missing, with those whose loss was accepted.
    pub missing_groups: u64,
}

/// Files of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Files {
    /// How many.
    pub count: u64,
    /// Their sizes.
    pub bytes: u64,
}

impl Files {
    pub(crate) fn add(&mut self, bytes: u64) {
        (self.count, self.bytes) = (self.count + 1, self.bytes + bytes);
    }
}

impl Stats {
    /// Bytes of all files.
    pub fn disk_bytes(&self) -> u64 {
        self.sealed.bytes + self.segments.bytes + self.other.bytes
    }
}

/// What the log in a directory takes and holds; it may be in use.
pub fn stats(directory: &Path) -> Result<Stats, Error> {
    stats_on(&Directory::unlocked(directory))
}

/// Like [`stats`], on another disk than the real one.
pub fn stats_on(disk: &dyn Disk) -> Result<Stats, Error> {
    let export = Export::open_on(disk, None)?;
    let mut stats = Stats {
        log_id: export.log_id().to_owned(),
        lineage: export.lineage(),
        sealed: Files::default(),
        segments: Files::default(),
        other: Files::default(),
        archived: Files::default(),
        stored_bytes: 0,
        events: 0,
        archived_events: 0,
        trimmed_events: 0,
        streams: streams(&export)?,
        recorded: None,
        missing_groups: 0,
    };
    stats.weigh(disk)?;
    for part in &export.parts {
        match part {
            Part::Sealed(sealed) => {
                let of = sealed.stats();
                stats.stored_bytes += of.stored_bytes;
                stats.events += of.events;
                stats.archived_events += of.away;
                stats.trimmed_events += of.trimmed;
                if let Some(object) = sealed.object() {
                    stats.archived.add(object.bytes);
                }
                if of.events > 0 {
                    stats.note(of.first_recorded, of.last_recorded);
                }
            }
            Part::Segment(segment) => {
                let header = SegmentHeader::new(segment.home, segment.recorded);
                let mut sums = Sums { segment, stats: &mut stats };
                scan(segment.file.clone(), &header, segment.next, &mut sums)?;
            }
            Part::Hole(hole) => stats.missing_groups += hole.last + 1 - hole.first,
        }
    }
    Ok(stats)
}

fn streams(export: &Export) -> Result<u64, Error> {
    let (mut count, mut after) = (0, None);
    loop {
        let page = export.subjects("", after.as_deref(), PAGE_SUBJECTS)?;
        let Some(last) = page.last() else { return Ok(count) };
        after = Some(last.as_str().to_owned());
        count += page.len() as u64;
    }
}

impl Stats {
    /// Adds up the files in the directory.
    fn weigh(&mut self, disk: &dyn Disk) -> Result<(), Error> {
        for name in disk.list()? {
            let kind = if sealed::parse_name(&name).is_some() {
                &mut self.sealed
            } else if name.strip_suffix(".seg").is_some() {
                &mut self.segments
            } else if name == identity::NAME {
                &mut self.other
            } else {
                continue;
            };
            // A log in use may have merged the file meanwhile.
            let Ok(file) = disk.open(&name) else { continue };
            kind.count += 1;
            kind.bytes += file.size()?;
        }
        Ok(())
    }

    fn note(&mut self, first: Timestamp, last: Timestamp) {
        let (oldest, newest) = self.recorded.unwrap_or((first, last));
        self.recorded = Some((oldest.min(first), newest.max(last)));
    }
}

/// Adds up the events of a segment.
struct Sums<'a> {
    segment: &'a Segment,
    stats: &'a mut Stats,
}

impl Visitor for Sums<'_> {
    fn record(&mut self, position: u64, _offset: u64, view: &View<'_>) -> Result<(), String> {
        if position >= self.segment.first {
            self.stats.events += 1;
            self.stats.stored_bytes += view.stored.len() as u64;
            self.stats.note(view.recorded, view.recorded);
        }
        Ok(())
    }

    fn damage(&mut self, _damage: Damage) {}
}
