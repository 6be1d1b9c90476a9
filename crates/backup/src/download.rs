//! Brings objects back into the files that they are parts of.

use std::{
    collections::HashMap,
    fs,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use sha2::{Digest as _, Sha256};

use crate::{Entry, Error, Store, backup::FOLDER, error::blocking, manifest::hex};

/// How much is asked for at once.
const PART_BYTES: u64 = 8 << 20;
/// How many objects come at once, and how many parts of each.
const MAX_OBJECTS: usize = 4;
const MAX_PARTS: usize = 4;

/// Downloads into a folder that exists.
pub(crate) struct Download<'a> {
    pub(crate) store: &'a Store,
    pub(crate) folder: PathBuf,
    /// Bytes that have come.
    pub(crate) bytes: Arc<AtomicU64>,
    /// Objects that have come, with their checksums.
    done: HashMap<String, String>,
}

impl<'a> Download<'a> {
    pub(crate) fn new(store: &'a Store, folder: PathBuf, bytes: Arc<AtomicU64>) -> Self {
        Self { store, folder, bytes, done: HashMap::new() }
    }

    /// Brings all that has not come yet, and syncs it.
    pub(crate) async fn all(&mut self, entries: &[Entry]) -> Result<(), Error> {
        let has = |entry: &&Entry| self.done.get(&entry.object) == Some(&entry.sha256);
        let missing: Vec<Entry> = entries.iter().filter(|entry| !has(entry)).cloned().collect();
        let (store, folder, bytes) = (self.store, self.folder.clone(), self.bytes.clone());
        let come = missing.into_iter().map(|entry| {
            let (folder, bytes) = (folder.clone(), bytes.clone());
            async move { one(store, &folder, &bytes, &entry).await.map(|()| entry) }
        });
        let mut come = stream::iter(come).buffer_unordered(MAX_OBJECTS);
        while let Some(entry) = come.try_next().await? {
            self.done.insert(entry.object, entry.sha256);
        }
        Ok(())
    }
}

/// Brings an object to its place in its file.
async fn one(store: &Store, folder: &Path, come: &AtomicU64, entry: &Entry) -> Result<(), Error> {
    let object = &format!("{FOLDER}/{}", entry.object);
    let damaged = |what| Error::Damaged { object: object.clone(), what };
    let path = folder.join(&entry.file);
    let cannot = format!("cannot write {}", path.display());
    let open = move || fs::File::options().create(true).truncate(false).write(true).open(path);
    let file = Arc::new(blocking(open).await?.map_err(Error::file(&*cannot))?);
    let size = entry.span.bytes();
    let parts = (0..size.div_ceil(PART_BYTES)).map(|part| {
        let start = part * PART_BYTES;
        let range = start..(start + PART_BYTES).min(size);
        async { (range.clone(), store.range(object, range).await) }
    });
    let mut parts = stream::iter(parts).buffered(MAX_PARTS);
    let mut hash = Sha256::new();
    while let Some((range, bytes)) = parts.next().await {
        let bytes: Bytes = bytes?;
        if bytes.len() as u64 != range.end - range.start {
            return Err(damaged(format!("it has fewer than {size} bytes")));
        }
        come.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let (file, at) = (file.clone(), entry.span.from + range.start);
        let write = move || {
            hash.update(&bytes);
            file.write_all_at(&bytes, at).map(|()| hash)
        };
        hash = blocking(write).await?.map_err(Error::file(&*cannot))?;
    }
    if hex(&hash.finalize()) != entry.sha256 {
        return Err(damaged("its checksum is another one".into()));
    }
    blocking(move || file.sync_all()).await?.map_err(Error::file(&*cannot))
}
