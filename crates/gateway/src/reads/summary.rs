//! What a list tells of a map, kept from one list to the next.

use std::{collections::HashMap, sync::Arc};

use matchwire_domain::{series::MapOfSeries, subject::Subject};
use matchwire_log::{Error, live::Live};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::{problem::Problem, topic};

/// How many summaries are kept.
const KEPT: usize = 10_000;
/// What of the state is in it.
const FIELDS: [&str; 14] = [
    "match",
    "map",
    "seq",
    "game",
    "status",
    "phase",
    "map_name",
    "round",
    "period",
    "clock",
    "shootout",
    "teams",
    "winner",
    "prediction",
];

/// What is kept of a map.
pub(crate) struct Kept {
    /// What a list tells of it.
    pub(super) summary: Value,
    /// What its match makes of it; `None` if it cannot be read.
    pub(super) map: Option<MapOfSeries>,
}

impl Kept {
    /// Whether the map is being played, as the state says it.
    pub(crate) fn status(&self) -> Option<&str> {
        self.summary.get("status")?.as_str()
    }
}

/// What is kept of maps, each as of the seq that it names.
#[derive(Default)]
pub(crate) struct Summaries(Mutex<HashMap<Subject, (u64, Arc<Kept>)>>);

impl Summaries {
    /// The summary of a map, never behind the log. Of one that cannot be read, for damage of the log,
    /// or since it was trimmed or is in an archive that is away, it is what stands against it, so
    /// that a list has all others.
    pub(crate) async fn of(&self, live: &Live, subject: &Subject) -> Result<Arc<Kept>, Problem> {
        match self.read(live, subject).await {
            Err(error) if error.is_partial() => {
                let summary = json!({"error": Problem::from(error).members()});
                Ok(Arc::new(Kept { summary, map: None }))
            }
            other => other.map_err(Problem::from),
        }
    }

    async fn read(&self, live: &Live, subject: &Subject) -> Result<Arc<Kept>, Error> {
        let head = live.log().head(subject)?;
        if let Some((seq, summary)) = self.0.lock().get(subject)
            && *seq == head
        {
            return Ok(summary.clone());
        }
        let snapshot = live.state(subject).await?;
        let state = snapshot.value();
        let field = |name: &str| Some((name.to_owned(), state.get(name)?.clone()));
        let summary = Value::Object(FIELDS.into_iter().filter_map(field).collect());
        let map = MapOfSeries::read(live.games(), topic::number(subject), snapshot.text());
        let summary = Arc::new(Kept { summary, map: Some(map) });
        // What is missing in it may come without another event.
        if snapshot.has_gaps {
            return Ok(summary);
        }
        let mut kept = self.0.lock();
        if kept.len() >= KEPT {
            // Any of them can be made again.
            kept.clear();
        }
        kept.insert(subject.clone(), (snapshot.seq, summary.clone()));
        Ok(summary)
    }
}
