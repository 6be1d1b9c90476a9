//! What a sweep reads, in which order, and that it is read once.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use matchwire_domain::{
    envelope::{Attributes, Event, Recorded},
    subject::{Pattern, Subject},
};
use parking_lot::Mutex;
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng, seq::IndexedRandom as _};

use super::*;
use crate::{
    Append, Delays, Log, ManualClock, Medium, Memory, Options, Steps,
    medium::{Head, Hits, Identity, Record, Tail, Written},
    tournaments::Tournaments,
};

/// A log that is driven by hand, over a medium that can be opened again.
struct Rig {
    memory: Shaky,
    clock: Arc<ManualClock>,
    log: Log,
    steps: Steps,
    recent_bytes: usize,
    written: usize,
}

impl Rig {
    fn new(recent_bytes: usize) -> Self {
        let (memory, clock) = (Shaky::new(), Arc::new(ManualClock::new(1_000)));
        let (log, steps) = Self::open(&memory, &clock, recent_bytes);
        Self { memory, clock, log, steps, recent_bytes, written: 0 }
    }

    fn open(memory: &Shaky, clock: &Arc<ManualClock>, recent_bytes: usize) -> (Log, Steps) {
        let options = Options { recent_bytes, ..Options::default() };
        Log::stepped(Box::new(memory.clone()), clock.clone(), options)
    }

    fn restart(&mut self) {
        (self.log, self.steps) = Self::open(&self.memory, &self.clock, self.recent_bytes);
    }

    /// Appends, in one group, so many events to each of these streams.
    fn put(&mut self, group: &[(&str, &str, &str)]) {
        let appends = group.iter().map(|(stream, kind, data)| {
            self.written += 1;
            let json = format!(
                r#"{{"specversion":"1.0","id":"{}","source":"s","subject":"{stream}","type":"{kind}"}}"#,
                self.written
            );
            let event = Event::new(&Attributes::parse(&json).unwrap(), data).unwrap();
            let subject = Subject::parse(stream).unwrap();
            Append { subject, events: vec![event], expected_seq: None, received: Instant::now() }
        });
        self.log.submit(appends.collect()).unwrap();
        while self.steps.step() {}
    }

    fn own(&mut self, streams: &[&str]) {
        let group: Vec<_> = streams.iter().map(|stream| (*stream, "x.t", "{}")).collect();
        self.put(&group);
    }

    fn view(&self) -> View {
        View::from(self.log.clone())
    }

    fn sweep(&self, pattern: &str, mark: Mark) -> Sweep {
        Sweep::new(self.view(), scope(pattern), mark)
    }
}

/// A medium whose reads can be made to fail.
#[derive(Clone)]
struct Shaky {
    memory: Memory,
    /// How many reads succeed until one fails.
    left: Arc<AtomicUsize>,
    /// A stream of which nothing can be told.
    broken: Arc<Mutex<Option<&'static str>>>,
}

impl Shaky {
    fn new() -> Self {
        let left = Arc::new(AtomicUsize::new(usize::MAX));
        Self { memory: Memory::new(), left, broken: Arc::default() }
    }

    fn fail_after(&self, reads: usize) {
        self.left.store(reads, Ordering::SeqCst);
    }

    fn check(&self, subject: Option<&Subject>) -> Result<(), Error> {
        let count = |left: usize| left.checked_sub(usize::from(left < usize::MAX));
        let is_over = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count).is_err();
        let is_broken = subject.is_some() && subject.map(Subject::as_str) == *self.broken.lock();
        if is_over {
            self.fail_after(usize::MAX);
        }
        let damage = || Error::Corrupt { file: "f".into(), offset: 0, what: "it is shaken".into() };
        if is_over || is_broken { Err(damage()) } else { Ok(()) }
    }
}

impl Medium for Shaky {
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
        self.check(Some(subject))?;
        self.memory.seq_before(subject, position)
    }

    fn subjects(
        &self,
        prefix: &str,
        after: Option<&str>,
        positions: RangeInclusive<u64>,
        limit: usize,
    ) -> Result<Vec<Subject>, Error> {
        self.check(None)?;
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
        self.check(Some(subject))?;
        self.memory.read(subject, after, limit, limit_bytes)
    }

    fn lookup(&self, subject: &Subject, fingerprints: &[u64]) -> Result<Hits, Error> {
        self.memory.lookup(subject, fingerprints)
    }
}

