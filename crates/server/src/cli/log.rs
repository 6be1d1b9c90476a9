//! The command line of `matchwire log`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with a log.
#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Check every checksum, number and chain; exits 1 on damage
    Verify(LogData),
    /// Say what the log takes and holds
    Stats(LogData),
    /// Write its events as NDJSON, stream by stream
    Export(Export),
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
    /// Where to write; by default to the standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}
