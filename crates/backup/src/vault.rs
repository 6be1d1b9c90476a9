//! The back-up of the vault, which is one of its own: everybody's accounts and keys, the key of the dead letters and that of
//! the readers, each sealed with the key of the day.
//!
//! The files are copied as a whole when one has changed, and on each day anew, under names that what is stored gives. A key
//! that was destroyed leaves the back-up, too; and so does, with the key of its day, whatever was copied before and kept
//! elsewhere. The ledger of erasures does not go into the back-up but into the [`Safe`], which is never set back.

mod files;
mod manifest;
mod restore;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use matchwire_vault::{Erasure, LETTER_KEY, PEOPLE, READER_KEY};
use object_store::UpdateVersion;
use sha2::{Digest as _, Sha256};

use crate::{
    Day, Error, Safe, Store,
    error::blocking,
    manifest::{NAME, hex},
};
use files::Stamp;
use manifest::{Manifest, Object};
pub(crate) use restore::{check, restore};

/// The folder of the vault, in a data directory and in a back-up.
pub(crate) const FOLDER: &str = "vault";
/// What is copied: people first, without whom there is no vault yet.
const FILES: [&str; 3] = [PEOPLE, LETTER_KEY, READER_KEY];

/// What a round has looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    day: Day,
    people: Stamp,
    others: [Stamp; 3],
}

/// The vault of a data directory, and its back-up.
pub(crate) struct Vault {
    folder: PathBuf,
    safe: Safe,
    manifest: Option<Manifest>,
    version: Option<UpdateVersion>,
    /// Whether nobody knows if it was replaced the last time.
    is_unsure: bool,
    /// The objects that are in the store, named or not.
    objects: Vec<String>,
    /// The day and the files when they were copied.
    copied: Option<Seen>,
    /// The day on which keys were looked through last.
    swept: Option<Day>,
    /// How many erasures the ledger of the safe has.
    erasures: usize,
}

impl Vault {
    pub(crate) async fn open(data: &Path, store: &Store, safe: Safe) -> Result<Self, Error> {
        safe.check_apart(store, data)?;
        let (manifest, version) = match manifest::read(store).await? {
            Some((manifest, version)) => (Some(manifest), Some(version)),
            None => (None, None),
        };
        let listed = store.list(FOLDER).await?;
        let objects = listed.iter().filter_map(|name| name.rsplit('/').next());
        let objects = objects.filter(|name| *name != NAME).map(ToOwned::to_owned).collect();
        let folder = data.join(FOLDER);
        let (is_unsure, copied, swept, erasures) = (false, None, None, 0);
        Ok(Self { folder, safe, manifest, version, is_unsure, objects, copied, swept, erasures })
    }

    /// Begins with the back-up of a log: its safe must be that log's, and keys that are of an age go.
    pub(crate) async fn begin(&mut self, log: &str) -> Result<(), Error> {
        if self.safe.claim(log).await? && self.manifest.is_some() {
            tracing::warn!(
                safe = self.safe.name(),
                "the back-up had another safe, which has the keys of copies made before: this one is new"
            );
        }
        self.erasures = self.safe.ledger().await?.1.len();
        self.sweep(self.safe.today()).await
    }

    /// The day of the key that the vault is sealed with, once it is.
    pub(crate) fn key_day(&self) -> Option<Day> {
        self.manifest.as_ref().map(|manifest| manifest.day)
    }

    /// How many erasures the ledger of the safe has.
    pub(crate) fn erasures(&self) -> usize {
        self.erasures
    }

    fn seen(&self) -> Seen {
        let stamp = |name: &str| files::stamp(&self.folder.join(name));
        let others = [LETTER_KEY, READER_KEY, matchwire_vault::LEDGER].map(stamp);
        Seen { day: self.safe.today(), people: stamp(PEOPLE), others }
    }

    /// Whether it is another day than when the files were copied, or they are others.
    pub(crate) fn has_changed(&self) -> bool {
        self.copied != Some(self.seen())
    }

