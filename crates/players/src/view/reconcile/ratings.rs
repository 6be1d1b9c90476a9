//! Whether what is stored of ratings is what the stored bouts come to: all of it is played again, in memory.
//!
//! Of a game that is being folded, what lies behind the place that was reached is not judged. On the ladders everybody stands
//! by the last row of their course, whatever is being folded.

use std::collections::{BTreeMap, BTreeSet};

use matchwire_log::view_store::{Error, Keys, Order, Snapshot, Table, Transaction};

use super::{
    super::{
        BOUTS, COURSES, LADDERS, UNFOLDED,
        keys::{read_place, read_text, split_text},
        ladders::{self, Ratings, Stands, Stored},
    },
    Done, Forgotten, Sight,
    report::RowDrift,
    scratch::{Content, pages},
    sums::{Sums, hash},
};
use crate::{Key as Place, rating::System};

/// How many rows of suspects are held at once.
const MAX_ROWS: usize = 500_000;

/// Ratings of a player in a game that are not as they should be, or rows of which nobody can tell whose they are.
#[derive(Debug, Clone, Default)]
pub(super) struct Wrong {
    /// The first match that was rated.
    from: Option<Place>,
    /// What is stored: tables and keys.
    stored: Vec<(&'static str, Vec<u8>)>,
    /// What differs.
    pub(super) rows: Vec<RowDrift>,
}

/// By how the keys of their courses begin: who is rated wrongly.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) wrong: BTreeMap<Vec<u8>, Wrong>,
    /// Whether there are more than are held.
    pub(super) is_cut: bool,
}

/// Which of two lists a row is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Right,
    Stored,
}

/// A row, and how the course of whom it is of begins.
struct Of<'a> {
    owner: &'a [u8],
    table: Table,
    key: &'a [u8],
    value: &'a [u8],
}

/// Compares all ratings that are stored, or those of one player, given by how the player's keys begin; those are on no ladder who are
/// forgotten.
pub(super) fn look(
    view: &dyn Snapshot,
    forgotten: &Forgotten,
    sight: &dyn Sight,
    only: Option<&[u8]>,
) -> Result<Found, Error> {
    let is_wanted =
        |owner: &[u8]| only.is_none() || split_text(owner).map(|(_, player)| player) == only;
    let mut sums = Sums::together();
    each_row(view, forgotten, sight, &mut |side, of| {
        let hash = hash(&(of.table.name(), of.key, of.value));
        match side {
            _ if !is_wanted(of.owner) => {}
            Side::Right => sums.add(of.owner, hash),
            Side::Stored => sums.take_away(of.owner, hash),
        }
    })?;
    let suspects = sums.suspects();
    let mut found = Found::default();
    if suspects.is_empty() {
        return Ok(found);
    }
    let mut lists: [BTreeMap<Vec<u8>, Content>; 2] = [BTreeMap::new(), BTreeMap::new()];
    let mut count = 0;
    each_row(view, forgotten, sight, &mut |side, of| {
        if !suspects.has(of.owner) || !is_wanted(of.owner) {
            return;
        }
        count += 1;
        if count > MAX_ROWS {
            found.is_cut = true;
            return;
        }
        let [right, stored] = &mut lists;
        let list = if side == Side::Right { right } else { stored };
        let at = (of.table.name(), of.key.to_vec());
        list.entry(of.owner.to_vec()).or_default().insert(at, of.value.to_vec());
    })?;
    let owners: BTreeSet<Vec<u8>> = lists.iter().flat_map(BTreeMap::keys).cloned().collect();
    let [mut right, mut stored] = lists;
    for owner in owners {
        let [right, stored] =
            [&mut right, &mut stored].map(|list| list.remove(&owner).unwrap_or_default());
        if right != stored {
            found.wrong.insert(owner, Wrong::between(&right, stored));
        }
    }
    Ok(found)
}

impl Found {
    /// Adds what was found of others.
    pub(super) fn join(&mut self, other: Self) {
        self.wrong.extend(other.wrong);
        self.is_cut |= other.is_cut;
    }
}

impl Wrong {
    fn between(right: &Content, stored: Content) -> Self {
        let keys: BTreeSet<_> = right.keys().chain(stored.keys()).collect();
        let differing = keys.into_iter().filter(|at| right.get(*at) != stored.get(*at));
        let drift = |at: &(&'static str, Vec<u8>)| {
            let table = table_named(at.0)?;
            Some(RowDrift::new(table, &at.1, stored.get(at), right.get(at)))
        };
        let rows = differing.filter_map(drift).collect();
        let mut courses = right.keys().filter(|(table, _)| *table == COURSES.name());
        let from = courses.find_map(|(_, key)| place_of_course(key));
        Self { from, rows, stored: stored.into_keys().collect() }
    }

