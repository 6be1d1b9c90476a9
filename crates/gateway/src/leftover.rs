//! What a handler leaves of a request's body: it is read and thrown away before the answer goes
//! out.
//!
//! A connection that is closed while the peer still sends is reset, and the answer is lost with
//! it; and on one that is kept, the rest of the body would be taken for the next request.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    body::Body,
    http::{HeaderMap, Request, header},
};
use bytes::Bytes;
use hyper::body::{Body as _, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time;

use crate::app::{App, going_away};

/// A body that outlives the handler that it was given to.
#[derive(Clone)]
struct Shared(Arc<Mutex<Inner>>);

struct Inner {
    body: Body,
    /// Whether anything of it was asked for.
    has_begun: bool,
    /// Whether there is nothing left, be it for an error.
    has_ended: bool,
}

impl Shared {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut inner = self.0.lock();
        if inner.has_ended {
            return Poll::Ready(None);
        }
        inner.has_begun = true;
        let frame = ready!(Pin::new(&mut inner.body).poll_frame(cx));
        inner.has_ended = !matches!(frame, Some(Ok(_)));
        Poll::Ready(frame)
    }
}

impl hyper::body::Body for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.poll(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().body.size_hint()
    }
}

/// What is left of a body once its handler has answered.
pub(crate) struct Leftover {
    /// `None` if the request has no body.
    body: Option<Shared>,
    /// Whether the peer waits to be told that it may send.
    waits: bool,
}

impl Leftover {
    /// Keeps hold of the body of a request that a handler is to be given.
    pub(crate) fn of(mut request: Request<Body>) -> (Request<Body>, Self) {
        let waits = expects_continue(request.headers());
        if request.body().is_end_stream() {
            return (request, Self { body: None, waits });
        }
        let body = std::mem::take(request.body_mut());
        let inner = Inner { body, has_begun: false, has_ended: false };
        let shared = Shared(Arc::new(Mutex::new(inner)));
        *request.body_mut() = Body::new(shared.clone());
        (request, Self { body: Some(shared), waits })
    }

    /// Throws away what is left, within the limits of a body; `false` if there is still more, so
    /// that the connection can serve nothing else.
    pub(crate) async fn discard(self, app: &App) -> bool {
        let Some(body) = self.body else { return true };
        let (has_begun, has_ended) = {
            let inner = body.0.lock();
            (inner.has_begun, inner.has_ended)
        };
        if has_ended {
            return true;
        }
        // Who asks first is spared the sending: it reads the answer instead.
        if self.waits && !has_begun {
            return false;
        }
        let mut closing = app.closing.subscribe();
        tokio::select! {
            biased;
            done = time::timeout(app.limits.body, read(app, &body)) => done.unwrap_or(false),
            () = going_away(&mut closing) => false,
        }
    }
}

/// Reads to the end; `false` if that is too far away.
async fn read(app: &App, body: &Shared) -> bool {
    let mut size = 0;
    loop {
        let frame = time::timeout(app.limits.body_idle, poll_fn(|cx| body.poll(cx)));
        match frame.await {
            Err(_) => return false,
            Ok(None | Some(Err(_))) => return true,
            Ok(Some(Ok(frame))) => size += frame.data_ref().map_or(0, Bytes::len),
        }
        if size > app.limits.leftover_bytes {
            return false;
        }
    }
}

fn expects_continue(headers: &HeaderMap) -> bool {
    headers
        .get(header::EXPECT)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}
