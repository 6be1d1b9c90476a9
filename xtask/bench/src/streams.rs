//! Many streams: how the log opens, what it takes in memory, and how much it reads, writes and keeps
//! for each stored byte, once most of its streams are old.
//!
//! The log is written as matches are: some thousand streams are in use at once, each for a while,
//! and one event of ten is for any stream that ever was. It is read by another process, which has
//! nothing in memory.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use matchwire_domain::{
    envelope::{Attributes, Event},
    subject::Subject,
};
use matchwire_embedded::{Options, Segments, Storage};
use matchwire_log::{Append, Log, SystemClock};

use crate::{
    machine::field,
    statistics::{float, grouped, percentile},
};

/// Streams that are in use at once.
const IN_USE: u64 = 20_000;
/// Events of a call, and calls that are under way at once.
const CALL_EVENTS: u64 = 2_000;
const CALLS: usize = 4;
/// Appends to old streams, and reads of whole ones.
const OLD_APPENDS: u64 = 1_000_000;
const OLD_READS: u64 = 10_000;

/// How much is written.
#[derive(Debug, Clone)]
pub(crate) struct Size {
    pub(crate) events: u64,
    pub(crate) streams: u64,
    /// Where a log is that was written by another process; then it is only read.
    pub(crate) written: Option<PathBuf>,
}

/// Writes a log, and measures it from a process of its own.
pub(crate) async fn run(dir: &Path, size: &Size) -> anyhow::Result<()> {
    if let Some(written) = &size.written {
        return measure(written, size).await;
    }
    let data = tempfile::Builder::new().prefix("matchwire-bench-").tempdir_in(dir)?;
    write(data.path(), size).await?;
    let mut again = Command::new(std::env::current_exe()?);
    again.arg("streams").arg("--written").arg(data.path());
    again.args(["--events", &size.events.to_string(), "--streams", &size.streams.to_string()]);
    ensure!(again.status()?.success(), "the second process has failed");
    Ok(())
}

fn open(dir: &Path) -> anyhow::Result<Segments> {
    Ok(Segments::open(dir, Options::default())?)
}

