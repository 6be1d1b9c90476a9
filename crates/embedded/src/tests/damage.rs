//! Damage of every kind to what was written: it is found, and reported with its place.

use matchwire_log::Error;

use super::{append, call, event, log, read, subject};
use crate::{
    Segments,
    disk::{Disk, Faulty},
    format::GROUP_MAGIC,
    recovery::list,
    scan::segment_name,
    verify::verify_on,
};

/// A log with several segments, of which the last has several groups; and its files.
fn written() -> (Faulty, Vec<String>) {
    written_groups(24)
}

fn written_groups(groups_in_all: u64) -> (Faulty, Vec<String>) {
    let disk = Faulty::new(0);
    let log = log(&disk).unwrap();
    for id in 0..groups_in_all {
        let ids = [format!("{id}"), format!("{id}-2")];
        call(&log, vec![append("match/a/1", &ids), append("match/b/1", &ids)]).unwrap();
    }
    drop(log);
    let segments: Vec<String> = list(&disk).unwrap().into_iter().map(segment_name).collect();
    assert!(segments.len() as u64 > groups_in_all / 5);
    assert!(groups(&disk, segments.last().unwrap()).len() > 1);
    (disk, segments)
}

/// Where the groups of a segment start.
fn groups(disk: &Faulty, name: &str) -> Vec<usize> {
    let content = disk.content(name);
    (0..content.len()).filter(|at| content[*at..].starts_with(&GROUP_MAGIC)).collect()
}

fn place(error: &Error) -> (&str, u64) {
    match error {
        Error::Corrupt { file, offset, .. } => (file, *offset),
        other => panic!("{other}"),
    }
}

#[test]
fn every_flipped_bit_is_found_by_verify() {
    let (disk, segments) = written_groups(8);
    let whole = verify_on(&disk, &mut |_| ()).unwrap();
    assert_eq!((whole.events, whole.streams, whole.unfinished_bytes), (32, 2, 0));
    let last = segments.last().unwrap();
    let last_group = *groups(&disk, last).last().unwrap();
    for name in segments.iter().rev().take(2) {
        for offset in 0..disk.content(name).len() {
            disk.flip(name, offset, 1 << (offset % 8));
            match verify_on(&disk, &mut |_| ()) {
                Ok(verified) => {
                    // The last group cannot be told from one that was never finished.
                    assert!(name == last && offset >= last_group && verified.unfinished_bytes > 0);
                }
                Err(error) => {
                    let (file, at) = place(&error);
                    assert!(file == name && at <= offset as u64, "{name} {offset}: {error}");
                }
            }
            disk.flip(name, offset, 1 << (offset % 8));
        }
    }
}

#[test]
fn damage_before_the_last_group_stops_the_start() {
    let (disk, segments) = written();
    let last = segments.last().unwrap();
    let groups = groups(&disk, last);
    for offset in 0..groups[groups.len() - 1] {
        disk.flip(last, offset, 0x10);
        let error = log(&disk).map(|_| ()).unwrap_err();
        let (file, at) = place(&error);
        assert!(file == last && at <= offset as u64, "{offset}: {error}");
        let after_header = offset >= groups[0];
        assert!(!after_header || error.to_string().contains("a later one"), "{offset}: {error}");
        disk.flip(last, offset, 0x10);
    }
    log(&disk).unwrap();
}

#[test]
fn a_bad_last_group_is_cut_off_and_told() {
    let (disk, segments) = written();
    let last = segments.last().unwrap();
    let groups = groups(&disk, last);
    let cut = *groups.last().unwrap();
    let content = disk.content(last);
    let end = content.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    disk.flip(last, cut + 50, 1);
    let medium = Segments::open_on(std::sync::Arc::new(disk.clone()), super::SMALL).unwrap();
    assert_eq!(medium.recovery().cut_bytes, (end - cut) as u64);
    assert_eq!(medium.recovery().cut_at, Some((last.clone(), cut as u64)));
    drop(medium);
    let again = Segments::open_on(std::sync::Arc::new(disk.clone()), super::SMALL).unwrap();
    assert_eq!((again.recovery().cut_bytes, &again.recovery().cut_at), (0, &None));
    drop(again);
    let log = log(&disk).unwrap();
    assert_eq!(read(&log, "match/a/1").unwrap().len(), 46);
    call(&log, vec![append("match/a/1", &["new"])]).unwrap();
    assert_eq!(read(&log, "match/a/1").unwrap().len(), 47);
}

