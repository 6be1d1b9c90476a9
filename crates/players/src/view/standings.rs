//! What is counted of a player, and who has won the most.

use matchwire_log::view_store::{Error, Keys, Order, Row, Snapshot, Table};

use super::{
    BOARDS, RECORDS,
    keys::{read_number, read_text},
    records::{Record, Records, board_key, board_prefix, record_key},
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
    let stored = snapshot.get(RECORDS, &record_key(player, &split.game, &split.span))?;
    let records = stored.and_then(|value| Records::read(&value));
    Ok(records.and_then(|mut records| records.0.remove(&(split.format, split.reach))))
}

/// Players by a number, the first ones first: a table whose keys have it behind a prefix, and then the player.
pub(super) struct Ranking {
    pub(super) table: Table,
    pub(super) prefix: Vec<u8>,
}

/// A player in a ranking.
pub(super) struct Ranked {
    pub(super) number: u64,
    pub(super) player: String,
    pub(super) place: u64,
    pub(super) value: Vec<u8>,
}

impl Ranking {
    /// Some of it, at most `limit`; `own` is the key of the player around whom it is to be.
    pub(super) fn page(
        &self,
        snapshot: &dyn Snapshot,
        from: Place<'_>,
        own: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Ranked>, Error> {
        let mut all: Vec<Ranked> = Vec::new();
        for row in self.rows(snapshot, from, own, limit)? {
            let rest = row.key.get(self.prefix.len()..).unwrap_or_default();
            let player = rest.get(size_of::<u64>()..).and_then(read_text);
            let (Some(number), Some((player, _))) = (read_number(rest), player) else { continue };
            let place = match all.last() {
                Some(last) if last.number == number => last.place,
                _ => {
                    let until = self.prefix.len() + size_of::<u64>();
                    let until = row.key.get(..until).unwrap_or(&row.key);
                    let better = Keys::prefix(&self.prefix).before(until);
                    1 + snapshot.count(self.table, &better)?
                }
            };
            all.push(Ranked { number, player, place, value: row.value });
        }
        Ok(all)
    }

    fn rows(
        &self,
        snapshot: &dyn Snapshot,
        from: Place<'_>,
        own: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        let all = Keys::prefix(&self.prefix);
        match from {
            Place::Top => snapshot.range(self.table, &all, Order::Ascending, limit),
            Place::Behind(count) => {
                let count = count.min(MAX_BEHIND);
                let mut rows = snapshot.range(self.table, &all, Order::Ascending, count + limit)?;
                Ok(rows.split_off(count.min(rows.len())))
            }
            Place::Around(_) => {
                let Some(key) = own else { return Ok(Vec::new()) };
                if snapshot.get(self.table, key)?.is_none() {
                    return Ok(Vec::new());
                }
                let above = all.clone().before(key);
                let mut rows = snapshot.range(self.table, &above, Order::Descending, limit / 2)?;
                rows.reverse();
                let rest = limit - rows.len();
                let from_own = all.from_key(key);
                rows.extend(snapshot.range(self.table, &from_own, Order::Ascending, rest)?);
                Ok(rows)
            }
        }
    }
}

/// Those who have won the most within a split, at most `limit`.
pub fn board(
    snapshot: &dyn Snapshot,
    split: &Split,
    from: Place<'_>,
    limit: usize,
) -> Result<Vec<Standing>, Error> {
    let own = match from {
        Place::Around(player) => {
            record(snapshot, player, split)?.map(|own| board_key(split, own.tally.won, player))
        }
        Place::Top | Place::Behind(_) => None,
    };
    let ranking = Ranking { table: BOARDS, prefix: board_prefix(split).0 };
    let ranked = ranking.page(snapshot, from, own.as_deref(), limit)?;
    let standing = |Ranked { number, player, place, .. }| Standing { player, won: !number, place };
    Ok(ranked.into_iter().map(standing).collect())
}
