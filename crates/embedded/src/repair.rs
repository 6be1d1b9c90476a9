//! Fills holes, and replaces damaged files, from another copy of the log.

use std::{path::Path, sync::Arc};

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::Error;

use crate::{
    clipped::clipped,
    disk::{Directory, Disk},
    history::{Hole, Part},
    identity::Identity,
    recovery::History,
    replacement::{Broken, Replacement, check_fit, identity},
    scan::segment_name,
    sealed::{Blocks, Prepared, Range, parse_name, sealed_name},
};

/// What a repair has done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repaired {
    /// Files that were written again from their own blocks, since only their indexes were damaged.
    pub resealed: Vec<String>,
    /// Positions that were brought back, first and last.
    pub filled: Vec<(u64, u64)>,
    /// Events in those.
    pub events: u64,
    /// What still is missing or damaged, and in `what` also why it could not be brought back.
    pub missing: Vec<Hole>,
    /// Copies of the damaged files, which nobody reads any more.
    pub kept: Vec<String>,
}

/// Repairs a log, which nobody may have open, from another directory of files of the same log: a
/// back-up, or an older copy.
///
/// Missing positions are taken from there if they fit: every stream's chain must go on from the
/// parts before and into those behind. If any does not fit, that is [`Error::Corrupt`], and nothing
/// is changed. What the other directory does not have stays missing, and is told. Only what a last
/// segment had of which nothing can be read is not known: all that the other directory has is taken,
/// and the lineage is another one from there on. It is safe to repeat a repair that was interrupted.
pub fn repair(directory: &Path, from: &Path) -> Result<Repaired, Error> {
    repair_on(&Directory::open(directory)?, &Directory::unlocked(from))
}

/// Like [`repair`], on other disks than the real one.
pub fn repair_on(disk: &dyn Disk, from: &dyn Disk) -> Result<Repaired, Error> {
    let source = source(disk, from)?;
    let end = source.iter().map(|part| part.range().1).max();
    let broken = Broken::open(disk, &|first| end.filter(|end| *end >= first))?;
    let mut plan = Plan {
        source: Arc::new(source),
        broken: &broken,
        replacement: Replacement::default(),
        report: Repaired { resealed: broken.resealed.clone(), ..Repaired::default() },
    };
    let made = plan.make().and_then(|parts| check(&parts));
    let Plan { replacement, mut report, .. } = plan;
    if let Err(error) = made {
        replacement.discard(disk);
        return Err(error);
    }
    report.kept = replacement.carry_out(disk)?;
    Ok(report)
}

/// Checks that new parts fit to those around them.
fn check(parts: &[(Part, bool)]) -> Result<(), Error> {
    let all: Vec<Part> = parts.iter().map(|(part, _)| part.clone()).collect();
    for (at, (_, is_new)) in parts.iter().enumerate() {
        let was_new = at > 0 && parts.get(at - 1).is_some_and(|(_, is_new)| *is_new);
        if *is_new && !was_new {
            check_fit(&all, at)?;
        }
    }
    Ok(())
}

/// The parts of the other copy.
fn source(disk: &dyn Disk, from: &dyn Disk) -> Result<Vec<Part>, Error> {
    let mut identity = identity(disk)?;
    if let Some(other) = Identity::read(from)?
        && other.id != identity.id
    {
        let what = format!("it is log {}, and not {}", other.id, identity.id);
        return Err(Error::Unusable { place: from.place(), what });
    }
    identity.lost.clear();
    let cache = Arc::new(Blocks::new(0));
    let mut history = History::read_only(from, &identity, &cache);
    let last = history.collect()?;
    let last = last.map(|first| history.last(Some(first))).transpose()?;
    Ok(history.end(last))
}

struct Plan<'a, 'b> {
    source: Arc<Vec<Part>>,
    broken: &'b Broken<'a>,
    replacement: Replacement,
    report: Repaired,
}

