//! The back-up of the vault, which is one of its own: the exchange of accounts for player ids, and the
//! key of the dead letters.
//!
//! Both files are small, so they are copied as a whole when they have changed, under names that their
//! contents give. A key that was destroyed leaves the back-up, too.

use std::{
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
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
const EXCHANGE: &str = "exchange.ndjson";
const LETTER_KEY: &str = "dead-letters.key";
/// The format with a key; without one it is 1 as before.
const FORMAT: u32 = 2;
/// Larger than any key.
const MAX_KEY_BYTES: u64 = 64 << 10;

/// What `vault/backup.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    made: Timestamp,
    #[serde(flatten)]
    exchange: Object,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    letter_key: Option<Object>,
}

/// A file as it was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Object {
    #[serde(rename = "object")]
    name: String,
    bytes: u64,
    sha256: String,
}

/// Size and time of a file, if it is there.
type Seen = Option<(u64, SystemTime)>;

/// The vault of a data directory, and its back-up.
pub(crate) struct Vault {
    folder: PathBuf,
    manifest: Option<Manifest>,
    version: Option<UpdateVersion>,
    /// Whether nobody knows if it was replaced the last time.
    is_unsure: bool,
    /// The files when they were copied.
    copied: Option<[Seen; 2]>,
}

impl Vault {
    pub(crate) async fn open(data: &Path, store: &Store) -> Result<Self, Error> {
        let folder = data.join(FOLDER);
        let (manifest, version) = match read(store).await? {
            Some((manifest, version)) => (Some(manifest), Some(version)),
            None => (None, None),
        };
        Ok(Self { folder, manifest, version, is_unsure: false, copied: None })
    }

    fn seen(&self) -> Option<[Seen; 2]> {
        let seen = [EXCHANGE, LETTER_KEY].map(|name| seen(&self.folder.join(name)));
        // The server makes the exchange before anything else.
        Some(seen).filter(|[exchange, _]| exchange.is_some())
    }

    /// Whether the files are others than those which were copied.
    pub(crate) fn has_changed(&self) -> bool {
        let now = self.seen();
        now.is_some() && now != self.copied
    }

    /// Copies the files if they have changed.
    pub(crate) async fn copy(&mut self, store: &Store) -> Result<(), Error> {
        // Before they are read, so that a change while they are read is seen the next time.
        let now_seen = self.seen();
        if now_seen.is_none() || now_seen == self.copied {
            return Ok(());
        }
        let (exchange, key) = (self.folder.join(EXCHANGE), self.folder.join(LETTER_KEY));
        let (exchange, key) =
            blocking(move || Ok::<_, Error>((lines(&exchange)?, whole(&key)?))).await??;
        let exchange = (object(EXCHANGE, &exchange), exchange);
        let key = key.map(|bytes| (object(LETTER_KEY, &bytes), bytes));
        let letter_key = key.as_ref().map(|(object, _)| object.clone());
        let named = self.manifest.as_ref().map(|it| (&it.exchange, it.letter_key.as_ref()));
        if named != Some((&exchange.0, letter_key.as_ref())) {
            let known: Vec<String> = self.manifest.iter().flat_map(Manifest::objects).collect();
            let format = if letter_key.is_some() { FORMAT } else { 1 };
            let manifest =
                Manifest { format, made: now(), exchange: exchange.0.clone(), letter_key };
            for (object, bytes) in [exchange].into_iter().chain(key) {
                if !known.contains(&object.name) {
                    store.put(&format!("{FOLDER}/{}", object.name), bytes).await?;
                }
            }
            self.replace(store, manifest, &known).await?;
        }
        self.copied = now_seen;
        Ok(())
    }

    /// Says what belongs to the back-up from now on, and removes what does not any more.
    async fn replace(
        &mut self,
        store: &Store,
        manifest: Manifest,
        known: &[String],
    ) -> Result<(), Error> {
        let text = serde_json::to_vec(&manifest).unwrap_or_default();
        let name = format!("{FOLDER}/{NAME}");
        if self.is_unsure {
            self.version = read(store).await?.map(|(_, version)| version);
        }
        self.is_unsure = true;
        self.version = Some(store.replace(&name, text.into(), self.version.clone()).await?);
        self.is_unsure = false;
        let named = manifest.objects();
        self.manifest = Some(manifest);
        for old in known.iter().filter(|old| !named.contains(old)) {
            // One that stays is passed over by a restore.
            if let Err(error) = store.remove(&format!("{FOLDER}/{old}")).await {
                tracing::warn!(object = old, %error, "an old object of the vault stays in the back-up");
            }
        }
        Ok(())
    }
}

impl Manifest {
    fn objects(&self) -> Vec<String> {
        let objects = [&self.exchange].into_iter().chain(&self.letter_key);
        objects.map(|object| object.name.clone()).collect()
    }
}

fn object(name: &str, bytes: &Bytes) -> Object {
    let sha256 = hex(&Sha256::digest(bytes));
    let digest = sha256.get(..16).unwrap_or_default();
    let object = format!("{name}.{:012}-{digest}", bytes.len());
    Object { name: object, bytes: bytes.len() as u64, sha256 }
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
    let exchange = fetch(store, &manifest.exchange).await?;
    let key = match &manifest.letter_key {
        Some(object) => Some(fetch(store, object).await?),
        None => None,
    };
    let folder = data.join(FOLDER);
    let write = move || {
        std::fs::create_dir_all(&folder)?;
        let put = |name: &str, mode: u32, bytes: &[u8]| {
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(mode);
            let mut file = options.open(folder.join(name))?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        put(EXCHANGE, 0o666, &exchange)?;
        if let Some(key) = key {
            put(LETTER_KEY, 0o600, &key)?;
        }
        std::fs::File::open(&folder)?.sync_all()
    };
    blocking(write).await?.map_err(Error::file("cannot write the vault"))
}

async fn fetch(store: &Store, object: &Object) -> Result<Bytes, Error> {
    let Object { name, bytes, sha256 } = object;
    let object = format!("{FOLDER}/{name}");
    // Nothing can be asked for of an empty file.
    let bytes = match bytes {
        0 => Bytes::new(),
        bytes => store.range(&object, 0..*bytes).await?,
    };
    if hex(&Sha256::digest(&bytes)) != *sha256 {
        return Err(Error::Damaged { object, what: "its checksum is another one".into() });
    }
    Ok(bytes)
}

fn seen(path: &Path) -> Seen {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

/// The whole lines of a file, on disk. Lines are on disk before any event needs them; one that is just
/// being written is not needed yet.
fn lines(path: &Path) -> Result<Bytes, Error> {
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
    Ok(bytes.into())
}

/// A key, if it is there. It has its name only when it is complete and synced.
fn whole(path: &Path) -> Result<Option<Bytes>, Error> {
    let mut bytes = Vec::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(MAX_KEY_BYTES).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(Some(bytes.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file(format!("cannot read {}", path.display()))(error)),
    }
}
