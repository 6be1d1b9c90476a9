//! Losses that are accepted: whole groups, and blocks of sealed files.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Instant,
};

use matchwire_domain::envelope::{Attributes, Event};
use matchwire_log::{Append, Error, Log, ManualClock, Medium as _, Options as Bounds};

use rand::{Rng, SeedableRng, rngs::SmallRng};

use super::{
    SMALL, append, call,
    damage::{GROUPS, groups, open, restore, sealed, snapshot, verified, written},
    event, log, read, subject,
};
use crate::{
    AcceptedLoss, Options, Segments, accept_loss_on,
    disk::{Disk, Faulty},
    recovery::{Listed, list},
    replacement::identity,
    scan::segment_name,
    sealed::sealed_name,
};

const LARGE: Options = Options { segment_bytes: 2 << 20, ..SMALL };
const STREAMS: [&str; 3] = ["match/a/1", "match/b/1", "match/c/1"];
const EVENTS: u64 = 300;

fn large_event(stream: &str, id: u64) -> Event {
    let json = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"s","subject":"{stream}","type":"x.test"}}"#
    );
    let data = format!("\"{}\"", "x".repeat(1_000));
    Event::new(&Attributes::parse(&json).unwrap(), &data).unwrap()
}

fn large_log(disk: &Faulty) -> Log {
    let medium = Segments::open_on(Arc::new(disk.clone()), LARGE).unwrap();
    let bounds = Bounds { recent_bytes: 0, ..Bounds::default() };
    Log::open_with(Box::new(medium), Arc::new(ManualClock::new(1_000)), bounds).unwrap()
}

/// A sealed file of many blocks, with a segment behind it that goes on with its streams; one stream
/// is in the file alone.
fn large() -> (Faulty, String) {
    let disk = Faulty::new(0);
    let log = large_log(&disk);
    let put = |stream: &str, ids: std::ops::Range<u64>| {
        let events = ids.map(|id| large_event(stream, id)).collect();
        let (subject, received) = (subject(stream), Instant::now());
        let append = Append { subject, events, expected_seq: None, received };
        call(&log, vec![append]).unwrap();
    };
    for start in (0..EVENTS).step_by(100) {
        for stream in STREAMS {
            put(stream, start..start + 100);
        }
    }
    // It fills the segment.
    put("room/fill", 0..1_200);
    for stream in &STREAMS[..2] {
        put(stream, EVENTS..EVENTS + 10);
    }
    drop(log);
    let medium = Segments::open_on(Arc::new(disk.clone()), LARGE).unwrap();
    while medium.maintain().unwrap() {}
    drop(medium);
    let name = list(&disk).unwrap().into_iter().find_map(|file| match file {
        Listed::Sealed(range) => Some(sealed_name(range)),
        Listed::Segment(_) => None,
    });
    (disk, name.unwrap())
}

/// The seqs of a stream, page by page; no page has a gap.
fn seqs(medium: &Segments, stream: &str) -> Result<Vec<u64>, Error> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = medium.read(&subject(stream), after, 40, usize::MAX)?;
        let Some(last) = page.last() else { return Ok(found) };
        assert!(page.is_sorted_by(|one, other| one.seq + 1 == other.seq));
        after = last.seq;
        found.extend(page.iter().map(|recorded| recorded.seq));
    }
}

fn frames(disk: &Faulty, name: &str) -> Vec<usize> {
    let content = disk.content(name);
    let magic = b"\xF8MWFRM\r\n";
    (0..content.len()).filter(|at| content[*at..].starts_with(magic)).collect()
}

