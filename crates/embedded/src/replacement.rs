//! Puts sealed files in the place of damaged ones, on a log that nobody has open otherwise.
//!
//! A crash at any step leaves a log that opens, with everything that it had before, and the same
//! work can be done again:
//!
//! ```text
//!   1. new files are written under names that end in .tmp, and verified
//!   2. damaged files are copied to NAME.damaged, for whoever wants to look into them later
//!   3. new files get their names, the last one first: as long as a damaged segment is the first of
//!      several, it is read up to where the next file begins
//!   4. damaged files go whose name no new file has taken
//! ```

use std::sync::{Arc, atomic::AtomicBool};

use matchwire_domain::{chain::Digest, subject::Subject, timestamp::Timestamp};
use matchwire_log::Error;

use crate::{
    disk::Disk,
    history::{self, Hole, Part},
    identity::Identity,
    keeper::arrival,
    recovery::{GiveUp, Listed, Opened, list, recover},
    scan::segment_name,
    sealed::{Blocks, LEVEL, Prepared, Range, Sealed, Streams, Target, prepare, sealed_name},
    segment::Segment,
    window::Window,
    writer::{TMP_SUFFIX, error},
};

/// What the copy of a damaged file has behind its name.
const DAMAGED_SUFFIX: &str = ".damaged";
const COPY_BYTES: usize = 1 << 20;
static NEVER: AtomicBool = AtomicBool::new(false);

/// A log that is to be repaired.
pub(crate) struct Broken<'a> {
    pub(crate) disk: &'a dyn Disk,
    pub(crate) identity: Identity,
    pub(crate) cache: Arc<Blocks>,
    /// All parts, the open segment too.
    pub(crate) parts: Arc<Vec<Part>>,
    /// Names of sealed files that were written again from their own blocks.
    pub(crate) resealed: Vec<String>,
    /// Sealed files that are damaged, with the damage.
    pub(crate) damaged: Vec<(Arc<Sealed>, Error)>,
}

impl<'a> Broken<'a> {
    /// Opens a log, reads all of its sealed files, and writes those again of which only derived
    /// parts are damaged. A last segment of which nothing can be read is a hole, if it may be given
    /// up.
    pub(crate) fn open(disk: &'a dyn Disk, give_up: GiveUp<'_>) -> Result<Self, Error> {
        identity(disk)?;
        let cache = Arc::new(Blocks::new(0));
        let Opened { identity, mut parts, open, .. } = recover(disk, None, &cache, give_up)?;
        if !open.is_empty() {
            parts.push(Part::Segment(Arc::new(open)));
        }
        let (mut resealed, mut damaged) = (Vec::new(), Vec::new());
        for part in &mut parts {
            let Part::Sealed(sealed) = part else { continue };
            let wrong = match sealed.verify(&mut |_| ()) {
                Ok(()) => continue,
                Err(wrong @ Error::Corrupt { .. }) => wrong,
                Err(other) => return Err(other),
            };
            match sealed.resealed(disk, &NEVER)? {
                Some(whole) => {
                    resealed.push(sealed_name(whole.range()));
                    *sealed = Arc::new(whole);
                }
                None => damaged.push((sealed.clone(), wrong)),
            }
        }
        Ok(Self { disk, identity, cache, parts: Arc::new(parts), resealed, damaged })
    }

    /// The damage of a sealed file, as if all of it were missing; nothing if it is whole.
    pub(crate) fn damage(&self, sealed: &Arc<Sealed>) -> Option<Hole> {
        let (_, damage) = self.damaged.iter().find(|(other, _)| Arc::ptr_eq(other, sealed))?;
        let Error::Corrupt { file, offset, what } = damage else { return None };
        let Range { first, last } = sealed.range();
        let (file, what, is_accepted) = (file.clone(), what.clone(), false);
        Some(Hole { first, last, file, offset: *offset, what, is_accepted })
    }

    /// Writes a file with some rows, and gives it no name yet.
    pub(crate) fn prepare(
        &self,
        range: Range,
        recorded: Timestamp,
        inputs: Vec<Box<dyn Streams>>,
    ) -> Result<Prepared, Error> {
        let (disk, log_id, cache) = (self.disk, self.identity.log_id(), self.cache.clone());
        let (level, is_lossy, object, suffix, stop) = (LEVEL, false, None, TMP_SUFFIX, &NEVER);
        let target =
            Target { disk, log_id, range, recorded, level, cache, is_lossy, object, suffix, stop };
        prepare(&target, inputs)
    }

    /// Writes the piece of a damaged segment as a sealed file.
    pub(crate) fn prepare_piece(
        &self,
        segment: &Segment,
        before: &[Part],
    ) -> Result<Prepared, Error> {
        let range = Range { first: segment.first, last: segment.next - 1 };
        let source: Box<dyn Streams> = Box::new(arrival(segment, before)?);
        self.prepare(range, segment.recorded, vec![source])
    }

    /// The first positions of the segments that are damaged.
    pub(crate) fn damaged_segments(&self) -> Result<Vec<u64>, Error> {
        let files = list(self.disk)?;
        let first = |part: &Part| match part {
            Part::Segment(segment) if segment.is_damaged() => Some(segment.home.segment),
            // Nothing of it may be left; but a file before which something is missing is not meant.
            Part::Hole(hole) => files.iter().find_map(|file| match file {
                Listed::Segment(first) if *first <= hole.first => {
                    (segment_name(*first) == hole.file).then_some(*first)
                }
                _ => None,
            }),
            _ => None,
        };
        let mut segments: Vec<u64> = self.parts.iter().filter_map(first).collect();
        segments.dedup();
        Ok(segments)
    }

