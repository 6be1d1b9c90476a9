//! The store of views as a whole, on real files.

mod crash;
mod damage;
mod driven;
mod erased;

use std::path::{Path, PathBuf};

use matchwire_log::view_store::{
    Keys, Order, Schema, Start, StoredView, Table, ViewStore, conformance::Open,
};
use tempfile::TempDir;

use super::SqliteViews;

const A: Table = Table::new("a");
const SCHEMA: Schema = Schema::new("tallies", 1, &[A]);

fn fresh() -> Open {
    let directory = tempfile::tempdir().unwrap();
    Box::new(move || Box::new(SqliteViews::open(directory.path()).unwrap()))
}

matchwire_log::view_store_conformance_tests!(fresh);

fn place() -> (TempDir, SqliteViews) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteViews::open(directory.path()).unwrap();
    (directory, store)
}

/// Commits rows with numbers for keys.
fn put(view: &dyn StoredView, from: Option<&str>, to: &str, rows: std::ops::Range<u32>) {
    let mut transaction = view.begin(from).unwrap();
    for n in rows {
        transaction.put(A, &n.to_be_bytes(), format!("row {n} of {to}").as_bytes()).unwrap();
    }
    transaction.commit(to).unwrap();
}

/// The position and how many rows there are, all of which were read.
fn content(view: &dyn StoredView) -> (Option<String>, usize) {
    let snapshot = view.snapshot().unwrap();
    let rows = snapshot.range(A, &Keys::all(), Order::Ascending, usize::MAX).unwrap();
    (snapshot.position().unwrap(), rows.len())
}

/// A view with a thousand rows that nobody has open, and its file.
fn a_file(directory: &Path, store: &SqliteViews) -> PathBuf {
    let build = store.build(&SCHEMA, Start::Resumed).unwrap();
    put(&*build, None, "1", 0..1_000);
    drop(build.finish().unwrap());
    files(directory, ".sqlite").remove(0)
}

/// Files whose name ends so.
fn files(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.to_str().unwrap().ends_with(ending)).collect()
}
