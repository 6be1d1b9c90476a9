//! What is seen of a log, and when.

use std::{collections::HashMap, sync::Arc, time::Duration, time::Instant};

use matchwire_domain::{
    envelope::{Attributes, Event},
    subject::Subject,
};
use parking_lot::Mutex;
use proptest::prelude::*;

use super::*;
use crate::{Append, ManualClock, Memory, Options};

const START: i64 = 1_700_000_000_000;

struct Fixture {
    clock: Arc<ManualClock>,
    log: Log,
    now: i64,
    written: u32,
}

impl Fixture {
    /// A log that holds some of its events in memory, and the others not.
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let options = Options { recent_bytes: 2_000, ..Options::default() };
        let log = Log::open_with(Box::new(Memory::new()), clock.clone(), options).unwrap();
        Self { clock, log, now: START, written: 0 }
    }

    fn set(&mut self, ms: i64) {
        self.now = ms;
        self.clock.set(ms);
    }

    async fn write(&mut self, subject: &str, count: u32) {
        for _ in 0..count {
            self.write_with(subject, "").await;
        }
    }

    /// Writes an event with further attributes.
    async fn write_with(&mut self, subject: &str, more: &str) {
        self.written += 1;
        let text = format!(
            r#"{{"specversion":"1.0","id":"{}","source":"t",{more}"type":"x.a","subject":"{subject}","data":{{}}}}"#,
            self.written
        );
        let event = Event::new(&Attributes::parse(&text).unwrap(), "{}").unwrap();
        let subject = Subject::parse(subject).unwrap();
        let append =
            Append { subject, events: vec![event], expected_seq: None, received: Instant::now() };
        for result in self.log.append(vec![append]).await.unwrap() {
            result.unwrap();
        }
    }

    fn delayed(&self, rules: &[(&str, u64)]) -> View {
        let rule = |(pattern, s): &(&str, u64)| (pattern.parse().unwrap(), Duration::from_secs(*s));
        View::delayed(self.log.clone(), Delays::new(rules.iter().map(rule).collect()))
    }
}

fn subject(text: &str) -> Subject {
    Subject::parse(text).unwrap()
}

fn seqs(view: &View, stream: &str, after: u64) -> Vec<u64> {
    let entries = view.read(&subject(stream), after, 1_000).unwrap();
    entries.iter().map(|entry| entry.recorded.seq).collect()
}

#[tokio::test]
async fn a_stream_ends_at_what_is_due_and_does_not_exist_before() {
    let mut at = Fixture::new();
    at.write("match/m1/1", 2).await;
    at.set(START + 10_000);
    at.write("match/m1/1", 3).await;
    at.write("match/show/1", 1).await;
    at.write("match/m1/2", 1).await;
    let view = at.delayed(&[("match/**", 90), ("match/show/**", 0)]);
    let names = |view: &View| -> Vec<String> {
        let subjects = view.subjects("match/", None, 10).unwrap();
        subjects.iter().map(ToString::to_string).collect()
    };
    let m1 = subject("match/m1/1");
    assert_eq!((view.head(&m1).unwrap(), names(&view)), (0, vec!["match/show/1".into()]));
    at.set(START + 89_999);
    assert_eq!((view.head(&m1).unwrap(), seqs(&view, "match/m1/1", 0)), (0, vec![]));
    at.set(START + 90_000);
    assert_eq!((view.head(&m1).unwrap(), seqs(&view, "match/m1/1", 0)), (2, vec![1, 2]));
    assert_eq!(names(&view), ["match/m1/1", "match/show/1"]);
    assert!(view.is_part(at.log.lineage().current(), &m1, 2).unwrap());
    assert!(!view.is_part(at.log.lineage().current(), &m1, 3).unwrap());
    // A clock that is set back hides nothing again.
    at.set(START);
    assert_eq!((view.head(&m1).unwrap(), seqs(&view, "match/m1/1", 1)), (2, vec![2]));
    at.set(START + 100_000);
    assert_eq!((view.head(&m1).unwrap(), seqs(&view, "match/m1/1", 2)), (5, vec![3, 4, 5]));
    assert_eq!(names(&view), ["match/m1/1", "match/m1/2", "match/show/1"]);
    assert_eq!(view.subjects("match/", Some("match/m1/1"), 1).unwrap(), [subject("match/m1/2")]);
}

