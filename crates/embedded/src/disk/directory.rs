//! The real disk: a directory of the operating system, locked for one process.

use std::{
    fs::{self, TryLockError},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use matchwire_log::Error;

use super::{Disk, File};

/// A directory that this process alone writes to for as long as the value lives.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    lock: Option<fs::File>,
}

impl Directory {
    /// Opens a directory, creates it if it is missing, and locks it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        fs::create_dir_all(path)?;
        if let Some(parent) = path.canonicalize()?.parent() {
            fs::File::open(parent)?.sync_all()?;
        }
        let lock =
            fs::File::options().create(true).truncate(false).write(true).open(path.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.into(), lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => Err(Error::Unusable {
                place: path.display().to_string(),
                what: "another process has it open; stop that one first".into(),
            }),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// A directory that exists, without a lock: only for reading.
    pub fn unlocked(path: &Path) -> Self {
        Self { path: path.into(), lock: None }
    }
}

impl Disk for Directory {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().into_string().ok());
        fs::read_dir(&self.path)?.filter_map(|entry| name(entry).transpose()).collect()
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let writes = self.lock.is_some();
        let file = fs::File::options().read(true).write(writes).open(self.path.join(name))?;
        Ok(Arc::new(file))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let mut options = fs::File::options();
        options.read(true).write(true).create(true).truncate(true);
        Ok(Arc::new(options.open(self.path.join(name))?))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn sync(&self) -> io::Result<()> {
        fs::File::open(&self.path)?.sync_all()
    }
}

impl File for fs::File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn set_size(&self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
