//! A disk in memory that fails on demand: it tears writes, forgets what was not synced, flips bits,
//! runs full, is slow, and refuses to read, to write and to sync.
//!
//! ```text
//!             write, set_size                create, remove, rename
//!                    │                                 │
//!   reads ◄── page cache of a file     lists, opens ◄── names now
//!                    │ File::sync                      │ Disk::sync
//!                 device                         durable names
//! ```
//!
//! [`revive`](Faulty::revive) is what a process finds after the one before was killed: the page
//! cache is still there. [`restart`](Faulty::restart) is what a machine finds after a power failure:
//! the device, with any part of what was on its way there.
//!
//! A file's two layers are in `pages.rs`, the names in `names.rs`, what fails and when in
//! `faults.rs`, and the traits of a disk in `files.rs`.

mod faults;
mod files;
mod names;
mod pages;
#[cfg(test)]
mod tests;

use std::{io, ops::Range, sync::Arc};

use parking_lot::Mutex;
use rand::{Rng, SeedableRng, rngs::SmallRng};

use faults::Faults;
pub use faults::{Fault, Met};
use names::Names;
use pages::Pages;

/// A disk in memory. Clones share it. The same seed and the same calls give the same disk.
#[derive(Clone)]
pub struct Faulty(Arc<Mutex<State>>);

struct State {
    random: SmallRng,
    /// Each name has a number in `files`.
    names: Names,
    files: Vec<Pages>,
    faults: Faults,
}

/// A byte that has changed at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flip {
    /// The name of its file.
    pub name: String,
    /// Where in the file.
    pub offset: usize,
    /// Which bits are flipped.
    pub bits: u8,
}

impl Faulty {
    /// An empty disk whose faults follow from a seed.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            random: SmallRng::seed_from_u64(seed),
            names: Names::default(),
            files: Vec::new(),
            faults: Faults::default(),
        })))
    }

    /// Lets fewer than so many changes (writes, syncs, and so on) happen; then the power fails: the
    /// last one may be done in part, and everything fails until [`restart`](Self::restart) or
    /// [`revive`](Self::revive).
    pub fn crash_after(&self, changes: u64) {
        self.0.lock().faults.changes_left = Some(changes);
    }

    /// Whether the power has failed.
    pub fn has_crashed(&self) -> bool {
        self.0.lock().faults.changes_left == Some(0)
    }

    /// What a process finds after the one before was killed where the power would have failed: all
    /// that was done, synced or not.
    pub fn revive(&self) {
        let mut state = self.0.lock();
        state.faults.changes_left = None;
        state.faults.met.kills += 1;
    }

    /// What a machine finds after the power has failed: all that was synced, and of the rest any
    /// part.
    pub fn restart(&self) {
        let State { random, names, files, faults } = &mut *self.0.lock();
        faults.changes_left = None;
        faults.met.crashes += 1;
        names.crash(random);
        for (number, file) in files.iter_mut().enumerate() {
            if names.has(number) {
                file.crash(random);
            } else {
                *file = Pages::default();
            }
        }
    }

    /// How much all files together may have.
    pub fn set_capacity(&self, bytes: u64) {
        self.0.lock().faults.capacity_bytes = bytes;
    }

    /// How much all files together have.
    pub fn used_bytes(&self) -> u64 {
        self.0.lock().used_bytes()
    }

    /// Makes every sync of a file fail from now on, or no more. What a failed one should have
    /// synced is only durable once it is written again: a later sync takes it for done, while reads
    /// see it until the next crash.
    pub fn set_sync_fails(&self, fails: bool) {
        self.0.lock().faults.sync_fails = fails;
    }

    /// Makes one operation fail, after so many others of its kind.
    pub fn fail_after(&self, fault: Fault, operations: u64) {
        self.0.lock().faults.arm(fault, operations);
    }

    /// Takes back every fault that is still to come, but for those of time: the power, the capacity,
    /// and what [`fail_after`](Self::fail_after) and [`set_sync_fails`](Self::set_sync_fails) did.
    pub fn calm(&self) {
        self.0.lock().faults.calm();
    }

    /// Makes every operation take up to so many milliseconds of the disk's own time.
    pub fn set_latency_ms(&self, most: u64) {
        self.0.lock().faults.latency_ms = most;
    }

    /// How many milliseconds the operations have taken, of the disk's own time.
    pub fn elapsed_ms(&self) -> u64 {
        self.0.lock().faults.elapsed_ms
    }

    /// Which faults there were so far.
    pub fn met(&self) -> Met {
        self.0.lock().faults.met
    }

    /// Flips bits of one byte, on the device and for all who read it.
    pub fn flip(&self, name: &str, offset: usize, bits: u8) {
        let mut state = self.0.lock();
        let number = state.names.get(name);
        if let Some(file) = number.and_then(|number| state.files.get_mut(number)) {
            file.flip(offset, bits);
        }
    }

    /// Flips one bit at a place that the seed chooses, within ranges of files, and says which;
    /// nothing if the ranges are empty.
    pub fn flip_within(&self, places: &[(String, Range<usize>)]) -> Option<Flip> {
        let flip = {
            let random = &mut self.0.lock().random;
            let total = places.iter().map(|(_, range)| range.len()).sum::<usize>();
            let mut at = random.random_range(0..total.max(1));
            let bits = 1 << random.random_range(0..8);
            places.iter().find_map(|(name, range)| {
                let here = range.clone().nth(at);
                at = at.saturating_sub(range.len());
                here.map(|offset| Flip { name: name.clone(), offset, bits })
            })?
        };
        self.flip(&flip.name, flip.offset, flip.bits);
        self.0.lock().faults.met.flips += 1;
        Some(flip)
    }

    /// Flips back every bit that was flipped and has not been written over since.
    pub fn heal(&self) {
        self.0.lock().files.iter_mut().for_each(Pages::heal);
    }

    /// The content of a file as it is read, empty if there is none.
    pub fn content(&self, name: &str) -> Vec<u8> {
        let state = self.0.lock();
        let file = state.names.get(name).and_then(|number| state.files.get(number));
        file.map(|file| file.cache().to_vec()).unwrap_or_default()
    }
}

impl State {
    fn file(&mut self, number: usize) -> io::Result<&mut Pages> {
        self.files.get_mut(number).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn used_bytes(&self) -> u64 {
        let files = self.names.all().filter_map(|number| self.files.get(number));
        files.map(|file| file.cache().len() as u64).sum()
    }

    /// How much may be added.
    fn free_bytes(&self) -> u64 {
        match self.faults.capacity_bytes {
            u64::MAX => u64::MAX,
            capacity => capacity.saturating_sub(self.used_bytes()),
        }
    }
}
