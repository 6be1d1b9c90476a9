//! What every request passes on its way in and every response on its way out: ids, access, and
//! the form of problems; nothing of a request is left unread when its answer goes out.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Response, StatusCode, Version, header},
    response::IntoResponse,
};
use tower::ServiceExt as _;

use crate::{
    access::{Reader, Right},
    app::App,
    leftover::Leftover,
    problem::{Code, Problem},
    trace::{REQUEST_ID, Trace},
};

/// What counts events, or scores predictions, as they come.
const OBSERVED: [&str; 4] =
    ["/metrics", "/api/v1/status", "/api/v1/calibration", "/api/v1/upstreams"];

/// What is the operator's.
const OPERATED: [&str; 2] = ["/api/v1/dead-letters", "/api/v1/imports"];

/// What is counted of players tells who has won at once.
const COUNTED: [&str; 4] =
    ["/api/v1/players/", "/api/v1/leaderboards/", "/api/v1/me/export", "/api/v1/exports/"];

/// Who is at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// The way to the handlers.
#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) app: Arc<App>,
    /// What serves the operator.
    pub(crate) router: Router,
    /// What serves all others who see everything at once.
    pub(crate) public: Router,
    /// By the place of its audience, what serves a delayed one.
    pub(crate) audiences: Arc<[Option<Router>]>,
}

impl Front {
    fn router(&self, reader: Reader) -> Router {
        let delayed = reader.audience.and_then(|place| self.audiences.get(place)?.as_ref());
        let at_once = if reader.is_operator { &self.router } else { &self.public };
        delayed.unwrap_or(at_once).clone()
    }
}

/// What every request passes.
pub(crate) async fn pass(State(front): State<Front>, request: Request) -> Response<Body> {
    let app = &front.app;
    app.meter.requested();
    let trace = Trace::of(request.headers());
    let is_head = request.method() == axum::http::Method::HEAD;
    let is_personal = request.headers().contains_key(header::AUTHORIZATION);
    let (request, leftover) = Leftover::of(request);
    let mut response = match admit(app, &request) {
        Ok(reader) => {
            let router = front.router(reader);
            router.oneshot(request).await.unwrap_or_else(|never| match never {})
        }
        Err(problem) => problem.into_response(),
    };
    if response.status().is_client_error() || response.status().is_server_error() {
        response = as_problem(response, &trace);
        if is_head {
            *response.body_mut() = Body::empty();
        }
    }
    // A body that came too slowly is waited for no longer.
    let is_over =
        matches!(response.status(), StatusCode::SWITCHING_PROTOCOLS | StatusCode::REQUEST_TIMEOUT);
    let is_whole = is_over || leftover.discard(app).await;
    let headers = response.headers_mut();
    if !is_whole {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let is_for_some = is_personal || !app.access.audiences.is_empty();
    if is_for_some && !headers.contains_key(header::CACHE_CONTROL) {
        // What one audience or person is told, no cache may tell another one.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
    }
    headers.insert(REQUEST_ID, trace.request_id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Lets a request in, and tells as whom its client reads.
fn admit(app: &App, request: &Request) -> Result<Reader, Problem> {
    let Some(Peer(peer)) = request.extensions().get::<Peer>() else {
        return Err(Problem::new(Code::Forbidden, "the peer's address is not known"));
    };
    let hosts = request.headers().get_all(header::HOST).iter().count();
    // HTTP/1.0 may do without.
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        return Err(Problem::new(Code::BadRequest, "a request must have one Host header"));
    }
    let path = request.uri().path();
    let is_post = request.method() == axum::http::Method::POST;
    let right = match path {
        "/healthz" | "/readyz" => Right::Health,
        _ if OPERATED.iter().any(|start| path.starts_with(start)) => Right::Operate,
        _ if path.starts_with("/api/v1/players/") && (is_post || path.ends_with("/export")) => {
            Right::Operate
        }
        // A person decides about themselves, wherever they may read.
        "/api/v1/me/erase" => Right::Read,
        _ if OBSERVED.contains(&path) || COUNTED.iter().any(|start| path.starts_with(start)) => {
            Right::Observe
        }
        _ if is_post => Right::Ingest,
        _ => Right::Read,
    };
    let reader = app.access.check(right, peer.ip(), request.method(), request.headers())?;
    if let Some(audience) = reader.audience.and_then(|place| app.access.audiences.get(place)) {
        app.meter.asked(&audience.name);
    }
    Ok(reader)
}

/// Gives a failed response the form of a problem, unless it already has a body of the contract's.
fn as_problem(mut response: Response<Body>, trace: &Trace) -> Response<Body> {
    let problem = response.extensions_mut().remove::<Problem>();
    if problem.is_none() && response.headers().get(header::CONTENT_TYPE).is_some_and(is_json) {
        return response;
    }
    let problem = problem.unwrap_or_else(|| Problem::of(response.status()));
    let mut rendered = problem.render(&trace.trace_id);
    if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
        rendered.headers_mut().insert(header::ALLOW, allow);
    }
    rendered
}

fn is_json(value: &HeaderValue) -> bool {
    value == "application/json"
}