async fn write(dir: &Path, size: &Size) -> anyhow::Result<()> {
    let medium = open(dir)?;
    let monitor = medium.monitor();
    let log = Log::open(Box::new(medium), Arc::new(SystemClock))?;
    let (started, before) = (Instant::now(), Process::now());
    let (mut calls, mut random) = (tokio::task::JoinSet::new(), Random(1));
    let (mut done, mut most_waiting, mut stored_bytes) = (0, 0, 0);
    let (life, mut told) = (size.events / size.streams.max(1), Instant::now());
    while done < size.events {
        let count = CALL_EVENTS.min(size.events - done);
        let event = |number: u64| {
            // The window of streams in use moves on as they get their events.
            let newest = number / life.max(1);
            let oldest = newest.saturating_sub(IN_USE);
            let stream = match random.below(10) {
                0 => random.below(newest + 1),
                _ => oldest + random.below(newest + 1 - oldest),
            };
            event(stream, number)
        };
        let events: Vec<Event> = (done..done + count).map(event).collect::<anyhow::Result<_>>()?;
        stored_bytes += events.iter().map(|event| event.stored.len() as u64).sum::<u64>();
        done += count;
        while calls.len() >= CALLS {
            calls.join_next().await.context("there are calls")???;
        }
        let log = log.clone();
        calls.spawn(async move { append(&log, events).await });
        if told.elapsed() > Duration::from_secs(1) {
            (most_waiting, told) =
                (monitor.storage().waiting.count.max(most_waiting), Instant::now());
        }
    }
    while let Some(call) = calls.join_next().await {
        call??;
    }
    let rate = float(done) / started.elapsed().as_secs_f64();
    let waiting = monitor.storage().waiting.count;
    println!(
        "streams   {} events of {} bytes in {} streams: {} events/s; {waiting} segments wait at the \
         end, {most_waiting} at most; {} MiB of memory at most",
        grouped(float(done)),
        stored_bytes / done.max(1),
        grouped(float(size.streams)),
        grouped(rate),
        Process::now().most_memory_bytes >> 20,
    );
    let started = Instant::now();
    while monitor.storage().is_busy {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let Process { written_bytes, .. } = Process::now();
    println!(
        "          sealed and merged {:.1} s later; {:.2} bytes written for each stored one",
        started.elapsed().as_secs_f64(),
        float(written_bytes - before.written_bytes) / float(stored_bytes),
    );
    tell_storage(&monitor.storage());
    Ok(())
}

fn tell_storage(storage: &Storage) {
    println!(
        "          {} sealed files, {} MiB on disk, {:.3} bytes on disk for each stored one; their \
         indexes take {} MiB of memory now",
        storage.sealed.count,
        storage.disk_bytes() >> 20,
        float(storage.sealed.bytes) / float(storage.stored_bytes),
        storage.memory_bytes >> 20,
    );
}

async fn measure(dir: &Path, size: &Size) -> anyhow::Result<()> {
    let (started, before) = (Instant::now(), Process::now());
    let medium = open(dir)?;
    let took = started.elapsed();
    let opened = Process::now();
    println!(
        "          opened in {:.0} ms, {} MiB read; {} MiB of memory, {} MiB before",
        took.as_secs_f64() * 1e3,
        (opened.read_bytes - before.read_bytes) >> 20,
        opened.memory_bytes >> 20,
        before.memory_bytes >> 20,
    );
    read_old(&medium, size)?;
    let monitor = medium.monitor();
    let log = Log::open(Box::new(medium), Arc::new(SystemClock))?;
    let (started, before) = (Instant::now(), Process::now());
    let (mut random, mut number) = (Random(2), size.events);
    while number < size.events + OLD_APPENDS {
        let count = 1_000;
        let event = |number| event(random.below(size.streams), number);
        let events = (number..number + count).map(event).collect::<anyhow::Result<_>>()?;
        append(&log, events).await?;
        number += count;
    }
    let after = Process::now();
    println!(
        "          {} events to old streams, each checked for duplicates: {} events/s, {:.2} reads \
         of files each; {} MiB of memory, {} MiB at most",
        grouped(float(OLD_APPENDS)),
        grouped(float(OLD_APPENDS) / started.elapsed().as_secs_f64()),
        float(after.reads - before.reads) / float(OLD_APPENDS),
        after.memory_bytes >> 20,
        after.most_memory_bytes >> 20,
    );
    tell_storage(&monitor.storage());
    Ok(())
}

/// Reads old streams as a whole.
fn read_old(medium: &Segments, size: &Size) -> anyhow::Result<()> {
    use matchwire_log::Medium as _;
    let (mut random, mut times, before) = (Random(3), Vec::new(), Process::now());
    let (mut stored, mut events) = (0_u64, 0_u64);
    for _ in 0..OLD_READS {
        let subject = subject(random.below(size.streams))?;
        let started = Instant::now();
        let mut after = 0;
        loop {
            let page = medium.read(&subject, after, 1_000, 4 << 20)?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            events += page.len() as u64;
            stored += page.iter().map(|recorded| recorded.stored.len() as u64).sum::<u64>();
        }
        times.push(started.elapsed());
    }
    times.sort_unstable();
    let after = Process::now();
    println!(
        "          {} old streams read, {:.1} events each: p50 {:.0} µs, p99 {:.0} µs; {:.1} reads of \
         files for each, {:.1} bytes read for each stored one; {} MiB of memory",
        grouped(float(OLD_READS)),
        float(events) / float(OLD_READS),
        percentile(&times, 50).as_secs_f64() * 1e6,
        percentile(&times, 99).as_secs_f64() * 1e6,
        float(after.reads - before.reads) / float(OLD_READS),
        float(after.read_bytes - before.read_bytes) / float(stored.max(1)),
        after.memory_bytes >> 20,
    );
    Ok(())
}

async fn append(log: &Log, events: Vec<Event>) -> anyhow::Result<()> {
    let mut streams: Vec<Append> = Vec::new();
    let mut events = events;
    events.sort_by(|one, other| one.subject.cmp(&other.subject));
    for event in events {
        match streams.last_mut().filter(|append| append.subject == event.subject) {
            Some(append) => append.events.push(event),
            None => streams.push(Append {
                subject: event.subject.clone(),
                events: vec![event],
                expected_seq: None,
                received: Instant::now(),
            }),
        }
    }
    for result in log.append(streams).await? {
        result?;
    }
    Ok(())
}

fn subject(stream: u64) -> anyhow::Result<Subject> {
    Ok(Subject::parse(&format!("match/{:011x}/1", mixed(stream) >> 20))?)
}

fn event(stream: u64, number: u64) -> anyhow::Result<Event> {
    let mut random = Random(number ^ 0x5eed);
    let (id, other, third) = (random.next(), random.below(10), random.below(10));
    let subject = subject(stream)?;
    let json = format!(
        r#"{{"specversion":"1.0","id":"{id:016x}","source":"cs/eu-{}","subject":"{subject}","type":"x.hurt"}}"#,
        stream % 50
    );
    let data = format!(
        r#"{{"attacker":"p{other:04}","victim":"p{third:04}","weapon":"ak47","damage":{},"health":{}}}"#,
        random.below(100),
        random.below(100)
    );
    Ok(Event::new(&Attributes::parse(&json)?, &data)?)
}

/// What the system says of this process.
#[derive(Debug, Clone, Copy, Default)]
struct Process {
    memory_bytes: u64,
    most_memory_bytes: u64,
    /// Calls that read, and bytes that they read and wrote.
    reads: u64,
    read_bytes: u64,
    written_bytes: u64,
}

impl Process {
    fn now() -> Self {
        let (status, io) = ("/proc/self/status", "/proc/self/io");
        Self {
            memory_bytes: field(status, "VmRSS:") << 10,
            most_memory_bytes: field(status, "VmHWM:") << 10,
            reads: field(io, "syscr:"),
            read_bytes: field(io, "rchar:"),
            written_bytes: field(io, "wchar:"),
        }
    }
}

/// Numbers that are the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

/// The last step of `splitmix64`.
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
