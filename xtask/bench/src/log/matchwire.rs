//! Matchwire as a contestant: the whole log through its async interface; the same, called directly,
//! without threads; and its medium alone, without hashing and numbering.

use std::{
    collections::HashMap,
    path::Path,
    sync::Arc,
    task::{self, Poll, Waker},
    time::Instant,
};

use anyhow::{Context as _, bail, ensure};
use matchwire_domain::{
    chain::Digest,
    envelope::{Event, Recorded},
    subject::Subject,
};
use matchwire_embedded::{Options, Segments};
use matchwire_log::{Append, Clock, Fingerprints, Log, Medium, Steps, SystemClock, medium::Record};
use tokio::runtime::{Builder, Runtime};

use super::contest::{Batch, Contestant, Lane, Role, Running, Shape};

/// `Log::append`, awaited on a current-thread runtime; with several in flight, each on its own
/// thread and runtime. Duplicates are looked up by `(subject, source, id)` for as long as the
/// stream exists, and every event gets its `seq`, leaf and chain.
pub(super) struct Async;

/// The log without threads: what is queued is hashed, numbered, written and synced by the one who
/// waits for it, step by step. Batches in flight are queued together.
pub(super) struct Direct;

/// `Segments::append` of records that were numbered and hashed before the time starts; those of all
/// batches in flight as one group. It frames, checksums, indexes, writes and syncs.
pub(super) struct Alone;

impl Contestant for Async {
    fn name(&self) -> &'static str {
        "Matchwire, Log::append"
    }

    fn role(&self) -> Role {
        Role::Own
    }

    fn start(&self, folder: &Path, shape: Shape, _: &[Batch]) -> anyhow::Result<Running> {
        let medium = Segments::open(folder, Options::default())?;
        let log = Log::open(Box::new(medium), Arc::new(SystemClock))?;
        let lane = |_| -> anyhow::Result<Box<dyn Lane>> {
            let runtime = Builder::new_current_thread().build()?;
            Ok(Box::new(AsyncLane { log: log.clone(), runtime }))
        };
        let lanes = (0..shape.in_flight).map(lane).collect::<anyhow::Result<_>>()?;
        Ok(Running::side_by_side(lanes, None))
    }
}

struct AsyncLane {
    log: Log,
    runtime: Runtime,
}

impl Lane for AsyncLane {
    fn append(&mut self, batches: Vec<Batch>) -> anyhow::Result<()> {
        for events in batches {
            let count = events.len();
            let results = self.runtime.block_on(self.log.append(vec![append_of(events)?]))?;
            for result in results {
                ensure!(result?.len() == count, "every event has an outcome");
            }
        }
        Ok(())
    }
}

fn append_of(events: Vec<Event>) -> anyhow::Result<Append> {
    let subject = events.first().context("a batch has events")?.subject.clone();
    Ok(Append { subject, events, expected_seq: None, received: Instant::now() })
}

impl Contestant for Direct {
    fn name(&self) -> &'static str {
        "Matchwire, directly"
    }

    fn role(&self) -> Role {
        Role::Direct
    }

    fn start(&self, folder: &Path, _: Shape, _: &[Batch]) -> anyhow::Result<Running> {
        let medium = Segments::open(folder, Options::default())?;
        let options = matchwire_log::Options::default();
        let (log, steps) = Log::stepped(Box::new(medium), Arc::new(SystemClock), options);
        Ok(Running::together(SteppedLane { log, steps }))
    }
}

struct SteppedLane {
    log: Log,
    steps: Steps,
}

impl Lane for SteppedLane {
    fn append(&mut self, batches: Vec<Batch>) -> anyhow::Result<()> {
        let mut context = task::Context::from_waker(Waker::noop());
        let mut calls = Vec::with_capacity(batches.len());
        for events in batches {
            let (log, append) = (self.log.clone(), append_of(events)?);
            let mut call = Box::pin(async move { log.append(vec![append]).await });
            ensure!(call.as_mut().poll(&mut context).is_pending(), "a call waits for its answer");
            calls.push(call);
        }
        self.steps.step();
        for mut call in calls {
            let Poll::Ready(results) = call.as_mut().poll(&mut context) else {
                bail!("a call is answered once its group is committed");
            };
            for result in results? {
                result?;
            }
        }
        Ok(())
    }
}

impl Contestant for Alone {
    fn name(&self) -> &'static str {
        "Matchwire, its medium alone"
    }

    fn role(&self) -> Role {
        Role::Part
    }

    fn start(&self, folder: &Path, shape: Shape, batches: &[Batch]) -> anyhow::Result<Running> {
        let medium = Segments::open(folder, Options::default())?;
        let mut heads = HashMap::new();
        let mut groups: Vec<Vec<Record>> = batches
            .chunks(shape.in_flight)
            .map(|batches| {
                let events = batches.iter().flatten();
                events.map(|event| recorded(&medium.identity().id, event, &mut heads)).collect()
            })
            .collect();
        groups.reverse();
        Ok(Running::together(AloneLane { position: medium.tail().position, medium, groups }))
    }
}

struct AloneLane {
    medium: Segments,
    position: u64,
    /// The next one is the last.
    groups: Vec<Vec<Record>>,
}

impl Lane for AloneLane {
    fn append(&mut self, batches: Vec<Batch>) -> anyhow::Result<()> {
        let group = self.groups.pop().context("a group for each round")?;
        let events: usize = batches.iter().map(Vec::len).sum();
        ensure!(group.len() == events, "the groups are of the batches");
        self.medium.append(self.position, &group)?;
        self.position += 1;
        Ok(())
    }
}

/// What the sequencer makes of an event.
fn recorded(log_id: &str, event: &Event, heads: &mut HashMap<Subject, (u64, Digest)>) -> Record {
    let subject = &event.subject;
    let first = || (0, Digest::genesis(log_id, subject));
    let head = heads.entry(subject.clone()).or_insert_with(first);
    let (leaf, recorded) = (Digest::leaf(&event.stored), SystemClock.now());
    let seq = head.0 + 1;
    *head = (seq, head.1.next(seq, recorded, leaf));
    Record {
        seals: event.seals,
        subject: subject.clone(),
        fingerprint: Fingerprints::new(subject).of(&event.source, &event.id),
        recorded: Recorded { seq, recorded, leaf, chain: head.1, stored: event.stored.clone() },
    }
}
