//! Walks over the groups of a segment and checks them; behind damage it goes on with the next group
//! that is valid.

use std::sync::Arc;

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::{Defect, Error};

use crate::{
    disk::File,
    format::{
        GROUP_HEADER_BYTES, GROUP_MAGIC, Group, GroupHeader, Home, SEGMENT_HEADER_BYTES,
        SegmentHeader, View,
    },
    window::Window,
};

/// How much is looked through at once for the next group.
const LOOK_BYTES: usize = 1 << 20;

/// The name of a segment's file.
pub(crate) fn segment_name(segment: u64) -> String {
    format!("{segment:020}.seg")
}

/// What a walk over a segment is told.
pub(crate) trait Visitor {
    /// A record of the group at a position, and its offset in the file. What the visitor objects
    /// to is damage, though its checksum is right.
    fn record(&mut self, position: u64, offset: u64, view: &View<'_>) -> Result<(), String>;

    /// Groups that were there, and cannot be read: a valid one comes after them.
    fn damage(&mut self, damage: Damage);
}

/// Damage with valid groups behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Where it starts in the file.
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    /// The first and the last position that are lost by it.
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Where the valid groups end.
    pub(crate) end: u64,
    /// The position of the next group.
    pub(crate) next: u64,
    /// The latest recordedtime, from before the segment too.
    pub(crate) recorded: Timestamp,
    /// The last valid group with records: its offset and position.
    pub(crate) last: Option<(u64, u64)>,
    /// Whether the log was closed in order behind the groups.
    pub(crate) is_closed: bool,
    /// Bytes behind the valid groups that are neither a group nor zeros.
    pub(crate) torn_bytes: u64,
}

/// Walks over the groups of a segment, up to the position `until` (exclusively), which belongs to
/// the next file.
pub(crate) fn scan(
    file: Arc<dyn File>,
    header: &SegmentHeader,
    until: u64,
    visitor: &mut dyn Visitor,
) -> Result<Scan, Error> {
    let home = header.home;
    let mut window = Window::new(file)?;
    let mut found = Scan {
        end: SEGMENT_HEADER_BYTES as u64,
        next: home.segment,
        recorded: header.recorded,
        last: None,
        is_closed: false,
        torn_bytes: 0,
    };
    while found.next < until {
        let at = found.end;
        let Some(group) = group(&mut window, home, at)?.filter(|g| is_next(g, &found)) else {
            match next_group(&mut window, home, at, found.next)? {
                Behind::Group { offset, number } if number <= until && !Defect::CutMore.is_on() => {
                    let (first, last) = (found.next, number - 1);
                    visitor.damage(Damage { offset: at, bytes: offset - at, first, last });
                    (found.end, found.next) = (offset, number);
                    continue;
                }
                Behind::Group { .. } => {}
                Behind::Nothing { torn_bytes } => found.torn_bytes = torn_bytes,
            }
            break;
        };
        if group.header.count == 0 {
            found.is_closed = true;
            break;
        }
        visit(&group, at, &mut found, visitor).map_err(|what| Error::Corrupt {
            file: segment_name(home.segment),
            offset: at,
            what,
        })?;
    }
    Ok(found)
}

/// Whether a group is the one that belongs here. Behind damage, positions may have been passed over.
fn is_next(group: &Group<'_>, found: &Scan) -> bool {
    group.header.number == found.next && group.header.synced == found.end
}

fn visit(
    group: &Group<'_>,
    at: u64,
    found: &mut Scan,
    visitor: &mut dyn Visitor,
) -> Result<(), String> {
    let mut count = 0;
    for record in group.records() {
        let Some((offset, view)) = record else {
            return Err("a record of a valid group cannot be read".into());
        };
        count += 1;
        found.recorded = found.recorded.max(view.recorded);
        visitor.record(found.next, at + offset as u64, &view)?;
    }
    if count != group.header.count {
        return Err(format!("{count} records where {} belong", group.header.count));
    }
    found.last = Some((at, found.next));
    found.end += group.header.size() as u64;
    found.next += 1;
    Ok(())
}

fn group(window: &mut Window, home: Home, offset: u64) -> Result<Option<Group<'_>>, Error> {
    let header = GroupHeader::decode(window.get(offset, GROUP_HEADER_BYTES)?, home);
    let Some(header) = header else { return Ok(None) };
    Ok(Group::decode(window.get(offset, header.size())?, home))
}

/// What lies behind a group that is not valid.
enum Behind {
    /// A later group, which was written after everything before it was synced.
    Group { offset: u64, number: u64 },
    /// No such thing: the group was the last one, and never finished.
    Nothing { torn_bytes: u64 },
}

/// Looks for a group with a later position than `next`, or with that one at a later offset.
///
/// A valid header is enough: it says that what is before it was synced. In format 1, whose headers
/// have no checksum, it must be a valid group.
fn next_group(window: &mut Window, home: Home, start: u64, next: u64) -> Result<Behind, Error> {
    let (mut offset, mut last) = (start, None);
    while offset < window.size() {
        let piece = window.get(offset, LOOK_BYTES)?;
        let length = piece.len() as u64;
        if let Some(at) = piece.iter().rposition(|byte| *byte != 0) {
            last = Some(offset + at as u64);
            // Groups start at multiples of 8, and so do the pieces.
            let starts = piece.chunks_exact(8).zip(0_u64..);
            let starts = starts.filter(|(chunk, _)| **chunk == GROUP_MAGIC);
            let starts: Vec<u64> = starts.map(|(_, index)| offset + index * 8).collect();
            for start_of_group in starts.into_iter().filter(|at| *at > start) {
                let header = window.get(start_of_group, GROUP_HEADER_BYTES)?;
                let header = GroupHeader::decode(header, home)
                    .filter(|header| header.number > next && header.synced == start_of_group);
                let is_sure = home.version > 1 || group(window, home, start_of_group)?.is_some();
                if let (Some(header), true) = (header, is_sure) {
                    return Ok(Behind::Group { offset: start_of_group, number: header.number });
                }
            }
        }
        offset += length;
    }
    Ok(Behind::Nothing { torn_bytes: last.map_or(0, |last| last + 1 - start) })
}
