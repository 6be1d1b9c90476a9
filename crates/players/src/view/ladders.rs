//! Ratings in rows: the matches that play decided in the order of results, how everybody's rating came to be, and who is
//! rated the highest.
//!
//! ```text
//! bout of a match ─► BOUTS ─► unfolded from there on ─► fold, some bouts at a time ─► COURSES ─► LADDERS
//! ```
//!
//! A bout is put in its place, and from there on the game is unfolded: what stands behind it is played again. That is one bout
//! for a result that comes in order, and the rest of the history for one that is late, which may be more than a
//! transaction should have; so it is done in parts, and a reader is told while it goes on. Where it has got to is a
//! row, so whoever goes on with the view goes on with that.
//!
//! When nothing is unfolded, all rows are a function of the bouts alone.

use std::collections::BTreeMap;

use matchwire_log::view_store::{Error, Keys, Order, Row, Snapshot, Table, Transaction};
use serde::{Deserialize, Serialize};

use super::{
    BOUTS, COURSES, FORGOTTEN, LADDERS, PLACES, UNFOLDED,
    keys::{Key, read_text},
};
use crate::{
    Key as Place,
    rating::{Bout, Formula, Rating, System},
};

/// How many bouts are folded at once.
const SLICE: usize = 500;

/// A rating by each system that is served, in steps.
pub(super) type Ratings = [[i64; 3]; System::SERVED.len()];

/// In which game a match was, and where among its bouts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stands {
    pub(super) game: String,
    #[serde(flatten)]
    pub(super) place: Place,
}

/// What is stored of a bout; its place is in its key.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stored {
    sides: [Vec<String>; 2],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    winner: Option<usize>,
}

/// Somebody who is rated, while bouts are folded.
struct Standing {
    /// The last row of their course, as it was before.
    last: Option<(Vec<u8>, Ratings)>,
    /// The last one that holds now.
    now: Option<(Vec<u8>, Ratings)>,
}

/// Sets what is known of a match in a game: the bout that it was, or that it was none. The same again changes nothing.
pub(super) fn set(
    rows: &mut dyn Transaction,
    match_id: &str,
    game: &str,
    bout: Option<Bout>,
) -> Result<(), Error> {
    let place_key = Key::default().text(match_id).0;
    // One that was changed by hand must not lead to another match's.
    let before: Option<Stands> =
        read(rows, PLACES, &place_key)?.filter(|it: &Stands| it.place.match_id == match_id);
    let now = bout.as_ref().map(|bout| Stands { game: game.to_owned(), place: bout.key.clone() });
    let stored = bout.map(|bout| Stored { sides: bout.sides, winner: bout.winner });
    let had: Option<Stored> = match &before {
        Some(before) => read(rows, BOUTS, &bout_key(&before.game, &before.place))?,
        None => None,
    };
    if before == now && had == stored {
        return Ok(());
    }
    if let (Some(before), Some(had)) = (&before, had) {
        remove(rows, before, &had)?;
        rows.delete(PLACES, &place_key)?;
    }
    if let (Some(now), Some(stored)) = (&now, &stored) {
        rows.put(BOUTS, &bout_key(&now.game, &now.place), &json(stored))?;
        rows.put(PLACES, &place_key, &json(now))?;
        unfold(rows, &now.game, &now.place)?;
    }
    Ok(())
}

impl Stands {
    /// What is noted of a match.
    pub(super) fn of(view: &dyn Snapshot, match_id: &str) -> Result<Option<Self>, Error> {
        let noted = view.get(PLACES, &Key::default().text(match_id).0)?;
        Ok(noted.and_then(|value| serde_json::from_slice(&value).ok()))
    }
}

impl Stored {
    /// What everybody in it is rated after it, by what those who were rated had before.
    pub(super) fn play(&self, rated: &BTreeMap<String, Ratings>) -> Vec<(String, Ratings)> {
        let before = |side: &Vec<String>| side.iter().map(|it| rated.get(it).copied()).collect();
        let after = rate(&self.sides.each_ref().map(before), self.winner);
        self.sides.iter().flatten().cloned().zip(after).collect()
    }
}

/// Takes a bout out of its place.
fn remove(rows: &mut dyn Transaction, stands: &Stands, had: &Stored) -> Result<(), Error> {
    let Stands { game, place } = stands;
    rows.delete(BOUTS, &bout_key(game, place))?;
    for player in had.sides.iter().flatten() {
        let last = last(rows, &Keys::prefix(&course_prefix(game, player)))?;
        rows.delete(COURSES, &course_key(game, player, place))?;
        let now = self::last(rows, &Keys::prefix(&course_prefix(game, player)))?;
        stand(rows, game, player, &Standing { last, now })?;
    }
    unfold(rows, game, place)
}

/// Notes that a game is to be folded from a place on, if it is not already from an earlier one.
pub(super) fn unfold(rows: &mut dyn Transaction, game: &str, from: &Place) -> Result<(), Error> {
    let key = Key::default().text(game).0;
    let noted: Option<Place> = read(rows, UNFOLDED, &key)?;
    if noted.is_none_or(|noted| *from < noted) {
        rows.put(UNFOLDED, &key, &json(from))?;
    }
    Ok(())
}