fn scope(pattern: &str) -> Scope {
    Scope::pattern(pattern.parse::<Pattern>().unwrap())
}

/// What a reader was given, as `stream:seq`.
fn read(sweep: &mut Sweep, limit: usize) -> Vec<String> {
    let mut read = Vec::new();
    while let Some(swept) = sweep.next(limit).unwrap() {
        let seqs = swept.entries.iter().map(|entry| entry.recorded.seq);
        read.extend(seqs.map(|seq| format!("{}:{seq}", swept.subject)));
    }
    read
}

#[test]
fn a_window_is_read_stream_by_stream() {
    for recent_bytes in [0, 1 << 20] {
        let mut rig = Rig::new(recent_bytes);
        rig.own(&["match/b/1", "match/a/1", "room/r", "match/b/1"]);
        rig.own(&["match/a", "match/b/1"]);
        let mut sweep = rig.sweep("match/**", Mark::at(0));
        let all = ["match/a:1", "match/a/1:1", "match/b/1:1", "match/b/1:2", "match/b/1:3"];
        assert_eq!(read(&mut sweep, 2), all);
        assert_eq!((sweep.mark(), sweep.may_have_more()), (&Mark::at(2), false));
        rig.own(&["match/a/1"]);
        rig.own(&["match/a/1", "match/0/1"]);
        assert!(sweep.may_have_more());
        assert_eq!(read(&mut sweep, 9), ["match/0/1:1", "match/a/1:2", "match/a/1:3"]);
        assert_eq!(read(&mut rig.sweep("match/*", Mark::at(0)), 9), ["match/a:1"]);
        assert_eq!(
            read(&mut rig.sweep("match/*/1", Mark::at(3)), 9),
            ["match/0/1:1", "match/a/1:3"]
        );
    }
}

#[test]
fn a_stream_of_which_nothing_can_be_told_is_passed_and_no_other() {
    let mut rig = Rig::new(0);
    rig.own(&["match/a", "match/a/1", "match/b", "match/b/1", "match/c"]);
    rig.own(&["match/b", "match/c"]);
    rig.restart();
    *rig.memory.broken.lock() = Some("match/b");
    let mut sweep = rig.sweep("match/**", Mark::at(0));
    let (mut seen, mut passed) = (Vec::new(), Vec::new());
    loop {
        match sweep.next(1) {
            Ok(Some(swept)) => seen.push(swept.subject.to_string()),
            Ok(None) => break,
            Err(_) => passed.push(sweep.pass().unwrap().to_string()),
        }
    }
    assert_eq!(seen, ["match/a", "match/a/1", "match/b/1", "match/c", "match/c"]);
    assert_eq!(passed, ["match/b"]);
    assert_eq!(sweep.pass(), None);
    // A read that fails without being about a stream passes none.
    let mut sweep = rig.sweep("match/**", Mark::at(0));
    rig.memory.fail_after(0);
    assert!(sweep.next(1).is_err());
    assert_eq!(sweep.pass(), None);
}

#[test]
fn events_behind_a_mark_are_counted_while_they_are_in_memory() {
    let mut rig = Rig::new(1 << 20);
    rig.own(&["match/a/1", "room/r"]);
    let sweep = rig.sweep("match/**", Mark::at(0));
    assert_eq!(sweep.behind(), Some(2));
    rig.own(&["match/a/1"]);
    assert_eq!((sweep.behind(), rig.sweep("match/**", Mark::at(1)).behind()), (Some(3), Some(1)));
    rig.restart();
    assert_eq!(rig.sweep("match/**", Mark::at(1)).behind(), None);
    assert_eq!(rig.sweep("match/**", Mark::at(2)).behind(), Some(0));
}

