//! Checking in the background, and files that are written again from their blocks.

use std::sync::Arc;

use matchwire_log::{Error, Medium as _};

use super::{
    append, call,
    damage::{GROUPS, open, restore, sealed, snapshot, verified},
    log, read, subject,
};
use crate::{Options, Segments, disk::Faulty};

fn parts(disk: &Faulty, name: &str) -> Vec<(usize, u32)> {
    let content = disk.content(name);
    let magic = b"\xF8MWFRM\r\n";
    let starts = (0..content.len()).filter(|at| content[*at..].starts_with(magic));
    let kind = |at: usize| u32::from_le_bytes(content[at + 12..at + 16].try_into().unwrap());
    starts.map(|at| (at, kind(at))).collect()
}

fn step_through(medium: &Segments) {
    while medium.scrub_step().unwrap() {}
}

/// Whatever part of a file is damaged but its blocks, the file is whole again: after the check while
/// it is open, and after a start.
#[test]
fn derived_parts_are_made_again() {
    let (disk, files) = sealed();
    let good = ["match/a/1", "match/b/1", "room/c"];
    let good = good.map(|stream| read(&log(&disk).unwrap(), stream).unwrap());
    let whole = snapshot(&disk);
    let mut places: Vec<usize> = parts(&disk, &files[0]).iter().skip(1).map(|it| it.0).collect();
    assert!(places.len() >= 5, "{places:?}");
    places.extend([0, disk.content(&files[0]).len() - 100]);
    for place in places {
        for is_open in [true, false] {
            restore(&disk, &whole);
            let medium = is_open.then(|| open(&disk));
            disk.flip(&files[0], place + 17, 1);
            let medium = medium.unwrap_or_else(|| open(&disk));
            step_through(&medium);
            let stats = medium.scrub_stats();
            assert!(stats.damaged.is_empty() && stats.rounds == 1, "{place}: {stats:?}");
            assert!(stats.last_round.is_some());
            assert!(medium.holes().is_empty() && medium.monitor().damage().is_empty());
            drop(medium);
            assert!(verified(&disk).damage.is_empty(), "{place}");
            let log = log(&disk).unwrap();
            for (stream, good) in ["match/a/1", "match/b/1", "room/c"].iter().zip(&good) {
                assert_eq!(read(&log, stream).unwrap(), *good, "{place}");
            }
        }
    }
}

/// A damaged page of ids, a filter or a page of the table never lets a duplicate pass as new.
#[test]
fn duplicates_are_not_lost_in_silence() {
    let (disk, files) = sealed();
    let whole = snapshot(&disk);
    let mut errors = 0;
    for (place, _) in parts(&disk, &files[0]) {
        for offset in [13, 25, 40] {
            restore(&disk, &whole);
            let log = log(&disk).unwrap();
            disk.flip(&files[0], place + offset, 1);
            match call(&log, vec![append("match/a/1", &["1"])]) {
                Ok(results) => {
                    let outcomes = results[0].as_ref().unwrap();
                    let is_known =
                        matches!(outcomes[0], matchwire_log::Outcome::Duplicate { seq: 3, .. });
                    assert!(is_known, "{place} {offset}: {outcomes:?}");
                }
                Err(Error::Corrupt { file, .. }) => {
                    assert_eq!(file, files[0]);
                    errors += 1;
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
    assert!(errors > 3, "{errors}");
}

/// A damaged block is told and listed; reads of its streams fail, heads are known, others go on.
#[test]
fn a_damaged_block_is_told() {
    let (disk, files) = sealed();
    let medium = open(&disk);
    let (block, kind) = parts(&disk, &files[0])[0];
    assert_eq!(kind, 1);
    disk.flip(&files[0], block + 30, 1);
    step_through(&medium);
    let stats = medium.scrub_stats();
    assert_eq!((stats.damaged.len(), stats.resealed), (1, 0));
    assert_eq!(stats.damaged[0].file, files[0]);
    assert_eq!(medium.monitor().damage().len(), 1);
    step_through(&medium);
    assert_eq!(medium.scrub_stats().damaged.len(), 1);
    assert!(medium.read(&subject("match/a/1"), 0, 9, 1_000).is_err());
    assert_eq!(medium.head(&subject("match/a/1")).unwrap().unwrap().seq, 2 * GROUPS);
    drop(medium);
    let log = log(&disk).unwrap();
    assert_eq!(log.head(&subject("match/a/1")).unwrap(), 2 * GROUPS);
    call(&log, vec![append("match/a/1", &["new"]), append("room/new", &["1"])]).unwrap();
    assert_eq!(read(&log, "room/new").unwrap().len(), 1);
    assert_eq!(log.head(&subject("match/a/1")).unwrap(), 2 * GROUPS + 1);
}

/// What a read meets is checked before the rest, and a damaged file does not stop the keeper.
#[test]
fn damage_that_is_met_is_dealt_with() {
    let (disk, files) = sealed();
    let medium = open(&disk);
    let parts = parts(&disk, &files[0]);
    disk.flip(&files[0], parts[1].0 + 30, 1);
    assert!(medium.head(&subject("match/a/1")).is_ok());
    assert!(medium.read(&subject("room/c"), 0, 9, 999).is_err());
    assert!(medium.scrub_step().unwrap());
    let stats = medium.scrub_stats();
    assert_eq!((stats.rounds, stats.resealed, stats.damaged.len()), (0, 1, 0));
    assert_eq!(medium.read(&subject("room/c"), 0, 9, 999).unwrap().len(), 2);

    disk.flip(&files[0], parts[0].0 + 30, 1);
    drop(medium);
    let log = log(&disk).unwrap();
    for id in 0..GROUPS * 2 {
        call(&log, vec![append("room/d", &[format!("{id}"), "x".repeat(100)])]).unwrap();
    }
    drop(log);
    let medium = open(&disk);
    while medium.maintain().unwrap() {}
    let storage = medium.storage();
    assert_eq!((storage.waiting.count, storage.is_busy), (0, false));
    assert_eq!(verified(&disk).damage.len(), 1);
}

/// The thread ends at once, also in a round at the lowest rate.
#[test]
fn the_thread_stops() {
    let (disk, _) = sealed();
    let options = Options { background: true, scrub_bytes_per_s: 1, ..super::SMALL };
    let medium = Segments::open_on(Arc::new(disk.clone()), options).unwrap();
    drop(medium);
    assert!(verified(&disk).damage.is_empty());
}
