//! A match as a whole, `match/<match>`: who is to play, when and where, the veto, and the result.
//!
//! Its maps are streams of their own. [`State`] is what the match's own stream tells; [`Standing`]
//! puts it together with what its maps have come to.

mod event;

mod membership;

mod order;

mod state;

mod map_of_series;
mod sides;
mod standing;

#[cfg(test)]
mod tests;

pub use event::*;
pub use map_of_series::MapOfSeries;
pub use membership::tournament_named;
pub(crate) use sides::Sides;
pub use standing::{Standing, StandingTeam};
pub use state::*;