    /// Whether there is a file of a name.
    pub(crate) fn has(&self, name: &str) -> Result<bool, Error> {
        Ok(self.disk.list()?.iter().any(|other| other == name))
    }
}

/// Whose log it is that is to be repaired.
pub(crate) fn identity(disk: &dyn Disk) -> Result<Identity, Error> {
    Identity::read(disk)?.ok_or_else(|| {
        let what = "it has no log.json that can be read".into();
        Error::Unusable { place: disk.place(), what }
    })
}

/// New files, and those that they replace.
#[derive(Default)]
pub(crate) struct Replacement {
    pub(crate) prepared: Vec<Prepared>,
    /// Names of damaged files.
    pub(crate) replaced: Vec<String>,
}

impl Replacement {
    /// Puts the new files into their places, and gives the names of the copies of the others.
    pub(crate) fn carry_out(mut self, disk: &dyn Disk) -> Result<Vec<String>, Error> {
        let mut copies = Vec::new();
        for name in &self.replaced {
            copies.push(copy(disk, name)?);
        }
        self.prepared.sort_by_key(|prepared| prepared.sealed().range());
        let names: Vec<String> =
            self.prepared.iter().map(|it| sealed_name(it.sealed().range())).collect();
        while let Some(prepared) = self.prepared.pop() {
            prepared.publish(disk)?;
        }
        for name in self.replaced.iter().filter(|name| !names.contains(name)) {
            disk.remove(name)?;
        }
        disk.sync()?;
        Ok(copies)
    }

    /// Removes what was written.
    pub(crate) fn discard(self, disk: &dyn Disk) {
        self.prepared.into_iter().for_each(|prepared| prepared.discard(disk));
    }
}

/// Copies a damaged file, and gives the name of the copy.
fn copy(disk: &dyn Disk, name: &str) -> Result<String, Error> {
    let copied = format!("{name}{DAMAGED_SUFFIX}");
    let unnamed = format!("{copied}{TMP_SUFFIX}");
    let mut window = Window::new(disk.open(name)?)?;
    let file = disk.create(&unnamed).map_err(error)?;
    let mut offset = 0;
    while offset < window.size() {
        let piece = window.get(offset, COPY_BYTES)?;
        file.write_at(piece, offset).map_err(error)?;
        offset += piece.len() as u64;
    }
    file.sync()?;
    disk.rename(&unnamed, &copied).map_err(error)?;
    disk.sync()?;
    Ok(copied)
}

/// Checks that every stream goes on from part to part, from a part on up to the next hole; says
/// which one does not, and where.
pub(crate) fn check_fit(parts: &[Part], from: usize) -> Result<(), Error> {
    for (at, part) in parts.iter().enumerate().skip(from) {
        let before = parts.get(..at).unwrap_or_default();
        match part {
            Part::Hole(_) => return Ok(()),
            Part::Sealed(sealed) if sealed.is_lossy() => {}
            Part::Sealed(sealed) => {
                let mut entries = sealed.entries();
                while let Some((subject, entry)) = entries.next()? {
                    let proof = if entry.is_anchored { None } else { Some(entry.before) };
                    check_stream(before, part, &subject, entry.first_seq, proof)?;
                }
            }
            Part::Segment(segment) => {
                for subject in segment.index.subjects() {
                    let first_seq = segment.index.stream(subject.as_str()).map(|it| it.first_seq);
                    check_stream(before, part, subject, first_seq.unwrap_or(1), None)?;
                }
            }
        }
    }
    Ok(())
}

/// Checks that a stream of a part, which has it from a seq on, goes on where the parts before end.
fn check_stream(
    before: &[Part],
    part: &Part,
    subject: &Subject,
    first_seq: u64,
    chain: Option<Digest>,
) -> Result<(), Error> {
    if first_seq == 1 {
        // It begins here; that it does not twice is seen when it is read.
        let known = history::chain_before(before, subject.as_str(), 1);
        return match history::head(before, subject.as_str()) {
            Ok(Some(head)) if known.is_err() => Err(misfit(
                part,
                format!("{subject} begins with seq 1, and had {} before", head.seq),
            )),
            _ => Ok(()),
        };
    }
    // Behind a hole nobody can say.
    let Some(expected) = history::chain_before(before, subject.as_str(), first_seq)? else {
        return Ok(());
    };
    let fits = if let Some(chain) = chain {
        chain == expected
    } else {
        let Some(found) = part.find(subject.as_str())? else { return Ok(()) };
        let records = part.read(subject, &found, first_seq, 1, 1)?;
        records.first().is_some_and(|first| {
            first.chain == expected.next(first.seq, first.recorded, first.leaf)
        })
    };
    if fits {
        return Ok(());
    }
    Err(misfit(part, format!("the chain of {subject} is broken before seq {first_seq}")))
}

fn misfit(part: &Part, what: String) -> Error {
    let (first, last) = part.range();
    Error::Corrupt { file: format!("the groups {first} to {last}"), offset: 0, what }
}
