//! Damage of every kind to what was written: it is found, reported with its place, and hides nothing
//! but what lies across it.

use std::sync::Arc;

use matchwire_log::{Error, Log};

use super::{append, call, event, log, read, subject};
use crate::{
    Recovery, Segments, Verified,
    disk::{Disk, Fault, Faulty},
    format::GROUP_MAGIC,
    recovery::{Listed, list},
    scan::segment_name,
    sealed::sealed_name,
    verify_on,
};

/// Groups that a log is written of.
pub(super) const GROUPS: u64 = 24;

/// A log of several segments, of which the last has several groups; and the names of its files. Each
/// group has two events of two streams; a third stream has one in the first group and in the last.
pub(super) fn written(groups_in_all: u64) -> (Faulty, Vec<String>) {
    let disk = Faulty::new(0);
    let log = log(&disk).unwrap();
    for id in 0..groups_in_all {
        let ids = [format!("{id}"), format!("{id}-2")];
        let mut appends = vec![append("match/a/1", &ids), append("match/b/1", &ids)];
        if id == 0 || id + 1 == groups_in_all {
            appends.push(append("room/c", &ids[..1]));
        }
        call(&log, appends).unwrap();
    }
    drop(log);
    let files = files(&disk);
    assert!(files.len() as u64 > groups_in_all / 5);
    assert!(groups(&disk, files.last().unwrap()).len() > 2);
    (disk, files)
}

/// The same, with all full segments sealed and merged.
pub(super) fn sealed() -> (Faulty, Vec<String>) {
    let (disk, segments) = written(GROUPS);
    let medium = open(&disk);
    while medium.maintain().unwrap() {}
    drop(medium);
    let files = files(&disk);
    assert!(files.len() < segments.len() && files[0].ends_with(".sealed"));
    (disk, files)
}

pub(super) fn open(disk: &Faulty) -> Segments {
    Segments::open_on(Arc::new(disk.clone()), super::SMALL).unwrap()
}

pub(super) fn files(disk: &Faulty) -> Vec<String> {
    let name = |file: Listed| match file {
        Listed::Sealed(range) => sealed_name(range),
        Listed::Segment(first) => segment_name(first),
    };
    list(disk).unwrap().into_iter().map(name).collect()
}

/// Where the groups of a segment start; the last one says that the log was closed.
pub(super) fn groups(disk: &Faulty, name: &str) -> Vec<usize> {
    let content = disk.content(name);
    (0..content.len()).filter(|at| content[*at..].starts_with(&GROUP_MAGIC)).collect()
}

pub(super) fn verified(disk: &Faulty) -> Verified {
    verify_on(disk, &mut |_| ()).unwrap()
}

pub(super) fn place(error: &Error) -> (&str, u64) {
    match error {
        Error::Corrupt { file, offset, .. } => (file, *offset),
        other => panic!("{other}"),
    }
}

#[test]
fn every_flipped_bit_of_a_segment_is_found_by_verify() {
    let (disk, files) = written(8);
    let whole = verified(&disk);
    assert_eq!((whole.events, whole.streams, whole.unfinished_bytes), (34, 3, 0));
    assert!(whole.damage.is_empty());
    let last = files.last().unwrap();
    let closing = *groups(&disk, last).last().unwrap();
    for name in files.iter().rev().take(2) {
        for offset in 0..disk.content(name).len() {
            disk.flip(name, offset, 1 << (offset % 8));
            let verified = verified(&disk);
            match verified.damage.first() {
                Some(spot) => {
                    assert!(spot.file == *name && spot.offset <= offset as u64, "{spot:?}");
                }
                // Behind the last group there is only the word that the log was closed.
                None => assert!(name == last && offset >= closing, "{name} {offset}"),
            }
            disk.flip(name, offset, 1 << (offset % 8));
        }
    }
}

