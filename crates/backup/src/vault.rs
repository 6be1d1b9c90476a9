//! The back-up of the vault, which is one of its own: the exchange of accounts for player ids.
//!
//! The file is small and only grows, so it is copied as a whole when it has changed, under a name
//! that its content gives.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use bytes::Bytes;
use matchwire_domain::timestamp::Timestamp;
use object_store::UpdateVersion;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    Error, Store,
    backup::now,
    error::blocking,
    manifest::{NAME, hex},
};

/// The folder of the vault, in a data directory and in a back-up.
pub(crate) const FOLDER: &str = "vault";
const FILE: &str = "exchange.ndjson";
const FORMAT: u32 = 1;

/// What `vault/backup.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    made: Timestamp,
    object: String,
    bytes: u64,
    sha256: String,
}

/// The vault of a data directory, and its back-up.
pub(crate) struct Vault {
    path: PathBuf,
    manifest: Option<Manifest>,
    version: Option<UpdateVersion>,
    /// Whether nobody knows if it was replaced the last time.
    is_unsure: bool,
    /// Size and time of the file when it was copied.
    copied: Option<(u64, SystemTime)>,
}

impl Vault {
    pub(crate) async fn open(data: &Path, store: &Store) -> Result<Self, Error> {
        let path = data.join(FOLDER).join(FILE);
        let (manifest, version) = match read(store).await? {
            Some((manifest, version)) => (Some(manifest), Some(version)),
            None => (None, None),
        };
        Ok(Self { path, manifest, version, is_unsure: false, copied: None })
    }

    /// Whether the file is another one than that which was copied.
    pub(crate) fn has_changed(&self) -> bool {
        let now = seen(&self.path);
        now.is_some() && now != self.copied
    }

    /// Copies the file if it has changed.
    pub(crate) async fn copy(&mut self, store: &Store) -> Result<(), Error> {
        // Before it is read, so that a change while it is read is seen the next time.
        let now_seen = seen(&self.path);
        if now_seen.is_none() || now_seen == self.copied {
            return Ok(());
        }
        let path = self.path.clone();
        let (bytes, sha256) = blocking(move || lines(&path)).await??;
        if self.manifest.as_ref().is_none_or(|manifest| manifest.sha256 != sha256) {
            let digest = sha256.get(..16).unwrap_or_default();
            let object = format!("{FILE}.{:012}-{digest}", bytes.len());
            let size = bytes.len() as u64;
            store.put(&format!("{FOLDER}/{object}"), bytes).await?;
            let manifest = Manifest { format: FORMAT, made: now(), object, bytes: size, sha256 };
            let text = serde_json::to_vec(&manifest).unwrap_or_default();
            let name = format!("{FOLDER}/{NAME}");
            if self.is_unsure {
                self.version = read(store).await?.map(|(_, version)| version);
            }
            self.is_unsure = true;
            self.version = Some(store.replace(&name, text.into(), self.version.clone()).await?);
            self.is_unsure = false;
            if let Some(old) = self.manifest.replace(manifest) {
                // One that stays is passed over by a restore, and does no harm.
                let _ = store.remove(&format!("{FOLDER}/{}", old.object)).await;
            }
        }
        self.copied = now_seen;
        Ok(())
    }
}

/// The manifest of a vault's back-up, if there is one.
async fn read(store: &Store) -> Result<Option<(Manifest, UpdateVersion)>, Error> {
    let object = format!("{FOLDER}/{NAME}");
    let Some((bytes, version)) = store.read(&object).await? else { return Ok(None) };
    let manifest: Manifest = serde_json::from_slice(&bytes)
        .map_err(|error| Error::Damaged { object, what: error.to_string() })?;
    if manifest.format > FORMAT {
        let (place, format) = (store.name().into(), manifest.format);
        return Err(Error::Newer { place, format, readable: FORMAT });
    }
    Ok(Some((manifest, version)))
}

/// Puts the vault of a back-up into a directory that is to be a data directory. It is as it was
/// last, whatever time the log goes back to: ids that the log does not have do no harm.
pub(crate) async fn restore(store: &Store, data: &Path) -> Result<(), Error> {
    let Some((manifest, _)) = read(store).await? else { return Ok(()) };
    let object = format!("{FOLDER}/{}", manifest.object);
    // Nothing can be asked for of an empty file.
    let bytes = match manifest.bytes {
        0 => Bytes::new(),
        bytes => store.range(&object, 0..bytes).await?,
    };
    if hex(&Sha256::digest(&bytes)) != manifest.sha256 {
        return Err(Error::Damaged { object, what: "its checksum is another one".into() });
    }
    let folder = data.join(FOLDER);
    let write = move || {
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(FILE), &bytes)?;
        std::fs::File::open(folder.join(FILE))?.sync_all()?;
        std::fs::File::open(&folder)?.sync_all()
    };
    blocking(write).await?.map_err(Error::file("cannot write the vault"))
}

fn seen(path: &Path) -> Option<(u64, SystemTime)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

/// The whole lines of a file, on disk, and their checksum. Lines are on disk before any event needs
/// them; one that is just being written is not needed yet.
fn lines(path: &Path) -> Result<(Bytes, String), Error> {
    let read = || {
        let mut file = std::fs::File::open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        file.sync_data()?;
        Ok(bytes)
    };
    let mut bytes = read().map_err(Error::file(format!("cannot read {}", path.display())))?;
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    bytes.truncate(end);
    let sha256 = hex(&Sha256::digest(&bytes));
    Ok((bytes.into(), sha256))
}