/// Folds some bouts of what is unfolded, and tells whether that was all.
pub(super) fn fold(rows: &mut dyn Transaction) -> Result<bool, Error> {
    let Some(row) = first(rows, UNFOLDED, &Keys::all())? else { return Ok(true) };
    let (game, from) = (read_text(&row.key), serde_json::from_slice::<Place>(&row.value).ok());
    if let (Some((game, _)), Some(from)) = (game, from) {
        fold_game(rows, &game, &from, SLICE)?;
    } else {
        rows.delete(UNFOLDED, &row.key)?;
    }
    Ok(first(rows, UNFOLDED, &Keys::all())?.is_none())
}

/// Plays some bouts of a game again from a place on.
fn fold_game(
    rows: &mut dyn Transaction,
    game: &str,
    from: &Place,
    slice: usize,
) -> Result<(), Error> {
    let keys = Keys::prefix(&Key::default().text(game).0).from_key(&bout_key(game, from));
    let mut bouts = rows.range(BOUTS, &keys, Order::Ascending, slice + 1)?;
    let next = if bouts.len() > slice { bouts.pop() } else { None };
    let mut standings: BTreeMap<String, Standing> = BTreeMap::new();
    for row in &bouts {
        let place = place_of(game, &row.key);
        let stored = serde_json::from_slice::<Stored>(&row.value).ok();
        if let (Some(place), Some(stored)) = (place, stored) {
            play(rows, game, &place, &stored, &mut standings)?;
        }
    }
    for (player, standing) in &mut standings {
        // What stands behind the part that was folded holds until that is folded, too.
        if standing.last.as_ref().map(|(key, _)| key) > standing.now.as_ref().map(|(key, _)| key) {
            standing.now = standing.last.clone();
        }
        stand(rows, game, player, standing)?;
    }
    let key = Key::default().text(game).0;
    match next.and_then(|row| place_of(game, &row.key)) {
        Some(next) => rows.put(UNFOLDED, &key, &json(&next)),
        None => rows.delete(UNFOLDED, &key),
    }
}

/// Plays a bout, and writes what everybody in it is rated after it.
fn play(
    rows: &mut dyn Transaction,
    game: &str,
    place: &Place,
    bout: &Stored,
    standings: &mut BTreeMap<String, Standing>,
) -> Result<(), Error> {
    let mut before: [Vec<Option<Ratings>>; 2] = [Vec::new(), Vec::new()];
    for (side, before) in bout.sides.iter().zip(&mut before) {
        for player in side {
            if !standings.contains_key(player) {
                standings.insert(player.clone(), standing_before(rows, game, player, place)?);
            }
            let now = standings.get(player).and_then(|standing| standing.now.as_ref());
            before.push(now.map(|(_, ratings)| *ratings));
        }
    }
    let after = rate(&before, bout.winner);
    for (player, ratings) in bout.sides.iter().flatten().zip(after) {
        let key = course_key(game, player, place);
        rows.put(COURSES, &key, &json(&ratings))?;
        if let Some(standing) = standings.get_mut(player) {
            standing.now = Some((key, ratings));
        }
    }
    Ok(())
}

/// What everybody is rated after a bout by each system, one side after the other.
fn rate(before: &[Vec<Option<Ratings>>; 2], winner: Option<usize>) -> Vec<Ratings> {
    let mut all = vec![Ratings::default(); before.iter().map(Vec::len).sum()];
    for (index, system) in System::SERVED.into_iter().enumerate() {
        let formula = Formula::from(system);
        let rating = |ratings: &Option<Ratings>| {
            let steps = ratings.as_ref().and_then(|ratings| ratings.get(index));
            steps.map_or(formula.start(), |steps| Rating::from_steps(*steps))
        };
        let [first, second] =
            before.each_ref().map(|side| side.iter().map(rating).collect::<Vec<_>>());
        let after = formula.play([&first, &second], winner);
        for (ratings, rating) in all.iter_mut().zip(after.iter().flatten()) {
            if let Some(steps) = ratings.get_mut(index) {
                *steps = rating.to_steps();
            }
        }
    }
    all
}

/// How a player stands before a place.
fn standing_before(
    rows: &dyn Transaction,
    game: &str,
    player: &str,
    place: &Place,
) -> Result<Standing, Error> {
    let all = Keys::prefix(&course_prefix(game, player));
    let last = last(rows, &all)?;
    let until = course_key(game, player, place);
    let now = match &last {
        Some((key, _)) if *key >= until => self::last(rows, &all.before(&until))?,
        last => last.clone(),
    };
    Ok(Standing { last, now })
}

