//! The vault over restarts, torn lines, erasures and a restore of what was before.

use std::{fs, path::Path};

use matchwire_domain::timestamp::Timestamp;

use crate::{Identity, LEDGER, PEOPLE, Purpose, Vault, next_player, nobody, public_id::is_public};

fn now() -> Timestamp {
    Timestamp::parse("2026-03-01T12:00:00Z").unwrap()
}

fn ids(vault: &Vault, accounts: &[&str]) -> Vec<String> {
    let ids = accounts.iter().map(|account| vault.id_for(account, now()).unwrap()).collect();
    vault.sync().unwrap();
    ids
}

fn event(id: &str) -> Identity {
    Identity::of("match/m/1", "s", id)
}

fn sealed(vault: &Vault, player: &str, id: &str, name: &str) -> String {
    let sealed = vault.seal(player, Purpose::Names, event(id), name, now()).unwrap().unwrap();
    vault.sync().unwrap();
    sealed
}

/// All bytes of a folder, one file after the other.
fn bytes(folder: &Path) -> Vec<u8> {
    let files = fs::read_dir(folder).unwrap();
    files.flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

fn has(folder: &Path, text: &str) -> bool {
    bytes(folder).windows(text.len()).any(|window| window == text.as_bytes())
}

/// The keys of a player, as they stand in the file.
fn keys(folder: &Path, player: &str) -> Vec<String> {
    let text = fs::read_to_string(folder.join(PEOPLE)).unwrap();
    let lines =
        text.lines().map(|line| serde_json::from_str::<Vec<serde_json::Value>>(line).unwrap());
    let own = lines.filter(|line| line[0] == "key" && line[1] == player);
    own.map(|line| line[3].as_str().unwrap().to_owned()).collect()
}

#[test]
fn ids_stay_over_a_restart_and_a_torn_line() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    assert_eq!(ids(&vault, &["steam:1", "bot:a\n\"b", "steam:1"]), ["p1", "p2", "p1"]);
    let public = vault.public_id("p1", now()).unwrap().unwrap();
    drop(vault);
    let path = folder.path().join(PEOPLE);
    let mut torn = fs::read(&path).unwrap();
    torn.extend_from_slice(b"[\"player\",\"p3\",\"ste");
    fs::write(&path, torn).unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    assert_eq!(ids(&vault, &["steam:3", "steam:1"]), ["p3", "p1"]);
    assert_eq!(vault.account_of("p2").as_deref(), Some("bot:a\n\"b"));
    assert_eq!(vault.account_of("p9"), None);
    assert_eq!(vault.public_id("p1", now()).unwrap().unwrap(), public);
}

#[test]
fn an_account_is_looked_up_once_its_id_is_on_disk_and_gets_none_by_that() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    assert_eq!(vault.player_of("steam:1"), None);
    assert_eq!(vault.id_for("steam:2", now()).unwrap(), "p1");
    assert_eq!(vault.player_of("steam:2"), None);
    vault.sync().unwrap();
    assert_eq!(vault.player_of("steam:2").as_deref(), Some("p1"));
    drop(vault);
    let vault = Vault::open(folder.path()).unwrap();
    assert_eq!(vault.player_of("steam:2").as_deref(), Some("p1"));
    assert_eq!(vault.player_of("steam:1"), None);
}

#[test]
fn public_ids_have_their_form_are_found_and_are_nobody_elses() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    ids(&vault, &["steam:1", "steam:2"]);
    let public: Vec<String> =
        ["p1", "p2", "own-id"].map(|id| vault.public_id(id, now()).unwrap().unwrap()).into();
    for id in &public {
        assert!(id.starts_with("MW-26-") && is_public(id), "{id}");
    }
    assert_eq!(vault.player_of_public(&public[2]).as_deref(), Some("own-id"));
    assert!(public[0] != public[1] && public[1] != public[2]);
    for no in ["p1", "MW-26-", "MW-26-00004", "MW-2026-000042", "MW-26-00004x", "mw-26-000042"] {
        assert!(!is_public(no), "{no}");
    }
}

