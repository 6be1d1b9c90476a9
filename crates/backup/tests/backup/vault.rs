//! The vault in a back-up: sealed there, back after a restore, and never back for whoever was erased since.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use matchwire_backup::{Error, Safe, Store, Wanted};
use matchwire_vault::{Identity, LEDGER, LETTER_KEY, PEOPLE, Purpose, READER_KEY, Vault};
use tempfile::TempDir;

use crate::harness::{Data, Place, at, copy, options, restore};

/// A data directory with a log of one event.
pub(crate) async fn with_log() -> Data {
    let data = Data::new();
    data.open(options()).append(1, 1_000).await;
    data
}

pub(crate) fn vault(data: &Data) -> Vault {
    Vault::open(&data.path().join("vault")).unwrap()
}

/// Gives ids to accounts.
pub(crate) fn meet(vault: &Vault, accounts: &[&str]) -> Vec<String> {
    let now = at("2026-11-26T12:00:00Z");
    let ids = accounts.iter().map(|account| vault.id_for(account, now).unwrap()).collect();
    vault.sync().unwrap();
    ids
}

fn name(vault: &Vault, player: &str, name: &str) -> String {
    let now = at("2026-11-26T12:00:00Z");
    let event = Identity::of("match/m/1", "s", "e");
    let sealed = vault.seal(player, Purpose::Names, event, name, now).unwrap().unwrap();
    vault.sync().unwrap();
    sealed
}

pub(crate) fn erase(vault: &Vault, player: &str) {
    vault.erase(player, at("2026-11-26T13:00:00Z")).unwrap();
}

/// Whether any file of a folder has a text.
fn has(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return has(&path, text);
        }
        let bytes = fs::read(path).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

