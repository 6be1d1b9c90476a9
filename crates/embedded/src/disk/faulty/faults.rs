//! What fails, and when; and what has failed so far.

use std::io;

use rand::{Rng, rngs::SmallRng};

/// An operation that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A read, without any effect.
    Read,
    /// A write, of which a part is done.
    Write,
    /// A sync of a file or of the names; of a file, a part is done, and the rest taken for done.
    Sync,
    /// A write for which there is no space, wherever it goes, as on a disk that copies on write; a
    /// part is done.
    Full,
}

/// How often each fault has come up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Met {
    /// Power failures.
    pub crashes: u64,
    /// Killed processes.
    pub kills: u64,
    /// Reads that failed.
    pub reads: u64,
    /// Writes that failed.
    pub writes: u64,
    /// Syncs that failed.
    pub syncs: u64,
    /// Refusals for want of space.
    pub full: u64,
    /// Bits that were flipped at a chosen place.
    pub flips: u64,
}

pub(super) struct Faults {
    /// How many changes happen until the power fails in one; 0 once it has.
    pub(super) changes_left: Option<u64>,
    pub(super) capacity_bytes: u64,
    pub(super) sync_fails: bool,
    pub(super) latency_ms: u64,
    pub(super) elapsed_ms: u64,
    pub(super) met: Met,
    /// For each [`Fault`], how many operations go well before the one that fails.
    armed: [Option<u64>; 4],
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            changes_left: None,
            capacity_bytes: u64::MAX,
            sync_fails: false,
            latency_ms: 0,
            elapsed_ms: 0,
            met: Met::default(),
            armed: [None; 4],
        }
    }
}

impl Faults {
    /// Counts a change. `Ok(true)` says that the power fails during this one, and an error that it
    /// has failed before.
    pub(super) fn change(&mut self, random: &mut SmallRng) -> io::Result<bool> {
        self.wait(random);
        match &mut self.changes_left {
            None => Ok(false),
            Some(0) => Err(no_power()),
            Some(left) => {
                *left -= 1;
                Ok(*left == 0)
            }
        }
    }

    /// Counts a read; an error if it fails.
    pub(super) fn read(&mut self, random: &mut SmallRng) -> io::Result<()> {
        self.wait(random);
        if self.changes_left == Some(0) {
            return Err(no_power());
        }
        if self.strikes(Fault::Read) {
            self.met.reads += 1;
            return Err(io::Error::other("the disk does not read"));
        }
        Ok(())
    }

    /// The error of this write, if it fails; it is counted.
    pub(super) fn write(&mut self) -> io::Result<()> {
        if self.strikes(Fault::Full) {
            return Err(self.full());
        }
        if self.strikes(Fault::Write) {
            self.met.writes += 1;
            return Err(io::Error::other("the disk does not write"));
        }
        Ok(())
    }

    /// Counts a refusal for want of space.
    pub(super) fn full(&mut self) -> io::Error {
        self.met.full += 1;
        io::ErrorKind::StorageFull.into()
    }

    /// Whether this sync fails, and then counts that.
    pub(super) fn sync_fails(&mut self, of_a_file: bool) -> bool {
        let fails = self.strikes(Fault::Sync) || self.sync_fails && of_a_file;
        self.met.syncs += u64::from(fails);
        fails
    }

    pub(super) fn arm(&mut self, fault: Fault, operations: u64) {
        if let Some(armed) = self.armed.get_mut(fault as usize) {
            *armed = Some(operations);
        }
    }

    pub(super) fn calm(&mut self) {
        self.armed = [None; 4];
        self.sync_fails = false;
        self.capacity_bytes = u64::MAX;
        // Once the power has failed, it has failed.
        self.changes_left = self.changes_left.filter(|left| *left == 0);
    }

    fn strikes(&mut self, fault: Fault) -> bool {
        match self.armed.get_mut(fault as usize) {
            Some(armed @ Some(0)) => {
                *armed = None;
                true
            }
            Some(Some(left)) => {
                *left -= 1;
                false
            }
            _ => false,
        }
    }

    fn wait(&mut self, random: &mut SmallRng) {
        if self.latency_ms > 0 {
            self.elapsed_ms += random.random_range(0..=self.latency_ms);
        }
    }
}

/// The error of everything once the power has failed.
pub(super) fn no_power() -> io::Error {
    io::Error::other("the power has failed")
}
