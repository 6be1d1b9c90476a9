//! Leaderboards: who has won the most, and who is rated the highest, among all or among friends.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::Uri,
};
use matchwire_log::{Log, view_store::Snapshot};
use matchwire_players::{
    rating::{Rating, System},
    rights::Rights,
    statistics::{Reach, Split},
    view::{self, Course, MAX_BEHIND, Place},
};
use serde_json::{Map, Value, json};

use super::{
    page_size,
    seen::{Asked, hidden, rights_at, state},
    split,
};
use crate::{
    app::App,
    people::Viewer,
    problem::{Challenge, Problem},
    query::{Params, wrong},
    reads::{blocking, turn},
    views,
};

/// How many players a page of a leaderboard has, if nothing else is asked for, and at most.
const BOARD: usize = 50;
const MAX_BOARD: usize = 200;
/// How many friends are looked at: those whom the viewer named first.
const FRIENDS: usize = 1_000;

/// What a leaderboard is ordered by.
enum By {
    /// Matches won.
    Won(Split),
    /// What the rating is at least.
    Rating { game: String, system: System },
}

/// Somebody on a leaderboard.
struct Standing {
    player: String,
    place: u64,
    score: Score,
}

/// What it is for.
enum Score {
    Won(u64),
    Rating(Rating, System),
}

/// Those who have won the most matches, or are rated the highest.
pub(crate) async fn leaderboard(
    State(app): State<Arc<App>>,
    Path(game): Path<String>,
    viewer: Viewer,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let names = ["by", "among", "season", "tournament", "format", "after", "around", "limit"];
    let params = Params::parse(&uri, &names)?;
    let limit = page_size(&params, BOARD, MAX_BOARD)?;
    let by = By::of(&params, &game)?;
    let after = params.number("after")?.map(|after| usize::try_from(after).unwrap_or(MAX_BEHIND));
    if after.is_some_and(|after| after > MAX_BEHIND) {
        return Err(wrong(format!("after must be from 0 to {MAX_BEHIND}")));
    }
    let around = params.get("around").map(ToOwned::to_owned);
    match (params.get("among"), &after, &around) {
        (_, Some(_), Some(_)) => Err(wrong("there may be after or around, and not both")),
        (Some("friends"), _, None) => {
            among_friends(&app, &viewer, by, after.unwrap_or(0), limit).await
        }
        (Some("friends"), ..) => Err(wrong("around is for everybody; among friends there are few")),
        (None | Some("all"), ..) => among_all(&app, &viewer, by, (after, around), limit).await,
        (Some(_), ..) => Err(wrong("among must be all or friends")),
    }
}

async fn among_all(
    app: &App,
    viewer: &Viewer,
    by: By,
    (after, around): (Option<usize>, Option<String>),
    limit: usize,
) -> Result<Json<Value>, Problem> {
    let around = around.map(|name| Asked::of(app, name));
    if let Some(Asked { id, name }) = &around
        && !rights_at(app, viewer, id).await?.statistics
    {
        return Err(hidden(name, "place"));
    }
    let snapshot = views::current(&app.views.players).await?;
    let asked = around.as_ref().map(|it| (it.id.clone(), it.name.clone()));
    let (standings, is_folded) = blocking(move || {
        let from = match (&after, &around) {
            (Some(after), _) => Place::Behind(*after),
            (None, Some(player)) => Place::Around(&player.id),
            (None, None) => Place::Top,
        };
        Ok((by.page(&*snapshot, from, limit)?, by.is_folded(&*snapshot)?))
    })
    .await?;
    let mut players = Vec::with_capacity(standings.len());
    for standing in &standings {
        // The place of somebody who is not shown is still one.
        let is_shown = rights_at(app, viewer, &standing.player).await?.statistics;
        let asked = asked.as_ref().filter(|(id, _)| *id == standing.player);
        let name = asked.map_or(&standing.player, |(_, name)| name);
        players.push(standing.told(is_shown.then_some(name)));
    }
    // It names nobody: whoever is not shown is in it, too.
    let next = after.unwrap_or(0) + standings.len();
    let has_more = standings.len() == limit && asked.is_none() && next <= MAX_BEHIND;
    Ok(body(players, has_more.then_some(next), is_folded))
}

/// Among the viewer and those friends whose statistics the viewer may see. Everybody has the place that they have among these.
async fn among_friends(
    app: &App,
    viewer: &Viewer,
    by: By,
    after: usize,
    limit: usize,
) -> Result<Json<Value>, Problem> {
    if matches!(viewer, Viewer::Stranger) {
        let detail =
            "a stranger has no friends: send a person's token as Authorization: Bearer TOKEN";
        return Err(Problem::challenging(Challenge::NoToken, detail));
    }
    let Some(own) = viewer.player().map(ToOwned::to_owned) else {
        return Ok(body(Vec::new(), None, true));
    };
    let _turn = turn(app).await?;
    let snapshot = views::current(&app.views.players).await?;
    let log = app.log.clone();
    blocking(move || {
        let mut all = Vec::new();
        for player in friends(&log, &own)?.into_iter().chain([own]) {
            all.extend(
                by.score_of(&*snapshot, &player)?.map(|(rank, score)| (rank, player, score)),
            );
        }
        all.sort_by(|(rank, player, _), (other_rank, other, _)| {
            other_rank.total_cmp(rank).then_with(|| player.cmp(other))
        });
        let mut standings: Vec<Standing> = Vec::with_capacity(all.len());
        let mut last: Option<f64> = None;
        for (count, (rank, player, score)) in (1..).zip(all) {
            let place = match (last, standings.last()) {
                (Some(before), Some(last)) if before.total_cmp(&rank).is_eq() => last.place,
                _ => count,
            };
            last = Some(rank);
            standings.push(Standing { player, place, score });
        }
        let next = after.saturating_add(limit);
        let has_more = standings.len() > next && next <= MAX_BEHIND;
        let page = standings.iter().skip(after).take(limit);
        let players = page.map(|standing| standing.told(Some(&standing.player))).collect();
        Ok(body(players, has_more.then_some(next), by.is_folded(&*snapshot)?))
    })
    .await
}

