//! `GET /api/v1/tournaments/{tournament}/matches`: the matches of a tournament.
//!
//! The stored view says which matches may be among them. Whether one is, its own stream says, as far as it is
//! seen by whoever asks: so a delayed audience learns of a match when its time has come, and a match that was moved
//! to another tournament is in that one's list alone.

use std::{sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::Response,
};
use matchwire_domain::subject;
use matchwire_log::projections::TournamentMatches;
use serde_json::{Value, json as value};

use super::{blocking, json, matches::summary_of, series, turn};
use crate::{
    app::App,
    problem::Problem,
    query::{Params, wrong},
    views,
};

/// How many matches are looked up in one go.
const PAGE: usize = 256;

pub(crate) async fn list_matches(
    State(app): State<Arc<App>>,
    Path(tournament): Path<String>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(request.uri(), &["after", "limit"])?;
    let limit = params.limit()?;
    subject::check_segment(&tournament)?;
    let after = params.get("after").map(ToOwned::to_owned);
    if let Some(after) = &after {
        subject::check_segment(after).map_err(|error| wrong(format!("after: {error}")))?;
    }
    let _turn = turn(&app).await?;
    let begun = Instant::now();
    let mut looked_up = LookUp { tournament, after };
    let (mut matches, mut last) = (Vec::new(), None);
    let mut next = None;
    'all: loop {
        let page = looked_up.next(&app).await?;
        if page.is_empty() {
            break;
        }
        for id in page {
            if series::own(&app, &id).await?.tournament.as_ref() != Some(&looked_up.tournament) {
                continue;
            }
            // Only what is seen may tell that there is more.
            if matches.len() >= limit || (last.is_some() && begun.elapsed() > app.limits.list) {
                next = last;
                break 'all;
            }
            matches.push(summary_of(&app, &id).await?);
            last = Some(id);
        }
    }
    let mut body = value!({"matches": matches});
    if let (Some(next), Value::Object(body)) = (next, &mut body) {
        body.insert("next".into(), next.into());
    }
    Ok(json(body.to_string()))
}

/// A way through the matches by which a tournament was named.
struct LookUp {
    tournament: String,
    after: Option<String>,
}

impl LookUp {
    async fn next(&mut self, app: &App) -> Result<Vec<String>, Problem> {
        let snapshot = views::current(&app.views.tournaments).await?;
        let (tournament, after) = (self.tournament.clone(), self.after.take());
        let page = blocking(move || {
            let after = after.as_deref();
            Ok(TournamentMatches::named_in(&*snapshot, &tournament, after, PAGE)?)
        });
        let page = page.await?;
        self.after = page.last().cloned();
        Ok(page)
    }
}
