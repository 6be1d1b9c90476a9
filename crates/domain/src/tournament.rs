//! A tournament, `tournament/<tournament>`: what it is, who is entered, and how it ended for them.
//!
//! Its matches are streams of their own, whose `match.scheduled` names it.

mod deeds;
mod event;
mod state;

#[cfg(test)]
mod tests;

pub use event::*;
pub use state::*;
