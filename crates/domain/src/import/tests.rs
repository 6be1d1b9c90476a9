//! Given events, when something is asked for, then so.

use std::collections::BTreeMap;

use super::*;
use crate::{live_match::Label, timestamp::Timestamp};

fn started(content: &str, events: u64) -> Started {
    let files = vec![File { name: Label::cut("a.csv"), bytes: 7 }];
    Started { content: Label::cut(content), events, by: Some(Label::cut("One")), files }
}

fn streams() -> BTreeMap<Subject, u64> {
    [(Subject::parse("match/m1").unwrap(), 3)].into()
}

/// Folds an event as it is read back.
fn apply(state: &mut State, event: &Event) -> u64 {
    let event = Event::parse(event.tag(), &event.data().unwrap()).unwrap();
    let seq = state.seq() + 1;
    state.apply(seq, Timestamp::from_ms(i64::try_from(seq).unwrap() * 1_000), event);
    seq
}

fn begun(events: u64) -> State {
    let mut state = State::default();
    let event = state.start(started("c", events)).unwrap().unwrap();
    apply(&mut state, &event);
    state
}

fn batch(state: &mut State, first: u64, count: u64) -> Result<u64, Refused> {
    let event = state.batch(first, count, streams())?;
    Ok(apply(state, &event))
}

#[test]
fn an_import_from_its_beginning_to_its_end() {
    let mut state = begun(7);
    assert_eq!((state.status, state.since), (Status::Open, Timestamp::from_ms(1_000)));
    assert_eq!(state.finish(Finished { refused: 0 }), Err(Refused::Unfinished(0, 7)));
    batch(&mut state, 0, 4).unwrap();
    assert_eq!((state.sure, state.told), (0, 4));
    batch(&mut state, 4, 3).unwrap();
    assert_eq!((state.sure, state.told, state.batches), (4, 7, 2));
    let event = state.finish(Finished { refused: 1 }).unwrap().unwrap();
    apply(&mut state, &event);
    assert_eq!((state.status, state.sure, state.refused), (Status::Finished, 7, 1));
    assert_eq!(state.finish(Finished { refused: 1 }), Ok(None));
    assert_eq!(batch(&mut state, 4, 3), Err(Refused::Finished));
    assert_eq!(state.changed, Timestamp::from_ms(4_000));
}

#[test]
fn it_goes_on_with_the_batch_of_which_nobody_knows() {
    let mut state = begun(10);
    batch(&mut state, 0, 4).unwrap();
    batch(&mut state, 4, 4).unwrap();
    assert_eq!(state.start(started("c", 10)), Ok(None));
    // Again, in another size.
    batch(&mut state, 4, 2).unwrap();
    assert_eq!((state.sure, state.told), (4, 8));
    batch(&mut state, 6, 4).unwrap();
    assert_eq!((state.sure, state.told), (6, 10));
}

#[test]
fn nothing_is_left_out_and_nothing_is_beyond_the_end() {
    let mut state = begun(10);
    assert_eq!(batch(&mut state, 1, 1), Err(Refused::Misplaced(1, 2, 0, 10)));
    assert_eq!(batch(&mut state, 0, 11), Err(Refused::Misplaced(0, 11, 0, 10)));
    assert_eq!(batch(&mut state, 0, 0), Err(Refused::Misplaced(0, 0, 0, 10)));
    assert!(batch(&mut state, u64::MAX, 2).is_err());
    assert_eq!(state.start(started("other", 10)), Err(Refused::OtherContent));
    assert_eq!(state.start(started("c", 11)), Err(Refused::OtherContent));
}

#[test]
fn what_is_taken_back_takes_no_more_and_is_taken_back_once() {
    let mut state = begun(10);
    let first = batch(&mut state, 0, 4).unwrap();
    let second = batch(&mut state, 2, 4).unwrap();
    let why = Revoking { by: None, reason: Some(Label::cut("wrong file")) };
    let event = state.revoke(why.clone()).unwrap().unwrap();
    apply(&mut state, &event);
    assert_eq!((state.status, &state.revoking), (Status::Revoking, &Some(why.clone())));
    assert_eq!(state.revoke(Revoking::default()), Ok(None));
    assert_eq!(batch(&mut state, 4, 4), Err(Refused::Revoked));
    assert_eq!(state.start(started("c", 10)), Err(Refused::Revoked));
    for (batch, until, voided, kept) in [(first, 4, 3, 1), (first, 4, 3, 1), (second, 6, 2, 0)] {
        apply(&mut state, &Event::Unwound(Unwound { batch, until, voided, kept }));
    }
    assert_eq!((state.unwound, state.counted, state.batches_unwound), (second, 6, 2));
    assert_eq!((state.voided, state.kept), (5, 1));
    apply(&mut state, &Event::Revoked);
    assert_eq!(state.status, Status::Revoked);
    assert_eq!(state.finish(Finished { refused: 0 }), Err(Refused::Revoked));
    assert_eq!(state.start(started("c", 10)), Err(Refused::Revoked));
    assert_eq!(state.revoke(why), Ok(None));
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let mut state = State::default();
    assert_eq!(state.revoke(Revoking::default()), Err(Refused::Unknown));
    assert_eq!(batch(&mut state, 0, 1), Err(Refused::Unknown));
    assert_eq!(state.finish(Finished { refused: 0 }), Err(Refused::Unknown));
    for event in [
        Event::Batched(Batched { first: 0, count: 1, streams: streams() }),
        Event::Finished(Finished { refused: 0 }),
        Event::Revoked,
        Event::Revoking(Revoking::default()),
    ] {
        apply(&mut state, &event);
        assert_eq!((state.status, state.batches), (Status::Unknown, 0), "{event:?}");
    }
    assert!(Event::parse("import.stopped", "{}").is_err());
    assert!(Event::parse("import.started", "{}").is_err());
}

#[test]
fn whose_a_source_is() {
    assert_eq!(subject("a-1").unwrap().as_str(), "import/a-1");
    assert!(subject("a/1").is_err() && subject("").is_err());
    assert_eq!(of_source(&source("a-1")), Some("a-1"));
    assert_eq!(of_source("imports"), None);
}
