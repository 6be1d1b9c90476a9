//! Who builds what: one process at a time in a directory, and there each version once.

use std::{
    collections::HashSet,
    fs::{self, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
};

use matchwire_log::view_store::Error;
use parking_lot::Mutex;

use super::failed;

/// What is built by the users of a directory that share this.
pub(super) struct Claims {
    directory: PathBuf,
    claimed: Mutex<Claimed>,
}

#[derive(Default)]
struct Claimed {
    versions: HashSet<(String, u32)>,
    /// The lock that keeps others out, for as long as something is built.
    lock: Option<fs::File>,
}

impl Claims {
    pub(super) fn new(directory: &Path) -> Arc<Self> {
        Arc::new(Self { directory: directory.into(), claimed: Mutex::default() })
    }

    /// Claims a version for as long as the answer is held.
    pub(super) fn claim(self: &Arc<Self>, name: &str, version: u32) -> Result<Claim, Error> {
        let mut claimed = self.claimed.lock();
        let key = (name.to_owned(), version);
        if claimed.versions.contains(&key) {
            return Err(self.busy(&format!("{name} {version} is being built")));
        }
        if claimed.lock.is_none() {
            claimed.lock = Some(self.lock()?);
        }
        claimed.versions.insert(key.clone());
        Ok(Claim { claims: self.clone(), key })
    }

    fn lock(&self) -> Result<fs::File, Error> {
        let path = self.directory.join("lock");
        let file = fs::File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| failed(&path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(self.busy("another process builds a view there")),
            Err(TryLockError::Error(error)) => Err(failed(&path, &error)),
        }
    }

    fn busy(&self, what: &str) -> Error {
        Error::Busy { place: self.directory.display().to_string(), what: what.into() }
    }
}

/// What somebody builds.
pub(super) struct Claim {
    claims: Arc<Claims>,
    key: (String, u32),
}

impl Claim {
    /// Where it is built.
    pub(super) fn directory(&self) -> &Path {
        &self.claims.directory
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut claimed = self.claims.claimed.lock();
        claimed.versions.remove(&self.key);
        if claimed.versions.is_empty() {
            claimed.lock = None;
        }
    }
}
