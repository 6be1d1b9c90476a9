//! The start of a server after `kill -9`, and its memory, with a log and with one three times as large.
//!
//! Both are brought to the same state before they are compared: the same number of events was
//! acknowledged since the last start when the server is killed under load; and after the last kill the
//! same events are appended and as many old streams read, until nothing is left to be sealed. What is
//! compared is the memory of the process without what it says its indexes, filters and decoded blocks
//! take, which is told beside it.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use crate::{
    connection::Connection,
    fill::Fill,
    machine::Memory,
    server::{Load, Process},
    statistics::{float, grouped, median},
    writers::Writers,
};

/// How the log is filled: each stream has a part in several places.
const FILL: Fill = Fill { streams: 40_000, batch_events: 250 };
/// How much larger the second log is.
const LARGER: u64 = 3;
/// How often the server is killed, and after how many acknowledged events.
const KILLS: usize = 5;
const KILLED_AFTER: u64 = 100_000;
/// What is done before memory is looked at again.
const APPENDED: u64 = 500_000;
const READ: u64 = 2_000;
/// What is hoped for.
const READY_S: f64 = 1.0;
const GROWTH_PERCENT: f64 = 5.0;
/// Nothing is sealed or merged any more if nothing was for so long.
const CALM: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_mins(3);

/// Memory, and what of it is for the log's indexes, filters and decoded blocks.
#[derive(Debug, Clone, Copy)]
struct Taken {
    memory: Memory,
    budget_bytes: u64,
}

impl Taken {
    fn beside(&self) -> f64 {
        float(self.memory.own_bytes.saturating_sub(self.budget_bytes))
    }
}

/// What a log of some size came to.
struct Opened {
    ready: Taken,
    worked: Taken,
}

/// Measures, and prints what it came to.
pub(crate) async fn run(load: &Load, events: u64) -> anyhow::Result<()> {
    let dir = tempfile::Builder::new().prefix("matchwire-bench-").tempdir_in(&load.dir)?;
    let data = dir.path().join("data");
    let small = open(load, &data, 0..events, 0).await?;
    let large = open(load, &data, events..events * LARGER, KILLS + 1).await?;
    let growth =
        |of: fn(&Opened) -> Taken| 100.0 * (of(&large).beside() / of(&small).beside() - 1.0);
    let (ready, worked) = (growth(|opened| opened.ready), growth(|opened| opened.worked));
    println!(
        "open      with {LARGER} times the events, memory beside the indexes is {ready:+.1} % when \
         ready, {worked:+.1} % after that work (aim {GROWTH_PERCENT} %, {})",
        verdict(ready.max(worked) <= GROWTH_PERCENT)
    );
    Ok(())
}

/// Adds events to a log, and kills servers on it.
async fn open(
    load: &Load,
    data: &Path,
    events: std::ops::Range<u64>,
    lane: usize,
) -> anyhow::Result<Opened> {
    let (started, count) = (Instant::now(), float(events.end - events.start));
    FILL.add(&data.join("log"), events.clone(), lane).await?;
    println!(
        "open      {} events in {} streams, {} MiB on the disk; {} events/s",
        grouped(float(events.end)),
        grouped(float(FILL.streams.min(events.end / FILL.batch_events as u64))),
        size_of(&data.join("log"))? >> 20,
        grouped(count / started.elapsed().as_secs_f64()),
    );
    let mut server = Process::serve(load, data).await?;
    let (mut times_s, mut ready) = (Vec::new(), Vec::new());
    for kill in 0..KILLS {
        let writers = Writers::start(server.address, lane + kill).await?;
        writers.until(KILLED_AFTER).await?;
        drop(server);
        writers.stop().await?;
        let begun = Instant::now();
        server = Process::serve(load, data).await?;
        times_s.push(begun.elapsed().as_secs_f64());
        ready.push(taken(&server).await?);
    }
    let longest_s = times_s.iter().copied().fold(0.0, f64::max);
    let ready = middle(ready).context("it was killed")?;
    println!(
        "          after kill -9 under load ready in {:.2} s, {longest_s:.2} s at most of {KILLS} (aim \
         {READY_S} s, {}); {}",
        median(times_s),
        verdict(longest_s < READY_S),
        told(&ready),
    );
    work(&server, lane + KILLS).await?;
    let worked = taken(&server).await?;
    println!(
        "          after {} appends and {} reads of a stream: {}",
        grouped(float(APPENDED)),
        grouped(float(READ)),
        told(&worked)
    );
    Ok(Opened { ready, worked })
}

/// Appends and reads, and waits until nothing is left to be sealed or merged.
async fn work(server: &Process, lane: usize) -> anyhow::Result<()> {
    let writers = Writers::start(server.address, lane).await?;
    writers.until(APPENDED).await?;
    writers.stop().await?;
    let mut connection = Connection::open(server.address).await?;
    for number in 0..READ {
        let name = FILL.name(number * (FILL.streams / READ));
        let path = format!("/api/v1/events?subject=match/{name}/1&limit=1000");
        let (status, _) = connection.get(&path).await?;
        ensure!(status == 200, "{path} is answered with {status}");
    }
    let (started, mut since, mut before) = (Instant::now(), Instant::now(), 0);
    while since.elapsed() < CALM {
        ensure!(started.elapsed() < PATIENCE, "it is sealing for too long");
        tokio::time::sleep(CALM / 10).await;
        let metrics = metrics(&mut connection).await?;
        let sealed = metric(&metrics, "matchwire_log_sealed_bytes_total")?;
        let waiting = metric(&metrics, "matchwire_log_files{kind=\"waiting\"}")?;
        if sealed != before || waiting > 0 {
            (since, before) = (Instant::now(), sealed);
        }
    }
    Ok(())
}

async fn taken(server: &Process) -> anyhow::Result<Taken> {
    let memory = Memory::of(server.id());
    let metrics = metrics(&mut Connection::open(server.address).await?).await?;
    Ok(Taken { memory, budget_bytes: metric(&metrics, "matchwire_log_memory_bytes")? })
}

async fn metrics(connection: &mut Connection) -> anyhow::Result<String> {
    let (status, body) = connection.get("/metrics").await?;
    ensure!(status == 200, "/metrics is answered with {status}");
    Ok(String::from_utf8(body.to_vec())?)
}

fn metric(metrics: &str, name: &str) -> anyhow::Result<u64> {
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok();
    metrics.lines().find_map(value).with_context(|| format!("there is no {name} in /metrics"))
}

/// The one in the middle by its own memory.
fn middle(mut all: Vec<Taken>) -> Option<Taken> {
    all.sort_unstable_by_key(|taken| taken.memory.own_bytes);
    all.get(all.len() / 2).copied()
}

fn told(taken: &Taken) -> String {
    let mib = |bytes: u64| float(bytes) / float(1 << 20);
    format!(
        "{:.1} MiB of memory of its own, {:.1} MiB of it for indexes, filters and blocks; {:.1} MiB \
         resident",
        mib(taken.memory.own_bytes),
        mib(taken.budget_bytes),
        mib(taken.memory.resident_bytes),
    )
}

fn verdict(is_reached: bool) -> &'static str {
    if is_reached { "reached" } else { "missed" }
}

fn size_of(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_found_by_their_whole_name() {
        let text = "# TYPE a gauge\na_b 1\na{kind=\"x\"} 2\na 3\n";
        assert_eq!(metric(text, "a").unwrap(), 3);
        assert_eq!(metric(text, "a{kind=\"x\"}").unwrap(), 2);
        metric(text, "b").unwrap_err();
    }
}
