//! What a list tells of a map, kept from one list to the next.

use std::{collections::HashMap, sync::Arc};

use matchwire_domain::subject::Subject;
use matchwire_log::{Error, live::Live};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use crate::problem::Problem;

/// How many summaries are kept.
const KEPT: usize = 10_000;
/// What of the state is in it.
const FIELDS: [&str; 10] = [
    "match",
    "map",
    "seq",
    "status",
    "phase",
    "map_name",
    "round",
    "teams",
    "winner",
    "prediction",
];

/// The summaries of maps, each as of the seq that it names.
#[derive(Default)]
pub(crate) struct Summaries(Mutex<HashMap<Subject, (u64, Arc<Value>)>>);

impl Summaries {
    /// The summary of a map, never behind the log. Of one that cannot be read, for damage of the log,
    /// or since it was trimmed or is in an archive that is away, it is what stands against it, so
    /// that a list has all others.
    pub(super) async fn of(&self, live: &Live, subject: &Subject) -> Result<Arc<Value>, Problem> {
        match self.read(live, subject).await {
            Err(error) if error.is_partial() => {
                Ok(Arc::new(json!({"error": Problem::from(error).members()})))
            }
            other => other.map_err(Problem::from),
        }
    }

    async fn read(&self, live: &Live, subject: &Subject) -> Result<Arc<Value>, Error> {
        let head = live.log().head(subject)?;
        if let Some((seq, summary)) = self.0.lock().get(subject)
            && *seq == head
        {
            return Ok(summary.clone());
        }
        let snapshot = live.state(subject).await?;
        let state = snapshot.value();
        let field = |name: &str| Some((name.to_owned(), state.get(name)?.clone()));
        let summary = FIELDS.into_iter().filter_map(field).collect::<Map<_, _>>();
        let summary = Arc::new(Value::Object(summary));
        let mut kept = self.0.lock();
        if kept.len() >= KEPT {
            // Any of them can be made again.
            kept.clear();
        }
        kept.insert(subject.clone(), (snapshot.seq, summary.clone()));
        Ok(summary)
    }
}
