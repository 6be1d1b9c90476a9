//! Head to head: how a player has fared against another one, and whom the player has met the most often.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::Uri,
};
use matchwire_domain::subject;
use matchwire_players::{
    statistics::{Reach, Versus},
    view,
};
use serde_json::{Map, Value, json};

use super::{
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

/// How many opponents are listed, if nothing else is asked for, and at most.
const LISTED: usize = 20;
const MAX_LISTED: usize = 200;
/// Of how many opponents it is looked up whether the viewer may see them.
const ASKED: usize = 400;

/// How a player has fared against another one.
pub(crate) async fn against(
    State(app): State<Arc<App>>,
    Path((player, other)): Path<(String, String)>,
    viewer: Viewer,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let params = Params::parse(&uri, &["game"])?;
    let game = game(&params)?;
    subject::check_segment(&other)?;
    let reach = reach(&app, &viewer, &player).await?;
    if reach == Reach::Others && !rights_at(&app, &viewer, &other).await?.statistics {
        return Err(hidden(&other, "head to head"));
    }
    let snapshot = views::current(&app.views.players).await?;
    blocking(move || {
        let versus = view::versus(&*snapshot, &player, &game, &other, reach)?;
        Ok(Json(told(versus, [("player", player), ("against", other), ("game", game)])))
    })
    .await
}

/// Whom a player has met the most often. Others than the player are told of those alone whose statistics they may see as
/// well.
pub(crate) async fn most_met(
    State(app): State<Arc<App>>,
    Path(player): Path<String>,
    viewer: Viewer,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let params = Params::parse(&uri, &["game", "limit"])?;
    let game = game(&params)?;
    let limit = page_size(&params, LISTED, MAX_LISTED)?;
    let reach = reach(&app, &viewer, &player).await?;
    let snapshot = views::current(&app.views.players).await?;
    let met = blocking(move || {
        let mut met = view::opponents(&*snapshot, &player, &game, reach)?;
        met.truncate(if reach == Reach::Own { limit } else { ASKED });
        Ok(met)
    });
    let mut opponents = Vec::new();
    for (other, versus) in met.await? {
        if opponents.len() == limit {
            break;
        }
        if reach == Reach::Own || rights_at(&app, &viewer, &other).await?.statistics {
            opponents.push(told(versus, [("against", other)]));
        }
    }
    Ok(Json(json!({"opponents": opponents})))
}

fn game(params: &Params) -> Result<String, Problem> {
    Ok(params.get("game").ok_or_else(|| wrong("game is missing"))?.to_owned())
}

/// For whose eyes it is.
async fn reach(app: &App, viewer: &Viewer, player: &str) -> Result<Reach, Problem> {
    let rights = rights_at(app, viewer, player).await?;
    rights.reach().ok_or_else(|| hidden(player, "head to head"))
}

fn told<const N: usize>(versus: Versus, names: [(&str, String); N]) -> Value {
    let mut told: Map<String, Value> =
        names.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let Versus { won, lost, drawn } = versus;
    let met = [("met", versus.met()), ("won", won), ("lost", lost), ("drawn", drawn)];
    told.extend(met.map(|(name, count)| (name.to_owned(), count.into())));
    told.extend(versus.win_rate().map(|rate| ("win_rate".to_owned(), rate.into())));
    told.into()
}
