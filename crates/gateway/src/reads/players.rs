//! What players have done, what is counted of it, and who has won the most.
//!
//! All of it comes from the stored view `players`. What of a player somebody may see, [`Rights`] says, and
//! nothing else: each answer asks for them first.

use std::{sync::Arc, time::Instant};

use axum::{
    Json,
    extract::{Path, Request, State},
    http::Uri,
};
use matchwire_domain::{
    activity::Kind, player, subject::Subject, timeline::Chronicle, timestamp::Timestamp,
};
use matchwire_players::{
    rights::Rights,
    statistics::{Format, Reach, Span, Split},
    view::{self, Cursor, Feed, Filter, MAX_BEHIND, MAX_PAGE, Place, Record, Standing},
};
use serde_json::{Map, Value, json};

use super::blocking;
use crate::{
    app::App,
    people::Viewer,
    problem::{Code, Problem},
    query::{Params, wrong},
    views,
};

/// What stands for somebody whom the viewer may not know.
const SOMEBODY: &str = "[player]";
/// How many players a page of a leaderboard has, if nothing else is asked for, and at most.
const BOARD: usize = 50;
const MAX_BOARD: usize = 200;

/// What a player has done, the newest first.
pub(crate) async fn activity(
    State(app): State<Arc<App>>,
    Path(player): Path<String>,
    viewer: Viewer,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let begun = Instant::now();
    let names = ["type", "game", "from", "to", "after", "limit"];
    let params = Params::parse(request.uri(), &names)?;
    let limit = page_size(&params, MAX_PAGE, MAX_PAGE)?;
    let after = params.get("after").map(str::parse::<Cursor>).transpose();
    let after = after.map_err(|error| wrong(format!("after: {error}")))?;
    let rights = rights_at(&app, &viewer, &player).await?;
    if !rights.activity {
        return Err(hidden(&player, "activity"));
    }
    let filter = Filter {
        kind: params.get("type").map(|name| {
            let Ok(kind) = name.parse::<Kind>();
            kind
        }),
        game: params.get("game").map(ToOwned::to_owned),
        from: time(&params, "from")?,
        to: time(&params, "to")?,
    };
    let snapshot = views::current(&app.views.players).await?;
    let page = blocking(move || {
        let page = Feed::new(&*snapshot, &player, &filter).page(after.as_ref(), limit)?;
        let activities = page.activities.iter();
        let shown = activities.filter_map(|it| rights.show(it, |_| SOMEBODY.to_owned()));
        let shown: Vec<Value> = shown.map(|it| json!(it)).collect();
        let mut body = Map::from_iter([("activities".to_owned(), shown.into())]);
        body.extend(page.next.map(|next| ("next".to_owned(), next.to_string().into())));
        Ok(Json(body.into()))
    })
    .await?;
    app.meter.players.feed(begun.elapsed());
    Ok(page)
}

/// What is counted of a player.
pub(crate) async fn statistics(
    State(app): State<Arc<App>>,
    Path(player): Path<String>,
    viewer: Viewer,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let params = Params::parse(&uri, &["game", "season", "tournament", "format"])?;
    let rights = rights_at(&app, &viewer, &player).await?;
    let reach = rights.reach().ok_or_else(|| hidden(&player, "statistics"))?;
    let game = params.get("game").ok_or_else(|| wrong("game is missing"))?;
    let split = split(&params, game, reach)?;
    let snapshot = views::current(&app.views.players).await?;
    blocking(move || {
        let record = view::record(&*snapshot, &player, &split)?.unwrap_or_default();
        Ok(Json(told(&player, &record)))
    })
    .await
}