/// Whichever frames are damaged, what is left can be read, heads are known as far as the table tells
/// them, duplicates are found among what is left, and the log goes on.
#[test]
fn lost_blocks_leave_the_rest() {
    let (disk, name) = large();
    let whole = snapshot(&disk);
    let frames = frames(&disk, &name);
    assert!(frames.len() > 12, "{}", frames.len());
    let lineage = log(&disk).unwrap().lineage().current().to_owned();
    let blocks: Vec<usize> = (0..8).collect();
    let footer = disk.content(&name).len() - 60;
    for (number, block) in blocks.into_iter().enumerate() {
        restore(&disk, &whole);
        disk.flip(&name, frames[block] + 40, 1);
        disk.flip(&name, frames[(block + 3) % 8] + 30, 1);
        // Every other time the index cannot be read either.
        if number % 2 == 1 {
            disk.flip(&name, footer, 1);
        }
        let accepted = accept_loss_on(&disk).unwrap();
        assert_eq!((accepted.files.len(), accepted.groups.len()), (1, 0), "{accepted:?}");
        assert!(!accepted.streams.is_empty() && accepted.lineage != lineage);
        assert_eq!(accepted.kept, [format!("{name}.damaged")]);
        let verified = verified(&disk);
        assert!(verified.damage.is_empty(), "{number}: {:?}", verified.damage);
        let medium = Segments::open_on(Arc::new(disk.clone()), LARGE).unwrap();
        let mut lost = 0;
        for stream in STREAMS {
            let found = seqs(&medium, stream).unwrap();
            let gone = |seq: &u64| {
                let of = |it: &&crate::LostEvents| it.subject == stream;
                let mut lost = accepted.streams.iter().filter(of);
                lost.any(|it| (it.first_seq..=it.last_seq).contains(seq))
            };
            let head = medium.head(&subject(stream)).unwrap().unwrap().seq;
            let expected = if stream == STREAMS[2] { EVENTS } else { EVENTS + 10 };
            assert_eq!(head, expected, "{number} {stream}");
            lost += (1..=head).filter(gone).count();
            let left: Vec<u64> = (1..=head).filter(|seq| !gone(seq)).collect();
            assert_eq!(found, left, "{number} {stream}");
        }
        assert!(lost > 0);
        drop(medium);
        let again = accept_loss_on(&disk).unwrap();
        assert!(again.files.is_empty() && again.lineage == accepted.lineage, "{again:?}");
        goes_on(&disk);
        merges(&disk, &accepted);
    }
}

/// What is lost stays known when files are merged.
fn merges(disk: &Faulty, accepted: &AcceptedLoss) {
    let medium = || {
        Segments::open_on(Arc::new(disk.clone()), Options { segment_bytes: 1, ..LARGE }).unwrap()
    };
    let before = STREAMS.map(|stream| seqs(&medium(), stream).unwrap());
    for id in 0..4 {
        let bounds = Bounds { recent_bytes: 0, ..Bounds::default() };
        let clock = Arc::new(ManualClock::new(1_000));
        let log = Log::open_with(Box::new(medium()), clock, bounds).unwrap();
        call(&log, vec![append("room/d", &[format!("{id}")])]).unwrap();
    }
    let merged = medium();
    while merged.maintain().unwrap() {}
    assert!(merged.storage().sealed.count < 4, "{:?}", merged.storage());
    drop(merged);
    assert_eq!(STREAMS.map(|stream| seqs(&medium(), stream).unwrap()), before);
    assert!(verified(disk).damage.is_empty(), "{accepted:?}");
}

