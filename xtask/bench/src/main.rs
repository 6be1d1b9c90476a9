//! Measures this machine, each figure next to a reference of the same run: [`log`] the embedded log
//! against a plain write-and-sync loop and other stores, [`streams`] a log of very many streams, [`views`] stored views, [`players`] the one of players,
//! [`events`] the HTTP intake, [`delivery`] the time to WebSocket clients, [`overload`] what is delivered when too much is sent, [`open`] the start after a
//! kill and the memory of a large log, [`old`] what is left of old events; and [`restore`], which is a drill: what is lost with a disk, and
//! how long it takes until everything else is back. What was reached is in `docs/benchmarks.md`.
//!
//! `cargo xtask bench` builds the server first and runs this; the last four start it themselves, on a
//! free port of loopback with a data directory that is deleted afterwards.

mod batch;
mod by_hand;
mod bytes;
mod connection;
mod crowd;
mod delivery;
mod events;
mod fanout;
mod fill;
mod log;
mod machine;
mod old;
mod open;
mod overload;
mod players;
mod restore;
mod server;
mod statistics;
mod streams;
mod views;
mod writers;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", about = "Measures this machine; all parts if none is named")]
struct Arguments {
    /// The parts to run.
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// A folder on the disk that is to be measured, for data that is deleted afterwards.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The server's binary; the one beside this program if it is not given.
    #[arg(long)]
    server: Option<PathBuf>,
    /// A shorter `log`, whose figures are less steady.
    #[arg(long)]
    quick: bool,
    /// How long to measure `events` and `delivery`, after two seconds that do not count.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// The type of the events that are sent: one of the vocabulary, or `x.bench` for one that is not
    /// looked into.
    #[arg(long, default_value = "player.hurt", value_parser = ["player.hurt", "x.bench"])]
    r#type: String,
    /// What the WebSocket clients subscribe to.
    #[arg(long, default_value = "events", value_delimiter = ',')]
    views: Vec<String>,
    /// How many events `streams` and `old` write, by default 2 million; `restore` brings back, and `open` has at
    /// first, by default 10 million.
    #[arg(long)]
    events: Option<u64>,
    /// Into how many streams `streams` writes them.
    #[arg(long, default_value_t = 200_000)]
    streams: u64,
    /// What `bytes` plays: a file that `matchwire send` takes.
    #[arg(long)]
    recording: Option<PathBuf>,
    /// Its format.
    #[arg(long, default_value = "cs-log")]
    format: String,
    /// A folder in which npm has installed socket.io.
    #[arg(long)]
    npm: Option<PathBuf>,
    /// To be the loop that writes to so many clients of `fanout`.
    #[arg(long, hide = true)]
    bare: Option<usize>,
    /// A log that `streams` has written, which is only measured.
    #[arg(long, hide = true)]
    written: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Appends per second of the embedded log, against a plain write-and-sync loop and other stores.
    Log,
    /// Opening, memory and amplification of a log of very many streams; writes some 0.4 KB to the
    /// disk for each event.
    Streams,
    /// Rows per second into stored views, next to plain SQLite.
    Views,
    /// Events per second through `POST /events`.
    Events,
    /// From receipt to arrival at WebSocket clients, and `fanout`.
    Delivery,
    /// What a recorded match takes on the wire, by view; takes --recording, and only if it is named.
    Bytes,
    /// Frames per second to 10,000 clients, next to a loop that only writes, socket.io and Nchan.
    Fanout,
    /// 19,000 connections: at rest, with one event, 15,000 that come back at once, and one that does not
    /// read; only if it is named.
    Crowd,
    /// 100,000 events per second, offered to a server on one core: what is taken, and how long kills
    /// take to a client; only if it is named.
    Overload,
    /// The start of a server after `kill -9`, and its memory, with a log and with one three times as
    /// large; takes some 40 bytes on the disk for each event, and as much again for a while; only if
    /// it is named.
    Open,
    /// What events take once they are archived, and once they are trimmed; only if it is named.
    Old,
    /// A history of players' results into its view, by default 6 million activities, next to plain SQLite; takes some
    /// 3 KB on the disk for each match of 20, and only if it is named.
    Players,
    /// The loss of a server with its disk, and its restore from a back-up; only if it is named.
    Restore,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(clients) = arguments.bare {
        return fanout::serve_bare(clients);
    }
    let beside = std::env::current_exe()?.parent().map(PathBuf::from).unwrap_or_default();
    let dir = arguments.dir.unwrap_or_else(|| beside.clone());
    let server = arguments.server.unwrap_or_else(|| beside.join("matchwire"));
    let load = server::Load {
        binary: server,
        dir: dir.clone(),
        seconds: arguments.seconds,
        kind: arguments.r#type,
        views: arguments.views,
    };
    let size = streams::Size {
        events: arguments.events.unwrap_or(2_000_000),
        streams: arguments.streams,
        written: arguments.written,
    };
    if size.written.is_some() {
        return streams::run(&dir, &size).await;
    }
    println!("{}", machine::describe(&dir));
    let wants = |part| arguments.parts.is_empty() || arguments.parts.contains(&part);
    if wants(Part::Log) {
        let dir = dir.clone();
        tokio::task::spawn_blocking(move || log::run(&dir, arguments.quick)).await??;
    }
    if wants(Part::Streams) {
        streams::run(&dir, &size).await?;
    }
    if wants(Part::Views) {
        let dir = dir.clone();
        tokio::task::spawn_blocking(move || views::run(&dir)).await??;
    }
    if wants(Part::Events) {
        events::run(&load).await?;
    }
    if wants(Part::Delivery) {
        delivery::run(&load).await?;
    }
    if wants(Part::Fanout) || arguments.parts.contains(&Part::Delivery) {
        fanout::run(&load, arguments.npm).await?;
    }
    if arguments.parts.contains(&Part::Bytes) {
        let file = arguments.recording.as_deref().context("bytes takes --recording FILE")?;
        bytes::run(&load, bytes::Recording { file, format: &arguments.format }).await?;
    }
    if arguments.parts.contains(&Part::Crowd) {
        crowd::run(&load).await?;
    }
    if arguments.parts.contains(&Part::Overload) {
        overload::run(&load).await?;
    }
    if arguments.parts.contains(&Part::Open) {
        open::run(&load, arguments.events.unwrap_or(10_000_000)).await?;
    }
    if arguments.parts.contains(&Part::Old) {
        old::run(&dir, arguments.events.unwrap_or(2_000_000)).await?;
    }
    if arguments.parts.contains(&Part::Players) {
        players::run(&dir, arguments.events.unwrap_or(6_000_000)).await?;
    }
    if arguments.parts.contains(&Part::Restore) {
        restore::run(&load, arguments.events.unwrap_or(10_000_000)).await?;
    }
    Ok(())
}
