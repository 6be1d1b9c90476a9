//! The command line of `matchwire players`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do about players.
#[derive(Debug, Subcommand)]
pub(crate) enum PlayersCommand {
    /// Compare what is stored of players with the log, and repair what differs; also while the server runs
    Reconcile(Reconcile),
}

/// `matchwire players reconcile`.
#[derive(Debug, Args)]
pub(crate) struct Reconcile {
    /// The data directory of the server, which may be running
    #[arg(long, env = "MATCHWIRE_DATA", value_name = "DIR")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) archive: crate::archive::Place,
    /// Repair what is wrong, and compare again
    #[arg(long)]
    pub(crate) fix: bool,
    /// Look at this player alone
    #[arg(long, value_name = "P")]
    pub(crate) player: Option<String>,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
