//! The runner on the log in memory.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, ThreadId},
    time::Instant,
};

use matchwire_domain::{
    envelope::{Attributes, Event, Recorded},
    live_match::Games,
    subject::Subject,
};
use parking_lot::Mutex;

use super::*;
use crate::{
    Append, ManualClock, Memory, SystemClock,
    medium::{Head, Hits, Identity, Medium, Record, Tail, Written},
};

/// A medium that tells who read what, and can be made to fail.
#[derive(Clone)]
struct Watched {
    memory: Memory,
    reads: Arc<Mutex<Vec<(u64, ThreadId)>>>,
    is_broken: Arc<AtomicBool>,
}

impl Medium for Watched {
    fn identity(&self) -> &Identity {
        self.memory.identity()
    }

    fn tail(&self) -> Tail {
        self.memory.tail()
    }

    fn head(&self, subject: &Subject) -> Result<Option<Head>, Error> {
        self.memory.head(subject)
    }
    fn seq_before(&self, subject: &Subject, position: u64) -> Result<u64, Error> {
        self.memory.seq_before(subject, position)
    }
    fn subjects(
        &self,
        prefix: &str,
        after: Option<&str>,
        positions: RangeInclusive<u64>,
        limit: usize,
    ) -> Result<Vec<Subject>, Error> {
        self.memory.subjects(prefix, after, positions, limit)
    }

    fn stretch(&self, position: u64) -> u64 {
        self.memory.stretch(position)
    }

    fn append(&self, position: u64, group: &[Record]) -> Result<Written, Error> {
        self.memory.append(position, group)
    }

    fn read(
        &self,
        subject: &Subject,
        after: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Recorded>, Error> {
        self.reads.lock().push((after, thread::current().id()));
        if self.is_broken.load(Ordering::SeqCst) {
            return Err(Error::Stopped);
        }
        self.memory.read(subject, after, limit, limit_bytes)
    }

    fn lookup(&self, subject: &Subject, fingerprints: &[u64]) -> Result<Hits, Error> {
        self.memory.lookup(subject, fingerprints)
    }
}

/// A log over what another one stored, so that none of it is in the log's own memory.
fn reopened(memory: Memory) -> (Watched, Log) {
    let medium = Watched { memory, reads: Arc::default(), is_broken: Arc::default() };
    let log = Log::open(Box::new(medium.clone()), Arc::new(ManualClock::new(0))).unwrap();
    (medium, log)
}

fn sequence(n: u32) -> String {
    format!(r#","sequence":"{n:03}""#)
}

fn log() -> Log {
    Log::open(Box::new(Memory::new()), Arc::new(SystemClock)).unwrap()
}

fn live(log: &Log, kept: usize) -> Live {
    Live::keeping(kept, log.clone(), Games::default(), Arc::new(|_: &str| None), None)
}

fn subject(n: usize) -> Subject {
    Subject::match_map(&format!("m{n}"), 1).unwrap()
}

async fn append(log: &Log, subject: &Subject, id: u64, kind: &str, sequence: &str, data: &str) {
    let json = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"s","subject":"{subject}","type":"{kind}"{sequence}}}"#
    );
    let event = Event::new(&Attributes::parse(&json).unwrap(), data).unwrap();
    let (subject, received) = (subject.clone(), Instant::now());
    let append = Append { subject, events: vec![event], expected_seq: None, received };
    log.append(vec![append]).await.unwrap().pop().unwrap().unwrap();
}

async fn note(log: &Log, subject: &Subject, id: u64) {
    append(log, subject, id, "x.note", "", "{}").await;
}

#[tokio::test]
async fn a_read_is_never_behind_an_acknowledged_event() {
    let log = log();
    let live = live(&log, 10);
    for id in 1..=300 {
        note(&log, &subject(1), id).await;
        if id % 7 == 0 || id > 290 {
            assert_eq!(live.state(&subject(1)).await.unwrap().seq, id);
        }
    }
    assert_eq!(live.state(&subject(2)).await.unwrap().seq, 0);
}

#[tokio::test]
async fn idle_folds_make_room_and_are_folded_again() {
    let log = log();
    let live = live(&log, 3);
    let bell = Bell::default();
    let follow = live.follow(&subject(0), &bell).await.unwrap();
    for n in 0..20 {
        note(&log, &subject(n), 1).await;
        assert_eq!(live.state(&subject(n)).await.unwrap().seq, 1);
        assert!(live.feeds.all().len() <= 4, "three, and the one that is followed");
    }
    assert!(Arc::ptr_eq(&live.feed(&subject(0)), &follow), "what is followed stays");
    drop(follow);
    for n in 0..20 {
        assert_eq!(live.state(&subject(n)).await.unwrap().seq, 1);
    }
}

