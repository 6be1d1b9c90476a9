//! Makes a data directory of a back-up.
//!
//! Everything is made in a folder inside of the data directory, and takes its place only when it is
//! whole and checked; so what a restore that was broken off has left is no data directory, and the
//! next one begins again.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use matchwire_domain::timestamp::Timestamp;
use matchwire_embedded::Verified;

use crate::{
    Day, Entry, Error, Manifest, Safe, Store, backup::FOLDER, download::Download, error::blocking,
    manifest::NAME, vault,
};

/// Where a restore works.
const WORK: &str = ".restore";
/// What a new file system may have by itself.
const NOTHING: [&str; 2] = [WORK, "lost+found"];
/// How often it is begun again, since the back-up went on meanwhile and has removed objects.
const MAX_TRIES: usize = 5;
/// How often `progress` is told.
const TELL: Duration = Duration::from_millis(200);

/// What is wanted of a restore.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Without events that were recorded after this time.
    pub to_time: Option<Timestamp>,
    /// The log alone: for when the vault cannot be opened any more. Player ids stay as they are, and are given to nobody else.
    pub without_vault: bool,
}

/// What was restored of the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct People {
    /// The day of the key that opened it; nothing without a vault.
    pub key_day: Option<Day>,
    /// How many erasures the ledger has; nothing if there is no safe.
    pub erasures: Option<usize>,
    /// How many people the back-up had who were erased since, and again now.
    pub erased_again: usize,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the back-up was.
    pub manifest: Manifest,
    /// The log as it is now, with its new lineage.
    pub log: matchwire_embedded::restore::Restored,
    /// What it holds, and what is damaged in it: the log in the back-up was damaged then.
    pub verified: Verified,
    /// The vault.
    pub people: People,
}

/// Makes a data directory of a back-up. The vault is opened with the keys of the safe, and whoever is in the safe's ledger is
/// erased from it before it takes its place. `progress` hears now and then how many bytes have come, and how many there are.
///
/// The directory must not exist or be empty. After an error it is as it was, but for a folder that
/// the next try removes.
pub async fn restore(
    store: &Store,
    safe: &Safe,
    data: &Path,
    wanted: Wanted,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Restored, Error> {
    let Wanted { to_time, without_vault } = wanted;
    // Before anything is made: most of what can be wrong shows here.
    let manifest = read(store).await?;
    vault::check(store, safe, manifest.log.id(), without_vault).await?;
    prepare(data)?;
    let work = data.join(WORK);
    let folder = work.join(FOLDER);
    fs::create_dir_all(&folder).map_err(Error::file(format!("cannot make {}", work.display())))?;
    let manifest = download(store, &folder, to_time, progress).await?;
    let people = vault::restore(store, safe, manifest.log.id(), &work, without_vault).await?;
    let (of_log, in_folder) = (manifest.log.clone(), folder.clone());
    let make = move || matchwire_embedded::restore::restore(&in_folder, &of_log, to_time);
    let log = blocking(make).await??;
    if let (Some(to_time), Some(first), 1) = (to_time, log.cut, log.position) {
        return Err(Error::TooEarly { to_time, first });
    }
    let verify = move || matchwire_embedded::verify(&folder, None, &mut |_| ());
    let verified = blocking(verify).await??;
    settle(data, &work)?;
    Ok(Restored { manifest, log, verified, people })
}

/// Sees to it that the data directory is there, and empty.
fn prepare(data: &Path) -> Result<(), Error> {
    let cannot = || format!("cannot use {}", data.display());
    fs::create_dir_all(data).map_err(Error::file(cannot()))?;
    for entry in fs::read_dir(data).map_err(Error::file(cannot()))? {
        let name = entry.map_err(Error::file(cannot()))?.file_name();
        if NOTHING.iter().all(|nothing| *name != **nothing) {
            return Err(Error::Occupied(data.display().to_string()));
        }
    }
    let work = data.join(WORK);
    if work.exists() {
        fs::remove_dir_all(&work).map_err(Error::file(cannot()))?;
    }
    Ok(())
}

/// Brings the files, and gives the manifest that they belong to.
async fn download(
    store: &Store,
    folder: &Path,
    to_time: Option<Timestamp>,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Manifest, Error> {
    let bytes = Arc::new(AtomicU64::new(0));
    let mut download = Download::new(store, folder.to_owned(), bytes.clone());
    let mut before: Option<Manifest> = None;
    for _ in 0..MAX_TRIES {
        let manifest = read(store).await?;
        if before.as_ref() == Some(&manifest) {
            break;
        }
        let entries = needed(&manifest, to_time);
        let total = entries.iter().map(|entry| entry.span.bytes()).sum();
        let come = {
            let mut all = std::pin::pin!(download.all(&entries));
            loop {
                tokio::select! {
                    come = &mut all => break come,
                    () = tokio::time::sleep(TELL) => {
                        progress(bytes.load(Ordering::Relaxed).min(total), total);
                    }
                }
            }
        };
        match come {
            Ok(()) => {
                progress(total, total);
                remove_others(folder, &entries)?;
                return Ok(manifest);
            }
            // Perhaps it was replaced since the manifest was read.
            Err(error @ Error::Damaged { .. }) if read(store).await? == manifest => {
                return Err(error);
            }
            Err(Error::Damaged { .. }) => before = Some(manifest),
            Err(error) => return Err(error),
        }
    }
    Err(Error::Busy(store.name().into()))
}

async fn read(store: &Store) -> Result<Manifest, Error> {
    let found = store.read(&format!("{FOLDER}/{NAME}")).await?;
    let (bytes, _) = found.ok_or_else(|| Error::Missing(store.name().into()))?;
    Manifest::decode(&bytes, store.name())
}

/// The objects that have something that was recorded by a time.
fn needed(manifest: &Manifest, to_time: Option<Timestamp>) -> Vec<Entry> {
    let files = manifest.files.iter();
    let Some(to_time) = to_time else { return files.cloned().collect() };
    let mut reached = None;
    let is_needed = move |entry: &&Entry| {
        let is_needed = reached.is_none_or(|reached| reached <= to_time);
        reached = reached.max(Some(entry.span.recorded));
        is_needed
    };
    files.take_while(is_needed).cloned().collect()
}

/// Removes files that came for a manifest which is not the one that counts.
fn remove_others(folder: &Path, entries: &[Entry]) -> Result<(), Error> {
    let cannot = || format!("cannot look through {}", folder.display());
    for file in fs::read_dir(folder).map_err(Error::file(cannot()))? {
        let file = file.map_err(Error::file(cannot()))?;
        if entries.iter().all(|entry| *entry.file != *file.file_name()) {
            fs::remove_file(file.path()).map_err(Error::file(cannot()))?;
        }
    }
    Ok(())
}

/// Puts what was made in its place. The vault goes first: without a log nothing has started yet.
fn settle(data: &Path, work: &Path) -> Result<(), Error> {
    let settle = || {
        let _ = fs::remove_file(work.join(FOLDER).join("lock"));
        let folders = [vault::FOLDER, FOLDER].map(|name| (work.join(name), data.join(name)));
        for (from, to) in folders.iter().filter(|(from, _)| from.exists()) {
            fs::rename(from, to)?;
        }
        fs::remove_dir_all(work)?;
        let parent = data.canonicalize()?.parent().map(PathBuf::from);
        for folder in [Some(data.to_owned()), parent].into_iter().flatten() {
            fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    };
    settle().map_err(Error::file(format!("cannot put the log into {}", data.display())))
}