/// A merged file may have its name though the directory could not be synced. If other files are
/// merged then, because one of the first is damaged meanwhile, a start must not take it for a part.
#[test]
fn a_merged_file_that_did_not_take_its_place_does_not_come_back() {
    let (disk, _) = written(2 * GROUPS);
    let medium = open(&disk);
    while medium.storage().waiting.count > 0 {
        assert!(medium.maintain().unwrap());
    }
    drop(medium);
    let (before, separate) = (snapshot(&disk), files(&disk));
    assert!(separate.len() > 6, "{separate:?}");
    let mut strays = 0;
    for (syncs, power_fails) in (0..4).flat_map(|syncs| [(syncs, false), (syncs, true)]) {
        let disk = Faulty::new(syncs);
        restore(&disk, &before);
        synced(&disk);
        let medium = open(&disk);
        disk.fail_after(Fault::Sync, syncs);
        let merged = medium.maintain();
        disk.calm();
        let is_stray = merged.is_err() && files(&disk).len() > separate.len();
        let name = files(&disk).into_iter().find(|name| separate.contains(name)).unwrap();
        disk.flip(&name, 200, 1);
        for _ in 0..2 * separate.len() {
            // Damage that is met is an error now and then.
            let _ = medium.maintain();
        }
        assert_eq!(medium.monitor().damage().is_empty(), is_stray, "{syncs}");
        drop(medium);
        disk.heal();
        if power_fails {
            disk.restart();
        }
        let verified = verified(&disk);
        assert_eq!((verified.damage, verified.events), (vec![], 8 * GROUPS + 2), "{syncs}");
        drop(open(&disk));
        let log = log(&disk).unwrap();
        for (stream, events) in [("match/a/1", 4 * GROUPS), ("room/c", 2)] {
            assert_eq!(read(&log, stream).unwrap().len() as u64, events);
        }
        strays += u64::from(is_stray);
    }
    assert!(strays > 0);
}

#[test]
fn damage_to_a_sealed_file_is_found_by_verify() {
    let (disk, files) = sealed();
    assert!(verified(&disk).damage.is_empty());
    for offset in 0..disk.content(&files[0]).len() {
        disk.flip(&files[0], offset, 0x20);
        let damage = verified(&disk).damage;
        assert!(damage.first().is_some_and(|spot| spot.file == files[0]), "{offset}: {damage:?}");
        disk.flip(&files[0], offset, 0x20);
    }
}

/// Wherever a group is damaged, the start says so; streams that go on behind it can be appended to,
/// and are read up to the damage; the others are not touched.
#[test]
fn a_hole_hides_what_lies_across_it_and_nothing_else() {
    let (disk, files) = written(GROUPS);
    let last = files.last().unwrap();
    for (name, group) in [(&files[1], 0), (&files[2], 1), (last, 0)] {
        let offset = groups(&disk, name)[group] + 70;
        disk.flip(name, offset, 0x10);
        let before = snapshot(&disk);
        let medium = open(&disk);
        let holes = medium.recovery().holes.clone();
        assert!(holes.len() == 1 && holes[0].file == *name, "{holes:?}");
        assert!(holes[0].offset <= offset as u64 && holes[0].first == holes[0].last);
        drop(medium);
        let log = log(&disk).unwrap();
        for stream in ["match/a/1", "match/b/1"] {
            assert_eq!(log.head(&subject(stream)).unwrap(), 2 * GROUPS);
            let error = read(&log, stream).unwrap_err();
            assert_eq!(place(&error).0, name);
            let hidden = (holes[0].first - 1) * 2;
            let page = log.read(&subject(stream), 0, 100).unwrap();
            assert!(page.len() as u64 <= hidden && !page.is_empty() || hidden == 0);
            assert!(log.read(&subject(stream), hidden, 1).is_err());
            assert!(!log.read(&subject(stream), hidden + 2, 1).unwrap().is_empty());
            call(&log, vec![append(stream, &["new"])]).unwrap();
            assert_eq!(log.head(&subject(stream)).unwrap(), 2 * GROUPS + 1);
        }
        // It has nothing in the damaged group, and its next event says so.
        assert_eq!(read(&log, "room/c").unwrap().len(), 2);
        // Nobody knows whether this one had.
        let unknown = call(&log, vec![append("room/d", &["1"])]).unwrap_err();
        assert_eq!(place(&unknown).0, name);
        drop(log);
        assert_eq!(verified(&disk).damage.len(), 1);
        restore(&disk, &before);
        disk.flip(name, offset, 0x10);
    }
    // In the last group of all, nobody knows what any stream had.
    disk.flip(last, groups(&disk, last)[1] + 70, 0x10);
    let log = log(&disk).unwrap();
    assert_eq!(place(&log.head(&subject("match/a/1")).unwrap_err()).0, last);
    assert!(!log.read(&subject("match/a/1"), 0, 100).unwrap().is_empty());
    assert_eq!(place(&call(&log, vec![append("match/a/1", &["new"])]).unwrap_err()).0, last);
}

