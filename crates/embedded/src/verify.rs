//! Walks over a whole log and checks everything that can be checked.

use std::{collections::HashMap, path::Path};

use matchwire_domain::{chain::Digest, subject::Subject};
use matchwire_log::Error;

use crate::{
    disk::{Directory, Disk},
    format::{Home, View},
    identity,
    recovery::{check_number, corrupt, header, list},
    scan::{Rest, scan, segment_name},
};

/// What a log holds that was found to be whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verified {
    /// Segment files.
    pub segments: u64,
    /// Groups of records.
    pub groups: u64,
    /// Events.
    pub events: u64,
    /// Streams.
    pub streams: u64,
    /// Bytes of groups and headers.
    pub bytes: u64,
    /// Bytes behind the last group that are neither a group nor zeros: one that was not finished,
    /// or is just being written.
    pub unfinished_bytes: u64,
}

/// Checks every checksum, number, leaf and chain of the log in a directory, and changes nothing.
/// `progress` is told after each segment.
///
/// The first damage is an [`Error::Corrupt`] with file and offset.
pub fn verify(directory: &Path, progress: &mut dyn FnMut(&Verified)) -> Result<Verified, Error> {
    verify_on(&Directory::unlocked(directory), progress)
}

pub(crate) fn verify_on(
    disk: &dyn Disk,
    progress: &mut dyn FnMut(&Verified),
) -> Result<Verified, Error> {
    let unusable = |what: &str| Error::Unusable { place: disk.place(), what: what.into() };
    let log_id = identity::read(disk)?.ok_or_else(|| unusable("it has no readable log.json"))?;
    let segments = list(disk)?;
    let mut streams: HashMap<String, (u64, Digest)> = HashMap::new();
    let (mut verified, mut expected) = (Verified::default(), 1);
    let id = format!("{log_id:016x}");
    for (index, segment) in segments.iter().enumerate() {
        check_number(*segment, expected)?;
        let home = Home { log_id, segment: *segment };
        let file = disk.open(&segment_name(*segment))?;
        let Some(header) = header(disk, &file, home)? else {
            return Err(corrupt(*segment, 0, "its header is damaged"));
        };
        let mut events = 0;
        let scan = scan(file, &header, &mut |_, view| {
            events += 1;
            check(&id, &mut streams, view)
        })?;
        verified.unfinished_bytes = match scan.rest {
            Rest::Zeros => 0,
            Rest::Damaged { bytes, later: None } if index + 1 == segments.len() => bytes,
            Rest::Damaged { .. } => return Err(corrupt(*segment, scan.end, "a group is damaged")),
        };
        verified.segments += 1;
        verified.groups += scan.next - expected;
        verified.events += events;
        verified.streams = streams.len() as u64;
        verified.bytes += scan.end;
        expected = scan.next;
        progress(&verified);
    }
    Ok(verified)
}

/// Checks that a record follows the one before it in its stream.
fn check(
    log_id: &str,
    streams: &mut HashMap<String, (u64, Digest)>,
    view: &View<'_>,
) -> Result<(), String> {
    if !streams.contains_key(view.subject) {
        let subject = Subject::parse(view.subject).map_err(|error| error.to_string())?;
        streams.insert(view.subject.into(), (0, Digest::genesis(log_id, &subject)));
    }
    let Some((seq, chain)) = streams.get_mut(view.subject) else { return Ok(()) };
    if view.seq != *seq + 1 {
        let (subject, found, expected) = (view.subject, view.seq, *seq + 1);
        return Err(format!("{subject} goes on with seq {found} where {expected} belongs"));
    }
    *chain = chain.next(view.seq, view.recorded, Digest::leaf(view.stored));
    *seq = view.seq;
    if *chain == view.chain {
        Ok(())
    } else {
        Err(format!("the chain of {} is broken at seq {seq}", view.subject))
    }
}
