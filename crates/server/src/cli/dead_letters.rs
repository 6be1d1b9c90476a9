//! The command line of `matchwire dead-letters`.

use clap::{Args, Subcommand};

/// What to do with what was refused.
#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// Print the dead letters that are open, oldest first
    List(List),
    /// Print a dead letter with its body
    Show(Show),
    /// Try refused events again, as if they came now; those that are taken are closed
    Redrive(Chosen),
    /// Close dead letters that nobody wants any more
    Drop(Chosen),
}

/// Which server.
#[derive(Debug, Args)]
pub(crate) struct Server {
    /// The server
    #[arg(
        long,
        env = "MATCHWIRE_SERVER",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub(crate) server: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which letters.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// Only those that were refused with this code, like schema
    #[arg(long, value_name = "CODE")]
    pub(crate) reason: Option<String>,
    /// Only those of this source
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<String>,
}

/// `matchwire dead-letters list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// `matchwire dead-letters show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The number of the letter
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seq: u64,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// `matchwire dead-letters redrive` and `drop`.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// The numbers of the letters
    #[arg(
        value_name = "SEQ",
        required_unless_present = "all",
        conflicts_with = "all",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub(crate) seqs: Vec<u64>,
    /// All that are open now, or all of --reason and --source
    #[arg(long)]
    pub(crate) all: bool,
    /// With --all only those that were refused with this code, like schema
    #[arg(long, value_name = "CODE", conflicts_with = "seqs")]
    pub(crate) reason: Option<String>,
    /// With --all only those of this source
    #[arg(long, value_name = "NAME", conflicts_with = "seqs")]
    pub(crate) source: Option<String>,
    #[command(flatten)]
    pub(crate) server: Server,
}

impl Chosen {
    /// What --all is of.
    pub(crate) fn filter(&self) -> Filter {
        Filter { reason: self.reason.clone(), source: self.source.clone() }
    }
}
