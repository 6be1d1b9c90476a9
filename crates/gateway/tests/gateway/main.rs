//! The gateway from outside: real HTTP, WebSockets and server-sent events over loopback, on the
//! log in memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what is not as it should be fails the test"
)]

mod access;
mod bad_input;
mod delivery;
mod ending;
mod harness;
mod ingest;
mod play;
mod reads;
mod resume;
mod slow;
mod surface;
mod unread;
