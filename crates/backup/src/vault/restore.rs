//! The vault of a back-up becomes that of a data directory, and forgets at once whoever was erased since.

use std::{fs, io, path::Path};

use bytes::Bytes;
use matchwire_vault::{LEDGER, LETTER_KEY, PEOPLE, READER_KEY};
use sha2::{Digest as _, Sha256};

use super::{
    FILES, FOLDER,
    manifest::{self, Manifest, Object},
};
use crate::{Error, People, Safe, Store, error::blocking, manifest::hex, safe::Key};

/// How often it is begun again, since the back-up went on meanwhile and has removed objects.
const MAX_TRIES: usize = 5;

/// Says what stands against a restore, before anything is downloaded.
pub(crate) async fn check(
    store: &Store,
    safe: &Safe,
    log: &str,
    without: bool,
) -> Result<(), Error> {
    let Some((manifest, _)) = manifest::read(store).await? else { return Ok(()) };
    let is_there = safe.is_of(log).await?;
    if !without {
        key(&manifest, safe, is_there).await?;
    }
    Ok(())
}

/// Puts the vault of a back-up into a directory that is to be a data directory. It is as it was
/// last, whatever time the log goes back to: ids that the log does not have do no harm. `without` its key, it is a
/// vault in which nobody is, and which gives no id a second time.
pub(crate) async fn restore(
    store: &Store,
    safe: &Safe,
    log: &str,
    data: &Path,
    without: bool,
) -> Result<People, Error> {
    let Some((manifest, _)) = manifest::read(store).await? else { return Ok(People::default()) };
    let is_there = safe.is_of(log).await?;
    let (manifest, mut files) = if without {
        let nobody = matchwire_vault::nobody(manifest.next_player);
        (manifest, vec![(PEOPLE, nobody)])
    } else {
        fetch_all(store, safe, is_there, manifest).await?
    };
    let (ledger, erasures) = if is_there {
        let (bytes, erasures) = safe.ledger().await?;
        (bytes, Some(erasures.len()))
    } else {
        (Bytes::new(), None)
    };
    if erasures.is_some_and(|erasures| erasures > manifest.erasures) {
        // An erasure destroys these, which may be keys of anybody's text, whether the vault knew the person then or not.
        files.retain(|(name, _)| ![LETTER_KEY, READER_KEY].contains(name));
    }
    let folder = data.join(FOLDER);
    let write = move || write(&folder, &files, &ledger);
    let erased_again = blocking(write).await?.map_err(Error::file("cannot write the vault"))?;
    let key_day = (!without).then_some(manifest.day);
    Ok(People { key_day, erasures, erased_again })
}

/// Writes the files, and opens the vault once, which erases again whoever is in the ledger; says how many those were.
fn write(folder: &Path, files: &[(&str, Vec<u8>)], ledger: &[u8]) -> io::Result<usize> {
    fs::create_dir_all(folder)?;
    matchwire_vault::files::replace(folder, LEDGER, ledger)?;
    for (name, bytes) in files {
        matchwire_vault::files::replace(folder, name, bytes)?;
    }
    matchwire_vault::Vault::open(folder).map(|vault| vault.erased_again())
}

/// What a file is called and what is in it.
type File = (&'static str, Vec<u8>);

/// All files, with the manifest that they belong to.
async fn fetch_all(
    store: &Store,
    safe: &Safe,
    is_there: bool,
    mut manifest: Manifest,
) -> Result<(Manifest, Vec<File>), Error> {
    for _ in 0..MAX_TRIES {
        let key = key(&manifest, safe, is_there).await?;
        match fetch(store, &key, &manifest).await {
            Err(error @ Error::Damaged { .. }) => match manifest::read(store).await? {
                Some((now, _)) if now != manifest => manifest = now,
                _ => return Err(error),
            },
            files => return Ok((manifest, files?)),
        }
    }
    Err(Error::Busy(store.name().into()))
}

async fn key(manifest: &Manifest, safe: &Safe, is_there: bool) -> Result<Key, Error> {
    if !is_there {
        return Err(Error::NoSafe(safe.name().into()));
    }
    let (place, day) = (safe.name().into(), manifest.day);
    safe.key(day).await?.ok_or(Error::Dark { place, day })
}

async fn fetch(store: &Store, key: &Key, manifest: &Manifest) -> Result<Vec<File>, Error> {
    let mut files = Vec::new();
    for Object { file, name, bytes, sha256 } in &manifest.files {
        let damaged = |what: &str| Error::Damaged {
            object: format!("{FOLDER}/{name}"),
            what: what.to_owned(),
        };
        let Some(file) = FILES.into_iter().find(|known| known == file) else {
            return Err(damaged("it is of no file of a vault"));
        };
        let sealed = store.range(&format!("{FOLDER}/{name}"), 0..*bytes).await?;
        if hex(&Sha256::digest(&sealed)) != *sha256 {
            return Err(damaged("its checksum is another one"));
        }
        let plain = key.open(file, &sealed);
        files.push((file, plain.ok_or_else(|| damaged("the key of its day does not open it"))?));
    }
    Ok(files)
}
