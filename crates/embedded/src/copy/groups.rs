//! Walks over whole groups of a segment from any of them on.
//!
//! Unlike recovery it does not ask what is behind a group that is not valid: that one may be just
//! being written.

use std::sync::Arc;

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::Error;
use serde::{Deserialize, Serialize};

use crate::{
    disk::File,
    format::{GROUP_HEADER_BYTES, Group, GroupHeader, Home},
    window::Window,
};

/// A group that was copied, by which its segment is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Where it starts in the segment.
    offset: u64,
    /// The checksum of its header.
    crc: u32,
}

/// How far groups go.
pub(super) struct Groups {
    /// Where they end in the file.
    pub(super) end: u64,
    /// The position of the next group.
    pub(super) next: u64,
    pub(super) recorded: Timestamp,
    pub(super) mark: Option<Mark>,
}

impl Mark {
    /// The group has another checksum, or is not there: somebody has put another log in the place
    /// of this one, like an older copy of it.
    pub(super) fn check(self, file: &dyn File, name: &str) -> Result<(), Error> {
        let mut header = [0; GROUP_HEADER_BYTES];
        if file.size()? >= self.offset + GROUP_HEADER_BYTES as u64 {
            file.read_at(&mut header, self.offset)?;
        }
        if crc_of(&header) == self.crc {
            return Ok(());
        }
        let what = "it is not the file that was copied before: the group that was the last one \
                    then is another one, or gone";
        Err(Error::Corrupt { file: name.into(), offset: self.offset, what: what.into() })
    }
}

/// Walks on over valid groups, up to the position `until`.
pub(super) fn groups(
    file: &Arc<dyn File>,
    home: Home,
    until: Option<u64>,
    found: &mut Groups,
) -> Result<(), Error> {
    let mut window = Window::new(file.clone())?;
    while until.is_none_or(|until| found.next < until) {
        let at = found.end;
        let bytes = window.get(at, GROUP_HEADER_BYTES)?;
        let (crc, header) = (crc_of(bytes), GroupHeader::decode(bytes, home));
        // One without records says that the log was closed, and is written over.
        let right = |h: &GroupHeader| h.number == found.next && h.synced == at && h.count > 0;
        let Some(header) = header.filter(right) else { break };
        let Some(group) = Group::decode(window.get(at, header.size())?, home) else { break };
        let latest = group.records().flatten().map(|(_, view)| view.recorded).max();
        found.recorded = found.recorded.max(latest.unwrap_or_default());
        found.mark = Some(Mark { offset: at, crc });
        found.end += header.size() as u64;
        found.next += 1;
    }
    Ok(())
}

fn crc_of(header: &[u8]) -> u32 {
    header.get(8..12).and_then(|crc| crc.try_into().ok()).map_or(0, u32::from_le_bytes)
}
