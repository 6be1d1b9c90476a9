//! Events are removed when they are past their age: what stays of them, and what is told.

use std::{sync::Arc, time::Duration};

use matchwire_domain::{chain::Digest, timestamp::Timestamp};
use matchwire_log::{Error, Log, ManualClock, Options as Bounds, Outcome, Refused, medium::Floor};

use super::{SMALL, append, call, event, subject};
use crate::{
    Export, Lifecycle, Options, Retention, Segments,
    disk::{Disk, Fault, Faulty},
    verify_on,
};

const MINUTE_MS: i64 = 60_000;

fn lifecycle(rules: &[&str]) -> Lifecycle {
    let rules = rules.iter().map(|rule| rule.parse().unwrap()).collect();
    Lifecycle { retention: Retention::new(rules), ..Lifecycle::default() }
}

/// A log whose clock can be set, with its medium.
struct Aged {
    disk: Faulty,
    clock: Arc<ManualClock>,
    log: Log,
    medium: Arc<Segments>,
}

impl Aged {
    fn open(disk: &Faulty, rules: &[&str], options: Options) -> Self {
        let clock = Arc::new(ManualClock::new(0));
        let disk = disk.clone();
        let medium = Segments::open_with(Arc::new(disk.clone()), options, lifecycle(rules));
        let medium = Arc::new(medium.unwrap());
        let bounds = Bounds { recent_bytes: 0, ..Bounds::default() };
        let log = Log::open_with(Box::new(medium.clone()), clock.clone(), bounds).unwrap();
        Self { disk, clock, log, medium }
    }

    /// Appends an event with an id at a minute.
    fn put(&self, stream: &str, minute: i64, id: &str) -> Result<Vec<Outcome>, Refused> {
        self.clock.set(minute * MINUTE_MS);
        call(&self.log, vec![append(stream, &[id])]).unwrap().remove(0)
    }

    /// Does all that is due at a minute.
    fn age(&self, minute: i64) {
        loop {
            let aged = self.medium.age(Timestamp::from_ms(minute * MINUTE_MS)).unwrap();
            let mut any = aged;
            while self.medium.maintain().unwrap() {
                any = true;
            }
            if !any {
                return;
            }
        }
    }

