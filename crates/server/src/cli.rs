//! The command line. Flags go over `MATCHWIRE_*` variables, which go over the file of settings, which
//! goes over defaults.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

mod dead_letters;
mod import;
mod log;
mod players;
mod referee;
mod views;

pub(crate) use dead_letters::{Chosen, DeadLettersCommand, Filter, List, Server, Show};
pub(crate) use import::{Format as HistoryFormat, Import, ImportArgs, ImportCommand, Revoke};
pub(crate) use log::{AcceptLoss, Export, LogCommand, LogData, Repair, Verify};
pub(crate) use players::{Erase, Named, PlayersCommand, Ratings, Reconcile};
pub(crate) use referee::{Action, Referee};
pub(crate) use views::{Drop, Rebuild, Stored, ViewsCommand};

/// The live-event backend for esports and sports platforms, in one binary.
#[derive(Debug, Parser)]
#[command(name = "matchwire", version, about, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play a simulated best-of-three on a server of its own, and stay until Ctrl-C
    Demo(Demo),
    /// Run the server
    Serve(Box<Serve>),
    /// Play a recording into a server; resumes where it stopped
    Send(Send),
    /// Print a stream's events as they come
    Tail(Tail),
    /// Print a match's events again, as they came
    Replay(Replay),
    /// Print P(CT wins the round) for each row of a file of snapshots
    Predict(crate::predict::Predict),
    /// Print how good predictions have been: Brier score, log loss and calibration error by model
    Calibration(crate::calibration::Calibration),
    /// See to what was refused: list, show, try again, drop
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Correct what was told of a match, or decide about it
    Referee(Referee),
    /// Print the upstreams from which a server fetches events, and how they are
    Upstreams(Server),
    /// Check, measure, export or repair the log in a data directory
    #[command(subcommand)]
    Log(LogCommand),
    /// See to the stored views in a data directory: list, compute again, drop
    #[command(subcommand)]
    Views(ViewsCommand),
    /// See to what is stored and counted of players, and import what they have done before
    #[command(subcommand)]
    Players(PlayersCommand),
    /// Copy a data directory to another directory or to S3, while the server runs
    Backup(crate::backup::Backup),
    /// Make a data directory of a back-up
    Restore(crate::backup::Restore),
}

/// `matchwire demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where to listen; port 0 takes a free one
    #[arg(long, env = "MATCHWIRE_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// What the simulation starts from: the same seed gives the same match
    #[arg(long, env = "MATCHWIRE_SEED", default_value_t = matchwire_sim::DEFAULT_SEED)]
    pub(crate) seed: u64,
    /// How many times as fast as a real match; 0 is at once
    #[arg(long, env = "MATCHWIRE_SPEED", default_value_t = 10.0, value_parser = speed)]
    pub(crate) speed: f64,
}

