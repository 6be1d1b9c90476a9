//! What every request passes on its way in and every response on its way out: ids, access, and
//! the form of problems; nothing of a request is left unread when its answer goes out.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Response, StatusCode, Version, header},
    middleware::Next,
    response::IntoResponse,
};

use crate::{
    access::Right,
    app::App,
    leftover::Leftover,
    problem::{Code, Problem},
    trace::{REQUEST_ID, Trace},
};

/// Who is at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// The layer around the whole router.
pub(crate) async fn pass(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let trace = Trace::of(request.headers());
    let is_head = request.method() == axum::http::Method::HEAD;
    let (request, leftover) = Leftover::of(request);
    let mut response = match admit(&app, &request) {
        Ok(()) => next.run(request).await,
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
    let is_whole = is_over || leftover.discard(&app).await;
    let headers = response.headers_mut();
    if !is_whole {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    headers.insert(REQUEST_ID, trace.request_id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn admit(app: &App, request: &Request) -> Result<(), Problem> {
    let Some(Peer(peer)) = request.extensions().get::<Peer>() else {
        return Err(Problem::new(Code::Forbidden, "the peer's address is not known"));
    };
    let hosts = request.headers().get_all(header::HOST).iter().count();
    // HTTP/1.0 may do without.
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        return Err(Problem::new(Code::BadRequest, "a request must have one Host header"));
    }
    let path = request.uri().path();
    let right = match path {
        "/healthz" | "/readyz" => Right::Health,
        _ if path.starts_with("/api/v1/dead-letters") => Right::Operate,
        _ if request.method() == axum::http::Method::POST => Right::Ingest,
        _ => Right::Read,
    };
    app.access.check(right, peer.ip(), request.method(), request.headers())
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
