//! The runner over a log in memory, which is driven by hand, and over stores that fail.

mod failing;
mod random;
mod rebuild;
mod settling;

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Instant,
};

use matchwire_domain::envelope::{Attributes, Event};

use self::failing::Failing;
use super::*;
use crate::{
    Append, Log, ManualClock, Memory, Options as Bounds, Steps,
    view_store::{self, Keys, MemoryViews, Order, Start, Table, ViewStore},
};

const COUNTS: Table = Table::new("counts");

/// Counts the events of each stream, and refuses to count one twice or to leave one out.
struct Tally {
    version: u32,
    scope: &'static str,
}

impl Projection for Tally {
    fn schema(&self) -> Schema {
        Schema::new("tally", self.version, &[COUNTS])
    }

    fn scope(&self) -> Vec<Pattern> {
        vec![self.scope.parse().unwrap()]
    }

    fn apply(
        &self,
        rows: &mut dyn Transaction,
        subject: &Subject,
        events: &[Recorded],
    ) -> Result<(), Error> {
        let key = subject.as_str().as_bytes();
        let count = rows.get(COUNTS, key)?.map_or(0, |count| number(&count));
        for (event, seq) in events.iter().zip(count + 1..) {
            assert_eq!(event.seq, seq, "{subject}: every event once, and in order");
        }
        rows.put(COUNTS, key, &(count + events.len() as u64).to_be_bytes())
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

fn number(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(bytes.try_into().unwrap())
}

/// The one that most tests use.
const TALLY: Tally = Tally { version: 1, scope: "match/**" };

/// A log that is driven by hand.
struct Rig {
    log: Log,
    steps: Steps,
    written: usize,
}

impl Rig {
    fn new() -> Self {
        Self::over(&Memory::new())
    }

    fn over(memory: &Memory) -> Self {
        let bounds = Bounds { recent_bytes: 10_000, ..Bounds::default() };
        let clock = Arc::new(ManualClock::new(1_000));
        let (log, steps) = Log::stepped(Box::new(memory.clone()), clock, bounds);
        Self { log, steps, written: 0 }
    }

    /// Appends, in one group, an event to each of these streams.
    fn put(&mut self, streams: &[&str]) {
        let mut appends = Vec::new();
        for stream in streams {
            self.written += 1;
            let json = format!(
                r#"{{"specversion":"1.0","id":"{}","source":"s","subject":"{stream}","type":"x.t"}}"#,
                self.written
            );
            let event = Event::new(&Attributes::parse(&json).unwrap(), "{}").unwrap();
            let (subject, events) = (Subject::parse(stream).unwrap(), vec![event]);
            appends.push(Append { subject, events, expected_seq: None, received: Instant::now() });
        }
        self.log.submit(appends).unwrap();
        while self.steps.step() {}
    }

    fn start(&self, store: &(impl ViewStore + Clone), projection: Tally) -> Runner {
        start(&self.log, store, projection)
    }
}

fn start(log: &Log, store: &(impl ViewStore + Clone), projection: Tally) -> Runner {
    let store = Arc::new(store.clone());
    Runner::start(log, store, Arc::new(projection), Options::default()).unwrap()
}

/// What a view counts, once it has seen all that is in the log.
fn counts(reader: &Reader) -> Vec<(String, u64)> {
    block_on(reader.catch_up());
    let rows = reader.snapshot().unwrap().range(COUNTS, &Keys::all(), Order::Ascending, 1_000);
    let count = |row: view_store::Row| (String::from_utf8(row.key).unwrap(), number(&row.value));
    rows.unwrap().into_iter().map(count).collect()
}

/// Waits for a condition of the view.
fn wait_for(reader: &Reader, condition: impl Fn(&Status) -> bool) -> Status {
    loop {
        let status = reader.status();
        if condition(&status) {
            return status;
        }
        std::thread::yield_now();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let new = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    RUNTIME.get_or_init(new).block_on(future)
}

fn expected(counts: &[(&str, u64)]) -> Vec<(String, u64)> {
    counts.iter().map(|(subject, count)| ((*subject).into(), *count)).collect()
}

#[test]
fn a_view_is_built_and_follows() {
    let mut rig = Rig::new();
    rig.put(&["match/a/1", "match/a", "room/r", "match/a/1"]);
    let runner = rig.start(&MemoryViews::new(), TALLY);
    let reader = runner.reader();
    assert_eq!(counts(&reader), expected(&[("match/a", 1), ("match/a/1", 2)]));
    rig.put(&["match/a/1", "match/b/1"]);
    rig.put(&["room/r"]);
    let all = [("match/a", 1), ("match/a/1", 3), ("match/b/1", 1)];
    assert_eq!(counts(&reader), expected(&all));
    let status = wait_for(&reader, |status| status.size.rows == 3);
    let (position, lag) = (status.position, (status.lag_groups, status.lag_events));
    assert_eq!((position, lag, status.builds, status.failures), (3, (0, Some(0)), 1, 0));
    assert_eq!((status.is_serving, status.building, status.passed), (true, None, 0));
    assert!(status.lag.is_zero());
    drop(runner);
    rig.put(&["match/a/1"]);
    let status = reader.status();
    assert_eq!((status.lag_groups, status.lag_events), (1, Some(1)));
    assert!(!status.lag.is_zero());
}

#[test]
fn a_log_without_events_has_a_view_without_rows() {
    let (rig, store) = (Rig::new(), MemoryViews::new());
    let runner = rig.start(&store, TALLY);
    assert_eq!(counts(&runner.reader()), []);
}

#[test]
fn a_start_goes_on_from_the_position() {
    let (mut rig, store) = (Rig::new(), MemoryViews::new());
    for round in 1..=5 {
        rig.put(&["match/a/1", "match/b/1"]);
        let runner = rig.start(&store, TALLY);
        let both = [("match/a/1", round), ("match/b/1", round)];
        assert_eq!(counts(&runner.reader()), expected(&both));
        let builds = u64::from(round == 1);
        assert_eq!(runner.reader().status().builds, builds, "it is built once");
    }
}

#[test]
fn a_view_of_another_history_is_built_anew() {
    let (mut first, mut second) = (Rig::new(), Rig::new());
    let store = MemoryViews::new();
    first.put(&["match/a/1"]);
    assert_eq!(counts(&first.start(&store, TALLY).reader()), expected(&[("match/a/1", 1)]));
    second.put(&["match/b/1"]);
    let runner = second.start(&store, TALLY);
    assert_eq!(counts(&runner.reader()), expected(&[("match/b/1", 1)]));
    assert_eq!(runner.reader().status().builds, 1);
}

#[test]
fn a_build_of_another_history_is_begun_anew() {
    let (mut rig, store) = (Rig::new(), MemoryViews::new());
    let build = store.build(&TALLY.schema(), Start::Resumed).unwrap();
    let mut rows = build.begin(None).unwrap();
    rows.put(COUNTS, b"other", &[0; 8]).unwrap();
    rows.commit(r#"{"lineage":"other","from":7}"#).unwrap();
    drop(build);
    rig.put(&["match/a/1"]);
    assert_eq!(counts(&rig.start(&store, TALLY).reader()), expected(&[("match/a/1", 1)]));
}

#[test]
fn another_version_is_built_beside_and_the_old_one_found_again() {
    let (mut rig, store) = (Rig::new(), MemoryViews::new());
    rig.put(&["match/a/1", "room/r"]);
    assert_eq!(counts(&rig.start(&store, TALLY).reader()), expected(&[("match/a/1", 1)]));
    let newer = rig.start(&store, Tally { version: 2, scope: "room/*" });
    assert_eq!(counts(&newer.reader()), expected(&[("room/r", 1)]));
    drop(newer);
    rig.put(&["match/a/1"]);
    let older = rig.start(&store, TALLY);
    assert_eq!(counts(&older.reader()), expected(&[("match/a/1", 2)]));
    assert_eq!(older.reader().status().builds, 0);
    assert_eq!(store.list().unwrap().len(), 2);
}

#[test]
fn an_unfinished_build_is_gone_on_with_while_the_view_serves() {
    let (mut rig, store) = (Rig::new(), MemoryViews::new());
    rig.put(&["match/a/1"]);
    assert_eq!(counts(&rig.start(&store, TALLY).reader()), expected(&[("match/a/1", 1)]));
    // A view that is wrong, and somebody who asks for another one.
    let wrong = store.open(&TALLY.schema()).unwrap().unwrap();
    let at = wrong.snapshot().unwrap().position().unwrap();
    let mut rows = wrong.begin(at.as_deref()).unwrap();
    rows.put(COUNTS, b"match/wrong", &[0; 8]).unwrap();
    rows.commit(&at.unwrap()).unwrap();
    drop(store.build(&TALLY.schema(), Start::Anew).unwrap());
    let runner = rig.start(&store, TALLY);
    let status = wait_for(&runner.reader(), |status| status.builds == 1);
    assert!(status.is_serving && status.building.is_none());
    assert_eq!(counts(&runner.reader()), expected(&[("match/a/1", 1)]));
    assert!(!store.list().unwrap().iter().any(|stored| stored.is_building));
}

#[test]
fn a_view_that_is_removed_is_built_anew() {
    let (mut rig, store) = (Rig::new(), MemoryViews::new());
    rig.put(&["match/a/1"]);
    let runner = rig.start(&store, TALLY);
    assert_eq!(counts(&runner.reader()), expected(&[("match/a/1", 1)]));
    assert!(store.remove("tally", 1).unwrap());
    rig.put(&["match/a/1"]);
    assert_eq!(counts(&runner.reader()), expected(&[("match/a/1", 2)]));
    assert_eq!(runner.reader().status().builds, 2);
}

#[test]
fn two_runners_of_one_view_apply_everything_once() {
    let (mut rig, store) = (Rig::new(), MemoryViews::new());
    let runners = [rig.start(&store, TALLY), rig.start(&store, TALLY)];
    let mut counted = BTreeMap::new();
    for n in 0..60 {
        let stream = format!("match/m{}/1", n % 7);
        rig.put(&[&stream, "match/a/1"]);
        *counted.entry(stream).or_insert(0) += 1;
        *counted.entry("match/a/1".to_owned()).or_insert(0) += 1;
        if n % 10 == 0 {
            block_on(runners[n % 2].reader().catch_up());
        }
    }
    let counted: Vec<(String, u64)> = counted.into_iter().collect();
    for runner in &runners {
        assert_eq!(counts(&runner.reader()), counted);
    }
}

#[test]
fn what_is_refused_for_now_is_tried_again_and_told() {
    let mut rig = Rig::new();
    rig.put(&["match/a/1"]);
    let store = Failing::new(Error::Full { place: "the disk".into() });
    let runner = rig.start(&store, TALLY);
    let status = wait_for(&runner.reader(), |status| status.failures > 0);
    assert!(!status.is_serving && status.failure.unwrap().contains("disk"));
    assert!(matches!(runner.reader().snapshot(), Err(Unready::Building { name: "tally" })));
    store.heal();
    assert_eq!(counts(&runner.reader()), expected(&[("match/a/1", 1)]));
    store.fail();
    rig.put(&["match/a/1"]);
    let status = wait_for(&runner.reader(), |status| status.failure.is_some());
    assert!(status.is_serving && status.lag_groups == 1, "it is read as it is");
    store.heal();
    assert_eq!(counts(&runner.reader()), expected(&[("match/a/1", 2)]));
    wait_for(&runner.reader(), |status| status.failure.is_none());
}

#[test]
fn what_is_damaged_is_built_anew() {
    let mut rig = Rig::new();
    rig.put(&["match/a/1"]);
    let store = Failing::new(Error::Damaged { place: "the file".into(), what: "a bit".into() });
    store.heal();
    let runner = rig.start(&store, TALLY);
    assert_eq!(counts(&runner.reader()), expected(&[("match/a/1", 1)]));
    store.fail();
    rig.put(&["match/a/1"]);
    wait_for(&runner.reader(), |status| !status.is_serving);
    assert!(matches!(runner.reader().snapshot(), Err(Unready::Building { .. })));
    store.heal();
    assert_eq!(counts(&runner.reader()), expected(&[("match/a/1", 2)]));
    assert_eq!(runner.reader().status().builds, 2);
}
