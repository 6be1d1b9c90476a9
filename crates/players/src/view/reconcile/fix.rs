//! Repairs what was found to be wrong, and nothing else.
//!
//! A match or a tournament gets the rows that it has in a view that is built anew, and whoever is in it is counted again, in
//! one transaction with the position that the view has: a crash leaves it as it was before or after. The position stays, since what
//! is repaired is what the view has seen, or more of it, as ever when a match is taken.

use std::collections::BTreeSet;

use matchwire_domain::activity::Model;
use matchwire_log::{
    projection::Position,
    view_store::{Error, Keys, Order, StoredView, Transaction},
};

use super::{
    super::{
        ACTIVITIES, BOARDS, MATCHES, PLACES, Players, RECORDS, SOURCES, TABLES, TOURNAMENTS,
        keys::{Key, owners_of_activity, read_text},
        ladders,
        records::{Records, boards_of},
        rows::{DERIVED, Rows},
        streams::Streams,
    },
    Done, Forgotten, Found, Others, Sight, Source, check, failed, log_of, others, ratings,
    recount::Recount,
    scratch::{Content, pages},
};

/// More than so many matches and tournaments, or players, are not repaired one by one: then the view is to be built anew.
const MAX_SOURCES: usize = 1_000;
const MAX_PLAYERS: usize = 10_000;
/// How often it is tried to begin where the view is, while others write to it.
const ATTEMPTS: usize = 1_000;

/// What was repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Fixed {
    /// Matches and tournaments whose rows were put right.
    pub sources: u64,
    /// Players who were counted again.
    pub players: u64,
    /// Rows that were of nobody, and are gone.
    pub stray_rows: u64,
    /// Whether rows of somebody who is forgotten were removed, so that the view's files are to be purged.
    #[serde(skip)]
    pub must_purge: bool,
    /// Whether so much is wrong that nothing was repaired: the view is to be built anew.
    pub is_too_much: bool,
}

/// Repairs what was found, in small transactions.
pub fn fix(sight: &dyn Sight, view: &dyn StoredView, found: &Found) -> Result<Fixed, Error> {
    let must_purge = found.forgotten.is_any_missing();
    let mut fixed = Fixed { must_purge, ..Fixed::default() };
    if found.sources.len() > MAX_SOURCES || found.players.len() > MAX_PLAYERS {
        return Ok(Fixed { is_too_much: true, ..fixed });
    }
    let mut players = Players::new(sight.log()?);
    found.forgotten.fix(view)?;
    let mut counted = BTreeSet::new();
    let keys: Vec<Vec<u8>> = found.players.iter().cloned().collect();
    let boards = others(&*view.snapshot()?, &keys)?;
    if !found.of_nobody.is_empty() {
        let (mut rows, position) = begin(view)?;
        for table in TABLES {
            let own = found.of_nobody.iter().filter(|(name, _)| *name == table.name());
            own.into_iter().try_for_each(|(_, key)| rows.delete(table, key))?;
        }
        rows.commit(&position)?;
        fixed.stray_rows = found.of_nobody.len() as u64;
    }
    for source in &found.sources {
        let (mut rows, position) = begin(view)?;
        players = current(sight, players, &position)?;
        let touched = replace(&players, &mut *rows, source, found.strays.get(source))?;
        for player in &touched {
            recount(&mut *rows, player, &boards)?;
        }
        rows.commit(&position)?;
        counted.extend(touched);
        fixed.sources += 1;
        sight.worked(Done::Nothing)?;
    }
    for player in &found.players {
        if counted.insert(player.clone()) {
            let (mut rows, position) = begin(view)?;
            recount(&mut *rows, player, &boards)?;
            rows.commit(&position)?;
        }
    }
    fold(view, sight)?;
    if !found.ratings.wrong.is_empty() {
        // Some of it may have been right, and what it was compared with wrong.
        let wrong = ratings::look(&*view.snapshot()?, &Forgotten::default(), sight, None)?;
        if wrong.is_cut || wrong.wrong.len() > MAX_PLAYERS {
            return Ok(Fixed { is_too_much: true, ..fixed });
        }
        for (owner, wrong) in &wrong.wrong {
            let (mut rows, position) = begin(view)?;
            wrong.put_right(&mut *rows, owner)?;
            rows.commit(&position)?;
            sight.worked(Done::Nothing)?;
        }
        fold(view, sight)?;
        counted.extend(found.ratings.wrong.keys().filter_map(|owner| ratings::player_of(owner)));
    }
    fixed.players = counted.len() as u64;
    Ok(fixed)
}

/// Folds what is unfolded of ratings, as the server does once it has events.
fn fold(view: &dyn StoredView, sight: &dyn Sight) -> Result<(), Error> {
    loop {
        let (mut rows, position) = begin(view)?;
        let is_done = ladders::fold(&mut *rows)?;
        rows.commit(&position)?;
        if is_done {
            return Ok(());
        }
        sight.worked(Done::Nothing)?;
    }
}

