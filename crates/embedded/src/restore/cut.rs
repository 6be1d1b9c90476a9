//! Cuts a log at a time.
//!
//! `recordedtime` never goes back over positions, and is one for all events of a group; so what is
//! kept is a prefix of the groups.

use std::sync::{Arc, atomic::AtomicBool};

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::Error;

use super::before::Before;
use crate::{
    Identity,
    disk::Disk,
    format::{SegmentHeader, View},
    history::Part,
    recovery::{Listed, list},
    scan::{Damage, Visitor, scan, segment_name},
    sealed::{Blocks, LEVEL, Range, Sealed, Target, seal, sealed_name},
    segment::Segment,
    writer::TMP_SUFFIX,
};

/// What is left of a log.
pub(super) struct Done {
    /// The position of the next group.
    pub(super) position: u64,
    pub(super) recorded: Timestamp,
    /// The recordedtime of the first event that was cut off.
    pub(super) cut: Option<Timestamp>,
}

/// Removes everything behind the last group that was recorded by `to_time`, and everything behind
/// the last valid group.
pub(super) fn cut(
    disk: &dyn Disk,
    identity: &Identity,
    parts: &[Part],
    to_time: Option<Timestamp>,
) -> Result<Done, Error> {
    let to_time = to_time.unwrap_or(Timestamp::from_ms(i64::MAX));
    let mut done = Done { position: 1, recorded: Timestamp::default(), cut: None };
    let mut crossing = None;
    for part in parts {
        let (first, last) = part.range();
        let (reached, first_late) = match part {
            Part::Hole(_) => (done.recorded, None),
            Part::Sealed(sealed) if sealed.stats().last_recorded > to_time => {
                let before = Before::new(sealed, to_time)?;
                (before.recorded, Some((before.late_position, before.late)))
            }
            Part::Sealed(sealed) => (sealed.recorded(), None),
            Part::Segment(segment) if segment.recorded > to_time => late(segment, to_time)?,
            Part::Segment(segment) => (segment.recorded, None),
        };
        done.recorded = done.recorded.max(reached);
        done.position = last + 1;
        if let Some((position, recorded)) = first_late {
            (done.position, done.cut) = (position, Some(recorded));
            crossing = (position > first).then_some(part);
            break;
        }
    }
    if let Some(Part::Sealed(sealed)) = crossing {
        shorten(disk, identity, sealed, to_time, &done)?;
    }
    remove_from(disk, done.position, parts)?;
    disk.sync()?;
    Ok(done)
}

/// Writes a sealed file again without its late rows, and removes it.
fn shorten(
    disk: &dyn Disk,
    identity: &Identity,
    sealed: &Arc<Sealed>,
    to_time: Timestamp,
    done: &Done,
) -> Result<(), Error> {
    let target = Target {
        disk,
        log_id: identity.log_id(),
        range: Range { first: sealed.range().first, last: done.position - 1 },
        recorded: done.recorded,
        level: LEVEL,
        cache: Arc::new(Blocks::new(0)),
        is_lossy: sealed.is_lossy(),
        object: None,
        suffix: TMP_SUFFIX,
        stop: &AtomicBool::new(false),
    };
    seal(&target, vec![Box::new(Before::new(sealed, to_time)?)])?;
    Ok(disk.remove(&sealed_name(sealed.range()))?)
}

/// Removes the files from a position on, and what the last segment before it has from there on.
fn remove_from(disk: &dyn Disk, position: u64, parts: &[Part]) -> Result<(), Error> {
    for file in list(disk)? {
        match file {
            Listed::Sealed(range) if range.first >= position => disk.remove(&sealed_name(range))?,
            Listed::Segment(first) if first >= position => disk.remove(&segment_name(first))?,
            _ => {}
        }
    }
    let segment = parts.iter().rev().find_map(|part| match part {
        Part::Segment(segment) if segment.first < position => Some(segment),
        _ => None,
    });
    if let Some(segment) = segment.filter(|segment| segment.next >= position) {
        let header = SegmentHeader::new(segment.home, segment.recorded);
        let found = scan(segment.file.clone(), &header, position, &mut Nobody)?;
        segment.file.set_size(found.end)?;
        segment.file.sync()?;
    }
    Ok(())
}

/// The first group of a segment after a time: its position and time; and the latest time before.
fn late(
    segment: &Arc<Segment>,
    to_time: Timestamp,
) -> Result<(Timestamp, Option<(u64, Timestamp)>), Error> {
    let mut late = Late { from: segment.first, to_time, recorded: Timestamp::default(), at: None };
    let header = SegmentHeader::new(segment.home, Timestamp::default());
    scan(segment.file.clone(), &header, segment.next, &mut late)?;
    Ok((late.recorded, late.at))
}

struct Late {
    /// Groups before this one are of another part.
    from: u64,
    to_time: Timestamp,
    recorded: Timestamp,
    at: Option<(u64, Timestamp)>,
}

impl Visitor for Late {
    fn record(&mut self, position: u64, _offset: u64, view: &View<'_>) -> Result<(), String> {
        if position >= self.from && self.at.is_none() {
            if view.recorded > self.to_time {
                self.at = Some((position, view.recorded));
            } else {
                self.recorded = self.recorded.max(view.recorded);
            }
        }
        Ok(())
    }

    fn damage(&mut self, _damage: Damage) {}
}

/// Looks at nothing.
struct Nobody;

impl Visitor for Nobody {
    fn record(&mut self, _position: u64, _offset: u64, _view: &View<'_>) -> Result<(), String> {
        Ok(())
    }

    fn damage(&mut self, _damage: Damage) {}
}