/// Damage in any number of places, in tables and footer too: what is left is what was there.
#[test]
fn what_is_left_is_what_was_there() {
    let (disk, name) = large();
    let whole = snapshot(&disk);
    let open = || Segments::open_on(Arc::new(disk.clone()), LARGE).unwrap();
    let good = STREAMS.map(|stream| open().read(&subject(stream), 0, 1_000, 1 << 30).unwrap());
    let seed: u64 = RandomState::new().hash_one("seed");
    println!("seed {seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    for _ in 0..30 {
        restore(&disk, &whole);
        for _ in 0..random.random_range(2..20) {
            let at = random.random_range(0..disk.content(&name).len());
            disk.flip(&name, at, 1);
        }
        let accepted = accept_loss_on(&disk).unwrap();
        let damage = verified(&disk).damage;
        assert!(damage.is_empty(), "{accepted:?} {damage:?}");
        let medium = open();
        for (stream, good) in STREAMS.iter().zip(&good) {
            let mut after = 0;
            while let Some(page) = Some(medium.read(&subject(stream), after, 50, 1 << 20).unwrap())
                && let Some(last) = page.last()
            {
                after = last.seq;
                assert!(page.iter().all(|recorded| good.contains(recorded)), "{accepted:?}");
            }
            let head = medium.head(&subject(stream)).unwrap().map_or(0, |head| head.seq);
            assert!(head >= after);
        }
        drop(medium);
        goes_on(&disk);
        let merged = Segments::open_on(Arc::new(disk.clone()), LARGE).unwrap();
        while merged.maintain().unwrap() {}
        drop(merged);
        assert!(verified(&disk).damage.is_empty(), "{accepted:?}");
    }
}

fn goes_on(disk: &Faulty) {
    let log = large_log(disk);
    for stream in STREAMS {
        let head = log.head(&subject(stream)).unwrap();
        let events = vec![large_event(stream, 0), large_event(stream, 9_999)];
        let (subject, received) = (subject(stream), Instant::now());
        let append = Append { subject: subject.clone(), events, expected_seq: None, received };
        call(&log, vec![append]).unwrap();
        let new = log.head(&subject).unwrap() - head;
        assert!(new == 1 || new == 2, "{stream} has {new} new events");
        assert_eq!(log.read(&subject, head, 10).unwrap().len() as u64, new);
    }
}

/// A hole is accepted: streams go on behind it, and everything can be sealed.
#[test]
fn lost_groups_are_a_gap() {
    for (group, stays) in [(1, true), (0, true), (1, false)] {
        let (disk, files) = written(GROUPS);
        let name = if stays { &files[2] } else { files.last().unwrap() };
        disk.flip(name, groups(&disk, name)[group] + 70, 1);
        let hole = open(&disk).holes()[0].clone();
        let before = super::damage::verified(&disk);
        assert_eq!(before.damage.len(), 1);
        let accepted = accept_loss_on(&disk).unwrap();
        assert_eq!(accepted.groups, [(hole.first, hole.last)]);
        let lost = (hole.last + 1 - hole.first) * 2;
        for stream in &accepted.streams {
            assert_eq!(stream.last_seq + 1 - stream.first_seq, lost, "{stream:?}");
        }
        // Behind the last group there is nothing that tells what it had.
        let is_last = hole.last == GROUPS;
        assert_eq!(accepted.streams.len(), if is_last { 0 } else { 2 }, "{accepted:?}");
        let head = if is_last { 2 * GROUPS - lost } else { 2 * GROUPS };
        let verified = verified(&disk);
        assert!(verified.damage.is_empty() && verified.accepted.len() == 1, "{verified:?}");
        let medium = open(&disk);
        assert!(medium.recovery().holes.is_empty());
        while medium.maintain().unwrap() {}
        let seqs = seqs(&medium, "match/a/1").unwrap();
        let first_lost = (hole.first - 1) * 2 + 1;
        let left = (1..=GROUPS * 2).filter(|seq| !(first_lost..first_lost + lost).contains(seq));
        assert_eq!(seqs, left.collect::<Vec<_>>());
        drop(medium);
        let log = log(&disk).unwrap();
        assert_eq!(log.lineage().forks().last().unwrap().position, hole.first);
        assert_eq!(read(&log, "room/c").unwrap().len(), if is_last { 1 } else { 2 });
        call(&log, vec![append("room/new", &["1"]), append("match/a/1", &["new"])]).unwrap();
        assert_eq!(log.head(&subject("match/a/1")).unwrap(), head + 1);
        drop(log);
        let medium = open(&disk);
        while medium.maintain().unwrap() {}
        drop(medium);
        assert!(super::damage::verified(&disk).damage.is_empty());
        assert_eq!(accept_loss_on(&disk).unwrap().groups, []);
    }
}

