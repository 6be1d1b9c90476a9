//! The command line of `matchwire referee`.

use clap::{Args, Subcommand, ValueEnum};

/// `matchwire referee …`: corrects what was told of a match, and decides about it.
#[derive(Debug, Args)]
pub(crate) struct Referee {
    /// The server
    #[arg(
        long,
        env = "MATCHWIRE_SERVER",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL",
        global = true
    )]
    pub(crate) server: String,
    /// Who decides: part of the source of the event, for those who look later
    #[arg(
        long,
        env = "MATCHWIRE_REFEREE",
        default_value = "referee",
        value_name = "NAME",
        global = true
    )]
    pub(crate) by: String,
    /// Print what it came to as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do
    #[command(subcommand)]
    pub(crate) action: Action,
}

/// What a referee does.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Take back an event that did not happen; a correction, too
    Void {
        /// The stream, match/m1/1 or match/m1
        subject: String,
        /// The number of the event
        seq: u64,
        #[command(flatten)]
        reason: Reason,
    },
    /// Say how an event really happened
    Amend {
        /// The stream, match/m1/1 or match/m1
        subject: String,
        /// The number of the event
        seq: u64,
        /// The right type; as it was told if left out
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
        /// The right time, RFC 3339; as it was told if left out
        #[arg(long, value_name = "TIME")]
        time: Option<String>,
        /// The right data, a JSON object
        #[arg(long, value_name = "JSON")]
        data: String,
        #[command(flatten)]
        reason: Reason,
    },
    /// Stop play
    Pause {
        /// The stream, match/m1/1
        subject: String,
        /// Why play stops
        #[arg(long, value_enum, default_value_t = Pause::Technical)]
        reason: Pause,
        /// The side that called it, as the game calls its sides
        #[arg(long)]
        side: Option<String>,
    },
    /// Let play go on
    Resume {
        /// The stream, match/m1/1
        subject: String,
    },
    /// A team gives up, or is made to
    Forfeit {
        /// The stream, match/m1/1, or match/m1 for the whole match
        subject: String,
        /// The index of the team that loses by it
        #[arg(value_parser = clap::value_parser!(u8).range(0..=1))]
        team: u8,
        /// How it loses
        #[arg(long, value_enum, default_value_t = Forfeit::GaveUp)]
        how: Forfeit,
        #[command(flatten)]
        reason: Reason,
    },
    /// End play for good without a winner
    Abandon {
        /// The stream, match/m1/1, or match/m1 for the whole match
        subject: String,
        #[command(flatten)]
        reason: Reason,
    },
    /// Set the result, whatever was played
    Result {
        /// The stream, match/m1/1, or match/m1 for the whole match
        subject: String,
        /// The score in the order of teams, as in 13:7; as it is if left out
        #[arg(long, value_parser = score, value_name = "A:B")]
        score: Option<[u16; 2]>,
        /// The index of the team that won; by the score if left out
        #[arg(long, value_parser = clap::value_parser!(u8).range(0..=1))]
        winner: Option<u8>,
        #[command(flatten)]
        reason: Reason,
    },
    /// Confirm the result as it stands now
    Confirm {
        /// The stream, match/m1/1, or match/m1 for the whole match
        subject: String,
    },
}

/// Why, for people.
#[derive(Debug, Args)]
pub(crate) struct Reason {
    /// Why, for those who look later
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// Why play stops.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Pause {
    /// Something does not work.
    Technical,
    /// A team's time-out.
    Timeout,
    /// Half-time.
    HalfTime,
    /// Anything else.
    Other,
}

/// How a team loses without being beaten.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Forfeit {
    /// It gives up.
    GaveUp,
    /// It is made to lose.
    Disqualified,
    /// It is not there.
    NoShow,
}

impl Forfeit {
    /// As the event has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::GaveUp => "gave_up",
            Self::Disqualified => "disqualified",
            Self::NoShow => "no_show",
        }
    }
}

impl Pause {
    /// As the event has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Technical => "technical",
            Self::Timeout => "timeout",
            Self::HalfTime => "half_time",
            Self::Other => "other",
        }
    }
}

fn score(text: &str) -> Result<[u16; 2], String> {
    let parse = |text: &str| text.parse::<u16>().ok();
    let parts = text.split_once(':').and_then(|(a, b)| Some([parse(a)?, parse(b)?]));
    parts.ok_or_else(|| "must be two numbers like 13:7".into())
}
