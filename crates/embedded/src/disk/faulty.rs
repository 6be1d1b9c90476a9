//! A disk in memory that fails on demand: it tears writes, forgets what was not synced, flips bits,
//! runs full and refuses to sync.

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    sync::Arc,
};

use parking_lot::Mutex;
use rand::{Rng, SeedableRng, rngs::SmallRng};

use super::{Disk, File};

/// What a disk writes at once: of a torn write, any of these may be there.
const SECTOR_BYTES: usize = 512;

/// A disk in memory. Clones share it. The same seed and the same calls give the same disk.
#[derive(Clone)]
pub struct Faulty(Arc<Mutex<State>>);

struct State {
    random: SmallRng,
    /// The names that are seen now, and those that a crash leaves, each with a number in `files`.
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    /// What was renamed since the names were synced: from, to.
    renamed: Vec<(String, String)>,
    files: Vec<Content>,
    changes_left: Option<u64>,
    capacity_bytes: u64,
    sync_fails: bool,
}

#[derive(Default)]
struct Content {
    now: Vec<u8>,
    synced: Vec<u8>,
    /// What was done since the last sync.
    unsynced: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Size(usize),
}

impl Faulty {
    /// An empty disk whose faults follow from a seed.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            random: SmallRng::seed_from_u64(seed),
            names: BTreeMap::new(),
            synced_names: BTreeMap::new(),
            renamed: Vec::new(),
            files: Vec::new(),
            changes_left: None,
            capacity_bytes: u64::MAX,
            sync_fails: false,
        })))
    }

    /// Lets so many changes (writes, syncs, and so on) happen; then the power fails: the next one
    /// may be done in part, and everything fails until [`restart`](Self::restart).
    pub fn crash_after(&self, changes: u64) {
        self.0.lock().changes_left = Some(changes);
    }

    /// Whether the power has failed.
    pub fn has_crashed(&self) -> bool {
        self.0.lock().changes_left == Some(0)
    }

    /// What a process finds after the one before was killed where the power would have failed: all
    /// that was done, synced or not.
    pub fn revive(&self) {
        self.0.lock().changes_left = None;
    }

    /// What a machine finds after the power has failed: all that was synced, and of the rest any
    /// part.
    pub fn restart(&self) {
        let state = &mut *self.0.lock();
        let State { random, names, synced_names, renamed, files, changes_left, .. } = state;
        *changes_left = None;
        // A rename is there as a whole or not at all.
        let mut undone = std::mem::take(renamed);
        undone.retain(|(from, to)| {
            let is_done = random.random();
            if is_done && let Some(file) = names.get(to) {
                synced_names.remove(from);
                synced_names.insert(to.clone(), *file);
            }
            !is_done
        });
        for (name, file) in names.clone() {
            let is_undone = undone.iter().any(|(_, to)| *to == name);
            if !is_undone && synced_names.get(&name) != Some(&file) && random.random() {
                synced_names.insert(name, file);
            }
        }
        let is_undone = |name: &str| undone.iter().any(|(from, _)| from == name);
        synced_names
            .retain(|name, _| names.contains_key(name) || is_undone(name) || random.random());
        names.clone_from(synced_names);
        for file in files {
            for change in std::mem::take(&mut file.unsynced) {
                tear(&mut file.synced, &change, random);
            }
            file.now.clone_from(&file.synced);
        }
    }

    /// How much all files together may have.
    pub fn set_capacity(&self, bytes: u64) {
        self.0.lock().capacity_bytes = bytes;
    }

    /// Makes every sync of a file fail from now on, or no more. What a failed one should have
    /// synced is forgotten by the next crash, even if a later one succeeds.
    pub fn set_sync_fails(&self, fails: bool) {
        self.0.lock().sync_fails = fails;
    }

    /// Flips bits of one byte, now and for good.
    pub fn flip(&self, name: &str, offset: usize, bits: u8) {
        let state = &mut *self.0.lock();
        let file = state.names.get(name).and_then(|file| state.files.get_mut(*file));
        for content in file.into_iter().flat_map(|file| [&mut file.now, &mut file.synced]) {
            if let Some(byte) = content.get_mut(offset) {
                *byte ^= bits;
            }
        }
    }

    /// The content of a file, empty if there is none.
    pub fn content(&self, name: &str) -> Vec<u8> {
        let state = self.0.lock();
        let file = state.names.get(name).and_then(|file| state.files.get(*file));
        file.map(|file| file.now.clone()).unwrap_or_default()
    }
}

