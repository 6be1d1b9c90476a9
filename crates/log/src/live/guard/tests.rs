//! When a breaker opens, and when it closes again.

use super::*;

const PATIENCE: Patience = Patience {
    limit: Duration::from_millis(50),
    rest: Duration::from_secs(1),
    longest_rest: Duration::from_secs(3),
};

#[test]
fn a_model_that_fails_is_tried_once_after_each_rest() {
    let (mut breaker, begun) = (Breaker::default(), Instant::now());
    let at = |ms| begun + Duration::from_millis(ms);
    assert!(breaker.admits(at(0)) && breaker.is_closed());
    assert!(breaker.failed(Failure::Panic, at(0), &PATIENCE));
    // Who asked before it failed says nothing new.
    assert!(!breaker.failed(Failure::Late, at(1), &PATIENCE) && !breaker.answered());
    assert!(!breaker.admits(at(999)) && !breaker.is_due(at(999)));
    assert!(breaker.is_due(at(1_000)) && breaker.admits(at(1_000)));
    assert!(!breaker.admits(at(1_000)), "one tries");
    // Rests double up to the longest.
    assert!(!breaker.failed(Failure::Panic, at(1_000), &PATIENCE));
    assert!(!breaker.admits(at(2_999)) && breaker.admits(at(3_000)));
    assert!(!breaker.failed(Failure::Panic, at(3_000), &PATIENCE));
    assert!(!breaker.admits(at(5_999)) && breaker.admits(at(6_000)));
    assert!(breaker.answered() && breaker.is_closed() && breaker.admits(at(6_000)));
    let failures = Failures { panic: 3, late: 1, invalid: 0, skipped: 4 };
    assert_eq!(breaker.failures, failures);
    // Well again, it has the first rest.
    assert!(breaker.failed(Failure::Invalid, at(7_000), &PATIENCE));
    assert!(breaker.admits(at(8_000)));
}

#[test]
fn what_is_no_probability_is_no_prediction() {
    let prediction = |map: [f64; 2], draw| Prediction {
        seq: 1,
        round_no: None,
        model: "m",
        round: None,
        map,
        draw,
    };
    assert!(is_sane(&prediction([0.0, 1.0], None)));
    assert!(is_sane(&prediction([0.3, 0.3], Some(0.4))));
    for (map, draw) in [([f64::NAN, 0.5], None), ([1.1, 0.0], None), ([0.5, 0.5], Some(-0.1))] {
        assert!(!is_sane(&prediction(map, draw)), "{map:?} {draw:?}");
    }
}