    /// The seqs and the chain of what can be read behind the floor, which is checked.
    fn read(&self, stream: &str) -> (Option<Floor>, Vec<u64>) {
        let subject = subject(stream);
        let (mut after, mut floor) = (0, None);
        let mut chain = Digest::genesis(self.log.id(), &subject);
        let mut seqs = Vec::new();
        loop {
            match self.log.read(&subject, after, 3) {
                Ok(page) if page.is_empty() => {
                    assert_eq!(self.log.head(&subject).unwrap(), after);
                    return (floor, seqs);
                }
                Ok(page) => {
                    for entry in page {
                        let it = entry.recorded;
                        chain = chain.next(it.seq, it.recorded, it.leaf);
                        assert_eq!((it.seq, it.chain), (after + 1, chain));
                        after = it.seq;
                        seqs.push(it.seq);
                    }
                }
                Err(Error::Trimmed { subject: of, floor: it }) => {
                    assert!(of == subject && it.seq > after && seqs.is_empty(), "{it:?}");
                    (after, chain, floor) = (it.seq, it.chain, Some(it));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn is_whole(&self) {
        assert_eq!(verify_on(&self.disk, &mut |_| ()).unwrap().damage, []);
    }
}

#[test]
fn what_is_past_its_age_is_removed_and_the_rest_goes_on() {
    let disk = Faulty::new(1);
    let rules = ["room/kept=forever", "room/*=100m"];
    let mut log = Aged::open(&disk, &rules, SMALL);
    for minute in 0..60 {
        for stream in ["match/a/1", "room/r", "room/kept"] {
            log.put(stream, minute, &format!("e{minute}")).unwrap();
        }
    }
    let all: Vec<u64> = (1..=60).collect();
    // An eighth of the age may pass before it is removed.
    log.age(111);
    assert_eq!(log.read("room/r"), (None, all.clone()));
    log.age(130);
    for round in 0..3 {
        let (floor, seqs) = log.read("room/r");
        assert!((20..=30).contains(&floor.unwrap().seq), "{floor:?}");
        assert_eq!(seqs.last(), Some(&60));
        assert_eq!(log.read("match/a/1"), (None, all.clone()));
        assert_eq!(log.read("room/kept"), (None, all.clone()));
        log.is_whole();
        // What was removed stays a duplicate, of which no more than the seq is known.
        assert_eq!(log.put("room/r", 130, "e0"), Ok(vec![Outcome::Known { seq: 1 }]));
        let later = log.put("room/r", 130, "e59").unwrap();
        assert!(matches!(later[0], Outcome::Duplicate { seq: 60, .. }), "{later:?}");
        let found = log.log.find(&subject("room/r"), "s", "e0");
        assert!(matches!(found, Err(Error::Trimmed { .. })), "{found:?}");
        let none = log.log.find(&subject("room/r"), "s", "e999").unwrap();
        assert!(none.is_none());
        if round < 2 {
            drop(log);
            log = Aged::open(&disk, &rules, SMALL);
        }
    }
    let export = Export::open_on(&disk, None).unwrap();
    let first = export.read(&subject("room/r"), 0, 1, 1).unwrap();
    let floor = log.read("room/r").0.unwrap();
    assert_eq!(first[0].seq, floor.seq + 1);
    super::export::is_read_like(&export.into_log(), &log.log);
}

#[test]
fn a_stream_of_which_nothing_is_left_goes_on_from_its_head() {
    let disk = Faulty::new(2);
    let mut log = Aged::open(&disk, &["**=1m"], SMALL);
    for minute in 0..30 {
        log.put("room/r", minute, &format!("e{minute}")).unwrap();
    }
    let before = log.log.read(&subject("room/r"), 29, 1).unwrap().remove(0).recorded;
    log.age(1_000);
    for opened in 0..2 {
        let (floor, seqs) = log.read("room/r");
        assert_eq!(floor, Some(Floor { seq: 30, chain: before.chain }));
        assert_eq!(seqs.len(), 0);
        log.is_whole();
        let next = log.put("room/r", 2_000, &format!("new-{opened}")).unwrap();
        let Outcome::Appended { seq: 31, leaf, chain } = next[0] else { panic!("{next:?}") };
        let at = Timestamp::from_ms(2_000 * MINUTE_MS);
        assert_eq!(chain, before.chain.next(31, at, leaf));
        assert_eq!(log.read("room/r").1, [31]);
        // Not sealed yet, it is sealed for its age, and goes as well.
        drop(log);
        log = Aged::open(&disk, &["**=1m"], SMALL);
        if opened == 0 {
            break;
        }
    }
    log.age(3_000);
    assert_eq!(log.read("room/r").0.map(|floor| floor.seq), Some(31));
    let storage = log.medium.storage();
    assert_eq!((storage.sealed_events, storage.trimmed_events), (0, 31));
}

#[test]
fn a_sealed_stream_that_is_trimmed_stays_sealed() {
    let disk = Faulty::new(3);
    let log = Aged::open(&disk, &["room/*=1m"], SMALL);
    log.put("room/r", 0, "1").unwrap();
    log.clock.set(MINUTE_MS);
    let json =
        r#"{"specversion":"1.0","id":"2","source":"s","subject":"room/r","type":"stream.sealed"}"#;
    let attributes = matchwire_domain::envelope::Attributes::parse(json).unwrap();
    let mut last = append("room/r", &["2"]);
    last.events = vec![matchwire_domain::envelope::Event::new(&attributes, "{}").unwrap()];
    call(&log.log, vec![last]).unwrap().remove(0).unwrap();
    log.age(100);
    assert_eq!(log.read("room/r").0.map(|floor| floor.seq), Some(2));
    assert_eq!(log.put("room/r", 101, "3"), Err(Refused::Sealed { seq: 2 }));
    assert_eq!(log.put("room/r", 101, "2"), Ok(vec![Outcome::Known { seq: 2 }]));
}

/// Each crash of the disk on the way leaves the file as it was, or trimmed; never anything else.
#[test]
fn a_crash_leaves_one_or_the_other() {
    let mut steps = 0;
    loop {
        let disk = Faulty::new(4);
        let log = Aged::open(&disk, &["room/*=10m"], SMALL);
        for minute in 0..40 {
            log.put("room/r", minute, &format!("e{minute}")).unwrap();
        }
        while log.medium.maintain().unwrap() {}
        disk.crash_after(steps);
        let aged = log.medium.age(Timestamp::from_ms(45 * MINUTE_MS));
        let is_through = !disk.has_crashed();
        assert!(is_through == aged.is_ok(), "{aged:?}");
        drop(log);
        disk.restart();
        let log = Aged::open(&disk, &["room/*=10m"], SMALL);
        let (floor, seqs) = log.read("room/r");
        assert_eq!(floor.map_or(0, |floor| floor.seq) + seqs.len() as u64, 40);
        log.is_whole();
        log.age(45);
        assert!(log.read("room/r").0.is_some_and(|floor| floor.seq >= 30));
        assert_eq!(log.put("room/r", 50, "e3"), Ok(vec![Outcome::Known { seq: 4 }]));
        if is_through {
            break;
        }
        steps += 1;
    }
    assert!(steps > 5, "{steps}");
}

/// A merged file may have its name though the sync of that failed. What was trimmed from its parts
/// does not come back with it.
#[test]
fn a_merge_that_was_not_synced_brings_nothing_back() {
    for syncs in 0..40 {
        let disk = Faulty::new(7);
        let log = Aged::open(&disk, &["room/*=10m"], SMALL);
        for minute in 0..40 {
            log.put("room/r", minute, &format!("e{minute}")).unwrap();
        }
        disk.fail_after(Fault::Sync, syncs);
        // It is not tried again before the next thing is done.
        while log.medium.maintain().unwrap_or(false) {}
        disk.calm();
        while log.medium.age(Timestamp::from_ms(45 * MINUTE_MS)).unwrap() {}
        let (told, _) = log.read("room/r");
        drop(log);
        disk.crash_after(0);
        disk.restart();
        let log = Aged::open(&disk, &["room/*=10m"], SMALL);
        assert_eq!(log.read("room/r").0, told, "after {syncs} syncs");
    }
}

/// The names of files stay, and nothing of what was removed is left in them.
#[test]
fn nothing_of_it_is_left_on_the_disk() {
    let disk = Faulty::new(5);
    let log = Aged::open(&disk, &["room/*=10m"], SMALL);
    for minute in 0..40 {
        let (mut append, name) = (append("room/r", &["x"]), format!("secret-{minute}"));
        append.events = vec![event("room/r", &name)];
        log.clock.set(minute * MINUTE_MS);
        call(&log.log, vec![append]).unwrap().remove(0).unwrap();
    }
    log.age(1_000);
    assert_eq!(log.read("room/r").1.len(), 0);
    drop(log);
    for name in disk.list().unwrap() {
        let file = disk.open(&name).unwrap();
        let mut bytes = vec![0; usize::try_from(file.size().unwrap()).unwrap()];
        file.read_at(&mut bytes, 0).unwrap();
        let has = bytes.windows(7).any(|window| window == b"secret-");
        assert!(!has, "{name}");
    }
}

/// In the background, by the real clock, from a log that is old already.
#[test]
fn the_keeper_does_it_by_itself() {
    let disk = Faulty::new(6);
    let options = Options { background: true, ..SMALL };
    let log = Aged::open(&disk, &["room/*=1m"], options);
    for minute in 0..10 {
        log.put("room/r", minute, &format!("e{minute}")).unwrap();
    }
    let begun = std::time::Instant::now();
    let is_trimmed = || match log.log.read(&subject("room/r"), 0, 1) {
        Err(Error::Trimmed { floor, .. }) => floor.seq == 10,
        _ => false,
    };
    while !is_trimmed() {
        assert!(begun.elapsed() < Duration::from_mins(1), "it was not trimmed");
        std::thread::yield_now();
    }
    log.is_whole();
}
