//! `/api/v1/imports`, and one of them: begun, looked at, ended.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State as Shared},
};
use matchwire_domain::import::{self, Finished, MAX_EVENTS, MAX_FILES, Started, State, Status};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::blocking;
use crate::{
    app::App,
    body,
    problem::{Code, Problem},
    query::Params,
};

pub(crate) async fn list(
    Shared(app): Shared<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let params = Params::parse(request.uri(), &["after", "limit"])?;
    let (after, limit) = (params.get("after").unwrap_or("").to_owned(), params.limit()?);
    let listed = blocking(&app.imports, move |imports| {
        let mut names = imports.names(&after, limit + 1);
        let next = (names.len() > limit).then(|| names.pop()).and(names.last().cloned());
        let told = names.iter().map(|name| Ok(told(name, &imports.state(name)?)));
        Ok((told.collect::<Result<Vec<Value>, Problem>>()?, next))
    });
    let (imports, next) = listed.await?;
    let mut list = json!({"imports": imports});
    if let (Some(next), Value::Object(list)) = (next, &mut list) {
        list.insert("next".into(), next.into());
    }
    Ok(Json(list))
}

pub(crate) async fn show(
    Shared(app): Shared<Arc<App>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    Params::parse(request.uri(), &[])?;
    now(&app, &name).await
}

pub(crate) async fn start(
    Shared(app): Shared<Arc<App>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    Params::parse(request.uri(), &[])?;
    let started: Started = json_of(&app, request).await?;
    import::subject(&name)?;
    if !(1..=MAX_EVENTS).contains(&started.events) || started.files.len() > MAX_FILES {
        let detail = format!(
            "an import has 1 to {MAX_EVENTS} events and at most {MAX_FILES} files, and this one has {} and {}",
            started.events,
            started.files.len()
        );
        return Err(Problem::new(Code::BadBody, detail));
    }
    let _writing = app.imports.writing.lock().await;
    let state = state(&app, &name).await?;
    if let Some(event) = state.start(started)? {
        // Known before it is begun, so that nobody comes in between.
        app.imports.note(&name)?;
        app.imports.tell(&name, &state, &event).await?;
    }
    now(&app, &name).await
}

pub(crate) async fn finish(
    Shared(app): Shared<Arc<App>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    Params::parse(request.uri(), &[])?;
    let finished: Finished = json_of(&app, request).await?;
    let _writing = app.imports.writing.lock().await;
    let state = state(&app, &name).await?;
    if let Some(event) = state.finish(finished)? {
        app.imports.tell(&name, &state, &event).await?;
        app.meter.imports.finished();
    }
    now(&app, &name).await
}

/// How an import stands.
pub(super) async fn state(app: &App, name: &str) -> Result<State, Problem> {
    let name = name.to_owned();
    blocking(&app.imports, move |imports| imports.state(&name)).await
}

/// What is told of an import as it is now.
pub(super) async fn now(app: &App, name: &str) -> Result<Json<Value>, Problem> {
    let state = state(app, name).await?;
    if state.status == Status::Unknown {
        return Err(import::Refused::Unknown.into());
    }
    Ok(Json(told(name, &state)))
}

/// Reads a body that is a JSON object.
pub(super) async fn json_of<T: DeserializeOwned>(
    app: &App,
    request: Request,
) -> Result<T, Problem> {
    let (head, body) = request.into_parts();
    let body = body::read(app, &head.headers, body).await?;
    let bytes = if body.bytes.is_empty() { b"{}" } else { &*body.bytes };
    serde_json::from_slice(bytes).map_err(|error| {
        Problem::new(Code::BadBody, format!("the body is not the JSON that belongs here: {error}"))
    })
}

fn told(name: &str, state: &State) -> Value {
    let mut told = json!({
        "import": name,
        "status": state.status.as_str(),
        "events": state.events(),
        "told": state.told,
        "sure": state.sure,
        "batches": state.batches,
        "refused": state.refused,
        "since": state.since.to_string(),
        "changed": state.changed.to_string(),
    });
    let Value::Object(members) = &mut told else { return told };
    if let Some(started) = &state.started {
        members.insert("content".into(), started.content.as_str().into());
        members.insert("files".into(), json!(started.files));
        if let Some(by) = &started.by {
            members.insert("by".into(), by.as_str().into());
        }
    }
    if let Some(revoking) = &state.revoking {
        let mut revoked = json!({
            "batches": state.batches_unwound, "voided": state.voided, "kept": state.kept,
        });
        if let (Value::Object(revoked), Ok(Value::Object(why))) =
            (&mut revoked, serde_json::to_value(revoking))
        {
            revoked.extend(why);
        }
        members.insert("revoked".into(), revoked);
    }
    told
}
