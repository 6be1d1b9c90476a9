//! `GET /api/v1/ws`: the WebSocket encoding of delivery.
//!
//! One task for each connection listens to the client, and pulls and writes for as long as no crowd
//! of the [hub](crate::hub) does so in its place. While a write waits for the client nothing is read, so
//! whoever sends without reading stalls only himself; a client that stalls too long, or falls too far
//! behind, is closed with 1013.

mod line;
mod message;
pub(crate) mod packet;
mod session;
mod wire;

use std::{io, sync::Arc};

use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Response, header},
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use yawc::{DeflatePool, IncomingUpgrade, Options, Role, WebSocket};

pub(crate) use self::wire::{Ticket, Wire};
use self::{line::Line, session::Session};
use crate::{
    app::App,
    problem::{Code, Problem},
    query::Params,
    serve::{Slot, Stall},
};

/// The subprotocol of the frames.
const PROTOCOL: &str = "matchwire.v1.json";
/// What the system holds for a client that does not read, in bytes; it takes twice as much.
const SEND_BYTES: usize = 128 << 10;

pub(crate) async fn upgrade(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    Params::parse(request.uri(), &[])?;
    let has_protocol = offers_protocol(request.headers())?;
    let slot = request.extensions().get::<Slot>().cloned();
    let upgraded = request.extensions().get::<OnUpgrade>().cloned();
    let (mut head, _) = request.into_parts();
    let wrong = || Problem::new(Code::BadRequest, "this is a WebSocket: upgrade with version 13");
    let upgrade = IncomingUpgrade::from_request_parts(&mut head, &()).await.map_err(|_| wrong())?;
    let upgraded = upgraded.ok_or_else(wrong)?;
    // The library agrees on how to speak; the socket is ours.
    let (response, _) = upgrade.upgrade(options(&app)).map_err(|error| {
        Problem::new(Code::BadRequest, format!("the WebSocket cannot be opened: {error}"))
    })?;
    let agreed = response.headers().get(header::SEC_WEBSOCKET_EXTENSIONS).cloned();
    let wants_small_window = has_small_window(&head.headers);
    tokio::spawn(async move {
        // The slot counts the connection for as long as it lives.
        let _slot = slot;
        let opened = open(&app, upgraded, agreed.as_ref(), wants_small_window);
        match opened.await {
            Ok((wire, socket)) => Session::new(app, wire, socket).run().await,
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

/// Takes the socket over from HTTP once the answer has gone out.
async fn open(
    app: &App,
    upgraded: OnUpgrade,
    agreed: Option<&HeaderValue>,
    wants_small_window: bool,
) -> io::Result<(Arc<Wire>, WebSocket<Line>)> {
    let upgraded = upgraded.await.map_err(io::Error::other)?;
    let parts = upgraded.downcast::<TokioIo<Stall>>();
    let parts = parts.map_err(|_| io::Error::other("this is no socket of the server's"))?;
    let stream = parts.io.into_inner().into_stream();
    // Else it grows to megabytes for each of those who do not read.
    rustix::net::sockopt::set_socket_send_buffer_size(&stream, SEND_BYTES)?;
    let agreed = agreed.and_then(|agreed| agreed.to_str().ok());
    let wire = Wire::new(stream, agreed.is_some() && !wants_small_window);
    let line = Line::new(wire.clone(), parts.read_buf);
    let socket = WebSocket::from_stream_with_extensions(line, Role::Server, agreed, options(app));
    Ok((wire, socket.map_err(io::Error::other)?))
}

/// Whether the client cannot read what is compressed with the usual window; then nothing is.
fn has_small_window(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::SEC_WEBSOCKET_EXTENSIONS);
    let mut values = values.iter().filter_map(|value| value.to_str().ok());
    values.any(|value| value.contains("server_max_window_bits"))
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
    // little; what compresses is shared by all. The library only answers pings and closes.
    Options::default()
        .with_low_latency_compression()
        .server_no_context_takeover()
        .client_no_context_takeover()
        .with_deflate_pool(app.deflate.clone())
        .with_limits(app.limits.frame_bytes + 1, app.limits.frame_bytes + 1)
        .with_read_buffer_capacity(256)
        .with_write_buffer_capacity(64)
}

/// State for compression that is kept between messages: about one for each thread that works.
pub(crate) fn deflate_pool() -> DeflatePool {
    DeflatePool::new(16)
}
