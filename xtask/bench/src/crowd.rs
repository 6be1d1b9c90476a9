//! Very many connections to one server: what they take while nothing happens, how soon one event is with
//! all of them, a crowd that comes back all at once, and one that does not read.
//!
//! Each process may have 20,000 open files here, so that is how many there are. The clients are one thread
//! over epoll, as in [`fanout`](crate::fanout).

use std::{
    net::SocketAddr,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::ensure;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    task::JoinHandle,
    time::MissedTickBehavior,
};

use crate::{
    by_hand,
    fanout::{
        Layout,
        clients::{Clients, Wanted},
        matchwire::{Matchwire, Publisher},
    },
    machine::{Cpu, Memory},
    overload::Cores,
    server::Load,
    statistics::{float, grouped, percentile},
};

/// As many as a process may have open files, but for its own.
const IDLE: usize = 19_000;
/// How long nothing happens.
const QUIET: Duration = Duration::from_secs(40);
/// Who is cut off, and who stays.
const CUT: usize = 15_000;
const STAYING: usize = 1_000;
/// How many events those who come back have missed.
const MISSED: usize = 500;
/// How many events there are before.
const CALM: u64 = 20;
/// How often something happens while they do.
const EVERY: Duration = Duration::from_millis(500);
/// Between two parts.
const REST: Duration = Duration::from_secs(10);
/// How long all of it may take.
const PATIENCE: Duration = Duration::from_mins(2);
/// The clients next to one that does not read, and how often they are sent something.
const OTHERS: usize = 1_000;
const OFTEN: Duration = Duration::from_millis(20);
/// The viewers of a large and of a small match.
const MANY: usize = 10_000;
const FEW: usize = 4;

/// Measures all of it, and prints what it came to.
pub(crate) async fn run(load: &Load) -> anyhow::Result<()> {
    idle(load).await?;
    // The system has tens of thousands of sockets to put away.
    tokio::time::sleep(REST).await;
    storm(load).await?;
    tokio::time::sleep(REST).await;
    slow(load).await?;
    fair(load).await
}

