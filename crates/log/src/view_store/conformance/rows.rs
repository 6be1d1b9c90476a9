//! What was put is what is read.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
};

use rand::{Rng, SeedableRng, rngs::SmallRng};

use super::{A, B, Open, content, owned, put, served, texts};
use crate::view_store::{
    Error, Keys, MAX_KEY_BYTES, MAX_POSITION_BYTES, MAX_VALUE_BYTES, Order, Row, Size, StoredView,
    Table,
};

/// Rows are in the order of their keys, in both directions, and a transaction reads what it wrote.
pub fn reads_what_was_put(open: &Open) {
    let view = served(&*open());
    let mut transaction = view.begin(Some("0")).unwrap();
    for key in ["b", "a/2", "a/10", "c", "a"] {
        transaction.put(A, key.as_bytes(), key.as_bytes()).unwrap();
    }
    transaction.put(A, b"c", b"other").unwrap();
    transaction.delete(A, b"b").unwrap();
    transaction.delete(A, b"nothing").unwrap();
    transaction.put(B, b"a", b"of b").unwrap();
    assert_eq!(transaction.get(A, b"c").unwrap().as_deref(), Some(b"other".as_slice()));
    assert_eq!(transaction.get(A, b"b").unwrap(), None);
    let rows = [("a", "a"), ("a/10", "a/10"), ("a/2", "a/2"), ("c", "other")];
    let all = transaction.range(A, &Keys::all(), Order::Ascending, 9).unwrap();
    assert_eq!(texts(all), owned(&rows));
    transaction.commit("1").unwrap();
    assert_eq!(content(&*view), (Some("1".into()), owned(&rows)));
    let snapshot = view.snapshot().unwrap();
    let range = |keys: &Keys, order, limit| texts(snapshot.range(A, keys, order, limit).unwrap());
    let within = Keys::prefix(b"a/");
    assert_eq!(range(&within, Order::Ascending, 9), owned(&rows[1..3]));
    assert_eq!(range(&within, Order::Descending, 1), owned(&rows[2..3]));
    assert_eq!(range(&within.clone().after(b"a/10"), Order::Ascending, 9), owned(&rows[2..3]));
    assert_eq!(range(&Keys::all().before(b"a/2"), Order::Descending, 1), owned(&rows[1..2]));
    assert_eq!(range(&Keys::all().after(b"c").before(b"a"), Order::Ascending, 9), []);
    assert_eq!(range(&Keys::all(), Order::Ascending, 0), []);
    assert_eq!(snapshot.count(A, &within).unwrap(), 2);
    assert_eq!(snapshot.count(B, &Keys::all()).unwrap(), 1);
    assert_eq!(snapshot.get(B, b"a").unwrap().as_deref(), Some(b"of b".as_slice()));
    assert_eq!(snapshot.get(B, b"c").unwrap(), None);
}

