//! The stored views that the gateway reads.

use std::time::Duration;

use matchwire_log::{
    projection::{Reader, Status, Unready},
    view_store::Snapshot,
};
use tokio::time;

use crate::{
    problem::{Code, Problem},
    reads::blocking,
};

/// How long a request waits for a view to see what was appended before it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The stored views. They are of the whole log: what one of them finds is looked up in the log as it is seen by
/// whoever asks, before anything of it is told.
pub struct Views {
    /// Which matches a tournament has been named by.
    pub tournaments: Reader,
    /// What players have done, and what is counted of it.
    pub players: Reader,
}

impl Views {
    /// How each of them is.
    pub(crate) fn statuses(&self) -> [Status; 2] {
        [self.tournaments.status(), self.players.status()]
    }
}

/// A view with all that was acknowledged before.
pub(crate) async fn current(reader: &Reader) -> Result<Box<dyn Snapshot>, Problem> {
    if time::timeout(PATIENCE, reader.catch_up()).await.is_err() {
        let Status { name, lag_groups, .. } = reader.status();
        let what = format!("the view {name} is {lag_groups} groups behind the log");
        return Err(Problem::new(Code::Busy, what));
    }
    let reader = reader.clone();
    blocking(move || reader.snapshot().map_err(Problem::from)).await
}

impl From<Unready> for Problem {
    fn from(error: Unready) -> Self {
        match error {
            Unready::Building { .. } => Self::new(Code::Busy, error.to_string()),
            Unready::Store(error) => error.into(),
        }
    }
}

impl From<matchwire_log::view_store::Error> for Problem {
    fn from(error: matchwire_log::view_store::Error) -> Self {
        // The view's own runner tells of it, too, and sees to it.
        tracing::warn!(%error, "a stored view cannot be read");
        Self::new(Code::Busy, "a view of the log cannot be read now; try again later")
    }
}
