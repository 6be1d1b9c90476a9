//! `POST /api/v1/sources/{source}/{match}/{map}`: a body in another system's own format.

use std::{fmt, sync::Arc, time::Instant};

use axum::{
    Json,
    extract::{Path, Request, State},
    http::HeaderMap,
};
use bytes::Bytes;
use matchwire_domain::{dead_letter::Origin, subject};
use serde_json::{Value, json};

use crate::{
    app::{Answer, App, Post, Source},
    body,
    letters::{Letter, Posted},
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
pub(super) enum Place<'a> {
    /// A match, and a map of it or `auto`.
    Map(&'a str, &'a str),
    /// Whatever a server plays.
    Server(&'a str),
}

impl<'a> Place<'a> {
    /// Reads it as it is written.
    fn read(text: &'a str) -> Option<Self> {
        match text.split_once('/') {
            Some((match_id, map)) => Some(Self::Map(match_id, map)),
            None => Some(Self::Server(text.strip_prefix('@')?)),
        }
    }

    fn check(self) -> Result<(), Problem> {
        if let Self::Map(match_id, map) = self {
            subject::check_segment(match_id)?;
            if map != "auto" {
                subject::parse_map(map)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map(match_id, map) => write!(f, "{match_id}/{map}"),
            Self::Server(server) => write!(f, "@{server}"),
        }
    }
}

/// The name of a server in a path, `@name`.
fn server_name(segment: &str) -> Result<&str, Problem> {
    let name = segment.strip_prefix('@').filter(|name| subject::check_segment(name).is_ok());
    name.ok_or_else(|| {
        let detail = "the path must be /sources/SOURCE/MATCH/MAP, or /sources/SOURCE/@SERVER";
        Problem::new(Code::Path, detail)
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

/// A post as it is here as a whole.
#[derive(Clone, Copy)]
pub(super) struct Arrived<'a> {
    pub(super) place: Place<'a>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a Bytes,
    pub(super) received: Instant,
}

/// A source with its name.
type Named<'a> = (&'static str, &'a dyn Source);

/// What became of a post that came to a source.
pub(super) enum Told {
    /// The match whose facts it tells, and how many.
    Of(String, Answer),
    /// The server plays no match.
    NoMatch(String),
}

impl Told {
    /// Why the post, or a part of it, was refused, if it was: a code, and in words.
    pub(super) fn refusal(&self) -> Option<(&'static str, String)> {
        match self {
            Self::NoMatch(server) => {
                let detail = format!(
                    "no match is assigned to the server {server}; match.scheduled or server.assigned says which one it plays"
                );
                Some(("no_match", detail))
            }
            Self::Of(_, Answer { refused, .. }) if *refused > 0 => {
                let detail = format!(
                    "{refused} of its facts are for a stream that is sealed, and takes nothing more"
                );
                Some(("sealed", detail))
            }
            Self::Of(_, Answer { is_foreign: true, .. }) => {
                let detail = "nothing in it is in the source's format; is it another source's?";
                Some(("unreadable", detail.into()))
            }
            Self::Of(..) => None,
        }
    }
}

/// Takes a post. What of it is refused is kept as a dead letter, unless its sender may not post at all:
/// game servers and clients do not send again.
async fn take(
    app: &App,
    name: &str,
    token: Option<&str>,
    place: Place<'_>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    Params::parse(request.uri(), &[])?;
    let (name, source) = source_of(app, name, token)?;
    place.check()?;
    app.admission.check_post(name)?;
    let (head, body) = request.into_parts();
    let body = body::read(app, &head.headers, body).await?;
    let received = Instant::now();
    source.admits(&head.headers, &body.bytes)?;
    let post = Arrived { place, headers: &head.headers, body: &body.bytes, received };
    let told = tell(app, (name, source), name, post).await?;
    if let Some((reason, detail)) = told.refusal() {
        keep(app, (name, source), post, reason, &detail, 1);
        if matches!(told, Told::NoMatch(_)) {
            return Err(Problem::new(
                Code::NotFound,
                format!("{detail}; the post is kept as a dead letter"),
            ));
        }
    }
    Ok(Json(answer(&told, place)))
}

/// Tries a post again that was refused before; it was admitted then. The answer, or why it is refused
/// again.
pub(crate) async fn post_again(
    app: &App,
    name: &str,
    posted: &Posted,
    body: Bytes,
    received: Instant,
) -> Result<Result<Value, (&'static str, String)>, Problem> {
    let gone = |what: &str| Problem::new(Code::Conflict, format!("there is no {what} any more"));
    let (name, source) =
        app.sources.get_key_value(name).ok_or_else(|| gone(&format!("source {name}")))?;
    let place = Place::read(&posted.place).ok_or_else(|| gone(&posted.place))?;
    let headers = posted.header_map();
    let post = Arrived { place, headers: &headers, body: &body, received };
    let told = tell(app, (name, &**source), name, post).await?;
    Ok(match told.refusal() {
        Some(refusal) => Err(refusal),
        None => Ok(answer(&told, place)),
    })
}

/// Keeps a post that was refused, after so many tries, as it may be kept.
pub(super) fn keep(
    app: &App,
    (name, source): Named<'_>,
    post: Arrived<'_>,
    reason: &'static str,
    detail: &str,
    attempts: u32,
) {
    let origin = Origin { source: name.into(), ..Origin::default() };
    let posted = Posted::new(post.place.to_string(), source.headers(), post.headers);
    let letter = Letter::new(name, reason, detail, origin, &source.without_secret(post.body));
    app.letters.keep(Letter { post: Some(posted), attempts, ..letter });
}

/// Gives a post to its source, for the match that it is for now; what it tells is charged to whoever is
/// named.
pub(super) async fn tell(
    app: &App,
    (name, source): Named<'_>,
    charged: &str,
    Arrived { place, headers, body, received }: Arrived<'_>,
) -> Result<Told, Problem> {
    let (match_id, map) = match place {
        Place::Map(match_id, map) => (match_id.to_owned(), map),
        Place::Server(server) => match app.followup.match_of(app, server).await? {
            Some(match_id) => (match_id, "auto"),
            None => return Ok(Told::NoMatch(server.to_owned())),
        },
    };
    let post = Post { match_id: &match_id, map, headers, body: body.clone(), received };
    let answer = source.post(post).await?;
    app.meter.ingest(answer.admitted.saturating_duration_since(received));
    app.meter.append(answer.admitted.elapsed());
    let Answer { appended, duplicate, unknown, refused, .. } = answer;
    app.admission.charge_post(charged, appended);
    let received = appended + duplicate + unknown + refused;
    app.meter.count(name, Count { received, accepted: 0, appended, duplicate, rejected: refused });
    Ok(Told::Of(match_id, answer))
}

/// What is answered of a post that was read.
fn answer(told: &Told, place: Place<'_>) -> Value {
    let Told::Of(match_id, Answer { appended, duplicate, unknown, refused, .. }) = told else {
        return json!({});
    };
    let mut answer = json!({"appended": appended, "duplicate": duplicate, "unknown": unknown});
    if let Value::Object(answer) = &mut answer {
        if *refused > 0 {
            answer.insert("refused".into(), (*refused).into());
        }
        if matches!(place, Place::Server(_)) {
            answer.insert("match".into(), match_id.as_str().into());
        }
    }
    answer
}
