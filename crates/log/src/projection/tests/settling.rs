//! What rows leave to be done is done, a part at a time, and a build serves once nothing is left.

use super::*;

/// Rows that are only there to be too many.
pub(super) const FILL: Table = Table::new("fill");
/// So many of the largest are more than a batch should have.
const FILLING: u8 = 33;

/// Fills a batch.
pub(super) fn fill(rows: &mut dyn Transaction) -> Result<(), Error> {
    (0..FILLING).try_for_each(|n| rows.put(FILL, &[n], &vec![0; view_store::MAX_VALUE_BYTES]))
}

/// Removes what has filled one.
pub(super) fn empty(rows: &mut dyn Transaction) -> Result<(), Error> {
    (0..FILLING).try_for_each(|n| rows.delete(FILL, &[n]))
}

/// Leaves something to be done for each event, each part of which fills a batch.
struct Lazy;

impl Projection for Lazy {
    fn schema(&self) -> Schema {
        Schema::new("lazy", 1, &[COUNTS, FILL])
    }

    fn scope(&self) -> Vec<Pattern> {
        vec!["match/**".parse().unwrap()]
    }

    fn apply(
        &self,
        rows: &mut dyn Transaction,
        _: &Subject,
        events: &[Recorded],
    ) -> Result<(), Error> {
        let left = rows.get(COUNTS, b"left")?.map_or(0, |left| number(&left));
        rows.put(COUNTS, b"left", &(left + events.len() as u64).to_be_bytes())
    }

    fn finish(&self, rows: &mut dyn Transaction) -> Result<(), Error> {
        empty(rows)
    }

    fn settle(&self, rows: &mut dyn Transaction) -> Result<bool, Error> {
        let count = |key: &[u8]| Ok(rows.get(COUNTS, key)?.map_or(0, |count| number(&count)));
        let (left, done) = (count(b"left")?, count(b"done")?);
        if left == 0 {
            return Ok(true);
        }
        rows.put(COUNTS, b"left", &(left - 1).to_be_bytes())?;
        rows.put(COUNTS, b"done", &(done + 1).to_be_bytes())?;
        fill(rows)?;
        Ok(left == 1)
    }

    fn removals(&self, _view: &dyn Snapshot) -> Result<u64, Error> {
        Ok(0)
    }
}

fn run(log: &Log, store: &MemoryViews) -> Runner {
    let store = Arc::new(store.clone());
    Runner::start(log, store, Arc::new(Lazy), Options::default()).unwrap()
}

fn rows(reader: &Reader) -> Vec<(String, u64)> {
    counts(reader)
}

#[test]
fn a_build_serves_once_nothing_is_left_to_be_done() {
    let mut rig = Rig::new();
    rig.put(&["match/a", "match/b", "match/c"]);
    let runner = run(&rig.log, &MemoryViews::new());
    let reader = runner.reader();
    // The first that is served is settled.
    let first = loop {
        if let Ok(snapshot) = reader.snapshot() {
            break snapshot;
        }
        std::thread::yield_now();
    };
    let count = |key: &[u8]| first.get(COUNTS, key).unwrap().map_or(0, |count| number(&count));
    assert_eq!((count(b"left"), count(b"done")), (0, 3));
}

#[test]
fn what_is_left_is_done_while_nothing_comes_and_after_a_restart() {
    let (mut rig, store) = (Rig::new(), MemoryViews::new());
    let runner = run(&rig.log, &store);
    let reader = runner.reader();
    for round in 1..=3 {
        rig.put(&["match/a", "match/b", "match/c", "match/d"]);
        while rows(&reader) != expected(&[("done", 4 * round), ("left", 0)]) {
            std::thread::yield_now();
        }
    }
    // It ends with some of it done, and whoever comes next goes on with that.
    rig.put(&["match/a", "match/b", "match/c", "match/d"]);
    block_on(reader.catch_up());
    drop(runner);
    let reader = run(&rig.log, &store);
    while rows(&reader.reader()) != expected(&[("done", 16), ("left", 0)]) {
        std::thread::yield_now();
    }
}
