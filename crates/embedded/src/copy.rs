//! What a back-up copies of a log that another process may be writing to.
//!
//! Everything here only reads. Files come and go meanwhile: a full segment is sealed, sealed files
//! are merged; then the directory is looked at again.
//!
//! The last group of the open segment may not be on the disk yet. So what is valid is looked for
//! first, then the file is synced, and only up to there it is copied: what a back-up has cannot be
//! lost by the log afterwards. Groups that are there are never changed, so they can be copied at
//! any later time.

mod groups;
mod pick;

use std::{io, path::Path, sync::Arc};

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::Error;
use serde::{Deserialize, Serialize};

use crate::{
    Identity,
    disk::{Directory, Disk, File},
    format::{Home, SEGMENT_HEADER_BYTES},
    recovery::{Listed, header, list},
    scan::segment_name,
    sealed::{Blocks, Range, Sealed, footer_crc, parse_name, sealed_name},
};
pub use groups::Mark;
use groups::{Groups, groups};
use pick::{Pick, pick};

/// How often the directory is looked at again, since a file had gone meanwhile.
const MAX_TRIES: usize = 10;

/// A part of one file, which is not going to change.
#[derive(Clone)]
pub struct Extent {
    /// The file's name in the log's directory.
    pub file_name: String,
    /// The file, open, so that it can be read also when its name has gone.
    pub file: Arc<dyn File>,
    /// What it is.
    pub span: Span,
}

/// Which bytes of a file, and which groups they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Where it starts in the file, in bytes.
    pub from: u64,
    /// Where it ends in the file, in bytes.
    pub to: u64,
    /// The position of its first group.
    pub first: u64,
    /// The position after its last group.
    pub next: u64,
    /// The latest recordedtime up to its end.
    pub recorded: Timestamp,
    /// Whether the file ends with it.
    pub is_end: bool,
    /// The last group, if it is a part of a segment.
    pub mark: Option<Mark>,
    /// The checksum of a sealed file's footer, by which it is told from what it was before it was
    /// written again, without what was trimmed or archived since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<u32>,
}

/// Groups that were copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The file from which they were copied.
    pub file_name: String,
    /// The checksum of its footer, if it is sealed.
    pub footer: Option<u32>,
    /// The position of the first one.
    pub first: u64,
    /// The position after the last one.
    pub next: u64,
}

/// How far a log was copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached {
    /// The position of the next group; 1 at first.
    pub next: u64,
    /// The last file from which something was copied, and what.
    pub last: Option<(String, Span)>,
}

/// The log in a directory, to be read only.
pub struct Source {
    disk: Directory,
    identity: Identity,
}

