//! What was deleted and purged is in no byte of the files.

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    path::Path,
};

use matchwire_log::view_store::{Error, Start, StoredView, ViewStore as _};
use rand::{Rng, SeedableRng, rngs::SmallRng, seq::SliceRandom};

use super::{A, SCHEMA, place};

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

#[test]
fn what_was_deleted_or_replaced_is_nowhere_after_a_purge() {
    let given = std::env::var("MATCHWIRE_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("MATCHWIRE_SEED={seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let (directory, store) = place();
    let build = store.build(&SCHEMA, Start::Resumed).unwrap();
    let mut position: Option<String> = None;
    // Rows come in any order and are written over, so that pages are split, and rows move between them.
    for _ in 0..3 {
        let mut all: Vec<u32> = (0..ROWS).collect();
        all.shuffle(&mut random);
        for some in all.chunks(500) {
            position = Some(commit(&*build, position.as_deref(), |transaction| {
                for n in some {
                    let (key, value) = (key(*n), value(*n, &mut random));
                    transaction.put(A, key.as_bytes(), value.as_bytes()).unwrap();
                }
            }));
        }
    }
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

type Change<'a> = dyn matchwire_log::view_store::Transaction + 'a;

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
