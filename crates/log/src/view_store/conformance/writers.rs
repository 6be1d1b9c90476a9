//! Several writers, and readers beside them.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use super::{A, B, Open, SCHEMA, content, is_overtaken, owned, put, served};
use crate::view_store::{Error, Keys, Order, Snapshot, StoredView};

/// A transaction that is dropped leaves nothing, one that is committed everything, also for who opens later.
pub fn a_commit_is_all_or_nothing(open: &Open) {
    let store = open();
    let view = served(&*store);
    put(&*view, Some("0"), "1", &[("a", "1")]);
    let mut dropped = view.begin(Some("1")).unwrap();
    dropped.put(A, b"b", b"2").unwrap();
    dropped.delete(A, b"a").unwrap();
    drop(dropped);
    assert_eq!(content(&*view), (Some("1".into()), owned(&[("a", "1")])));
    put(&*view, Some("1"), "2", &[("c", "3")]);
    drop(view);
    let again = open().open(&SCHEMA).unwrap().unwrap();
    assert_eq!(content(&*again), (Some("2".into()), owned(&[("a", "1"), ("c", "3")])));
}

/// Who expects another position than the view has is told, and changes nothing.
pub fn a_position_moves_from_what_is_expected(open: &Open) {
    let (first, second) = (served(&*open()), open().open(&SCHEMA).unwrap().unwrap());
    for expected in [None, Some(""), Some("1"), Some("00")] {
        assert!(is_overtaken(first.begin(expected), Some("0")), "{expected:?}");
    }
    put(&*first, Some("0"), "1", &[("a", "1")]);
    assert!(is_overtaken(second.begin(Some("0")), Some("1")));
    put(&*second, Some("1"), "2", &[("a", "2")]);
    assert!(is_overtaken(first.begin(Some("1")), Some("2")));
    assert_eq!(content(&*first), (Some("2".into()), owned(&[("a", "2")])));
}

/// Writers race from several handles, each from the position that it sees: every position is applied once.
pub fn racing_writers_apply_everything_once(open: &Open) {
    const UNTIL: u64 = 60;
    let first = served(&*open());
    let others = [(); 3].map(|()| open().open(&SCHEMA).unwrap().unwrap());
    let (ours, overtaken): (Vec<u64>, Vec<u64>) = thread::scope(|scope| {
        let race = |view: std::sync::Arc<dyn StoredView>| move || race_to(&*view, UNTIL);
        let racers: Vec<_> =
            others.into_iter().chain([first.clone()]).map(|view| scope.spawn(race(view))).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).unzip()
    });
    println!("commits of each writer {ours:?}, overtaken {overtaken:?}");
    assert_eq!(ours.iter().sum::<u64>(), UNTIL);
    let snapshot = first.snapshot().unwrap();
    assert_eq!(snapshot.position().unwrap(), Some(UNTIL.to_string()));
    assert_eq!(snapshot.get(B, b"sum").unwrap(), Some(UNTIL.to_be_bytes().to_vec()));
    assert_eq!(snapshot.count(A, &Keys::all()).unwrap(), UNTIL);
}

/// Commits from each position that is seen to the next; tells how many were its own, and how often another was
/// quicker.
fn race_to(view: &dyn StoredView, until: u64) -> (u64, u64) {
    let (mut own, mut overtaken) = (0, 0);
    loop {
        let at = view.snapshot().unwrap().position().unwrap().unwrap();
        let next = at.parse::<u64>().unwrap() + 1;
        if next > until {
            return (own, overtaken);
        }
        match view.begin(Some(&at)) {
            Ok(mut transaction) => {
                let sum = transaction.get(B, b"sum").unwrap();
                let sum = sum.map_or(0, |sum| u64::from_be_bytes(sum.try_into().unwrap()));
                transaction.put(B, b"sum", &(sum + 1).to_be_bytes()).unwrap();
                transaction.put(A, at.as_bytes(), b"").unwrap();
                transaction.commit(&next.to_string()).unwrap();
                own += 1;
            }
            Err(Error::Overtaken { .. }) => overtaken += 1,
            Err(error) => panic!("{error}"),
        }
    }
}

