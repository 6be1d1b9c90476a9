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

/// Takes a post for the match that a server plays.
pub(crate) async fn post_of_server(
    State(app): State<Arc<App>>,
    Path((source, server)): Path<(String, String)>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    take(&app, &source, None, Place::Server(server_name(&server)?), request).await
}

/// Takes a post whose path has no token, or one and a server.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path((source, match_id, map)): Path<(String, String, String)>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    match (match_id.strip_prefix('~'), map.starts_with('@')) {
        (Some(token), true) => {
            take(&app, &source, Some(token), Place::Server(server_name(&map)?), request).await
        }
        _ => take(&app, &source, None, Place::Map(&match_id, &map), request).await,
    }
}

/// What a post is for.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// A match, and a map of it or `auto`.
    Map(&'a str, &'a str),
    /// Whatever a server plays.
    Server(&'a str),
}

/// The name of a server in a path, `@name`.
fn server_name(segment: &str) -> Result<&str, Problem> {
    let name = segment.strip_prefix('@').filter(|name| subject::check_segment(name).is_ok());
    name.ok_or_else(|| {
        let detail = "the path must be /sources/SOURCE/MATCH/MAP, or /sources/SOURCE/@SERVER";
        Problem::new(Code::Path, detail)
    })
}

/// The match that a server plays. What it posts is lost to it if there is none: game servers do not send
/// again.
async fn match_of(app: &App, server: &str) -> Result<String, Problem> {
    let found = app.followup.match_of(app, server).await?;
    found.ok_or_else(|| {
        let detail = format!(
            "no match is assigned to the server {server}; match.scheduled or server.assigned says which one it plays"
        );
        Problem::new(Code::NotFound, detail)
    })
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
    take(&app, &source, Some(token), Place::Map(&match_id, &map), request).await
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
    place: Place<'_>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    Params::parse(request.uri(), &[])?;
    let (name, source) = source_of(app, source, token)?;
    let played;
    let (match_id, map) = match place {
        Place::Map(match_id, map) => (match_id, map),
        Place::Server(server) => {
            played = match_of(app, server).await?;
            (played.as_str(), "auto")
        }
    };
    subject::check_segment(match_id)?;
    if map != "auto" {
        subject::parse_map(map)?;
    }
    app.admission.check_post(name)?;
    let (head, body) = request.into_parts();
    let body = body::read(app, &head.headers, body).await?;
    let received = Instant::now();
    let post = Post { match_id, map, headers: &head.headers, body: body.bytes.clone(), received };
    let answer = source.post(post).await?;
    app.meter.ingest(answer.admitted.saturating_duration_since(received));
    app.meter.append(answer.admitted.elapsed());
    let Answer { appended, duplicate, unknown, refused, .. } = answer;
    app.admission.charge_post(name, appended);
    let received = appended + duplicate + unknown + refused;
    app.meter.count(name, Count { received, accepted: 0, appended, duplicate, rejected: refused });
    let mut body = json!({"appended": appended, "duplicate": duplicate, "unknown": unknown});
    if let Value::Object(body) = &mut body {
        if refused > 0 {
            body.insert("refused".into(), refused.into());
        }
        if matches!(place, Place::Server(_)) {
            body.insert("match".into(), match_id.into());
        }
    }
    Ok(Json(body))
}