#[test]
fn a_read_never_gives_damaged_records() {
    let (disk, segments) = written();
    let name = &segments[1];
    let content = disk.content(name);
    for at in (0..content.len()).filter(|at| content[*at..].starts_with(b"{\"specversion")) {
        disk.flip(name, at + 30, 4);
        let log = log(&disk).unwrap();
        let errors = ["match/a/1", "match/b/1"].map(|stream| read(&log, stream).err());
        let error = errors.iter().flatten().next().unwrap();
        assert!(place(error).0 == name && errors.iter().flatten().count() == 1, "{errors:?}");
        disk.flip(name, at + 30, 4);
    }
}

#[test]
fn a_missing_segment_is_told() {
    for missing in 0..3 {
        let (disk, segments) = written();
        disk.remove(&segments[missing]).unwrap();
        let error = log(&disk).map(|_| ()).unwrap_err();
        let (file, _) = place(&error);
        assert!(
            segments[missing.saturating_sub(1)..=missing + 1].contains(&file.to_owned()),
            "{error}"
        );
        assert!(verify_on(&disk, &mut |_| ()).is_err());
    }
}

#[test]
fn a_damaged_or_missing_index_is_built_again() {
    let (disk, segments) = written();
    let name = segments[2].replace(".seg", ".idx");
    let good = disk.content(&name);
    let check = |when: &str| {
        let log = log(&disk).unwrap();
        assert_eq!(read(&log, "match/a/1").unwrap().len(), 48, "{when}");
        for id in 0..24 {
            let found = log.find(&subject("match/b/1"), "s", &format!("{id}-2")).unwrap().unwrap();
            assert_eq!(found.seq, id * 2 + 2, "{when}");
            assert_eq!(found.stored, event("match/b/1", &format!("{id}-2")).stored);
        }
    };
    for offset in 0..good.len() {
        // Most of a page is zeros; some of them will do.
        if good[offset] != 0 || offset % 257 == 0 || offset % 4_096 > 4_090 {
            disk.flip(&name, offset, 0x41);
            check(&format!("byte {offset} of {}", good.len()));
        }
    }
    disk.remove(&name).unwrap();
    check("missing");
    assert!(disk.content(&name) == good);
    disk.open(&name).unwrap().set_size(4_096).unwrap();
    check("short");
    assert!(disk.content(&name) == good);
}

#[test]
fn an_index_may_go_missing_while_it_is_used() {
    let (disk, segments) = written();
    let log = log(&disk).unwrap();
    disk.remove(&segments[0].replace(".seg", ".idx")).unwrap();
    assert_eq!(read(&log, "match/a/1").unwrap().len(), 48);
    for offset in 0..disk.content(&segments[1].replace(".seg", ".idx")).len() / 512 {
        disk.flip(&segments[1].replace(".seg", ".idx"), offset * 512, 1);
    }
    assert_eq!(read(&log, "match/b/1").unwrap().len(), 48);
}

#[test]
fn other_formats_and_other_logs_are_refused() {
    let (disk, segments) = written();
    let json = String::from_utf8(disk.content("log.json")).unwrap();
    let write = |text: &str| disk.create("log.json").unwrap().write_at(text.as_bytes(), 0).unwrap();
    let refused = |reason: &str| {
        let error = log(&disk).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    };
    write(&json.replace("\"format\":1", "\"format\":2"));
    refused("it has format 2, and this version reads format 1");
    write("{\"format\":1,\"id\":\"0123456789abcdef\"}");
    refused(&format!("{} is damaged at byte 0: it is segment", segments.last().unwrap()));
    write("{\"form");
    refused("log.json is damaged");
    write(&json);
    log(&disk).unwrap();
}

#[test]
fn one_process_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let first = Segments::open(directory.path(), super::SMALL).unwrap();
    let second = Segments::open(directory.path(), super::SMALL).map(|_| ()).unwrap_err();
    assert!(second.to_string().contains("another process has it open"), "{second}");
    crate::verify(directory.path(), &mut |_| ()).unwrap();
    drop(first);
    Segments::open(directory.path(), super::SMALL).unwrap();
}
