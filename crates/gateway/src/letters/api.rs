//! `GET /api/v1/dead-letters`, and one of them: to look at and to drop.

use std::{ops::Bound, sync::Arc};

use axum::{
    Json,
    extract::{Path, Request, State},
    http::StatusCode,
};
use matchwire_domain::dead_letter::Open;
use serde_json::{Value, json};

use super::stream::Opened;
use crate::{
    app::App,
    problem::{Code, Problem},
    query::{self, Params},
};

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let params = Params::parse(request.uri(), &["after", "limit", "reason", "source"])?;
    let after = params.number("after")?.unwrap_or(0);
    let limit = params.limit()?;
    let (reason, source) = (params.get("reason"), params.get("source"));
    let is_wanted = |letter: &Open| {
        reason.is_none_or(|reason| letter.reason == reason)
            && source.is_none_or(|source| letter.origin.source == source)
    };
    let (letters, next) = app.letters.stream.read(|state| {
        let after = (Bound::Excluded(after), Bound::Unbounded);
        let mut wanted = state.open().range(after).filter(|(_, letter)| is_wanted(letter));
        let page: Vec<_> = wanted.by_ref().take(limit).collect();
        let next = wanted.next().and(page.last()).map(|(seq, _)| **seq);
        (page.into_iter().map(|(seq, letter)| summary(*seq, letter)).collect::<Vec<_>>(), next)
    });
    let mut list = json!({"dead_letters": letters});
    if let (Some(next), Value::Object(list)) = (next, &mut list) {
        list.insert("next".into(), next.into());
    }
    Ok(Json(list))
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(seq): Path<String>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    Params::parse(request.uri(), &[])?;
    let seq = number(&seq)?;
    let Opened { letter, detail, headers, body } = opened(&app, seq).await?;
    let mut shown = summary(seq, &letter);
    if let Value::Object(shown) = &mut shown {
        shown.insert("detail".into(), detail.into());
        if !headers.is_empty() {
            let headers = headers.into_iter().map(|(name, value)| (name, value.into()));
            shown.insert("headers".into(), Value::Object(headers.collect()));
        }
        match String::from_utf8(body) {
            Ok(text) => shown.insert("body".into(), text.into()),
            Err(error) => {
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                shown.insert("is_utf8".into(), false.into());
                shown.insert("body".into(), text.into())
            }
        };
    }
    Ok(Json(shown))
}

pub(crate) async fn drop(
    State(app): State<Arc<App>>,
    Path(seq): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    Params::parse(request.uri(), &[])?;
    let seq = number(&seq)?;
    // A task of its own: what was begun is ended, also when whoever asked for it hangs up.
    let dropped = tokio::spawn(async move { app.letters.close(seq, false).await });
    dropped.await.unwrap_or_else(|error| Err(Problem::new(Code::Internal, error.to_string())))?;
    Ok(StatusCode::NO_CONTENT)
}

/// The `seq` of a letter in a path.
pub(super) fn number(text: &str) -> Result<u64, Problem> {
    query::number(text).filter(|seq| *seq > 0).ok_or_else(|| {
        let text: String = text.chars().take(40).collect();
        let detail = format!("dead letter {text:?} must be named by its number, from 1 on");
        Problem::new(Code::Path, detail)
    })
}

/// A letter with its sealed parts open, read where it holds nobody up.
pub(super) async fn opened(app: &App, seq: u64) -> Result<Opened, Problem> {
    let stream = app.letters.stream.clone();
    let opened = tokio::task::spawn_blocking(move || stream.opened(seq)).await;
    opened.unwrap_or_else(|error| Err(Problem::new(Code::Internal, error.to_string())))
}

/// What is told of a letter without its sealed parts.
fn summary(seq: u64, letter: &Open) -> Value {
    let Open { reason, via, origin, place, attempts, body_bytes, kept, .. } = letter;
    let mut summary = json!({
        "seq": seq,
        "kept": kept.to_string(),
        "reason": reason,
        "via": via,
        "attempts": attempts,
        "body_bytes": body_bytes,
    });
    if let (Value::Object(summary), Ok(Value::Object(origin))) =
        (&mut summary, serde_json::to_value(origin))
    {
        summary.extend(origin);
        if let Some(place) = place {
            summary.insert("place".into(), place.as_str().into());
        }
        if letter.is_cut() {
            summary.insert("kept_bytes".into(), letter.kept_bytes.into());
        }
    }
    summary
}