/// `matchwire serve`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where the log, the vault and the stored views are kept
    #[arg(long, env = "MATCHWIRE_DATA", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// A TOML file with settings: what a flag or a variable says goes over it. Upstreams, from which
    /// events are fetched, and audiences, which see them later, are set there alone
    #[arg(long, env = "MATCHWIRE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The upstreams of that file.
    #[arg(skip)]
    pub(crate) upstreams: Vec<matchwire_upstream::Feed>,
    /// The audiences of that file.
    #[arg(skip)]
    pub(crate) audiences: Vec<matchwire_gateway::Audience>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, env = "MATCHWIRE_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Who may send events without a key, beside this machine; may be given several times
    #[arg(long, env = "MATCHWIRE_INSECURE_INGEST", value_name = "CIDR", value_delimiter = ',')]
    pub(crate) insecure_ingest: Vec<String>,
    /// Who may read without a key, beside this machine; may be given several times. Whoever may send, too, is the operator, who
    /// sees what is private
    #[arg(long, env = "MATCHWIRE_INSECURE_READ", value_name = "CIDR", value_delimiter = ',')]
    pub(crate) insecure_read: Vec<String>,
    /// A proxy that is believed when it says in X-Forwarded-For for whom it asks; may be given several times
    #[arg(long, env = "MATCHWIRE_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    pub(crate) trusted_proxy: Vec<String>,
    /// A name by which the server is reached, beside addresses and localhost; may be given several
    /// times
    #[arg(long, env = "MATCHWIRE_HOST", value_name = "NAME", value_delimiter = ',')]
    pub(crate) host: Vec<String>,
    /// What posts of a source must have in their path, as ~TOKEN after the source's name; may be
    /// given several times
    #[arg(
        long,
        env = "MATCHWIRE_INGEST_TOKEN",
        value_name = "SOURCE=TOKEN",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub(crate) ingest_token: Vec<String>,
    /// What posts of Game State Integration must have as auth.token in their body; without it
    /// theirs is not looked at
    #[arg(
        long,
        env = "MATCHWIRE_GSI_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true,
        value_parser = clap::builder::NonEmptyStringValueParser::new()
    )]
    pub(crate) gsi_token: Option<String>,
    #[command(flatten)]
    pub(crate) people: crate::people::Tokens,
    /// When what is stored of players is compared with the log every day, in UTC, or off
    #[arg(
        long,
        env = "MATCHWIRE_PLAYERS_RECONCILE_AT",
        value_name = "HH:MM",
        default_value = "04:00"
    )]
    pub(crate) players_reconcile_at: crate::reconcile::At,
    #[command(flatten)]
    pub(crate) alerts: crate::alerts::Settings,
    /// The model that predicts a game from now on, as in cs2=mw-logit-1; may be given several times. What was
    /// predicted before stays as it was
    #[arg(long, env = "MATCHWIRE_MODEL", value_name = "GAME=MODEL", value_delimiter = ',')]
    pub(crate) model: Vec<String>,
    /// A model that predicts a game in the shadow of the one in force, as in cs2=mw-logit-1; may be given several times.
    /// It is scored beside it, for every moment in the log, and nobody is told what it predicts
    #[arg(long, env = "MATCHWIRE_SHADOW", value_name = "GAME=MODEL", value_delimiter = ',')]
    pub(crate) shadow: Vec<String>,
    /// How many connections there may be at a time, of every kind. Each takes an open file, so the system's limit
    /// must leave room for them
    #[arg(
        long,
        env = "MATCHWIRE_CONNECTIONS",
        value_name = "N",
        default_value_t = 16_000,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub(crate) connections: u32,
    /// How many new connections are accepted in a second; others wait in the system's queue
    #[arg(
        long,
        env = "MATCHWIRE_ACCEPT_RATE",
        value_name = "N",
        default_value_t = 2_000,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    pub(crate) accept_rate: u32,
    /// How long a model may take for a prediction. One that takes longer, or panics, is left alone for a while: events
    /// and states go on, and the last prediction is served as stale
    #[arg(
        long,
        env = "MATCHWIRE_PREDICT_LIMIT",
        value_name = "TIME",
        default_value = "50ms",
        value_parser = some_time
    )]
    pub(crate) predict_limit: std::time::Duration,
    /// The sources that tell of the same facts, the primary one first: of a map that several of them tell of
    /// one is believed at a time, and the others fill its gaps
    #[arg(
        long,
        env = "MATCHWIRE_SOURCE_RANK",
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "cs-log,gsi,matchzy"
    )]
    pub(crate) source_rank: Vec<String>,
    /// After so long without a fact a source is silent, and the next one that tells of the map is believed
    #[arg(
        long,
        env = "MATCHWIRE_SOURCE_SILENCE",
        value_name = "TIME",
        default_value = "20s",
        value_parser = humantime::parse_duration
    )]
    pub(crate) source_silence: std::time::Duration,
    /// How large a file of the log grows, in MiB, before it is sealed: a small one takes less
    /// memory and time at a start, a large one is sealed less often
    #[arg(
        long,
        env = "MATCHWIRE_SEGMENT_MIB",
        value_name = "MIB",
        default_value_t = 64,
        value_parser = clap::value_parser!(u64).range(1..=1_024)
    )]
    pub(crate) segment_mib: u64,
    /// Let senders ask for an answer before their events are on disk (?durability=memory); what is
    /// answered like that may be lost in a crash
    #[arg(long, env = "MATCHWIRE_ALLOW_MEMORY_ACKS")]
    pub(crate) allow_memory_acks: bool,
    /// How long events are kept, by pattern of subject: room/*=90d, or room/staff=forever; may be
    /// given several times, and the first that matches a stream counts. What none matches is kept
    /// for ever
    #[arg(long, env = "MATCHWIRE_RETAIN", value_name = "PATTERN=AGE", value_delimiter = ',')]
    pub(crate) retain: Vec<matchwire_embedded::Rule>,
    #[command(flatten)]
    pub(crate) archive: crate::archive::Place,
    /// How old all events of a sealed file must be for them to leave for the archive, as in 90d;
    /// without it none leave, and what is there can be read
    #[arg(
        long,
        env = "MATCHWIRE_ARCHIVE_AFTER",
        value_name = "AGE",
        requires = "place",
        value_parser = crate::archive::age
    )]
    pub(crate) archive_after: Option<std::time::Duration>,
    /// How many dead letters may be open; at that bound new ones are lost, and counted
    #[arg(
        long,
        env = "MATCHWIRE_DEAD_LETTERS",
        value_name = "N",
        default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    pub(crate) dead_letters: u32,
    /// How large the bodies of the open dead letters may be together, in MiB
    #[arg(
        long,
        env = "MATCHWIRE_DEAD_LETTERS_MIB",
        value_name = "MIB",
        default_value_t = 64,
        value_parser = clap::value_parser!(u64).range(1..=4_096)
    )]
    pub(crate) dead_letters_mib: u64,
    /// What a source may send: events per second, at once if they come so, and its class, which is sensor,
    /// broadcast or social: feed-*=500/2000:broadcast. May be given several times, and the first that
    /// covers a source counts; others may send all that can be taken
    #[arg(
        long,
        env = "MATCHWIRE_SOURCE_LIMIT",
        value_name = "NAME=RATE[/BURST][:CLASS]",
        value_delimiter = ','
    )]
    pub(crate) source_limit: Vec<matchwire_gateway::SourceLimit>,
    /// How long events may wait in line, in milliseconds, before those that matter least are sampled and
    /// refused
    #[arg(
        long,
        env = "MATCHWIRE_ADMISSION_TARGET_MS",
        value_name = "MS",
        default_value_t = 25,
        value_parser = clap::value_parser!(u64).range(1..=60_000)
    )]
    pub(crate) admission_target_ms: u64,
    /// Start although the newest event is from the future by this machine's clock
    #[arg(long, env = "MATCHWIRE_ACCEPT_CLOCK")]
    pub(crate) accept_clock: bool,
}

