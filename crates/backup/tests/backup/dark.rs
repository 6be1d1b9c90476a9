//! Keys of the days: made, destroyed after thirty, and what is left without one.

use std::fs;

use matchwire_backup::{Error, Safe, Wanted};
use matchwire_vault::PEOPLE;

use crate::{
    harness::{Data, Place, at, options, restore},
    vault::{copy_of, erase, meet, store, vault, with_log},
};

fn keys(place: &Place) -> Vec<String> {
    let files = fs::read_dir(place.safe.path().join("keys")).unwrap();
    let mut names: Vec<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_copy_goes_dark_when_its_day_is_thirty_days_ago() {
    let (data, place) = (with_log().await, Place::new());
    meet(&vault(&data), &["steam:1111"]);
    let mut backup = place.backup(data.path()).await;
    backup.round(&mut |_| ()).await.unwrap();
    let copied = copy_of(&place);
    let from_copy = async || {
        let target = Data::new();
        let restored =
            restore(&store(&copied), &place.safe(), target.path(), Wanted::default()).await;
        restored.map(|restored| restored.people.key_day.unwrap().to_string())
    };
    // The next day has a key of its own, though nothing has changed.
    place.clock.set(at("2026-11-27T00:00:00Z").ms());
    let done = backup.round(&mut |_| ()).await.unwrap();
    assert_eq!(done.key_day.unwrap().to_string(), "2026-11-27");
    assert_eq!(keys(&place), ["2026-11-26.key", "2026-11-27.key"]);
    place.clock.set(at("2026-12-25T23:59:59Z").ms());
    // What a crash has left of a key is one, too.
    fs::write(place.safe.path().join("keys/2026-11-26.key.new"), "x").unwrap();
    backup.round(&mut |_| ()).await.unwrap();
    assert_eq!(from_copy().await.unwrap(), "2026-11-26");

    place.clock.set(at("2026-12-26T00:00:00Z").ms());
    // A restore does not take a key that ought to be gone, whether or not it is.
    assert!(matches!(from_copy().await, Err(Error::Dark { .. })));
    assert_eq!(keys(&place).len(), 4);
    backup.round(&mut |_| ()).await.unwrap();
    assert_eq!(keys(&place), ["2026-11-27.key", "2026-12-25.key", "2026-12-26.key"]);
    let said = from_copy().await.unwrap_err().to_string();
    assert!(said.contains("2026-11-26") && said.contains("--without-vault"), "{said}");
    let restored = place.restore(Data::new().path()).await.unwrap();
    assert_eq!(restored.people.key_day.unwrap().to_string(), "2026-12-26");

    // Opening it looks, too; and so does a round without a vault.
    drop(backup);
    place.clock.set(at("2027-03-01T00:00:00Z").ms());
    fs::remove_dir_all(data.path().join("vault")).unwrap();
    let mut backup = place.backup(data.path()).await;
    assert_eq!(keys(&place), [""; 0]);
    backup.round(&mut |_| ()).await.unwrap();
    assert_eq!(keys(&place), [""; 0]);
}

#[tokio::test]
async fn a_copy_without_its_safe_tells_of_nobody() {
    let (data, place) = (with_log().await, Place::new());
    meet(&vault(&data), &["steam:1111"]);
    place.backup(data.path()).await.round(&mut |_| ()).await.unwrap();
    let (copied, empty) = (copy_of(&place), Place::new());
    let missing = Safe::open(&format!("{}/none", empty.name())).unwrap();
    for safe in [empty.safe(), missing] {
        let target = Data::new();
        let restored = restore(&store(&copied), &safe, target.path(), Wanted::default()).await;
        let said = restored.unwrap_err();
        assert!(matches!(said, Error::NoSafe(_)) && said.to_string().contains("--safe"), "{said}");
        assert_eq!(fs::read_dir(target.path()).unwrap().count(), 0, "it is told before all else");
        // The log alone, without the ledger.
        let wanted = Wanted { without_vault: true, ..Wanted::default() };
        let restored = restore(&store(&copied), &safe, target.path(), wanted).await.unwrap();
        assert_eq!((restored.people.key_day, restored.people.erasures), (None, None));
        assert_eq!(meet(&vault(&target), &["steam:1111"]), ["p2"]);
    }
}

#[tokio::test]
async fn without_its_vault_a_log_gives_no_id_twice_and_knows_who_was_erased() {
    let (data, place, target) = (with_log().await, Place::new(), Data::new());
    let open = vault(&data);
    meet(&open, &["steam:1111", "steam:2222", "steam:3333"]);
    erase(&open, "p2");
    place.backup(data.path()).await.round(&mut |_| ()).await.unwrap();
    let copied = copy_of(&place);
    meet(&open, &["steam:4444", "steam:5555"]);
    erase(&open, "p5");
    place.backup(data.path()).await.round(&mut |_| ()).await.unwrap();
    fs::remove_dir_all(place.safe.path().join("keys")).unwrap();
    let restored = place.restore(target.path()).await;
    assert!(matches!(restored, Err(Error::Dark { .. })), "{restored:?}");
    let restored = place.restore_log(target.path()).await.unwrap();
    assert_eq!((restored.people.erasures, restored.people.erased_again), (Some(2), 0));
    let people = fs::read_to_string(target.path().join("vault").join(PEOPLE)).unwrap();
    assert_eq!(people, "[\"spent\",6,[]]\n");
    let back = vault(&target);
    assert!(back.erasure_of("p2").is_some() && back.erasure_of("p5").is_some());
    assert_eq!(meet(&back, &["steam:1111"]), ["p6"]);
    assert_eq!(target.open(options()).all(), data.open(options()).all());

    // The copy is of before p4 and p5, but p5 was erased, and is nobody else's.
    let older = Data::new();
    let wanted = Wanted { without_vault: true, ..Wanted::default() };
    restore(&store(&copied), &place.safe(), older.path(), wanted).await.unwrap();
    assert_eq!(meet(&vault(&older), &["steam:1111"]), ["p6"]);

    // The back-up goes on with it, under a new key.
    let done = place.backup(target.path()).await.round(&mut |_| ()).await.unwrap();
    assert_eq!((done.erasures, done.key_day.is_some()), (2, true));
    let again = Data::new();
    place.restore(again.path()).await.unwrap();
    assert_eq!(vault(&again).player_of("steam:1111").as_deref(), Some("p6"));
}
