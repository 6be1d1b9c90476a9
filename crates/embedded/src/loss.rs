//! Accepts that what is damaged or missing is lost, so that the log goes on without it.

use std::{cell::RefCell, path::Path, rc::Rc, sync::Arc};

use matchwire_domain::subject::Subject;
use matchwire_log::Error;

use crate::{
    disk::{Directory, Disk},
    history::{self, Hole, Part},
    identity::Lost,
    replacement::{Broken, Replacement},
    scan::segment_name,
    sealed::{LostRows, Range, Salvage, parse_name, sealed_name},
};

/// How many streams are told of, at most.
const MAX_STREAMS: usize = 10_000;

/// What was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AcceptedLoss {
    /// Positions of groups that are lost as a whole, first and last.
    pub groups: Vec<(u64, u64)>,
    /// Sealed files of which some blocks are lost.
    pub files: Vec<String>,
    /// Streams that are known to have lost events, at most the first 10,000. Those that have nothing
    /// behind the loss, or nothing before and behind it, may have lost some, too.
    pub streams: Vec<LostEvents>,
    /// Copies of the damaged files, which nobody reads any more.
    pub kept: Vec<String>,
    /// The log's lineage from now on.
    pub lineage: String,
}

/// Events of a stream that are lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostEvents {
    /// The stream.
    pub subject: String,
    /// The first seq.
    pub first_seq: u64,
    /// The last one.
    pub last_seq: u64,
}

/// Accepts all losses of a log, which nobody may have open, and renews its lineage, if there are
/// any: a `seq` that was lost may be given again. What can be read stays as it is.
///
/// It is safe to repeat it when it was interrupted; without damage nothing is done.
pub fn accept_loss(directory: &Path) -> Result<AcceptedLoss, Error> {
    accept_loss_on(&Directory::open(directory)?)
}

/// Like [`accept_loss`], on another disk than the real one.
pub fn accept_loss_on(disk: &dyn Disk) -> Result<AcceptedLoss, Error> {
    // At least one group was in a segment; those behind it get another lineage.
    let mut broken = Broken::open(disk, &Some)?;
    let mut loss = Loss { salvaged: Vec::new(), ..Loss::default() };
    loss.find(&broken)?;
    let Loss { mut report, lost, salvaged, told } = loss;
    let known = broken.identity.lost.clone();
    let new: Vec<Lost> = lost.iter().filter(|lost| !known.contains(lost)).copied().collect();
    if let Some(first) = new.iter().map(|lost| lost.first).min() {
        broken.identity.lost.extend(new);
        broken.identity.fork(first);
        broken.identity.write(disk)?;
    }
    report.lineage = broken.identity.lineage().current().into();
    let replacement = replacement(&broken, salvaged, &told)?;
    report.kept = replacement.carry_out(disk)?;
    for LostRows { subject, first_seq, last_seq } in told.borrow().iter() {
        report.add(subject, *first_seq, *last_seq);
    }
    Ok(report)
}

/// What is lost.
#[derive(Default)]
struct Loss {
    report: AcceptedLoss,
    lost: Vec<Lost>,
    /// Damaged files of which something is left, with their names.
    salvaged: Vec<(Salvage, Range)>,
    told: Rc<RefCell<Vec<LostRows>>>,
}

impl Loss {
    fn find(&mut self, broken: &Broken<'_>) -> Result<(), Error> {
        for (at, part) in broken.parts.iter().enumerate() {
            match part {
                Part::Hole(hole) => {
                    // Of a file that cannot be opened, blocks may be left.
                    let range = parse_name(&hole.file);
                    let range = range.filter(|it| (it.first, it.last) == (hole.first, hole.last));
                    match range {
                        Some(range) if broken.has(&hole.file)? => self.salvage(broken, range)?,
                        _ if !hole.is_accepted => self.hole(broken, at, hole)?,
                        _ => {}
                    }
                }
                Part::Sealed(sealed)
                    if broken.damaged.iter().any(|(it, _)| Arc::ptr_eq(it, sealed)) =>
                {
                    self.salvage(broken, sealed.range())?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn salvage(&mut self, broken: &Broken<'_>, range: Range) -> Result<(), Error> {
        let log_id = broken.identity.log_id();
        self.salvaged.push((Salvage::read(broken.disk, log_id, range, &broken.cache)?, range));
        self.lost.push(Lost { first: range.first, last: range.last, in_part: true });
        self.report.files.push(sealed_name(range));
        Ok(())
    }

    fn hole(&mut self, broken: &Broken<'_>, at: usize, hole: &Hole) -> Result<(), Error> {
        let (first, last) = (hole.first, hole.last);
        self.lost.push(Lost { first, last, in_part: false });
        self.report.groups.push((first, last));
        let (before, behind) = broken.parts.split_at(at.min(broken.parts.len()));
        let behind = behind.get(1..).unwrap_or_default();
        for (nth, part) in behind.iter().enumerate() {
            let between = behind.get(..nth).unwrap_or_default();
            if matches!(part, Part::Hole(_)) {
                break;
            }
            let mut visit = |subject: &Subject, first_seq: u64| {
                let is_known = between.iter().map(|part| part.find(subject.as_str()));
                for found in is_known {
                    if found?.is_some() {
                        return Ok(());
                    }
                }
                let last = match history::head(before, subject.as_str()) {
                    Ok(head) => head.map_or(0, |head| head.seq),
                    Err(_) => return Ok(()),
                };
                if last + 1 < first_seq {
                    self.report.add(subject.as_str(), last + 1, first_seq - 1);
                }
                Ok(())
            };
            match part.streams(&mut visit) {
                // It is damaged itself.
                Err(Error::Corrupt { .. }) => break,
                other => other?,
            }
        }
        Ok(())
    }
}

impl AcceptedLoss {
    fn add(&mut self, subject: &str, first_seq: u64, last_seq: u64) {
        if self.streams.len() < MAX_STREAMS {
            self.streams.push(LostEvents { subject: subject.into(), first_seq, last_seq });
        }
    }
}

/// Writes what is left of damaged files.
fn replacement(
    broken: &Broken<'_>,
    salvaged: Vec<(Salvage, Range)>,
    told: &Rc<RefCell<Vec<LostRows>>>,
) -> Result<Replacement, Error> {
    let mut replacement = Replacement::default();
    // What the pieces of segments go on from is looked up in what there will be.
    let mut parts = Vec::clone(&broken.parts);
    for (salvage, range) in salvaged {
        let prepared = salvage.prepare_with_losses(broken.disk, told)?;
        let is_there = |part: &&mut Part| part.range() == (range.first, range.last);
        if let Some(part) = parts.iter_mut().find(is_there) {
            *part = Part::Sealed(Arc::new(prepared.again()));
        }
        replacement.prepared.push(prepared);
        replacement.replaced.push(sealed_name(range));
    }
    for segment in broken.damaged_segments()? {
        for (at, part) in parts.iter().enumerate() {
            match part {
                Part::Segment(piece) if piece.is_damaged() && piece.home.segment == segment => {
                    let before = parts.get(..at).unwrap_or_default();
                    replacement.prepared.push(broken.prepare_piece(piece, before)?);
                }
                _ => {}
            }
        }
        replacement.replaced.push(segment_name(segment));
    }
    Ok(replacement)
}
