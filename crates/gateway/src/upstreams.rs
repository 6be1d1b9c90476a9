//! How the upstreams are from which events are fetched: told to the operator.
//!
//! Who fetches is elsewhere, and hands what was fetched to the [`Inlet`](crate::Inlet).

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
};
use matchwire_domain::timestamp::Timestamp;
use serde_json::{Value, json};

use crate::{admission::Class, app::App, ingest::Taken, problem::Problem, query::Params};

/// An upstream as it is now.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Its name in the settings.
    pub name: String,
    /// How it is read: `poll`, `sse` or `websocket`.
    pub kind: &'static str,
    /// Where it is, without what may be secret.
    pub url: String,
    /// In which format it tells: `cloudevents`, or the name of a source.
    pub format: String,
    /// Its class.
    pub class: Class,
    /// How it stands.
    pub phase: Phase,
    /// Attempts that failed one after another; 0 after one that did not.
    pub failures: u32,
    /// All attempts that failed since the start.
    pub failed: u64,
    /// What the last one failed of, while they fail.
    pub error: Option<String>,
    /// When it answered last.
    pub answered: Option<Timestamp>,
    /// Where it is read from next, in its own words; as far as it told one.
    pub cursor: Option<String>,
    /// What became of what it told, since the start.
    pub taken: Taken,
}

/// How an upstream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It was not reached yet.
    Connecting,
    /// It answers.
    Connected,
    /// It waits, since this server has too much to do.
    Held,
    /// It failed, and is tried again soon.
    Failing,
    /// It failed so often that it is left alone for a while.
    Broken,
}

impl Phase {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Held => "held",
            Self::Failing => "failing",
            Self::Broken => "broken",
        }
    }
}

/// Tells how all upstreams are now, in the order of their names.
pub type UpstreamWatch = Arc<dyn Fn() -> Vec<Upstream> + Send + Sync>;

/// `GET /api/v1/upstreams`: all of them, since there are few.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    Params::parse(request.uri(), &[])?;
    let upstreams: Vec<Value> = (app.upstreams)().iter().map(Upstream::to_json).collect();
    Ok(Json(json!({"upstreams": upstreams})))
}

/// What an operator should see to.
pub(crate) fn reasons(app: &App) -> Vec<Value> {
    let upstreams = (app.upstreams)();
    let broken = upstreams.iter().filter(|upstream| upstream.phase == Phase::Broken);
    let reason = |upstream: &Upstream| {
        let detail = format!(
            "the upstream {} has failed {} times one after another: {}",
            upstream.name,
            upstream.failures,
            upstream.error.as_deref().unwrap_or("nobody knows why")
        );
        json!({"code": "upstream", "detail": detail})
    };
    broken.map(reason).collect()
}

impl Upstream {
    fn to_json(&self) -> Value {
        let Taken { appended, duplicate, unknown, rejected } = self.taken;
        let mut json = json!({
            "name": self.name,
            "kind": self.kind,
            "url": self.url,
            "format": self.format,
            "class": self.class.as_str(),
            "state": self.phase.as_str(),
            "failures": self.failures,
            "failed": self.failed,
            "events": {
                "appended": appended,
                "duplicate": duplicate,
                "unknown": unknown,
                "rejected": rejected,
            },
        });
        let known = [
            ("error", self.error.clone()),
            ("answered", self.answered.map(|time| time.to_string())),
            ("cursor", self.cursor.clone()),
        ];
        if let Value::Object(json) = &mut json {
            json.extend(known.into_iter().filter_map(|(key, it)| Some((key.into(), it?.into()))));
        }
        json
    }
}
