//! How the server is: health, readiness, metrics, and the figures that the console shows.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, Response, header},
};
use matchwire_log::{Stats, live::Failure};
use serde_json::{Value, json};

use crate::{
    admission::Level,
    app::App,
    problem::{Code, Problem},
    query::Params,
    storage::Damage,
    upstreams,
};

/// A clock that is further behind the log than this is told of, in milliseconds.
const CLOCK_BEHIND_MS: u64 = 5_000;
/// How many places of damage are told of.
const MAX_PLACES: usize = 10;

/// It lives; and what an operator should see to, though it goes on.
pub(crate) async fn healthz(State(app): State<Arc<App>>) -> Json<Value> {
    let reasons = reasons(&app);
    if reasons.is_empty() {
        return Json(json!({"status": "ok"}));
    }
    Json(json!({"status": "degraded", "reasons": reasons}))
}

/// What an operator should see to.
fn reasons(app: &App) -> Vec<Value> {
    let storage = (app.storage)();
    let mut reasons: Vec<Value> = storage.damage.iter().take(MAX_PLACES).map(damaged).collect();
    for failure in &storage.failures {
        let detail =
            format!("the log's files cannot be kept in order, which is tried again: {failure}");
        reasons.push(json!({"code": "upkeep", "detail": detail}));
    }
    reasons.extend(upstreams::reasons(app));
    if app.letters.stats().is_full {
        let detail = "as many dead letters are open as may be, and new ones are lost; see to them \
                      with matchwire dead-letters";
        reasons.push(json!({"code": "dead_letters_full", "detail": detail}));
    }
    let admission = app.admission.state(app.log.backlog());
    if admission.level > Level::Open {
        let detail = format!(
            "more is sent than can be taken, and what matters less is given up, at level {} of 3",
            admission.level.number()
        );
        reasons.push(json!({"code": "overload", "detail": detail}));
    }
    let Stats { clock_behind_ms: behind_ms, is_full, .. } = app.log.stats();
    if is_full {
        let detail = "the log's storage is full: appends are refused, and reads go on; make space";
        reasons.push(json!({"code": "log_full", "detail": detail}));
    }
    if behind_ms > CLOCK_BEHIND_MS {
        let detail = format!(
            "the clock is {} s behind the last recordedtime; until it has caught up, every event \
             gets that same time",
            behind_ms / 1_000
        );
        reasons.push(json!({"code": "clock_behind", "detail": detail}));
    }
    reasons.extend(unpredicted(app));
    reasons
}

/// The models that fail and are left alone.
fn unpredicted(app: &App) -> impl Iterator<Item = Value> {
    let limit = app.live.guard().patience().limit;
    let open = app.live.guard().breakers().into_iter().filter(|(.., breaker)| !breaker.is_closed());
    open.map(move |(game, model, breaker)| {
        let why = match breaker.last {
            Some(Failure::Late) => format!("takes longer than {limit:?}"),
            Some(Failure::Invalid) => "answers what is no probability".into(),
            Some(Failure::Panic) | None => "panics".into(),
        };
        let detail = format!(
            "{model}, which predicts {game}, {why}; the last predictions are served as stale, and it is \
             tried again from time to time"
        );
        json!({"code": "predictor", "game": game, "model": model, "detail": detail})
    })
}

fn damaged(damage: &Damage) -> Value {
    let Damage { file, offset, what } = damage;
    json!({"code": "corrupt", "file": file, "offset": offset, "detail": what})
}

/// It takes traffic.
pub(crate) async fn readyz(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    if *app.closing.borrow() {
        return Err(Problem::new(Code::Busy, "the server is going away"));
    }
    // It takes traffic all the same; healthz says more.
    let is_degraded = unpredicted(&app).next().is_some();
    Ok(Json(json!({"status": if is_degraded { "degraded" } else { "ready" }})))
}

pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Response<String> {
    let mut response = Response::new(app.meter.text(&app));
    let text = "text/plain; version=0.0.4; charset=utf-8";
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(text));
    response
}

/// The latency of each stage over the last minute, counts and uptime.
pub(crate) async fn status(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    Params::parse(request.uri(), &[])?;
    let mut status = app.meter.status(app.sources.keys().copied());
    if let Value::Object(status) = &mut status {
        status.insert("uptime_s".into(), app.started.elapsed().as_secs().into());
        let letters = app.letters.stats();
        let letters = json!({"open": letters.open, "open_bytes": letters.open_bytes});
        status.insert("dead_letters".into(), letters);
        let log = &app.log;
        let admission = app.admission.state(log.backlog());
        status.insert("admission".into(), admission.to_json());
        status.insert("durability".into(), log.durability().as_str().into());
        status.insert("log_id".into(), log.id().into());
        status.insert("lineage".into(), log.lineage().current().into());
    }
    Ok(Json(status))
}