/// Segments behind a hole that nobody has accepted yet are sealed, too.
/// Its positions are given again, in another history.
#[test]
fn a_last_segment_of_which_nothing_is_left_is_given_up() {
    let (disk, files) = written(GROUPS);
    let (last, before) = (files.last().unwrap(), identity(&disk).unwrap().lineage());
    disk.open(last).unwrap().set_size(20).unwrap();
    let accepted = accept_loss_on(&disk).unwrap();
    let [(first, _)] = accepted.groups[..] else { panic!("{accepted:?}") };
    assert_eq!(segment_name(first), *last);
    assert_eq!(accepted.kept, [format!("{last}.damaged")]);
    assert!(verified(&disk).damage.is_empty());
    let lineage = identity(&disk).unwrap().lineage();
    assert_eq!(lineage.shared_until(before.current()), Some(first));
    goes_on(&disk);
    assert_eq!(accept_loss_on(&disk).unwrap().groups, []);
}

#[test]
fn a_hole_does_not_stop_the_keeper() {
    let (disk, files) = written(GROUPS);
    disk.flip(&files[2], groups(&disk, &files[2])[0] + 70, 1);
    let medium = open(&disk);
    while medium.maintain().unwrap() {}
    assert_eq!(medium.holes().len(), 1);
    assert_eq!(medium.storage().waiting.count, 0);
    drop(medium);
    assert_eq!(verified(&disk).damage.len(), 1);
    let log = log(&disk).unwrap();
    let event = event("match/a/1", &format!("{}-2", GROUPS - 1));
    let found = log.find(&subject("match/a/1"), "s", &event.id).unwrap().unwrap();
    assert_eq!(found.seq, GROUPS * 2);
}

/// Wherever it is interrupted, a repeat finishes it, and the lineage is another one.
#[test]
fn accepting_can_be_interrupted_anywhere() {
    let harms: [(Faulty, Vec<(String, usize)>); 3] = [
        {
            let (disk, files) = written(GROUPS);
            let at = groups(&disk, &files[2])[1] + 70;
            (disk, vec![(files[2].clone(), at)])
        },
        {
            let (disk, files) = sealed();
            let size = disk.content(&files[0]).len();
            (disk, vec![(files[0].clone(), 100), (files[0].clone(), size - 9)])
        },
        {
            let (disk, files) = sealed();
            (disk, vec![(files[0].clone(), 100)])
        },
    ];
    for (source, flips) in harms {
        let old = log(&source).unwrap().lineage().current().to_owned();
        let whole = snapshot(&source);
        for changes in 1.. {
            assert!(changes < 300, "accepting comes to an end");
            let disk = Faulty::new(changes);
            restore(&disk, &whole);
            for (name, at) in &flips {
                disk.flip(name, *at, 1);
            }
            for name in disk.list().unwrap() {
                disk.open(&name).unwrap().sync().unwrap();
            }
            disk.sync().unwrap();
            disk.crash_after(changes);
            let is_done = accept_loss_on(&disk).is_ok();
            disk.restart();
            drop(log(&disk).unwrap());
            let again = accept_loss_on(&disk).unwrap();
            assert_ne!(again.lineage, old);
            assert!(verified(&disk).damage.is_empty(), "{changes}");
            let log = log(&disk).unwrap();
            assert_eq!(log.lineage().forks().len(), 2, "{changes}");
            assert_eq!(log.head(&subject("match/a/1")).unwrap(), 2 * GROUPS);
            call(&log, vec![append("match/a/1", &["new"])]).unwrap();
            if is_done {
                break;
            }
        }
    }
}
