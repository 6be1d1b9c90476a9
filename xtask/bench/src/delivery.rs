//! From an event's receipt to its arrival at WebSocket clients, under a steady load.
//!
//! The clock starts when the sender hands the request to its socket, which is a little before the
//! server has it, and stops when a client has the event's frame in its hands. Both are in this
//! process: an event's id is the moment at which it was sent.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use futures_util::SinkExt;
use tokio::{task::JoinSet, time::MissedTickBehavior};
use yawc::{Frame, HttpRequest, OpCode, WebSocket};

use crate::{
    batch::Batch,
    connection::Connection,
    machine::Cpu,
    server::{Load, Server},
    statistics::{grouped, percentile},
};

const MATCHES: u64 = 100;
const CLIENTS_PER_MATCH: u64 = 5;
/// How often each match sends, and how many events: 5,000 events/s over all.
const INTERVAL: Duration = Duration::from_millis(100);
const EVENTS: usize = 5;
/// Runs, but does not count.
const WARM_UP: Duration = Duration::from_secs(2);
/// How long to wait for what was sent last.
const LAST: Duration = Duration::from_secs(10);

/// What all tasks of a run share.
struct Run {
    started: Instant,
    /// When to stop sending, from the start.
    length: Duration,
    /// Frames that are to arrive, over all clients.
    sent: AtomicU64,
    /// Frames that did.
    arrived: AtomicU64,
}

