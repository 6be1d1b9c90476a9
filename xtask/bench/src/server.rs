//! Servers for measurements. They are killed, not ended.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use crate::connection::Connection;

/// How long a server may take to be ready; a large log is looked through before.
const PATIENCE: Duration = Duration::from_mins(5);
/// How often it is asked.
const ASK: Duration = Duration::from_millis(5);

/// What is measured, and how long.
pub(crate) struct Load {
    /// The server's binary.
    pub(crate) binary: PathBuf,
    /// Where its data may be.
    pub(crate) dir: PathBuf,
    /// How long to measure.
    pub(crate) seconds: u64,
    /// The type of the events.
    pub(crate) kind: String,
    /// What WebSocket clients subscribe to.
    pub(crate) views: Vec<String>,
}

/// A running server over data that was there before, killed with this.
pub(crate) struct Process {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts a server on a free port, and waits until it is ready.
    pub(crate) async fn serve(load: &Load, data: &Path) -> anyhow::Result<Self> {
        Self::serve_as(Command::new(&load.binary), data, &[]).await
    }

    /// The same with a command that comes to the server's binary, and with more flags.
    pub(crate) async fn serve_as(
        mut command: Command,
        data: &Path,
        flags: &[&str],
    ) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let output = data.with_extension("log");
        let child = command
            .arg("serve")
            .arg("--data")
            .arg(data)
            .args(["--listen", &address.to_string()])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&output)?)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let mut server = Self { child, address };
        let started = Instant::now();
        while !server.is_ready().await {
            let ended = server.child.try_wait()?;
            if ended.is_some() || started.elapsed() > PATIENCE {
                let said = std::fs::read_to_string(&output).unwrap_or_default();
                bail!("the server did not get ready ({ended:?}): {said}");
            }
            tokio::time::sleep(ASK).await;
        }
        Ok(server)
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    async fn is_ready(&self) -> bool {
        let Ok(mut connection) = Connection::open(self.address).await else { return false };
        matches!(connection.get("/readyz").await, Ok((200, _)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

/// Kills a program, without a chance to end in order.
pub(crate) fn kill(child: &mut Child) {
    // It is gone already if either fails.
    let _ = child.kill();
    let _ = child.wait();
}

/// A running server with data of its own, which is deleted once the server was killed with this.
pub(crate) struct Server {
    process: Process,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    _data: tempfile::TempDir,
}

impl Server {
    /// Starts a server on a free port, and waits until it is ready.
    pub(crate) async fn start(load: &Load) -> anyhow::Result<Self> {
        let data = tempfile::Builder::new().prefix("matchwire-bench-").tempdir_in(&load.dir)?;
        let process = Process::serve(load, &data.path().join("data")).await?;
        Ok(Self::over(process, data))
    }

    /// The same with a command that comes to the server's binary, and with more flags.
    pub(crate) async fn start_as(
        load: &Load,
        command: Command,
        flags: &[&str],
    ) -> anyhow::Result<Self> {
        let data = tempfile::Builder::new().prefix("matchwire-bench-").tempdir_in(&load.dir)?;
        let process = Process::serve_as(command, &data.path().join("data"), flags).await?;
        Ok(Self::over(process, data))
    }

    fn over(process: Process, data: tempfile::TempDir) -> Self {
        Self { address: process.address, process, _data: data }
    }

    /// Its process id.
    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }
}
