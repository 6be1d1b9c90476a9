//! The command line of `matchwire views`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with stored views.
#[derive(Debug, Subcommand)]
pub(crate) enum ViewsCommand {
    /// Say which views there are, how far each has seen the log, and what it takes
    List(Stored),
    /// Let the server compute a view again from the beginning of the log, now or at its next start; what is there serves until
    /// that is done
    Rebuild(Rebuild),
    /// Remove a version of a view, as one that an older server has left. One that a server uses is computed again
    Drop(Drop),
}

/// Where views are stored.
#[derive(Debug, Args)]
pub(crate) struct Stored {
    /// The data directory of the server, which may be running
    #[arg(long, env = "MATCHWIRE_DATA", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `matchwire views rebuild`.
#[derive(Debug, Args)]
pub(crate) struct Rebuild {
    /// The view
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) stored: Stored,
}

/// `matchwire views drop`.
#[derive(Debug, Args)]
pub(crate) struct Drop {
    /// The view
    pub(crate) name: String,
    /// The version of it
    pub(crate) version: u32,
    #[command(flatten)]
    pub(crate) stored: Stored,
}
