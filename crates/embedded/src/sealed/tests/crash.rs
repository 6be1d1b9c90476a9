//! Crashes, full disks and stops while a file is sealed: there is a whole new file, or none.

use std::sync::{Arc, atomic::AtomicBool};

use matchwire_log::Error;

use super::{LOG_ID, Made, Model, boxed, target};
use crate::{
    disk::{Disk, Faulty},
    sealed::{Range, Sealed, Streams, Target, parse_name, seal},
};

fn model() -> Model {
    let row =
        |n: u16| Made { stream: n % 9, size: 4_000, fingerprint: u64::from(n), ends_group: true };
    Model::new(&(0..200).map(row).collect::<Vec<_>>(), &[1; 9], 0)
}

fn open(disk: &Faulty, first: u64, last: u64) -> Result<Sealed, Error> {
    Sealed::open(disk, LOG_ID, Range { first, last }, Arc::default())
}

/// Two sealed files that are synced.
fn sources(disk: &Faulty, model: &Model) {
    for (n, part) in (1..).zip(model.arrivals(&[100])) {
        seal(&target(disk, n, n), boxed(vec![part])).unwrap();
    }
}

fn merge(target: &Target<'_>, disk: &Faulty) -> Result<Sealed, Error> {
    let walk = |n| Ok(Box::new(open(disk, n, n)?.walk()?) as Box<dyn Streams>);
    seal(target, [walk(1), walk(2)].into_iter().collect::<Result<_, Error>>()?)
}

#[test]
fn a_crash_leaves_a_whole_file_or_none() {
    let model = model();
    let (mut whole, mut none) = (0, 0);
    for seed in 0..4 {
        for changes in 1.. {
            assert!(changes < 100, "sealing comes to an end");
            let disk = Faulty::new(seed);
            sources(&disk, &model);
            disk.crash_after(changes);
            let is_done = merge(&target(&disk, 1, 2), &disk).is_ok();
            // Every other time it is the process alone that dies.
            if seed % 2 == 0 {
                disk.restart();
            } else {
                disk.revive();
            }
            let merged = Range { first: 1, last: 2 };
            let names = disk.list().unwrap();
            if names.iter().any(|name| parse_name(name) == Some(merged)) {
                model.check(&open(&disk, 1, 2).unwrap());
                whole += 1;
            } else {
                assert!(!is_done, "seed {seed}, {changes} changes");
                none += 1;
            }
            for n in 1..=2 {
                open(&disk, n, n).unwrap().verify(&mut |_| ()).unwrap();
            }
            // What was left does not stand in the way.
            model.check(&merge(&target(&disk, 1, 2), &disk).unwrap());
            if is_done {
                break;
            }
        }
    }
    assert!(whole > 3 && none > 3, "{whole} whole, {none} none");
}

#[test]
fn a_full_disk_can_be_tried_again() {
    let (model, disk) = (model(), Faulty::new(0));
    sources(&disk, &model);
    let used: usize = disk.list().unwrap().iter().map(|name| disk.content(name).len()).sum();
    for extra in [0, 1, 1_000, 300_000] {
        disk.set_capacity((used + extra) as u64);
        assert!(matches!(merge(&target(&disk, 1, 2), &disk), Err(Error::Full)));
        assert_eq!(disk.list().unwrap().len(), 2);
    }
    disk.set_capacity(u64::MAX);
    model.check(&merge(&target(&disk, 1, 2), &disk).unwrap());
}

#[test]
fn a_sync_that_fails_and_a_stop_leave_nothing() {
    let (model, disk) = (model(), Faulty::new(0));
    sources(&disk, &model);
    let stop = AtomicBool::new(true);
    let stopped = merge(&Target { stop: &stop, ..target(&disk, 1, 2) }, &disk);
    assert!(matches!(stopped, Err(Error::Stopped)));
    disk.set_sync_fails(true);
    assert!(matches!(merge(&target(&disk, 1, 2), &disk), Err(Error::Io(_))));
    assert_eq!(disk.list().unwrap().len(), 2);
}

/// A rename is there as a whole or not at all.
#[test]
fn a_rename_is_not_torn() {
    let (mut old, mut new) = (0, 0);
    for seed in 0..50 {
        let disk = Faulty::new(seed);
        for (name, text) in [("a", b"a"), ("b", b"b")] {
            let file = disk.create(name).unwrap();
            file.write_at(text, 0).unwrap();
            file.sync().unwrap();
        }
        disk.sync().unwrap();
        disk.rename("a", "b").unwrap();
        assert_eq!(disk.content("b"), b"a");
        disk.restart();
        match disk.list().unwrap().as_slice() {
            [only] if only == "b" && disk.content("b") == b"a" => new += 1,
            [_, _] if disk.content("a") == b"a" && disk.content("b") == b"b" => old += 1,
            other => panic!("seed {seed}: {other:?}"),
        }
        disk.rename("b", "c").unwrap();
        disk.sync().unwrap();
        disk.restart();
        assert!(disk.list().unwrap().iter().all(|name| name != "b"));
    }
    assert!(old > 5 && new > 5, "{old} old, {new} new");
}
