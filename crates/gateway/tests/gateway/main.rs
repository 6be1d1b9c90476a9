//! The gateway from outside: real HTTP, WebSockets and server-sent events over loopback, on the
//! log in memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what is not as it should be fails the test"
)]

mod access;
mod audiences;
mod bad_input;
mod calibration;
mod corrections;
mod crowd;
mod damage;
mod delivery;
mod durability;
mod ending;
mod failover;
mod forgotten;
mod games;
mod harness;
mod imports;
mod ingest;
mod kept_posts;
mod letters;
mod lineage;
mod overload;
mod people;
mod play;
mod players;
mod polls;
mod predictor;
mod proof;
mod reads;
mod replays;
mod resume;
mod rigged;
mod rope;
mod sealing;
mod series;
mod setup;
mod slow;
mod strangers;
mod surface;
mod tournaments;
mod unread;
mod vault;
mod wide;
