//! `GET /api/v1/ws`: the WebSocket encoding of delivery.
//!
//! One task for each connection reads, pulls and writes. It writes a batch and flushes it once.
//! While a write waits for the client nothing is read, so whoever sends without reading stalls
//! only himself; a client that stalls too long, or falls too far behind, is closed with 1013.

mod message;
mod session;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Response, header},
};
use yawc::{DeflatePool, IncomingUpgrade, Options};

use self::session::Session;
use crate::{
    app::App,
    problem::{Code, Problem},
    query::Params,
    serve::Slot,
};

/// The subprotocol of the frames.
const PROTOCOL: &str = "matchwire.v1.json";
/// Frames of at least so many bytes are compressed where the client offers it.
const COMPRESS_BYTES: usize = 1_025;
/// What is written to the socket at once, in bytes, before it must take something.
const WRITE_BYTES: usize = 64 << 10;

pub(crate) async fn upgrade(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    Params::parse(request.uri(), &[])?;
    let has_protocol = offers_protocol(request.headers())?;
    let slot = request.extensions().get::<Slot>().cloned();
    let (mut head, _) = request.into_parts();
    let upgrade = IncomingUpgrade::from_request_parts(&mut head, &()).await.map_err(|_| {
        Problem::new(Code::BadRequest, "this is a WebSocket: upgrade with version 13")
    })?;
    let (response, socket) = upgrade.upgrade(options(&app)).map_err(|error| {
        Problem::new(Code::BadRequest, format!("the WebSocket cannot be opened: {error}"))
    })?;
    tokio::spawn(async move {
        // The slot counts the connection for as long as it lives.
        let _slot = slot;
        match socket.await {
            Ok(socket) => Session::new(app, socket).run().await,
            Err(error) => tracing::debug!(%error, "a WebSocket was not opened"),
        }
    });
    let mut response = response.map(|_| Body::empty());
    if has_protocol {
        let protocol = HeaderValue::from_static(PROTOCOL);
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    Ok(response)
}

/// Whether the client offers our protocol. One that offers only others is refused; one that
/// offers none is served.
fn offers_protocol(headers: &HeaderMap) -> Result<bool, Problem> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let mut offered = values.iter().filter_map(|value| value.to_str().ok()).peekable();
    if offered.peek().is_none() {
        return Ok(false);
    }
    if offered.flat_map(|value| value.split(',')).any(|name| name.trim() == PROTOCOL) {
        return Ok(true);
    }
    Err(Problem::new(Code::BadRequest, format!("the subprotocol must be {PROTOCOL}")))
}

fn options(app: &App) -> Options {
    // No context is kept between messages, in either direction, so that an idle connection costs
    // little; what compresses is shared by all.
    Options::default()
        .with_low_latency_compression()
        .server_no_context_takeover()
        .client_no_context_takeover()
        .with_deflate_pool(app.deflate.clone())
        .with_compression_threshold(COMPRESS_BYTES)
        .with_limits(app.limits.frame_bytes + 1, app.limits.frame_bytes + 1)
        .with_read_buffer_capacity(1 << 10)
        .with_write_buffer_capacity(4 << 10)
        .with_backpressure_boundary(WRITE_BYTES)
}

/// State for compression that is kept between messages: about one for each thread that works.
pub(crate) fn deflate_pool() -> DeflatePool {
    DeflatePool::new(16)
}
