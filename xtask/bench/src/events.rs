//! Events per second through `POST /events`: each connection sends its next batch when the last one
//! is answered, which is when it is durable.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{
    batch::{Batch, Ids},
    connection::Connection,
    machine::Cpu,
    server::{Load, Server},
    statistics::grouped,
};

const CONNECTIONS: u64 = 8;
/// Events in a batch.
const EVENTS: usize = 100;
/// Matches that a connection sends to in turn.
const MATCHES: u64 = 10;
/// Runs, but does not count.
const WARM_UP: Duration = Duration::from_secs(2);

/// Measures, and prints a line.
pub(crate) async fn run(load: &Load) -> anyhow::Result<()> {
    let server = Server::start(load).await?;
    let (taken, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let mut senders = JoinSet::new();
    for lane in 0..CONNECTIONS {
        let connection = Connection::open(server.address).await?;
        let kind = load.kind.clone();
        senders.spawn(send(connection, lane, kind, taken.clone(), stop.clone()));
    }
    tokio::time::sleep(WARM_UP).await;
    let cpu = Cpu::now(server.process());
    let (started, before) = (Instant::now(), taken.load(Ordering::Relaxed));
    tokio::time::sleep(Duration::from_secs(load.seconds)).await;
    let (elapsed, after) = (started.elapsed(), taken.load(Ordering::Relaxed));
    let cpu = Cpu::now(server.process()).since(cpu, elapsed);
    stop.store(true, Ordering::Relaxed);
    while let Some(sender) = senders.join_next().await {
        sender??;
    }
    let rate = f64::from(u32::try_from(after - before)?) / elapsed.as_secs_f64();
    println!(
        "events    POST /events of {EVENTS} {}, {CONNECTIONS} connections, durable: {} events/s, \
         {:.2} of the 100,000 aimed at; {cpu}",
        load.kind,
        grouped(rate),
        rate / 100_000.0
    );
    Ok(())
}

async fn send(
    mut connection: Connection,
    lane: u64,
    kind: String,
    taken: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<()> {
    let name = |index| format!("b{:03}", lane * MATCHES + index);
    let mut batches: Vec<_> =
        (0..MATCHES).map(|index| Batch::new(&kind, &name(index), EVENTS)).collect();
    let mut ids = Ids::lane(lane);
    while !stop.load(Ordering::Relaxed) {
        for batch in &mut batches {
            connection.post(batch.body(|_| ids.next()), EVENTS).await?;
            taken.fetch_add(EVENTS, Ordering::Relaxed);
        }
    }
    Ok(())
}