async fn idle(load: &Load) -> anyhow::Result<()> {
    let mut server = Matchwire::start_as(load, Command::new(&load.binary), 1).await?;
    let process = server.server.process();
    let before = Memory::of(process);
    let layout = Layout { topics: 1, clients: IDLE };
    let clients = Clients::connect(server.address(), Wanted::new(layout, Matchwire::protocol()));
    let clients = clients.await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (cpu, started) = (Cpu::now(process), Instant::now());
    tokio::time::sleep(QUIET).await;
    let cpu = Cpu::now(process).since(cpu, started.elapsed());
    let taken = Memory::of(process).resident_bytes.saturating_sub(before.resident_bytes);
    let each = float(taken) / float(IDLE as u64) / 1_024.0;
    ensure!(clients.lost() == 0, "{} clients were cut off", clients.lost());
    let mut took_ms = Vec::new();
    for _ in 0..5 {
        let (started, before) = (Instant::now(), clients.delivered());
        server.publish(1).await?;
        wait_for(&clients, before + IDLE as u64).await?;
        took_ms.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    took_ms.sort_unstable_by(f64::total_cmp);
    let last_ms = percentile(&took_ms, 50);
    let (per_s, gib) =
        (float(IDLE as u64) / last_ms * 1_000.0, |count: f64| each * count / 1_048_576.0);
    println!(
        "idle      {} WebSockets: {each:.1} KiB resident each (aim 12); {cpu}; one event is with the last of \
         them after {last_ms:.0} ms (median of 5), {}/s",
        grouped(float(IDLE as u64)),
        grouped(per_s),
    );
    println!(
        "          by calculation: 50,000 take {:.2} GiB and {:.1} s for an event, a million {:.1} GiB and {:.0} s, \
         with as many cores",
        gib(50e3),
        50e3 / per_s,
        gib(1e6),
        1e6 / per_s,
    );
    Ok(())
}

async fn storm(load: &Load) -> anyhow::Result<()> {
    let cores = Cores::split();
    let mut server = Matchwire::start_as(load, cores.command(&load.binary), 1).await?;
    let wanted = |clients, sample| {
        let layout = Layout { topics: 1, clients };
        Wanted { sample, ..Wanted::new(layout, Matchwire::protocol()) }
    };
    let staying = Clients::connect(server.address(), wanted(STAYING, 1)).await?;
    let crowd = Clients::connect(server.address(), wanted(CUT, 1_000_000)).await?;
    staying.take_latencies();
    for _ in 0..CALM {
        server.publish(1).await?;
        tokio::time::sleep(EVERY).await;
    }
    // And the first one, which was there before them.
    let had = CALM + 1;
    wait_for(&crowd, had * CUT as u64).await?;
    wait_for(&staying, had * STAYING as u64).await?;
    let before = staying.take_latencies();
    let seen = crowd.cut();
    ensure!(seen.iter().all(|seq| *seq == had), "not everybody was up to date");
    for _ in 0..MISSED / 10 {
        server.publish(10).await?;
    }
    wait_for(&staying, (MISSED as u64 + had) * STAYING as u64).await?;
    staying.take_latencies();
    let target = had + MISSED as u64;
    let resuming = Wanted { connecting: 1_000, seen, target, ..wanted(CUT, 1_000_000) };
    let (crowd, over, mut sent) = come_back(&mut server, resuming).await?;
    tokio::time::sleep(EVERY).await;
    server.publish(1).await?;
    sent += 1;
    let all = (MISSED as u64 + sent) * CUT as u64;
    wait_for(&crowd, all).await?;
    wait_for(&staying, (had + MISSED as u64 + sent) * STAYING as u64).await?;
    let wrong = crowd.wrong() + staying.wrong();
    ensure!(wrong == 0, "{wrong} events came twice, late or not at all");
    ensure!(crowd.lost() + staying.lost() == 0, "clients were cut off");
    println!(
        "storm     {}; {} come back {MISSED} events behind, and have them after {:.1} s (aim 60), each event once \
         and in order; {} who stayed: p99 {:.1} ms (aim 50), {:.1} ms before",
        cores.describe(),
        grouped(float(CUT as u64)),
        over.as_secs_f64(),
        grouped(float(STAYING as u64)),
        p99_ms(staying.take_latencies()),
        p99_ms(before),
    );
    Ok(())
}

/// Connects all again while events go on, until they have what they missed; tells how long that took,
/// and how many events there were.
async fn come_back(
    server: &mut Matchwire,
    resuming: Wanted,
) -> anyhow::Result<(Clients, Duration, u64)> {
    let (started, all) = (Instant::now(), resuming.layout.all());
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let connecting = Clients::begin(server.address(), resuming);
    tokio::pin!(connecting);
    let (mut crowd, mut sent): (Option<Clients>, u64) = (None, 0);
    loop {
        tokio::select! {
            connected = &mut connecting, if crowd.is_none() => crowd = Some(connected?),
            _ = ticks.tick() => {
                server.publish(1).await?;
                sent += 1;
            }
        }
        ensure!(started.elapsed() < PATIENCE, "the storm does not end");
        if let Some(crowd) = crowd.take_if(|crowd| crowd.caught_up() == all) {
            return Ok((crowd, started.elapsed(), sent));
        }
    }
}

async fn slow(load: &Load) -> anyhow::Result<()> {
    let mut figures = Vec::new();
    for with_slow in [false, true] {
        let mut server = Matchwire::start_as(load, Command::new(&load.binary), 1).await?;
        let layout = Layout { topics: 1, clients: OTHERS };
        let wanted = Wanted { sample: 1, ..Wanted::new(layout, Matchwire::protocol()) };
        let clients = Clients::connect(server.address(), wanted).await?;
        let slow = if with_slow { Some(read_slowly(server.address()).await?) } else { None };
        let before = Memory::of(server.server.process());
        clients.take_latencies();
        let (mut ticks, mut sent) = (tokio::time::interval(OFTEN), clients.delivered());
        for _ in 0..load.seconds * 50 {
            ticks.tick().await;
            server.publish(1).await?;
            sent += OTHERS as u64;
        }
        wait_for(&clients, sent).await?;
        let after = Memory::of(server.server.process());
        let grown = after.resident_bytes.saturating_sub(before.resident_bytes) >> 20;
        figures.push((p99_ms(clients.take_latencies()), grown));
        if let Some(slow) = slow {
            slow.abort();
        }
    }
    let [(without, _), (with, grown)] = figures[..] else { return Ok(()) };
    println!(
        "slow      one that reads 1 byte/s among {}: their p99 is {with:.1} ms, {without:.1} ms without it; the \
         server's memory has grown by {grown} MiB",
        grouped(float(OTHERS as u64)),
    );
    Ok(())
}

/// A small match next to one with very many viewers, whose events come as quickly as they can.
async fn fair(load: &Load) -> anyhow::Result<()> {
    let server = Matchwire::start_as(load, Command::new(&load.binary), 2).await?;
    let address = server.address();
    let wanted = |first_topic, clients| {
        let layout = Layout { topics: 1, clients };
        Wanted { first_topic, sample: 1, ..Wanted::new(layout, Matchwire::protocol()) }
    };
    let few = Clients::connect(address, wanted(1, FEW)).await?;
    let many = Arc::new(Clients::connect(address, wanted(0, MANY)).await?);
    let mut figures = Vec::new();
    for is_busy in [false, true] {
        let busy = is_busy.then(|| tokio::spawn(keep_busy(address, many.clone())));
        let mut publisher = Publisher::open(address, 1..2).await?;
        let mut ticks = tokio::time::interval(OFTEN);
        few.take_latencies();
        let (before, started) = (many.delivered(), Instant::now());
        for _ in 0..load.seconds * 50 {
            ticks.tick().await;
            publisher.publish(1).await?;
        }
        let rate = float(many.delivered() - before) / started.elapsed().as_secs_f64();
        if let Some(busy) = busy {
            busy.abort();
        }
        figures.push((p99_ms(few.take_latencies()), rate));
    }
    ensure!(few.wrong() + many.wrong() == 0, "events came twice, late or not at all");
    let [(alone, _), (beside, rate)] = figures[..] else { return Ok(()) };
    println!(
        "fair      {FEW} viewers of a match next to {} of another one, who get {} frames/s: p99 {beside:.1} ms, \
         {alone:.1} ms while the other is quiet",
        grouped(float(MANY as u64)),
        grouped(rate),
    );
    Ok(())
}

/// Publishes to the large match whenever an event is with everybody.
async fn keep_busy(address: SocketAddr, many: Arc<Clients>) -> anyhow::Result<()> {
    let mut publisher = Publisher::open(address, 0..1).await?;
    loop {
        let before = many.delivered();
        publisher.publish(1).await?;
        wait_for(&many, before + MANY as u64).await?;
    }
}

/// A client that is subscribed, and reads a byte in a second.
async fn read_slowly(address: SocketAddr) -> anyhow::Result<JoinHandle<()>> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4 << 10)?;
    let mut stream = socket.connect(address).await?;
    stream.write_all(by_hand::request("/api/v1/ws", "").as_bytes()).await?;
    let wish = br#"{"type":"subscribe","topic":"match/b000/1","after":0,"views":["events"]}"#;
    stream.write_all(&by_hand::frame(1, wish)?).await?;
    Ok(tokio::spawn(async move {
        while stream.read_u8().await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }))
}

fn p99_ms(mut latencies_us: Vec<u32>) -> f64 {
    latencies_us.sort_unstable();
    f64::from(percentile(&latencies_us, 99)) / 1_000.0
}

async fn wait_for(clients: &Clients, delivered: u64) -> anyhow::Result<()> {
    let started = Instant::now();
    while clients.delivered() < delivered {
        let late = delivered - clients.delivered();
        ensure!(started.elapsed() < PATIENCE, "{late} frames did not arrive");
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    Ok(())
}
