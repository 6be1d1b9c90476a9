//! The programs of the drill: a server, its back-up, and the restore. They are killed, not ended.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};

use crate::{connection::Connection, server::Load};

/// How long a server, or a first back-up, may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// A server, killed with this.
pub(super) struct Process {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Process {
    /// Starts a server, and waits until it is ready.
    pub(super) async fn serve(load: &Load, data: &Path) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let said = data.with_extension("log");
        let child = Command::new(&load.binary)
            .arg("serve")
            .arg("--data")
            .arg(data)
            .args(["--listen", &address.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&said)?)
            .spawn()
            .with_context(|| format!("cannot start {}", load.binary.display()))?;
        let mut server = Self { child, address };
        let started = Instant::now();
        while !is_ready(address).await {
            let ended = server.child.try_wait()?;
            if ended.is_some() || started.elapsed() > PATIENCE {
                let said = std::fs::read_to_string(&said).unwrap_or_default();
                bail!("the server did not get ready ({ended:?}): {said}");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(server)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

/// A back-up that goes on, killed with this.
pub(super) struct Follow(Child);

impl Follow {
    /// Starts it, and waits until everything that there is was copied.
    pub(super) async fn start(load: &Load, data: &Path, place: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(&load.binary)
            .args(["backup", "--follow", "--json", "--data"])
            .arg(data)
            .arg("--to")
            .arg(place)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("its output is piped")?;
        let follow = Self(child);
        let (done, is_done) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut done = Some(done);
            // It is read to its end, so that the back-up never waits for a reader.
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let behind_ms = number(&line, "behind_ms");
                if behind_ms.is_some_and(|behind_ms| behind_ms < 1_000)
                    && let Some(done) = done.take()
                {
                    let _ = done.send(());
                }
            }
        });
        tokio::time::timeout(PATIENCE, is_done).await.context("the back-up takes too long")??;
        Ok(follow)
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        kill(&mut self.0);
    }
}

/// Restores a back-up, and gives how many events there are.
pub(super) fn restore(load: &Load, place: &Path, data: &Path) -> anyhow::Result<u64> {
    let output = Command::new(&load.binary)
        .args(["restore", "--json", "--from"])
        .arg(place)
        .arg("--data")
        .arg(data)
        .stderr(Stdio::inherit())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "the restore failed: {said}");
    number(&said, "events").with_context(|| format!("it does not say how many events: {said}"))
}

async fn is_ready(address: SocketAddr) -> bool {
    let Ok(mut connection) = Connection::open(address).await else { return false };
    matches!(connection.get("/readyz").await, Ok((200, _)))
}

fn kill(child: &mut Child) {
    // It is gone already if either fails.
    let _ = child.kill();
    let _ = child.wait();
}

/// A number by its name, in a line of JSON.
fn number(json: &str, name: &str) -> Option<u64> {
    let rest = json.split_once(&format!("\"{name}\":"))?.1;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}
