//! Back-ups of real logs in real directories, and of one in S3 where there is a server for that.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod harness;

mod beside;
mod broken;
mod dark;
mod in_time;
mod refused;
mod s3;
mod vault;