#[test]
fn a_delayed_view_is_swept_as_far_as_its_longest_delay_lets_through() {
    let mut rig = Rig::new(1 << 20);
    let delays = [("match/**", 10), ("match/quick/**", 0)];
    let delays =
        delays.map(|(pattern, s)| (pattern.parse().unwrap(), std::time::Duration::from_secs(s)));
    let delays = Delays::new(delays.to_vec());
    let view = |rig: &Rig| View::delayed(rig.log.clone(), delays.clone());
    rig.own(&["match/a/1", "match/quick/1"]);
    let mut sweep = Sweep::new(view(&rig), scope("match/**"), Mark::at(0));
    assert_eq!(read(&mut sweep, 9), [""; 0]);
    rig.clock.set(6_000);
    rig.own(&["match/a/1"]);
    rig.clock.set(11_000);
    assert_eq!(read(&mut sweep, 9), ["match/a/1:1", "match/quick/1:1"]);
    // What another one had seen without a delay is waited for.
    let ahead = Within { to: 2, subject: Subject::parse("match/a/1").unwrap(), seq: 1 };
    let mut ahead =
        Sweep::new(view(&rig), scope("match/**"), Mark { from: 1, within: Some(ahead) });
    assert_eq!((ahead.may_have_more(), read(&mut ahead, 9)), (false, vec![]));
    rig.clock.set(16_000);
    assert_eq!(read(&mut sweep, 9), ["match/a/1:2"]);
    assert_eq!(read(&mut ahead, 9), ["match/a/1:2"]);
    // After a start it is not known when what was there is due, but for the last of it.
    rig.clock.set(15_999);
    rig.restart();
    assert_eq!(read(&mut Sweep::new(view(&rig), scope("match/**"), Mark::at(0)), 9), [""; 0]);
    rig.clock.set(16_000);
    assert_eq!(read(&mut Sweep::new(view(&rig), scope("match/**"), Mark::at(0)), 9).len(), 3);
}

