//! What is counted of a player, and who has won the most.

use matchwire_log::view_store::{Error, Keys, Order, Snapshot};

use super::{
    BOARDS, RECORDS,
    keys::{Key, read_number, read_text},
    rows::{Record, board_key, board_prefix, record_key},
};
use crate::statistics::Split;

/// How far down a leaderboard can be read; whoever is further down is found by the way around them.
pub const MAX_BEHIND: usize = 10_000;

/// A player on a leaderboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The player.
    pub player: String,
    /// How many matches the player has won.
    pub won: u64,
    /// The place: one more than there are who have won more, so that those who have won as many share it.
    pub place: u64,
}

/// Where on a leaderboard to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// With the first.
    Top,
    /// So that a player is in the middle; nothing is found of one who is not on it.
    Around(&'a str),
    /// Behind so many, at most [`MAX_BEHIND`].
    Behind(usize),
}

/// What is counted of a player within a split; nothing if there is nothing.
pub fn record(
    snapshot: &dyn Snapshot,
    player: &str,
    split: &Split,
) -> Result<Option<Record>, Error> {
    let stored = snapshot.get(RECORDS, &record_key(player, split))?;
    Ok(stored.and_then(|value| serde_json::from_slice(&value).ok()))
}

/// Those who have won the most within a split, at most `limit`.
pub fn board(
    snapshot: &dyn Snapshot,
    split: &Split,
    from: Place<'_>,
    limit: usize,
) -> Result<Vec<Standing>, Error> {
    let prefix = board_prefix(split);
    let all = Keys::prefix(&prefix.0);
    let rows = match from {
        Place::Top => snapshot.range(BOARDS, &all, Order::Ascending, limit)?,
        Place::Behind(count) => {
            let count = count.min(MAX_BEHIND);
            let mut rows = snapshot.range(BOARDS, &all, Order::Ascending, count + limit)?;
            rows.split_off(count.min(rows.len()))
        }
        Place::Around(player) => {
            let Some(own) = record(snapshot, player, split)? else { return Ok(Vec::new()) };
            let key = board_key(split, own.tally.won, player);
            if snapshot.get(BOARDS, &key)?.is_none() {
                return Ok(Vec::new());
            }
            let above = all.clone().before(&key);
            let mut rows = snapshot.range(BOARDS, &above, Order::Descending, limit / 2)?;
            rows.reverse();
            let rest = limit - rows.len();
            let from_own = snapshot.range(BOARDS, &all.from_key(&key), Order::Ascending, rest)?;
            rows.extend(from_own);
            rows
        }
    };
    let mut standings: Vec<Standing> = Vec::with_capacity(rows.len());
    for row in rows {
        let rest = row.key.get(prefix.0.len()..).unwrap_or_default();
        let number = read_number(rest).map(|most_first| !most_first);
        let player = rest.get(size_of::<u64>()..).and_then(read_text);
        let (Some(won), Some((player, _))) = (number, player) else { continue };
        let place = match standings.last() {
            Some(last) if last.won == won => last.place,
            _ => 1 + snapshot.count(BOARDS, &better(split, &prefix, won))?,
        };
        standings.push(Standing { player, won, place });
    }
    Ok(standings)
}

/// The keys of those who have won more.
fn better(split: &Split, prefix: &Key, won: u64) -> Keys {
    let first = board_key(split, i64::try_from(won).unwrap_or(i64::MAX), "");
    // A name that is nothing comes before all others.
    let until = first.get(..prefix.0.len() + size_of::<u64>()).unwrap_or(&first);
    Keys::prefix(&prefix.0).before(until)
}