#[tokio::test]
async fn a_clock_that_was_wrong_for_a_moment_shows_nothing_that_comes_later() {
    let mut at = Fixture::new();
    let view = at.delayed(&[("match/**", 90)]);
    let m1 = subject("match/m1/1");
    at.write("match/m1/1", 1).await;
    at.set(START + 500_000);
    assert_eq!(view.head(&m1).unwrap(), 1);
    at.set(START + 11_000);
    at.write("match/m1/1", 1).await;
    assert_eq!((view.head(&m1).unwrap(), seqs(&view, "match/m1/1", 0)), (1, vec![1]));
    at.set(START + 101_000);
    assert_eq!(seqs(&view, "match/m1/1", 0), [1, 2]);
}

#[tokio::test]
async fn whoever_watches_is_told_when_an_event_is_due() {
    let mut at = Fixture::new();
    let view = at.delayed(&[("**", 5)]);
    let m1 = subject("match/m1/1");
    let mut head = view.watch(&m1);
    for step in 1..=3 {
        at.write("match/m1/1", 2).await;
        assert!(*head.borrow() <= 2 * (step - 1), "it is told of what is not due");
        at.set(at.now + 5_000);
        let due = head.wait_for(|seen| *seen == 2 * step);
        tokio::time::timeout(Duration::from_secs(30), due).await.unwrap().unwrap();
        assert_eq!(view.head(&m1).unwrap(), 2 * step);
    }
    let curtain = view.curtain.clone().unwrap();
    assert_eq!(curtain.watched.lock().len(), 1);
    // The task goes with the last one who watches.
    drop(head);
    let gone = async {
        while !curtain.watched.lock().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone).await.unwrap();
    let mut again = view.watch(&m1);
    let known = again.wait_for(|seen| *seen == 6);
    tokio::time::timeout(Duration::from_secs(30), known).await.unwrap().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// At any moment a stream ends at the last event that is due, wherever it was looked at before.
    #[test]
    fn what_is_seen_is_what_was_there_then(steps in prop::collection::vec((0..4_u8, 0..40_u32), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut at = Fixture::new();
            let view = at.delayed(&[("match/**", 20), ("match/m2/*", 7)]);
            let mut written: HashMap<&str, Vec<i64>> = HashMap::new();
            for (what, n) in steps {
                let stream = ["match/m1/1", "match/m2/1"][usize::from(what % 2)];
                if what < 2 {
                    at.write(stream, n).await;
                    written.entry(stream).or_default().extend((0..n).map(|_| at.now));
                } else {
                    at.set(at.now + i64::from(n) * 300);
                }
                // Not every step is looked at, so that what is known lies far back at times.
                if n % 3 == 0 {
                    continue;
                }
                for (stream, delay) in [("match/m1/1", 20_000), ("match/m2/1", 7_000)] {
                    let times = written.get(stream).map_or(&[][..], Vec::as_slice);
                    let due = times.iter().filter(|time| *time + delay <= at.now).count() as u64;
                    prop_assert_eq!(view.head(&subject(stream)).unwrap(), due);
                    let seen = seqs(&view, stream, 0);
                    prop_assert_eq!(seen, (1..=due).collect::<Vec<_>>());
                    let listed = view.subjects(stream, None, 9).unwrap().len();
                    prop_assert_eq!(listed, usize::from(due > 0));
                }
            }
            Ok(())
        })?;
    }
}

/// What is seen of streams, by their last seq.
fn heads(view: &View) -> [u64; 3] {
    ["match/m1", "match/m1/1", "match/m1/2"].map(|stream| view.head(&subject(stream)).unwrap())
}

