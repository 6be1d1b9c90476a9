//! Real recordings, read in every way in which they may be posted, reach their known results.
//!
//! They are not part of the project: they are read from `../shared/recordings` beside it, or from
//! the folder that `MATCHWIRE_RECORDINGS` names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and reads its recordings"
)]

mod server;

mod cs_log;
mod gsi;
mod matchzy;
mod statistics;
mod statsbomb;

use std::path::{Path, PathBuf};

/// A recording, if it is there.
fn recording(name: &str) -> Option<Vec<u8>> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/recordings");
    let folder = std::env::var_os("MATCHWIRE_RECORDINGS").map_or(beside, PathBuf::from);
    let path = folder.join(name);
    let recording = std::fs::read(&path).ok();
    if recording.is_none() {
        let required = std::env::var_os("MATCHWIRE_RECORDINGS_REQUIRED").is_some();
        assert!(!required, "{} is not there", path.display());
        eprintln!("skipped: {} is not there", path.display());
    }
    recording
}
