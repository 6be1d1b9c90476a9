//! `GET /api/v1/matches/{match}/stats` and `/maps/{map}/stats`: what each player did, with the rates that
//! people compare. Folded from the events, so an event that comes again counts once.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::Response,
};
use matchwire_domain::subject::Subject;
use serde_json::{Value, json as value};

use super::{json, map_subject, matches::maps_of, not_found, turn};
use crate::{app::App, problem::Problem, query::Params, topic};

/// Of one map.
pub(crate) async fn of_map(
    State(app): State<Arc<App>>,
    Path((match_id, map)): Path<(String, String)>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    Params::parse(request.uri(), &[])?;
    let subject = map_subject(&match_id, &map)?;
    if app.live.log().head(&subject)? == 0 {
        return Err(not_found(format!("map {map} of match {match_id}")));
    }
    answer(&app, &match_id, vec![subject]).await
}

/// Of all maps of a match together.
pub(crate) async fn of_match(
    State(app): State<Arc<App>>,
    Path(match_id): Path<String>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    Params::parse(request.uri(), &[])?;
    Subject::parse(&format!("match/{match_id}"))?;
    let maps = maps_of(app.live.log(), &match_id)?;
    if maps.is_empty() {
        return Err(not_found(format!("map of match {match_id}")));
    }
    answer(&app, &match_id, maps).await
}

async fn answer(app: &App, match_id: &str, maps: Vec<Subject>) -> Result<Response<Body>, Problem> {
    let _turn = turn(app).await?;
    let stats = app.live.stats(&maps).await?;
    let maps: Vec<Value> = maps.iter().map(|map| topic::number(map).into()).collect();
    Ok(json(value!({"match": match_id, "maps": maps, "stats": stats}).to_string()))
}
