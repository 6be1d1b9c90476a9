//! Stored views: rows per second through commits of 1,000 rows into a view in SQLite, next to plain SQLite with the
//! same rows and settings; pages of a large view; and what a purge takes.
//!
//! The references are a table of blobs by `rusqlite`, as quick as it goes (no counts, no checksums), in turns with the view.

use std::{
    ops::Range,
    path::Path,
    time::{Duration, Instant},
};

use matchwire_embedded::SqliteViews;
use matchwire_log::view_store::{Keys, Order, Schema, Start, StoredView, Table, ViewStore as _};
use rusqlite::{Connection, params};

use crate::statistics::{float, grouped, median, percentile};

const ROWS: Table = Table::new("rows");
const SCHEMA: Schema = Schema::new("bench", 1, &[ROWS]);
/// Rows of a commit, and commits of a round.
const BATCH: u64 = 1_000;
const COMMITS: u64 = 100;
/// How often both take their turn.
const ROUNDS: u64 = 5;
/// How many rows a page has, and how many pages are read.
const PAGE: usize = 50;
const PAGES: u64 = 2_000;
const VALUE: [u8; 120] = [b'v'; 120];

/// Prints what this machine does.
pub(crate) fn run(dir: &Path) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(dir)?;
    let store = SqliteViews::open(&folder.path().join("views"))?;
    let build = store.build(&SCHEMA, Start::Anew)?;
    let plain = plain(&folder.path().join("plain.sqlite"))?;
    for (order, key) in [("in order", ordered as fn(u64) -> [u8; 16]), ("at random", scattered)] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let first = round * COMMITS;
            ours.push(rate(first..first + COMMITS, |batch| put(&*build, batch, key))?);
            theirs.push(rate(first..first + COMMITS, |batch| put_plain(&plain, batch, key))?);
        }
        let (ours, theirs) = (median(ours), median(theirs));
        println!(
            "views     rows {order}: {} rows/s, plain SQLite {}, {:.2} of it",
            grouped(ours),
            grouped(theirs),
            ours / theirs
        );
    }
    let view = build.finish()?;
    let pages = pages(&*view)?;
    let rows = view.size()?.rows;
    println!(
        "views     a page of {PAGE} of {rows} rows: {:.0?}, the 99th percentile {:.0?}",
        pages.0, pages.1
    );
    let begun = Instant::now();
    let bytes = view.size()?.bytes;
    view.purge()?;
    println!("views     a purge of {} MiB: {:.1?}", bytes >> 20, begun.elapsed());
    Ok(())
}

/// A table as plain as the view's, with the same settings.
fn plain(path: &Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;
         PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4096;
         CREATE TABLE rows (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;",
    )?;
    Ok(connection)
}

/// Rows per second over some batches.
fn rate(
    batches: Range<u64>,
    mut put: impl FnMut(u64) -> anyhow::Result<()>,
) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let count = batches.end - batches.start;
    for batch in batches {
        put(batch)?;
    }
    Ok(float(count * BATCH) / begun.elapsed().as_secs_f64())
}

/// A key behind all before it.
fn ordered(n: u64) -> [u8; 16] {
    (1 << 100 | u128::from(n)).to_be_bytes()
}

/// A key anywhere, another one for each number.
fn scattered(n: u64) -> [u8; 16] {
    u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes()
}

fn put(view: &dyn StoredView, batch: u64, key: fn(u64) -> [u8; 16]) -> anyhow::Result<()> {
    let position = view.snapshot()?.position()?;
    let mut transaction = view.begin(position.as_deref())?;
    for n in batch * BATCH..(batch + 1) * BATCH {
        transaction.put(ROWS, &key(n), &VALUE)?;
    }
    Ok(transaction.commit(&format!("{batch}"))?)
}

fn put_plain(connection: &Connection, batch: u64, key: fn(u64) -> [u8; 16]) -> anyhow::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    {
        let sql = "INSERT INTO rows VALUES (?1, ?2)";
        let mut insert = transaction.prepare_cached(sql)?;
        for n in batch * BATCH..(batch + 1) * BATCH {
            insert.execute(params![key(n), VALUE])?;
        }
    }
    Ok(transaction.commit()?)
}

/// How long a page takes, from anywhere in the view: half of them, and 99 of 100.
fn pages(view: &dyn StoredView) -> anyhow::Result<(Duration, Duration)> {
    let mut took = Vec::new();
    for n in 0..PAGES {
        let keys = Keys::all().after(&scattered(n * 97));
        let begun = Instant::now();
        let rows = view.snapshot()?.range(ROWS, &keys, Order::Ascending, PAGE)?;
        took.push(begun.elapsed());
        anyhow::ensure!(rows.len() <= PAGE, "a page has no more rows than were asked for");
    }
    took.sort_unstable();
    Ok((percentile(&took, 50), percentile(&took, 99)))
}
