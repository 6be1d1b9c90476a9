//! The command line of `matchwire players import`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Server;
use crate::import::Hours;

/// `matchwire players import`, and what there is beside it.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct ImportArgs {
    /// What to do with imports that were begun
    #[command(subcommand)]
    pub(crate) command: Option<ImportCommand>,
    #[command(flatten)]
    pub(crate) import: Import,
}

/// What to do with imports that were begun.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Print the imports: who imported what, when, and how far it is
    List(Server),
    /// Take exactly one import back, by events that void its own
    Revoke(Revoke),
}

/// `matchwire players import FILE…`.
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The files: a table of results (.csv), lines of JSON (.ndjson), or the folder of a bracket of start.gg
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The server
    #[arg(
        long,
        env = "MATCHWIRE_SERVER",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub(crate) server: String,
    /// The format of all files; by default what each file is by its name
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// The game, where a file does not name it, as in cs2
    #[arg(long, value_name = "GAME")]
    pub(crate) game: Option<String>,
    /// What the names of its matches and tournaments begin with
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) prefix: String,
    /// The name of the import; by default one that is made of what it tells
    #[arg(long, value_name = "ID")]
    pub(crate) name: Option<String>,
    /// Who imports; it is noted with the import
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// Read everything and tell what would be imported, and what players would have of it; nothing is sent
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask before it starts
    #[arg(long)]
    pub(crate) yes: bool,
    /// Start at any hour, and while the server has much to do
    #[arg(long)]
    pub(crate) force: bool,
    /// The hours of the day at which no import starts, by this machine's clock: from the first, to before the second; or none
    #[arg(long, env = "MATCHWIRE_IMPORT_HOURS", value_name = "FROM-TO", default_value = "06-23")]
    pub(crate) hours: Hours,
    /// No import starts while the server has more requests in a second than this
    #[arg(
        long,
        env = "MATCHWIRE_IMPORT_MAX_RPS",
        value_name = "N",
        default_value_t = 50,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub(crate) max_rps: u32,
    /// The most events in a second; without it as fast as the server is not slowed down by it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) rate: Option<u32>,
    /// How many events are sent at once
    #[arg(
        long,
        value_name = "N",
        default_value_t = 500,
        value_parser = clap::value_parser!(u16).range(1..=1_000)
    )]
    pub(crate) batch: u16,
    /// Print what it came to as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `matchwire players import revoke`.
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// The name of the import
    pub(crate) id: String,
    /// Why, for people
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Who takes it back; it is noted with the import
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// Do not ask before it starts
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// How a file tells history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table of teams' results, with columns `match_id`, date, team, opponent, result and players
    Csv,
    /// Lines of JSON: matches, tournaments, or `CloudEvents`
    Ndjson,
    /// A bracket of start.gg: a folder with attr.json, seeds.json, matches.json and standings.json
    Startgg,
}
