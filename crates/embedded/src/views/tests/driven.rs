//! A view in files that is driven by a runner, from a log in files.

use std::{fs, sync::Arc, time::Instant};

use matchwire_domain::{
    envelope::{Attributes, Event, Recorded},
    subject::{Pattern, Subject},
};
use matchwire_log::{
    Append, Log, ManualClock,
    projection::{Options, Projection, Runner, Status},
    view_store::{Error, Keys, Order, Schema, Snapshot, Start, Table, Transaction, ViewStore as _},
};

use super::{files, place};
use crate::{
    Segments, SqliteViews,
    disk::{Disk as _, Faulty},
};

const SEQS: Table = Table::new("seqs");

/// Every event's subject and seq, each in a row of its own.
struct Seqs;

impl Projection for Seqs {
    fn schema(&self) -> Schema {
        Schema::new("seqs", 1, &[SEQS])
    }

    fn scope(&self) -> Vec<Pattern> {
        vec!["match/**".parse().unwrap()]
    }

    fn apply(
        &self,
        rows: &mut dyn Transaction,
        subject: &Subject,
        events: &[Recorded],
    ) -> Result<(), Error> {
        for event in events {
            let key = format!("{subject} {:08}", event.seq);
            assert_eq!(rows.get(SEQS, key.as_bytes())?, None, "{key} comes twice");
            rows.put(SEQS, key.as_bytes(), &event.stored)?;
        }
        Ok(())
    }

    fn finish(&self, _rows: &mut dyn Transaction) -> Result<(), Error> {
        Ok(())
    }

    fn settle(&self, _rows: &mut dyn Transaction) -> Result<bool, Error> {
        Ok(true)
    }

    fn removals(&self, _view: &dyn Snapshot) -> Result<u64, Error> {
        Ok(0)
    }
}

pub(super) fn open(disk: &Faulty) -> Log {
    let segments = Segments::open_on(Arc::new(disk.clone()), crate::tests::SMALL).unwrap();
    while segments.maintain().unwrap() {}
    Log::open(Box::new(segments), Arc::new(ManualClock::new(1_000))).unwrap()
}

/// Appends so many events to each of two streams, one group each.
pub(super) fn fill(log: &Log, events: std::ops::Range<u32>) {
    for id in events {
        append(log, &id.to_string(), &["match/a/1", "match/b/1"]);
    }
}

/// Appends an event to each of these streams, in one group.
pub(super) fn append(log: &Log, id: &str, streams: &[&str]) {
    let append = |stream: &&str| {
        let json = format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"s","subject":"{stream}","type":"x.t"}}"#
        );
        let event = Event::new(&Attributes::parse(&json).unwrap(), "{}").unwrap();
        let (subject, events) = (Subject::parse(stream).unwrap(), vec![event]);
        Append { subject, events, expected_seq: None, received: Instant::now() }
    };
    block_on(log.append(streams.iter().map(append).collect())).unwrap();
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Waits until the view has seen all of the log.
pub(super) fn catch_up(runner: &Runner) {
    block_on(runner.reader().catch_up());
}

fn start(log: &Log, store: &Arc<SqliteViews>) -> Runner {
    Runner::start(log, store.clone(), Arc::new(Seqs), Options::default()).unwrap()
}

/// How many rows there are, once the view has seen all of the log.
fn rows(runner: &Runner) -> usize {
    catch_up(runner);
    let snapshot = runner.reader().snapshot().unwrap();
    snapshot.range(SEQS, &Keys::all(), Order::Ascending, usize::MAX).unwrap().len()
}

pub(super) fn wait_for(runner: &Runner, condition: impl Fn(&Status) -> bool) -> Status {
    loop {
        let status = runner.reader().status();
        if condition(&status) {
            return status;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_view_is_built_from_files_and_goes_on_after_a_restart() {
    let (_directory, store) = place();
    let (disk, store) = (Faulty::new(0), Arc::new(store));
    let log = open(&disk);
    fill(&log, 0..100);
    let runner = start(&log, &store);
    assert_eq!(rows(&runner), 200);
    fill(&log, 100..150);
    assert_eq!(rows(&runner), 300);
    drop((runner, log));
    let log = open(&disk);
    fill(&log, 150..160);
    let runner = start(&log, &store);
    assert_eq!((rows(&runner), runner.reader().status().builds), (320, 0));
}

#[test]
fn a_file_that_is_damaged_while_it_serves_is_built_anew() {
    let (directory, store) = place();
    let store = Arc::new(store);
    let log = open(&Faulty::new(0));
    fill(&log, 0..200);
    let runner = start(&log, &store);
    assert_eq!(rows(&runner), 400);
    drop(runner);
    let file = files(directory.path(), ".sqlite").remove(0);
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.len() / 2;
    bytes[at..at + 2_000].fill(7);
    fs::write(&file, bytes).unwrap();
    let runner = start(&log, &store);
    catch_up(&runner);
    let read =
        runner.reader().snapshot().unwrap().range(SEQS, &Keys::all(), Order::Ascending, usize::MAX);
    assert!(matches!(read, Err(Error::Damaged { .. })), "{read:?}");
    fill(&log, 200..201);
    wait_for(&runner, |status| status.builds == 1);
    assert_eq!(rows(&runner), 402);
}

#[test]
fn a_rebuild_that_is_asked_for_is_swapped_in_while_the_view_serves() {
    let (directory, store) = place();
    let store = Arc::new(store);
    let log = open(&Faulty::new(0));
    fill(&log, 0..50);
    let runner = start(&log, &store);
    assert_eq!(rows(&runner), 100);
    let before = files(directory.path(), ".sqlite");
    // As another process does, while the server runs.
    let other = SqliteViews::open(directory.path()).unwrap();
    drop(other.build(&Seqs.schema(), Start::Anew).unwrap());
    let held = runner.reader().snapshot().unwrap();
    drop(runner);
    let runner = start(&log, &store);
    wait_for(&runner, |status| status.builds == 1);
    assert_eq!(rows(&runner), 100);
    assert_eq!(held.count(SEQS, &Keys::all()).unwrap(), 100, "what was read before is read on");
    let after = files(directory.path(), ".sqlite");
    assert!(after.len() == 1 && after != before, "{after:?}");
}

/// Rows and parts that were passed over of a log whose first sealed file is damaged, before it is opened or after.
fn of_a_damaged_log(is_before: bool) -> (usize, u64) {
    let (_directory, store) = place();
    let (disk, store) = (Faulty::new(0), Arc::new(store));
    let log = open(&disk);
    fill(&log, 0..100);
    drop(log);
    // Full segments are sealed by the next opening.
    let mut log = Some(open(&disk));
    let sealed = disk.list().unwrap().into_iter().find(|name| name.ends_with(".sealed")).unwrap();
    if is_before {
        log = None;
    }
    disk.flip(&sealed, 200, 1);
    let log = log.unwrap_or_else(|| open(&disk));
    let runner = start(&log, &store);
    let rows = rows(&runner);
    let passed = runner.reader().status().passed;
    // It is told after a start, too.
    drop(runner);
    let runner = start(&log, &store);
    assert_eq!(wait_for(&runner, |status| status.is_serving).passed, passed);
    (rows, passed)
}

#[test]
fn what_is_damaged_in_the_log_is_passed_over_and_told() {
    let (rows, passed) = of_a_damaged_log(false);
    assert!(rows > 0 && rows < 200 && passed > 0, "{rows} rows, {passed} passed over");
    let (rows, passed) = of_a_damaged_log(true);
    assert!(rows > 0 && rows < 200 && passed > 0, "{rows} rows, {passed} passed over");
}