/// All keys that stand in a vault's files.
fn secrets(data: &Data) -> Vec<String> {
    let folder = data.path().join("vault");
    let read = |name| fs::read_to_string(folder.join(name)).unwrap_or_default();
    let people = read(PEOPLE);
    let lines = people.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let keys = lines.filter(|line| line[0] == "key");
    let keys = keys.map(|line| line[3].as_str().unwrap().to_owned());
    let files = [LETTER_KEY, READER_KEY].map(read).map(|key| key.trim_end().to_owned());
    keys.chain(files).filter(|key| !key.is_empty()).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub(crate) fn copy_of(place: &Place) -> TempDir {
    let copied = tempfile::tempdir().unwrap();
    copy(place.folder.path(), copied.path());
    copied
}

pub(crate) fn store(folder: &TempDir) -> Store {
    Store::open(folder.path().to_str().unwrap()).unwrap()
}

async fn round(place: &Place, data: &Data) -> matchwire_backup::Round {
    place.backup(data.path()).await.round(&mut |_| ()).await.unwrap()
}

#[tokio::test]
async fn it_comes_back_and_lies_sealed_until_then() {
    let (data, place, target) = (with_log().await, Place::new(), Data::new());
    let open = vault(&data);
    meet(&open, &["steam:1111", "steam:2222"]);
    let sealed = name(&open, "p1", "One");
    let letter = open.letters().seal("n", b"letter").unwrap();
    open.readers().name(&[b"x"]).unwrap();
    let people = data.path().join("vault").join(PEOPLE);
    let before = fs::read(&people).unwrap();
    fs::write(&people, [before.as_slice(), b"[\"player\",\"p3\","].concat()).unwrap();
    let done = round(&place, &data).await;
    assert_eq!(done.key_day.unwrap().to_string(), "2026-11-26");
    assert_eq!(done.erasures, 0);
    for text in secrets_of(&data, &before).iter().map(String::as_str).chain(["steam:", "p1"]) {
        assert!(!has(place.folder.path(), text), "{text}");
        assert!(!has(place.safe.path(), text), "{text}");
    }
    let stored = names(&place.folder.path().join("vault"));
    assert_eq!(stored.len(), 4, "{stored:?}");
    let key = place.safe.path().join("keys/2026-11-26.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    // Nothing has changed, so nothing is stored again.
    round(&place, &data).await;
    assert_eq!(names(&place.folder.path().join("vault")), stored);

    let restored = place.restore(target.path()).await.unwrap();
    assert_eq!(restored.people.key_day, done.key_day);
    assert_eq!((restored.people.erasures, restored.people.erased_again), (Some(0), 0));
    for file in [PEOPLE, LETTER_KEY, READER_KEY, LEDGER] {
        let path = target.path().join("vault").join(file);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    assert_eq!(fs::read(target.path().join("vault").join(PEOPLE)).unwrap(), before);
    let back = vault(&target);
    assert_eq!(back.unseal("p1", Purpose::Names, &sealed).as_deref(), Some("One"));
    assert_eq!(back.letters().unseal("n", &letter).unwrap().unwrap(), b"letter");
    assert_eq!(meet(&back, &["steam:2222", "steam:3333"]), ["p2", "p3"]);
}

/// The keys of a vault of which the last line is not whole.
fn secrets_of(data: &Data, people: &[u8]) -> Vec<String> {
    let whole = Data::new();
    copy(&data.path().join("vault"), &whole.path().join("vault"));
    fs::write(whole.path().join("vault").join(PEOPLE), people).unwrap();
    let secrets = secrets(&whole);
    assert_eq!(secrets.len(), 3);
    secrets
}

#[tokio::test]
async fn a_key_that_is_destroyed_leaves_the_back_up() {
    let (data, place) = (with_log().await, Place::new());
    let open = vault(&data);
    let mut backup = place.backup(data.path()).await;
    assert_eq!(backup.round(&mut |_| ()).await.unwrap().key_day.unwrap().to_string(), "2026-11-26");
    let folder = place.folder.path().join("vault");
    for _ in 0..2 {
        open.letters().name(&[b"x"]).unwrap();
        let key = fs::read(data.path().join("vault").join(LETTER_KEY)).unwrap();
        backup.round(&mut |_| ()).await.unwrap();
        assert_eq!(names(&folder).len(), 3);
        let target = Data::new();
        place.restore(target.path()).await.unwrap();
        assert_eq!(fs::read(target.path().join("vault").join(LETTER_KEY)).unwrap(), key);
        open.letters().destroy().unwrap();
        backup.round(&mut |_| ()).await.unwrap();
        assert_eq!(names(&folder).len(), 2);
    }
    let target = Data::new();
    place.restore(target.path()).await.unwrap();
    assert!(!target.path().join("vault").join(LETTER_KEY).exists());
}

#[tokio::test]
async fn who_was_erased_since_does_not_come_back() {
    let (data, place, target) = (with_log().await, Place::new(), Data::new());
    let open = vault(&data);
    meet(&open, &["steam:1111", "steam:2222"]);
    let sealed = [name(&open, "p1", "One"), name(&open, "p2", "Two")];
    open.letters().seal("n", b"steam:1111").unwrap();
    open.readers().name(&[b"x"]).unwrap();
    let before = secrets(&data);
    round(&place, &data).await;
    let copied = copy_of(&place);
    erase(&open, "p1");
    // The keys of the letters and the readers are not of one person; those of the others stay.
    let after = secrets(&data);
    let gone: Vec<&String> = before.iter().filter(|key| !after.contains(key)).collect();
    assert_eq!((before.len(), gone.len()), (4, 3));
    assert_eq!(round(&place, &data).await.erasures, 1);

    let restored =
        restore(&store(&copied), &place.safe(), target.path(), Wanted::default()).await.unwrap();
    assert_eq!(restored.verified.damage, []);
    assert_eq!((restored.people.erasures, restored.people.erased_again), (Some(1), 1));
    for folder in
        [data.path(), place.folder.path(), place.safe.path(), copied.path(), target.path()]
    {
        for text in gone.iter().map(|key| key.as_str()).chain(["steam:1111"]) {
            assert!(!has(folder, text), "{text} in {}", folder.display());
        }
    }
    assert!(has(target.path(), "steam:2222"), "the search finds what is there");
    let back = vault(&target);
    assert_eq!(back.unseal("p1", Purpose::Names, &sealed[0]), None);
    assert_eq!(back.unseal("p2", Purpose::Names, &sealed[1]).as_deref(), Some("Two"));
    assert_eq!(back.erasure_of("p1"), open.erasure_of("p1"));
    assert_eq!(meet(&back, &["steam:1111"]), ["p3"]);
}

/// Their texts may be in a dead letter though the vault did not know them when it was copied.
#[tokio::test]
async fn keys_of_anybodys_texts_do_not_come_back_behind_an_erasure() {
    let (data, place, target) = (with_log().await, Place::new(), Data::new());
    let open = vault(&data);
    let letter = open.letters().seal("n", b"steam:1111").unwrap();
    round(&place, &data).await;
    let copied = copy_of(&place);
    meet(&open, &["steam:1111"]);
    erase(&open, "p1");
    round(&place, &data).await;
    let restored =
        restore(&store(&copied), &place.safe(), target.path(), Wanted::default()).await.unwrap();
    assert_eq!((restored.people.erasures, restored.people.erased_again), (Some(1), 0));
    let back = vault(&target);
    assert_eq!(back.letters().unseal("n", &letter).unwrap(), None);
    assert_eq!(meet(&back, &["steam:2222"]), ["p2"]);
}

#[tokio::test]
async fn the_ledger_is_never_set_back() {
    let (data, place, older, target) = (with_log().await, Place::new(), Data::new(), Data::new());
    let open = vault(&data);
    meet(&open, &["steam:1111", "steam:2222"]);
    copy(data.path(), older.path());
    erase(&open, "p1");
    round(&place, &data).await;
    let ledger = fs::read(place.safe.path().join(LEDGER)).unwrap();
    assert!(!ledger.is_empty());
    // A data directory that was copied by hand, and knows of no erasure; then it erases by itself.
    assert_eq!(round(&place, &older).await.erasures, 1);
    assert_eq!(fs::read(place.safe.path().join(LEDGER)).unwrap(), ledger);
    erase(&vault(&older), "p2");
    assert_eq!(round(&place, &older).await.erasures, 2);
    let longer = fs::read(place.safe.path().join(LEDGER)).unwrap();
    assert!(longer.len() > ledger.len() && longer.starts_with(&ledger));
    let restored = place.restore(target.path()).await.unwrap();
    assert_eq!((restored.people.erasures, restored.people.erased_again), (Some(2), 1));
    assert!(!has(target.path(), "steam:1111"));
    assert_eq!(fs::read(target.path().join("vault").join(LEDGER)).unwrap(), longer);
}

#[tokio::test]
async fn safes_that_are_refused() {
    let (data, place) = (with_log().await, Place::new());
    meet(&vault(&data), &["steam:1111"]);
    let inside = place.folder.path().join("safe");
    let inside = Safe::create(inside.to_str().unwrap()).unwrap();
    let opened = matchwire_backup::Backup::open(data.path(), place.store(), inside).await;
    assert!(matches!(opened.err(), Some(Error::Safe { .. })));
    round(&place, &data).await;
    // That of another log.
    let other = Place { safe: place.safe, ..Place::new() };
    let opened = other.try_backup(with_log().await.path()).await.err().unwrap().to_string();
    assert!(opened.contains("is of log"), "{opened}");
    // A ledger that is damaged stays as it is.
    let place = Place { folder: place.folder, clock: place.clock, safe: other.safe };
    fs::write(place.safe.path().join(LEDGER), "{}\n").unwrap();
    let opened = place.try_backup(data.path()).await.err().unwrap().to_string();
    assert!(opened.contains("line 1 is no erasure"), "{opened}");
    let restored = place.restore(Data::new().path()).await.unwrap_err().to_string();
    assert!(restored.contains("line 1 is no erasure"), "{restored}");
    assert_eq!(fs::read(place.safe.path().join(LEDGER)).unwrap(), b"{}\n");
}

#[tokio::test]
async fn what_was_changed_is_told() {
    let (data, place) = (with_log().await, Place::new());
    meet(&vault(&data), &["steam:1111"]);
    round(&place, &data).await;
    let folder = place.folder.path().join("vault");
    let object = names(&folder).into_iter().find(|name| name.starts_with(PEOPLE)).unwrap();
    let mut bytes = fs::read(folder.join(&object)).unwrap();
    bytes[20] ^= 1;
    fs::write(folder.join(&object), bytes).unwrap();
    let restored = place.restore(Data::new().path()).await;
    assert!(
        matches!(&restored, Err(Error::Damaged { object: found, .. }) if found.ends_with(&object))
    );
    fs::write(folder.join("backup.json"), r#"{"format":2}"#).unwrap();
    let restored = place.restore(Data::new().path()).await.unwrap_err().to_string();
    assert!(restored.contains("back up to a new place"), "{restored}");
}
