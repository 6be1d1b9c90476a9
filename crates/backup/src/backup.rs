//! A back-up that is open, to go on with it.

use std::{
    fs::{self, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Instant, SystemTime},
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use matchwire_domain::timestamp::Timestamp;
use matchwire_embedded::{Identity, copy::Source};
use object_store::UpdateVersion;

use crate::{
    Error, Manifest, Safe, Store, error::blocking, manifest::NAME, tidy::Tidying, vault::Vault,
};

/// The folder of the log, in a data directory and in a back-up.
pub(crate) const FOLDER: &str = "log";
/// How many objects are removed at once.
const MAX_REMOVALS: usize = 8;

/// A back-up of a data directory. One process at a time may have it open.
pub struct Backup {
    /// The folder of the log.
    folder: PathBuf,
    pub(crate) source: Arc<Source>,
    pub(crate) store: Store,
    /// What is in the store, and named there.
    pub(crate) manifest: Manifest,
    pub(crate) version: Option<UpdateVersion>,
    /// What was to be put there when that failed: perhaps it was, and only the answer was lost.
    unsure: Option<Bytes>,
    pub(crate) vault: Vault,
    /// Everything that was durable then is in the store.
    pub(crate) as_of: Instant,
    /// Objects that are not named any more.
    pub(crate) garbage: Vec<String>,
    pub(crate) tidying: Option<Tidying>,
    /// Sealed files that are damaged, and so take nothing's place.
    pub(crate) damaged: Vec<String>,
    /// For a directory: keeps other processes out.
    _lock: Option<fs::File>,
}

impl Backup {
    /// Opens the back-up of a data directory in a store, or begins it. The safe has the keys of its vault, and is neither
    /// in the store nor in the data directory.
    ///
    /// One of another log, or of a history that the log has left, is [`Error::Diverged`]: it holds
    /// what the log does not have any more, so it is left as it is.
    pub async fn open(data: &Path, store: Store, safe: Safe) -> Result<Self, Error> {
        let folder = data.join(FOLDER);
        let source = source(&folder).await?;
        let lock = match store.directory() {
            Some(directory) => Some(lock(directory, store.name()).await?),
            None => None,
        };
        let found = store.read(&format!("{FOLDER}/{NAME}")).await?;
        let (manifest, version) = match found {
            Some((bytes, version)) => (Manifest::decode(&bytes, store.name())?, Some(version)),
            None => (Manifest::new(source.identity().clone()), None),
        };
        let vault = Vault::open(data, &store, safe).await?;
        let mut backup = Self {
            folder,
            source: source.clone(),
            store,
            manifest,
            version,
            unsure: None,
            vault,
            as_of: Instant::now(),
            garbage: Vec::new(),
            tidying: None,
            damaged: Vec::new(),
            _lock: lock,
        };
        backup.check(source.identity())?;
        backup.vault.begin(source.identity().id()).await?;
        backup.find_garbage().await?;
        Ok(backup)
    }

    /// What the back-up holds.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Looks whether the log has another history now: that changes while nobody has it open, but
    /// a back-up may go on meanwhile.
    pub(crate) async fn look(&mut self) -> Result<(), Error> {
        let source = source(&self.folder).await?;
        if source.identity() != self.source.identity() {
            self.check(source.identity())?;
            self.source = source;
        }
        Ok(())
    }

    /// Whether the back-up is of this log; if so, it goes on as that.
    fn check(&mut self, log: &Identity) -> Result<(), Error> {
        let copied = &self.manifest.log;
        let diverged = |what| Error::Diverged { place: self.store.name().into(), what };
        if log.id() != copied.id() {
            let what = format!("it is of log {}, and this one is {}", copied.id(), log.id());
            return Err(diverged(what));
        }
        let until = log.lineage().shared_until(copied.lineage().current());
        let next = self.manifest.next;
        match until {
            Some(until) if next <= until => {}
            Some(until) => {
                return Err(diverged(format!(
                    "it goes up to group {}, and the log went another way from group {until} on, \
                     by a restore or a loss that was accepted",
                    next - 1
                )));
            }
            None => return Err(diverged("it has a history that the log never had".into())),
        }
        self.manifest.log = log.clone();
        Ok(())
    }

    /// What a back-up that was broken off has left.
    async fn find_garbage(&mut self) -> Result<(), Error> {
        for name in self.store.list(FOLDER).await? {
            let object = name.rsplit('/').next().unwrap_or_default();
            let is_ours = object.contains(".seg") || object.contains(".sealed");
            if is_ours && self.manifest.files.iter().all(|entry| entry.object != object) {
                self.garbage.push(object.to_owned());
            }
        }
        Ok(())
    }

    /// Sees to it that an object which is about to be made is not removed: one of that name may
    /// have been left by a back-up that was broken off.
    pub(crate) fn keep(&mut self, object: &str) {
        self.garbage.retain(|garbage| garbage != object);
    }

    /// Writes down what the back-up holds: after this it is what a restore gives. `gone` are the
    /// objects that it does not name any more.
    ///
    /// The vault goes first: it is read later than the log was, so it has every player id of these
    /// events.
    pub(crate) async fn publish(
        &mut self,
        mut manifest: Manifest,
        gone: Vec<String>,
    ) -> Result<(), Error> {
        self.vault.copy(&self.store).await?;
        let name = format!("{FOLDER}/{NAME}");
        if let Some(unsure) = &self.unsure
            && let Some((bytes, version)) = self.store.read(&name).await?
            && bytes == *unsure
        {
            self.version = Some(version);
        }
        manifest.made = now();
        let bytes = manifest.encode();
        self.unsure = Some(bytes.clone());
        let version = self.store.replace(&name, bytes, self.version.clone()).await?;
        (self.manifest, self.version, self.unsure) = (manifest, Some(version), None);
        self.garbage.extend(gone);
        self.remove_garbage().await;
        Ok(())
    }

    async fn remove_garbage(&mut self) {
        let garbage = std::mem::take(&mut self.garbage);
        let (files, store) = (&self.manifest.files, &self.store);
        let remove = async |object: String| {
            let is_named = files.iter().any(|entry| entry.object == object);
            assert!(!is_named, "an object that belongs to the back-up is never removed");
            // What cannot be removed now is found by the next one who opens the back-up.
            if let Err(error) = store.remove(&format!("{FOLDER}/{object}")).await {
                tracing::debug!(%error, object, "cannot remove an object that is not needed");
            }
        };
        stream::iter(garbage).for_each_concurrent(MAX_REMOVALS, remove).await;
    }
}

async fn source(folder: &Path) -> Result<Arc<Source>, Error> {
    let folder = folder.to_owned();
    Ok(Arc::new(blocking(move || Source::open(&folder)).await??))
}

async fn lock(directory: PathBuf, name: &str) -> Result<fs::File, Error> {
    let place = name.to_owned();
    let lock = move || {
        let options = fs::File::options().create(true).truncate(false).write(true).clone();
        let file = options.open(directory.join("lock"));
        let file = file.map_err(Error::file(format!("cannot write to {place}")))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(Error::Busy(place)),
            Err(TryLockError::Error(error)) => {
                Err(Error::file(format!("cannot lock {place}"))(error))
            }
        }
    };
    blocking(lock).await?
}

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
