//! The disk as the log sees it: every operation first asks whether it fails.

use std::{
    io::{self, ErrorKind},
    sync::Arc,
};

use rand::Rng;

use super::{Faulty, Pages, State, faults::no_power};
use crate::disk::{Disk, File};

impl Disk for Faulty {
    fn place(&self) -> String {
        "a disk in memory".into()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let State { random, names, faults, .. } = &mut *self.0.lock();
        faults.read(random)?;
        Ok(names.list())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let State { random, names, faults, .. } = &mut *self.0.lock();
        faults.read(random)?;
        let number = names.get(name).ok_or(ErrorKind::NotFound)?;
        Ok(Arc::new(Opened { disk: self.clone(), number }))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let number = self.0.lock().rename_or_not(|state| {
            if state.free_bytes() == 0 {
                return Err(state.faults.full());
            }
            if let Some(number) = state.names.get(name) {
                state.file(number)?.set_size(0);
                return Ok(number);
            }
            state.files.push(Pages::default());
            state.names.set(name, state.files.len() - 1);
            Ok(state.files.len() - 1)
        })?;
        Ok(Arc::new(Opened { disk: self.clone(), number }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.0.lock();
        let removed = state.rename_or_not(|state| Ok(state.names.remove(name)))?;
        removed.then_some(()).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.0.lock();
        let renamed = state.rename_or_not(|state| Ok(state.names.rename(from, to)))?;
        renamed.then_some(()).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn sync(&self) -> io::Result<()> {
        let State { random, names, faults, .. } = &mut *self.0.lock();
        if faults.change(random)? {
            return Err(no_power());
        }
        if faults.sync_fails(false) {
            return Err(io::Error::other("the disk does not sync its names"));
        }
        names.sync();
        Ok(())
    }
}

impl State {
    /// Changes a name. If the power fails meanwhile, that is done or not.
    fn rename_or_not<T>(
        &mut self,
        change: impl FnOnce(&mut Self) -> io::Result<T>,
    ) -> io::Result<T> {
        let ends = self.faults.change(&mut self.random)?;
        if ends && self.random.random() {
            return Err(no_power());
        }
        let changed = change(self)?;
        if ends { Err(no_power()) } else { Ok(changed) }
    }
}

/// A file that is open.
struct Opened {
    disk: Faulty,
    number: usize,
}

impl File for Opened {
    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.0.lock().file(self.number)?.cache().len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let state = &mut *self.disk.0.lock();
        state.faults.read(&mut state.random)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let content = state.file(self.number)?.cache();
        let bytes = content.get(start..start.saturating_add(buffer.len()));
        buffer.copy_from_slice(bytes.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let state = &mut *self.disk.0.lock();
        let ends = state.faults.change(&mut state.random)?;
        let written = state.faults.write();
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let free = usize::try_from(state.free_bytes()).unwrap_or(usize::MAX);
        let growth = (start + bytes.len()).saturating_sub(state.file(self.number)?.cache().len());
        let lacking = growth.saturating_sub(free);
        let mut fits = bytes.len().saturating_sub(lacking);
        if ends || written.is_err() {
            fits = state.random.random_range(0..=fits);
        }
        if fits > 0 {
            state.file(self.number)?.write(start, bytes.get(..fits).unwrap_or_default());
        }
        match written {
            _ if ends => Err(no_power()),
            Ok(()) if lacking > 0 => Err(state.faults.full()),
            written => written,
        }
    }

    fn set_size(&self, bytes: u64) -> io::Result<()> {
        let state = &mut *self.disk.0.lock();
        if state.faults.change(&mut state.random)? && state.random.random() {
            return Err(no_power());
        }
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        state.file(self.number)?.set_size(bytes);
        if state.faults.changes_left == Some(0) { Err(no_power()) } else { Ok(()) }
    }

    fn sync(&self) -> io::Result<()> {
        let state = &mut *self.disk.0.lock();
        if state.faults.change(&mut state.random)? {
            return Err(no_power());
        }
        let State { random, files, faults, .. } = state;
        let file = files.get_mut(self.number).ok_or(ErrorKind::NotFound)?;
        if faults.sync_fails(true) {
            file.fail_sync(random);
            return Err(io::Error::other("the disk does not answer"));
        }
        file.sync();
        Ok(())
    }
}
