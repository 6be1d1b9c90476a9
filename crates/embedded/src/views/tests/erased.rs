//! What was deleted and purged is in no byte of the files.

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    path::Path,
    sync::Arc,
};

use matchwire_domain::{
    envelope::Recorded,
    subject::{Pattern, Subject},
};
use matchwire_log::{
    Log,
    projection::{Options, Projection, Runner},
    view_store::{
        Error, Keys, Order, Schema, Snapshot, Start, StoredView, Table, Transaction, ViewStore as _,
    },
};
use rand::{Rng, SeedableRng, rngs::SmallRng, seq::SliceRandom};

use super::{A, SCHEMA, driven, place};
use crate::{SqliteViews, disk::Faulty};

/// Rows of which one in four is to be found nowhere in the end.
const ROWS: u32 = 3_000;

/// What stands in every row that is to go, in key and value, and what stands in one alone.
const GOING: &str = "going-going-gone";

fn value(n: u32, random: &mut SmallRng) -> String {
    let is_going = n.is_multiple_of(4);
    let what = if is_going { GOING } else { "staying" };
    // Of a few bytes, of some, and of several pages.
    let length = [1, 10, 200, 3_000][random.random_range(0..4)];
    format!("{what}/{n}/").repeat(length / 10 + 1)
}

fn key(n: u32) -> String {
    let what = if n.is_multiple_of(4) { GOING } else { "staying" };
    // Spread over the table.
    format!("{:08x}/{what}/{n}", n.wrapping_mul(0x9e37_79b9))
}

/// How often the text stands in all files of the directory.
fn count(directory: &Path, text: &str) -> usize {
    let files = fs::read_dir(directory).unwrap().map(|entry| fs::read(entry.unwrap().path()));
    let within = |bytes: Vec<u8>| {
        bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
    };
    files.map(|bytes| within(bytes.unwrap())).sum()
}