/// Takes a player off the ladders of all games. The course stays, as others are rated by it.
pub(super) fn leave(rows: &mut dyn Transaction, player: &str) -> Result<(), Error> {
    for game in games(rows)? {
        let last = last(rows, &Keys::prefix(&course_prefix(&game, player)))?;
        climb(rows, &game, player, last.map(|it| it.1), None)?;
    }
    Ok(())
}

/// Puts a player on the ladders of all games again.
pub(super) fn come_back(rows: &mut dyn Transaction, player: &str) -> Result<(), Error> {
    for game in games(rows)? {
        let last = last(rows, &Keys::prefix(&course_prefix(&game, player)))?;
        climb(rows, &game, player, None, last.map(|it| it.1))?;
    }
    Ok(())
}

/// The games in which somebody is rated.
fn games(rows: &dyn Transaction) -> Result<Vec<String>, Error> {
    let (mut games, mut keys) = (Vec::new(), Keys::all());
    while let Some(row) = first(rows, COURSES, &keys)? {
        // A key of which nobody can tell the game is passed.
        let behind = match read_text(&row.key) {
            Some((game, _)) => {
                let own = Key::default().text(&game).0;
                games.push(game);
                Keys::prefix(&own).until().map(<[u8]>::to_vec)
            }
            None => Some([row.key.as_slice(), &[0]].concat()),
        };
        let Some(behind) = behind else { break };
        keys = keys.from_key(&behind);
    }
    Ok(games)
}

/// Puts a player on the ladders as they are rated now. Whoever is forgotten is on none.
fn stand(
    rows: &mut dyn Transaction,
    game: &str,
    player: &str,
    standing: &Standing,
) -> Result<(), Error> {
    let [before, now] = [&standing.last, &standing.now].map(|it| it.as_ref().map(|it| it.1));
    if before == now || rows.get(FORGOTTEN, &Key::default().text(player).0)?.is_some() {
        return Ok(());
    }
    climb(rows, game, player, before, now)
}

/// Moves a player on the ladders of a game, or onto them, or off.
fn climb(
    rows: &mut dyn Transaction,
    game: &str,
    player: &str,
    before: Option<Ratings>,
    now: Option<Ratings>,
) -> Result<(), Error> {
    for (index, system) in System::SERVED.into_iter().enumerate() {
        let steps = |ratings: Option<Ratings>| ratings.and_then(|it| it.get(index).copied());
        if let Some(before) = steps(before) {
            rows.delete(LADDERS, &ladder_key(game, system, before, player))?;
        }
        if let Some(now) = steps(now) {
            rows.put(LADDERS, &ladder_key(game, system, now, player), &json(&now))?;
        }
    }
    Ok(())
}

fn first(rows: &dyn Transaction, table: Table, keys: &Keys) -> Result<Option<Row>, Error> {
    Ok(rows.range(table, keys, Order::Ascending, 1)?.pop())
}

/// The last of these rows of a course.
fn last(rows: &dyn Transaction, keys: &Keys) -> Result<Option<(Vec<u8>, Ratings)>, Error> {
    let row = rows.range(COURSES, keys, Order::Descending, 1)?.pop();
    Ok(row.and_then(|row| Some((row.key, serde_json::from_slice(&row.value).ok()?))))
}

fn read<T: for<'a> Deserialize<'a>>(
    rows: &dyn Transaction,
    table: Table,
    key: &[u8],
) -> Result<Option<T>, Error> {
    Ok(rows.get(table, key)?.and_then(|value| serde_json::from_slice(&value).ok()))
}

/// A place in the order of results, behind what a key begins with.
fn at(key: Key, place: &Place) -> Vec<u8> {
    key.earliest_first(place.ended).text(&place.match_id).0
}

pub(super) fn bout_key(game: &str, place: &Place) -> Vec<u8> {
    at(Key::default().text(game), place)
}

/// The place that the key of a bout says.
fn place_of(game: &str, key: &[u8]) -> Option<Place> {
    super::keys::read_place(key.get(Key::default().text(game).0.len()..)?)
}

/// What the keys of a player's course begin with.
pub(super) fn course_prefix(game: &str, player: &str) -> Vec<u8> {
    Key::default().text(game).text(player).0
}

/// The key of a player's rating after a match.
pub(super) fn course_key(game: &str, player: &str, place: &Place) -> Vec<u8> {
    at(Key(course_prefix(game, player)), place)
}

/// What the keys of a ladder begin with.
pub(super) fn ladder_prefix(game: &str, system: System) -> Key {
    Key::default().text(game).text(system.as_str())
}

/// The place of a rating on a ladder, without the player.
pub(super) fn rung(game: &str, system: System, steps: [i64; 3]) -> Key {
    let floor = Rating::from_steps(steps).floor(system);
    let [floor, ..] = Rating { rating: floor, deviation: 0.0, volatility: 0.0 }.to_steps();
    ladder_prefix(game, system).greatest_first(floor)
}

/// The key of a player on a ladder.
pub(super) fn ladder_key(game: &str, system: System, steps: [i64; 3], player: &str) -> Vec<u8> {
    rung(game, system, steps).text(player).0
}

pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
