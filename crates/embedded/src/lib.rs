//! The embedded medium of the log: segment files with group commit.
//!
//! [`Segments`] is the medium. Its files and what recovery does are described in [`mod@format`] and
//! [`recovery`]; streams, numbers and duplicates are the business of `matchwire-log` above it.

pub mod disk;

pub mod format;
mod identity;
mod scan;
mod window;

mod index;
mod pages;

mod filter;
mod sealed;

mod catalog;
pub mod recovery;
mod segments;
mod writer;

mod verify;

pub use recovery::Recovery;
pub use segments::{Options, Segments};
pub use verify::{Verified, verify};

#[cfg(test)]
mod tests;
