//! Everything that the view has of one player, for the player's own copy of it.

use matchwire_domain::activity::Activity;
use matchwire_log::view_store::{Error, Keys, Order, Snapshot};

use super::{
    ACTIVITIES, RECORDS, activities,
    keys::Key,
    records::{Record, Records, read_key},
};
use crate::statistics::Split;

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