type Model = BTreeMap<(&'static str, Vec<u8>), Vec<u8>>;

/// A random course of changes and of ranges is that of a map.
pub fn reads_as_a_model_does(open: &Open) {
    let given = std::env::var("MATCHWIRE_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("MATCHWIRE_SEED={seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let mut view = served(&*open());
    let mut model = Model::new();
    for position in 0..40 {
        let mut transaction = view.begin(Some(&position.to_string())).unwrap();
        let mut changed = model.clone();
        for _ in 0..random.random_range(0..40) {
            let (table, key) = (table(&mut random), key(&mut random));
            if random.random_ratio(1, 3) {
                transaction.delete(table, &key).unwrap();
                changed.remove(&(table.name(), key));
            } else {
                let value = vec![random.random(); random.random_range(0..300)];
                transaction.put(table, &key, &value).unwrap();
                changed.insert((table.name(), key), value);
            }
        }
        let is_dropped = random.random_ratio(1, 5);
        transaction.commit(&(position + 1).to_string()).unwrap();
        model = changed;
        if is_dropped {
            let mut dropped = view.begin(Some(&(position + 1).to_string())).unwrap();
            dropped.put(A, &key(&mut random), b"dropped").unwrap();
            drop(dropped);
            view = open().open(&super::SCHEMA).unwrap().unwrap();
        }
        compare(&*view, &model, &mut random);
    }
}

fn compare(view: &dyn StoredView, model: &Model, random: &mut SmallRng) {
    let snapshot = view.snapshot().unwrap();
    assert_eq!(view.size().unwrap().rows, model.len() as u64);
    for _ in 0..10 {
        let (table, limit) = (table(random), random.random_range(0..20));
        let mut keys = if random.random() { Keys::all() } else { Keys::prefix(&key(random)) };
        if random.random() {
            keys = keys.after(&key(random));
        }
        if random.random() {
            keys = keys.before(&key(random));
        }
        let is_in = |key: &[u8]| key >= keys.from() && keys.until().is_none_or(|end| key < end);
        let of_table = model.iter().filter(|((of, key), _)| *of == table.name() && is_in(key));
        let mut expected: Vec<Row> = of_table
            .map(|((_, key), value)| Row { key: key.clone(), value: value.clone() })
            .collect();
        assert_eq!(snapshot.count(table, &keys).unwrap(), expected.len() as u64);
        if let Some(Row { key, value }) = expected.first() {
            assert_eq!(snapshot.get(table, key).unwrap().as_ref(), Some(value));
        }
        let rows = |order| snapshot.range(table, &keys, order, limit).unwrap();
        assert_eq!(rows(Order::Ascending), expected[..limit.min(expected.len())]);
        expected.reverse();
        assert_eq!(rows(Order::Descending), expected[..limit.min(expected.len())]);
    }
}

fn table(random: &mut SmallRng) -> Table {
    if random.random() { A } else { B }
}

/// Few enough that they come again, with bytes at the borders.
fn key(random: &mut SmallRng) -> Vec<u8> {
    let length = random.random_range(0..4);
    (0..length).map(|_| [0, 1, 254, 255][random.random_range(0..4)]).collect()
}

/// Keys and values of any bytes come back as they were, up to the largest.
pub fn keeps_any_bytes(open: &Open) {
    let store = open();
    let view = served(&*store);
    let every: Vec<u8> = (0..=u8::MAX).collect();
    let rows = [
        (vec![], vec![]),
        (vec![0], vec![0; 5_000]),
        (every.clone(), every),
        (vec![u8::MAX; MAX_KEY_BYTES], vec![7; MAX_VALUE_BYTES]),
    ];
    let mut transaction = view.begin(Some("0")).unwrap();
    for (key, value) in &rows {
        transaction.put(A, key, value).unwrap();
    }
    let position = "ä".repeat(MAX_POSITION_BYTES / 2);
    transaction.commit(&position).unwrap();
    drop(view);
    let again = store.open(&super::SCHEMA).unwrap().unwrap();
    let snapshot = again.snapshot().unwrap();
    assert_eq!(snapshot.position().unwrap(), Some(position));
    for (key, value) in rows {
        assert!(snapshot.get(A, &key).unwrap() == Some(value), "the value of {key:?}");
    }
}

/// What is larger than it may be is refused, and costs the transaction nothing else.
pub fn refuses_what_is_too_large(open: &Open) {
    let view = served(&*open());
    let is_refused = |result| matches!(result, Err(Error::TooLarge { .. }));
    let mut transaction = view.begin(Some("0")).unwrap();
    transaction.put(A, b"k", b"v").unwrap();
    assert!(is_refused(transaction.put(A, &[0; MAX_KEY_BYTES + 1], b"")));
    assert!(is_refused(transaction.put(A, b"k", &vec![0; MAX_VALUE_BYTES + 1])));
    transaction.commit("1").unwrap();
    let longest = "x".repeat(MAX_POSITION_BYTES + 1);
    assert!(is_refused(view.begin(Some("1")).unwrap().commit(&longest)));
    assert_eq!(content(&*view), (Some("1".into()), owned(&[("k", "v")])));
}

/// Rows are counted, whatever was put several times or deleted.
pub fn tells_its_size(open: &Open) {
    let store = open();
    let view = served(&*store);
    assert_eq!(view.size().unwrap().rows, 0);
    put(&*view, Some("0"), "1", &[("a", "1"), ("b", "1"), ("a", "2"), ("c", "")]);
    let mut transaction = view.begin(Some("1")).unwrap();
    for key in ["a", "a", "d"] {
        transaction.delete(A, key.as_bytes()).unwrap();
    }
    transaction.put(A, b"b", b"2").unwrap();
    transaction.put(B, b"b", &vec![0; 50_000]).unwrap();
    transaction.commit("2").unwrap();
    let size = view.size().unwrap();
    assert!(size.rows == 3 && size.bytes > 50_000, "{size:?}");
    let listed = store.list().unwrap().remove(0);
    assert_eq!((listed.size.rows, listed.position), (3, Some("2".into())));
    drop(view);
    let again: Size = store.open(&super::SCHEMA).unwrap().unwrap().size().unwrap();
    assert_eq!(again.rows, 3);
}

/// After a purge everything that was not deleted is there.
pub fn purges_and_keeps_the_rest(open: &Open) {
    let view = served(&*open());
    put(&*view, Some("0"), "1", &[("a", "1"), ("b", "2")]);
    let mut transaction = view.begin(Some("1")).unwrap();
    transaction.delete(A, b"a").unwrap();
    transaction.commit("2").unwrap();
    view.purge().unwrap();
    assert_eq!(content(&*view), (Some("2".into()), owned(&[("b", "2")])));
    put(&*view, Some("2"), "3", &[("a", "3")]);
    assert_eq!(content(&*view).1, owned(&[("a", "3"), ("b", "2")]));
}