/// A snapshot is what it was when it was taken, whatever is committed.
pub fn a_snapshot_stays_as_it_is(open: &Open) {
    let view = served(&*open());
    put(&*view, Some("0"), "1", &[("a", "1")]);
    let before = view.snapshot().unwrap();
    put(&*view, Some("1"), "2", &[("a", "2"), ("b", "2")]);
    assert_eq!(before.position().unwrap().as_deref(), Some("1"));
    assert_eq!(before.get(A, b"a").unwrap().as_deref(), Some(b"1".as_slice()));
    assert_eq!(before.count(A, &Keys::all()).unwrap(), 1);
    drop(before);
    assert_eq!(content(&*view).1, owned(&[("a", "2"), ("b", "2")]));
}

/// Snapshots for several threads are the same, also while commits leave the position as it is; without commits there are as many
/// as were asked for.
pub fn snapshots_for_several_are_after_the_same_commit(open: &Open) {
    const COUNT: usize = 3;
    let (view, other) = (served(&*open()), open().open(&SCHEMA).unwrap().unwrap());
    put(&*view, Some("0"), "0", &[("a", "0")]);
    let value = |snapshot: &dyn Snapshot| snapshot.get(A, b"a").unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..200 {
                put(&*other, Some("0"), "0", &[("a", &number.to_string())]);
            }
            done.store(true, Ordering::SeqCst);
        });
        while !done.load(Ordering::SeqCst) {
            let alike = view.snapshots(COUNT).unwrap();
            assert!((1..=COUNT).contains(&alike.len()));
            assert!(alike.iter().all(|one| value(&**one) == value(&*alike[0])));
        }
    });
    let alike = view.snapshots(COUNT).unwrap();
    assert_eq!(
        alike.iter().map(|one| value(&**one)).collect::<Vec<_>>(),
        [Some(b"199".to_vec()), Some(b"199".to_vec()), Some(b"199".to_vec()),]
    );
}

/// All on one thread, so that whoever waited would wait for ever.
pub fn nobody_waits_for_a_reader_or_a_reader_for_a_writer(open: &Open) {
    let (view, other) = (served(&*open()), open().open(&SCHEMA).unwrap().unwrap());
    let readers: Vec<_> = (0..8).map(|_| view.snapshot().unwrap()).collect();
    let mut transaction = view.begin(Some("0")).unwrap();
    transaction.put(A, b"a", b"1").unwrap();
    for snapshot in [view.snapshot().unwrap(), other.snapshot().unwrap()] {
        assert_eq!(snapshot.position().unwrap().as_deref(), Some("0"));
        assert_eq!(snapshot.get(A, b"a").unwrap(), None);
    }
    transaction.commit("1").unwrap();
    put(&*other, Some("1"), "2", &[("b", "2")]);
    for snapshot in readers {
        assert_eq!(snapshot.count(A, &Keys::all()).unwrap(), 0);
    }
    assert_eq!(content(&*view), (Some("2".into()), owned(&[("a", "1"), ("b", "2")])));
}

/// While a writer moves ten points about between two rows, every reader sees ten.
pub fn readers_see_whole_commits(open: &Open) {
    let (view, done) = (served(&*open()), AtomicBool::new(false));
    let (one, two): (&[u8], &[u8]) = (b"one", b"two");
    let mut first = view.begin(Some("0")).unwrap();
    first.put(A, one, &[10]).unwrap();
    first.put(B, two, &[0]).unwrap();
    first.commit("1").unwrap();
    thread::scope(|scope| {
        let reader = || {
            let mut seen = 0;
            while !done.load(Ordering::SeqCst) {
                let snapshot = view.snapshot().unwrap();
                let value = |table, key| snapshot.get(table, key).unwrap().unwrap()[0];
                let position: u64 = snapshot.position().unwrap().unwrap().parse().unwrap();
                assert!(position >= seen, "a later snapshot is an earlier commit");
                seen = position;
                let (one, two) = (value(A, one), value(B, two));
                assert_eq!((one + two, u64::from(two)), (10, (position - 1) % 11));
                assert_eq!(snapshot.range(A, &Keys::all(), Order::Descending, 9).unwrap().len(), 1);
            }
        };
        let readers = [scope.spawn(reader), scope.spawn(reader)];
        for position in 1..120_u8 {
            let mut transaction = view.begin(Some(&position.to_string())).unwrap();
            transaction.put(A, one, &[10 - position % 11]).unwrap();
            transaction.put(B, two, &[position % 11]).unwrap();
            transaction.commit(&(position + 1).to_string()).unwrap();
        }
        done.store(true, Ordering::SeqCst);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}