#[test]
fn public_ids_of_many_are_those_of_each_and_the_forgotten_have_none() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    ids(&vault, &["steam:1", "steam:2"]);
    vault.erase("p2", now()).unwrap();
    let many = vault.public_ids(&["own-id", "p2", "p1"], now()).unwrap();
    assert_eq!(many[1], None);
    drop(vault);
    let vault = Vault::open(folder.path()).unwrap();
    let each = ["own-id", "p2", "p1"].map(|id| vault.public_id(id, now()).unwrap());
    assert_eq!(many, each);
}

#[test]
fn what_is_sealed_is_bound_to_the_player_the_purpose_and_the_event() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    let first = sealed(&vault, "p1", "e1", "Zoë");
    assert_eq!(sealed(&vault, "p1", "e1", "Zoë"), first, "the same event has the same bytes");
    assert_ne!(sealed(&vault, "p1", "e2", "Zoë"), first);
    assert_ne!(sealed(&vault, "p2", "e1", "Zoë"), first);
    let open = |player, purpose| vault.unseal(player, purpose, &first);
    assert_eq!(open("p1", Purpose::Names).as_deref(), Some("Zoë"));
    assert_eq!(open("p2", Purpose::Names), None);
    assert_eq!(open("p1", Purpose::Texts), None);
    for changed in
        ["", "AAAA", "no base64!", &first[..first.len() - 2], &format!("A{}", &first[1..])]
    {
        assert_eq!(vault.unseal("p1", Purpose::Names, changed), None, "{changed}");
    }
    drop(vault);
    let vault = Vault::open(folder.path()).unwrap();
    assert_eq!(vault.unseal("p1", Purpose::Names, &first).as_deref(), Some("Zoë"));
}

#[test]
fn who_is_erased_is_found_nowhere_and_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    ids(&vault, &["steam:1111", "steam:2222"]);
    let (one, two) = (sealed(&vault, "p1", "e", "One"), sealed(&vault, "p2", "e", "Two"));
    let letter = vault.letters().seal("n", b"steam:1111").unwrap();
    let public = vault.public_id("p1", now()).unwrap().unwrap();
    let own_keys = keys(folder.path(), "p1");
    assert!(has(folder.path(), "steam:1111") && own_keys.len() == 1);
    let receipt = vault.erase("p1", now()).unwrap();
    assert_eq!(vault.erase("p1", now()).unwrap(), receipt, "once and for all");
    assert!(vault.is_purge_due());
    vault.purged().unwrap();
    assert!(!vault.is_purge_due());
    let check = |vault: &Vault| {
        assert!(!has(folder.path(), "steam:1111") && !has(folder.path(), &own_keys[0]));
        assert_eq!(vault.unseal("p1", Purpose::Names, &one), None);
        assert_eq!(vault.seal("p1", Purpose::Names, event("f"), "One", now()).unwrap(), None);
        assert_eq!(vault.unseal("p2", Purpose::Names, &two).as_deref(), Some("Two"));
        assert_eq!((vault.account_of("p1"), vault.player_of("steam:1111")), (None, None));
        assert_eq!(vault.public_id("p1", now()).unwrap(), None);
        assert_eq!(vault.player_of_public(&public), None);
        assert_eq!(vault.letters().unseal("n", &letter).unwrap(), None);
        assert_eq!(vault.erasure_of("p1").unwrap().receipt, receipt.receipt);
    };
    check(&vault);
    drop(vault);
    let vault = Vault::open(folder.path()).unwrap();
    check(&vault);
    // The account is somebody new, and no id is given twice.
    assert_eq!(ids(&vault, &["steam:1111", "steam:2222"]), ["p3", "p2"]);
}

