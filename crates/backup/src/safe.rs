//! The safe: what makes a back-up of the vault readable, and what must never be set back.
//!
//! ```text
//!   PLACE.safe/safe.json              which log it is of
//!             /keys/2026-11-26.key    with which the vault was sealed on that day
//!             /erasures.ndjson        the ledger, only ever added to
//! ```
//!
//! It lies beside the back-up and is itself never copied: whoever copies the back-up has no key, and what was copied goes dark
//! when its day's key is destroyed. What is sealed with the keys is left to the vault's back-up.

mod keys;

use std::{
    collections::HashSet,
    fmt, fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use matchwire_domain::timestamp::Timestamp;
use matchwire_log::{Clock, SystemClock};
use matchwire_vault::{Erasure, LEDGER};
use serde::{Deserialize, Serialize};

use crate::{Day, Error, Store, error::blocking};
pub(crate) use keys::Key;

/// What says which log it is of.
const NAME: &str = "safe.json";
const FORMAT: u32 = 1;
/// How often a change is begun again, since somebody else made one at the same time.
const MAX_TRIES: usize = 5;

/// A place for keys and the ledger; clones share it.
#[derive(Clone)]
pub struct Safe {
    name: String,
    /// Nothing if its directory is not there.
    store: Option<Store>,
    clock: Arc<dyn Clock>,
}

/// What `safe.json` says.
#[derive(Debug, Serialize, Deserialize)]
struct Owner {
    format: u32,
    /// The id of the log: player ids of another one are other people.
    log: String,
}

impl fmt::Debug for Safe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Safe").field(&self.name).finish()
    }
}

impl Safe {
    /// Where the safe of a back-up is, if nobody says otherwise: `PLACE.safe`.
    pub fn beside(place: &str) -> Result<String, Error> {
        let trimmed = place.trim_end_matches('/');
        let beside = match trimmed.split_once("://") {
            Some((_, rest)) => rest.contains('/').then(|| format!("{trimmed}.safe")),
            None => Path::new(trimmed).file_name().map(|name| {
                let name = format!("{}.safe", name.display());
                Path::new(trimmed).with_file_name(name).display().to_string()
            }),
        };
        beside.ok_or_else(|| Error::Safe {
            place: place.into(),
            what: "it has no name beside which there could be one; name another place with --safe"
                .into(),
        })
    }

    /// Opens a safe to back up with: a directory, which is made so that others cannot look into it, or `s3://BUCKET/PREFIX`.
    pub fn create(place: &str) -> Result<Self, Error> {
        if !place.contains("://") {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(place);
            made.map_err(Error::file(format!("cannot make {place}")))?;
        }
        Ok(Self::new(place, Some(Store::create(place)?)))
    }

    /// Opens a safe to restore with. One that is not there is told when something of it is needed.
    pub fn open(place: &str) -> Result<Self, Error> {
        match Store::open(place) {
            Err(Error::Missing(_)) => Ok(Self::new(place, None)),
            store => Ok(Self::new(place, Some(store?))),
        }
    }

    fn new(place: &str, store: Option<Store>) -> Self {
        Self { name: place.into(), store, clock: Arc::new(SystemClock) }
    }