impl Source {
    /// The log in a directory, which another process may have open. Without one it is
    /// [`Error::Unusable`].
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let disk = Directory::unlocked(directory);
        let unusable =
            || Error::Unusable { place: disk.place(), what: "it has no readable log.json".into() };
        let identity = Identity::read(&disk)?.ok_or_else(unusable)?;
        Ok(Self { disk, identity })
    }

    /// What the log is. It changes only while nobody has the log open.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What comes next; nothing if there is no further group. Opens files, syncs the one that is
    /// written, and reads what is new of it.
    ///
    /// [`Error::Corrupt`] says that the log is another one than that of which `reached` was copied.
    pub fn next(&self, reached: &Reached) -> Result<Option<Extent>, Error> {
        again(|| {
            let files = list(&self.disk)?;
            let Some(pick) = pick(&files, reached) else { return Ok(None) };
            let (extent, is_damaged) = match pick {
                Pick::Sealed(range) => (Some(self.sealed(range)?), false),
                Pick::Segment { first, until, goes_on } => {
                    let from = reached.last.as_ref().filter(|_| goes_on).map(|(_, span)| *span);
                    self.segment(first, until, from)?
                }
            };
            let has_hole = extent.as_ref().is_some_and(|extent| extent.span.first > reached.next);
            if (has_hole || is_damaged) && list(&self.disk)? != files {
                // A directory that changes while it is listed may show neither a segment nor the
                // sealed file that takes its place.
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            Ok(extent)
        })
    }

    /// Sealed files whose groups were copied already, but not from them as they are now, the longest
    /// first: each of them can take the place of what was copied.
    pub fn better(&self, copied: &[Copied]) -> Result<Vec<Extent>, Error> {
        let mut found = Vec::new();
        for file in list(&self.disk)? {
            let Listed::Sealed(range) = file else { continue };
            let start = copied.iter().position(|part| part.first == range.first);
            let end = copied.iter().position(|part| part.next == range.last + 1);
            let (Some(start), Some(end)) = (start, end) else { continue };
            let name = sealed_name(range);
            let parts = copied.get(start..=end).unwrap_or_default();
            let same = parts.iter().find(|part| part.file_name == name);
            if parts.is_empty() || same.is_some_and(|_| parts.len() > 1) {
                continue;
            }
            let sealed = match same {
                Some(same) => self.rewritten(range, same.footer),
                None => self.sealed(range).map(Some),
            };
            match sealed {
                // It was merged into another one, which comes the next time.
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
                sealed => found.extend(sealed?),
            }
        }
        found.sort_by_key(|extent| extent.span.first.wrapping_sub(extent.span.next));
        Ok(found)
    }

    /// Checks everything in a sealed file; blocks, and takes about a second for a million events.
    pub fn check(&self, sealed: &Extent) -> Result<(), Error> {
        let Some(range) = parse_name(&sealed.file_name) else { return Ok(()) };
        let cache = Arc::new(Blocks::new(0));
        Sealed::open(&self.disk, self.identity.log_id(), range, cache)?.verify(&mut |_| ())
    }

    /// A sealed file, if it is another one by its footer than it was.
    fn rewritten(&self, range: Range, footer: Option<u32>) -> Result<Option<Extent>, Error> {
        let file = self.disk.open(&sealed_name(range))?;
        let is_same = footer_crc(&*file)? == footer;
        if is_same { Ok(None) } else { self.sealed(range).map(Some) }
    }

    fn sealed(&self, range: Range) -> Result<Extent, Error> {
        let file_name = sealed_name(range);
        let file = self.disk.open(&file_name)?;
        let cache = Arc::new(Blocks::new(0));
        // One that is damaged is copied as it is: whoever restores it is told.
        let recorded = match Sealed::open(&self.disk, self.identity.log_id(), range, cache) {
            Ok(sealed) => sealed.recorded(),
            Err(Error::Corrupt { .. }) => Timestamp::default(),
            Err(error) => return Err(error),
        };
        let (to, first, next) = (file.size()?, range.first, range.last + 1);
        let footer = footer_crc(&*file)?;
        let span = Span { from: 0, to, first, next, recorded, is_end: true, mark: None, footer };
        Ok(Extent { file_name, file, span })
    }

    /// What is new in a segment, behind `from` or from its start, and whether it is damaged;
    /// `until` is where the next file starts, if there is one.
    fn segment(
        &self,
        first: u64,
        until: Option<u64>,
        from: Option<Span>,
    ) -> Result<(Option<Extent>, bool), Error> {
        let file_name = segment_name(first);
        let file = self.disk.open(&file_name)?;
        let home = Home::new(self.identity.log_id(), first);
        let header = header(&self.disk, &file, home)?;
        let home = header.map_or(home, |header| header.home);
        let mut found = Groups {
            end: from.map_or(SEGMENT_HEADER_BYTES as u64, |span| span.to),
            next: from.map_or(first, |span| span.next),
            recorded: from
                .map_or(header.map_or_else(Timestamp::default, |h| h.recorded), |s| s.recorded),
            mark: from.and_then(|span| span.mark),
        };
        if let Some(mark) = found.mark.filter(|_| from.is_some()) {
            mark.check(&*file, &file_name)?;
        }
        let (start, next) = (from.map_or(0, |span| span.to), found.next);
        groups(&file, home, until, &mut found)?;
        // A segment that ends before the next file starts is damaged: it is copied as it is.
        let is_damaged = until.is_some_and(|until| found.next < until);
        if is_damaged {
            (found.end, found.next) = (file.size()?.max(found.end), until.unwrap_or(found.next));
        } else if found.next == next {
            return Ok((None, false));
        }
        file.sync()?;
        let Groups { end: to, next: after, recorded, mark } = found;
        let is_end = until.is_some();
        let span = Span {
            from: start,
            to,
            first: next,
            next: after,
            recorded,
            is_end,
            mark,
            footer: None,
        };
        Ok((Some(Extent { file_name, file, span }), is_damaged))
    }
}

impl Span {
    /// How many bytes it has.
    pub fn bytes(&self) -> u64 {
        self.to - self.from
    }
}

/// Does something again if a file had gone.
fn again<T>(mut work: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    for _ in 1..MAX_TRIES {
        match work() {
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
    }
    work()
}
