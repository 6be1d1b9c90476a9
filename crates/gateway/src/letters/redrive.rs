//! `POST /api/v1/dead-letters/{seq}/redrive`: an event, or a post of a source, is tried again, as if it
//! came now.
//!
//! Its identity is the same, so whatever happens between its append and the closing of its letter, it
//! is in its stream once: tried another time it is a duplicate, and the letter is closed then.

use std::{sync::Arc, time::Instant};

use axum::{
    Json,
    body::Body,
    extract::{Path, Request, State},
    http::Response,
    response::IntoResponse as _,
};

use super::{Posted, api, stream::Opened};
use crate::{
    app::App,
    ingest::{self, UPSTREAM, VIA},
    problem::{Code, Problem},
    query::Params,
};

pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path(seq): Path<String>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    Params::parse(request.uri(), &[])?;
    let seq = api::number(&seq)?;
    // A task of its own: what was begun is ended, also when whoever asked for it hangs up.
    let redriven = tokio::spawn(async move { redrive(&app, seq).await });
    redriven.await.unwrap_or_else(|error| Err(Problem::new(Code::Internal, error.to_string())))
}

async fn redrive(app: &App, seq: u64) -> Result<Response<Body>, Problem> {
    let received = Instant::now();
    let Opened { letter, headers, body, .. } = api::opened(app, seq).await?;
    let is_event = letter.via == VIA || letter.via == UPSTREAM;
    if !is_event && letter.place.is_none() {
        let detail = format!(
            "dead letter {seq} came in by {}, and only events (by {VIA}) and posts of sources can be \
             tried again here; send it again at its source, and drop it",
            letter.via
        );
        return Err(Problem::new(Code::Conflict, detail));
    }
    if letter.is_cut() {
        let detail = format!(
            "of the {} bytes of dead letter {seq} only the first {} are kept, so it cannot be tried \
             again; send the event itself again, and drop it",
            letter.body_bytes, letter.kept_bytes
        );
        return Err(Problem::new(Code::Conflict, detail));
    }
    if let Some(place) = letter.place {
        let posted = Posted { place, headers };
        return match ingest::post_again(app, &letter.via, &posted, body.into(), received).await? {
            Ok(answer) => {
                close(app, seq).await?;
                Ok(Json(answer).into_response())
            }
            Err((reason, detail)) => {
                app.letters.stream.fail(seq, reason, &detail).await?;
                let detail = format!("dead letter {seq} is refused again, {reason}: {detail}");
                Err(Problem::new(Code::Conflict, detail))
            }
        };
    }
    let fate = ingest::again(app, &body, received).await?;
    match fate.refusal() {
        None => close(app, seq).await?,
        Some((reason, detail)) => app.letters.stream.fail(seq, reason, detail).await?,
    }
    Ok(ingest::answer_again(app, fate))
}

async fn close(app: &App, seq: u64) -> Result<(), Problem> {
    match app.letters.close(seq, true).await {
        // Somebody else has closed it meanwhile.
        Err(Problem { code: Code::NotFound, .. }) => Ok(()),
        closed => closed,
    }
}
