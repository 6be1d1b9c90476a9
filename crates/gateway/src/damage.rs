//! Damage of the log: told to the operator once for each place, and to whoever asks how the server
//! is. What is damaged, the medium knows.

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

/// Tells where the log is damaged now.
pub type DamageWatch = Arc<dyn Fn() -> Vec<Damage> + Send + Sync>;

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
