//! Everything that the view has of one player, for the player's own copy of it.

use matchwire_domain::activity::Activity;
use matchwire_log::view_store::{Error, Keys, Order, Snapshot};

use super::{
    ACTIVITIES, COURSES, RECORDS, activities,
    keys::{Key, read_place},
    ladders::{Ratings, course_prefix},
    records::{Record, Records, read_key},
};
use crate::{
    Key as Place,
    rating::{Rating, System},
    statistics::Split,
};

/// How many rows are read at once.
const ROWS: usize = 1_000;

/// How many activities a player has.
pub fn count_activities(snapshot: &dyn Snapshot, player: &str) -> Result<u64, Error> {
    snapshot.count(ACTIVITIES, &Keys::prefix(&Key::default().text(player).0))
}

/// Tells all activities of a player, the newest first, until `visit` says that it is enough.
pub fn each_activity(
    snapshot: &dyn Snapshot,
    player: &str,
    mut visit: impl FnMut(Activity) -> bool,
) -> Result<(), Error> {
    let mut keys = Keys::prefix(&Key::default().text(player).0);
    loop {
        let rows = snapshot.range(ACTIVITIES, &keys, Order::Ascending, ROWS)?;
        let Some(last) = rows.last() else { return Ok(()) };
        keys = keys.after(&last.key);
        for row in &rows {
            let Some(activity) = activities::read(&row.key, &row.value) else { continue };
            if !visit(activity) {
                return Ok(());
            }
        }
    }
}

/// Everything that is counted of a player, at most `limit`.
pub fn records(
    snapshot: &dyn Snapshot,
    player: &str,
    limit: usize,
) -> Result<Vec<(Split, Record)>, Error> {
    let own = Key::default().text(player).0;
    let rows = snapshot.range(RECORDS, &Keys::prefix(&own), Order::Ascending, limit)?;
    let mut all = Vec::new();
    for row in rows {
        let (Some((game, span)), Some(records)) = (read_key(&row.key), Records::read(&row.value))
        else {
            continue;
        };
        for ((format, reach), record) in records.0 {
            let (game, span) = (game.clone(), span.clone());
            all.push((Split { game, span, format, reach }, record));
        }
    }
    all.truncate(limit);
    Ok(all)
}

/// The games in which something is counted of a player, at most `limit`.
pub fn games(snapshot: &dyn Snapshot, player: &str, limit: usize) -> Result<Vec<String>, Error> {
    let own = Key::default().text(player);
    let mut keys = Keys::prefix(&own.0);
    let mut games = Vec::new();
    while games.len() < limit {
        let Some(row) = snapshot.range(RECORDS, &keys, Order::Ascending, 1)?.pop() else { break };
        let Some((game, _)) = read_key(&row.key) else {
            keys = keys.after(&row.key);
            continue;
        };
        // What comes behind the game in a key is a text, and none begins with this byte.
        let last = [&*own.clone().text(&game).0, &[u8::MAX]].concat();
        keys = keys.after(&last);
        games.push(game);
    }
    Ok(games)
}

/// Tells what a player was rated after each match of a game, the newest first, by every system that is served, until `visit`
/// says that it is enough.
pub fn each_rating(
    snapshot: &dyn Snapshot,
    player: &str,
    game: &str,
    mut visit: impl FnMut(&Place, &[(System, Rating)]) -> bool,
) -> Result<(), Error> {
    let prefix = course_prefix(game, player);
    let mut keys = Keys::prefix(&prefix);
    loop {
        let rows = snapshot.range(COURSES, &keys, Order::Descending, ROWS)?;
        let Some(last) = rows.last() else { return Ok(()) };
        keys = keys.before(&last.key);
        for row in &rows {
            let since = row.key.get(prefix.len()..).and_then(read_place);
            let ratings = serde_json::from_slice::<Ratings>(&row.value).ok();
            let (Some(since), Some(ratings)) = (since, ratings) else { continue };
            let ratings = System::SERVED.into_iter().zip(ratings.map(Rating::from_steps));
            if !visit(&since, &ratings.collect::<Vec<_>>()) {
                return Ok(());
            }
        }
    }
}
