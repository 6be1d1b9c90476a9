//! Reading a log from beside, and counting it.

use std::sync::Arc;

use matchwire_domain::envelope::Recorded;
use matchwire_log::{Error, Log, ManualClock, Options as Bounds};

use super::{SMALL, append, call, subject};
use crate::{
    Export, Segments,
    disk::{Disk as _, Faulty},
    stats_on, verify_on,
};

fn stream(log: &Log, name: &str) -> Vec<Recorded> {
    let entries = log.read(&subject(name), 0, 1_000).unwrap();
    entries.into_iter().map(|entry| entry.recorded).collect()
}

fn exported(export: &Export, name: &str) -> Vec<Recorded> {
    let mut all: Vec<Recorded> = Vec::new();
    loop {
        let after = all.last().map_or(0, |last| last.seq);
        let page = export.read(&subject(name), after, 3, usize::MAX).unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// That a log is to be read as another one is, stream by stream and group by group.
pub(super) fn is_read_like(log: &Log, other: &Log) {
    assert_eq!((log.id(), log.lineage()), (other.id(), other.lineage()));
    assert_eq!(log.last_group(), other.last_group());
    for subject in other.subjects("", None, 1_000).unwrap() {
        assert_eq!(log.head(&subject).unwrap(), other.head(&subject).unwrap(), "{subject}");
        for group in 0..=log.last_group() + 1 {
            let before = other.seq_before(&subject, group).unwrap();
            assert_eq!(log.seq_before(&subject, group).unwrap(), before, "{subject} {group}");
        }
        let all = |log: &Log| {
            let (mut all, mut after) = (Vec::new(), 0);
            loop {
                match log.read(&subject, after, 5) {
                    Err(Error::Trimmed { floor, .. }) => after = floor.seq,
                    page => {
                        let page = page.unwrap();
                        let Some(last) = page.last() else { return all };
                        after = last.recorded.seq;
                        all.extend(page.into_iter().map(|entry| entry.recorded));
                    }
                }
            }
        };
        assert_eq!(all(log), all(other), "{subject}");
    }
    assert_eq!(log.subjects("", None, 1_000).unwrap(), other.subjects("", None, 1_000).unwrap());
}

#[test]
fn what_is_seen_from_beside_is_the_log() {
    let disk = Faulty::new(1);
    let medium = Segments::open_on(Arc::new(disk.clone()), SMALL).unwrap();
    // Some of it is sealed and merged, some waits, some is in the open segment.
    let clock = Arc::new(ManualClock::new(1_000));
    let (log, mut steps) = Log::stepped(Box::new(medium), clock.clone(), Bounds::default());
    for n in 0..60 {
        clock.set(1_000 + n);
        let ids = [format!("a{n}"), format!("b{n}")];
        log.submit(vec![append("match/m1/1", &ids), append(&format!("match/m{n}/2"), &ids)])
            .unwrap();
        assert!(steps.step());
    }
    drop((log, steps));
    let medium = Segments::open_on(Arc::new(disk.clone()), SMALL).unwrap();
    for _ in 0..4 {
        assert!(medium.maintain().unwrap());
    }
    let bounds = Bounds { recent_bytes: 0, ..Bounds::default() };
    let log = Log::open_with(Box::new(medium), clock, bounds).unwrap();
    call(&log, vec![append("match/m1/1", &["last"])]).unwrap();

    let export = Export::open_on(&disk, None).unwrap();
    assert_eq!(export.log_id(), log.id());
    assert_eq!(&export.lineage(), log.lineage());
    assert!(export.holes().is_empty());
    let subjects = export.subjects("match/", None, 1_000).unwrap();
    assert_eq!(subjects, log.subjects("match/", None, 1_000).unwrap());
    assert_eq!(subjects.len(), 61);
    for subject in &subjects {
        let name = subject.as_str();
        assert_eq!(exported(&export, name), stream(&log, name), "{name}");
    }
    is_read_like(&export.into_log(), &log);

    let stats = stats_on(&disk).unwrap();
    let verified = verify_on(&disk, &mut |_| {}).unwrap();
    assert_eq!((stats.events, stats.streams), (60 * 4 + 1, 61));
    assert_eq!((stats.events, stats.streams), (verified.events, verified.streams));
    assert_eq!(stats.sealed.count + stats.segments.count, verified.files);
    let stored: usize =
        subjects.iter().flat_map(|s| stream(&log, s.as_str())).map(|r| r.stored.len()).sum();
    assert_eq!(stats.stored_bytes, stored as u64);
    let (oldest, newest) = stats.recorded.unwrap();
    assert_eq!((oldest.ms(), newest.ms()), (1_000, 1_059));
    assert!(stats.sealed.count > 0 && stats.segments.count > 1);
    assert_eq!(stats.disk_bytes(), stats.sealed.bytes + stats.segments.bytes + stats.other.bytes);
}

#[test]
fn a_damaged_log_gives_what_is_there() {
    let disk = Faulty::new(2);
    let log = super::log(&disk).unwrap();
    for n in 0..40 {
        call(&log, vec![append("match/m1/1", &[format!("{n}")])]).unwrap();
    }
    let whole = stream(&log, "match/m1/1");
    drop(log);
    let mut names = disk.list().unwrap();
    names.retain(|name| name.strip_suffix(".seg").is_some());
    names.sort();
    disk.remove(&names[1]).unwrap();
    let export = Export::open_on(&disk, None).unwrap();
    let there = exported(&export, "match/m1/1");
    assert_eq!(export.holes().len(), 1);
    // As a log it says where the damage is, and gives nothing that lies across it.
    let frozen = Export::open_on(&disk, None).unwrap().into_log();
    let read = frozen.read(&subject("match/m1/1"), 0, 1_000).unwrap();
    let read: Vec<Recorded> = read.into_iter().map(|entry| entry.recorded).collect();
    assert!(!read.is_empty() && whole.starts_with(&read));
    let behind = frozen.read(&subject("match/m1/1"), read.len() as u64, 1);
    assert!(matches!(behind, Err(Error::Corrupt { .. })), "{behind:?}");
    assert!(there.len() < whole.len() && there.first() == whole.first());
    assert_eq!(there.last(), whole.last());
    let lost = (whole.len() - there.len()) as u64;
    let stats = stats_on(&disk).unwrap();
    assert_eq!((stats.events, stats.missing_groups), (there.len() as u64, lost));
    let medium = Segments::open_on(Arc::new(disk), SMALL).unwrap();
    assert_eq!(medium.monitor().holes(), medium.holes());
    assert_eq!(medium.monitor().damage().len(), 1);
}
