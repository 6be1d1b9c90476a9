//! `matchwire log`: what an operator does with the log in a data directory. All but `repair` and
//! `accept-loss` only reads, and a server may be running on it.

mod damage;
mod export;
mod stats;
mod verify;

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::cli::LogCommand;

/// Runs the command.
pub(crate) fn run(command: &LogCommand) -> anyhow::Result<()> {
    match command {
        LogCommand::Verify(args) => verify::run(args),
        LogCommand::Stats(args) => stats::run(args),
        LogCommand::Export(args) => export::run(args),
        LogCommand::Repair(args) => damage::repair(args),
        LogCommand::AcceptLoss(args) => damage::accept_loss(args),
    }
}

/// Where the log is in a data directory.
fn folder(data: &Path) -> PathBuf {
    data.join("log")
}

/// Prints a report. That nobody reads it to the end is no error.
fn print(report: &str) -> io::Result<()> {
    match io::stdout().lock().write_all(report.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
