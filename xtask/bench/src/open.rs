//! The start of a server after `kill -9`, and its memory, with a log and with one three times as large.
//!
//! Both live the same lives, so that they are compared in the same state: a start; what is left of the
//! segment before is sealed; some events are appended, some old streams read, and everything sealed; and
//! after so many more events the server is killed under load. What is compared is the memory of the
//! process without what it says its indexes, filters and decoded blocks take, which is told beside it.

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
/// How often the server is killed, and after how many events that were acknowledged since that work.
const KILLS: usize = 5;
const KILLED_AFTER: u64 = 100_000;
/// What is done before memory is looked at again.
const APPENDED: u64 = 300_000;
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

/// What the lives of a log of some size came to, one of each for every kill.
#[derive(Default)]
struct Lives {
    /// From the start of the program until it was ready.
    ready_s: Vec<f64>,
    ready: Vec<Taken>,
    /// Once what was left is sealed.
    rested: Vec<Taken>,
    /// After the work.
    worked: Vec<Taken>,
}

/// Measures, and prints what it came to.
pub(crate) async fn run(load: &Load, events: u64) -> anyhow::Result<()> {
    let dir = tempfile::Builder::new().prefix("matchwire-bench-").tempdir_in(&load.dir)?;
    let data = dir.path().join("data");
    let small = open(load, &data, 0..events, 0).await?;
    let large = open(load, &data, events..events * LARGER, 2 * KILLS).await?;
    let growth =
        |of: fn(&Lives) -> &[Taken]| 100.0 * (beside(of(&large)) / beside(of(&small)) - 1.0);
    let (rested, worked) = (growth(|lives| &lives.rested), growth(|lives| &lives.worked));
    println!(
        "open      with {LARGER} times the events, memory beside the indexes is {rested:+.1} % after a \
         start, {worked:+.1} % after that work (aim {GROWTH_PERCENT} %, {})",
        verdict(rested.max(worked) <= GROWTH_PERCENT)
    );
    Ok(())
}

/// Adds events to a log, and kills servers on it.
async fn open(
    load: &Load,
    data: &Path,
    events: std::ops::Range<u64>,
    lane: usize,
) -> anyhow::Result<Lives> {
    let (started, count) = (Instant::now(), float(events.end - events.start));
    let streams = FILL.streams.min(events.end / FILL.batch_events as u64);
    FILL.add(&data.join("log"), events.clone(), lane).await?;
    println!(
        "open      {} events in {} streams, {} MiB on the disk; {} events/s",
        grouped(float(events.end)),
        grouped(float(streams)),
        size_of(&data.join("log"))? >> 20,
        grouped(count / started.elapsed().as_secs_f64()),
    );
    let mut lives = Lives::default();
    let mut server = Process::serve(load, data).await?;
    for kill in 0..KILLS {
        let lane = lane + 2 * kill;
        let writers = Writers::start(server.address, lane).await?;
        writers.until(KILLED_AFTER).await?;
        drop(server);
        writers.stop().await?;
        let begun = Instant::now();
        server = Process::serve(load, data).await?;
        lives.ready_s.push(begun.elapsed().as_secs_f64());
        lives.ready.push(taken(&server).await?);
        calm(&server).await?;
        lives.rested.push(taken(&server).await?);
        work(&server, streams, lane + 1).await?;
        calm(&server).await?;
        lives.worked.push(taken(&server).await?);
    }
    tell(&lives);
    Ok(lives)
}

fn tell(lives: &Lives) {
    let longest_s = lives.ready_s.iter().copied().fold(0.0, f64::max);
    println!(
        "          ready {:.2} s after kill -9 under load, at most {longest_s:.2} s of {KILLS} (aim \
         {READY_S} s, {})\n          memory    {}, when ready\n                    {}, when all is \
         sealed\n                    {}, after {} appends and {} reads of a stream",
        median(lives.ready_s.clone()),
        verdict(longest_s < READY_S),
        told(&lives.ready),
        told(&lives.rested),
        told(&lives.worked),
        grouped(float(APPENDED)),
        grouped(float(READ)),
    );
}

/// Appends, and reads the first events of streams that are far from each other.
async fn work(server: &Process, streams: u64, lane: usize) -> anyhow::Result<()> {
    let writers = Writers::start(server.address, lane).await?;
    writers.until(APPENDED).await?;
    writers.stop().await?;
    let mut connection = Connection::open(server.address).await?;
    for number in 0..READ {
        let (name, limit) = (FILL.name(number * streams / READ), FILL.batch_events);
        let path = format!("/api/v1/events?subject=match/{name}/1&limit={limit}");
        let (status, _) = connection.get(&path).await?;
        ensure!(status == 200, "{path} is answered with {status}");
    }
    Ok(())
}

/// Waits until nothing is left to be sealed or merged.
async fn calm(server: &Process) -> anyhow::Result<()> {
    let mut connection = Connection::open(server.address).await?;
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

/// The median of the memory beside the indexes.
fn beside(all: &[Taken]) -> f64 {
    median(all.iter().map(Taken::beside).collect())
}

/// Medians, and the range of the process's own memory.
fn told(all: &[Taken]) -> String {
    const MIB: f64 = 1_048_576.0;
    let values = |of: fn(&Taken) -> u64| all.iter().map(move |taken| float(of(taken)) / MIB);
    let own = |taken: &Taken| taken.memory.own_bytes;
    let most = values(own).fold(0.0, f64::max);
    let least = values(own).fold(most, f64::min);
    format!(
        "{:.1} MiB of its own ({least:.1}-{most:.1}), of it {:.1} for indexes, filters and blocks; {:.1} \
         resident",
        median(values(own).collect()),
        median(values(|taken| taken.budget_bytes).collect()),
        median(values(|taken| taken.memory.resident_bytes).collect()),
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