/// Everything on a disk is durable.
pub(super) fn synced(disk: &Faulty) {
    for name in disk.list().unwrap() {
        disk.open(&name).unwrap().sync().unwrap();
    }
    disk.sync().unwrap();
}

pub(super) fn snapshot(disk: &Faulty) -> Vec<(String, Vec<u8>)> {
    let names = disk.list().unwrap();
    names.into_iter().map(|name| (name.clone(), disk.content(&name))).collect()
}

pub(super) fn restore(disk: &Faulty, files: &[(String, Vec<u8>)]) {
    for name in disk.list().unwrap() {
        disk.remove(&name).unwrap();
    }
    for (name, content) in files {
        disk.create(name).unwrap().write_at(content, 0).unwrap();
    }
}

#[test]
fn a_bad_last_group_is_cut_off_and_told() {
    let (disk, files) = written(GROUPS);
    let last = files.last().unwrap();
    let groups = groups(&disk, last);
    let (cut, closing) = (groups[groups.len() - 2], groups[groups.len() - 1]);
    // As if the process had died while it wrote the last group.
    disk.open(last).unwrap().set_size(closing as u64 - 9).unwrap();
    let medium = open(&disk);
    assert!(medium.recovery().cut_bytes > 0 && medium.recovery().holes.is_empty());
    assert_eq!(medium.recovery().cut_at, Some((last.clone(), cut as u64)));
    drop(medium);
    let again = open(&disk);
    assert_eq!((again.recovery().cut_bytes, &again.recovery().cut_at), (0, &None));
    drop(again);
    let log = log(&disk).unwrap();
    assert_eq!(read(&log, "match/a/1").unwrap().len() as u64, 2 * GROUPS - 2);
    call(&log, vec![append("match/a/1", &["new"])]).unwrap();
    assert_eq!(read(&log, "match/a/1").unwrap().len() as u64, 2 * GROUPS - 1);
}

/// A header that is valid says that what is before it was synced: two bad groups at the end are not
/// one that was never finished.
#[test]
fn only_the_last_group_is_cut_off() {
    let (disk, files) = written(GROUPS);
    let last = files.last().unwrap();
    let groups = groups(&disk, last);
    let (first, second, closing) =
        (groups[groups.len() - 3], groups[groups.len() - 2], groups[groups.len() - 1]);
    disk.open(last).unwrap().set_size(closing as u64 - 9).unwrap();
    disk.flip(last, first + 50, 1);
    let medium = open(&disk);
    let Recovery { cut_at, holes, .. } = medium.recovery();
    assert_eq!(*cut_at, Some((last.clone(), second as u64)));
    assert!(holes.len() == 1 && holes[0].offset == first as u64, "{holes:?}");
}

/// A segment has its name only with its header: one without was damaged, and is not begun anew.
#[test]
fn an_emptied_last_segment_stops_the_start() {
    for size in [0, 32, 39] {
        let (disk, files) = written(GROUPS);
        let last = files.last().unwrap();
        disk.open(last).unwrap().set_size(size).unwrap();
        let error = log(&disk).map(|_| ()).unwrap_err();
        assert_eq!(place(&error), (last.as_str(), 0));
        assert_eq!(disk.content(last).len() as u64, size);
        assert!(!verified(&disk).damage.is_empty());
    }
}

