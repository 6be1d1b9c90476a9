//! A match as a whole, put together from its own stream and its maps.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use matchwire_domain::{
    live_match::{Game, Games},
    series::{MapOfSeries, Standing, State},
    subject::Subject,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{matches::maps_of, summary::Kept};
use crate::{app::App, problem::Problem, topic};

/// What of the match's own state a list has.
const FIELDS: [&str; 8] =
    ["game", "best_of", "tournament", "stage", "teams", "starts", "server", "ruling"];

/// The match's own stream, folded; without events it is a match of which nothing was told.
pub(super) async fn own(app: &App, match_id: &str) -> Result<State, Problem> {
    let subject = Subject::parse(&format!("match/{match_id}"))?;
    Ok(app.live.series(&subject).await?)
}

/// What of a map's state its match looks at. A game that has less of it tells less.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    game: String,
    status: String,
    teams: Vec<Team>,
    players: BTreeMap<String, Person>,
    winner: Option<usize>,
    prediction: Option<Odds>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Team {
    name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Person {
    team: Option<usize>,
}

#[derive(Deserialize)]
struct Odds {
    map: [f64; 2],
}

/// What a map's state, as JSON, tells of it within its match.
pub(super) fn map_of_series(games: &Games, subject: &Subject, state: &str) -> MapOfSeries {
    // A game of its own kind may have other things in these places; then it tells nothing here.
    let told: Told = serde_json::from_str(state).unwrap_or_default();
    let mut players = [BTreeSet::new(), BTreeSet::new()];
    for (id, person) in told.players {
        if let Some(players) = person.team.and_then(|team| players.get_mut(team)) {
            players.insert(id);
        }
    }
    let mut names = told.teams.into_iter().map(|team| team.name);
    MapOfSeries {
        number: topic::number(subject),
        names: [names.next().flatten(), names.next().flatten()],
        players,
        is_match: games.named(&told.game).is_some_and(Game::is_one_map),
        is_over: told.status == "ended",
        is_on: matches!(told.status.as_str(), "live" | "paused"),
        winner: told.winner,
        odds: told.prediction.map(|odds| odds.map),
    }
}

/// What a list tells of the match as a whole, beside its maps.
pub(super) fn summary(own: &State, maps: &[Arc<Kept>]) -> Map<String, Value> {
    let maps: Vec<MapOfSeries> = maps.iter().filter_map(|kept| kept.map.clone()).collect();
    let mut summary = Map::new();
    if own.course.seq > 0 {
        let state = serde_json::to_value(own).unwrap_or_default();
        let field = |name: &str| Some((name.to_owned(), state.get(name)?.clone()));
        summary.insert("series".into(), FIELDS.into_iter().filter_map(field).collect());
    }
    summary.insert("standing".into(), standing_json(own, &maps));
    summary
}

/// Where a match stands, of which this is the own stream.
pub(crate) async fn standing(app: &App, subject: &Subject) -> Result<Standing, Problem> {
    let own = app.live.series(subject).await?;
    let mut maps = Vec::new();
    for stream in maps_of(app.live.log(), subject.as_str().trim_start_matches("match/"))? {
        maps.extend(app.summaries.of(&app.live, &stream).await?.map.clone());
    }
    Ok(Standing::of(&own, &maps))
}

/// Where the match stands, as JSON.
pub(super) fn standing_json(own: &State, maps: &[MapOfSeries]) -> Value {
    serde_json::to_value(Standing::of(own, maps)).unwrap_or_default()
}