#[test]
fn a_match_that_is_named_late_comes_in_as_a_whole() {
    for recent_bytes in [0, 1 << 20] {
        let mut rig = Rig::new(recent_bytes);
        let tournaments = Tournaments::new(&rig.log);
        let named = |name: &'static str| ("match.scheduled", name);
        let (t, other) = (named(r#"{"tournament":"t"}"#), named(r#"{"tournament":"u"}"#));
        let mut sweep =
            Sweep::new(rig.view(), Scope::tournament(tournaments.clone(), "t"), Mark::at(0));
        let read = |sweep: &mut Sweep| {
            tournaments.catch_up_now();
            read(sweep, 9)
        };
        rig.put(&[
            ("match/a", t.0, t.1),
            ("match/b", other.0, other.1),
            ("match/a/1", "x.t", "{}"),
        ]);
        rig.own(&["match/c/2", "match/c", "match/c/1", "match/c.x/1"]);
        assert_eq!(read(&mut sweep), ["match/a:1", "match/a/1:1"]);
        rig.own(&["match/c/1", "match/b/1"]);
        assert_eq!(read(&mut sweep), [""; 0]);
        rig.put(&[("match/c/1", "x.t", "{}"), ("match/c", t.0, t.1)]);
        let whole =
            ["match/c:1", "match/c:2", "match/c/1:1", "match/c/1:2", "match/c/1:3", "match/c/2:1"];
        assert_eq!(read(&mut sweep), whole);
        rig.own(&["match/c/2", "match/c.x/1"]);
        assert_eq!(read(&mut sweep), ["match/c/2:2"]);
        // The same from within the window, wherever in it.
        for at in 0..whole.len() {
            let (subject, seq) = whole[at].split_once(':').unwrap();
            let within = Within {
                to: 4,
                subject: Subject::parse(subject).unwrap(),
                seq: seq.parse().unwrap(),
            };
            let mark = Mark { from: 3, within: Some(within) };
            let mut again =
                Sweep::new(rig.view(), Scope::tournament(tournaments.clone(), "t"), mark);
            let expected: Vec<&str> =
                whole[at + 1..].iter().copied().chain(["match/c/2:2"]).collect();
            assert_eq!(read(&mut again), expected, "from {}", whole[at]);
        }
    }
}

/// Whatever is written, and wherever a reader breaks off, is restarted under and goes on from, it is
/// given every event of its streams once, and those of a stream in order.
#[test]
fn every_event_is_read_once_whatever_happens() {
    let seed = RandomState::new().hash_one(0);
    println!("seed {seed}");
    for seed in [1, 2, 3, seed] {
        let mut random = SmallRng::seed_from_u64(seed);
        for _ in 0..20 {
            play(&mut random);
        }
    }
}

fn play(random: &mut SmallRng) {
    let streams =
        ["match/a", "match/a/1", "match/a/2", "match/a.b/1", "match/b", "match/b/1", "room/r"];
    let mut rig = Rig::new(*[0, 900, 1 << 20].choose(random).unwrap());
    let is_tournament = random.random_bool(0.5);
    let mut tournaments = Tournaments::new(&rig.log);
    let scope = |tournaments: &Tournaments| {
        if is_tournament { Scope::tournament(tournaments.clone(), "t") } else { scope("match/**") }
    };
    let mut sweep = Sweep::new(rig.view(), scope(&tournaments), Mark::at(0));
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut named: Vec<&str> = Vec::new();
    let mut marks = vec![(Mark::at(0), seen.clone())];
    for _ in 0..60 {
        match random.random_range(0..8) {
            0..=3 => {
                let count = random.random_range(1..6);
                let group: Vec<_> = (0..count).map(|_| *streams.choose(random).unwrap()).collect();
                rig.own(&group);
            }
            4 => {
                let own = *["match/a", "match/b"].choose(random).unwrap();
                rig.put(&[(own, "match.scheduled", r#"{"tournament":"t"}"#)]);
                named.push(own);
            }
            5 => {
                rig.restart();
                tournaments = Tournaments::new(&rig.log);
                sweep = Sweep::new(rig.view(), scope(&tournaments), sweep.mark().clone());
            }
            _ => {
                tournaments.catch_up_now();
                for _ in 0..random.random_range(0..9) {
                    let Some(mark) = step(&mut sweep, random, &mut seen, &rig.memory) else {
                        break;
                    };
                    let (since, seen_before) = marks.choose(random).unwrap();
                    let (log, until) = (rig.view(), mark.clone());
                    let moved = Moved::between(log, scope(&tournaments), since.clone(), until);
                    check_moved(moved, seen_before, &seen);
                    marks.push((mark.clone(), seen.clone()));
                    if random.random_bool(0.3) {
                        sweep = Sweep::new(rig.view(), scope(&tournaments), mark);
                    }
                }
            }
        }
    }
    tournaments.catch_up_now();
    while step(&mut sweep, random, &mut seen, &rig.memory).is_some() {}
    for stream in streams {
        let own = stream.split('/').take(2).collect::<Vec<_>>().join("/");
        let is_wanted = stream != "room/r" && (!is_tournament || named.contains(&&*own));
        let head = rig.log.head(&Subject::parse(stream).unwrap()).unwrap();
        let expected = if is_wanted { head } else { 0 };
        assert_eq!(seen.get(stream).copied().unwrap_or(0), expected, "{stream}");
    }
}

/// Reads some events, again if that fails, and says where the reader is after one of them, which is the last that it takes.
fn step(
    sweep: &mut Sweep,
    random: &mut SmallRng,
    seen: &mut BTreeMap<String, u64>,
    medium: &Shaky,
) -> Option<Mark> {
    if random.random_bool(0.5) {
        medium.fail_after(random.random_range(0..12));
    }
    let limit = random.random_range(1..4);
    let swept = sweep.next(limit);
    let swept = swept.or_else(|_| sweep.next(limit)).unwrap();
    medium.fail_after(usize::MAX);
    let swept = swept?;
    let kept = random.random_range(1..=swept.entries.len());
    let is_whole = kept == swept.entries.len();
    for entry in &swept.entries[..kept] {
        let last = seen.entry(swept.subject.to_string()).or_default();
        assert_eq!(entry.recorded.seq, *last + 1, "{}", swept.subject);
        *last += 1;
    }
    let mark = swept.mark(*seen.get(swept.subject.as_str()).unwrap());
    if !is_whole {
        *sweep = sweep.again(mark.clone());
    }
    Some(mark)
}

/// All that moved is told, up to where it was read, and nothing past that.
fn check_moved(mut moved: Moved, since: &BTreeMap<String, u64>, until: &BTreeMap<String, u64>) {
    assert!(moved.is_known());
    let mut told: BTreeMap<String, u64> = BTreeMap::new();
    while let Some((subject, seq)) = moved.next_stream().unwrap() {
        let last = told.insert(subject.to_string(), seq).unwrap_or(0);
        assert!(last < seq && seq <= until[subject.as_str()], "{subject}: {last}, {seq}");
    }
    for (subject, seq) in until {
        let is_told = told.get(subject) == Some(seq);
        assert!(is_told || since.get(subject) == Some(seq), "{subject}: {seq}");
    }
    assert!(moved.next_stream().unwrap().is_none());
}
