//! What shows only when the medium waits, is full or fails: the suite in `conformance` has the rest.

use std::{
    collections::VecDeque,
    ops::RangeInclusive,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use matchwire_domain::envelope::Attributes;
use parking_lot::{Condvar, Mutex};
use tokio::task::{JoinHandle, yield_now};

use super::*;
use crate::{
    Committed, ManualClock, Memory,
    medium::{Head, Hits, Identity, Record, Tail, Written},
};

/// What an append to the medium comes to.
#[derive(Debug)]
enum Verdict {
    Pass,
    Full,
    Fail,
    Panic,
}

/// A medium whose appends wait for a verdict each.
#[derive(Clone)]
struct Gate {
    memory: Memory,
    verdicts: Arc<(Mutex<VecDeque<Verdict>>, Condvar)>,
    /// How many appends have come in.
    entered: Arc<AtomicUsize>,
    /// How many events each group had that passed.
    passed: Arc<Mutex<Vec<usize>>>,
}

impl Gate {
    fn new() -> Self {
        Self {
            memory: Memory::new(),
            verdicts: Arc::default(),
            entered: Arc::default(),
            passed: Arc::default(),
        }
    }

    fn let_in(&self, verdict: Verdict) {
        self.verdicts.0.lock().push_back(verdict);
        self.verdicts.1.notify_one();
    }

    fn open(&self, options: Options) -> Log {
        Log::open_with(Box::new(self.clone()), Arc::new(ManualClock::new(0)), options).unwrap()
    }
}

impl Medium for Gate {
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
        self.entered.fetch_add(1, Ordering::SeqCst);
        let mut verdicts = self.verdicts.0.lock();
        while verdicts.is_empty() {
            self.verdicts.1.wait(&mut verdicts);
        }
        match verdicts.pop_front().unwrap() {
            Verdict::Pass => {}
            Verdict::Full => return Err(Error::Full),
            Verdict::Fail => return Err(std::io::Error::other("no answer").into()),
            Verdict::Panic => panic!("on purpose"),
        }
        self.passed.lock().push(group.len());
        self.memory.append(position, group)
    }
    fn read(
        &self,
        subject: &Subject,
        after: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Recorded>, Error> {
        self.memory.read(subject, after, limit, limit_bytes)
    }
    fn lookup(&self, subject: &Subject, fingerprints: &[u64]) -> Result<Hits, Error> {
        self.memory.lookup(subject, fingerprints)
    }
}

fn stream() -> Subject {
    Subject::parse("match/a/1").unwrap()
}

fn one(id: &str) -> Append {
    let json = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"s","subject":"match/a/1","type":"x.t"}}"#
    );
    let event = matchwire_domain::envelope::Event::new(&Attributes::parse(&json).unwrap(), "{}");
    let events = vec![event.unwrap()];
    Append { subject: stream(), events, expected_seq: None, received: Instant::now() }
}

/// Starts a call, and waits until so many are in the queue.
async fn start(log: &Log, id: &str, queued: usize) -> JoinHandle<Answer> {
    let (log, append) = (log.clone(), one(id));
    let stats = log.clone();
    let call = tokio::spawn(async move { log.append(vec![append]).await });
    while stats.stats().queued_calls != queued {
        yield_now().await;
    }
    call
}

/// Starts a call and waits until it is in the medium. Nobody else waits then, so that the thread
/// which takes calls from the queue waits there, too.
async fn occupy(gate: &Gate, log: &Log, id: &str) -> JoinHandle<Answer> {
    let entered = gate.entered.load(Ordering::SeqCst);
    let (log, append) = (log.clone(), one(id));
    let call = tokio::spawn(async move { log.append(vec![append]).await });
    while gate.entered.load(Ordering::SeqCst) == entered {
        yield_now().await;
    }
    call
}

fn seq(answer: Answer) -> u64 {
    match answer.unwrap().remove(0).unwrap().remove(0) {
        Outcome::Appended { seq, .. } | Outcome::Duplicate { seq, .. } | Outcome::Known { seq } => {
            seq
        }
    }
}