/// A match that was set an hour before, of two maps with a pause of ten minutes between.
async fn played() -> (Fixture, Vec<Subject>) {
    let mut at = Fixture::new();
    at.write("match/m1", 1).await;
    for (second, stream) in [(3_600, 1), (3_601, 1), (3_604, 1), (4_204, 2), (4_206, 2)] {
        at.set(START + second * 1_000);
        at.write(&format!("match/m1/{stream}"), 1).await;
    }
    at.write("match/m1", 1).await;
    let subjects = ["match/m1", "match/m1/1", "match/m1/2"].map(subject).to_vec();
    (at, subjects)
}

#[tokio::test]
async fn a_replay_goes_as_the_match_went_and_ends_where_it_ended() {
    let (mut at, subjects) = played().await;
    let whole = View::from(at.log.clone());
    let pace = |speed, max_gap| Pace { by: By::Recorded, speed, max_gap };
    let read = |pace| Timetable::read(&whole, &subjects, pace).unwrap().unwrap();
    let timetable = read(pace(2.0, None));
    assert_eq!(timetable.offset(&subjects[1], 3), Duration::from_secs(2));
    assert_eq!(timetable.offset(&subjects[2], 9), Duration::from_secs(303));
    let replay = whole.replay(timetable, Duration::ZERO);
    let begun = at.now;
    // What comes in meanwhile is not in it.
    at.write("match/m1/2", 1).await;
    for (ms, seen) in [
        (0, [1, 1, 0]),
        (499, [1, 1, 0]),
        (500, [1, 2, 0]),
        (2_000, [1, 3, 0]),
        (301_999, [1, 3, 0]),
        (302_000, [1, 3, 1]),
        (303_000, [2, 3, 2]),
        (900_000, [2, 3, 2]),
    ] {
        at.set(begun + ms);
        assert_eq!(heads(&replay), seen, "after {ms} ms");
        assert_eq!(seqs(&replay, "match/m1/1", 0), (1..=seen[1]).collect::<Vec<_>>());
        let listed = replay.subjects("match/m1/", None, 9).unwrap().len();
        assert_eq!(listed, 1 + usize::from(seen[2] > 0));
    }
    // Pauses may be cut; one may begin later; and all may come at once.
    let short = whole.replay(read(pace(1.0, Some(Duration::from_secs(5)))), Duration::from_secs(4));
    assert_eq!(heads(&short), [1, 3, 0]);
    at.set(at.now + 5_000);
    assert_eq!(heads(&short), [1, 3, 1]);
    let once = whole.replay(read(pace(0.0, None)), Duration::ZERO);
    assert_eq!(heads(&once), [2, 3, 3]);
    assert_eq!(once.head(&subject("match/m2/1")).unwrap(), 0);
    // Where it does not come out even, an event comes a little later, and never earlier.
    assert_eq!(read(pace(3.0, None)).offset(&subjects[1], 2), Duration::from_millis(334));
}

#[tokio::test]
async fn a_replay_has_what_its_audience_may_see_and_is_watched() {
    let (mut at, subjects) = played().await;
    let delayed = at.delayed(&[("match/**", 60)]);
    at.set(START + 4_205_000 + 60_000);
    let pace = Pace { by: By::Recorded, speed: 1.0, max_gap: None };
    let timetable = Timetable::read(&delayed, &subjects, pace).unwrap().unwrap();
    let mut ends: Vec<(String, u64)> =
        timetable.ends().map(|(subject, last)| (subject.to_string(), last)).collect();
    ends.sort_unstable();
    assert_eq!(ends, [("match/m1".into(), 1), ("match/m1/1".into(), 3), ("match/m1/2".into(), 1)]);
    let replay = delayed.replay(timetable, Duration::ZERO);
    let mut head = replay.watch(&subjects[1]);
    for (ms, seq) in [(0, 1), (1_000, 2), (3_000, 1)] {
        at.set(at.now + ms);
        let seq = seq.max(replay.head(&subjects[1]).unwrap());
        let due = head.wait_for(|seen| *seen == seq);
        tokio::time::timeout(Duration::from_secs(30), due).await.unwrap().unwrap();
    }
    assert_eq!(*head.borrow(), 3);
}

