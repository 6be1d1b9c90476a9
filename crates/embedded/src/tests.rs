//! The medium as a whole, on real and on faulty disks.

mod conformance;
mod crash;
mod damage;
mod departure;
mod export;
mod formats;
mod full;
mod loss;
mod random;
mod repair;
mod retention;
mod scrub;

use std::{sync::Arc, time::Instant};

use matchwire_domain::{
    chain::Digest,
    envelope::{Attributes, Event},
    subject::Subject,
};
use matchwire_log::{Append, Error, Log, ManualClock, Options as Bounds, Outcome, Refused};

use crate::{Options, Segments, disk::Faulty};

/// Small segments, so that a few events fill several.
pub(crate) const SMALL: Options = Options {
    segment_bytes: 2_000,
    ahead_bytes: 700,
    max_waiting: 8,
    fan_in: 3,
    cache_bytes: 1 << 20,
    scrub_bytes_per_s: 0,
    background: false,
    log_id: None,
};

fn subject(text: &str) -> Subject {
    Subject::parse(text).unwrap()
}

fn event(stream: &str, id: &str) -> Event {
    let json = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"s","subject":"{stream}","type":"x.test"}}"#
    );
    Event::new(&Attributes::parse(&json).unwrap(), "{}").unwrap()
}

fn append(stream: &str, ids: &[impl AsRef<str>]) -> Append {
    Append {
        subject: subject(stream),
        events: ids.iter().map(|id| event(stream, id.as_ref())).collect(),
        expected_seq: None,
        received: Instant::now(),
    }
}

/// A log that keeps nothing in memory.
fn log(disk: &Faulty) -> Result<Log, Error> {
    let medium = Segments::open_on(Arc::new(disk.clone()), SMALL)?;
    let bounds = Bounds { recent_bytes: 0, ..Bounds::default() };
    Log::open_with(Box::new(medium), Arc::new(ManualClock::new(1_000)), bounds)
}

fn call(log: &Log, appends: Vec<Append>) -> Result<Vec<Result<Vec<Outcome>, Refused>>, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(log.append(appends))
}

/// Ids and chains of a whole stream, whose seqs and chain are checked.
fn read(log: &Log, stream: &str) -> Result<Vec<(String, Digest)>, Error> {
    let subject = subject(stream);
    let mut found: Vec<(String, Digest)> = Vec::new();
    let mut chain = Digest::genesis(log.id(), &subject);
    loop {
        let page = log.read(&subject, found.len() as u64, 7)?;
        if page.is_empty() {
            assert_eq!(log.head(&subject).unwrap(), found.len() as u64);
            return Ok(found);
        }
        for entry in page {
            let recorded = entry.recorded;
            assert_eq!(recorded.seq, found.len() as u64 + 1);
            chain = chain.next(recorded.seq, recorded.recorded, Digest::leaf(&recorded.stored));
            assert_eq!(recorded.chain, chain);
            let id = Attributes::read(&recorded.stored).unwrap().id.into_owned();
            found.push((id, chain));
        }
    }
}