#[tokio::test]
async fn what_is_queued_goes_into_one_group() {
    let gate = Gate::new();
    let log = gate.open(Options::default());
    let first = occupy(&gate, &log, "0").await;
    let mut calls = Vec::new();
    for id in 1..=10 {
        calls.push(start(&log, &id.to_string(), id).await);
    }
    // The same event twice in one group.
    calls.push(start(&log, "3", 11).await);
    gate.let_in(Verdict::Pass);
    gate.let_in(Verdict::Pass);
    assert_eq!(seq(first.await.unwrap()), 1);
    for (call, expected) in calls.into_iter().zip((2..=11).chain([4])) {
        assert_eq!(seq(call.await.unwrap()), expected);
    }
    assert_eq!(*gate.passed.lock(), [1, 10]);
    let stats = log.stats();
    assert_eq!((stats.groups, stats.events, stats.duplicates), (2, 11, 1));
}

#[tokio::test]
async fn nothing_is_told_before_it_is_durable() {
    let gate = Gate::new();
    let log = gate.open(Options::default());
    let head = log.watch(&stream());
    let call = occupy(&gate, &log, "1").await;
    assert!(!head.has_changed().unwrap() && log.head(&stream()).unwrap() == 0);
    assert!(log.read(&stream(), 0, 10).unwrap().is_empty());
    assert!(log.find(&stream(), "s", "1").unwrap().is_none());
    assert!(!call.is_finished());
    gate.let_in(Verdict::Pass);
    call.await.unwrap().unwrap();
    assert_eq!((*head.borrow(), log.head(&stream()).unwrap()), (1, 1));
}

#[tokio::test]
async fn a_full_medium_refuses_a_group_and_goes_on() {
    let gate = Gate::new();
    let log = gate.open(Options::default());
    for verdict in [Verdict::Full, Verdict::Full, Verdict::Pass] {
        let passes = matches!(verdict, Verdict::Pass);
        let call = occupy(&gate, &log, "1").await;
        gate.let_in(verdict);
        match call.await.unwrap() {
            Ok(_) => assert!(passes),
            Err(error) => assert!(!passes && error.is_retryable(), "{error}"),
        }
        assert_eq!(log.stats().is_full, !passes);
        assert_eq!(log.head(&stream()).unwrap(), u64::from(passes));
    }
    assert_eq!(log.stats().events, 1);
}

#[tokio::test]
async fn a_failed_medium_stops_everything() {
    for (verdict, reason) in [(Verdict::Fail, "no answer"), (Verdict::Panic, "ended")] {
        let gate = Gate::new();
        let log = gate.open(Options::default());
        let first = occupy(&gate, &log, "1").await;
        let second = start(&log, "2", 1).await;
        gate.let_in(verdict);
        for call in [first, second] {
            assert!(matches!(call.await.unwrap(), Err(Error::Stopped)));
        }
        assert!(log.stopped().await.contains(reason), "{}", log.stopped().await);
        assert!(matches!(log.append(vec![one("3")]).await, Err(Error::Stopped)));
        assert_eq!(log.head(&stream()).unwrap(), 0);
    }
}

