//! Redis as a contestant: an `XADD` for each event, to the stream of its subject, with `appendonly
//! yes` and `appendfsync always`, which syncs the file before the answers of an event loop go out.
//!
//! A batch is one `MULTI … EXEC`, sent and answered as a whole: so it is stored all or none, and
//! synced once; without it Redis syncs as often as it reads from the socket. There is no look for
//! duplicates, for which a stream has no natural way. The events also stay in memory, all of them.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{bail, ensure};

use super::{
    contest::{Batch, Contestant, Lane, Role, Running, Shape},
    daemon::{Daemon, free_port},
};

/// `redis-server`, with where it is.
pub(super) struct Redis(pub(super) PathBuf);

impl Contestant for Redis {
    fn name(&self) -> &'static str {
        "Redis XADD, appendfsync always"
    }

    fn role(&self) -> Role {
        Role::Peer
    }

    fn start(&self, folder: &Path, shape: Shape, _: &[Batch]) -> anyhow::Result<Running> {
        let port = free_port()?;
        let mut command = Command::new(&self.0);
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--daemonize", "no"]);
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
        // Not to be slowed by rewriting its file, as it would be now and then.
        command.args(["--auto-aof-rewrite-percentage", "0"]).arg("--dir").arg(folder);
        let daemon = Daemon::start(&mut command, port, folder)?;
        let lane = |_| -> anyhow::Result<Box<dyn Lane>> {
            let stream = daemon.connect()?;
            Ok(Box::new(Connection { stream: BufReader::new(stream), out: Vec::new() }))
        };
        let lanes = (0..shape.in_flight).map(lane).collect::<anyhow::Result<_>>()?;
        Ok(Running::side_by_side(lanes, Some(daemon)))
    }
}

struct Connection {
    stream: BufReader<TcpStream>,
    out: Vec<u8>,
}

impl Lane for Connection {
    fn append(&mut self, batches: Vec<Batch>) -> anyhow::Result<()> {
        for batch in batches {
            self.out.clear();
            put(&mut self.out, &[b"MULTI"]);
            for event in &batch {
                let subject = event.subject.as_str().as_bytes();
                put(&mut self.out, &[b"XADD", subject, b"*", b"e", &event.stored]);
            }
            put(&mut self.out, &[b"EXEC"]);
            self.stream.get_mut().write_all(&self.out)?;
            // One answer to MULTI, one to each XADD that it is queued, and the results.
            for _ in 0..=batch.len() {
                let answer = self.line()?;
                ensure!(answer.starts_with('+'), "redis answers {answer}");
            }
            let results = self.line()?;
            ensure!(results == format!("*{}", batch.len()), "redis answers {results}");
            for _ in &batch {
                self.text()?;
            }
        }
        Ok(())
    }
}

impl Connection {
    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        ensure!(self.stream.read_line(&mut line)? > 0, "redis closed the connection");
        Ok(line.trim_end().to_owned())
    }

    /// Reads a text with its length before it, which is the id of an entry.
    fn text(&mut self) -> anyhow::Result<()> {
        let line = self.line()?;
        let Some(length) = line.strip_prefix('$').and_then(|text| text.parse::<u64>().ok()) else {
            bail!("redis answers {line}");
        };
        let mut text = Vec::new();
        self.stream.by_ref().take(length + 2).read_to_end(&mut text)?;
        Ok(())
    }
}

/// Adds a command to what is sent.
fn put(out: &mut Vec<u8>, words: &[&[u8]]) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}
