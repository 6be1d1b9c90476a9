//! `POST /api/v1/sources/{source}/{match}/{map}`: a body in another system's own format.

use std::{sync::Arc, time::Instant};

use axum::{
    Json,
    extract::{Path, Request, State},
};
use matchwire_domain::subject;
use serde_json::{Value, json};

use crate::{
    app::{Answer, App, Post, Source},
    body,
    metrics::Count,
    problem::{Code, Problem},
    query::Params,
};

/// Takes a post whose path has no token.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path((source, match_id, map)): Path<(String, String, String)>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    take(&app, &source, None, (&match_id, &map), request).await
}

/// Takes a post whose path has a token.
pub(crate) async fn post_with_token(
    State(app): State<Arc<App>>,
    Path((source, token, match_id, map)): Path<(String, String, String, String)>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let Some(token) = token.strip_prefix('~') else {
        return Err(Problem::new(
            Code::NotFound,
            "there is nothing at this path; a token in it starts with ~",
        ));
    };
    take(&app, &source, Some(token), (&match_id, &map), request).await
}

/// The source of a name, if the token that is asked for was shown. The token is never told.
fn source_of<'a>(
    app: &'a App,
    name: &str,
    token: Option<&str>,
) -> Result<(&'static str, &'a dyn Source), Problem> {
    let Some((name, source)) = app.sources.get_key_value(name) else {
        let known: Vec<&str> = app.sources.keys().copied().collect();
        let detail = format!("there is no such source; known are {}", known.join(", "));
        return Err(Problem::new(Code::NotFound, detail));
    };
    let asked = app.ingest_tokens.get(*name);
    if asked.is_some_and(|secret| !token.is_some_and(|token| secret.is(token))) {
        let detail = format!(
            "posts of {name} need their ingest token in the path: /sources/{name}/~TOKEN/MATCH/MAP"
        );
        return Err(Problem::new(Code::Unauthorized, detail));
    }
    Ok((name, &**source))
}

async fn take(
    app: &App,
    source: &str,
    token: Option<&str>,
    (match_id, map): (&str, &str),
    request: Request,
) -> Result<Json<Value>, Problem> {
    Params::parse(request.uri(), &[])?;
    let (name, source) = source_of(app, source, token)?;
    subject::check_segment(match_id)?;
    if map != "auto" {
        subject::parse_map(map)?;
    }
    let (head, body) = request.into_parts();
    let body = body::read(app, &head.headers, body).await?;
    let received = Instant::now();
    let post = Post { match_id, map, headers: &head.headers, body: body.bytes.clone(), received };
    let answer = source.post(post).await?;
    app.meter.ingest(answer.admitted.saturating_duration_since(received));
    app.meter.append(answer.admitted.elapsed());
    let Answer { appended, duplicate, unknown, refused, .. } = answer;
    let received = appended + duplicate + unknown + refused;
    app.meter.count(name, Count { received, accepted: 0, appended, duplicate, rejected: refused });
    let mut body = json!({"appended": appended, "duplicate": duplicate, "unknown": unknown});
    if let (Value::Object(body), 1..) = (&mut body, refused) {
        body.insert("refused".into(), refused.into());
    }
    Ok(Json(body))
}
