//! The command line of `matchwire players`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use matchwire_players::rating::System;

use super::{ImportArgs, Server};

/// What to do about players.
#[derive(Debug, Subcommand)]
pub(crate) enum PlayersCommand {
    /// Compare what is stored of players with the log, and repair what differs; also while the server runs
    Reconcile(Reconcile),
    /// Rate everybody by all matches of the log, by a system and parameters of one's choice, and say how well that foresaw who wins
    Ratings(Ratings),
    /// Have a copy made of all that is kept of a player, and print the link to it
    Export(Named),
    /// Forget a player, for ever
    Erase(Erase),
    /// Import the history of a club from files; goes on where it stopped
    Import(Box<ImportArgs>),
}

/// Which player, on which server.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The player: by player id, public id (MW-26-000042) or account (steam:7656…)
    #[arg(value_name = "PLAYER")]
    pub(crate) player: String,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// `matchwire players erase`.
#[derive(Debug, Args)]
pub(crate) struct Erase {
    #[command(flatten)]
    pub(crate) named: Named,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
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

/// `matchwire players ratings`.
#[derive(Debug, Args)]
pub(crate) struct Ratings {
    /// The data directory of a server, which may be running
    #[arg(long, env = "MATCHWIRE_DATA", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The game, like cs2
    #[arg(long, value_name = "GAME")]
    pub(crate) game: String,
    /// The system: glicko-2, openskill or elo; may be given several times, and without it all are tried
    #[arg(long, value_name = "SYSTEM", value_delimiter = ',')]
    pub(crate) system: Vec<System>,
    /// Glicko-2: how much volatilities change, 0.5 as it is served
    #[arg(long, value_name = "NUMBER")]
    pub(crate) tau: Option<f64>,
    /// OpenSkill: by how much somebody is better who wins two times out of three, 25/6 as it is served
    #[arg(long, value_name = "NUMBER")]
    pub(crate) beta: Option<f64>,
    /// Elo: by how much a rating changes at the most, 32 by default
    #[arg(long, value_name = "NUMBER")]
    pub(crate) k: Option<f64>,
    /// Glicko-2 and OpenSkill: how uncertain a rating is before the first match, 350 and 25/3 as they are served
    #[arg(long, value_name = "NUMBER")]
    pub(crate) deviation: Option<f64>,
    /// Rate teams as they are, by their ids, rather than players
    #[arg(long)]
    pub(crate) teams: bool,
    /// How many are printed, the highest first
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) top: usize,
    /// Where events are that have left for an archive
    #[command(flatten)]
    pub(crate) archive: crate::archive::Place,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
