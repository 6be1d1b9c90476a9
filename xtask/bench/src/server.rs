//! A server of its own for a measurement.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use crate::connection::Connection;

/// How long a server may take to be ready.
const START: Duration = Duration::from_secs(20);

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

/// A running server, which ends with this.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its data; deleted after it has ended, since fields are dropped after [`Drop::drop`].
    _data: tempfile::TempDir,
}

impl Server {
    /// Starts a server on a free port, and waits until it is ready.
    pub(crate) async fn start(load: &Load) -> anyhow::Result<Self> {
        let data = tempfile::Builder::new().prefix("matchwire-bench-").tempdir_in(&load.dir)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let output = data.path().join("server.log");
        let child = Command::new(&load.binary)
            .arg("serve")
            .arg("--data")
            .arg(data.path().join("data"))
            .args(["--listen", &address.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&output)?)
            .spawn()
            .with_context(|| format!("cannot start {}", load.binary.display()))?;
        let mut server = Self { child, address, _data: data };
        let started = Instant::now();
        while !server.is_ready().await {
            let ended = server.child.try_wait()?;
            if ended.is_some() || started.elapsed() > START {
                let said = std::fs::read_to_string(&output).unwrap_or_default();
                bail!("the server did not get ready ({ended:?}): {said}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(server)
    }

    /// Its process id.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    async fn is_ready(&self) -> bool {
        let Ok(mut connection) = Connection::open(self.address).await else { return false };
        matches!(connection.get("/readyz").await, Ok((200, _)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is gone already if either fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
