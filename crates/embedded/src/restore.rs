//! Makes a log of files that were copied: cuts it at a time, and begins another history.
//!
//! The directory is one that nobody has open, and has no `log.json` yet: that is written last, so
//! that a restore which was broken off is never taken for a log.

mod before;
mod cut;

use std::{path::Path, sync::Arc};

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::Error;

use crate::{
    Identity,
    disk::{Directory, Disk},
    format::{Home, VERSION},
    recovery::History,
    sealed::Blocks,
    writer::create_segment,
};
use cut::cut;

/// A log that was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What it is now.
    pub identity: Identity,
    /// Where its new history begins: the position of the next group. What is before it is as it
    /// was.
    pub position: u64,
    /// The latest recordedtime; 1970 if there are no events.
    pub recorded: Timestamp,
    /// The recordedtime of the first event that was cut off.
    pub cut: Option<Timestamp>,
}

/// Makes the log that was `identity` of the files in a directory, without events that were recorded
/// after `to_time`. Its lineage is renewed.
///
/// A group at the end that is not whole is cut off. Other damage stays as it is:
/// [`verify`](crate::verify()) tells of it. A log of a newer format is [`Error::Unusable`].
pub fn restore(
    directory: &Path,
    identity: &Identity,
    to_time: Option<Timestamp>,
) -> Result<Restored, Error> {
    restore_on(&Directory::open(directory)?, identity, to_time)
}

/// Like [`restore`], on another disk than the real one.
pub fn restore_on(
    disk: &dyn Disk,
    identity: &Identity,
    to_time: Option<Timestamp>,
) -> Result<Restored, Error> {
    if identity.format() > VERSION {
        let format = identity.format();
        let what = format!(
            "the log has format {format}, and this version of matchwire reads formats 1 to {VERSION}"
        );
        return Err(Error::Unusable { place: disk.place(), what });
    }
    let cache = Arc::new(Blocks::new(0));
    let mut history = History::read_only(disk, identity, &cache);
    let last = history.collect()?;
    let last = last.map(|first| history.last(Some(first))).transpose()?;
    let parts = history.end(last);
    let done = cut(disk, identity, &parts, to_time)?;
    // Forks are between files, so that they can be told from each other.
    let home = Home::new(identity.log_id(), done.position);
    create_segment(disk, home, done.recorded, &[])?;
    let mut identity = identity.clone();
    identity.lost.retain(|lost| lost.first < done.position);
    identity.fork(done.position);
    identity.write(disk)?;
    Ok(Restored { identity, position: done.position, recorded: done.recorded, cut: done.cut })
}
