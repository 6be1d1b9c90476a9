//! What a player is rated, and how that came to be.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::Uri,
};
use matchwire_log::view_store::Snapshot;
use matchwire_players::{
    rating::{Rating, System},
    rights::Grain,
    view::{self, Course, MAX_POINTS, Points, Since},
};
use serde_json::{Map, Value, json};

use super::{
    boards::served,
    page_size,
    seen::{hidden, rights_at},
};
use crate::{
    app::App,
    people::Viewer,
    problem::Problem,
    query::{Params, wrong},
    reads::blocking,
    views,
};

/// How many points of a rating's history are told, if nothing else is asked for.
const POINTS: usize = 100;

/// What a player is rated in a game; with a system, what that was before.
pub(crate) async fn ratings(
    State(app): State<Arc<App>>,
    Path(player): Path<String>,
    viewer: Viewer,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let params = Params::parse(&uri, &["game", "system", "after", "limit"])?;
    let game = params.get("game").ok_or_else(|| wrong("game is missing"))?.to_owned();
    let system = params
        .get("system")
        .map(|name| served(name).ok_or_else(|| wrong("system must be glicko-2 or openskill")));
    let system = system.transpose()?;
    let limit = page_size(&params, POINTS, MAX_POINTS)?;
    let after = params.get("after").map(str::parse::<Since>).transpose();
    let after = after.map_err(|error| wrong(format!("after: {error}")))?;
    if system.is_none() && (after.is_some() || params.get("limit").is_some()) {
        return Err(wrong("after and limit are of the history of one system, so name a system"));
    }
    let grain = rights_at(&app, &viewer, &player).await?.grain();
    let grain = grain.ok_or_else(|| hidden(&player, "ratings"))?;
    let snapshot = views::current(&app.views.players).await?;
    blocking(move || {
        let course = |system| Course { player: &player, game: &game, system };
        let mut ratings = Map::new();
        for system in System::SERVED.into_iter().filter(|one| system.is_none_or(|it| it == *one)) {
            let now = now(&*snapshot, course(system), grain)?;
            ratings.extend(now.map(|now| (system.as_str().to_owned(), now)));
        }
        let mut body = Map::from_iter([
            ("player".to_owned(), player.clone().into()),
            ("game".to_owned(), game.clone().into()),
            ("ratings".to_owned(), ratings.into()),
        ]);
        if let Some(system) = system {
            let page = course(system).page(&*snapshot, grain, after.as_ref(), limit)?;
            body.extend(history(page));
        }
        if !view::is_folded(&*snapshot, &game)? {
            body.insert("folding".into(), true.into());
        }
        Ok(Json(body.into()))
    })
    .await
}

/// What a player is rated now, and since when as far as that may be told.
fn now(
    snapshot: &dyn Snapshot,
    course: Course<'_>,
    grain: Grain,
) -> Result<Option<Value>, Problem> {
    let Some(rated) = view::rated(snapshot, course)? else { return Ok(None) };
    let mut told = told(&rated.rating);
    told.insert("floor".into(), rated.rating.floor(course.system).into());
    if course.system == System::Glicko2 {
        told.insert("volatility".into(), rated.rating.volatility.into());
    }
    if grain == Grain::Match {
        told.insert("since".into(), rated.since.ended.to_string().into());
    }
    Ok(Some(told.into()))
}

fn history(page: Points) -> Map<String, Value> {
    let point = |point: view::Point| {
        let mut told = told(&point.rating);
        told.insert("time".into(), point.time.to_string().into());
        told.extend(point.match_id.map(|id| ("match".to_owned(), id.into())));
        Value::from(told)
    };
    let points: Vec<Value> = page.points.into_iter().map(point).collect();
    let mut told = Map::from_iter([("history".to_owned(), points.into())]);
    told.extend(page.next.map(|next| ("next".to_owned(), json!(next.to_string()))));
    told
}

fn told(rating: &Rating) -> Map<String, Value> {
    let parts = [("rating", rating.rating), ("deviation", rating.deviation)];
    parts.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect()
}