impl Plan<'_, '_> {
    /// Writes what can be brought back, and gives the parts that there will be, each with whether
    /// it is new.
    fn make(&mut self) -> Result<Vec<(Part, bool)>, Error> {
        let mut parts: Vec<(Part, bool)> = Vec::new();
        for part in self.broken.parts.iter() {
            let new = match part {
                Part::Hole(hole) if !hole.is_accepted => self.fill_hole(hole)?,
                Part::Sealed(sealed) => match self.broken.damage(sealed) {
                    Some(hole) => {
                        let new = self.replace(sealed.range(), &hole)?;
                        // What is in it cannot be relied on.
                        if new.is_none() {
                            parts.push((Part::Hole(Arc::new(hole)), false));
                            continue;
                        }
                        new
                    }
                    None => None,
                },
                _ => None,
            };
            parts.push(new.map_or_else(|| (part.clone(), false), |part| (part, true)));
        }
        for segment in self.broken.damaged_segments()? {
            self.settle_segment(segment, &mut parts)?;
        }
        Ok(parts)
    }

    fn fill_hole(&mut self, hole: &Hole) -> Result<Option<Part>, Error> {
        let range = Range { first: hole.first, last: hole.last };
        let Some(part) = self.fill(range, hole.clone())? else { return Ok(None) };
        // What cannot even be opened is replaced, not only damaged.
        let is_sealed = parse_name(&hole.file)
            .is_some_and(|range| range.first <= hole.first && hole.last <= range.last);
        if is_sealed && self.broken.has(&hole.file)? {
            self.replacement.replaced.push(hole.file.clone());
        }
        Ok(Some(part))
    }

    fn replace(&mut self, range: Range, hole: &Hole) -> Result<Option<Part>, Error> {
        let part = self.fill(range, hole.clone())?;
        if part.is_some() {
            self.replacement.replaced.push(sealed_name(range));
        }
        Ok(part)
    }

    /// Writes a file with the rows of a range; nothing if the other copy does not have all of them.
    fn fill(&mut self, range: Range, hole: Hole) -> Result<Option<Part>, Error> {
        let places = match covering(&self.source, range) {
            Ok(places) => places,
            Err(why) => {
                let what = format!("{}; {why}", hole.what);
                self.report.missing.push(Hole { what, ..hole });
                return Ok(None);
            }
        };
        let inputs = places.iter().map(|at| clipped(&self.source, *at, range));
        let inputs = inputs.collect::<Result<Vec<_>, Error>>()?;
        let prepared = self.broken.prepare(range, Timestamp::default(), inputs)?;
        self.report.filled.push((range.first, range.last));
        self.report.events += prepared.sealed().stats().events;
        Ok(Some(self.add(prepared)))
    }

    /// Takes a new file, and gives it as a part.
    fn add(&mut self, prepared: Prepared) -> Part {
        let part = Part::Sealed(Arc::new(prepared.again()));
        self.replacement.prepared.push(prepared);
        part
    }

    /// Writes the good pieces of a damaged segment, too, if nothing of it is missing any more.
    fn settle_segment(&mut self, segment: u64, parts: &mut [(Part, bool)]) -> Result<(), Error> {
        let is_piece = |part: &Part| matches!(part, Part::Segment(piece) if piece.is_damaged() && piece.home.segment == segment);
        let name = segment_name(segment);
        let is_missing = |part: &Part| matches!(part, Part::Hole(hole) if hole.file == name && !hole.is_accepted);
        if parts.iter().any(|(part, _)| is_missing(part)) {
            return Ok(());
        }
        for at in 0..parts.len() {
            let before: Vec<Part> = parts.iter().take(at).map(|(part, _)| part.clone()).collect();
            let Some((part, is_new)) = parts.get_mut(at) else { continue };
            let Part::Segment(piece) = part else { continue };
            if !is_piece(&Part::Segment(piece.clone())) {
                continue;
            }
            let prepared = self.broken.prepare_piece(piece, &before)?;
            (*part, *is_new) = (self.add(prepared), true);
        }
        self.replacement.replaced.push(name);
        Ok(())
    }
}

/// The places of the parts that have a range without a gap, or why it is not there.
fn covering(parts: &[Part], range: Range) -> Result<Vec<usize>, String> {
    let (mut places, mut next) = (Vec::new(), range.first);
    for (at, part) in parts.iter().enumerate() {
        let (first, last) = part.range();
        if last < range.first || first > range.last {
            continue;
        }
        if matches!(part, Part::Hole(_)) || part.has_loss() {
            return Err(format!("the copy misses the groups {first} to {last}, too"));
        }
        if first > next {
            break;
        }
        places.push(at);
        next = last + 1;
    }
    if next > range.last {
        return Ok(places);
    }
    Err(format!("the copy has nothing from group {next} on"))
}