/// The friends of a player whose statistics the player may see.
fn friends(log: &Log, own: &str) -> Result<Vec<String>, Problem> {
    let state_of_own = state(log, own)?;
    let mut named: Vec<_> = state_of_own.friends.iter().collect();
    named.sort_by_key(|(_, since)| **since);
    let mut seen = Vec::new();
    for (friend, _) in named.into_iter().take(FRIENDS) {
        let theirs = state(log, friend)?;
        let is_friend = theirs.is_friend(friend, own, &state_of_own);
        if is_friend && Rights::of(Some(own), friend, &theirs, is_friend).statistics {
            seen.push(friend.clone());
        }
    }
    Ok(seen)
}

fn body(players: Vec<Value>, next: Option<usize>, is_folded: bool) -> Json<Value> {
    let mut body = Map::from_iter([("players".to_owned(), players.into())]);
    body.extend(next.map(|next| ("next".to_owned(), next.into())));
    body.extend((!is_folded).then(|| ("folding".to_owned(), true.into())));
    Json(body.into())
}

impl By {
    fn of(params: &Params, game: &str) -> Result<Self, Problem> {
        let Some(name) = params.get("by").filter(|name| *name != "won") else {
            return Ok(Self::Won(split(params, game, Reach::Others)?));
        };
        let system = served(name).ok_or_else(|| wrong("by must be won, glicko-2 or openskill"))?;
        if let Some(of) =
            ["season", "tournament", "format"].into_iter().find(|of| params.get(of).is_some())
        {
            let what = format!("{of} is for by=won: ratings are of all that was played of a game");
            return Err(wrong(what));
        }
        Ok(Self::Rating { game: game.to_owned(), system })
    }

    fn page(
        &self,
        snapshot: &dyn Snapshot,
        from: Place<'_>,
        limit: usize,
    ) -> Result<Vec<Standing>, Problem> {
        Ok(match self {
            Self::Won(split) => {
                let board = view::board(snapshot, split, from, limit)?.into_iter();
                let standing = |view::Standing { player, won, place }| Standing {
                    player,
                    place,
                    score: Score::Won(won),
                };
                board.map(standing).collect()
            }
            Self::Rating { game, system } => {
                let ladder = view::ladder(snapshot, game, *system, from, limit)?.into_iter();
                let standing = |view::Rung { player, rating, place }| Standing {
                    player,
                    place,
                    score: Score::Rating(rating, *system),
                };
                ladder.map(standing).collect()
            }
        })
    }

    /// What a player has, and the number by which that is ordered; nothing if the player is not on the leaderboard.
    #[allow(clippy::cast_precision_loss, reason = "nobody wins 2^53 matches")]
    fn score_of(
        &self,
        snapshot: &dyn Snapshot,
        player: &str,
    ) -> Result<Option<(f64, Score)>, Problem> {
        Ok(match self {
            Self::Won(split) => {
                let won = view::record(snapshot, player, split)?.map_or(0, |it| it.tally.won);
                let won = u64::try_from(won).unwrap_or(0);
                (won > 0).then_some((won as f64, Score::Won(won)))
            }
            Self::Rating { game, system } => {
                let rated = view::rated(snapshot, Course { player, game, system: *system })?;
                rated.map(|it| (it.rating.floor(*system), Score::Rating(it.rating, *system)))
            }
        })
    }

    fn is_folded(&self, snapshot: &dyn Snapshot) -> Result<bool, Problem> {
        match self {
            Self::Won(_) => Ok(true),
            Self::Rating { game, .. } => Ok(view::is_folded(snapshot, game)?),
        }
    }
}

/// A rating system by its name, if players are rated by it for everybody.
pub(super) fn served(name: &str) -> Option<System> {
    name.parse().ok().filter(|system| System::SERVED.contains(system))
}

impl Standing {
    /// As it is told, with the name by which the player is shown, if at all.
    fn told(&self, name: Option<&str>) -> Value {
        let mut told = match &self.score {
            Score::Won(won) => json!({"place": self.place, "won": won}),
            Score::Rating(rating, system) => {
                let Rating { rating: middle, deviation, .. } = rating;
                json!({
                    "place": self.place,
                    "floor": rating.floor(*system),
                    "rating": middle,
                    "deviation": deviation,
                })
            }
        };
        if let (Value::Object(told), Some(name)) = (&mut told, name) {
            told.insert("player".into(), name.into());
        }
        told
    }
}
