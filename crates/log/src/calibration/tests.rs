//! The view over the log in memory.

use std::sync::Arc;

use matchwire_domain::{
    calibration::Key,
    envelope::{Attributes, Event},
    live_match::{ModelSwitched, Models, Target},
    timestamp::Timestamp,
};

use super::*;
use crate::{Append, ManualClock, Memory};

const BEGIN: (&str, &str) = ("round.started", "{}");
const CT_WINS: (&str, &str) = ("round.ended", r#"{"winner":"CT","reason":"elimination"}"#);
const END: (&str, &str) = ("map.ended", r#"{"score":{"ct":1,"t":0}}"#);

fn map(n: usize) -> Subject {
    Subject::match_map(&format!("m{n:03}"), 1).unwrap()
}

async fn tell(log: &Log, subject: &Subject, events: &[(&str, &str)]) {
    let head = log.head(subject).unwrap();
    let event = |(id, (kind, data)): (u64, &(&str, &str))| {
        let json = format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"s","subject":"{subject}","type":"{kind}","data":{data}}}"#
        );
        Event::new(&Attributes::parse(&json).unwrap(), data).unwrap()
    };
    let events = (head + 1..).zip(events).map(event).collect();
    let (subject, received) = (subject.clone(), Instant::now());
    let append = Append { subject, events, expected_seq: None, received };
    log.append(vec![append]).await.unwrap();
}

fn log() -> (Log, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(1_000));
    (Log::open(Box::new(Memory::new()), clock.clone()).unwrap(), clock)
}

/// A view that is kept up to date for as long as the answer is held.
fn running(log: &Log, games: &Games) -> (Calibration, task::JoinHandle<()>) {
    running_behind(log, games, None)
}

fn running_behind(
    log: &Log,
    games: &Games,
    screen: Option<Arc<dyn Screen>>,
) -> (Calibration, task::JoinHandle<()>) {
    let calibration = Calibration::new(log, games, screen);
    let own = calibration.clone();
    (calibration, task::spawn(async move { own.run().await }))
}

/// Waits until something holds of the view.
async fn until(calibration: &Calibration, holds: impl Fn(&Standing) -> bool) -> Standing {
    let reached = async {
        loop {
            let standing = calibration.standing();
            if holds(&standing) {
                return standing;
            }
            task::yield_now().await;
        }
    };
    time::timeout(Duration::from_secs(30), reached).await.expect("it took too long")
}

/// Maps and predictions of what was predicted by a model.
fn counted(standing: &Standing, model: &str, target: Target, shadow: bool) -> (u64, u64) {
    let is = |key: &&Key| key.model == model && key.target == target && key.shadow == shadow;
    let key = standing.scores.keys().find(is);
    key.map_or((0, 0), |key| (standing.scores[key].maps, standing.scores[key].predictions))
}

#[tokio::test]
async fn what_is_in_the_log_is_scored_and_what_comes_is_too() {
    let (log, _) = log();
    for n in 0..300 {
        tell(&log, &map(n), &[BEGIN, CT_WINS, END]).await;
    }
    tell(&log, &Subject::parse("match/m000").unwrap(), &[("x.own", "{}")]).await;
    let (calibration, task) = running(&log, &Games::default());
    let standing =
        until(&calibration, |standing| standing.is_complete && standing.waiting == 0).await;
    assert_eq!(counted(&standing, "mw-gbt-1", Target::Round, false), (300, 300));
    // At the start and after the first round.
    assert_eq!(counted(&standing, "mw-gbt-1", Target::Map, false), (300, 600));
    assert_eq!((standing.waiting, standing.incomplete), (0, 0));
    // A round of a map that is being played counts once it is decided.
    tell(&log, &map(300), &[BEGIN]).await;
    tell(&log, &map(300), &[CT_WINS, BEGIN]).await;
    let rounds = |standing: &Standing| counted(standing, "mw-gbt-1", Target::Round, false);
    until(&calibration, |standing| rounds(standing) == (301, 301)).await;
    tell(&log, &map(300), &[CT_WINS]).await;
    let standing = until(&calibration, |standing| rounds(standing) == (301, 302)).await;
    assert_eq!(counted(&standing, "mw-gbt-1", Target::Map, false), (300, 600));
    task.abort();
}

