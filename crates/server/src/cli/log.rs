//! The command line of `matchwire log`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with a log.
#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Check every checksum, number and chain; exits 1 on damage
    Verify(Verify),
    /// Say what the log takes and holds
    Stats(LogData),
    /// Write its events as NDJSON, stream by stream
    Export(Export),
    /// Bring back what is missing, from a copy of the log; the server must be stopped
    Repair(Repair),
    /// Give up what is missing for good, so that its streams go on; the server must be stopped
    AcceptLoss(AcceptLoss),
}

/// `matchwire log verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) log: LogData,
    #[command(flatten)]
    pub(crate) archive: crate::archive::Place,
}

/// `matchwire log repair`.
#[derive(Debug, Args)]
pub(crate) struct Repair {
    /// The data directory of the server
    #[arg(long, env = "MATCHWIRE_DATA", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// A data directory with a copy of the log: one that a back-up was restored to, or an older copy
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// Print what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `matchwire log accept-loss`.
#[derive(Debug, Args)]
pub(crate) struct AcceptLoss {
    /// The data directory of the server
    #[arg(long, env = "MATCHWIRE_DATA", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Print what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The log of a data directory.
#[derive(Debug, Args)]
pub(crate) struct LogData {
    /// The data directory of the server
    #[arg(long, env = "MATCHWIRE_DATA", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `matchwire log export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The data directory of the server
    #[arg(long, env = "MATCHWIRE_DATA", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// This stream alone; by default all but the server's own
    #[arg(long, value_name = "S")]
    pub(crate) subject: Option<String>,
    #[command(flatten)]
    pub(crate) archive: crate::archive::Place,
    /// Where to write; by default to the standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}