/// Measures, and prints a line.
pub(crate) async fn run(load: &Load) -> anyhow::Result<()> {
    let server = Server::start(load).await?;
    let mut sockets = Vec::new();
    for index in 0..MATCHES * CLIENTS_PER_MATCH {
        sockets.push(subscribe(server.address, index % MATCHES, &load.views).await?);
    }
    let mut connections = Vec::new();
    for _ in 0..MATCHES {
        connections.push(Connection::open(server.address).await?);
    }
    let cpu = Cpu::now(server.process());
    let run = Arc::new(Run {
        started: Instant::now(),
        length: WARM_UP + Duration::from_secs(load.seconds),
        sent: AtomicU64::new(0),
        arrived: AtomicU64::new(0),
    });
    let mut clients = JoinSet::new();
    for socket in sockets {
        clients.spawn(receive(socket, run.clone()));
    }
    let mut senders = JoinSet::new();
    for (index, connection) in (0..MATCHES).zip(connections) {
        senders.spawn(send(connection, index, load.kind.clone(), run.clone()));
    }
    while let Some(sender) = senders.join_next().await {
        sender??;
    }
    let took = run.started.elapsed();
    let cpu = Cpu::now(server.process()).since(cpu, took);
    let sent = run.sent.load(Ordering::Relaxed);
    let ended = Instant::now();
    while run.arrived.load(Ordering::Relaxed) < sent && ended.elapsed() < LAST {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // The clients' sockets end with the server, and with them the clients.
    drop(server);
    let mut latencies_us = Vec::new();
    while let Some(client) = clients.join_next().await {
        latencies_us.extend(client??);
    }
    report(load, &run, took, latencies_us, &cpu)
}

fn report(
    load: &Load,
    run: &Run,
    took: Duration,
    mut latencies_us: Vec<u32>,
    cpu: &str,
) -> anyhow::Result<()> {
    latencies_us.sort_unstable();
    let (sent, arrived) = (run.sent.load(Ordering::Relaxed), run.arrived.load(Ordering::Relaxed));
    let events = f64::from(u32::try_from(sent / CLIENTS_PER_MATCH)?);
    let ms = |percent| f64::from(percentile(&latencies_us, percent)) / 1_000.0;
    println!(
        "delivery  {} {} events/s, {MATCHES} matches, {} clients with {}: \
         p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms (aim 20), longest {:.1} ms; {} of {} frames arrived; {cpu}",
        grouped(events / took.as_secs_f64()),
        load.kind,
        MATCHES * CLIENTS_PER_MATCH,
        load.views.join("+"),
        ms(50),
        ms(95),
        ms(99),
        ms(100),
        grouped(f64::from(u32::try_from(arrived)?)),
        grouped(f64::from(u32::try_from(sent)?)),
    );
    if arrived != sent {
        bail!("{} frames did not arrive within {} s", sent - arrived, LAST.as_secs());
    }
    Ok(())
}

fn name(index: u64) -> String {
    format!("b{index:03}")
}

pub(crate) type Socket = WebSocket<yawc::MaybeTlsStream<tokio::net::TcpStream>>;

/// A client that is subscribed to a match.
async fn subscribe(address: SocketAddr, index: u64, views: &[String]) -> anyhow::Result<Socket> {
    subscribe_to(address, &name(index), views).await
}

/// A client that is subscribed to the first map of a match of that name.
pub(crate) async fn subscribe_to(
    address: SocketAddr,
    match_id: &str,
    views: &[String],
) -> anyhow::Result<Socket> {
    let url = format!("ws://{address}/api/v1/ws").parse().context("a good address")?;
    let request = HttpRequest::builder().header("sec-websocket-protocol", "matchwire.v1.json");
    let mut socket = WebSocket::connect(url).with_request(request).await?;
    let subscription = format!(
        r#"{{"type":"subscribe","topic":"match/{}/1","after":0,"views":["{}"]}}"#,
        match_id,
        views.join("\",\"")
    );
    socket.send(Frame::text(subscription)).await?;
    loop {
        let frame = socket.next_frame().await?;
        let text = String::from_utf8_lossy(frame.payload()).into_owned();
        if text.contains("\"subscribed\"") {
            return Ok(socket);
        }
        if frame.opcode() == OpCode::Close || text.contains("\"error\"") {
            bail!("the server refuses the subscription: {text}");
        }
    }
}

/// Takes frames until the connection ends, and gives the latency of each event after the warm-up.
async fn receive(mut socket: Socket, run: Arc<Run>) -> anyhow::Result<Vec<u32>> {
    let mut latencies_us = Vec::new();
    while let Ok(frame) = socket.next_frame().await {
        if frame.opcode() == OpCode::Close {
            break;
        }
        let Some(sent) = sent_at(frame.payload()) else { continue };
        run.arrived.fetch_add(1, Ordering::Relaxed);
        if sent > WARM_UP {
            let latency = run.started.elapsed().saturating_sub(sent);
            latencies_us.push(u32::try_from(latency.as_micros())?);
        }
    }
    Ok(latencies_us)
}

/// When the event of a frame was sent, after the start; `None` for other frames.
pub(crate) fn sent_at(frame: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(frame).ok()?;
    let (_, event) = text.split_once("\"specversion\":\"1.0\",\"id\":\"")?;
    let id = u64::from_str_radix(event.get(..16)?, 16).ok()?;
    Some(Duration::from_nanos(id >> 8))
}

/// Sends a match's events at its rate.
async fn send(
    mut connection: Connection,
    index: u64,
    kind: String,
    run: Arc<Run>,
) -> anyhow::Result<()> {
    let mut batch = Batch::new(&kind, &name(index), EVENTS);
    let offset = INTERVAL * u32::try_from(index)? / u32::try_from(MATCHES)?;
    let mut ticks = tokio::time::interval_at((run.started + offset).into(), INTERVAL);
    // A sender that was held up makes up for it, so that the rate is kept.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        ticks.tick().await;
        if run.started.elapsed() > run.length {
            return Ok(());
        }
        let now = u64::try_from(run.started.elapsed().as_nanos())?;
        let body = batch.body(|place| (now << 8) | place as u64);
        connection.post(body, EVENTS).await?;
        run.sent.fetch_add(EVENTS as u64 * CLIENTS_PER_MATCH, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_moment() {
        let body = Batch::new("x.bench", "b000", 1).body(|_| 1_500_000 << 8 | 3);
        let frame = format!(r#"{{"type":"event","event":{{"seq":1,{}"#, {
            let text = std::str::from_utf8(&body).unwrap();
            text.get(1..).unwrap()
        });
        assert_eq!(sent_at(frame.as_bytes()), Some(Duration::from_micros(1_500)));
        assert_eq!(sent_at(br#"{"type":"heartbeat"}"#), None);
    }
}
