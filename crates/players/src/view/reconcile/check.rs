//! Looks at one match, tournament or player by itself, and says exactly what is wrong.

use std::collections::BTreeMap;

use matchwire_domain::activity::{Activity, Deed, Kind};
use matchwire_log::{
    projection::Position,
    view_store::{Error, Keys, Order, Snapshot},
};

use super::{
    super::{
        ACTIVITIES, Players, SOURCES, activities,
        keys::{Key, owners_of_activity, read_text},
        rows::{DERIVED, is_by_player, is_player},
        streams::{Streams, failed},
    },
    Source,
    recount::Recount,
    report::{Difference, RowDrift},
    right::Right,
    scratch::{Content, Stored, pages},
    sums::hash,
    sweep::is_noted,
};

/// What is found of a match or a tournament.
pub(super) enum Found {
    /// It is as the log says.
    Right,
    /// It is not, for good.
    Wrong(Vec<Difference>),
    /// It is not, but there are events of it that the view need not have seen yet.
    Unsettled,
    /// It cannot be told, as a part of its events is not in the log any more, or damaged.
    Partial,
}

/// What stands, and how often, by player, kind and the hash of it.
type Standing = BTreeMap<(String, Kind, u64), (Deed, i64)>;

/// The activities of a match or a tournament that stand, by player, kind and what is told of it; and the players of those that
/// cannot be read.
fn stored(
    view: &(impl Stored + ?Sized),
    source: &Source,
) -> Result<(Standing, Vec<String>), Error> {
    let prefix = source.key();
    let mut standing = Standing::new();
    let mut unreadable = Vec::new();
    pages(view, SOURCES, Keys::prefix(&prefix), Order::Ascending, |page| {
        for row in page {
            let key = row.key.get(prefix.len()..).unwrap_or_default();
            let value = view.get(ACTIVITIES, key)?.unwrap_or_default();
            let activity = activities::read(key, &value);
            let Some(activity) = activity.filter(|it| Key::of_activity(it).0 == key) else {
                let player = owners_of_activity(key).and_then(|(player, _)| read_text(player));
                unreadable.push(player.map(|(player, _)| player).unwrap_or_default());
                continue;
            };
            let sign = if activity.is_reversal() { -1 } else { 1 };
            let Activity { player, kind, deed, .. } = activity;
            let key = (player, kind, hash(&deed));
            standing.entry(key).or_insert((deed, 0)).1 += sign;
        }
        Ok(())
    })?;
    standing.retain(|_, (_, times)| *times != 0);
    Ok((standing, unreadable))
}

/// Compares what stands of a match or a tournament with what the log says.
pub(super) fn source(
    players: &Players,
    view: &dyn Snapshot,
    seen: &Position,
    source: &Source,
    only: Option<&str>,
) -> Result<Found, Error> {
    let right = players.right(view, source, &mut |name| Streams::tournament(&players.log, name))?;
    let (mut standing, unreadable) = stored(view, source)?;
    let mut differences: Vec<Difference> = unreadable
        .into_iter()
        .map(|player| Difference {
            player,
            kind: String::new(),
            stored: None,
            right: None,
            times: 0,
        })
        .collect();
    for ((player, kind), deed) in &right.deeds {
        let key = (player.clone(), kind.clone(), hash(deed));
        let times = standing.remove(&key).map_or(0, |(_, times)| times);
        if times != 1 {
            differences.push(Difference::new(
                player,
                kind,
                (times != 0).then_some(deed),
                Some(deed),
                times,
            ));
        }
    }
    for ((player, kind, _), (deed, times)) in &standing {
        differences.push(Difference::new(player, kind, Some(deed), None, *times));
    }
    if let Some(only) = only {
        differences.retain(|difference| difference.player == only);
    }
    let is_noted = only.is_some() || is_noted(view, source, &right)?;
    if differences.is_empty() && is_noted {
        return Ok(Found::Right);
    }
    if !right.is_whole {
        return Ok(Found::Partial);
    }
    if is_quiet(players, seen, &right)? {
        Ok(Found::Wrong(differences))
    } else {
        Ok(Found::Unsettled)
    }
}

/// Whether no event of its streams came behind what a view has seen.
fn is_quiet(players: &Players, seen: &Position, right: &Right) -> Result<bool, Error> {
    for stream in &right.streams {
        let head = players.log.head(stream).map_err(|error| failed(&error))?;
        let before = players.log.seq_before(stream, seen.from + 1);
        if head != before.map_err(|error| failed(&error))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The rows of a player that are stored in the tables that are made of activities; `others` are the keys of those that do not begin with
/// the player.
pub(super) fn derived(
    view: &(impl Stored + ?Sized),
    player: &[u8],
    others: &[(&'static str, Vec<u8>)],
) -> Result<Content, Error> {
    let mut rows = Content::new();
    for table in DERIVED {
        if is_by_player(table) && is_player(player) {
            pages(view, table, Keys::prefix(player), Order::Ascending, |page| {
                rows.extend(page.into_iter().map(|row| ((table.name(), row.key), row.value)));
                Ok(())
            })?;
            continue;
        }
        for (_, key) in others.iter().filter(|(name, _)| *name == table.name()) {
            if let Some(value) = view.get(table, key)? {
                rows.insert((table.name(), key.clone()), value);
            }
        }
    }
    Ok(rows)
}

/// Compares what is counted of a player with what it comes to.
pub(super) fn player(
    view: &dyn Snapshot,
    key: &[u8],
    others: &[(&'static str, Vec<u8>)],
) -> Result<Vec<RowDrift>, Error> {
    let name = read_text(key).map(|(name, _)| name).unwrap_or_default();
    let right = Recount::of(view, &name)?;
    let stored = derived(view, key, others)?;
    let mut drift = Vec::new();
    for table in DERIVED {
        let of = |rows: &Content| -> Vec<Vec<u8>> {
            rows.keys()
                .filter(|(name, _)| *name == table.name())
                .map(|(_, key)| key.clone())
                .collect()
        };
        let mut keys = of(&right);
        keys.extend(of(&stored));
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let at = (table.name(), key);
            let (is, should) = (stored.get(&at), right.get(&at));
            if is != should {
                drift.push(RowDrift::new(table, &at.1, is, should));
            }
        }
    }
    Ok(drift)
}
