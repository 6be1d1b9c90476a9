//! Views are built, take each other's place, and are removed.

use super::{A, B, Open, SCHEMA, content, owned, put, served};
use crate::view_store::{Error, Schema, Size, Start, Stored, ViewStore};

/// Another version, with other tables.
const LATER: Schema = Schema::new("tallies", 2, &[A]);

/// A new place has no view, and what is not there can neither be opened nor removed.
pub fn starts_empty(open: &Open) {
    let store = open();
    assert_eq!(store.list().unwrap(), []);
    assert!(store.open(&SCHEMA).unwrap().is_none());
    assert!(!store.remove("tallies", 1).unwrap());
    let build = store.build(&SCHEMA, Start::Resumed).unwrap();
    assert_eq!(content(&*build), (None, vec![]));
    assert_eq!(build.size().unwrap().rows, 0);
}

/// What is listed, without bytes, which each engine counts in its own way.
fn listed(store: &dyn ViewStore) -> Vec<(u32, bool, Option<String>, u64)> {
    let stored = store.list().unwrap().into_iter();
    let known = |stored: Stored| {
        let Stored { name, version, is_building, position, size: Size { rows, .. }, failure } =
            stored;
        assert_eq!((name.as_str(), failure), ("tallies", None));
        (version, is_building, position, rows)
    };
    stored.map(known).collect()
}

/// A build can be written and read, and nobody else sees it before it is finished.
pub fn a_build_serves_when_it_is_finished(open: &Open) {
    let store = open();
    let build = store.build(&SCHEMA, Start::Resumed).unwrap();
    put(&*build, None, "1", &[("a", "1")]);
    assert_eq!(content(&*build), (Some("1".into()), owned(&[("a", "1")])));
    assert!(store.open(&SCHEMA).unwrap().is_none());
    assert!(open().open(&SCHEMA).unwrap().is_none());
    let view = build.finish().unwrap();
    assert_eq!(content(&*view), (Some("1".into()), owned(&[("a", "1")])));
    assert_eq!(listed(&*store), [(1, false, Some("1".into()), 1)]);
    put(&*view, Some("1"), "2", &[("b", "2")]);
    let other = open().open(&SCHEMA).unwrap().unwrap();
    assert_eq!(content(&*other), (Some("2".into()), owned(&[("a", "1"), ("b", "2")])));
}

/// A build that was left is gone on with, unless it is to begin anew or has other tables.
pub fn a_build_is_resumed_or_begun_anew(open: &Open) {
    put(&*open().build(&SCHEMA, Start::Resumed).unwrap(), None, "1", &[("a", "1")]);
    let store = open();
    assert_eq!(listed(&*store), [(1, true, Some("1".into()), 1)]);
    let resumed = store.build(&SCHEMA, Start::Resumed).unwrap();
    assert_eq!(content(&*resumed), (Some("1".into()), owned(&[("a", "1")])));
    put(&*resumed, Some("1"), "2", &[("b", "2")]);
    drop(resumed);
    let other = Schema::new("tallies", 1, &[A]);
    let anew = store.build(&other, Start::Resumed).unwrap();
    assert_eq!(content(&*anew), (None, vec![]), "tables that it does not have");
    put(&*anew, None, "5", &[("c", "5")]);
    drop(anew);
    let anew = store.build(&other, Start::Anew).unwrap();
    assert_eq!(content(&*anew), (None, vec![]));
    assert_eq!(listed(&*store), [(1, true, None, 0)]);
}

/// Two do not build the same at once; another version can be built.
pub fn one_builds_at_a_time(open: &Open) {
    let (store, other) = (open(), open());
    let build = store.build(&SCHEMA, Start::Resumed).unwrap();
    for start in [Start::Resumed, Start::Anew] {
        assert!(matches!(store.build(&SCHEMA, start), Err(Error::Busy { .. })));
        assert!(matches!(other.build(&SCHEMA, start), Err(Error::Busy { .. })));
    }
    assert!(matches!(other.remove("tallies", 1), Err(Error::Busy { .. })));
    drop(store.build(&LATER, Start::Resumed).unwrap());
    put(&*build, None, "1", &[]);
    drop(build);
    drop(other.build(&SCHEMA, Start::Resumed).unwrap());
    drop(store.build(&SCHEMA, Start::Resumed).unwrap().finish().unwrap());
    drop(store.build(&SCHEMA, Start::Resumed).unwrap());
}

