//! What the log takes on the disk, and where it is damaged: told to whoever asks how the server is,
//! and damage to the operator once for each place. What there is, the medium knows.

use std::{collections::BTreeSet, sync::Arc};

use matchwire_log::Error;
use parking_lot::Mutex;

/// Where the log is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: String,
    /// Where in the file, in bytes.
    pub offset: u64,
    /// What is wrong there.
    pub what: String,
}

/// How the log is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Storage {
    /// Where it is damaged.
    pub damage: Vec<Damage>,
    /// What the work on its files fails of now: sealing, merging, trimming, archiving.
    pub failures: Vec<String>,
    /// Its files, by kind.
    pub files: Vec<Files>,
    /// Stored bytes of the events in sealed files, before they were compressed.
    pub stored_bytes: u64,
    /// Events of which retention has left no more than their identity.
    pub trimmed_events: u64,
    /// Events that are in the archive.
    pub archived_events: u64,
    /// Bytes of groups that were appended since the start.
    pub appended_bytes: u64,
    /// Bytes of sealed files that were written since the start.
    pub sealed_bytes: u64,
    /// Bytes that were read again since the start, to find damage.
    pub scrubbed_bytes: u64,
    /// What indexes, filters and decoded blocks of the log's files take in memory, in bytes.
    pub memory_bytes: u64,
}

/// Files of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Files {
    /// The kind: a label of metrics, `sealed`.
    pub kind: &'static str,
    /// How many.
    pub count: u64,
    /// Their sizes.
    pub bytes: u64,
}

/// Tells how the log is stored now.
pub type StorageWatch = Arc<dyn Fn() -> Storage + Send + Sync>;

/// How many places are remembered; behind them nothing more is told.
const MAX_PLACES: usize = 1_000;

/// The places that were told. Of the process, since errors turn into problems without an app.
static TOLD: Mutex<BTreeSet<(String, u64)>> = Mutex::new(BTreeSet::new());

/// Writes damage that a read has met into the server's own log, once for each place.
pub(crate) fn tell(error: &Error) {
    let Error::Corrupt { file, offset, .. } = error else { return };
    let mut told = TOLD.lock();
    if told.len() < MAX_PLACES && told.insert((file.clone(), *offset)) {
        tracing::error!(%error, "the log is damaged: reads that need this place fail");
    }
}
