//! The drill: a server and its disk are lost while it is written to and backed up, and come back
//! from the back-up.
//!
//! What is lost are events that were acknowledged before that moment and are not in the restored
//! log; their age is how much of the log was at risk. The time until they are back is that of
//! `matchwire restore`, which verifies everything, and of the start of the server until it is ready.

mod processes;

use std::{
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use anyhow::ensure;
use matchwire_domain::subject::Subject;
use matchwire_embedded::{Options, Segments};
use matchwire_log::{Log, SystemClock};

use crate::{
    batch::Ids,
    fill::Fill,
    server::{Load, Process},
    statistics::{float, grouped},
    writers::{self, Writers},
};
use processes::{Follow, restore};

/// Losses of small logs, before that of the large one.
const SMALL: usize = 4;
const SMALL_EVENTS: u64 = 200_000;
/// The least time and the longest for which events are written until the loss, in milliseconds.
const WRITTEN_MS: (u64, u64) = (3_000, 8_000);

/// What one loss came to.
struct Loss {
    at_risk: Duration,
    restore: Duration,
    start: Duration,
    rate: f64,
    events: u64,
}

/// Runs the drill, and prints what it came to.
pub(crate) async fn run(load: &Load, events: u64) -> anyhow::Result<()> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let seed = u64::try_from(since.as_millis())? % 1_000_000;
    println!("drill     seed {seed}; {SMALL} small logs, then {} events", grouped(float(events)));
    let mut moments = Ids::lane(seed);
    let mut worst = Duration::ZERO;
    for lane in 0..SMALL {
        let loss = lose(load, SMALL_EVENTS, moments.next(), lane).await?;
        println!(
            "drill     loss {}: {:.2} s at risk, written at {} events/s",
            lane + 1,
            loss.at_risk.as_secs_f64(),
            grouped(loss.rate)
        );
        worst = worst.max(loss.at_risk);
    }
    let loss = lose(load, events, moments.next(), SMALL).await?;
    worst = worst.max(loss.at_risk);
    println!(
        "drill     {:.2} s of the log at risk, the worst of {} losses, written at {} events/s in \
         the last one (aim 5 s)",
        worst.as_secs_f64(),
        SMALL + 1,
        grouped(loss.rate)
    );
    println!(
        "drill     {} events back in {:.1} s: {:.1} s for the restore with verification, {:.1} s \
         until the server was ready (aim 60 s for 10,000,000)",
        grouped(float(loss.events)),
        (loss.restore + loss.start).as_secs_f64(),
        loss.restore.as_secs_f64(),
        loss.start.as_secs_f64()
    );
    Ok(())
}

/// Fills a log, follows it, loses it, and brings it back.
async fn lose(load: &Load, events: u64, moment: u64, lane: usize) -> anyhow::Result<Loss> {
    let dir = tempfile::Builder::new().prefix("matchwire-drill-").tempdir_in(&load.dir)?;
    let (data, place, back) =
        (dir.path().join("data"), dir.path().join("place"), dir.path().join("back"));
    let fill = Fill { streams: 1_000, batch_events: 1_000 };
    fill.add(&data.join("log"), 0..events, lane).await?;
    let server = Process::serve(load, &data).await?;
    let follow = Follow::start(load, &data, &place).await?;
    let (least_ms, most_ms) = WRITTEN_MS;
    let written = Duration::from_millis(least_ms + moment % (most_ms - least_ms));
    let writers = Writers::start(server.address, lane).await?;
    let started = Instant::now();
    tokio::time::sleep(written).await;
    // What is acknowledged from here on does not count: the disk is lost now.
    let lost = Instant::now();
    drop(follow);
    drop(server);
    let acknowledged = writers.stop().await?;
    std::fs::remove_dir_all(&data)?;

    let begun = Instant::now();
    let restored = restore(load, &place, &back)?;
    let restore = begun.elapsed();
    let server = Process::serve(load, &back).await?;
    let start = begun.elapsed().saturating_sub(restore);
    drop(server);
    let before = acknowledged.iter().flat_map(|(_, batches)| batches);
    let before: u64 = before.filter(|batch| batch.at <= lost).map(|batch| batch.events).sum();
    ensure!(restored >= events, "of {events} events {restored} came back");
    let at_risk = at_risk(&back, &acknowledged, lost)?;
    let rate = float(before) / (lost - started).as_secs_f64();
    Ok(Loss { at_risk, restore, start, rate, events: restored })
}

/// The age of the oldest event that was acknowledged before the loss and is not there.
fn at_risk(
    data: &Path,
    acknowledged: &[(Subject, Vec<writers::Batch>)],
    lost: Instant,
) -> anyhow::Result<Duration> {
    let medium = Segments::open(&data.join("log"), Options::default())?;
    let log = Log::open(Box::new(medium), std::sync::Arc::new(SystemClock))?;
    let mut worst = Duration::ZERO;
    for (subject, batches) in acknowledged {
        let (head, mut seq) = (log.head(subject)?, 0);
        for batch in batches.iter().filter(|batch| batch.at <= lost) {
            seq += batch.events;
            if seq > head {
                worst = worst.max(lost - batch.at);
                break;
            }
        }
    }
    Ok(worst)
}
