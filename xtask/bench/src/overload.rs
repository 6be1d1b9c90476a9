//! What a server does that is offered more than it can take: 100,000 events per second over 100
//! matches, 95 % of low priority, 4 % normal and 1 % critical, in open loop.
//!
//! Each match has a game server, which sends a little of everything, and five senders of telemetry, which
//! send low priority alone; each sends ten times a second, so posts are small. A client follows one match in ten, and what is measured is the time from the moment at
//! which a kill was due to be sent until the client has it. In the end all streams are read back: what
//! was acknowledged must be there, once, at the `seq` that was told.
//!
//! The server has one core of its own, where `taskset` can give it that, so that it can take fewer
//! than is offered and the load does not take its time away. It is measured three times in one run:
//! with the game senders alone, with all senders, and with all senders and without the controller,
//! which is what the second is compared with.

mod audit;
mod offer;
mod pin;
mod watch;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::ensure;
use tokio::task::JoinSet;

use self::offer::{Kind, Sent, Tally};
pub(crate) use self::pin::Cores;
use crate::{
    connection::Connection,
    machine::Cpu,
    server::{Load, Server},
    statistics::{float, grouped, percentile},
};

const MATCHES: usize = 100;
/// A client follows every so manieth match.
const FOLLOWED: usize = 10;
/// Runs, but does not count.
const WARM_UP: Duration = Duration::from_secs(3);
/// In which a kill should be delivered.
const TARGET_MS: f64 = 100.0;
/// With this the controller finds nothing too much.
const NO_CONTROLLER: &[&str] = &["--admission-target-ms", "60000"];

/// What one measurement came to.
struct Outcome {
    tally: Tally,
    latencies_us: Vec<u32>,
    took: Duration,
}

/// Measures, and prints what it came to.
pub(crate) async fn run(load: &Load) -> anyhow::Result<()> {
    let cores = Cores::split();
    println!(
        "overload  {}; {MATCHES} matches, {} posts/s; {} s each, after {} s that do not count",
        cores.describe(),
        grouped(float((offer::POSTS * MATCHES) as u64)),
        load.seconds,
        WARM_UP.as_secs()
    );
    let light = measure(load, &cores, &[Kind::Game], &[]).await?;
    tell("light", &light, &[Kind::Game]);
    let both = [Kind::Game, Kind::Telemetry];
    let heavy = measure(load, &cores, &both, &[]).await?;
    tell("overload", &heavy, &both);
    let without = measure(load, &cores, &both, NO_CONTROLLER).await?;
    tell("the same without the controller", &without, &both);
    let p99 = |outcome: &Outcome| ms(&outcome.latencies_us, 99);
    println!(
        "          kills, p99: {:.1} ms under overload, {:.1} ms at light load, {:.1} ms without the \
         controller (aim {TARGET_MS} ms, {})",
        p99(&heavy),
        p99(&light),
        p99(&without),
        if p99(&heavy) <= TARGET_MS { "reached" } else { "missed" },
    );
    Ok(())
}

async fn measure(
    load: &Load,
    cores: &Cores,
    kinds: &[Kind],
    flags: &[&str],
) -> anyhow::Result<Outcome> {
    let server = Server::start_as(load, cores.command(&load.binary), flags).await?;
    // By then all are connected.
    let started = Instant::now() + Duration::from_secs(2);
    let until = WARM_UP + Duration::from_secs(load.seconds);
    let mut clients = JoinSet::new();
    for index in (0..MATCHES).step_by(FOLLOWED) {
        let views = ["events".to_owned()];
        let socket =
            crate::delivery::subscribe_to(server.address, &offer::name(index), &views).await?;
        clients.spawn(watch::kills(socket, started, WARM_UP));
    }
    let mut senders = JoinSet::new();
    for index in 0..MATCHES {
        let lanes =
            kinds.iter().flat_map(|kind| (0..kind.senders()).map(move |lane| (*kind, lane)));
        for (kind, lane) in lanes {
            let connection = Connection::open(server.address).await?;
            let counts_after = WARM_UP;
            let plan = offer::Plan { kind, index, lane, started, counts_after, until };
            senders.spawn(offer::send(connection, plan));
        }
    }
    let cpu = Cpu::now(server.process());
    let (mut tally, mut sent) = (Tally::default(), Vec::new());
    while let Some(sender) = senders.join_next().await {
        let (own, acknowledged) = sender??;
        tally.add(&own);
        sent.push(acknowledged);
    }
    let took = started.elapsed();
    let cpu = Cpu::now(server.process()).since(cpu, took);
    println!("          {cpu}");
    // Whoever follows has everything once it has the last kill of its match; the rest of the time
    // is for reading back.
    let checked = Instant::now();
    let sent: Arc<[Sent]> = sent.into();
    let found = audit::all(server.address, &sent).await?;
    println!(
        "          {} acknowledged events, each in the log once at its seq, of {} there; checked in {:.0} s",
        grouped(float(found.acknowledged)),
        grouped(float(found.events)),
        checked.elapsed().as_secs_f64()
    );
    drop(server);
    let mut latencies_us = Vec::new();
    while let Some(client) = clients.join_next().await {
        latencies_us.extend(client??);
    }
    ensure!(!latencies_us.is_empty(), "no client has seen a kill");
    latencies_us.sort_unstable();
    Ok(Outcome { tally, latencies_us, took: took.saturating_sub(WARM_UP) })
}

fn ms(sorted_us: &[u32], percent: usize) -> f64 {
    f64::from(percentile(sorted_us, percent)) / 1_000.0
}

fn tell(what: &str, outcome: &Outcome, kinds: &[Kind]) {
    let Outcome { tally, latencies_us, took } = outcome;
    let rate = |count: u64| grouped(float(count) / took.as_secs_f64());
    let due: usize = kinds.iter().map(|kind| MATCHES * kind.events_per_second()).sum();
    println!(
        "          {what}, events/s: {} due, {} sent",
        grouped(float(due as u64)),
        rate(tally.offered.iter().sum())
    );
    let rows = ["low", "normal", "critical"].into_iter().enumerate();
    for (place, name) in rows {
        let of = |counts: &[u64; 3]| rate(counts.get(place).copied().unwrap_or(0));
        println!(
            "            {name:9} {:>8} sent {:>8} taken {:>8} sampled {:>8} refused {:>6} failed",
            of(&tally.offered),
            of(&tally.taken),
            of(&tally.sampled),
            of(&tally.refused),
            of(&tally.failed),
        );
    }
    println!(
        "            kills to a client: p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms, of {}",
        ms(latencies_us, 50),
        ms(latencies_us, 99),
        ms(latencies_us, 100),
        grouped(float(latencies_us.len() as u64)),
    );
}
