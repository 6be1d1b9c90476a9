//! What players have done, what is counted of it, how they are rated, and who is first.
//!
//! All of it comes from the stored view `players`. What of a player somebody may see, [`Rights`] says, and
//! nothing else: each answer asks for them first.

mod boards;
mod ratings;
mod seen;
mod versus;

use std::{sync::Arc, time::Instant};

use axum::{
    Json,
    extract::{Path, Request, State},
    http::Uri,
};
use matchwire_domain::{
    activity::{Activity, Kind},
    timestamp::Timestamp,
};
use matchwire_players::{
    statistics::{Format, Reach, Span, Split},
    view::{self, Cursor, Feed, Filter, MAX_PAGE, Record},
};
use serde_json::{Map, Value, json};

pub(crate) use self::seen::SOMEBODY;
use self::seen::{Asked, hidden, rights_at};
pub(crate) use self::{
    boards::leaderboard,
    ratings::ratings,
    versus::{against, most_met},
};
use super::blocking;
use crate::{
    app::App,
    people::Viewer,
    problem::Problem,
    query::{Params, wrong},
    views,
};

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
    let Asked { id: player, name } = Asked::of(&app, player);
    let rights = rights_at(&app, &viewer, &player).await?;
    if !rights.activity {
        return Err(hidden(&name, "activity"));
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
    let of = app.clone();
    let page = blocking(move || {
        let hides = |it: &Activity| Ok(rights.hides(&of.strangers, &of.log, it)?);
        let feed = Feed::new(&*snapshot, &player, &filter, rights.grain_of_private());
        let page = feed.page::<Problem>(after.as_ref(), limit, hides)?;
        let activities = page.activities.iter();
        let shown = activities.filter_map(|it| rights.show(it, |id| seen::public(&of, id)));
        let shown = shown.map(|it| json!(Activity { player: name.clone(), ..it }));
        let shown: Vec<Value> = shown.collect();
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
    let Asked { id: player, name } = Asked::of(&app, player);
    let rights = rights_at(&app, &viewer, &player).await?;
    let reach = rights.reach().ok_or_else(|| hidden(&name, "statistics"))?;
    let game = params.get("game").ok_or_else(|| wrong("game is missing"))?;
    let split = split(&params, game, reach)?;
    let snapshot = views::current(&app.views.players).await?;
    blocking(move || {
        let record = view::record(&*snapshot, &player, &split)?.unwrap_or_default();
        let mut told = told(&name, &record);
        if let (false, Some(streaks)) = (rights.activity, told.get_mut("streaks")) {
            // Which match was the last, and when, is an activity.
            streaks.as_object_mut().map(|streaks| streaks.remove("last"));
        }
        Ok(Json(told.into()))
    })
    .await
}

fn told(player: &str, record: &Record) -> Map<String, Value> {
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
    told
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
