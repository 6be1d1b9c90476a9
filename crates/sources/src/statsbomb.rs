//! StatsBomb's event data of a football match: the file of its events or of its line-ups, or single
//! events as they happen, a line each.
//!
//! An event of theirs is at most a few of ours ([`parse`]). Most of them, the passes, carries and
//! duels, tell nothing that a state has but who is in possession, and are counted as unknown. What
//! the reader must remember from post to post is its [`Carry`]: which team is which.
//!
//! The format is that of StatsBomb Open Data, events v4 and line-ups v2.

mod carry;
mod parse;
mod raw;
mod reader;

#[cfg(test)]
mod tests;

pub use carry::Carry;
pub use raw::event_time_ms;
pub use reader::{KICK_OFF_HEADER, StatsBomb};
