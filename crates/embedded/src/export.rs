//! Reads a log beside the process that writes it, without changing anything: for exports.
//!
//! What is seen is the log as it was when it was opened here; files that are sealed or merged later
//! are still held. Holes and what was trimmed are passed over: the next `seq` tells what is missing. Its last group may be
//! one whose writer still waits for the disk.

use std::{path::Path, sync::Arc};

use matchwire_domain::{envelope::Recorded, subject::Subject};
use matchwire_log::{Error, Lineage};

use crate::{
    archive::Archive,
    disk::{Directory, Disk},
    history::{self, Hole, Part},
    identity::Identity,
    sealed::Blocks,
    verify,
};

/// How much memory decoded blocks may take.
const CACHE_BYTES: usize = 16 << 20;

/// A log as it was at a moment.
pub struct Export {
    identity: Identity,
    pub(crate) parts: Vec<Part>,
}

impl Export {
    /// Opens the log in a directory, which may be in use, with the archive that has events of it, if
    /// those are wanted.
    pub fn open(directory: &Path, archive: Option<Arc<dyn Archive>>) -> Result<Self, Error> {
        Self::open_on(&Directory::unlocked(directory), archive)
    }

    /// Like [`open`](Self::open), on another disk than the real one.
    pub fn open_on(disk: &dyn Disk, archive: Option<Arc<dyn Archive>>) -> Result<Self, Error> {
        let identity = verify::identity(disk)?;
        let cache = Arc::new(Blocks::over(CACHE_BYTES, archive));
        let parts = verify::settled(disk, &identity, &cache)?.parts;
        Ok(Self { identity, parts })
    }

    /// The log's id, which is part of every chain.
    pub fn log_id(&self) -> &str {
        &self.identity.id
    }

    /// The histories that the log has had.
    pub fn lineage(&self) -> Lineage {
        self.identity.lineage()
    }

    /// What is missing.
    pub fn holes(&self) -> Vec<Hole> {
        history::holes(&self.parts)
    }

    /// Subjects of streams that start with `prefix`, in order, after `after`.
    pub fn subjects(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Subject>, Error> {
        history::subjects(self.parts.iter(), Vec::new(), prefix, after, &(0..=u64::MAX), limit)
    }

    /// Records of a stream with `seq` greater than `after`, in order: at least one if there is one,
    /// at most `limit`, and no further one once `limit_bytes` stored bytes are reached. Where some
    /// are lost or trimmed, the next ones that are there.
    pub fn read(
        &self,
        subject: &Subject,
        after: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Recorded>, Error> {
        for part in self.parts.iter().filter(|part| !matches!(part, Part::Hole(_))) {
            let Some(found) = part.find(subject.as_str())? else { continue };
            if found.last_seq > after {
                let seq = found.first_seq.max(after + 1);
                match part.read(subject, &found, seq, limit, limit_bytes) {
                    Err(Error::Trimmed { floor, .. }) if floor.seq < found.last_seq => {
                        return part.read(subject, &found, floor.seq + 1, limit, limit_bytes);
                    }
                    Err(Error::Trimmed { .. }) => {}
                    page => return page,
                }
            }
        }
        Ok(Vec::new())
    }
}
