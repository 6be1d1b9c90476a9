//! Other systems' formats, turned into Matchwire's events.
//!
//! ```text
//! post ──► Source::read ──► drafts of events
//!             ▲   │
//!          Carry  └──► Carry (stored in the reader's own stream)
//! ```
//!
//! Everything here is pure: bytes and what was carried from before go in, events and what is
//! carried on come out. Storing either is the caller's business.

mod source;

mod draft;

mod roster;
mod series;

pub mod cs_log;
pub mod cs_rows;
pub mod gsi;
pub mod matchzy;

pub mod statsbomb;

pub mod history;

pub use draft::Draft;
pub use source::{Answer, Headers, Post, Refused, Source};
