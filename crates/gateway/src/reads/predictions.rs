//! The win probability: the series of a map, and the latest of every live match.

use std::{sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::Response,
};
use matchwire_domain::subject::{Kind, Subject};
use serde_json::{Value, json as value};

use super::{json, map_subject, not_found, summary::Kept, turn};
use crate::{
    app::App,
    problem::Problem,
    query::{Params, wrong},
};

/// How many maps are looked at, at once, for those that are live.
const LOOK_AHEAD: usize = 100;

/// The series of a map, in the order of play. The cursor is how many were given before.
pub(crate) async fn of_map(
    State(app): State<Arc<App>>,
    Path((match_id, map)): Path<(String, String)>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(request.uri(), &["after", "limit"])?;
    let skip = params.number("after")?.unwrap_or(0);
    let skip = usize::try_from(skip).map_err(|_| wrong("after is out of range"))?;
    let subject = map_subject(&match_id, &map)?;
    if app.live.log().head(&subject)? == 0 {
        return Err(not_found(format!("map {map} of match {match_id}")));
    }
    let (predictions, has_more) = app.live.predictions(&subject, skip, params.limit()?).await?;
    let next = has_more.then_some(skip + predictions.len());
    let mut body = value!({"predictions": predictions});
    if let (Some(next), Value::Object(body)) = (next, &mut body) {
        body.insert("next".into(), next.into());
    }
    Ok(json(body.to_string()))
}

/// The latest prediction of every map that is live or paused.
pub(crate) async fn latest(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(request.uri(), &["after", "limit"])?;
    let limit = params.limit()?;
    let mut after = params.get("after").map(ToOwned::to_owned);
    if let Some(after) = &after {
        Subject::parse(after).map_err(|error| wrong(format!("after: {error}")))?;
    }
    let _turn = turn(&app).await?;
    let begun = Instant::now();
    let mut predictions = Vec::new();
    let next = 'pages: loop {
        let page = app.live.log().subjects("match/", after.as_deref(), LOOK_AHEAD)?;
        if page.is_empty() {
            break None;
        }
        for subject in page {
            if predictions.len() >= limit || begun.elapsed() > app.limits.list {
                break 'pages after;
            }
            if matches!(subject.kind(), Kind::MatchMap(..)) {
                let kept = app.summaries.of(&app.live, &subject).await?;
                predictions.extend(if_live(&kept));
            }
            after = Some(subject.as_str().to_owned());
        }
    };
    let mut body = value!({"predictions": predictions});
    if let (Some(next), Value::Object(body)) = (next, &mut body) {
        body.insert("next".into(), next.into());
    }
    Ok(json(body.to_string()))
}

/// The prediction of a map that is being played, with the names of match and map.
fn if_live(kept: &Kept) -> Option<Value> {
    matches!(kept.status()?, "live" | "paused").then_some(())?;
    let summary = &kept.summary;
    Some(value!({
        "match": summary.get("match")?,
        "map": summary.get("map")?,
        "prediction": summary.get("prediction")?,
    }))
}