#[tokio::test]
async fn what_was_imported_at_once_can_be_replayed_by_its_own_time() {
    let mut at = Fixture::new();
    let time = |seconds: u32| format!(r#""time":"2024-05-01T20:00:{seconds:02}Z","#);
    // What has none, or an earlier one, comes with the one before it.
    at.write("match/m1/1", 1).await;
    for more in [time(10), time(14), String::new(), time(12), time(20)] {
        at.write_with("match/m1/1", &more).await;
    }
    at.write_with("match/m1/2", &time(17)).await;
    let subjects = ["match/m1/1", "match/m1/2"].map(subject);
    let view = View::from(at.log.clone());
    let pace = |by, max_gap_s| {
        let max_gap = Some(Duration::from_secs(max_gap_s));
        let timetable = Timetable::read(&view, &subjects, Pace { by, speed: 1.0, max_gap });
        let timetable = timetable.unwrap().unwrap();
        let of_first = (2..=6).map(|seq| timetable.offset(&subjects[0], seq).as_secs());
        (of_first.collect::<Vec<_>>(), timetable.offset(&subjects[1], 1).as_secs())
    };
    assert_eq!(pace(By::Recorded, 99), (vec![0; 5], 0));
    assert_eq!(pace(By::Time, 99), (vec![0, 4, 4, 4, 10], 7));
    assert_eq!(pace(By::Time, 2), (vec![0, 2, 2, 2, 6], 4));
}

/// Hides the streams that begin with a text.
struct Hides(Mutex<&'static str>);

impl Screen for Hides {
    fn hides(&self, _log: &Log, subject: &Subject) -> Result<bool, Error> {
        let start = *self.0.lock();
        Ok(!start.is_empty() && subject.as_str().starts_with(start))
    }
}

#[tokio::test]
async fn of_a_stream_that_is_hidden_there_is_no_trace() {
    let mut at = Fixture::new();
    for stream in ["match/m1", "match/m1/1", "match/m2/1"] {
        at.write(stream, 3).await;
    }
    let screen = Arc::new(Hides(Mutex::new("match/m1")));
    let lineage = at.log.lineage().current().to_owned();
    let views = [View::from(at.log.clone()), at.delayed(&[("match/none", 9)])];
    for view in views.map(|view| view.screened(screen.clone())) {
        *screen.0.lock() = "match/m1";
        let names = |view: &View| -> Vec<String> {
            let subjects = view.subjects("match/", None, 10).unwrap();
            subjects.iter().map(ToString::to_string).collect()
        };
        let m1 = subject("match/m1/1");
        assert_eq!(
            (names(&view), seqs(&view, "match/m1/1", 0)),
            (vec!["match/m2/1".into()], vec![])
        );
        assert_eq!((view.head(&m1).unwrap(), view.seq_before(&m1, u64::MAX).unwrap()), (0, 0));
        assert!(
            view.is_part(&lineage, &m1, 0).unwrap() && !view.is_part(&lineage, &m1, 1).unwrap()
        );
        let arrived = view.arrived(0, u64::MAX, |_| true);
        let arrived = arrived.into_iter().flatten().map(|it| it.subject.to_string());
        assert!(
            arrived.clone().all(|name| name == "match/m2/1"),
            "{:?}",
            arrived.collect::<Vec<_>>()
        );
        // Once it is shown, it is there as a whole.
        *screen.0.lock() = "";
        assert_eq!(names(&view), ["match/m1", "match/m1/1", "match/m2/1"]);
        assert_eq!((view.head(&m1).unwrap(), seqs(&view, "match/m1/1", 0)), (3, vec![1, 2, 3]));
    }
}
