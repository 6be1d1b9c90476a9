//! What every medium must pass, alone and under the sequencer.
//!
//! A medium's crate names a function that makes an empty storage and gives what opens it, and
//! [`conformance_tests!`](crate::conformance_tests) makes a test of each function here:
//!
//! ```
//! fn fresh() -> matchwire_log::conformance::Open {
//!     let memory = matchwire_log::Memory::new();
//!     Box::new(move || Box::new(memory.clone()))
//! }
//! matchwire_log::conformance_tests!(fresh);
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the suite is a test, though it is compiled as a part of the library"
)]

mod duplicates;
mod order;
mod storage;

use std::{sync::Arc, time::Instant};

use matchwire_domain::{
    chain::Digest,
    envelope::{Attributes, Event},
    subject::Subject,
};

pub use self::{duplicates::*, order::*, storage::*};
use crate::{Append, Entry, Error, Log, ManualClock, Medium, Options, Outcome, Refused};

/// Opens one storage, again each time that it is called; never twice at once.
pub type Open = Box<dyn Fn() -> Box<dyn Medium>>;

/// Makes a test of every function of [`conformance`](crate::conformance).
#[macro_export]
macro_rules! conformance_tests {
    ($fresh:path) => {
        $crate::conformance_tests! { $fresh:
            starts_empty keeps_groups_in_order knows_where_records_are refuses_other_positions reads_in_pages
            looks_up_all_that_share_a_fingerprint reads_while_it_writes keeps_any_bytes
            numbers_and_chains_each_stream stores_all_or_none pages_are_complete
            takes_concurrent_appends tells_watchers_what_is_durable time_never_goes_back
            lists_subjects a_sealed_stream_takes_nothing_more
            finds_duplicates finds_duplicates_within_a_call finds_duplicates_after_reopening
            tells_what_differs conflicts_fail_their_own_append_only repeats_get_the_same_answer
            a_shared_fingerprint_loses_nothing concurrent_duplicates_are_stored_once
        }
    };
    ($fresh:path: $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                $crate::conformance::$name(&$fresh());
            }
        )*
    };
}

/// A subject; the suite uses valid ones only.
fn subject(text: &str) -> Subject {
    Subject::parse(text).unwrap()
}

/// An event of source `s`, whose content is `n`.
fn event(stream: &str, id: &str, n: usize) -> Event {
    let json = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"s","subject":"{stream}","type":"x.test"}}"#
    );
    Event::new(&Attributes::parse(&json).unwrap(), &format!("{{\"n\":{n}}}")).unwrap()
}

/// An append of events with these ids to a stream.
fn append(stream: &str, ids: &[&str]) -> Append {
    Append {
        subject: subject(stream),
        events: ids.iter().map(|id| event(stream, id, 0)).collect(),
        expected_seq: None,
        received: Instant::now(),
    }
}

/// A log over a storage, that keeps nothing in memory so that every read asks the medium.
fn open(open: &Open) -> Log {
    open_at(open, &Arc::new(ManualClock::new(1_000)))
}

fn open_at(open: &Open, clock: &Arc<ManualClock>) -> Log {
    let options = Options { recent_bytes: 0, ..Options::default() };
    Log::open_with(open(), clock.clone(), options).unwrap()
}

/// The results of one call.
type Results = Vec<Result<Vec<Outcome>, Refused>>;

fn call(log: &Log, appends: Vec<Append>) -> Result<Results, Error> {
    block_on(log.append(appends))
}

/// The outcomes of one append that is expected to succeed.
fn put(log: &Log, append: Append) -> Vec<Outcome> {
    call(log, vec![append]).unwrap().remove(0).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// The seqs of outcomes, with a minus for duplicates.
fn seqs(outcomes: &[Outcome]) -> Vec<i64> {
    let seq = |outcome: &Outcome| match *outcome {
        Outcome::Appended { seq, .. } => i64::try_from(seq).unwrap(),
        Outcome::Duplicate { seq, .. } | Outcome::Known { seq } => -i64::try_from(seq).unwrap(),
    };
    outcomes.iter().map(seq).collect()
}

/// Reads a whole stream and checks seqs, times, leaves and chain from its start.
fn read_all(log: &Log, stream: &str) -> Vec<Entry> {
    let subject = subject(stream);
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let after = entries.last().map_or(0, |entry| entry.recorded.seq);
        let page = log.read(&subject, after, 1_000).unwrap();
        if page.is_empty() {
            break;
        }
        entries.extend(page);
    }
    let mut chain = Digest::genesis(log.id(), &subject);
    let mut time = None;
    for (index, Entry { recorded, .. }) in entries.iter().enumerate() {
        assert_eq!(recorded.seq, index as u64 + 1, "{stream}: seqs are 1, 2, 3, …");
        assert_eq!(recorded.leaf, Digest::leaf(&recorded.stored), "{stream}: the leaf");
        chain = chain.next(recorded.seq, recorded.recorded, recorded.leaf);
        assert_eq!(recorded.chain, chain, "{stream}: the chain at {}", recorded.seq);
        assert!(time <= Some(recorded.recorded), "{stream}: the time at {}", recorded.seq);
        time = Some(recorded.recorded);
    }
    assert_eq!(log.head(&subject).unwrap(), entries.len() as u64, "{stream}: the head");
    entries
}

/// The ids of a whole stream.
fn ids(log: &Log, stream: &str) -> Vec<String> {
    let id = |entry: &Entry| Attributes::read(&entry.recorded.stored).unwrap().id.into_owned();
    read_all(log, stream).iter().map(id).collect()
}
