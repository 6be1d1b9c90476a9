//! The binary as an operator runs it: real processes, real files, real HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod audiences;
mod backup;
mod crash;
mod dead_letters;
mod erase;
mod football;
mod history;
mod load;
mod log;
mod models;
mod old_age;
mod played;
mod posts;
mod process;
mod ratings;
mod reconcile;
mod recordings;
mod referee;
mod rough;
mod sources;
mod tail;
mod upstreams;
mod views;