    /// With another clock than the machine's.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Its name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn today(&self) -> Day {
        Day::of(self.now())
    }

    fn store(&self) -> Result<&Store, Error> {
        self.store.as_ref().ok_or_else(|| Error::NoSafe(self.name.clone()))
    }

    fn wrong(&self, what: String) -> Error {
        Error::Safe { place: self.name.clone(), what }
    }

    /// Refuses to lie in what is copied: there, each copy would have its keys.
    pub(crate) fn check_apart(&self, backup: &Store, data: &Path) -> Result<(), Error> {
        let is_inside = if let Some(safe) = self.directory() {
            let within = |folder: PathBuf| {
                let ends = safe.canonicalize().ok().zip(folder.canonicalize().ok());
                ends.is_some_and(|(safe, folder)| safe.starts_with(folder))
            };
            within(data.to_owned()) || backup.directory().is_some_and(within)
        } else {
            let [safe, place] = [self.name(), backup.name()].map(folder_name);
            safe.starts_with(&place)
        };
        if is_inside {
            let place = backup.name();
            return Err(self.wrong(format!(
                "it lies in the data directory or in {place}, so that copies of them would have the keys; name a place \
                 beside them with --safe"
            )));
        }
        Ok(())
    }

    fn directory(&self) -> Option<PathBuf> {
        self.store.as_ref()?.directory()
    }

    /// Whether it is there. It must be that of this log.
    pub(crate) async fn is_of(&self, log: &str) -> Result<bool, Error> {
        let Some(store) = &self.store else { return Ok(false) };
        let Some((bytes, _)) = store.read(NAME).await? else { return Ok(false) };
        let owner: Owner = serde_json::from_slice(&bytes)
            .map_err(|error| self.wrong(format!("its {NAME} is damaged: {error}")))?;
        if owner.format > FORMAT {
            let (place, format) = (self.name.clone(), owner.format);
            return Err(Error::Newer { place, format, readable: FORMAT });
        }
        if owner.log != log {
            let what = format!(
                "it is of log {}, and this one is {log}; name the one that is, or a new one, with --safe",
                owner.log
            );
            return Err(self.wrong(what));
        }
        Ok(true)
    }

    /// Makes it the safe of a log; says whether it was new.
    pub(crate) async fn claim(&self, log: &str) -> Result<bool, Error> {
        let _lock = self.lock().await?;
        if self.is_of(log).await? {
            return Ok(false);
        }
        let owner = Owner { format: FORMAT, log: log.into() };
        let bytes = serde_json::to_vec(&owner).unwrap_or_default();
        match self.store()?.replace(NAME, bytes.into(), None).await {
            Err(Error::Busy(_)) => self.is_of(log).await.map(|_| false),
            made => made.map(|_| true),
        }
    }

    /// The ledger, as it is and read.
    pub(crate) async fn ledger(&self) -> Result<(Bytes, Vec<Erasure>), Error> {
        let bytes = self.store()?.read(LEDGER).await?.map(|(bytes, _)| bytes).unwrap_or_default();
        let erasures = self.erasures(&bytes)?;
        Ok((bytes, erasures))
    }

    fn erasures(&self, ledger: &[u8]) -> Result<Vec<Erasure>, Error> {
        let what = match Erasure::parse_all(ledger) {
            Ok(erasures) if ledger.last().is_none_or(|last| *last == b'\n') => return Ok(erasures),
            Ok(_) => "its last line is not whole".to_owned(),
            Err(line) => format!("line {line} is no erasure"),
        };
        Err(self.wrong(format!("its ledger {LEDGER} is damaged: {what}")))
    }

    /// Adds erasures that the ledger does not have; gives how many it has then. Nothing ever leaves it.
    pub(crate) async fn add(&self, erasures: &[Erasure]) -> Result<usize, Error> {
        let store = self.store()?;
        for _ in 0..MAX_TRIES {
            let _lock = self.lock().await?;
            let found = store.read(LEDGER).await?;
            let (before, version) = found.map_or((Bytes::new(), None), |(b, v)| (b, Some(v)));
            let mut all = self.erasures(&before)?;
            let mut known: HashSet<String> = all.iter().map(Erasure::to_line).collect();
            let mut bytes = before.to_vec();
            for erasure in erasures {
                let line = erasure.to_line();
                if known.insert(line.clone()) {
                    bytes.extend_from_slice(line.as_bytes());
                    bytes.push(b'\n');
                    all.push(erasure.clone());
                }
            }
            assert!(bytes.starts_with(&before), "the ledger of the safe is only added to");
            if bytes.len() == before.len() {
                return Ok(all.len());
            }
            match store.replace(LEDGER, bytes.into(), version).await {
                Err(Error::Busy(_)) => {}
                replaced => return replaced.map(|_| all.len()),
            }
        }
        Err(Error::Busy(self.name.clone()))
    }

    /// In a directory, which has no conditions: keeps others from changing it until this is dropped.
    async fn lock(&self) -> Result<Option<fs::File>, Error> {
        let Some(path) = self.directory().map(|directory| directory.join("lock")) else {
            return Ok(None);
        };
        let lock = move || -> io::Result<fs::File> {
            let file = fs::File::options().create(true).truncate(false).write(true).open(path)?;
            file.lock()?;
            Ok(file)
        };
        let locked = blocking(lock).await?;
        locked.map(Some).map_err(Error::file(format!("cannot lock the safe {}", self.name)))
    }
}

/// A prefix as that of what lies in it.
fn folder_name(place: &str) -> String {
    format!("{}/", place.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_safe_lies_beside_its_back_up() {
        for (place, safe) in [
            ("/mnt/a", "/mnt/a.safe"),
            ("a/b/", "a/b.safe"),
            ("a/.", "a.safe"),
            ("s3://bucket/a/b/", "s3://bucket/a/b.safe"),
        ] {
            assert_eq!(Safe::beside(place).unwrap(), safe);
        }
        for place in ["/", ".", "a/..", "s3://bucket", "s3://bucket/"] {
            assert!(matches!(Safe::beside(place), Err(Error::Safe { .. })), "{place}");
        }
    }
}