/// Those who have won the most matches.
pub(crate) async fn leaderboard(
    State(app): State<Arc<App>>,
    Path(game): Path<String>,
    viewer: Viewer,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let names = ["season", "tournament", "format", "after", "around", "limit"];
    let params = Params::parse(&uri, &names)?;
    let limit = page_size(&params, BOARD, MAX_BOARD)?;
    let split = split(&params, &game, Reach::Others)?;
    let after = params.number("after")?.map(|after| usize::try_from(after).unwrap_or(MAX_BEHIND));
    if after.is_some_and(|after| after > MAX_BEHIND) {
        return Err(wrong(format!("after must be from 0 to {MAX_BEHIND}")));
    }
    let around = params.get("around").map(ToOwned::to_owned);
    if let (Some(_), Some(_)) = (&after, &around) {
        return Err(wrong("there may be after or around, and not both"));
    }
    if let Some(around) = &around
        && !rights_at(&app, &viewer, around).await?.statistics
    {
        return Err(hidden(around, "place"));
    }
    let snapshot = views::current(&app.views.players).await?;
    let is_around = around.is_some();
    let standings = blocking(move || {
        let from = match (&after, &around) {
            (Some(after), _) => Place::Behind(*after),
            (None, Some(player)) => Place::Around(player),
            (None, None) => Place::Top,
        };
        Ok(view::board(&*snapshot, &split, from, limit)?)
    });
    let standings = standings.await?;
    let mut players = Vec::with_capacity(standings.len());
    for Standing { player, won, place } in &standings {
        // The place of somebody who is not shown is still one.
        let is_shown = rights_at(&app, &viewer, player).await?.statistics;
        players.push(if is_shown {
            json!({"place": place, "won": won, "player": player})
        } else {
            json!({"place": place, "won": won})
        });
    }
    let mut body = Map::from_iter([("players".to_owned(), players.into())]);
    // It names nobody: whoever is not shown is in it, too.
    let next = after.unwrap_or(0) + standings.len();
    let has_more = standings.len() == limit && !is_around && next <= MAX_BEHIND;
    body.extend(has_more.then(|| ("next".to_owned(), next.into())));
    Ok(Json(body.into()))
}

/// What a viewer may see of a player.
async fn rights_at(app: &App, viewer: &Viewer, owner: &str) -> Result<Rights, Problem> {
    let viewer = match viewer {
        Viewer::Person { player: Some(player) } => Some(player.clone()),
        Viewer::Person { player: None } | Viewer::Stranger => None,
    };
    let (log, owner) = (app.log.clone(), owner.to_owned());
    blocking(move || {
        let state = |id: &str| -> Result<player::State, Problem> {
            let subject = Subject::parse(&format!("player/{id}"))?;
            let mut records = Vec::new();
            let mut after = 0;
            loop {
                let page = log.read(&subject, after, 1_000)?;
                let Some(last) = page.last() else { break };
                after = last.recorded.seq;
                records.extend(page.into_iter().map(|entry| entry.recorded));
            }
            Ok(Chronicle::of(&records).state)
        };
        let own = state(&owner)?;
        let is_friend = match &viewer {
            Some(viewer) if *viewer != owner => own.is_friend(&owner, viewer, &state(viewer)?),
            _ => false,
        };
        Ok(Rights::of(viewer.as_deref(), &owner, &own, is_friend))
    })
    .await
}

/// The same whether there is such a player or not.
fn hidden(player: &str, what: &str) -> Problem {
    let detail = format!("the {what} of {player} is not for you to see, if there is such a player");
    Problem::new(Code::Forbidden, detail)
}

fn told(player: &str, record: &Record) -> Value {
    let mut told = match json!(record) {
        Value::Object(told) => told,
        _ => Map::new(),
    };
    let tally = &record.tally;
    told.insert("player".into(), player.into());
    told.extend(tally.win_rate().map(|rate| ("win_rate".to_owned(), rate.into())));
    let per_match = |feat: &String| Some((feat.clone(), tally.per_match(feat)?.into()));
    let rates: Map<String, Value> = tally.feats.keys().filter_map(per_match).collect();
    if !rates.is_empty() {
        told.insert("per_match".into(), rates.into());
    }
    told.into()
}

fn split(params: &Params, game: &str, reach: Reach) -> Result<Split, Problem> {
    let span = match (params.get("season"), params.get("tournament")) {
        (None, None) => Span::Always,
        (Some(season), None) => Span::Season(season.to_owned()),
        (None, Some(tournament)) => Span::Tournament(tournament.to_owned()),
        (Some(_), Some(_)) => return Err(wrong("there may be a season or a tournament")),
    };
    let format = match params.get("format") {
        None | Some("both") => Format::Both,
        Some("solo") => Format::Solo,
        Some("team") => Format::Team,
        Some(_) => return Err(wrong("format must be solo, team or both")),
    };
    Ok(Split { game: game.to_owned(), span, format, reach })
}

fn page_size(params: &Params, usual: usize, most: usize) -> Result<usize, Problem> {
    let limit = params.number("limit")?.map_or(Ok(usual), usize::try_from);
    limit
        .ok()
        .filter(|limit| (1..=most).contains(limit))
        .ok_or_else(|| wrong(format!("limit must be from 1 to {most}")))
}

fn time(params: &Params, name: &str) -> Result<Option<Timestamp>, Problem> {
    let parse = |text: &str| {
        Timestamp::parse(text).map_err(|_| wrong(format!("{name} must be a time, RFC 3339")))
    };
    params.get(name).map(parse).transpose()
}
