//! Walks over a whole log and checks everything that can be checked, without changing anything.

use std::{
    io,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use matchwire_domain::{chain::Digest, subject::Subject, timestamp::Timestamp};
use matchwire_log::Error;

use crate::{
    archive::Archive,
    disk::{Directory, Disk},
    format::View,
    history::{self, Hole, Part},
    identity::Identity,
    recovery::History,
    scan::{Damage, Visitor, scan},
    sealed::{Blocks, Depth, Opening, Sealed, Streams},
    segment::Segment,
};

/// How much damage is told of, at most.
const MAX_SPOTS: usize = 1_000;
/// A log in use may seal and merge files while they are looked for; how often that is begun again.
const MAX_TRIES: usize = 10;

/// What a log holds, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Files: sealed ones and segments.
    pub files: u64,
    /// Groups of records.
    pub groups: u64,
    /// Events, archived ones included.
    pub events: u64,
    /// Events of which retention has left no more than their identity.
    pub trimmed: u64,
    /// Of the events, those that are in the archive.
    pub archived: u64,
    /// Streams.
    pub streams: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Bytes behind the last group that are neither a group nor zeros: one that was not finished,
    /// or is just being written.
    pub unfinished_bytes: u64,
    /// What is damaged or missing, at most the first 1,000; nothing if the log is whole.
    pub damage: Vec<Spot>,
    /// What is missing by an operator's word.
    pub accepted: Vec<Hole>,
}

/// Damage and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The file.
    pub file: String,
    /// Where in the file.
    pub offset: u64,
    /// What is wrong there.
    pub what: String,
}

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that were read.
    pub bytes: u64,
    /// Bytes that there are.
    pub total_bytes: u64,
}

/// Checks every checksum, number, leaf, chain and index of the log in a directory, and changes
/// nothing; the log may be in use. `progress` is told now and then.
///
/// Of events that are in the archive, what the log says of them is checked, and they themselves if
/// an archive is given.
///
/// Damage is in the answer. An error is for what keeps the check itself from being made.
pub fn verify(
    directory: &Path,
    archive: Option<Arc<dyn Archive>>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Verified, Error> {
    verify_over(&Directory::unlocked(directory), archive, progress)
}

/// Like [`verify`], on another disk than the real one, and without an archive.
pub fn verify_on(disk: &dyn Disk, progress: &mut dyn FnMut(Progress)) -> Result<Verified, Error> {
    verify_over(disk, None, progress)
}

fn verify_over(
    disk: &dyn Disk,
    archive: Option<Arc<dyn Archive>>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Verified, Error> {
    let identity = identity(disk)?;
    let depth = if archive.is_some() { Depth::Archive } else { Depth::File };
    let cache = Arc::new(Blocks::over(0, archive));
    check(&identity, settled(disk, &identity, &cache)?, depth, progress)
}

/// Whose log it is.
pub(crate) fn identity(disk: &dyn Disk) -> Result<Identity, Error> {
    let unusable = |what: &str| Error::Unusable { place: disk.place(), what: what.into() };
    Identity::read(disk)?.ok_or_else(|| unusable("it has no readable log.json"))
}

impl Collected {
    fn holes(&self) -> Vec<Hole> {
        let mut holes = history::holes(&self.parts);
        holes.retain(|hole| !hole.is_accepted);
        holes
    }
}

/// What there is of a log that may be in use.
pub(crate) fn settled(
    disk: &dyn Disk,
    identity: &Identity,
    cache: &Arc<Blocks>,
) -> Result<Collected, Error> {
    let mut seen: Option<Vec<Hole>> = None;
    for _ in 1..MAX_TRIES {
        match collect(disk, identity, cache) {
            Err(Error::Io(error)) if is_of_use(&error) => {}
            Ok(collected) => {
                let holes = collected.holes();
                // What is just being written or replaced may look like damage, once.
                if holes.is_empty() || seen.as_ref() == Some(&holes) {
                    return Ok(collected);
                }
                seen = Some(holes);
            }
            other => return other,
        }
    }
    collect(disk, identity, cache)
}

/// Whether an error may come from the use of the log: a file was replaced, or cut to its groups.
fn is_of_use(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof)
}

/// What there is to check.
pub(crate) struct Collected {
    pub(crate) parts: Vec<Part>,
    /// Bytes at the end that are no group.
    torn_bytes: u64,
    /// Damage that hides nothing.
    notes: Vec<Error>,
}

fn collect(disk: &dyn Disk, identity: &Identity, cache: &Arc<Blocks>) -> Result<Collected, Error> {
    let mut history = History::read_only(disk, identity, cache);
    let last = history.collect()?;
    let last = last.map(|first| history.last(Some(first))).transpose()?;
    let torn_bytes = last.as_ref().map_or(0, |last| last.found.torn_bytes);
    let notes = std::mem::take(&mut history.notes);
    Ok(Collected { parts: history.end(last), torn_bytes, notes })
}

fn check(
    identity: &Identity,
    collected: Collected,
    depth: Depth,
    progress: &mut dyn FnMut(Progress),
) -> Result<Verified, Error> {
    let Collected { parts, torn_bytes, notes } = collected;
    let mut checking = Checking {
        log_id: &identity.id,
        depth,
        verified: Verified::default(),
        total_bytes: parts.iter().map(bytes_of).sum(),
        progress,
    };
    checking.verified.unfinished_bytes = torn_bytes;
    for note in notes {
        checking.damaged(note)?;
    }
    for (at, part) in parts.iter().enumerate() {
        let before = parts.get(..at).unwrap_or_default();
        match part {
            Part::Hole(hole) if hole.is_accepted => {
                checking.verified.accepted.push(Hole::clone(hole));
            }
            Part::Hole(hole) => checking.damaged(hole.error())?,
            Part::Sealed(sealed) => checking.sealed(sealed, before)?,
            Part::Segment(segment) => checking.segment(segment, before)?,
        }
    }
    Ok(checking.verified)
}

fn bytes_of(part: &Part) -> u64 {
    match part {
        Part::Sealed(sealed) => sealed.stats().file_bytes,
        Part::Segment(segment) => segment.end,
        Part::Hole(_) => 0,
    }
}

struct Checking<'a> {
    log_id: &'a str,
    depth: Depth,
    verified: Verified,
    total_bytes: u64,
    progress: &'a mut dyn FnMut(Progress),
}