#[test]
fn a_vault_of_before_forgets_again_whoever_is_in_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    ids(&vault, &["steam:1111", "steam:2222"]);
    let one = sealed(&vault, "p1", "e", "One");
    let before = fs::read(folder.path().join(PEOPLE)).unwrap();
    vault.erase("p1", now()).unwrap();
    vault.purged().unwrap();
    drop(vault);
    // As after a restore, or a crash behind the ledger.
    fs::write(folder.path().join(PEOPLE), before).unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    assert_eq!((vault.erased_again(), vault.is_purge_due()), (1, true));
    assert!(!has(folder.path(), "steam:1111"));
    assert_eq!(vault.unseal("p1", Purpose::Names, &one), None);
    assert_eq!(vault.player_of("steam:2222").as_deref(), Some("p2"));
}

#[test]
fn a_vault_of_before_gives_nobody_an_id_that_is_in_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    ids(&vault, &["steam:1"]);
    let before = fs::read(folder.path().join(PEOPLE)).unwrap();
    ids(&vault, &["steam:2", "steam:3"]);
    vault.erase("p3", now()).unwrap();
    drop(vault);
    fs::write(folder.path().join(PEOPLE), before).unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    assert_eq!((vault.erased_again(), ids(&vault, &["steam:4"])), (0, vec!["p4".to_owned()]));
    drop(vault);
    let vault = Vault::open(folder.path()).unwrap();
    assert_eq!(vault.account_of("p4").as_deref(), Some("steam:4"));
}

#[test]
fn the_next_number_is_read_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    let next = || next_player(&fs::read(folder.path().join(PEOPLE)).unwrap());
    assert_eq!(next(), Ok(1));
    ids(&vault, &["steam:1", "steam:2"]);
    sealed(&vault, "own-id", "e", "One");
    assert_eq!(next(), Ok(3));
    vault.erase("p2", now()).unwrap();
    assert_eq!(next(), Ok(3));
    assert_eq!((next_player(&nobody(7)), next_player(b"[\"spent\",1,[]]\n{}\n")), (Ok(7), Err(15)));
    fs::write(folder.path().join(PEOPLE), nobody(7)).unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    assert_eq!(ids(&vault, &["steam:1"]), ["p7"]);
}

#[test]
fn damage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for (file, what) in [(PEOPLE, "byte 0"), (LEDGER, "line 1")] {
        fs::write(folder.path().join(file), "[\"p1\"]\n").unwrap();
        let error = Vault::open(folder.path()).err().unwrap().to_string();
        assert!(error.contains(file) && error.contains(what), "{error}");
        fs::remove_file(folder.path().join(file)).unwrap();
    }
}

#[test]
fn whom_an_event_names_by_an_id_alone_shares_it_with_no_account() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    for id in ["p2", "p18446744073709551615", "p007", "p", "mine"] {
        vault.note_named(id, now()).unwrap();
    }
    sealed(&vault, "p18446744073709551614", "e", "One");
    assert_eq!(ids(&vault, &["steam:1", "steam:2", "steam:3"]), ["p1", "p3", "p4"]);
    vault.note_named("p5", now()).unwrap();
    vault.sync().unwrap();
    drop(vault);
    let vault = Vault::open(folder.path()).unwrap();
    assert_eq!(ids(&vault, &["steam:3", "steam:4", "steam:5"]), ["p4", "p6", "p7"]);
    let known = ["p5", "p8", "mine", "p18446744073709551615"].map(|id| vault.knows(id));
    assert_eq!(known, [true, false, false, true]);
    vault.erase("p5", now()).unwrap();
    vault.note_named("p5", now()).unwrap();
    assert!(vault.knows("p5"));
    // Where nobody will be known, those come behind all of them, but not behind what somebody made up.
    let next = next_player(&fs::read(folder.path().join(PEOPLE)).unwrap());
    assert_eq!(next, Ok(8));
}
