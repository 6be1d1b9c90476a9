//! A match as a whole, put together from its own stream and its maps.

use std::sync::Arc;

use matchwire_domain::{
    series::{MapOfSeries, Standing, State},
    subject::Subject,
};
use serde_json::{Map, Value};

use super::{matches::maps_of, summary::Kept};
use crate::{app::App, problem::Problem};

/// What of the match's own state a list has.
const FIELDS: [&str; 8] =
    ["game", "best_of", "tournament", "stage", "teams", "starts", "server", "ruling"];

/// The match's own stream, folded; without events it is a match of which nothing was told.
pub(super) async fn own(app: &App, match_id: &str) -> Result<State, Problem> {
    let subject = Subject::parse(&format!("match/{match_id}"))?;
    Ok(app.live.series(&subject).await?)
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
