//! `GET /api/v1/calibration`: how good predictions have been, by model and by what they were about.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
};
use matchwire_domain::{
    calibration::{BINS, Bin, Key, Side, Tally},
    live_match::{Game, Games},
};
use serde_json::{Map, Value, json};

use crate::{
    app::App,
    problem::Problem,
    query::{Params, wrong},
};

/// The scores, of all models or of some.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let params = Params::parse(request.uri(), &["game", "model"])?;
    let (game, model) = (params.get("game"), params.get("model"));
    check(app.live.games(), game, model)?;
    let standing = app.calibration.standing();
    let is_wanted = |key: &Key| {
        game.is_none_or(|game| key.game == game) && model.is_none_or(|model| key.model == model)
    };
    let wanted = standing.scores.iter().filter(|(key, _)| is_wanted(key));
    let rows: Vec<Value> = wanted.map(|(key, tally)| row(key, tally)).collect();
    Ok(Json(json!({
        "complete": standing.is_complete,
        "waiting_maps": standing.waiting,
        "incomplete_maps": standing.incomplete,
        "calibration": rows,
    })))
}

/// A name that nobody has would be an empty list that looks like an answer.
fn check(games: &Games, game: Option<&str>, model: Option<&str>) -> Result<(), Problem> {
    let named = |wanted: &&Game| game.is_none_or(|name| wanted.name() == name);
    let found: Vec<&Game> = games.iter().filter(named).collect();
    if found.is_empty() {
        let known: Vec<&str> = games.iter().map(Game::name).collect();
        return Err(wrong(format!("there is no such game; known are {}", known.join(", "))));
    }
    let models: Vec<&str> = found.iter().flat_map(|game| game.models()).copied().collect();
    if model.is_some_and(|model| !models.contains(&model)) {
        return Err(wrong(format!("there is no such model; known are {}", models.join(", "))));
    }
    Ok(())
}

fn row(key: &Key, tally: &Tally) -> Value {
    let reliability: Vec<Value> =
        tally.diagrams().map(|(side, bins)| diagram(side, bins)).collect();
    let mut row = json!({
        "game": key.game,
        "model": key.model,
        "target": key.target.as_str(),
        "shadow": key.shadow,
        "predictions": tally.predictions,
        "outcomes": tally.outcomes,
        "maps": tally.maps,
        "reliability": reliability,
    });
    let figures = [("brier", tally.brier()), ("log_loss", tally.log_loss()), ("ece", tally.ece())];
    for (name, figure) in figures {
        if let (Some(row), Some(figure)) = (row.as_object_mut(), figure) {
            row.insert(name.into(), rounded(figure).into());
        }
    }
    row
}

fn diagram(side: Side, bins: &[Bin; BINS]) -> Value {
    let bins = (0_u32..).zip(bins).map(|(index, bin)| {
        let mut told = Map::new();
        told.insert("from".into(), tenths(index).into());
        told.insert("to".into(), tenths(index + 1).into());
        told.insert("count".into(), bin.count.into());
        // Of none there is no mean.
        if let Some((predicted, observed)) = bin.rates() {
            told.insert("predicted".into(), rounded(predicted).into());
            told.insert("observed".into(), rounded(observed).into());
        }
        Value::Object(told)
    });
    json!({"outcome": side.as_str(), "bins": bins.collect::<Vec<_>>()})
}

/// The edge of a bin.
fn tenths(index: u32) -> f64 {
    const { assert!(BINS == 10, "edges are tenths") };
    f64::from(index) / 10.0
}

/// To six decimals.
fn rounded(figure: f64) -> f64 {
    (figure * 1e6).round() / 1e6
}