/// An older version stays as it is while a newer one is built, and when that serves.
pub fn versions_stand_beside_each_other(open: &Open) {
    let store = open();
    put(&*served(&*store), Some("0"), "1", &[("a", "old")]);
    let build = store.build(&LATER, Start::Resumed).unwrap();
    put(&*build, None, "7", &[("a", "new")]);
    let old = || content(&*open().open(&SCHEMA).unwrap().unwrap());
    assert_eq!(old(), (Some("1".into()), owned(&[("a", "old")])));
    assert_eq!(listed(&*store), [(1, false, Some("1".into()), 1), (2, true, Some("7".into()), 1)]);
    let new = build.finish().unwrap();
    assert_eq!(content(&*new), (Some("7".into()), owned(&[("a", "new")])));
    put(&*open().open(&SCHEMA).unwrap().unwrap(), Some("1"), "2", &[("b", "old")]);
    assert_eq!(old(), (Some("2".into()), owned(&[("a", "old"), ("b", "old")])));
    assert_eq!(listed(&*store), [(1, false, Some("2".into()), 2), (2, false, Some("7".into()), 1)]);
    assert!(store.remove("tallies", 1).unwrap());
    assert_eq!(listed(&*store), [(2, false, Some("7".into()), 1)]);
}

/// A version that serves is built anew beside itself, and gives way when that is finished.
pub fn a_rebuild_takes_the_place(open: &Open) {
    let store = open();
    let old = served(&*store);
    put(&*old, Some("0"), "1", &[("a", "old")]);
    let build = store.build(&SCHEMA, Start::Anew).unwrap();
    put(&*build, None, "9", &[("a", "new")]);
    put(&*old, Some("1"), "2", &[("b", "old")]);
    let before = old.snapshot().unwrap();
    assert_eq!(content(&*open().open(&SCHEMA).unwrap().unwrap()).0, Some("2".into()));
    let new = build.finish().unwrap();
    let rebuilt = (Some("9".into()), owned(&[("a", "new")]));
    assert_eq!(content(&*new), rebuilt);
    assert_eq!(content(&*open().open(&SCHEMA).unwrap().unwrap()), rebuilt);
    assert_eq!(before.get(A, b"b").unwrap().as_deref(), Some(b"old".as_slice()));
    assert!(matches!(old.begin(Some("2")), Err(Error::Gone { .. })));
    assert_eq!(listed(&*store), [(1, false, Some("9".into()), 1)]);
    // What was written to the old one since does not reach the new one.
    drop(before);
    drop(old);
    assert_eq!(content(&*new), rebuilt);
    assert_eq!(new.snapshot().unwrap().get(B, b"a").unwrap(), None);
}

/// What is removed is gone, and whoever serves it hears of it.
pub fn what_is_removed_is_gone(open: &Open) {
    let (store, other) = (open(), open());
    let view = served(&*store);
    put(&*store.build(&SCHEMA, Start::Anew).unwrap(), None, "1", &[]);
    assert!(other.remove("tallies", 1).unwrap());
    assert_eq!(store.list().unwrap(), []);
    assert!(matches!(view.begin(Some("0")), Err(Error::Gone { .. })));
    assert!(store.open(&SCHEMA).unwrap().is_none());
    let anew = served(&*store);
    assert_eq!(content(&*anew), (Some("0".into()), vec![]));
    drop(view);
    put(&*anew, Some("0"), "1", &[("a", "1")]);
    assert_eq!(content(&*open().open(&SCHEMA).unwrap().unwrap()).0, Some("1".into()));
}
