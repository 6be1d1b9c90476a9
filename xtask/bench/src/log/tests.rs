//! That every contestant gets the same events, once each, and stores them. Speed is not tested.

use super::*;

#[test]
fn batches_are_of_one_stream_and_no_event_is_in_two() {
    let pool = pool(3).unwrap();
    for (events, most, expected) in [(1, 50, 50), (100, 1_000, 30), (1_000, 2, 2)] {
        let batches = batches(&pool, events, most);
        assert_eq!(batches.len(), expected);
        let mut ids = std::collections::BTreeSet::new();
        for batch in &batches {
            assert_eq!(batch.len(), events);
            assert!(batch.iter().all(|event| event.subject == batch[0].subject));
            assert!(batch.iter().all(|event| ids.insert(event.id.clone())));
        }
    }
}

#[test]
fn every_contestant_that_is_compiled_in_stores_every_batch() {
    let dir = tempfile::tempdir().unwrap();
    let pool = pool(2).unwrap();
    for (events, in_flight) in [(1, 1), (100, 8)] {
        let batches = batches(&pool, events, 16);
        for contestant in libraries() {
            let shape = Shape { events, in_flight };
            let limit = Duration::from_mins(1);
            let measured =
                contest::run(&*contestant, dir.path(), shape, batches.clone(), limit).unwrap();
            assert!(measured.rate > 0.0, "{}", contestant.name());
        }
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "the data is deleted");
}