impl State {
    /// Counts a change; an error once the power has failed.
    fn change(&mut self) -> io::Result<()> {
        match &mut self.changes_left {
            None => Ok(()),
            Some(0) => Err(io::Error::other("the power has failed")),
            Some(left) => {
                *left -= 1;
                if *left == 0 { Err(io::Error::other("the power fails")) } else { Ok(()) }
            }
        }
    }

    fn file(&mut self, file: usize) -> io::Result<&mut Content> {
        self.files.get_mut(file).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn used_bytes(&self) -> u64 {
        let files = self.names.values().filter_map(|file| self.files.get(*file));
        files.map(|file| file.now.len() as u64).sum()
    }
}

impl Disk for Faulty {
    fn place(&self) -> String {
        "a disk in memory".into()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.0.lock().names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let file = self.0.lock().names.get(name).copied().ok_or(ErrorKind::NotFound)?;
        Ok(Arc::new(FaultyFile { disk: self.clone(), file }))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let mut state = self.0.lock();
        state.change()?;
        if state.used_bytes() >= state.capacity_bytes {
            return Err(ErrorKind::StorageFull.into());
        }
        let known = state.names.get(name).copied();
        let file = known.unwrap_or(state.files.len());
        if known.is_none() {
            state.files.push(Content::default());
            state.names.insert(name.into(), file);
        } else {
            state.file(file)?.apply(Change::Size(0));
        }
        drop(state);
        Ok(Arc::new(FaultyFile { disk: self.clone(), file }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.0.lock();
        state.change()?;
        state.names.remove(name).map(drop).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.0.lock();
        state.change()?;
        let file = state.names.remove(from).ok_or(ErrorKind::NotFound)?;
        state.names.insert(to.into(), file);
        state.renamed.push((from.into(), to.into()));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.0.lock();
        state.change()?;
        state.synced_names = state.names.clone();
        state.renamed.clear();
        Ok(())
    }
}

struct FaultyFile {
    disk: Faulty,
    file: usize,
}

impl File for FaultyFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.0.lock().file(self.file)?.now.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        if state.changes_left == Some(0) {
            return Err(io::Error::other("the power has failed"));
        }
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let content = &state.file(self.file)?.now;
        let bytes = content.get(start..start.saturating_add(buffer.len()));
        buffer.copy_from_slice(bytes.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        let crashes = state.change();
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let free = state.capacity_bytes.saturating_sub(state.used_bytes());
        let file = state.file(self.file)?;
        let growth = (start + bytes.len()).saturating_sub(file.now.len());
        let lacking = growth.saturating_sub(usize::try_from(free).unwrap_or(usize::MAX));
        let fits = bytes.len().saturating_sub(lacking);
        file.apply(Change::Write(start, bytes.get(..fits).unwrap_or_default().to_vec()));
        crashes?;
        if lacking > 0 { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn set_size(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        state.change()?;
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        state.file(self.file)?.apply(Change::Size(bytes));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        state.change()?;
        let fails = state.sync_fails;
        let file = state.file(self.file)?;
        file.unsynced.clear();
        if fails {
            return Err(io::Error::other("the disk does not answer"));
        }
        file.synced.clone_from(&file.now);
        Ok(())
    }
}

impl Content {
    fn apply(&mut self, change: Change) {
        match &change {
            Change::Write(offset, bytes) => put(&mut self.now, *offset, bytes),
            Change::Size(bytes) => self.now.resize(*bytes, 0),
        }
        self.unsynced.push(change);
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(place) = content.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}

/// Applies any part of a change.
fn tear(content: &mut Vec<u8>, change: &Change, random: &mut SmallRng) {
    match (change, random.random_range(0..4)) {
        (_, 0) => {}
        (Change::Size(bytes), _) => content.resize(*bytes, 0),
        (Change::Write(offset, bytes), 1) => put(content, *offset, bytes),
        (Change::Write(offset, bytes), 2) => {
            let end = random.random_range(0..=bytes.len());
            put(content, *offset, bytes.get(..end).unwrap_or_default());
        }
        (Change::Write(offset, bytes), _) => {
            let first = SECTOR_BYTES - offset % SECTOR_BYTES;
            let (first, rest) = bytes.split_at(first.min(bytes.len()));
            let mut offset = *offset;
            for sector in std::iter::once(first).chain(rest.chunks(SECTOR_BYTES)) {
                if random.random() {
                    put(content, offset, sector);
                }
                offset += sector.len();
            }
        }
    }
}
