//! Appends per second of the embedded log, next to the least that durability can cost: the same
//! bytes, written and synced batch by batch.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use matchwire_domain::{
    envelope::{Attributes, Event},
    vocabulary,
};
use matchwire_embedded::{Options, Segments};
use matchwire_log::{Append, Log, SystemClock};

use crate::{
    batch::{Batch, Ids},
    statistics::{grouped, median, percentile},
};

/// How often each is run, in turns, so that a disk that changes its mind does so for both.
const ROUNDS: usize = 5;
/// How long a run may take; it ends earlier when its batches are through.
const RUN: Duration = Duration::from_secs(3);
/// Streams that the batches go to in turn.
const STREAMS: usize = 100;

/// Measures batches of 100 and of 1,000, and prints a line for each.
pub(crate) async fn run(dir: &Path) -> anyhow::Result<()> {
    for (events, batches) in [(100, 1_000), (1_000, 200)] {
        let batches = batches_of(events, batches)?;
        let (mut plain, mut embedded) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            plain.push(plain_loop(dir, &batches)?);
            embedded.push(embedded_log(dir, &batches).await?);
        }
        // Of neighbours, which saw the same disk.
        let mut ratios: Vec<f64> = embedded.iter().zip(&plain).map(|(e, p)| e / p).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        println!(
            "log       batches of {:>5}: embedded {:>9} events/s, write+fdatasync {:>9} events/s, \
             ratio {:.2}, of {:.2} to {:.2} (aim 0.50)",
            grouped(f64::from(u32::try_from(events)?)),
            grouped(median(embedded)),
            grouped(median(plain)),
            percentile(&ratios, 50),
            percentile(&ratios, 1),
            percentile(&ratios, 100),
        );
    }
    Ok(())
}

/// Batches of events as they are stored, each for one stream.
fn batches_of(events: usize, batches: usize) -> anyhow::Result<Vec<Vec<Event>>> {
    let mut ids = Ids::lane(0);
    (0..batches)
        .map(|index| {
            let mut batch = Batch::new("player.hurt", &format!("b{:03}", index % STREAMS), events);
            let body = batch.body(|_| ids.next());
            let lines = std::str::from_utf8(&body)?.lines();
            let admit = |line| -> anyhow::Result<Event> {
                Ok(vocabulary::admit(&Attributes::parse(line)?, &mut str::to_owned)?)
            };
            lines.map(admit).collect()
        })
        .collect()
}

/// Events per second of a loop that does nothing else than it must.
fn plain_loop(dir: &Path, batches: &[Vec<Event>]) -> anyhow::Result<f64> {
    let mut file: File = tempfile::tempfile_in(dir)?;
    let (started, mut done) = (Instant::now(), 0);
    let mut buffer = Vec::new();
    for batch in batches {
        buffer.clear();
        for event in batch {
            buffer.extend_from_slice(&event.stored);
        }
        file.write_all(&buffer)?;
        file.sync_data()?;
        done += batch.len();
        if started.elapsed() > RUN {
            break;
        }
    }
    Ok(rate(done, started))
}

/// Events per second of the log, from the outside: the next batch goes in when the last is durable.
async fn embedded_log(dir: &Path, batches: &[Vec<Event>]) -> anyhow::Result<f64> {
    let data = tempfile::Builder::new().prefix("matchwire-bench-").tempdir_in(dir)?;
    let medium = Segments::open(data.path(), Options::default())?;
    let log = Log::open(Box::new(medium), Arc::new(SystemClock))?;
    let (started, mut done) = (Instant::now(), 0);
    for batch in batches {
        let subject = batch.first().context("a batch has events")?.subject.clone();
        let events = batch.clone();
        let append = Append { subject, events, expected_seq: None, received: Instant::now() };
        for result in log.append(vec![append]).await? {
            ensure!(result?.len() == batch.len(), "every event has an outcome");
        }
        done += batch.len();
        if started.elapsed() > RUN {
            break;
        }
    }
    Ok(rate(done, started))
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn rate(done: usize, started: Instant) -> f64 {
    done as f64 / started.elapsed().as_secs_f64()
}
