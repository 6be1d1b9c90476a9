//! A rebuild takes the place of what serves once it is complete, and not before; and it comes to an end.

use std::sync::Mutex;

use super::{
    settling::{FILL, empty, fill},
    *,
};

const SCHEMA: Schema = Schema::new("slow", 1, &[COUNTS, FILL]);

/// How much is left to be done at the most.
const MOST_LEFT: u64 = 3;

/// Counts the events of each stream, and leaves something to be done after each call. Each call and each part of what was left
/// fills a batch.
#[derive(Default)]
struct Slow {
    /// What reads the view; nothing where nobody looks.
    reader: Option<Arc<OnceLock<Reader>>>,
    seen: Mutex<Vec<Seen>>,
    /// Puts one more event into the log for each call, for as long as nothing was built.
    traffic: Option<Mutex<Rig>>,
}

/// How it was when the projection was called.
#[derive(Debug)]
struct Seen {
    builds: u64,
    /// Up to which group what serves has seen everything.
    position: u64,
    /// How many streams what serves has counted.
    streams: usize,
    /// How much is left to be done in the rows of the transaction.
    left: u64,
    /// Whether events were to be applied.
    is_apply: bool,
}

impl Slow {
    fn look(&self, rows: &dyn Transaction, is_apply: bool) {
        let Some(reader) = &self.reader else { return };
        let reader = reader.wait();
        let streams = reader.snapshot().unwrap().count(COUNTS, &Keys::prefix(b"match/")).unwrap();
        let left = rows.get(COUNTS, b"left").unwrap().map_or(0, |left| number(&left));
        let Status { builds, position, .. } = reader.status();
        let streams = usize::try_from(streams).unwrap();
        self.seen.lock().unwrap().push(Seen { builds, position, streams, left, is_apply });
        if let (Some(rig), 0) = (&self.traffic, builds)
            && is_apply
        {
            let mut rig = rig.lock().unwrap();
            let stream = format!("match/t{}", rig.written);
            rig.put(&[&stream]);
        }
    }
}

impl Projection for Slow {
    fn schema(&self) -> Schema {
        SCHEMA
    }

    fn scope(&self) -> Vec<Pattern> {
        vec!["match/**".parse().unwrap()]
    }

    fn apply(
        &self,
        rows: &mut dyn Transaction,
        subject: &Subject,
        events: &[Recorded],
    ) -> Result<(), Error> {
        self.look(rows, true);
        let left = rows.get(COUNTS, b"left")?.map_or(0, |left| number(&left));
        rows.put(COUNTS, b"left", &MOST_LEFT.min(left + 1).to_be_bytes())?;
        let key = subject.as_str().as_bytes();
        let count = rows.get(COUNTS, key)?.map_or(0, |count| number(&count));
        rows.put(COUNTS, key, &(count + events.len() as u64).to_be_bytes())?;
        fill(rows)
    }

    fn finish(&self, rows: &mut dyn Transaction) -> Result<(), Error> {
        empty(rows)
    }

    fn settle(&self, rows: &mut dyn Transaction) -> Result<bool, Error> {
        self.look(rows, false);
        let left = rows.get(COUNTS, b"left")?.map_or(0, |left| number(&left));
        if left == 0 {
            return Ok(true);
        }
        rows.put(COUNTS, b"left", &(left - 1).to_be_bytes())?;
        fill(rows)?;
        Ok(left == 1)
    }

    fn removals(&self, _view: &dyn Snapshot) -> Result<u64, Error> {
        Ok(0)
    }
}

/// Has a view of some streams, of which there are more than a batch takes, built anew, and gives what the projection has seen
/// meanwhile.
fn rebuilt(has_traffic: bool) -> Vec<Seen> {
    let (mut rig, store) = (Rig::new(), MemoryViews::new());
    for _ in 0..2 {
        rig.put(&["match/a", "match/b", "match/c", "match/d"]);
    }
    let log = rig.log.clone();
    let run = |slow: Arc<Slow>| {
        Runner::start(&log, Arc::new(store.clone()), slow, Options::default()).unwrap()
    };
    let first = run(Arc::default());
    let four = [("left", 0), ("match/a", 2), ("match/b", 2), ("match/c", 2), ("match/d", 2)];
    block_on(first.reader().catch_up());
    while counts(&first.reader()) != expected(&four) {
        std::thread::yield_now();
    }
    drop(first);
    drop(store.build(&SCHEMA, Start::Anew).unwrap());
    let reader = Arc::new(OnceLock::new());
    let traffic = has_traffic.then_some(Mutex::new(rig));
    let slow = Arc::new(Slow { reader: Some(reader.clone()), traffic, ..Slow::default() });
    let second = run(slow.clone());
    assert!(reader.set(second.reader()).is_ok());
    wait_for(&second.reader(), |status| status.builds == 1);
    let all = slow.traffic.as_ref().map_or(8, |rig| rig.lock().unwrap().written as u64);
    let counted = |reader: &Reader| {
        counts(reader).iter().filter(|(key, _)| key != "left").map(|(_, count)| count).sum::<u64>()
    };
    assert_eq!(counted(&second.reader()), all);
    drop(second);
    std::mem::take(&mut slow.seen.lock().unwrap())
}

#[test]
fn a_rebuild_serves_when_it_has_seen_and_done_everything() {
    let seen = rebuilt(false);
    // Of two groups a batch takes a quarter.
    assert_eq!(seen.iter().filter(|seen| seen.is_apply).count(), 4);
    let parts = seen.iter().filter(|seen| !seen.is_apply && seen.left > 0).count();
    assert_eq!(parts as u64, MOST_LEFT);
    for seen in seen {
        assert!(seen.builds == 0 || (seen.left == 0 && !seen.is_apply), "{seen:?}");
        assert_eq!((seen.position, seen.streams), (2, 4), "{seen:?}");
    }
}

#[test]
fn a_rebuild_comes_to_an_end_while_more_comes_than_it_takes() {
    let seen = rebuilt(true);
    assert!(seen.is_sorted_by_key(|seen| seen.position), "what was seen once stays seen: {seen:?}");
    let after = seen.iter().find(|seen| seen.builds == 1).unwrap();
    // All that was left of what it has seen is done.
    assert_eq!(after.left, 0, "{after:?}");
}
