//! The runner on the log in memory.

use std::{sync::Arc, time::Instant};

use matchwire_domain::{
    envelope::{Attributes, Event},
    subject::Subject,
};

use super::*;
use crate::{Append, ManualClock, Memory, SystemClock};

fn log() -> Log {
    Log::open(Box::new(Memory::new()), Arc::new(SystemClock)).unwrap()
}

fn live(log: &Log, kept: usize) -> Live {
    Live::keeping(kept, log.clone(), Arc::new(|_: &str| None), None)
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
        assert!(live.feeds.lock().len() <= 3);
    }
    assert!(live.feeds.lock().contains_key(&subject(0)), "what is followed stays");
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
    let older = third.older(0, 10).await.unwrap();
    assert_eq!(older.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn a_late_event_is_folded_in_its_place() {
    let log = Log::open(Box::new(Memory::new()), Arc::new(ManualClock::new(0))).unwrap();
    let live = live(&log, 10);
    let sequence = |n: u32| format!(r#","sequence":"{n:03}""#);
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
