//! What a crash leaves at any moment: the files as they are then, copied while the store goes on.

use std::{fs, path::Path};

use matchwire_log::view_store::{Error, Start, ViewStore as _};
use tempfile::TempDir;

use super::{SCHEMA, a_file, content, files, place, put};
use crate::SqliteViews;

/// The files without what is shared in memory, which does not outlive a crash of the machine.
fn crash(directory: &Path) -> (TempDir, SqliteViews) {
    let (after, store) = place();
    for entry in fs::read_dir(directory).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if !path.to_str().unwrap().ends_with("-shm") {
            fs::copy(path, after.path().join(name)).unwrap();
        }
    }
    (after, store)
}

#[test]
fn a_commit_survives_and_what_is_not_committed_does_not() {
    let (directory, store) = place();
    a_file(directory.path(), &store);
    let view = store.open(&SCHEMA).unwrap().unwrap();
    put(&*view, Some("1"), "2", 0..2_000);
    let mut transaction = view.begin(Some("2")).unwrap();
    for n in 2_000..50_000_u32 {
        // More than the cache takes, so that some of it is in the files.
        transaction.put(super::A, &n.to_be_bytes(), &[1; 500]).unwrap();
    }
    assert!(view.size().unwrap().bytes > 10_000_000, "it is in the files");
    let (_after, crashed) = crash(directory.path());
    let after = crashed.open(&SCHEMA).unwrap().unwrap();
    assert_eq!(content(&*after), (Some("2".into()), 2_000));
    put(&*after, Some("2"), "3", 0..3_000);
    drop(transaction);
    assert_eq!(content(&*view), (Some("2".into()), 2_000));
}

#[test]
fn a_crash_while_a_view_is_built_leaves_the_old_one_serving() {
    let (directory, store) = place();
    a_file(directory.path(), &store);
    let view = store.open(&SCHEMA).unwrap().unwrap();
    let build = store.build(&SCHEMA, Start::Anew).unwrap();
    put(&*build, None, "1", 0..10);
    put(&*view, Some("1"), "2", 0..2_000);
    let (_after, crashed) = crash(directory.path());
    assert_eq!(content(&*crashed.open(&SCHEMA).unwrap().unwrap()), (Some("2".into()), 2_000));
    let resumed = crashed.build(&SCHEMA, Start::Resumed).unwrap();
    put(&*resumed, Some("1"), "5", 0..20);
    assert_eq!(content(&*resumed.finish().unwrap()), (Some("5".into()), 20));
    assert_eq!(content(&*crashed.open(&SCHEMA).unwrap().unwrap()), (Some("5".into()), 20));
    assert_eq!(content(&*view), (Some("2".into()), 2_000));
}

#[test]
fn a_crash_between_two_files_that_serve_leaves_the_later_one() {
    let (directory, store) = place();
    let old = a_file(directory.path(), &store);
    let bytes = fs::read(&old).unwrap();
    let build = store.build(&SCHEMA, Start::Anew).unwrap();
    put(&*build, None, "9", 0..10);
    drop(build.finish().unwrap());
    // As if it had crashed before the old one was removed.
    fs::write(&old, bytes).unwrap();
    assert_eq!(content(&*store.open(&SCHEMA).unwrap().unwrap()), (Some("9".into()), 10));
    assert!(!old.exists());
}

#[test]
fn a_build_is_not_finished_while_somebody_reads_it() {
    let (directory, store) = place();
    let build = store.build(&SCHEMA, Start::Resumed).unwrap();
    put(&*build, None, "1", 0..10);
    let snapshot = build.snapshot().unwrap();
    assert!(matches!(build.finish(), Err(Error::Busy { .. })));
    assert!(store.open(&SCHEMA).unwrap().is_none());
    drop(snapshot);
    let build = store.build(&SCHEMA, Start::Resumed).unwrap();
    assert_eq!(content(&*build.finish().unwrap()), (Some("1".into()), 10));
    assert_eq!(files(directory.path(), ".building"), Vec::<std::path::PathBuf>::new());
}
