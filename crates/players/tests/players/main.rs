//! Players' statistics and ratings over the events of whole tournaments.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, reads a seed and recordings"
)]

mod corrections;
mod reconcile;
mod recordings;
mod view;
mod world;
