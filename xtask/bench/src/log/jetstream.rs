//! JetStream as a contestant: one file-backed stream without replicas, on a server of version 2.12 or
//! newer, with `sync_interval: always` or with what it comes with, which is to sync every two minutes.
//!
//! An event is a message, with the event's id as `Nats-Msg-Id`, by which duplicates are found for two
//! minutes. A batch goes the way that was faster: with `always` as an atomic batch, stored all or
//! none (2.15 syncs it once; message by message each is synced); by default as messages that are sent
//! at once and answered one by one. The client protocol is spoken here, as far as it is needed.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail, ensure};
use matchwire_domain::envelope::Event;

use super::{
    contest::{Batch, Contestant, Lane, Role, Running, Shape},
    daemon::{Daemon, free_port},
};

/// `nats-server`, with where it is.
pub(super) struct Jetstream {
    pub(super) program: PathBuf,
    /// Whether it syncs before it answers.
    pub(super) synced: bool,
}

impl Contestant for Jetstream {
    fn name(&self) -> &'static str {
        if self.synced {
            "JetStream, sync_interval: always"
        } else {
            "JetStream, default (not synced)"
        }
    }

    fn role(&self) -> Role {
        if self.synced { Role::Peer } else { Role::Unsynced }
    }

    fn start(&self, folder: &Path, shape: Shape, _: &[Batch]) -> anyhow::Result<Running> {
        let port = free_port()?;
        let sync = if self.synced { "sync_interval: always" } else { "" };
        let settings = format!(
            "listen: \"127.0.0.1:{port}\"\njetstream {{\nstore_dir: \"{}\"\n{sync}\n}}\n",
            folder.join("jetstream").display()
        );
        let file = folder.join("nats.conf");
        fs::write(&file, settings)?;
        let mut command = Command::new(&self.program);
        let daemon = Daemon::start(command.arg("-c").arg(&file), port, folder)?;
        let lane = |index| Connection::open(&daemon, index, self.synced);
        let mut lanes = (0..shape.in_flight).map(lane).collect::<anyhow::Result<Vec<_>>>()?;
        let create =
            r#"{"name":"bench","subjects":["match.>"],"storage":"file","allow_atomic":true}"#;
        let first = lanes.first_mut().context("at least one is in flight")?;
        first.publish("$JS.API.STREAM.CREATE.bench", "", true, create.as_bytes());
        first.send()?;
        let created = first.message()?;
        ensure!(
            created.contains("\"allow_atomic\":true"),
            "the server cannot make a stream with atomic batches, as 2.12 and newer do: {created}"
        );
        let lanes = lanes.into_iter().map(|lane| Box::new(lane) as Box<dyn Lane>).collect();
        Ok(Running::side_by_side(lanes, Some(daemon)))
    }
}

struct Connection {
    stream: BufReader<TcpStream>,
    out: Vec<u8>,
    inbox: String,
    /// Whether a batch is an atomic one.
    atomic: bool,
    batches: u64,
}

impl Lane for Connection {
    fn append(&mut self, batches: Vec<Batch>) -> anyhow::Result<()> {
        for batch in batches {
            if self.atomic && batch.len() > 1 {
                self.atomic_batch(&batch)?;
            } else {
                self.single_messages(&batch)?;
            }
        }
        Ok(())
    }
}

impl Connection {
    fn open(daemon: &Daemon, index: usize, atomic: bool) -> anyhow::Result<Self> {
        let stream = BufReader::new(daemon.connect()?);
        let inbox = format!("inbox{index}");
        let mut connection = Self { stream, out: Vec::new(), inbox, atomic, batches: 0 };
        let hello = format!(
            "CONNECT {{\"verbose\":false,\"pedantic\":false,\"headers\":true,\
             \"no_responders\":true,\"lang\":\"rust\",\"version\":\"0\",\"protocol\":1}}\r\n\
             SUB {} 1\r\nPING\r\n",
            connection.inbox
        );
        connection.stream.get_mut().write_all(hello.as_bytes())?;
        while connection.line()? != "PONG" {}
        Ok(connection)
    }

    /// Adds a message to what is sent; an answer goes to the inbox.
    fn publish(&mut self, subject: &str, headers: &str, answered: bool, payload: &[u8]) {
        let reply = if answered { self.inbox.as_str() } else { "" };
        let headers =
            if headers.is_empty() { String::new() } else { format!("NATS/1.0\r\n{headers}\r\n") };
        let (head, all) = (headers.len(), headers.len() + payload.len());
        let line = if head == 0 {
            format!("PUB {subject} {reply} {all}\r\n")
        } else {
            format!("HPUB {subject} {reply} {head} {all}\r\n{headers}")
        };
        self.out.extend_from_slice(line.as_bytes());
        self.out.extend_from_slice(payload);
        self.out.extend_from_slice(b"\r\n");
    }

    fn atomic_batch(&mut self, batch: &Batch) -> anyhow::Result<()> {
        self.batches += 1;
        let count = batch.len();
        for (number, event) in (1..).zip(batch) {
            let mut headers = format!(
                "Nats-Msg-Id: {}\r\nNats-Batch-Id: {}-{}\r\nNats-Batch-Sequence: {number}\r\n",
                event.id, self.inbox, self.batches
            );
            if number == count {
                headers += "Nats-Batch-Commit: 1\r\n";
            }
            let answered = number == 1 || number == count;
            self.publish(&subject(event), &headers, answered, &event.stored);
        }
        self.send()?;
        // The first message is answered when the server has opened the batch, without a content.
        let opened = self.message()?;
        ensure!(!opened.contains('{'), "jetstream answers {opened}");
        let stored = self.message()?;
        let whole = format!("\"count\":{count}");
        ensure!(
            stored.contains("\"seq\"") && stored.contains(&whole),
            "jetstream answers {stored}"
        );
        Ok(())
    }

    fn single_messages(&mut self, batch: &Batch) -> anyhow::Result<()> {
        for event in batch {
            let headers = format!("Nats-Msg-Id: {}\r\n", event.id);
            self.publish(&subject(event), &headers, true, &event.stored);
        }
        self.send()?;
        for _ in batch {
            let stored = self.message()?;
            let good = stored.contains("\"seq\"") && !stored.contains("\"duplicate\"");
            ensure!(good, "jetstream answers {stored}");
        }
        Ok(())
    }

    fn send(&mut self) -> anyhow::Result<()> {
        self.stream.get_mut().write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// The content of the next message, with its headers if it has any.
    fn message(&mut self) -> anyhow::Result<String> {
        loop {
            let line = self.line()?;
            if line == "PING" {
                self.stream.get_mut().write_all(b"PONG\r\n")?;
            } else if line.starts_with("MSG ") || line.starts_with("HMSG ") {
                let size = line.rsplit(' ').next().and_then(|size| size.parse::<u64>().ok());
                let size = size.with_context(|| format!("nats-server says {line}"))?;
                let mut content = Vec::new();
                self.stream.by_ref().take(size + 2).read_to_end(&mut content)?;
                return Ok(String::from_utf8_lossy(&content).trim_end().to_owned());
            } else if line.starts_with("-ERR") {
                bail!("nats-server says {line}");
            }
        }
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        ensure!(self.stream.read_line(&mut line)? > 0, "nats-server closed the connection");
        Ok(line.trim_end().to_owned())
    }
}

/// The subject of an event's stream as NATS writes it.
fn subject(event: &Event) -> String {
    event.subject.as_str().replace('/', ".")
}