#[tokio::test]
async fn followers_are_rung_for_and_share_what_was_written() {
    let log = log();
    let live = live(&log, 10);
    let bells = [Bell::default(), Bell::default()];
    let first = live.follow(&subject(1), &bells[0]).await.unwrap();
    let second = live.follow(&subject(1), &bells[1]).await.unwrap();
    note(&log, &subject(1), 1).await;
    for bell in &bells {
        bell.notified().await;
    }
    let pull = |follow: &Follow| match follow.events(0, 10) {
        Events::Ready(mut events) => events.pop().unwrap(),
        Events::Older => panic!("the event is not at hand"),
    };
    assert!(Arc::ptr_eq(&pull(&first), &pull(&second)));
    drop((first, second));
    // Without followers nothing is held ready, and the next one reads the log.
    note(&log, &subject(1), 2).await;
    assert_eq!(live.state(&subject(1)).await.unwrap().seq, 2);
    let third = live.follow(&subject(1), &bells[0]).await.unwrap();
    assert!(matches!(third.events(0, 10), Events::Older));
    let older = third.older(0).await.unwrap();
    assert_eq!(older.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn a_late_event_is_folded_in_its_place() {
    let log = Log::open(Box::new(Memory::new()), Arc::new(ManualClock::new(0))).unwrap();
    let live = live(&log, 10);
    let map = subject(1);
    append(&log, &map, 1, "map.loaded", &sequence(1), r#"{"map_name":"de_one"}"#).await;
    append(&log, &map, 2, "map.loaded", &sequence(3), r#"{"map_name":"de_three"}"#).await;
    let before = live.state(&map).await.unwrap();
    append(&log, &map, 3, "map.loaded", &sequence(2), r#"{"map_name":"de_two"}"#).await;
    let after = live.state(&map).await.unwrap();
    assert_eq!(before.value()["map_name"], "de_three");
    assert_eq!(after.value()["map_name"], "de_three");
    assert_eq!(after.seq, 3);
    let at_2 = live.state_at(&map, 2).await.unwrap().unwrap();
    assert_eq!(at_2, before.text());
    assert_eq!(live.state_at(&map, 3).await.unwrap().unwrap(), after.text());
    assert!(live.state_at(&map, 4).await.unwrap().is_none());
}

#[tokio::test]
async fn late_events_are_folded_again_once_and_where_they_block_nobody() {
    let (memory, map) = (Memory::new(), subject(1));
    let log = Log::open(Box::new(memory.clone()), Arc::new(ManualClock::new(0))).unwrap();
    append(&log, &map, 1, "map.loaded", &sequence(1), r#"{"map_name":"de_one"}"#).await;
    append(&log, &map, 2, "map.loaded", &sequence(5), r#"{"map_name":"de_five"}"#).await;
    drop(log);
    let (medium, log) = reopened(memory);
    let live = live(&log, 10);
    assert_eq!(live.state(&map).await.unwrap().seq, 2);
    medium.reads.lock().clear();
    note(&log, &map, 3).await;
    append(&log, &map, 4, "map.loaded", &sequence(3), r#"{"map_name":"de_three"}"#).await;
    append(&log, &map, 5, "map.loaded", &sequence(2), r#"{"map_name":"de_two"}"#).await;
    let state = live.state(&map).await.unwrap();
    assert_eq!((state.seq, &state.value()["map_name"]), (5, &"de_five".into()));
    let reads = medium.reads.lock();
    let whole: Vec<_> = reads.iter().filter(|(after, _)| *after == 0).collect();
    assert_eq!(whole.len(), 1, "one time for both");
    assert_ne!(whole[0].1, thread::current().id());
}

#[tokio::test]
async fn a_prediction_that_a_late_event_changes_is_new_to_followers() {
    let log = Log::open(Box::new(Memory::new()), Arc::new(ManualClock::new(0))).unwrap();
    let (live, bell, map) = (live(&log, 10), Bell::default(), subject(1));
    let follow = live.follow(&map, &bell).await.unwrap();
    append(&log, &map, 1, "match.started", &sequence(1), "{}").await;
    append(&log, &map, 2, "round.started", &sequence(2), "{}").await;
    let kill = r#"{"killer":"a","victim":"b","weapon":"awp"}"#;
    append(&log, &map, 3, "player.killed", &sequence(9), kill).await;
    while follow.head() < 3 {
        bell.notified().await;
    }
    let before = follow.prediction(0).unwrap();
    assert_eq!(before.seq, 3);
    assert!(follow.prediction(before.number).is_none());
    append(&log, &map, 4, "bomb.planted", &sequence(5), r#"{"player":"a"}"#).await;
    while follow.head() < 4 {
        bell.notified().await;
    }
    let after = follow.prediction(before.number).unwrap();
    assert_eq!(after.seq, 4);
    assert_ne!(after.prediction(), before.prediction());
    // Who begins with the state has it already.
    assert_eq!(follow.snapshot().await.unwrap().predicted, after.number);
}

#[tokio::test]
async fn a_stream_that_could_not_be_read_is_tried_again() {
    let (memory, map) = (Memory::new(), subject(1));
    let log = Log::open(Box::new(memory.clone()), Arc::new(ManualClock::new(0))).unwrap();
    note(&log, &map, 1).await;
    drop(log);
    let (medium, log) = reopened(memory);
    medium.is_broken.store(true, Ordering::SeqCst);
    let (live, bells) = (live(&log, 10), [Bell::default(), Bell::default()]);
    let _first = Feed::follow(live.feed(&map), &bells[0]);
    while !live.feed(&map).has_failed() {
        bells[0].notified().await;
    }
    let second = Feed::follow(live.feed(&map), &bells[1]);
    medium.is_broken.store(false, Ordering::SeqCst);
    while second.has_failed() || second.head() < 1 {
        bells[1].notified().await;
    }
}

#[tokio::test]
async fn what_was_followed_makes_room_down_to_the_limit() {
    let log = log();
    let (live, bell) = (live(&log, 3), Bell::default());
    let mut follows = Vec::new();
    for n in 0..50 {
        follows.push(live.follow(&subject(n), &bell).await.unwrap());
        assert_eq!(live.feeds.all().len(), n + 1);
    }
    let last = follows.pop().unwrap();
    drop(follows);
    assert_eq!(live.feeds.all().len(), 4);
    assert!(Arc::ptr_eq(&live.feed(&subject(49)), &last), "what is followed stays");
    // Followed again it stays, too, whoever else is read.
    let again = live.follow(&subject(48), &bell).await.unwrap();
    for n in 0..10 {
        live.state(&subject(n)).await.unwrap();
    }
    assert!(Arc::ptr_eq(&live.feed(&subject(48)), &again));
    assert_eq!(live.feeds.all().len(), 5);
}
