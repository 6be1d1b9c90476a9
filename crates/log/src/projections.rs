//! The stored views that there are.

mod tournaments;

pub use self::tournaments::TournamentMatches;
use crate::{projection::Projection as _, view_store::Schema};

/// The schemas of all stored views, as this version computes them.
pub fn schemas() -> Vec<Schema> {
    vec![TournamentMatches.schema()]
}
