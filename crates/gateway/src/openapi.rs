//! The description of the HTTP surface, and the schemas of events.

mod calibration;
mod components;
mod imports;
mod players;

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderValue, Response, header},
};
use matchwire_domain::vocabulary;
use serde_json::{Map, Value, json};

use crate::{
    app::App,
    problem::{Code, Problem},
    query::Params,
    routes::{ROUTES, Route},
};

/// The OpenAPI document, made of the table of routes.
pub fn openapi() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Value::Object(path) = path {
            path.insert(route.method.into(), operation(route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Matchwire",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Live match events: one log in, state, predictions and events out. To an \
                audience that sees events later everything is as it was for others then; what it may not \
                do is a problem with the code delayed_audience.",
        },
        "paths": paths,
        "components": {
            "schemas": components::schemas(),
            "securitySchemes": {"bearerAuth": components::token()},
        },
    })
}

fn operation(route: &Route) -> Value {
    let in_path = route.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let mut parameters: Vec<Value> = in_path
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    parameters.extend(route.query.iter().map(|name| components::parameter(name, route.query)));
    let content = match route.schema {
        Some(name) => json!({"schema": {"$ref": format!("#/components/schemas/{name}")}}),
        None => json!({}),
    };
    let ok = json!({"description": route.summary, "content": {route.gives: content.clone()}});
    let mut responses = if route.gives.is_empty() {
        json!({"204": {"description": route.summary}, "default": components::problem()})
    } else {
        json!({"200": ok, "default": components::problem()})
    };
    if let Value::Object(responses) = &mut responses
        && route.schema == Some("Results")
    {
        // Of one event alone either all is taken or nothing.
        let is_one = route.takes.is_empty();
        let some = json!({"description": "Some events were taken", "content": {route.gives: content.clone()}});
        let none = json!({"description": "No event was taken", "content": {route.gives: content}});
        if !is_one {
            responses.insert("207".into(), some);
        }
        responses.insert("400".into(), none.clone());
        if !is_one {
            responses.insert("429".into(), components::limited(&none));
        }
    }
    if let (Value::Object(responses), true) = (&mut responses, route.is_personal) {
        responses.insert("401".into(), components::unauthorized());
    }
    let mut operation =
        json!({"summary": route.summary, "parameters": parameters, "responses": responses});
    if let Value::Object(operation) = &mut operation
        && !route.takes.is_empty()
    {
        let content: Map<_, _> =
            route.takes.iter().map(|kind| ((*kind).to_owned(), json!({}))).collect();
        operation.insert("requestBody".into(), json!({"required": true, "content": content}));
    }
    if let (Value::Object(operation), true) = (&mut operation, route.is_personal) {
        operation.insert("security".into(), json!([{"bearerAuth": []}]));
    }
    operation
}

pub(crate) async fn document(request: Request) -> Result<Json<Value>, Problem> {
    Params::parse(request.uri(), &[])?;
    Ok(Json(openapi()))
}

pub(crate) async fn schemas(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    Params::parse(request.uri(), &[])?;
    let schema = |tag: &str| json!({"type": tag, "schema": format!("/api/v1/schemas/{tag}.json")});
    let schemas: Vec<Value> = vocabulary::tags(app.live.games()).map(schema).collect();
    Ok(Json(json!({"schemas": schemas})))
}

pub(crate) async fn schema(
    State(app): State<Arc<App>>,
    Path(file): Path<String>,
    request: Request,
) -> Result<Response<String>, Problem> {
    Params::parse(request.uri(), &[])?;
    let tag = file.strip_suffix(".json");
    let schema =
        tag.and_then(|tag| vocabulary::schema(app.live.games(), tag)).ok_or_else(|| {
            Problem::new(Code::NotFound, "there is no such schema; /api/v1/schemas lists them")
        })?;
    let text = serde_json::to_string(&schema).unwrap_or_default();
    let mut response = Response::new(text);
    let kind = HeaderValue::from_static("application/schema+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}
