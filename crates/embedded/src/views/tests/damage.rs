//! What is damaged is said with its file, and is built anew.

use std::{fs, path::Path};

use matchwire_log::view_store::{Error, Keys, Order, Schema, Start, ViewStore as _};

use super::{A, SCHEMA, a_file, content, files, place, put};
use crate::SqliteViews;

/// That opening or reading it says so and names the file, that it is listed, and that it is built anew.
fn is_found_and_built_anew(directory: &Path, store: &SqliteViews, file: &Path) {
    let found = store.open(&SCHEMA).and_then(|view| {
        let view = view.unwrap();
        let snapshot = view.snapshot()?;
        let rows = snapshot.range(A, &Keys::all(), Order::Ascending, usize::MAX);
        assert!(matches!(rows, Err(Error::Damaged { .. })), "a damaged file was read");
        let told = view.begin(Some("1")).err().expect("its writer hears of it");
        assert_eq!(Err(told), rows);
        rows
    });
    let Err(Error::Damaged { place, what }) = found else { panic!("{found:?}") };
    assert_eq!(Path::new(&place), file);
    println!("{what}");
    let build = store.build(&SCHEMA, Start::Resumed).unwrap();
    put(&*build, None, "2", 0..10);
    assert_eq!(content(&*build.finish().unwrap()), (Some("2".into()), 10));
    assert_eq!(content(&*store.open(&SCHEMA).unwrap().unwrap()), (Some("2".into()), 10));
    let left = files(directory, ".sqlite");
    assert!(left.len() == 1 && !left.contains(&file.to_owned()), "{left:?}");
}

#[test]
fn damage_is_found_and_the_view_is_built_anew() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 8] = [
        ("empty", |bytes| bytes.clear()),
        ("cut in the header", |bytes| bytes.truncate(50)),
        ("cut to a page", |bytes| bytes.truncate(4_096)),
        ("cut by a page", |bytes| bytes.truncate(bytes.len() - 4_096)),
        ("a text", |bytes| *bytes = b"not a database at all\n".repeat(500)),
        ("zeros in the header", |bytes| bytes[..100].fill(0)),
        ("zeros behind the header", |bytes| bytes[4_096..].fill(0)),
        ("one bit of a value", |bytes| {
            let at = bytes.windows(12).position(|window| window == b"row 500 of 1").unwrap();
            bytes[at + 5] ^= 1;
        }),
    ];
    for (name, damage) in damages {
        println!("{name}");
        let (directory, store) = place();
        let file = a_file(directory.path(), &store);
        let mut bytes = fs::read(&file).unwrap();
        damage(&mut bytes);
        fs::write(&file, bytes).unwrap();
        is_found_and_built_anew(directory.path(), &store, &file);
    }
}

#[test]
fn a_foreign_file_is_found_and_listed() {
    let (directory, store) = place();
    let file = a_file(directory.path(), &store);
    fs::remove_file(&file).unwrap();
    let foreign = rusqlite::Connection::open(&file).unwrap();
    foreign.execute_batch("CREATE TABLE view (name, version, position, rows)").unwrap();
    drop(foreign);
    let failure = store.list().unwrap().remove(0).failure.unwrap();
    assert!(failure.contains(file.to_str().unwrap()) && failure.contains("no view"), "{failure}");
    is_found_and_built_anew(directory.path(), &store, &file);
}

#[test]
fn a_view_under_another_name_is_not_believed() {
    let (directory, store) = place();
    let file = a_file(directory.path(), &store);
    let other = Schema::new("others", 1, &[A]);
    fs::rename(&file, directory.path().join("others-1.5.sqlite")).unwrap();
    let found = store.open(&other);
    assert!(matches!(found, Err(Error::Damaged { what, .. }) if what.contains("tallies 1")));
}

#[test]
fn an_unfinished_view_that_is_damaged_is_begun_anew() {
    let (directory, store) = place();
    put(&*store.build(&SCHEMA, Start::Resumed).unwrap(), None, "1", 0..1_000);
    let file = files(directory.path(), ".building").remove(0);
    fs::write(&file, "cut").unwrap();
    let build = store.build(&SCHEMA, Start::Resumed).unwrap();
    assert_eq!(content(&*build), (None, 0));
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "").unwrap();
    let Err(Error::Failed { place, .. }) = SqliteViews::open(&path) else { panic!("it is a file") };
    assert_eq!(Path::new(&place), path);
}
