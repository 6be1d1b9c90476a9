//! `GET /api/v1/stream`: delivery as server-sent events.
//!
//! The data of an event is the same frame as on the WebSocket, its name the frame's type, its id
//! the cursor. Heartbeats are comments. The stream is pulled by the connection as the client takes
//! it; one that takes nothing for too long is dropped with its connection.

use std::{collections::VecDeque, convert::Infallible, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Response, header},
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
    delivery::{Delivery, Out, Place, Refusal, Views},
    metrics::Open,
    problem::{Code, Problem},
    query::{Params, wrong},
    serve::Slot,
    topic::Topic,
};

/// How long a client should wait before it comes back, in milliseconds.
const RETRY_MS: u32 = 2_000;
/// How many events a follower is given without a turn.
const AT_ONCE: u64 = 64;
/// How often new maps of a match are looked for.
const LOOK: Duration = Duration::from_millis(250);

pub(crate) async fn stream(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(request.uri(), &["topic", "after", "views"])?;
    let topic = params.get("topic").ok_or_else(|| wrong("topic is missing"))?;
    let topic = Topic::parse(topic).map_err(wrong)?;
    // A client that comes back says where it was, and its URL is still that of the first time.
    let last = request.headers().get("last-event-id").map(HeaderValue::to_str);
    let after = match last.transpose() {
        Ok(last) => last.or(params.get("after")),
        Err(_) => return Err(wrong("Last-Event-ID must be a cursor")),
    };
    let after = after.map_or(Some(After::Snapshot), After::parse);
    let after = after.ok_or_else(|| wrong("after must be a seq or a cursor"))?;
    let views = params.get("views").map_or(Ok(Views::ALL), |views| Views::parse(views.split(',')));
    let mut delivery = Delivery::new(app.clone());
    delivery.subscribe(topic, after, views.map_err(wrong)?).await.map_err(problem)?;
    let period = app.limits.heartbeat;
    let reader = Reader {
        closing: app.closing.subscribe(),
        heartbeat: time::interval_at(time::Instant::now() + period, period),
        first: VecDeque::from([Bytes::from(format!("retry: {RETRY_MS}\n\n"))]),
        unmeasured: Vec::new(),
        close: Close::Done,
        _open: app.meter.open("sse"),
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
    Ok(response)
}

fn problem(refusal: Refusal) -> Problem {
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
    /// What the last chunk held; it is sent when the connection asks for the next one.
    unmeasured: Vec<Out>,
    close: Close,
    _open: Open,
    _slot: Option<Slot>,
}

impl Reader {
    async fn next(&mut self) -> Option<Bytes> {
        for Out { kind, event, .. } in self.unmeasured.drain(..) {
            self.app.meter.sent(kind.as_str(), event.as_deref());
        }
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
            let _turn = match self.delivery.behind() {
                0..=AT_ONCE => None,
                _ => self.app.turns.acquire().await.ok(),
            };
            let Ok(batch) = self.delivery.pull().await else {
                self.close = Close::Internal;
                return None;
            };
            if !batch.is_empty() {
                let chunk = encode(&batch);
                self.unmeasured = batch;
                return Some(chunk);
            }
            if self.delivery.is_over() {
                self.close = Close::Internal;
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
                _ = self.heartbeat.tick() => return Some(Bytes::from_static(b": heartbeat\n\n")),
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
