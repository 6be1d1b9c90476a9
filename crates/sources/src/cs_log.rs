//! The log of a Counter-Strike server, CS2 or CS:GO, as `logaddress_add_http` posts it.
//!
//! ```text
//! post ──► Reader::read ──► lines at byte offsets ──► facts ──► drafts of events
//!             ▲   │
//!          Carry  └──► Carry (stored in the reader's own stream)
//! ```
//!
//! A line is at most one fact ([`parse_line`]); a block between `JSON_BEGIN` and `JSON_END` is one
//! too. What the reader must remember from post to post is its [`Carry`].

mod line;
mod mention;
mod parse;

mod block;

mod carry;
mod draft;
mod post;
mod reader;

#[cfg(test)]
mod tests;

pub use carry::Carry;
pub use draft::Draft;
pub use line::line_time;
pub use parse::{Parsed, parse_line};
pub use post::{Offsets, Post};
pub use reader::{Answer, Reader};
