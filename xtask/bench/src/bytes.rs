//! What a whole match takes on the wire, by view, compressed and not: a recording is played into a server
//! at many times its speed, and clients count the bytes that they are sent.

use std::{
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    by_hand,
    connection::Connection,
    server::{Load, Server},
    statistics::{float, grouped},
};

const VIEWS: [&[&str]; 4] =
    [&["events"], &["state"], &["prediction"], &["events", "state", "prediction"]];
/// How fast the recording is played: as fast as states are not left out yet.
const SPEED: &str = "60";
/// How long nothing must come until all has.
const QUIET: Duration = Duration::from_secs(2);

/// A recording, and its format as `matchwire send` names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recording<'a> {
    pub(crate) file: &'a Path,
    pub(crate) format: &'a str,
}

/// Measures, and prints a line for each view.
pub(crate) async fn run(load: &Load, recording: Recording<'_>) -> anyhow::Result<()> {
    let server = Server::start(load).await?;
    let mut counters = Vec::new();
    for views in VIEWS {
        let plain = count(server.address, views, false).await?;
        counters.push((views, plain, count(server.address, views, true).await?));
    }
    let mut sending = Command::new(&load.binary)
        .arg("send")
        .arg(recording.file)
        .args(["--format", recording.format, "--match", "b000", "--map", "1", "--speed", SPEED])
        .args(["--server", &format!("http://{}", server.address)])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .context("cannot start matchwire send")?;
    let status = tokio::task::spawn_blocking(move || sending.wait()).await??;
    ensure!(status.success(), "matchwire send failed");
    let mut before = 0;
    loop {
        let now = counters.iter().map(|(_, plain, packed)| of(plain) + of(packed)).sum();
        if now == before {
            break;
        }
        before = now;
        tokio::time::sleep(QUIET).await;
    }
    let mut connection = Connection::open(server.address).await?;
    let (_, state) = connection.get("/api/v1/matches/b000/maps/1").await?;
    let state: serde_json::Value = serde_json::from_slice(&state)?;
    let events = state.get("seq").and_then(serde_json::Value::as_u64).unwrap_or(0);
    println!("bytes     {} events of a match, as {}", grouped(float(events)), recording.format);
    for (views, plain, packed) in &counters {
        println!(
            "          {:<26} {:>11} bytes, {:>11} compressed; {:>6} and {:>6} for each event",
            views.join("+"),
            grouped(float(of(plain))),
            grouped(float(of(packed))),
            grouped(float(of(plain)) / float(events)),
            grouped(float(of(packed)) / float(events)),
        );
    }
    Ok(())
}

fn of(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Subscribes, and counts the bytes that come.
async fn count(
    address: SocketAddr,
    views: &[&str],
    deflates: bool,
) -> anyhow::Result<Arc<AtomicU64>> {
    let mut stream = TcpStream::connect(address).await?;
    let offer = "sec-websocket-extensions: permessage-deflate; client_no_context_takeover; \
                 server_no_context_takeover\r\n";
    let head = by_hand::request("/api/v1/ws", if deflates { offer } else { "" });
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await?);
    }
    ensure!(answer.starts_with(b"HTTP/1.1 101"), "the server refuses a WebSocket");
    let wish = serde_json::json!({
        "type": "subscribe", "topic": "match/b000/1", "after": 0, "views": views,
    });
    stream.write_all(&by_hand::frame(1, wish.to_string().as_bytes())?).await?;
    let bytes = Arc::new(AtomicU64::new(0));
    let sum = bytes.clone();
    tokio::spawn(async move {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            sum.fetch_add(read as u64, Ordering::Relaxed);
        }
    });
    Ok(bytes)
}
