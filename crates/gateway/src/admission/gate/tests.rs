//! The table of what is given up for whom.

use std::time::Duration;

use matchwire_domain::live_match::Games;
use matchwire_log::Backlog;

use super::*;
use crate::admission::Settings;

const KINDS: [(&str, Priority); 3] = [
    ("x.position", Priority::Low),
    ("player.hurt", Priority::Normal),
    ("player.killed", Priority::Critical),
];

fn json(source: &str, id: u32, kind: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"{source}","subject":"match/m/1","type":"{kind}"}}"#
    )
}

fn admission(sources: &[&str]) -> Admission {
    let sources = sources.iter().map(|limit| limit.parse().unwrap()).collect();
    Admission::new(Settings { target: Duration::from_secs(1), sources }, Games::default())
}

/// What becomes of a thousand requests with an event of each priority: taken, sampled, refused.
fn outcome(admission: &Admission, source: &str, level: Level, sample: f64) -> [[u32; 3]; 3] {
    KINDS.map(|(kind, _)| {
        let mut counts = [0; 3];
        for id in 0..1_000 {
            let mut gate = Gate::new(admission, Decision { level, sample, limit: None });
            let place = match gate.judge(json(source, id, kind).as_bytes()) {
                Verdict::Take(_) => 0,
                Verdict::Sampled(_) => 1,
                Verdict::Refused(_) => 2,
            };
            counts[place] += 1;
        }
        counts
    })
}

#[test]
fn what_is_given_up_at_each_level() {
    const TAKEN: [u32; 3] = [1_000, 0, 0];
    const REFUSED: [u32; 3] = [0, 0, 1_000];
    let admission = admission(&["b=1000000:broadcast", "s=1000000:social", "g=1000000"]);
    for source in ["b", "s", "g", "other"] {
        assert_eq!(outcome(&admission, source, Level::Open, 1.0), [TAKEN; 3]);
        let last = outcome(&admission, source, Level::CriticalOnly, 1.0);
        assert_eq!(last, [REFUSED, REFUSED, TAKEN]);
    }
    assert_eq!(outcome(&admission, "s", Level::Sampling, 4.0), [REFUSED, TAKEN, TAKEN]);
    assert_eq!(outcome(&admission, "s", Level::NoLow, 1.0), [REFUSED, REFUSED, TAKEN]);
    for (source, about) in [("g", 200..300), ("other", 200..300), ("b", 90..160)] {
        assert_eq!(outcome(&admission, source, Level::NoLow, 1.0), [REFUSED, TAKEN, TAKEN]);
        let [low, normal, critical] = outcome(&admission, source, Level::Sampling, 4.0);
        assert!(about.contains(&low[0]) && low[2] == 0, "{source}: {low:?}");
        assert_eq!([normal, critical], [TAKEN; 2]);
    }
}

#[test]
fn the_same_request_gets_the_same_verdict() {
    let admission = admission(&[]);
    let gate =
        |sample| Gate::new(&admission, Decision { level: Level::Sampling, sample, limit: None });
    for id in 0..1_000 {
        let (mut four, mut eight, mut again) = (gate(4.0), gate(8.0), gate(8.0));
        let first = json("s", id, "x.position");
        let verdict = eight.judge(first.as_bytes());
        assert_eq!(again.judge(first.as_bytes()), verdict);
        if verdict == Verdict::Take(8) {
            assert_eq!(four.judge(first.as_bytes()), Verdict::Take(4));
        }
        // So do the others of its events.
        let other = json("s", id + 1_000_000, "x.position");
        assert_eq!(eight.judge(other.as_bytes()), verdict);
    }
}

/// Between two whole numbers so many are kept as that says, and what they stand for adds up.
#[test]
fn a_sample_need_not_be_a_whole_number() {
    let admission = admission(&[]);
    for sample in [1.0, 1.3, 2.6, 7.5] {
        let decision = Decision { level: Level::Sampling, sample, limit: None };
        let (mut kept, mut told) = (0, 0);
        for id in 0..20_000 {
            let mut gate = Gate::new(&admission, decision);
            match gate.judge(json("s", id, "x.position").as_bytes()) {
                Verdict::Take(rate) => (kept, told) = (kept + 1, told + rate),
                Verdict::Sampled(rate) => assert!(rate >= 2, "{sample}: {rate}"),
                refused @ Verdict::Refused(_) => panic!("{refused:?}"),
            }
        }
        let share = f64::from(kept) / 20_000.0;
        assert!((share * sample - 1.0).abs() < 0.05, "{sample}: {share} are kept");
        assert!((f64::from(told) / 20_000.0 - 1.0).abs() < 0.05, "{sample}: {told} are told of");
    }
}

#[test]
fn who_is_over_its_rate_is_told_so() {
    let admission = admission(&["s=10"]);
    let mut gate = admission.gate(Backlog::default());
    assert!(!gate.is_open());
    let verdicts: Vec<Verdict> =
        (0..100).map(|id| gate.judge(json("s", id, "player.hurt").as_bytes())).collect();
    let taken = verdicts.iter().filter(|verdict| **verdict == Verdict::Take(1)).count();
    assert_eq!(taken, 20, "a burst, and as much again on credit");
    assert!(gate.problem(&verdicts).is_none());
    let problem = gate.problem(&verdicts[50..]).unwrap();
    assert_eq!(problem.code, Code::RateLimited);
    assert_eq!(problem.advice.unwrap().policy, "source");
    assert_eq!(gate.shed().len(), 80);
    // What is no event is let through, to be refused for what it is.
    assert_eq!(gate.judge(b"{"), Verdict::Take(1));
    drop(gate);
    assert_eq!(admission.offered[1].load(Ordering::Relaxed), 100);
    // Until its very last bound its kills are taken.
    let mut gate = admission.gate(Backlog::default());
    let kills = (0..100).map(|id| gate.judge(json("s", id, "player.killed").as_bytes()));
    let taken = kills.filter(|verdict| *verdict == Verdict::Take(1)).count();
    assert!((30..40).contains(&taken), "{taken}");
}
