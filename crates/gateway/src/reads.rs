//! What can be asked for: events, states and predictions.

mod by_time;
mod calibration;
mod events;
mod many;
mod matches;
mod players;
mod predictions;
mod proof;
mod series;
mod stats;
mod summary;
mod tournaments;

use axum::{
    body::Body,
    http::{HeaderValue, Response, header},
};
use bytes::Bytes;
use matchwire_domain::{
    envelope::Recorded,
    subject::{self, Subject},
};
use matchwire_log::Log;
use tokio::sync::SemaphorePermit;

/// How many events of a stream are read at once.
const PAGE_EVENTS: usize = 1_000;

pub(crate) use self::{
    by_time::list as list_events_of_match,
    calibration::show as calibration,
    events::list as list_events,
    matches::{list as list_matches, map, of_match},
    players::{
        SOMEBODY, activity as activity_of_player, against as versus_of_player, leaderboard,
        most_met as opponents_of_player, ratings as ratings_of_player,
        statistics as statistics_of_player,
    },
    predictions::{latest, of_map as predictions_of_map},
    proof::proof,
    series::standing,
    stats::{of_map as stats_of_map, of_match as stats_of_match},
    summary::Summaries,
    tournaments::list_matches as list_matches_of_tournament,
};
use crate::{
    app::App,
    problem::{Code, Problem},
};

/// A body that is JSON already.
fn json(body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// The stream of a map that the path names.
fn map_subject(match_id: &str, map: &str) -> Result<Subject, Problem> {
    subject::check_segment(match_id)?;
    Ok(Subject::match_map(match_id, subject::parse_map(map)?)?)
}

fn not_found(what: impl std::fmt::Display) -> Problem {
    Problem::new(Code::NotFound, format!("there is no {what}"))
}

/// Waits for its turn to do what takes longer than a moment.
pub(crate) async fn turn(app: &App) -> Result<SemaphorePermit<'_>, Problem> {
    app.heavy.acquire().await.map_err(|_| Problem::new(Code::Busy, "the server is going away"))
}

/// All events of a stream that are there. For streams of which few are long: those of players.
pub(crate) fn all_of(log: &Log, subject: &Subject) -> Result<Vec<Recorded>, Problem> {
    let mut all = Vec::new();
    let mut after = 0;
    loop {
        let page = log.read(subject, after, PAGE_EVENTS)?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.recorded.seq;
        all.extend(page.into_iter().map(|entry| entry.recorded));
    }
}

/// Runs what may block on the disk where it blocks nobody else.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Problem::new(Code::Internal, "the read failed")))
}