fn seeded() -> SmallRng {
    let given = std::env::var("MATCHWIRE_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("MATCHWIRE_SEED={seed}");
    SmallRng::seed_from_u64(seed)
}

/// Writes all rows into a view that has none, and gives its position. They come in any order and are written over, so that pages
/// are split, and rows move between them.
fn filled(view: &dyn StoredView, random: &mut SmallRng) -> String {
    let mut position: Option<String> = None;
    for _ in 0..3 {
        let mut all: Vec<u32> = (0..ROWS).collect();
        all.shuffle(random);
        for some in all.chunks(500) {
            position = Some(commit(view, position.as_deref(), |transaction| {
                for n in some {
                    let (key, value) = (key(*n), value(*n, random));
                    transaction.put(A, key.as_bytes(), value.as_bytes()).unwrap();
                }
            }));
        }
    }
    position.unwrap()
}

#[test]
fn what_was_deleted_or_replaced_is_nowhere_after_a_purge() {
    let mut random = seeded();
    let (directory, store) = place();
    let build = store.build(&SCHEMA, Start::Resumed).unwrap();
    let mut position = Some(filled(&*build, &mut random));
    let view = build.finish().unwrap();
    assert!(count(directory.path(), GOING) > 1_000);
    let mut going: Vec<u32> = (0..ROWS).filter(|n| n.is_multiple_of(4)).collect();
    going.shuffle(&mut random);
    for some in going.chunks(100) {
        position = Some(commit(&*view, position.as_deref(), |transaction| {
            for n in some {
                // Some are first replaced by what may stay.
                if n.is_multiple_of(8) {
                    transaction.put(A, key(*n).as_bytes(), b"nothing").unwrap();
                }
                transaction.delete(A, key(*n).as_bytes()).unwrap();
            }
        }));
    }
    view.purge().unwrap();
    assert_eq!(count(directory.path(), GOING), 0);
    assert!(count(directory.path(), "staying") > 1_000);
    assert_eq!(view.size().unwrap().rows, u64::from(ROWS - ROWS / 4));
}

type Change<'a> = dyn Transaction + 'a;

fn commit(
    view: &dyn StoredView,
    from: Option<&str>,
    change: impl FnOnce(&mut Change<'_>),
) -> String {
    let mut transaction = view.begin(from).unwrap();
    change(&mut *transaction);
    let to = from.map_or(1, |from| from.parse::<u64>().unwrap() + 1).to_string();
    transaction.commit(&to).unwrap();
    to
}

#[test]
fn a_purge_says_when_somebody_still_reads_what_was_there() {
    let (directory, store) = place();
    let build = store.build(&SCHEMA, Start::Resumed).unwrap();
    let put = |transaction: &mut Change<'_>| transaction.put(A, b"k", GOING.as_bytes()).unwrap();
    let position = commit(&*build, None, put);
    let view = build.finish().unwrap();
    let held = view.snapshot().unwrap();
    commit(&*view, Some(&position), |transaction| transaction.delete(A, b"k").unwrap());
    assert!(matches!(view.purge(), Err(Error::Busy { .. })));
    assert_eq!(held.get(A, b"k").unwrap().as_deref(), Some(GOING.as_bytes()));
    drop(held);
    view.purge().unwrap();
    assert_eq!(count(directory.path(), GOING), 0);
}

const GONE: Table = Table::new("gone");

/// A view in which all rows that are to go do so once the log has an event of a player.
struct Forgetting {
    version: u32,
}

impl Projection for Forgetting {
    fn schema(&self) -> Schema {
        Schema::new("people", self.version, &[A, GONE])
    }

    fn scope(&self) -> Vec<Pattern> {
        vec!["player/*".parse().unwrap()]
    }

    fn apply(
        &self,
        rows: &mut dyn Transaction,
        subject: &Subject,
        _: &[Recorded],
    ) -> Result<(), Error> {
        for row in rows.range(A, &Keys::all(), Order::Ascending, usize::MAX)? {
            if String::from_utf8_lossy(&row.key).contains(GOING) {
                rows.delete(A, &row.key)?;
            }
        }
        rows.put(GONE, subject.as_str().as_bytes(), &[])
    }

    fn finish(&self, _rows: &mut dyn Transaction) -> Result<(), Error> {
        Ok(())
    }

    fn settle(&self, _rows: &mut dyn Transaction) -> Result<bool, Error> {
        Ok(true)
    }

    fn removals(&self, view: &dyn Snapshot) -> Result<u64, Error> {
        view.count(GONE, &Keys::all())
    }
}

fn start(log: &Log, store: &Arc<SqliteViews>, version: u32) -> Runner {
    let view = Arc::new(Forgetting { version });
    Runner::start(log, store.clone(), view, Options::default()).unwrap()
}

#[test]
fn what_a_build_has_removed_is_nowhere_once_it_serves() {
    let (directory, store) = place();
    let store = Arc::new(store);
    let log = driven::open(&Faulty::new(0));
    driven::fill(&log, 0..1);
    let runner = start(&log, &store, 1);
    driven::catch_up(&runner);
    let position = runner.reader().snapshot().unwrap().position().unwrap().unwrap();
    drop(runner);
    // A rebuild that has got so far, with rows of somebody of whom nothing is left in what serves.
    let build = store.build(&Forgetting { version: 1 }.schema(), Start::Anew).unwrap();
    let filled = filled(&*build, &mut seeded());
    build.begin(Some(&filled)).unwrap().commit(&position).unwrap();
    drop(build);
    assert!(count(directory.path(), GOING) > 1_000);
    driven::append(&log, "erased", &["player/p1"]);
    let runner = start(&log, &store, 1);
    driven::wait_for(&runner, |status| status.builds == 1);
    assert_eq!(runner.reader().snapshot().unwrap().count(GONE, &Keys::all()).unwrap(), 1);
    assert_eq!(count(directory.path(), GOING), 0);
    assert!(count(directory.path(), "staying") > 1_000);
}

#[test]
fn a_purge_leaves_no_other_version_of_the_view() {
    let (directory, store) = place();
    let store = Arc::new(store);
    for version in [1, 3, 4] {
        let build = store.build(&Forgetting { version }.schema(), Start::Anew).unwrap();
        filled(&*build, &mut seeded());
        if version != 4 {
            build.finish().unwrap();
        }
    }
    drop(store.build(&SCHEMA, Start::Anew).unwrap().finish().unwrap());
    let log = driven::open(&Faulty::new(0));
    driven::append(&log, "erased", &["player/p1"]);
    let runner = start(&log, &store, 2);
    driven::catch_up(&runner);
    assert!(count(directory.path(), GOING) > 3_000);
    runner.reader().purge().unwrap();
    assert_eq!(count(directory.path(), GOING), 0);
    let left: Vec<(String, u32)> =
        store.list().unwrap().into_iter().map(|it| (it.name, it.version)).collect();
    assert_eq!(left, [("people".into(), 2), ("tallies".into(), 1)]);
}

#[test]
fn nothing_is_purged_that_does_not_serve_and_a_build_is_told() {
    let (_directory, store) = place();
    let store = Arc::new(store);
    let log = driven::open(&Faulty::new(0));
    driven::fill(&log, 0..1);
    // Nobody else builds it meanwhile.
    let schema = Forgetting { version: 1 }.schema();
    let build = store.build(&schema, Start::Anew).unwrap();
    let runner = start(&log, &store, 1);
    driven::wait_for(&runner, |status| status.failure.is_some());
    let reader = runner.reader();
    assert!(reader.purge().is_err() && reader.is_building().unwrap() && !reader.has_seen(0));
    drop(build);
    driven::catch_up(&runner);
    reader.purge().unwrap();
    assert!(!reader.is_building().unwrap() && reader.has_seen(1));
}
