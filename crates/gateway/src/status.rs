//! How the server is: health, readiness, metrics, and the figures that the console shows.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, Response, header},
};
use serde_json::{Value, json};

use crate::{
    app::App,
    problem::{Code, Problem},
    query::Params,
};

/// It lives.
pub(crate) async fn healthz() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// It takes traffic.
pub(crate) async fn readyz(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    if *app.closing.borrow() {
        return Err(Problem::new(Code::Busy, "the server is going away"));
    }
    Ok(Json(json!({"status": "ready"})))
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
    let mut status = app.meter.status();
    if let Value::Object(status) = &mut status {
        status.insert("uptime_s".into(), app.started.elapsed().as_secs().into());
        status.insert("durability".into(), app.live.log().durability().as_str().into());
    }
    Ok(Json(status))
}