#[tokio::test]
async fn the_queue_is_bounded() {
    let gate = Gate::new();
    let bytes = one("1").events[0].stored.len() + EVENT_BYTES;
    let log = gate.open(Options { queue_calls: 2, queue_bytes: 4 * bytes, ..Options::default() });
    let mut calls = vec![occupy(&gate, &log, "1").await];
    calls.push(start(&log, "2", 1).await);
    calls.push(start(&log, "3", 2).await);
    let too_many = log.append(vec![one("4")]).await;
    assert!(matches!(too_many, Err(Error::Full)));
    let too_large = log.append(vec![one("4"), one("5"), one("6"), one("7"), one("8")]).await;
    assert!(matches!(too_large, Err(Error::TooLarge { .. })));
    gate.let_in(Verdict::Pass);
    gate.let_in(Verdict::Pass);
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let large = tokio::spawn({
        let log = log.clone();
        async move { log.append(vec![one("4"), one("5"), one("6"), one("7")]).await }
    });
    gate.let_in(Verdict::Pass);
    assert_eq!(large.await.unwrap().unwrap().len(), 4);
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_carried_out() {
    let gate = Gate::new();
    let log = gate.open(Options::default());
    let call = occupy(&gate, &log, "1").await;
    call.abort();
    gate.let_in(Verdict::Pass);
    log.watch(&stream()).wait_for(|seq| *seq == 1).await.unwrap();
}

#[tokio::test]
async fn recent_events_are_bounded_and_timed() {
    let received = Instant::now();
    let bytes = one("100").events[0].stored.len() + EVENT_BYTES;
    let options = Options { recent_bytes: 10 * bytes, ..Options::default() };
    let clock = Arc::new(ManualClock::new(0));
    let log = Log::open_with(Box::new(Memory::new()), clock, options).unwrap();
    for id in 100..125 {
        log.append(vec![Append { received, ..one(&id.to_string()) }]).await.unwrap();
    }
    let entries = log.read(&stream(), 0, 100).unwrap();
    assert_eq!(entries.len(), 25, "older ones are read from the medium");
    let entries = log.read(&stream(), 15, 100).unwrap();
    assert_eq!(entries.len(), 10);
    for entry in entries {
        assert!(entry.received == Some(received) && entry.durable >= entry.received);
    }
    assert!(log.read(&stream(), 14, 1).unwrap()[0].durable.is_none());
}

#[tokio::test]
async fn observers_are_told_of_each_group() {
    #[derive(Default)]
    struct Seen(Mutex<Vec<Committed>>);
    impl Observer for Seen {
        fn committed(&self, group: &Committed) {
            self.0.lock().push(*group);
        }
    }
    let seen = Arc::new(Seen::default());
    let options = Options { observer: Some(seen.clone()), ..Options::default() };
    let clock = Arc::new(ManualClock::new(0));
    let log = Log::open_with(Box::new(Memory::new()), clock, options).unwrap();
    let append =
        Append { events: [one("1"), one("2")].map(|a| a.events[0].clone()).into(), ..one("1") };
    let bytes: usize = append.events.iter().map(|event| event.stored.len()).sum();
    log.append(vec![append]).await.unwrap();
    log.append(vec![one("1")]).await.unwrap();
    let seen = seen.0.lock();
    assert_eq!((seen.len(), seen[0].calls, seen[0].events), (1, 1, 2));
    assert_eq!(seen[0].stored_bytes, bytes as u64);
}

#[tokio::test]
async fn watchers_that_are_gone_are_forgotten() {
    let log = Log::open(Box::new(Memory::new()), Arc::new(ManualClock::new(0))).unwrap();
    let kept = log.watch(&stream());
    for map in 1..=999 {
        drop(log.watch(&Subject::match_map("b", map).unwrap()));
    }
    assert!(log.shared.streams.watched() < 200);
    log.append(vec![one("1")]).await.unwrap();
    assert_eq!(*kept.borrow(), 1);
}

/// A log over a gate, driven by hand; and what an append comes to once steps are taken.
fn by_hand() -> (Gate, Log, Steps) {
    let gate = Gate::new();
    let clock = Arc::new(ManualClock::new(0));
    let (log, steps) = Log::stepped(Box::new(gate.clone()), clock, Options::default());
    (gate, log, steps)
}

/// Queues an append, and gives what waits for its answer.
async fn queue(log: &Log, id: &str) -> JoinHandle<Answer> {
    let queued = log.shared.queue.depth().0;
    start(log, id, queued + 1).await
}

#[tokio::test]
async fn a_group_is_staged_on_the_one_that_is_being_written() {
    let (gate, log, mut steps) = by_hand();
    let first = queue(&log, "1").await;
    assert!(steps.stage());
    let (again, second) = (queue(&log, "1").await, queue(&log, "2").await);
    assert!(steps.stage() && !steps.stage());
    assert_eq!(log.head(&stream()).unwrap(), 0);
    gate.let_in(Verdict::Pass);
    assert!(steps.commit());
    assert_eq!(seq(first.await.unwrap()), 1);
    gate.let_in(Verdict::Pass);
    assert!(steps.commit() && !steps.commit());
    let again = again.await.unwrap().unwrap().remove(0).unwrap();
    assert!(matches!(again[0], Outcome::Duplicate { seq: 1, differs: false, .. }));
    assert_eq!(seq(second.await.unwrap()), 2);
    assert_eq!(*gate.passed.lock(), [1, 1]);
}

#[tokio::test]
async fn what_is_staged_on_a_refused_group_is_refused() {
    let (gate, log, mut steps) = by_hand();
    let first = queue(&log, "1").await;
    assert!(steps.stage());
    let (again, second) = (queue(&log, "1").await, queue(&log, "2").await);
    assert!(steps.stage());
    gate.let_in(Verdict::Full);
    assert!(steps.commit() && steps.commit());
    for refused in [first, again, second] {
        assert!(matches!(refused.await.unwrap(), Err(Error::Full)));
    }
    let third = queue(&log, "2").await;
    gate.let_in(Verdict::Pass);
    assert!(steps.step());
    assert_eq!(seq(third.await.unwrap()), 1);
}
