//! What came of what was predicted, so that predictions can be scored.

use super::{Course, Status};

/// What a prediction is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Who wins the round; a team does.
    Round,
    /// Who wins the map, in a game where a team does. One that is drawn is no outcome.
    Map,
    /// How the match ends, in a game that has draws.
    Result,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Round, Self::Map, Self::Result];

    /// Its name, as calibration and metrics carry it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Round => "round",
            Self::Map => "map",
            Self::Result => "result",
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The team of this index won.
    Won(usize),
    /// Nobody did.
    Draw,
}

/// What is still open at a moment. What is decided is known and no longer predicted, whatever
/// probability is told for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// Whether the round that the state is about is being played, or is about to be.
    pub round: bool,
    /// Whether the map is.
    pub map: bool,
    /// How often play became void before. Rounds from that of the next moment on are then played
    /// again, and what was predicted in them is of play that does not count.
    pub voided: u32,
}

/// The outcome of a map that is over: by its winner, without one a draw. What was decided without play,
/// or not at all, is no outcome of it.
pub(super) fn of_course(course: &Course, status: Status) -> Option<Outcome> {
    if status != Status::Ended {
        return None;
    }
    if matches!(course.ruled(), Some("forfeited" | "abandoned")) {
        return None;
    }
    Some(course.winner.map_or(Outcome::Draw, Outcome::Won))
}