    /// Copies the files if they have changed, or sealed them on another day.
    pub(crate) async fn copy(&mut self, store: &Store) -> Result<(), Error> {
        // Before they are read, so that a change while they are read is seen the next time.
        let seen = self.seen();
        if self.copied == Some(seen) {
            return Ok(());
        }
        self.sweep(seen.day).await?;
        // The server makes this one before anything else.
        if seen.people.is_some() {
            self.seal(store, seen.day).await?;
        }
        self.copied = Some(seen);
        Ok(())
    }

    async fn sweep(&mut self, today: Day) -> Result<(), Error> {
        if self.swept != Some(today) {
            self.safe.destroy_expired(today).await?;
            self.swept = Some(today);
        }
        Ok(())
    }

    /// Puts the ledger into the safe, and then what is new into the back-up, sealed with the key of a day.
    async fn seal(&mut self, store: &Store, day: Day) -> Result<(), Error> {
        let folder = self.folder.clone();
        let read = blocking(move || files::read(&folder)).await??;
        self.erasures = self.add(&read.ledger).await?;
        let key = self.safe.key_or_new(day).await?;
        let seal = move || {
            let seal = |(file, bytes): &(&'static str, Bytes)| {
                let sealed = Bytes::from(key.seal(file, bytes)?);
                Ok((object(file, day, &sealed), sealed))
            };
            read.files.iter().map(seal).collect::<Result<Vec<_>, Error>>()
        };
        let sealed = blocking(seal).await??;
        let objects = sealed.iter().map(|(object, _)| object.clone()).collect();
        let (next_player, erasures) = (read.next_player, read.known_erasures);
        let manifest = Manifest::new(self.safe.now(), day, next_player, erasures, objects);
        if self.manifest.as_ref().is_some_and(|named| named.says_the_same(&manifest)) {
            return Ok(());
        }
        for (object, bytes) in sealed {
            if !self.objects.contains(&object.name) {
                store.put(&format!("{FOLDER}/{}", object.name), bytes).await?;
                self.objects.push(object.name);
            }
        }
        self.replace(store, manifest).await
    }

    async fn add(&self, ledger: &[Erasure]) -> Result<usize, Error> {
        let all = self.safe.add(ledger).await?;
        if all > ledger.len() {
            tracing::warn!(
                safe = self.safe.name(),
                erasures = all - ledger.len(),
                "people who were erased are back in this data directory, or it has lost its ledger: it is of before, and did \
                 not come by a restore; restore it from the back-up with this safe"
            );
        }
        Ok(all)
    }

    /// Says what belongs to the back-up from now on, and removes what does not any more.
    async fn replace(&mut self, store: &Store, manifest: Manifest) -> Result<(), Error> {
        if self.is_unsure {
            self.version = manifest::read(store).await?.map(|(_, version)| version);
        }
        self.is_unsure = true;
        let name = format!("{FOLDER}/{NAME}");
        self.version = Some(store.replace(&name, manifest.encode(), self.version.clone()).await?);
        self.is_unsure = false;
        let is_named = |object: &String| manifest.files.iter().any(|named| named.name == *object);
        let (named, old) = std::mem::take(&mut self.objects).into_iter().partition(is_named);
        self.objects = named;
        self.manifest = Some(manifest);
        let old: Vec<String> = old;
        for object in old {
            // One that stays is passed over by a restore, and tried again when the back-up is opened.
            if let Err(error) = store.remove(&format!("{FOLDER}/{object}")).await {
                tracing::warn!(object, %error, "an old object of the vault stays in the back-up");
            }
        }
        Ok(())
    }
}

/// A file as it is stored: its name and checksum are of what is sealed, and tell nothing of what is in it.
fn object(file: &str, day: Day, sealed: &Bytes) -> Object {
    let sha256 = hex(&Sha256::digest(sealed));
    let digest = sha256.get(..16).unwrap_or_default();
    let name = format!("{file}.{day}-{digest}");
    Object { file: file.into(), name, bytes: sealed.len() as u64, sha256 }
}
