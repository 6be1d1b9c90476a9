//! Which cores the server has, and which the load.

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// The first core for the server and the others for this process, until it is dropped.
pub(crate) struct Cores {
    count: usize,
    is_split: bool,
}

impl Cores {
    /// Leaves the first core to the server, where there are others and `taskset` is there.
    pub(crate) fn split() -> Self {
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        let is_split = count > 1 && keep_to(&format!("1-{}", count - 1));
        Self { count, is_split }
    }

    pub(crate) fn describe(&self) -> String {
        if self.is_split {
            format!("the server on one core, the load on {}", self.count - 1)
        } else {
            "the server and the load share all cores".into()
        }
    }

    /// The command that comes to a binary on its core.
    pub(crate) fn command(&self, binary: &Path) -> Command {
        if !self.is_split {
            return Command::new(binary);
        }
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(binary);
        command
    }
}

impl Drop for Cores {
    fn drop(&mut self) {
        if self.is_split {
            keep_to(&format!("0-{}", self.count - 1));
        }
    }
}

/// Keeps all threads of this process to some cores; whether that went well.
fn keep_to(cores: &str) -> bool {
    let own = std::process::id().to_string();
    let mut taskset = Command::new("taskset");
    taskset.args(["-a", "-c", "-p", cores, &own]).stdout(Stdio::null()).stderr(Stdio::null());
    taskset.status().is_ok_and(|status| status.success())
}
