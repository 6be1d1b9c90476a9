//! Damage that is repaired from a copy, and copies that do not fit.

use matchwire_log::Error;

use super::{
    append, call,
    damage::{GROUPS, files, groups, open, restore, sealed, snapshot, synced, verified, written},
    log, read, subject,
};
use crate::{
    Repaired,
    disk::{Disk, Faulty},
    repair_on,
};

type Streams = [Vec<(String, matchwire_domain::chain::Digest)>; 3];

/// A copy of a disk.
pub(super) fn copy(disk: &Faulty) -> Faulty {
    let copy = Faulty::new(1);
    restore(&copy, &snapshot(disk));
    copy
}

fn all(disk: &Faulty) -> Streams {
    let log = log(disk).unwrap();
    ["match/a/1", "match/b/1", "room/c"].map(|stream| read(&log, stream).unwrap())
}

/// One way to damage a log.
type Harm = fn(&Faulty, &[String]);

/// The first file is written again or damaged beyond that; a file is missing; a segment is damaged
/// at its start, in its middle and at its end, and in two places; of the last one nothing is left.
const HARMS: [Harm; 7] = [
    |disk, files| disk.flip(&files[0], 200, 1),
    |disk, files| disk.remove(&files[files.len() - 2]).unwrap(),
    |disk, files| disk.flip(files.last().unwrap(), 50, 1),
    |disk, files| {
        let last = files.last().unwrap();
        disk.flip(last, groups(disk, last)[1] + 70, 1);
    },
    |disk, files| {
        let last = files.last().unwrap();
        let groups = groups(disk, last);
        disk.flip(last, groups[groups.len() - 3] + 60, 1);
    },
    |disk, files| {
        disk.flip(&files[0], 90, 1);
        let last = files.last().unwrap();
        disk.flip(last, groups(disk, last)[0] + 70, 1);
    },
    |disk, files| disk.open(files.last().unwrap()).unwrap().set_size(20).unwrap(),
];

#[test]
fn what_is_missing_comes_back() {
    for (disk, files) in [written(GROUPS), sealed()] {
        let (good, whole) = (all(&disk), snapshot(&disk));
        let from = copy(&disk);
        for (number, harm) in HARMS.iter().enumerate() {
            restore(&disk, &whole);
            harm(&disk, &files);
            let repaired = repair_on(&disk, &from).unwrap();
            assert!(repaired.missing.is_empty(), "{number}: {repaired:?}");
            assert!(!repaired.filled.is_empty(), "{number}: {repaired:?}");
            assert!(verified(&disk).damage.is_empty(), "{number}");
            assert_eq!(all(&disk), good, "{number}");
            assert!(open(&disk).holes().is_empty(), "{number}");
            let kept = disk.list().unwrap();
            assert!(repaired.kept.iter().all(|name| kept.contains(name)));
            let again = repair_on(&disk, &from).unwrap();
            assert_eq!(again, Repaired::default(), "{number}");
            let log = log(&disk).unwrap();
            call(&log, vec![append("match/a/1", &["new"])]).unwrap();
            assert_eq!(log.head(&subject("match/a/1")).unwrap(), 2 * GROUPS + 1);
        }
    }
}

#[test]
fn what_the_copy_does_not_have_stays_missing() {
    let (disk, files) = written(GROUPS);
    let from = copy(&disk);
    for name in &files[2..] {
        from.remove(name).unwrap();
    }
    let (one, other) = (groups(&disk, &files[1])[0] + 70, groups(&disk, &files[3])[0] + 70);
    disk.flip(&files[1], one, 1);
    disk.flip(&files[3], other, 1);
    let repaired = repair_on(&disk, &from).unwrap();
    assert_eq!((repaired.filled.len(), repaired.missing.len()), (1, 1), "{repaired:?}");
    assert!(repaired.missing[0].what.contains("the copy has nothing from"), "{repaired:?}");
    assert_eq!(open(&disk).holes().len(), 1);
}

