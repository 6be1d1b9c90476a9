//! The stored views that there are.

mod tournaments;

pub use self::tournaments::TournamentMatches;
