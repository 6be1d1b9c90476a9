//! `POST /api/v1/dead-letters/{seq}/redrive`: an event is tried again, as if it came now.
//!
//! Its identity is the same, so whatever happens between its append and the closing of its letter, it
//! is in its stream once: tried another time it is a duplicate, and the letter is closed then.

use std::{sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::Response,
};

use super::{api, stream::Opened};
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
    let Opened { letter, body, .. } = api::opened(app, seq).await?;
    if letter.via != VIA && letter.via != UPSTREAM {
        let detail = format!(
            "dead letter {seq} came in by {}, and only events (by {VIA}) can be tried again here; \
             send it again at its source, and drop it",
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
    let fate = ingest::again(app, &body, received).await?;
    match fate.refusal() {
        None => match app.letters.close(seq, true).await {
            // Somebody else has closed it meanwhile.
            Err(Problem { code: Code::NotFound, .. }) => {}
            closed => closed?,
        },
        Some((reason, detail)) => app.letters.stream.fail(seq, reason, detail).await?,
    }
    Ok(ingest::answer_again(app, fate))
}
