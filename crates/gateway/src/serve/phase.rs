//! Where a connection is between its requests, so that a peer may keep it for a while but must not
//! be long about a head that it has begun.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

/// What the next byte from the peer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The head of a request.
    Head,
    /// A request that is being served, or whatever follows an upgrade.
    Busy,
    /// Nothing yet: the last request is answered.
    Idle,
}

/// The phase, as the number of phases that went before; they come in turn. The number tells two
/// phases of a kind apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Phase(Arc<AtomicU64>);

impl Phase {
    pub(super) fn now(&self) -> (u64, Kind) {
        let number = self.0.load(Ordering::Relaxed);
        let kind = match number % 3 {
            0 => Kind::Head,
            1 => Kind::Busy,
            _ => Kind::Idle,
        };
        (number, kind)
    }

    /// Goes on to the next phase of a kind.
    pub(super) fn enter(&self, kind: Kind) {
        // All of a connection is done by one task at a time.
        while {
            self.0.fetch_add(1, Ordering::Relaxed);
            self.now().1 != kind
        } {}
    }

    /// Makes the connection idle once the response has gone out; after an upgrade it never is.
    pub(super) fn until_sent(self, response: Response<Body>) -> Response<Body> {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return response;
        }
        response.map(|body| Body::new(Sending { body, phase: self }))
    }
}

/// The body of a response; when it is dropped, it is sent.
struct Sending {
    body: Body,
    phase: Phase,
}

impl hyper::body::Body for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.phase.enter(Kind::Idle);
    }
}
