//! A match map as it is played: what games have in common, and one module a game.
//!
//! ```text
//! event ─► Games ─► Game::admit ─► … the log … ─► Play::fold ─► state, prediction
//! ```

pub(crate) mod declare;
mod text;

pub mod course;
mod prediction;
mod priority;

mod models;
mod outcome;
mod predictor;

mod game;
mod lexicon;

pub mod cs;
pub mod football;

pub(crate) use course::leader;
pub use course::{
    Anomaly, Course, EventAmended, EventVoided, Forfeit, MAX_ANOMALIES, MatchAbandoned,
    MatchForfeited, MatchPaused, MatchResumed, Pause, PauseReason, ResultAmended, ResultConfirmed,
    Ruling, SourceGap, SourceLate, SourceNames, SourceSwitched, SourcesRanked, Status, TeamIndex,
};
pub use game::{Folded, Game, Games, Part, Play, Rules, Vocabulary};
pub use lexicon::{Exchange, Scope, Seal, Unfit};
pub use models::{MODEL_SWITCHED, MODELS_STREAM, ModelSwitched, Models};
pub use outcome::{Open, Outcome, Target};
pub(crate) use prediction::both;
pub use prediction::{Latest, Prediction};
pub use predictor::{Plain, Predictor, Unavailable};
pub use priority::Priority;
pub use text::{Identities, Label, PersonName, Player, ShownName};