impl Checking<'_> {
    /// Notes damage; every other error ends the check.
    fn damaged(&mut self, error: Error) -> Result<(), Error> {
        let Error::Corrupt { file, offset, what } = error else { return Err(error) };
        if self.verified.damage.len() < MAX_SPOTS {
            self.verified.damage.push(Spot { file, offset, what });
        }
        Ok(())
    }

    fn begin(&mut self, part: &Part) {
        let (first, last) = part.range();
        self.verified.files += 1;
        self.verified.groups += last + 1 - first;
    }

    fn sealed(&mut self, sealed: &Arc<Sealed>, before: &[Part]) -> Result<(), Error> {
        self.begin(&Part::Sealed(sealed.clone()));
        let (start, total_bytes) = (self.verified.bytes, self.total_bytes);
        let progress = &mut *self.progress;
        let never = AtomicBool::new(false);
        let whole = sealed.verify_until(self.depth, &never, &mut |bytes| {
            progress(Progress { bytes: start + bytes, total_bytes });
        });
        self.verified.bytes = start + sealed.stats().file_bytes;
        let stats = sealed.stats();
        self.verified.events += stats.events;
        self.verified.trimmed += stats.trimmed;
        self.verified.archived += stats.away;
        if let Err(error) = whole {
            return self.damaged(error);
        }
        let (mut walk, is_here) = (sealed.walk_here()?, sealed.object().is_none());
        while let Some(opening) = walk.next_stream()? {
            self.verified.streams += u64::from(opening.first_seq == 1);
            let file = crate::sealed::sealed_name(sealed.range());
            // Where the chain before was missing, that of the first row is given, which must follow.
            let first = if opening.is_anchored && is_here { walk.next_row()? } else { None };
            let first = first.filter(|row| row.kind.is_event());
            if opening.is_anchored && first.is_none() {
                // The event that was believed is not here any more.
                continue;
            }
            let first = first.map(|row| (row.recorded, Digest::leaf(row.stored)));
            let goes_on = self.goes_on(before, &opening, first);
            // What is missing in the file itself may be what is looked for.
            let goes_on = if sealed.is_lossy() { Ok(()) } else { goes_on };
            if let Err(error) = goes_on.map_err(|e| placed(e, &file, 0)) {
                self.damaged(error)?;
            }
        }
        Ok(())
    }

    fn segment(&mut self, segment: &Arc<Segment>, before: &[Part]) -> Result<(), Error> {
        self.begin(&Part::Segment(segment.clone()));
        let mut chains = Chains {
            checking: self,
            before,
            segment,
            heads: foldhash::HashMap::default(),
            events: 0,
        };
        let header = crate::format::SegmentHeader::new(segment.home, segment.recorded);
        let walked = scan(segment.file.clone(), &header, segment.next, &mut chains);
        let events = chains.events;
        self.verified.events += events;
        self.verified.bytes += segment.end;
        (self.progress)(Progress { bytes: self.verified.bytes, total_bytes: self.total_bytes });
        walked.map(drop).or_else(|error| self.damaged(error))
    }

    /// Checks that a stream goes on where the parts before end.
    fn goes_on(
        &self,
        before: &[Part],
        opening: &Opening,
        first: Option<(Timestamp, Digest)>,
    ) -> Result<(), String> {
        let Opening { subject, first_seq, before: chain, .. } = opening;
        let (seq, expected) = self.head(before, subject)?;
        // Behind a hole nobody can say.
        let Some((seq, expected)) = seq.zip(expected) else { return Ok(()) };
        if *first_seq != seq + 1 {
            return Err(format!(
                "{subject} goes on with seq {first_seq} where {} belongs",
                seq + 1
            ));
        }
        let expected =
            first.map_or(expected, |(recorded, leaf)| expected.next(*first_seq, recorded, leaf));
        if *chain != expected {
            return Err(format!("the chain of {subject} is broken before seq {first_seq}"));
        }
        Ok(())
    }

    /// The seq and the chain of a stream in some parts; nothing behind a hole that hides them.
    fn head(
        &self,
        before: &[Part],
        subject: &str,
    ) -> Result<(Option<u64>, Option<Digest>), String> {
        let has_hole = before.iter().any(Part::has_loss);
        match history::head(before, subject) {
            _ if has_hole => Ok((None, None)),
            Ok(Some(head)) => Ok((Some(head.seq), Some(head.chain))),
            Ok(None) => {
                let name = Subject::parse(subject).map_err(|error| error.to_string())?;
                Ok((Some(0), Some(Digest::genesis(self.log_id, &name))))
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

fn placed(what: String, file: &str, offset: u64) -> Error {
    Error::Corrupt { file: file.into(), offset, what }
}

/// Computes the chains of a segment's streams again.
struct Chains<'a, 'b> {
    checking: &'a mut Checking<'b>,
    before: &'a [Part],
    segment: &'a Segment,
    heads: foldhash::HashMap<String, (u64, Digest)>,
    events: u64,
}

impl Visitor for Chains<'_, '_> {
    fn record(&mut self, position: u64, offset: u64, view: &View<'_>) -> Result<(), String> {
        if position < self.segment.first {
            return Ok(());
        }
        self.events += 1;
        if !self.heads.contains_key(view.subject) {
            self.checking.verified.streams += u64::from(view.seq == 1);
            let before =
                if let (Some(seq), Some(chain)) = self.checking.head(self.before, view.subject)? {
                    (seq, chain)
                } else {
                    // The first one behind a hole is believed.
                    self.heads.insert(view.subject.into(), (view.seq, view.chain));
                    return Ok(());
                };
            self.heads.insert(view.subject.into(), before);
        }
        let Some((seq, chain)) = self.heads.get_mut(view.subject) else { return Ok(()) };
        if view.seq != *seq + 1 {
            let (subject, found, expected) = (view.subject, view.seq, *seq + 1);
            return Err(format!("{subject} goes on with seq {found} where {expected} belongs"));
        }
        *chain = chain.next(view.seq, view.recorded, Digest::leaf(view.stored));
        *seq = view.seq;
        let is_right = *chain == view.chain;
        if offset % (1 << 20) < view.size as u64 {
            let (bytes, total_bytes) =
                (self.checking.verified.bytes + offset, self.checking.total_bytes);
            (self.checking.progress)(Progress { bytes, total_bytes });
        }
        if is_right {
            Ok(())
        } else {
            Err(format!("the chain of {} is broken at seq {}", view.subject, view.seq))
        }
    }

    /// What is missing is among the parts, as a hole.
    fn damage(&mut self, _damage: Damage) {}
}