    /// The rows that are stored.
    pub(super) fn strays(&self) -> impl Iterator<Item = (&'static str, Vec<u8>)> {
        self.stored.iter().cloned()
    }

    /// Takes out what is stored, and has it folded again.
    pub(super) fn put_right(&self, rows: &mut dyn Transaction, owner: &[u8]) -> Result<(), Error> {
        let game = read_text(owner).map(|(game, _)| game).unwrap_or_default();
        // Of a match that came in meanwhile, too.
        let (mut from, mut last, mut gone) = (self.from.clone(), None, self.stored.clone());
        pages(&*rows, COURSES, Keys::prefix(owner), Order::Ascending, |page| {
            for row in page {
                from = from.take().into_iter().chain(place_of_course(&row.key)).min();
                last = serde_json::from_slice::<Ratings>(&row.value).ok();
                gone.push((COURSES.name(), row.key));
            }
            Ok(())
        })?;
        let player = split_text(owner).and_then(|(_, rest)| read_text(rest));
        if let (Some(last), Some((player, _))) = (last, player) {
            let rungs = ladder_rows(&game, &player, &last);
            gone.extend(rungs.into_iter().map(|(key, _)| (LADDERS.name(), key)));
        }
        for (table, key) in gone {
            table_named(table).map_or(Ok(()), |table| rows.delete(table, &key))?;
        }
        from.map_or(Ok(()), |from| ladders::unfold(rows, &game, &from))
    }
}