/// Hides all of one match.
struct Hides(&'static str);

impl Screen for Hides {
    fn hides(&self, _log: &Log, subject: &Subject) -> Result<bool, Error> {
        Ok(subject.as_str().starts_with(self.0))
    }
}

#[tokio::test]
async fn what_is_hidden_is_in_no_score() {
    let (log, _) = log();
    for n in 0..3 {
        tell(&log, &map(n), &[BEGIN, CT_WINS, END]).await;
    }
    let screen = Some(Arc::new(Hides("match/m001/")) as Arc<dyn Screen>);
    let (calibration, task) = running_behind(&log, &Games::default(), screen);
    let standing =
        until(&calibration, |standing| standing.is_complete && standing.waiting == 0).await;
    assert_eq!(counted(&standing, "mw-gbt-1", Target::Round, false), (2, 2));
    assert_eq!(standing.incomplete, 0);
    task.abort();
}

#[tokio::test]
async fn a_correction_takes_the_place_of_what_was_counted() {
    let (log, _) = log();
    tell(&log, &map(1), &[BEGIN, CT_WINS, END]).await;
    tell(&log, &map(2), &[BEGIN, CT_WINS, END]).await;
    let (calibration, task) = running(&log, &Games::default());
    let before =
        until(&calibration, |standing| standing.is_complete && standing.waiting == 0).await;
    // The other team won the round and the map.
    let amend = r#"{"seq":2,"type":"round.ended","data":{"winner":"T","reason":"elimination"}}"#;
    let end = r#"{"seq":3,"type":"map.ended","data":{"score":{"ct":0,"t":1}}}"#;
    tell(&log, &map(1), &[("event.amended", amend), ("event.amended", end)]).await;
    let after = until(&calibration, |standing| {
        let maps = |target| counted(standing, "mw-gbt-1", target, false);
        maps(Target::Round) == (2, 2)
            && maps(Target::Map) == (2, 4)
            && standing.scores != before.scores
    })
    .await;
    // A view that sees it for the first time comes to the same.
    let (fresh, other) = running(&log, &Games::default());
    let fresh = until(&fresh, |standing| standing.is_complete && standing.waiting == 0).await;
    assert_eq!(fresh.scores, after.scores);
    // Void, it is not counted at all.
    let void = [("event.voided", r#"{"seq":2}"#), ("event.voided", r#"{"seq":3}"#)];
    tell(&log, &map(1), &void).await;
    until(&calibration, |s| counted(s, "mw-gbt-1", Target::Map, false) == (1, 2)).await;
    task.abort();
    other.abort();
}

#[tokio::test]
async fn predictions_count_for_the_model_that_was_in_force_and_the_shadow_beside_it() {
    let (log, clock) = log();
    tell(&log, &map(1), &[BEGIN, CT_WINS]).await;
    clock.set(2_000);
    tell(&log, &map(1), &[BEGIN, CT_WINS]).await;
    let switch = ModelSwitched {
        game: "cs2".into(),
        model: "mw-logit-1".into(),
        from: Timestamp::from_ms(2_000),
    };
    let shadows = vec![("cs2".to_owned(), "mw-logit-1".to_owned())];
    let games = Games::default().with_models(Models::new(vec![switch])).with_shadows(shadows);
    let (calibration, task) = running(&log, &games);
    let standing =
        until(&calibration, |standing| standing.is_complete && standing.waiting == 0).await;
    let rounds = |model, shadow| counted(&standing, model, Target::Round, shadow);
    assert_eq!(rounds("mw-gbt-1", false), (1, 1));
    assert_eq!(rounds("mw-logit-1", false), (1, 1));
    // In the shadow it says what it would have said in the first round; in the second it is served.
    assert_eq!(rounds("mw-logit-1", true), (1, 1));
    task.abort();
}

#[test]
fn the_oldest_maps_are_merged_and_stay_as_they_were() {
    let (log, games) = (log().0, Games::default());
    let scores = |events: &[(&str, &str)]| {
        let subject = map(events.len());
        let told = tell(&log, &subject, events);
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(told);
        let mut scorer = Scorer::new(log.clone(), games.clone(), LIMIT);
        scorer.score(&subject).unwrap().scores.unwrap()
    };
    let one = scores(&[BEGIN, CT_WINS, END]);
    let two = scores(&[BEGIN, CT_WINS, BEGIN, CT_WINS]);
    let mut board = Board::holding(2);
    let rounds = |board: &Board| counted(&board.standing(), "mw-gbt-1", Target::Round, false);
    for n in 0..5 {
        board.put(map(n), one.clone());
    }
    assert_eq!((rounds(&board), board.held.len(), board.merged.len()), ((5, 5), 2, 3));
    // One that stands by itself is counted anew, and one that is merged is not counted twice.
    board.put(map(4), two.clone());
    board.put(map(0), two);
    assert_eq!(rounds(&board), (5, 6));
    board.put(map(4), Scores::new());
    assert_eq!((rounds(&board), board.held.len()), ((4, 4), 1));
}