/// `matchwire send`.
#[derive(Debug, Args)]
pub(crate) struct Send {
    /// The recordings, in order; compressed if the name ends in .zst
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
    /// The recording's format; by default what its name says
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// The match; by default the first file's name. Only for formats that do not say
    #[arg(long = "match", value_name = "M")]
    pub(crate) match_id: Option<String>,
    /// The number of the map, or auto to count maps as they are played
    #[arg(long, default_value = "auto", value_name = "N")]
    pub(crate) map: String,
    /// How many times as fast as it was recorded; 0 is as fast as the server takes it
    #[arg(long, default_value_t = 0.0, value_parser = speed, value_name = "X")]
    pub(crate) speed: f64,
    /// Print what it came to as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `matchwire tail`.
#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// The stream, match/m1/1, a match with its maps, match/m1, or many: match/**, match/*/1,
    /// tournament/t/matches
    pub(crate) subject: String,
    /// Print what comes after this seq or cursor
    #[arg(long, default_value = "0", value_name = "SEQ")]
    pub(crate) after: String,
    /// The server
    #[arg(
        long,
        env = "MATCHWIRE_SERVER",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub(crate) server: String,
    /// How events are printed.
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// `matchwire replay`.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The match, grand-final, or one of its maps, match/grand-final/1
    #[arg(value_name = "MATCH")]
    pub(crate) match_id: String,
    /// How many times as fast as it was, 0.01 to 1000; 0 is at once
    #[arg(long, default_value_t = 1.0, value_parser = speed, value_name = "X")]
    pub(crate) speed: f64,
    /// The longest pause, as in 30s of the match; longer ones are cut to it
    #[arg(long, value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) max_gap: Option<std::time::Duration>,
    /// Go by the events' own time instead of when they were recorded, for a match that was imported
    #[arg(long)]
    pub(crate) by_time: bool,
    /// Go on after this cursor
    #[arg(long, default_value = "0", value_name = "CURSOR")]
    pub(crate) after: String,
    /// The server
    #[arg(
        long,
        env = "MATCHWIRE_SERVER",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub(crate) server: String,
    /// How events are printed.
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// How events are printed.
#[derive(Debug, Args)]
pub(crate) struct Shown {
    /// Print each event as JSON, as it was delivered
    #[arg(long)]
    pub(crate) json: bool,
    /// Do not compute the events' hashes again
    #[arg(long)]
    pub(crate) no_verify: bool,
}

/// The format of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The log of a Counter-Strike server.
    CsLog,
    /// StatsBomb's events or line-ups of a football match.
    Statsbomb,
    /// Posts of Game State Integration, a line a post; bare, or as {"timestamp": …, "body": …}.
    Gsi,
    /// Webhooks of MatchZy or Get5, a line a post; bare, or as {"timestamp": …, "body": …}.
    #[value(name = "matchzy")]
    MatchZy,
    /// CloudEvents in JSON, a line an event.
    Ndjson,
    /// CloudEvents in JSON: one, or an array.
    Cloudevents,
}

/// A duration of more than nothing.
fn some_time(text: &str) -> Result<std::time::Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time.is_zero() { Err("must be more than 0".into()) } else { Ok(time) }
}

fn speed(text: &str) -> Result<f64, String> {
    let good = text.parse().ok().filter(|speed: &f64| speed.is_finite() && *speed >= 0.0);
    good.ok_or_else(|| "must be a number, 0 or more".into())
}
