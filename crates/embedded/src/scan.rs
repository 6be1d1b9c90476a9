//! Walks over the groups of a segment and checks them.

use std::{io, sync::Arc};

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::Error;

use crate::{
    disk::File,
    format::{
        GROUP_HEADER_BYTES, GROUP_MAGIC, Group, Home, SEGMENT_HEADER_BYTES, SegmentHeader, View,
    },
    window::Window,
};

/// The name of a segment's file.
pub(crate) fn segment_name(segment: u64) -> String {
    format!("{segment:020}.seg")
}

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Where the valid groups end.
    pub(crate) end: u64,
    /// The number of the next group.
    pub(crate) next: u64,
    /// The latest recordedtime, from before the segment too.
    pub(crate) recorded: Timestamp,
    pub(crate) rest: Rest,
}

/// What lies behind the valid groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Nothing but zeros up to the end of the file.
    Zeros,
    /// Bytes that are no valid group, up to the last one that is not zero.
    Damaged {
        /// How many.
        bytes: u64,
        /// Where a later group is valid.
        later: Option<u64>,
    },
}

/// Calls `visit` for every record of a segment, with its offset, up to the first group that is
/// not valid. What `visit` objects to is damage, for its checksum is right.
pub(crate) fn scan(
    file: Arc<dyn File>,
    header: &SegmentHeader,
    visit: &mut dyn FnMut(u64, &View<'_>) -> Result<(), String>,
) -> Result<Scan, Error> {
    let home = header.home;
    let damaged = |offset: u64, what: String| Error::Corrupt {
        file: segment_name(home.segment),
        offset,
        what,
    };
    let mut window = Window::new(file)?;
    let (mut end, mut next) = (SEGMENT_HEADER_BYTES as u64, home.segment);
    let mut recorded = header.recorded;
    loop {
        let size = Group::size(window.get(end, GROUP_HEADER_BYTES)?).unwrap_or(0);
        let group = Group::decode(window.get(end, size)?, home);
        let Some(group) = group.filter(|group| group.number == next && group.synced == end) else {
            let rest = rest(&mut window, home, end, next)?;
            return Ok(Scan { end, next, recorded, rest });
        };
        let mut count = 0;
        for record in group.records() {
            let Some((offset, view)) = record else {
                return Err(damaged(end, "a record of a valid group cannot be read".into()));
            };
            count += 1;
            recorded = recorded.max(view.recorded);
            let offset = end + offset as u64;
            visit(offset, &view).map_err(|what| damaged(offset, what))?;
        }
        if count != group.count {
            return Err(damaged(end, format!("{count} records where {} belong", group.count)));
        }
        end += size as u64;
        next += 1;
    }
}

/// Looks through what is behind the valid groups.
fn rest(window: &mut Window, home: Home, end: u64, next: u64) -> io::Result<Rest> {
    let (mut offset, mut last, mut later) = (end, None, None);
    while offset < window.size() {
        let piece = window.get(offset, 1 << 20)?;
        let length = piece.len() as u64;
        if let Some(at) = piece.iter().rposition(|byte| *byte != 0) {
            last = Some(offset + at as u64);
            // Groups start at multiples of 8, and so do the pieces.
            let starts = piece.chunks_exact(8).zip(0_u64..);
            let starts = starts.filter(|(chunk, _)| **chunk == GROUP_MAGIC);
            let starts: Vec<u64> = starts.map(|(_, index)| offset + index * 8).collect();
            for start in starts {
                if later.is_none() && is_group(window, home, start, next)? {
                    later = Some(start);
                }
            }
        }
        offset += length;
    }
    Ok(last.map_or(Rest::Zeros, |last| Rest::Damaged { bytes: last + 1 - end, later }))
}

fn is_group(window: &mut Window, home: Home, offset: u64, next: u64) -> io::Result<bool> {
    let size = Group::size(window.get(offset, GROUP_HEADER_BYTES)?).unwrap_or(0);
    let group = Group::decode(window.get(offset, size)?, home);
    Ok(group.is_some_and(|group| group.number >= next))
}
