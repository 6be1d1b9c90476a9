//! The programs of the drill beside the server: its back-up, which is killed with it, and the restore.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};

use crate::server::{Load, kill};

/// How long a first back-up may take.
const PATIENCE: Duration = Duration::from_mins(5);

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

/// A number by its name, in a line of JSON.
fn number(json: &str, name: &str) -> Option<u64> {
    let rest = json.split_once(&format!("\"{name}\":"))?.1;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}
