//! The archive over a directory, and over S3 where a test names one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod callers;
mod damage;
mod harness;
mod round_trip;
mod s3;
mod trouble;
