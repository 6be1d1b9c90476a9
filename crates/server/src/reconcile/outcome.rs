//! How the last comparisons came out, beside the views: like those it may be deleted, and with it goes no more than what was
//! measured.

use std::{fs, path::Path, time::Duration};

use anyhow::Context as _;
use matchwire_domain::timestamp::Timestamp;
use matchwire_gateway::Reconciled;
use matchwire_log::{Clock as _, SystemClock};
use matchwire_players::view::reconcile::Report;
use serde::{Deserialize, Serialize};

/// The file, among those of the views.
const NAME: &str = "reconcile.json";

/// What is remembered of the last comparisons.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Outcome {
    /// When the last one came to its end.
    succeeded: Option<Timestamp>,
    took_ms: u64,
    players: u64,
    drifted_players: u64,
    sources: u64,
    drifted_sources: u64,
    partial_sources: u64,
    unsettled_sources: u64,
    stray_rows: u64,
    /// How many did not, of those that the server has begun.
    failures: u64,
    /// Whether the last one did not.
    is_failed: bool,
    /// Whether somebody was told that something is wrong, and not yet that it is well again.
    pub(super) is_told: bool,
}

impl Outcome {
    /// What a data directory has; nothing that was ever compared, if it has none that can be read.
    pub(super) fn of(data: &Path) -> Self {
        let text = fs::read_to_string(data.join("views").join(NAME)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// The same, once another comparison has come to its end.
    pub(super) fn succeeded(self, report: &Report, took: Duration) -> Self {
        Self {
            succeeded: Some(SystemClock.now()),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            players: report.players,
            drifted_players: report.drifted_players,
            sources: report.sources,
            drifted_sources: report.drifted_sources,
            partial_sources: report.partial_sources,
            unsettled_sources: report.unsettled_sources,
            stray_rows: report.stray_rows,
            is_failed: false,
            ..self
        }
    }

    /// The same, once another comparison has failed.
    pub(super) fn failed(self) -> Self {
        Self { failures: self.failures + 1, is_failed: true, ..self }
    }

    /// Writes it in the place of what was there.
    pub(super) fn store(&self, data: &Path) -> anyhow::Result<()> {
        let folder = data.join("views");
        // Of the process, as there may be two.
        let new = folder.join(format!("{NAME}.{}", std::process::id()));
        let write = || {
            fs::write(&new, serde_json::to_string(self)?)?;
            fs::rename(&new, folder.join(NAME))?;
            anyhow::Ok(())
        };
        write().with_context(|| format!("cannot write {}", folder.join(NAME).display()))
    }

    /// For metrics, of a server that compares once a day or not.
    pub(super) fn measured(&self, is_daily: bool) -> Reconciled {
        Reconciled {
            succeeded: self.succeeded,
            took: Duration::from_millis(self.took_ms),
            players: self.players,
            drifted_players: self.drifted_players,
            sources: self.sources,
            drifted_sources: self.drifted_sources,
            partial_sources: self.partial_sources,
            unsettled_sources: self.unsettled_sources,
            stray_rows: self.stray_rows,
            is_daily,
            failures: self.failures,
            is_failed: self.is_failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_outlives_the_process_and_a_failure() {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(data.path().join("views")).unwrap();
        assert_eq!(Outcome::of(data.path()), Outcome::default());
        let report =
            Report { players: 100, drifted_players: 2, stray_rows: 3, ..Report::default() };
        let took = Duration::from_secs(7);
        let good = Outcome::default().succeeded(&report, took);
        good.clone().failed().store(data.path()).unwrap();
        let measured = Outcome::of(data.path()).measured(true);
        assert_eq!((measured.succeeded, measured.took), (good.succeeded, took));
        assert_eq!((measured.players, measured.drifted_players), (100, 2));
        assert_eq!((measured.stray_rows, measured.is_daily), (3, true));
        assert_eq!((measured.failures, measured.is_failed), (1, true));
        let again = Outcome::of(data.path()).succeeded(&Report::default(), took).measured(false);
        assert_eq!((again.failures, again.is_failed, again.drifted_players), (1, false, 0));
        fs::write(data.path().join("views").join(NAME), "{").unwrap();
        assert_eq!(Outcome::of(data.path()), Outcome::default());
    }
}
