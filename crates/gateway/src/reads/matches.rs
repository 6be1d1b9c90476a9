//! `GET /api/v1/matches` and below: the list, a match, a map; now or as of an event.

use std::{sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::Response,
};
use matchwire_domain::{
    series::MapOfSeries,
    subject::{self, Kind, Subject},
};
use matchwire_log::View;
use serde_json::{Map, Value, json as value};

use super::{json, map_subject, not_found, series, turn};
use crate::{
    app::App,
    problem::Problem,
    query::{Params, wrong},
    topic::{self, Topic},
};

/// How many subjects are looked at on the way from one match to the next.
const LOOK_AHEAD: usize = 256;
/// So many maps of a match are read without waiting for a turn; it is what a match mostly has.
const FEW_MAPS: usize = 5;

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(request.uri(), &["after", "limit"])?;
    let limit = params.limit()?;
    let mut after = params.get("after").map(ToOwned::to_owned);
    if let Some(after) = &after {
        subject::check_segment(after).map_err(|error| wrong(format!("after: {error}")))?;
    }
    let _turn = turn(&app).await?;
    let begun = Instant::now();
    let mut matches = Vec::new();
    let mut next = next_match(app.live.log(), after.as_deref())?;
    // What was never folded is folded now: a list that takes too long ends early, with a next.
    while let Some(match_id) = next.take() {
        if matches.len() >= limit || (!matches.is_empty() && begun.elapsed() > app.limits.list) {
            next = after;
            break;
        }
        matches.push(summary_of(&app, &match_id).await?);
        next = next_match(app.live.log(), Some(&match_id))?;
        after = Some(match_id);
    }
    let mut body = value!({"matches": matches});
    if let (Some(next), Value::Object(body)) = (next, &mut body) {
        body.insert("next".into(), next.into());
    }
    Ok(json(body.to_string()))
}

/// What a list tells of a match.
pub(super) async fn summary_of(app: &App, match_id: &str) -> Result<Value, Problem> {
    let (mut maps, mut all) = (Map::new(), Vec::new());
    for stream in maps_of(app.live.log(), match_id)? {
        let kept = app.summaries.of(&app.live, &stream).await?;
        maps.insert(topic::number(&stream).to_string(), kept.summary.clone());
        all.push(kept);
    }
    let mut summary = series::summary(&series::own(app, match_id).await?, &all);
    summary.insert("match".into(), match_id.into());
    summary.insert("maps".into(), maps.into());
    Ok(summary.into())
}

/// The first match after another, by name.
fn next_match(log: &View, after: Option<&str>) -> Result<Option<String>, Problem> {
    // Everything of the match `m` sorts as `match/m` or starts with `match/m/`; other matches that
    // start with `m` lie before and between those.
    let mut from = after.map(|after| format!("match/{after}"));
    loop {
        let subjects = log.subjects("match/", from.as_deref(), LOOK_AHEAD)?;
        for subject in &subjects {
            let (Kind::Match(id) | Kind::MatchMap(id, _)) = subject.kind() else { continue };
            if after.is_none_or(|after| id > after) {
                return smallest(log, id, after).map(Some);
            }
        }
        let Some(last) = subjects.last() else { return Ok(None) };
        from = Some(last.as_str().to_owned());
    }
}

/// Of a match and those whose names it starts with, the first one after another: `a/1` sorts after
/// `a-b/1`, but the match `a` comes before `a-b`.
fn smallest(log: &View, id: &str, after: Option<&str>) -> Result<String, Problem> {
    let exists = |id: &str| -> Result<bool, Problem> {
        if !log.subjects(&format!("match/{id}/"), None, 1)?.is_empty() {
            return Ok(true);
        }
        match log.head(&Subject::parse(&format!("match/{id}"))?) {
            Ok(head) => Ok(head > 0),
            // Behind damage nobody can say; what has events anywhere is found by its subject.
            Err(error) if error.is_partial() => Ok(false),
            Err(error) => Err(error.into()),
        }
    };
    let prefixes = (1..id.len()).filter_map(|end| id.get(..end));
    for prefix in prefixes.filter(|prefix| after.is_none_or(|after| *prefix > after)) {
        if exists(prefix)? {
            return Ok(prefix.to_owned());
        }
    }
    Ok(id.to_owned())
}

pub(super) fn maps_of(log: &View, match_id: &str) -> Result<Vec<Subject>, Problem> {
    let topic = Topic::parse(&format!("match/{match_id}")).map_err(wrong)?;
    let mut maps = topic.streams(log)?;
    maps.retain(|stream| topic::number(stream) > 0);
    maps.sort_by_key(topic::number);
    Ok(maps)
}

/// A match with the states of its maps.
pub(crate) async fn of_match(
    State(app): State<Arc<App>>,
    Path(match_id): Path<String>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    Params::parse(request.uri(), &[])?;
    let subject = Subject::parse(&format!("match/{match_id}"))?;
    let streams = maps_of(app.live.log(), &match_id)?;
    if streams.is_empty() && app.live.log().head(&subject)? == 0 {
        return Err(not_found(format!("match {match_id}")));
    }
    // Maps that nobody follows are folded now, which takes a while if there are many.
    let _turn = if streams.len() > FEW_MAPS { Some(turn(&app).await?) } else { None };
    let mut states = Vec::with_capacity(streams.len());
    for stream in &streams {
        states.push(app.live.state(stream).await?);
    }
    let maps: Vec<_> = streams
        .iter()
        .zip(&states)
        .map(|(stream, state)| {
            MapOfSeries::read(app.live.games(), topic::number(stream), state.text())
        })
        .collect();
    let own = series::own(&app, &match_id).await?;
    let standing = series::standing_json(&own, &maps);
    let series = app.live.state(&subject).await?;
    let series = series.text();
    let head = format!(
        "{{\"match\":\"{match_id}\",\"standing\":{standing},\"series\":{series},\"maps\":{{"
    );
    let mut text = head.into_bytes();
    for (index, (stream, state)) in streams.iter().zip(&states).enumerate() {
        let comma = if index > 0 { "," } else { "" };
        text.extend_from_slice(format!("{comma}\"{}\":", topic::number(stream)).as_bytes());
        text.extend_from_slice(state.text().as_bytes());
    }
    text.extend_from_slice(b"}}");
    Ok(json(text))
}

/// The state of a map.
pub(crate) async fn map(
    State(app): State<Arc<App>>,
    Path((match_id, map)): Path<(String, String)>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(request.uri(), &["at_seq"])?;
    let subject = map_subject(&match_id, &map)?;
    let head = app.live.log().head(&subject)?;
    if head == 0 {
        return Err(not_found(format!("map {map} of match {match_id}")));
    }
    match params.number("at_seq")? {
        None => Ok(json(app.live.state(&subject).await?.text().to_owned())),
        Some(seq) => {
            let _turn = turn(&app).await?;
            let state = app.live.state_at(&subject, seq).await?;
            let state = state.ok_or_else(|| {
                not_found(format!("event {seq} in {subject}; the last one is {head}"))
            })?;
            Ok(json(state))
        }
    }
}
