//! Given events, when something is asked for, then so.

use super::*;
use crate::timestamp::Timestamp;

const BOUNDS: Bounds = Bounds { letters: 3, bytes: 100 };

fn letter(name: &str, kept_bytes: u64) -> Kept {
    Kept {
        name: name.into(),
        reason: "schema".into(),
        via: "http".into(),
        origin: Origin { source: "feed".into(), ..Origin::default() },
        place: None,
        attempts: 1,
        body_bytes: kept_bytes,
        kept_bytes,
        sealed: sealed(),
        oldest: 0,
    }
}

fn sealed() -> Sealed {
    Sealed { key: "k".into(), text: "AA==".into() }
}

/// Keeps letters as one append, and says what became of each.
fn keep(state: &mut State, letters: &[(&str, u64)]) -> Vec<Result<u64, Refused>> {
    let letters = letters.iter().map(|(name, bytes)| letter(name, *bytes)).collect();
    let decided = state.keep(letters, &BOUNDS);
    decided.into_iter().map(|event| event.map(|event| apply(state, &event))).collect()
}

fn apply(state: &mut State, event: &Event) -> u64 {
    // On its way it is text.
    let event = Event::parse(event.tag(), &event.data().unwrap()).unwrap();
    let seq = state.seq() + 1;
    state.apply(seq, Timestamp::from_ms(1_000 + i64::try_from(seq).unwrap()), event);
    seq
}

fn open(state: &State) -> Vec<u64> {
    state.open().keys().copied().collect()
}

#[test]
fn the_same_letter_is_kept_once_while_it_is_open() {
    let mut state = State::default();
    let kept = keep(&mut state, &[("a", 10), ("a", 10), ("b", 10)]);
    assert_eq!(kept, [Ok(1), Err(Refused::Known), Ok(2)]);
    assert_eq!(keep(&mut state, &[("b", 10)]), [Err(Refused::Known)]);
    let dropped = state.drop(2).unwrap();
    apply(&mut state, &dropped);
    assert_eq!(keep(&mut state, &[("b", 10)]), [Ok(4)]);
    assert_eq!(open(&state), [1, 4]);
}

#[test]
fn the_newest_is_refused_at_a_bound() {
    let mut state = State::default();
    let kept = keep(&mut state, &[("a", 60), ("b", 60), ("c", 40)]);
    assert_eq!(kept, [Ok(1), Err(Refused::Full), Ok(2)]);
    assert!(state.is_full(&BOUNDS));
    let redriven = state.redrive(1).unwrap();
    apply(&mut state, &redriven);
    assert_eq!((state.bytes(), state.is_full(&BOUNDS)), (40, false));
    let kept = keep(&mut state, &[("d", 1), ("e", 1), ("f", 1)]);
    assert_eq!(kept, [Ok(4), Ok(5), Err(Refused::Full)]);
}

#[test]
fn a_letter_that_fails_again_stays_with_its_new_reason() {
    let mut state = State::default();
    keep(&mut state, &[("a", 10)]);
    let failed = state.fail(1, "subject".into(), sealed()).unwrap();
    apply(&mut state, &failed);
    let open = &state.open()[&1];
    assert_eq!((open.reason.as_str(), open.attempts, open.failed), ("subject", 2, Some(2)));
    assert_eq!(open.kept, Timestamp::from_ms(1_001));
}

#[test]
fn what_is_not_open_cannot_be_closed() {
    let mut state = State::default();
    keep(&mut state, &[("a", 10)]);
    let dropped = state.drop(1).unwrap();
    apply(&mut state, &dropped);
    assert_eq!(state.redrive(1), Err(Refused::NotOpen(1)));
    assert_eq!(state.drop(7), Err(Refused::NotOpen(7)));
    assert_eq!(state.fail(1, String::new(), sealed()), Err(Refused::NotOpen(1)));
    // Told twice, it changes nothing.
    apply(&mut state, &dropped);
    assert_eq!((state.open().len(), state.bytes()), (0, 0));
}

/// Whatever happened, a fold from where the last event says comes to the same.
#[test]
fn a_start_reads_from_the_oldest_open_letter() {
    let mut state = State::default();
    let mut events = Vec::new();
    for step in 0..60_u64 {
        let letters = vec![letter(&format!("n{step}"), 7)];
        let event = match (step % 5, state.open().keys().next().copied()) {
            (3, Some(oldest)) => state.redrive(oldest),
            (4, Some(_)) => state.drop(*state.open().keys().next_back().unwrap()),
            (2, Some(oldest)) => state.fail(oldest, "again".into(), sealed()),
            _ => state.keep(letters, &BOUNDS).remove(0),
        };
        let Ok(event) = event else { continue };
        events.push(event.clone());
        let seq = apply(&mut state, &event);
        let mut again = State::beginning_after(event.oldest() - 1);
        for (seq, event) in (1..=seq).zip(&events).skip(usize::try_from(again.seq()).unwrap()) {
            let at = Timestamp::from_ms(1_000 + i64::try_from(seq).unwrap());
            again.apply(seq, at, event.clone());
        }
        assert_eq!(again, state, "after step {step}");
    }
    assert!(events.len() > 40);
}

#[test]
fn the_form_on_disk() {
    let kept = Kept { oldest: 1, ..letter("a", 9) };
    assert_eq!(
        Event::Kept(kept).data().unwrap(),
        r#"{"name":"a","reason":"schema","via":"http","origin":{"source":"feed"},"attempts":1,"body_bytes":9,"kept_bytes":9,"sealed":{"key":"k","text":"AA=="},"oldest":1}"#
    );
    let closed = Closed { letter: 3, oldest: 4 };
    assert_eq!(Event::Dropped(closed).data().unwrap(), r#"{"letter":3,"oldest":4}"#);
    assert_eq!(Event::Redriven(closed).tag(), "dead_letter.redriven");
    assert!(Event::parse("dead_letter.lost", "{}").is_err());
    assert!(Event::parse("dead_letter.kept", "{}").is_err());
}