/// A log that was made from the same start and then went another way does not fit.
#[test]
fn another_history_is_refused_and_nothing_changed() {
    let disk = Faulty::new(0);
    let first = log(&disk).unwrap();
    for id in 0..6 {
        call(&first, vec![append("match/a/1", &[format!("{id}"), format!("{id}x")])]).unwrap();
    }
    drop(first);
    let from = copy(&disk);
    for (disk, name) in [(&disk, "one"), (&from, "other")] {
        let log = log(disk).unwrap();
        for id in 0..12 {
            let ids = [format!("{name}{id}"), format!("{name}{id}x")];
            call(&log, vec![append("match/a/1", &ids), append("match/b/1", &ids)]).unwrap();
        }
    }
    let files = files(&disk);
    disk.flip(&files[4], groups(&disk, &files[4])[0] + 70, 1);
    drop(open(&disk));
    let before = snapshot(&disk);
    let error = repair_on(&disk, &from).unwrap_err();
    assert!(matches!(&error, Error::Corrupt { .. }), "{error}");
    let after = snapshot(&disk);
    let names =
        |files: &[(String, Vec<u8>)]| files.iter().map(|it| it.0.clone()).collect::<Vec<_>>();
    assert_eq!(names(&after), names(&before));

    let stranger = Faulty::new(3);
    drop(log(&stranger).unwrap());
    let error = repair_on(&disk, &stranger).unwrap_err();
    assert!(error.to_string().contains("it is log"), "{error}");
}

/// What was sealed behind a hole, without the chains before it, fits once the hole is filled, and is
/// merged with what comes before.
#[test]
fn files_behind_a_hole_are_merged_once_it_is_filled() {
    let (disk, files) = written(GROUPS);
    let (good, from) = (all(&disk), copy(&disk));
    disk.flip(&files[2], groups(&disk, &files[2])[0] + 70, 1);
    let medium = open(&disk);
    while medium.maintain().unwrap() {}
    let apart = medium.storage().sealed.count;
    drop(medium);
    let repaired = repair_on(&disk, &from).unwrap();
    assert_eq!((repaired.filled.len(), repaired.missing.len()), (1, 0));
    assert!(verified(&disk).damage.is_empty());
    let medium = open(&disk);
    while medium.maintain().unwrap() {}
    assert!(medium.storage().sealed.count < apart, "{apart}");
    drop(medium);
    assert!(verified(&disk).damage.is_empty());
    assert_eq!(all(&disk), good);
}

/// Wherever a repair is interrupted, what was there is there, and a repeat finishes it.
#[test]
fn a_repair_can_be_interrupted_anywhere() {
    for (source, files) in [written(GROUPS), sealed()] {
        let good = all(&source);
        let from = copy(&source);
        let whole = snapshot(&source);
        for (number, harm) in HARMS.iter().enumerate() {
            let mut is_done = false;
            for changes in (1..).step_by(1) {
                assert!(changes < 300, "a repair comes to an end");
                let disk = Faulty::new(changes);
                restore(&disk, &whole);
                harm(&disk, &files);
                synced(&disk);
                disk.crash_after(changes);
                let repaired = repair_on(&disk, &from);
                is_done |= repaired.is_ok();
                if changes % 3 == 0 {
                    disk.revive();
                } else {
                    disk.restart();
                }
                match log(&disk) {
                    // A hole at the end of all hides the head, until it is filled.
                    Ok(log) => {
                        let head = log.head(&subject("match/a/1")).unwrap_or(2);
                        assert!(head >= 2, "{number} {changes}: {head}");
                    }
                    // An unreadable last file is not a hole before the repair makes it one.
                    Err(error) => {
                        assert!(number == HARMS.len() - 1 && !is_done, "{number}: {error}");
                    }
                }
                repair_on(&disk, &from).unwrap();
                assert_eq!(all(&disk), good, "{number} {changes}");
                if is_done {
                    break;
                }
            }
        }
    }
}