/// Begins where the view is.
pub(super) fn begin(view: &dyn StoredView) -> Result<(Box<dyn Transaction + '_>, String), Error> {
    for _ in 1..ATTEMPTS {
        let position = view.snapshot()?.position()?;
        match view.begin(position.as_deref()) {
            Err(Error::Overtaken { .. }) => {}
            begun => return Ok((begun?, position.unwrap_or_default())),
        }
    }
    Err(failed("others write to it all the time; try again later"))
}

/// The log as far as a view at a position has seen it at least.
fn current(sight: &dyn Sight, players: Players, position: &str) -> Result<Players, Error> {
    let position = Position::parse(position).ok_or_else(|| failed("it has no position"))?;
    let is_enough = position.is_part_of(players.log());
    if is_enough { Ok(players) } else { Ok(Players::new(log_of(sight, &position)?)) }
}

/// Gives a match or a tournament the rows that it has in a view that is built anew, and says whose activities those were
/// or are.
fn replace(
    players: &Players,
    rows: &mut dyn Transaction,
    source: &Source,
    strays: Option<&Vec<Vec<u8>>>,
) -> Result<BTreeSet<Vec<u8>>, Error> {
    let prefix = source.key();
    let mut old = Vec::new();
    pages(&*rows, SOURCES, Keys::prefix(&prefix), Order::Ascending, |page| {
        old.extend(page.into_iter().map(|row| row.key));
        Ok(())
    })?;
    let listed = old.iter().filter_map(|key| key.get(prefix.len()..));
    let mut gone: BTreeSet<Vec<u8>> = listed.map(<[u8]>::to_vec).collect();
    gone.extend(strays.into_iter().flatten().cloned());
    for key in &old {
        rows.delete(SOURCES, key)?;
    }
    let mut touched = BTreeSet::new();
    for key in &gone {
        rows.delete(ACTIVITIES, key)?;
        touched.extend(owners_of_activity(key).map(|(player, _)| player.to_vec()));
    }
    let right = players.rows_of(&*rows, source)?;
    if source.model == Model::Match {
        let read = |name: &str| Streams::tournament(players.log(), name);
        let outcome = players.right(&*rows, source, &mut |name| read(name))?.outcome;
        Rows::new(rows).rate(&source.id, outcome.as_ref())?;
        let place = (PLACES.name(), Key::default().text(&source.id).0);
        if !right.contains_key(&place) {
            rows.delete(PLACES, &place.1)?;
        }
    }
    let told = Key::default().text(&source.id).0;
    let is_tournament = source.model == Model::Tournament;
    if is_tournament {
        rows.delete(TOURNAMENTS, &told)?;
    }
    for ((table, key), value) in &right {
        let is_told = is_tournament && *table == TOURNAMENTS.name() && *key == told;
        let own = [ACTIVITIES, SOURCES, MATCHES].into_iter().find(|own| own.name() == *table);
        if let Some(table) = own.or(is_told.then_some(TOURNAMENTS)) {
            rows.put(table, key, value)?;
        }
        if *table == ACTIVITIES.name() {
            touched.extend(owners_of_activity(key).map(|(player, _)| player.to_vec()));
        }
    }
    Ok(touched)
}

/// Counts a player again, by how the keys of that player begin.
fn recount(rows: &mut dyn Transaction, key: &[u8], boards: &Others) -> Result<(), Error> {
    let player = read_text(key).map(|(player, _)| player).unwrap_or_default();
    let right = Recount::of(&*rows, &player)?;
    let mut known = boards.get(key).cloned().unwrap_or_default();
    known.extend(right.keys().cloned());
    pages(&*rows, RECORDS, Keys::prefix(key), Order::Ascending, |page| {
        let boards =
            page.iter().filter_map(|row| Some(boards_of(&row.key, &Records::read(&row.value)?)));
        known.extend(boards.flatten().map(|board| (BOARDS.name(), board)));
        Ok(())
    })?;
    let stored = check::derived(&*rows, key, &known)?;
    put_right(rows, &stored, &right)
}

/// Changes what is stored into what is right.
fn put_right(rows: &mut dyn Transaction, stored: &Content, right: &Content) -> Result<(), Error> {
    for table in DERIVED {
        let of = |(name, _): &(&'static str, Vec<u8>)| *name == table.name();
        for at in stored.keys().filter(|at| of(at) && !right.contains_key(*at)) {
            rows.delete(table, &at.1)?;
        }
        for (at, value) in right.iter().filter(|(at, _)| of(at)) {
            if stored.get(at) != Some(value) {
                rows.put(table, &at.1, value)?;
            }
        }
    }
    Ok(())
}
