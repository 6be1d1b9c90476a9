//! The command line of `matchwire players`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use matchwire_players::rating::System;

use super::ImportArgs;

/// What to do about players.
#[derive(Debug, Subcommand)]
pub(crate) enum PlayersCommand {
    /// Rate everybody by all matches of the log, by a system and parameters of one's choice, and say how well that foresaw who wins
    Ratings(Ratings),
    /// Import the history of a club from files; goes on where it stopped
    Import(Box<ImportArgs>),
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
