//! `GET /api/v1/stream`: delivery as server-sent events.
//!
//! The data of an event is the same frame as on the WebSocket, its name the frame's type, its id
//! the cursor. Heartbeats are comments. The stream is pulled by the connection as the client takes
//! it; one that takes nothing for too long is dropped with its connection.

use std::{collections::VecDeque, convert::Infallible, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Response, header},
};
use bytes::Bytes;
use futures_util::stream;
use tokio::{
    sync::watch,
    time::{self, Duration, Interval},
};

use crate::{
    app::{App, going_away},
    close::Close,
    cursor::After,
    delivery::{Delivery, Kind, Out, Place, Refusal, Views},
    metrics::Open,
    problem::{Code, Problem},
    query::{Params, wrong},
    serve::Slot,
    topic::Topic,
};

/// How long a client should wait before it comes back, in milliseconds.
const RETRY_MS: u32 = 2_000;
/// The header in which a client that comes back says where it was.
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const HEARTBEAT: &[u8] = b": heartbeat\n\n";
/// How often new maps of a match are looked for.
const LOOK: Duration = Duration::from_millis(250);

pub(crate) async fn stream(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(request.uri(), &["topic", "after", "views"])?;
    let topic = params.get("topic").ok_or_else(|| wrong("topic is missing"))?;
    let topic = Topic::parse(topic).map_err(wrong)?;
    let after = after(&request, &params)?.unwrap_or(After::Snapshot);
    let views = views(&params)?;
    let mut delivery = Delivery::new(app.clone());
    delivery.subscribe(topic, after, views).await.map_err(problem)?;
    Ok(respond(app, delivery, "sse", &request))
}

/// Where the reader is; `None` if it does not say.
pub(crate) fn after(request: &Request, params: &Params) -> Result<Option<After>, Problem> {
    // A client that comes back says where it was, and its URL is still that of the first time.
    let last = request.headers().get(LAST_EVENT_ID).map(HeaderValue::to_str);
    let after = match last.transpose() {
        Ok(last) => last.or(params.get("after")),
        Err(_) => return Err(wrong("Last-Event-ID must be a cursor")),
    };
    let wrong = || wrong("after must be a seq or a cursor");
    after.map(|after| After::parse(after).ok_or_else(wrong)).transpose()
}

/// What the reader wants to see.
pub(crate) fn views(params: &Params) -> Result<Views, Problem> {
    let views = params.get("views").map_or(Ok(Views::ALL), |views| Views::parse(views.split(',')));
    views.map_err(wrong)
}

/// The answer that goes on for as long as the delivery does, as an open connection of a kind.
pub(crate) fn respond(
    app: Arc<App>,
    delivery: Delivery,
    kind: &'static str,
    request: &Request,
) -> Response<Body> {
    let period = app.limits.heartbeat;
    let reader = Reader {
        closing: app.closing.subscribe(),
        heartbeat: time::interval_at(time::Instant::now() + period, period),
        first: VecDeque::from([Bytes::from(format!("retry: {RETRY_MS}\n\n"))]),
        unmeasured: (Vec::new(), true),
        close: Close::Done,
        has_ended: false,
        _open: app.meter.open(kind),
        _slot: request.extensions().get::<Slot>().cloned(),
        app,
        delivery,
    };
    let chunks = stream::unfold(reader, |mut reader| async move {
        let chunk = reader.next().await?;
        Some((Ok::<_, Infallible>(chunk), reader))
    });
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that hold answers back would hold these back for ever.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Why nothing can be followed.
pub(crate) fn problem(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Cursor => wrong("after is no cursor of this topic"),
        Refusal::TooMany => Problem::new(Code::Busy, "the topic has too many streams"),
        Refusal::Log(error) => error.into(),
    }
}

struct Reader {
    app: Arc<App>,
    delivery: Delivery,
    closing: watch::Receiver<bool>,
    heartbeat: Interval,
    first: VecDeque<Bytes>,
    /// What the last chunk held, and whether it was live; it is sent when the connection asks for the next
    /// one.
    unmeasured: (Vec<Out>, bool),
    close: Close,
    /// Whether the end was told.
    has_ended: bool,
    _open: Open,
    _slot: Option<Slot>,
}

impl Reader {
    async fn next(&mut self) -> Option<Bytes> {
        let (batch, is_live) = std::mem::take(&mut self.unmeasured);
        self.app.meter.delivered(&batch, 1, is_live);
        if self.close == Close::Away {
            return None;
        }
        if let Some(first) = self.first.pop_front() {
            return Some(first);
        }
        loop {
            if self.delivery.lags() {
                self.close = Close::TooSlow;
                return None;
            }
            // Whoever missed much takes turns with others.
            let turn =
                if self.delivery.needs_turn() { self.app.turns.acquire().await.ok() } else { None };
            let Ok(batch) = self.delivery.pull().await else {
                self.close = Close::Internal;
                return None;
            };
            if !batch.is_empty() {
                let chunk = encode(&batch);
                self.has_ended = batch.iter().any(|out| out.kind == Kind::End);
                self.unmeasured = (batch, turn.is_none());
                return Some(chunk);
            }
            if self.delivery.is_over() {
                self.close = if self.has_ended { Close::Done } else { Close::Internal };
                return None;
            }
            let follows_matches = self.delivery.follows_matches();
            tokio::select! {
                biased;
                () = going_away(&mut self.closing), if self.close != Close::Away => {
                    self.close = Close::Away;
                    let retry = self.app.comeback.next(&self.app.limits).as_millis();
                    return Some(format!("retry: {retry}\n\n").into());
                }
                () = self.delivery.bell().notified() => {}
                _ = self.heartbeat.tick() => return Some(Bytes::from_static(HEARTBEAT)),
                () = time::sleep(LOOK), if follows_matches => {}
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.app.meter.closed(self.close);
        if self.close == Close::TooSlow {
            self.app.meter.dropped(self.delivery.behind());
        }
    }
}

fn encode(batch: &[Out]) -> Bytes {
    let mut chunk = Vec::with_capacity(batch.iter().map(|out| out.text.len() + 64).sum());
    for Out { kind, text, place, event } in batch {
        if *kind == Kind::Heartbeat {
            chunk.extend_from_slice(HEARTBEAT);
            continue;
        }
        let cursor = match place {
            Place::Same => None,
            Place::Event => event.as_ref().map(|event| event.cursor()),
            Place::Cursor(cursor) => Some(cursor.as_bytes()),
        };
        if let Some(cursor) = cursor {
            chunk.extend_from_slice(b"id: ");
            chunk.extend_from_slice(cursor);
            chunk.push(b'\n');
        }
        chunk.extend_from_slice(b"event: ");
        chunk.extend_from_slice(kind.as_str().as_bytes());
        // Stored JSON may have line breaks between its tokens; the reader joins the lines again.
        for line in text.split(|b| matches!(b, b'\n' | b'\r')) {
            chunk.extend_from_slice(b"\ndata: ");
            chunk.extend_from_slice(line);
        }
        chunk.extend_from_slice(b"\n\n");
    }
    chunk.into()
}
