//! A player, `player/<player>`: friends, what they have consented to, and who may see what of them.
//!
//! What a player has done is told by matches and tournaments; see [`crate::activity`]. Names are no part
//! of this stream yet.

mod event;
mod state;

#[cfg(test)]
mod tests;

pub use event::*;
pub use state::*;
