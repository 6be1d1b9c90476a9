//! The vault: who people are, in files beside the log that can be destroyed.
//!
//! ```text
//!   account ─► people ─► player id, public id, keys ─► sealed names in events
//!                ▲
//!   erase ─► erasures (a ledger) ─► replayed at every opening
//! ```
//!
//! The log names people by player ids alone, and their names and texts stand in it sealed with keys that are kept here, one
//! for each person and purpose. Whoever destroys the exchange and the keys of a person has made everything of that person
//! unreadable, in every copy of the log. That somebody was erased stands in a ledger, so that a vault that comes back from
//! an older back-up forgets them again before it is used.
//!
//! What is never done here: to decide who may see what, which `rights` in the crate of the players does.

mod erasures;
mod file_key;
pub mod files;
pub mod hex;
mod people;
mod public_id;
mod sealing;
#[cfg(test)]
mod tests;
mod vault;

pub use erasures::{Erasure, LEDGER};
pub use file_key::{FileKey, LETTER_KEY, READER_KEY};
pub use people::{PEOPLE, next_player, nobody};
pub use public_id::is_public;
pub use sealing::{Identity, Purpose};
pub use vault::{Vault, is_given_here};