#[test]
fn a_read_never_gives_damaged_records() {
    for (disk, files) in [written(GROUPS), sealed()] {
        let good = ["match/a/1", "match/b/1"].map(|s| read(&log(&disk).unwrap(), s).unwrap());
        let before = snapshot(&disk);
        let name = &files[0];
        let mut errors = 0;
        for at in (0..disk.content(name).len()).step_by(7) {
            disk.flip(name, at, 4);
            let log = log(&disk).unwrap();
            for (stream, good) in ["match/a/1", "match/b/1"].iter().zip(&good) {
                match read(&log, stream) {
                    Ok(found) => assert_eq!(found, *good, "{at}"),
                    Err(error) => {
                        assert_eq!(place(&error).0, name);
                        errors += 1;
                    }
                }
            }
            drop(log);
            restore(&disk, &before);
        }
        assert!(errors > 10);
    }
}

#[test]
fn a_missing_file_is_told() {
    for missing in 0..3 {
        let (disk, files) = written(GROUPS);
        disk.remove(&files[missing]).unwrap();
        let medium = open(&disk);
        let holes = medium.recovery().holes.clone();
        assert!(holes.len() == 1 && holes[0].file == files[missing], "{holes:?}");
        assert_eq!(segment_name(holes[0].first), files[missing]);
        drop(medium);
        assert_eq!(verified(&disk).damage.len(), 1);
    }
}

/// Sealing is done over and over as the log grows, and everything stays as it was.
#[test]
fn sealed_files_have_what_the_segments_had() {
    let (disk, _) = written(GROUPS);
    let streams = ["match/a/1", "match/b/1", "room/c"];
    let all = |log: &Log| streams.map(|stream| read(log, stream).unwrap());
    let before = all(&log(&disk).unwrap());
    let medium = open(&disk);
    let mut steps = 0;
    while medium.maintain().unwrap() {
        steps += 1;
    }
    assert!(steps > 5, "{steps}");
    drop(medium);
    assert!(!files(&disk)[..1].iter().any(|name| !name.ends_with("sealed")));
    let log = log(&disk).unwrap();
    assert_eq!(all(&log), before);
    for id in 0..GROUPS {
        let found = log.find(&subject("match/b/1"), "s", &format!("{id}-2")).unwrap().unwrap();
        assert_eq!(found.seq, id * 2 + 2);
        assert_eq!(found.stored, event("match/b/1", &format!("{id}-2")).stored);
    }
    assert!(log.find(&subject("match/b/1"), "s", "no").unwrap().is_none());
    assert_eq!(log.subjects("", None, 9).unwrap(), streams.map(subject));
    drop(log);
    assert!(verified(&disk).damage.is_empty());
}

#[test]
fn other_formats_and_other_logs_are_refused() {
    let (disk, files) = written(GROUPS);
    let json = String::from_utf8(disk.content("log.json")).unwrap();
    let write = |text: &str| disk.create("log.json").unwrap().write_at(text.as_bytes(), 0).unwrap();
    let refused = |reason: &str| {
        let error = log(&disk).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    };
    write(&json.replace("\"format\": 3", "\"format\": 4"));
    refused("it has format 4, and this version of matchwire reads formats 1 to 3");
    write("{\"format\":1,\"id\":\"0123456789abcdef\"}");
    refused(&format!("{} is damaged at byte 0: it is segment", files[0]));
    for broken in ["{\"form", &json.replacen("\"position\": 1", "\"position\": 2", 1)] {
        write(broken);
        refused("log.json is damaged");
    }
    write(&json);
    log(&disk).unwrap();
}

#[test]
fn one_process_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let first = Segments::open(directory.path(), super::SMALL).unwrap();
    let second = Segments::open(directory.path(), super::SMALL).map(|_| ()).unwrap_err();
    assert!(second.to_string().contains("another process has it open"), "{second}");
    crate::verify(directory.path(), None, &mut |_| ()).unwrap();
    drop(first);
    Segments::open(directory.path(), super::SMALL).unwrap();
}
