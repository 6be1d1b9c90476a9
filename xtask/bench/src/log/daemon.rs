//! The servers of other stores: found on the PATH, started on a free port of loopback with a folder
//! of their own, and ended with their handle, by process id. What is said to them is up to their
//! modules.

use std::{
    env,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(10);
/// How long it may be silent while it is measured.
const ANSWER: Duration = Duration::from_secs(30);

/// Where a program is, if it is on the PATH.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A port that was free a moment ago.
pub(super) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A server that runs until this is dropped.
pub(super) struct Daemon {
    child: Child,
    address: SocketAddr,
}

impl Daemon {
    /// Starts a server that will listen on a port of loopback, and waits until it does. What it
    /// prints goes to a file in the folder.
    pub(super) fn start(command: &mut Command, port: u16, folder: &Path) -> anyhow::Result<Self> {
        let output = folder.join("output");
        let file = File::create(&output)?;
        let program = command.get_program().to_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut daemon = Self { child, address };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = daemon.child.try_wait()?;
            if ended.is_some() || started.elapsed() > START {
                let said = fs::read_to_string(&output).unwrap_or_default();
                bail!("{} did not get ready ({ended:?}): {said}", program.display());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(daemon)
    }

    /// A new connection, which sends at once, and does not wait for an answer for ever.
    pub(super) fn connect(&self) -> anyhow::Result<TcpStream> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_write_timeout(Some(ANSWER))?;
        Ok(stream)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Its data is deleted next, and so it need not end in good order. It is gone already if
        // either fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