/// Calls `note` with every row that there should be, and with every one that there is.
fn each_row(
    view: &dyn Snapshot,
    forgotten: &Forgotten,
    sight: &dyn Sight,
    note: &mut dyn FnMut(Side, Of<'_>),
) -> Result<(), Error> {
    let mut unfolded = BTreeMap::new();
    pages(view, UNFOLDED, Keys::all(), Order::Ascending, |page| {
        for row in page {
            let game = read_text(&row.key).map(|(game, _)| game).unwrap_or_default();
            if let Ok(from) = serde_json::from_slice::<Place>(&row.value) {
                unfolded.insert(row.key, ladders::bout_key(&game, &from));
            }
        }
        Ok(())
    })?;
    let is_folded = |game: &[u8], place: &[u8]| {
        unfolded
            .get(game)
            .is_none_or(|from| from.get(game.len()..).is_some_and(|from| place < from))
    };
    play_again(view, sight, &is_folded, note)?;
    each_stored_course(view, forgotten, sight, &is_folded, note)?;
    pages(view, LADDERS, Keys::all(), Order::Ascending, |page| {
        for row in page {
            let owner = owner_on_ladder(&row.key);
            let owner = owner.as_deref().unwrap_or(&row.key);
            let (key, value) = (row.key.as_slice(), row.value.as_slice());
            note(Side::Stored, Of { owner, table: LADDERS, key, value });
        }
        sight.worked(Done::Nothing)
    })
}

/// What everybody's courses should be, as far as their games are folded. A bout that is not where its match is noted is of nobody.
fn play_again(
    view: &dyn Snapshot,
    sight: &dyn Sight,
    is_folded: &dyn Fn(&[u8], &[u8]) -> bool,
    note: &mut dyn FnMut(Side, Of<'_>),
) -> Result<(), Error> {
    let (mut game_key, mut game) = (Vec::new(), String::new());
    let mut rated: BTreeMap<String, Ratings> = BTreeMap::new();
    pages(view, BOUTS, Keys::all(), Order::Ascending, |page| {
        for row in page {
            let (own, place_key) = split_text(&row.key).unwrap_or_default();
            if own != game_key {
                own.clone_into(&mut game_key);
                game = read_text(own).map(|(game, _)| game).unwrap_or_default();
                rated.clear();
            }
            if !is_folded(own, place_key) {
                continue;
            }
            let place = read_place(place_key);
            let stands = place.map(|place| Stands { game: game.clone(), place });
            let bout = serde_json::from_slice::<Stored>(&row.value).ok();
            let (Some(stands), Some(bout)) = (stands, bout) else {
                note_stray(&row.key, &row.value, note);
                continue;
            };
            if Stands::of(view, &stands.place.match_id)?.as_ref() != Some(&stands) {
                note_stray(&row.key, &row.value, note);
                continue;
            }
            for (player, ratings) in bout.play(&rated) {
                let owner = ladders::course_prefix(&game, &player);
                let key = ladders::course_key(&game, &player, &stands.place);
                let value = ladders::json(&ratings);
                let of = Of { owner: &owner, table: COURSES, key: &key, value: &value };
                note(Side::Right, of);
                rated.insert(player, ratings);
            }
        }
        sight.worked(Done::Nothing)
    })
}

fn note_stray(key: &[u8], value: &[u8], note: &mut dyn FnMut(Side, Of<'_>)) {
    note(Side::Stored, Of { owner: key, table: BOUTS, key, value });
}

/// The courses that are stored, and where each player should stand on the ladders by the last row of theirs.
fn each_stored_course(
    view: &dyn Snapshot,
    forgotten: &Forgotten,
    sight: &dyn Sight,
    is_folded: &dyn Fn(&[u8], &[u8]) -> bool,
    note: &mut dyn FnMut(Side, Of<'_>),
) -> Result<(), Error> {
    let mut last: Option<(Vec<u8>, Option<Ratings>)> = None;
    pages(view, COURSES, Keys::all(), Order::Ascending, |page| {
        for row in page {
            let (game, rest) = split_text(&row.key).unwrap_or_default();
            let (player, place) = split_text(rest).unwrap_or_default();
            let owner = [game, player].concat();
            if owner.is_empty() || is_folded(game, place) {
                let (key, value) = (row.key.as_slice(), row.value.as_slice());
                let owner = if owner.is_empty() { key } else { &owner };
                note(Side::Stored, Of { owner, table: COURSES, key, value });
            }
            if last.as_ref().is_some_and(|(of, _)| *of != owner) {
                note_on_ladders(view, forgotten, last.take(), note)?;
            }
            last = Some((owner, serde_json::from_slice(&row.value).ok()));
        }
        sight.worked(Done::Nothing)
    })?;
    note_on_ladders(view, forgotten, last, note)
}

/// Where somebody should stand on the ladders, unless the view has forgotten them.
fn note_on_ladders(
    view: &dyn Snapshot,
    forgotten: &Forgotten,
    last: Option<(Vec<u8>, Option<Ratings>)>,
    note: &mut dyn FnMut(Side, Of<'_>),
) -> Result<(), Error> {
    let Some((owner, Some(ratings))) = last else { return Ok(()) };
    let Some((game, rest)) = read_text(&owner) else { return Ok(()) };
    let Some((player, _)) = read_text(rest) else { return Ok(()) };
    if forgotten.has(view, &player)? {
        return Ok(());
    }
    for (key, value) in ladder_rows(&game, &player, &ratings) {
        note(Side::Right, Of { owner: &owner, table: LADDERS, key: &key, value: &value });
    }
    Ok(())
}

fn ladder_rows(game: &str, player: &str, ratings: &Ratings) -> Vec<(Vec<u8>, Vec<u8>)> {
    let systems = System::SERVED.into_iter().zip(ratings);
    let row = |(system, steps): (System, &[i64; 3])| {
        (ladders::ladder_key(game, system, *steps, player), ladders::json(steps))
    };
    systems.map(row).collect()
}

/// How the course of a player on a ladder begins.
fn owner_on_ladder(key: &[u8]) -> Option<Vec<u8>> {
    let (game, rest) = split_text(key)?;
    let (_system, rest) = split_text(rest)?;
    let player = rest.get(size_of::<u64>()..)?;
    let (_, end) = split_text(player)?;
    end.is_empty().then(|| [game, player].concat())
}

fn place_of_course(key: &[u8]) -> Option<Place> {
    let (_game, rest) = split_text(key)?;
    let (_player, place) = split_text(rest)?;
    read_place(place)
}

/// The table of ratings with this name.
fn table_named(name: &str) -> Option<Table> {
    [BOUTS, COURSES, LADDERS].into_iter().find(|table| table.name() == name)
}

/// How the keys of the player begin whose course begins so; nothing if nobody can tell.
pub(super) fn player_of(owner: &[u8]) -> Option<Vec<u8>> {
    let (_, player) = split_text(owner)?;
    let (_, end) = split_text(player)?;
    end.is_empty().then(|| player.to_vec())
}
