//! A medium that is one in memory, and does on demand what a disk may do: be slow, be damaged, have
//! lost something, have another history.

use std::{ops::RangeInclusive, sync::Arc};

use matchwire_domain::{envelope::Recorded, subject::Subject};
use matchwire_log::{
    Error, Lineage, Medium, Memory,
    medium::{Durability, Head, Hits, Identity, Record, Tail, Written},
};
use parking_lot::{Condvar, Mutex};

/// Clones are handles to the same one.
#[derive(Clone)]
pub(crate) struct Rigged {
    identity: Identity,
    memory: Memory,
    rig: Arc<Rig>,
}

#[derive(Default)]
struct Rig {
    faults: Mutex<Faults>,
    changed: Condvar,
}

/// While it lives, appends wait.
pub(crate) struct Held(Arc<Rig>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.faults.lock().is_held = false;
        self.0.changed.notify_all();
    }
}

#[derive(Default)]
struct Faults {
    is_held: bool,
    /// Reads of this stream meet damage.
    damaged: Option<Subject>,
    /// These are lost in every stream.
    lost: Option<RangeInclusive<u64>>,
}

impl Rigged {
    /// One that promises what a disk does.
    pub(crate) fn new() -> Self {
        Self::over(&Memory::new())
    }

    /// One with the records of another.
    pub(crate) fn over(memory: &Memory) -> Self {
        let identity = Identity { durability: Durability::Disk, ..memory.identity().clone() };
        Self { identity, memory: memory.clone(), rig: Arc::default() }
    }

    /// Begins another history at a position.
    pub(crate) fn forked(mut self, id: &str, position: u64) -> Self {
        self.identity.lineage.renew(id.into(), position);
        self
    }

    pub(crate) fn lineage(&self) -> &Lineage {
        &self.identity.lineage
    }

    /// Holds appends for as long as the answer lives.
    pub(crate) fn hold(&self) -> Held {
        self.rig.faults.lock().is_held = true;
        Held(self.rig.clone())
    }

    pub(crate) fn damage(&self, subject: Option<&str>) {
        let subject = subject.map(|subject| Subject::parse(subject).unwrap());
        self.rig.faults.lock().damaged = subject;
    }

    pub(crate) fn lose(&self, seqs: RangeInclusive<u64>) {
        self.rig.faults.lock().lost = Some(seqs);
    }

    fn check(&self, subject: &Subject) -> Result<(), Error> {
        if self.rig.faults.lock().damaged.as_ref() != Some(subject) {
            return Ok(());
        }
        let (file, what) = ("7.seg".into(), "12 bytes are damaged".into());
        Err(Error::Corrupt { file, offset: 4_096, what })
    }
}

impl Medium for Rigged {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn tail(&self) -> Tail {
        self.memory.tail()
    }

    fn head(&self, subject: &Subject) -> Result<Option<Head>, Error> {
        self.memory.head(subject)
    }

    fn seq_before(&self, subject: &Subject, position: u64) -> Result<u64, Error> {
        self.memory.seq_before(subject, position)
    }

    fn subjects(
        &self,
        prefix: &str,
        after: Option<&str>,
        positions: RangeInclusive<u64>,
        limit: usize,
    ) -> Result<Vec<Subject>, Error> {
        self.memory.subjects(prefix, after, positions, limit)
    }

    fn stretch(&self, position: u64) -> u64 {
        self.memory.stretch(position)
    }

    fn append(&self, position: u64, group: &[Record]) -> Result<Written, Error> {
        let mut faults = self.rig.faults.lock();
        while faults.is_held {
            self.rig.changed.wait(&mut faults);
        }
        drop(faults);
        self.memory.append(position, group)
    }

    fn read(
        &self,
        subject: &Subject,
        after: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Recorded>, Error> {
        self.check(subject)?;
        let lost = self.rig.faults.lock().lost.clone();
        let Some(lost) = lost else {
            return self.memory.read(subject, after, limit, limit_bytes);
        };
        let after = if lost.contains(&(after + 1)) { *lost.end() } else { after };
        let mut page = self.memory.read(subject, after, limit, limit_bytes)?;
        // What lies behind a loss begins a page of its own.
        if let Some(at) = page.iter().position(|record| lost.contains(&record.seq)) {
            page.truncate(at);
        }
        Ok(page)
    }

    fn lookup(&self, subject: &Subject, fingerprints: &[u64]) -> Result<Hits, Error> {
        self.memory.lookup(subject, fingerprints)
    }
}
