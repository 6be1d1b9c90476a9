//! What a contestant of `log` is, and how one of them runs: batches go in from a shared queue, each
//! counts once it is durable, and the time is bounded. Which they are is up to their modules.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, ensure};
use matchwire_domain::envelope::Event;

use super::daemon::Daemon;
use crate::statistics::percentile;

/// Events for one stream, as they are stored.
pub(super) type Batch = Vec<Event>;

/// What goes in at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Events in a batch.
    pub(super) events: usize,
    /// Batches that wait for their answer at a time.
    pub(super) in_flight: usize,
}

/// What a contestant is in the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A plain loop into a growing file, which every other is compared with.
    Bare,
    /// A plain loop into a file that is prepared better.
    Bound,
    /// Matchwire's log as its users call it.
    Own,
    /// Matchwire's log, called directly.
    Direct,
    /// A part of Matchwire alone.
    Part,
    /// Another store that answers once a batch is synced.
    Peer,
    /// Another store that answers before.
    Unsynced,
}

/// One way to make batches durable.
pub(super) trait Contestant {
    /// Its name in the tables.
    fn name(&self) -> &'static str;

    /// What it is in the comparison.
    fn role(&self) -> Role;

    /// Starts it on an empty folder; `batches` are those that will come, in that order.
    fn start(&self, folder: &Path, shape: Shape, batches: &[Batch]) -> anyhow::Result<Running>;
}

/// A contestant that is ready. Its lanes end before its server does.
pub(super) struct Running {
    lanes: Vec<Box<dyn Lane>>,
    /// Held until the lanes are gone.
    _daemon: Option<Daemon>,
}

impl Running {
    /// One that takes all batches that are in flight at once, and makes them durable together: what
    /// the best group commit could do, without threads that wait for each other.
    pub(super) fn together(lane: impl Lane + 'static) -> Self {
        Self { lanes: vec![Box::new(lane)], _daemon: None }
    }

    /// One with a lane for each batch in flight, which take theirs at the same time.
    pub(super) fn side_by_side(lanes: Vec<Box<dyn Lane>>, daemon: Option<Daemon>) -> Self {
        Self { lanes, _daemon: daemon }
    }
}

/// A way in, with a thread of its own.
pub(super) trait Lane: Send {
    /// Takes batches, at least one, and returns when all of them are durable.
    fn append(&mut self, batches: Vec<Batch>) -> anyhow::Result<()>;
}

/// What one run gave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    /// Events per second.
    pub(super) rate: f64,
    /// What a batch waits for its answer in the median, in µs.
    pub(super) median_us: f64,
    /// What it waits on average, in µs.
    pub(super) mean_us: f64,
    /// Bytes that went to the disk in that time, for each byte stored; nothing where the kernel does
    /// not count them.
    pub(super) written: Option<f64>,
    /// With start and end of what runs, in seconds.
    pub(super) whole_s: f64,
}

/// Runs a contestant in a folder of its own below `dir`, which is deleted afterwards, until the
/// batches are through or the time is up.
pub(super) fn run(
    contestant: &dyn Contestant,
    dir: &Path,
    shape: Shape,
    batches: Vec<Batch>,
    limit: Duration,
) -> anyhow::Result<Measured> {
    let begun = Instant::now();
    let folder = tempfile::Builder::new().prefix("matchwire-bench-").tempdir_in(dir)?;
    let mut running = contestant.start(folder.path(), shape, &batches)?;
    settle(dir);
    let written = written_bytes(folder.path());
    let total = measure(&mut running, shape, batches, limit)?;
    let written =
        written.zip(written_bytes(folder.path())).map(|(before, after)| after.wrapping_sub(before));
    drop(running);
    folder.close().context("cannot delete what was measured")?;
    settle(dir);
    total.measured(written, begun)
}

/// What the lanes did in all.
struct Total {
    elapsed: Duration,
    events: u32,
    bytes: u64,
    waits_us: Vec<f64>,
}

impl Total {
    fn measured(mut self, written: Option<u64>, begun: Instant) -> anyhow::Result<Measured> {
        ensure!(!self.waits_us.is_empty(), "no batch went through");
        self.waits_us.sort_unstable_by(f64::total_cmp);
        #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let (count, bytes) = (self.waits_us.len() as f64, self.bytes as f64);
        #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let written = written.map(|written| written as f64 / bytes);
        Ok(Measured {
            rate: f64::from(self.events) / self.elapsed.as_secs_f64(),
            median_us: percentile(&self.waits_us, 50),
            mean_us: self.waits_us.iter().sum::<f64>() / count,
            written,
            whole_s: begun.elapsed().as_secs_f64(),
        })
    }
}

fn measure(
    running: &mut Running,
    shape: Shape,
    batches: Vec<Batch>,
    limit: Duration,
) -> anyhow::Result<Total> {
    let lanes = &mut running.lanes;
    let together = shape.in_flight / lanes.len().max(1);
    let queue = Mutex::new(batches.into_iter());
    let started = Instant::now();
    let mut total = Total { elapsed: Duration::ZERO, events: 0, bytes: 0, waits_us: Vec::new() };
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for lane in lanes {
            let queue = &queue;
            threads.push(scope.spawn(move || -> anyhow::Result<(u32, u64, Vec<f64>)> {
                let (mut events, mut bytes, mut waits_us) = (0, 0, Vec::new());
                while started.elapsed() < limit {
                    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
                    let taken: Vec<Batch> = queue.by_ref().take(together).collect();
                    drop(queue);
                    if taken.is_empty() {
                        break;
                    }
                    let (count, size) = size_of(&taken)?;
                    let sent = Instant::now();
                    lane.append(taken)?;
                    waits_us.push(sent.elapsed().as_secs_f64() * 1e6);
                    (events, bytes) = (events + count, bytes + size);
                }
                Ok((events, bytes, waits_us))
            }));
        }
        for thread in threads {
            let (events, bytes, waits_us) =
                thread.join().map_err(|_| anyhow!("a lane panicked"))??;
            total.events += events;
            total.bytes += bytes;
            total.waits_us.extend(waits_us);
        }
        total.elapsed = started.elapsed();
        Ok(total)
    })
}

/// Events, and their stored bytes.
fn size_of(batches: &[Batch]) -> anyhow::Result<(u32, u64)> {
    let events = batches.iter().flatten();
    let bytes: usize = events.clone().map(|event| event.stored.len()).sum();
    Ok((u32::try_from(events.count())?, bytes as u64))
}

/// What was written to the disk that a folder is on so far, by whomever: data, and the journal of the
/// file system. (What the kernel counts for a process has whole folios of the page cache in it, each
/// time that a byte of one changes.)
fn written_bytes(folder: &Path) -> Option<u64> {
    let device = fs::metadata(folder).ok()?.dev();
    let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xf_ff00);
    let counters = fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat")).ok()?;
    // In sectors, which are of 512 bytes here for every disk.
    let sectors: u64 = counters.split_whitespace().nth(6)?.parse().ok()?;
    Some(sectors * 512)
}

/// Has everything written that is still to be, so that nobody pays for what another left behind.
fn settle(dir: &Path) {
    // Where there is no such program the figures are a little less steady.
    let _ = std::process::Command::new("sync").arg("-f").arg(dir).status();
}
