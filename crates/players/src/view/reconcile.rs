//! Whether the stored view is what it should be: what stands in it of every match and tournament is compared with what the log
//! says now, and what is counted of every player with what the stored activities come to.
//!
//! ```text
//!   log ──► what holds of each match ──┐
//!                                      ├─ sums by match ─► suspects ─► each by itself ─► drift
//!   view ─► activities, by player ─────┤
//!              └─► counted again ──────┴─ sums by player ─► suspects ─► each by itself ─► drift
//!   view ─► bouts, in order ─► played again ─ sums by player ─► suspects ─► each by itself ─► drift
//! ```
//!
//! What a view keeps of an activity's history depends on when it followed the log, so revisions are not compared: what stands
//! is. Millions of activities take the memory of a fixed number of sums. What is counted is compared within one snapshot; what
//! the log says moves on meanwhile, so who is suspected by it is looked at again, by a newer snapshot, until no event of
//! theirs is behind it: traffic is no drift. See `docs/decisions/0032`.

mod check;
mod crew;
mod fix;
mod forgotten;
mod ratings;
mod recount;
mod report;
mod right;
mod scratch;
mod sums;
mod sweep;
mod told;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use matchwire_domain::activity::Model;
use matchwire_log::{
    Log,
    projection::Position,
    view_store::{Error, Keys, Order, Snapshot},
};
use serde::Serialize;

pub(super) use self::forgotten::Forgotten;
use self::{crew::Seen, scratch::pages, sums::Suspects, sweep::each_source, walk::Walk};
pub use self::{
    fix::{Fixed, fix},
    report::{Difference, MAX_TOLD, PlayerDrift, Report, RowDrift, SourceDrift},
};
use super::{
    ACTIVITIES, FORGOTTEN, Players, SOURCES,
    keys::{Key, owners_of_activity, read_text, text_end},
    rows::{DERIVED, is_by_player, is_player, owner_of},
};

/// How often who is unsettled is looked at.
const ROUNDS: usize = 10;
/// How many matches and tournaments may be unsettled at a time; further ones count as such.
const MAX_UNSETTLED: usize = 100_000;
/// How many matches and tournaments, and how many players, are kept for a repair.
const MAX_KEPT: usize = 100_000;

/// How a reconciliation sees the view and the log, and how much it may take.
pub trait Sight: Sync {
    /// The view as it is now, for several threads, as
    /// [`snapshots`](matchwire_log::view_store::StoredView::snapshots) of it gives it.
    fn views(&self, count: usize) -> Result<Vec<Box<dyn Snapshot>>, Error>;

    /// The view as it is now.
    fn view(&self) -> Result<Box<dyn Snapshot>, Error> {
        self.views(1)?.pop().ok_or_else(|| failed("there is no snapshot of it"))
    }

    /// How many threads may work.
    fn threads(&self) -> usize;

    /// The log, at least as far as any view that was asked for before has seen it.
    fn log(&self) -> Result<Log, Error>;

    /// Waits until the view has seen the log up to a group, or for as long as that is worth it.
    fn wait_for(&self, group: u64);

    /// Called on every thread that works, first.
    fn begins(&self) {}

    /// Called by every thread after each piece of work, with how much is done: the place to rest and to tell. An error ends it.
    fn worked(&self, done: Done) -> Result<(), Error>;
}

/// How much is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// So many activities were read.
    Activities(u64),
    /// So many matches and tournaments were folded.
    Sources(u64),
    /// Something else.
    Nothing,
}

/// A match or a tournament.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Source {
    /// Which of the two.
    pub model: Model,
    /// Its name.
    pub id: String,
}

impl Source {
    fn new(model: Model, id: &str) -> Self {
        Self { model, id: id.into() }
    }

    /// How the keys of its rows begin.
    fn key(&self) -> Vec<u8> {
        Key::default().text(self.model.as_str()).text(&self.id).0
    }

    fn read(key: &[u8]) -> Option<Self> {
        let (model, rest) = read_text(key)?;
        let (id, _) = read_text(rest)?;
        let model =
            [Model::Match, Model::Tournament].into_iter().find(|it| it.as_str() == model)?;
        Some(Self { model, id })
    }
}

/// What was found, with what a repair needs.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// For whoever asked.
    pub report: Report,
    sources: BTreeSet<Source>,
    /// Activities that are not noted where they should be, or cannot be read.
    strays: BTreeMap<Source, Vec<Vec<u8>>>,
    /// Rows whose keys make no sense.
    of_nobody: BTreeSet<(&'static str, Vec<u8>)>,
    /// How the keys of those players begin of whom something is wrong.
    players: BTreeSet<Vec<u8>>,
    /// Who is rated wrongly.
    ratings: ratings::Found,
    /// Of whom it is wrong whether they are forgotten.
    forgotten: Forgotten,
}

/// Compares all that is stored with the log, or what is of one player.
pub fn reconcile(sight: &dyn Sight, only: Option<&str>) -> Result<Found, Error> {
    let mut views = crew::views(sight)?;
    let view = views.pop().ok_or_else(|| failed("there is no snapshot of it"))?;
    let position = position_of(&*view)?;
    let log = log_of(sight, &position)?;
    let forgotten = Forgotten::look(&*view, &log, &position, only)?;
    let players = Players::new(log).with(&forgotten);
    let seen = crew::work(&*view, views, &players, sight, only)?;
    let Seen { walk, sources, suspects: mut others, of_nobody, ratings } = seen;
    let mut found = Found { ratings, forgotten, ..Found::default() };
    found.of_nobody.extend(of_nobody);
    let marks = found.forgotten.of_nobody.iter().cloned();
    found.of_nobody.extend(marks.map(|key| (FORGOTTEN.name(), key)));
    found.report.position = position.from;
    found.report.players = walk.players;
    found.report.activities = walk.activities;
    found.report.sources = sources;
    if !walk.is_consistent() {
        found.look_at_players(&walk, &*view, sight)?;
    }
    others.extend(found.sources.iter().cloned());
    let suspects = walk.standing.suspects();
    drop(walk);
    drop(view);
    found.look_at_sources(sight, only, &players, &suspects, others)?;
    found.tell_ratings();
    for (player, drift) in found.forgotten.drift() {
        found.report.tell_player(player, vec![drift]);
        found.players.insert(Key::default().text(player).0);
    }
    let rated = found.ratings.wrong.keys().filter_map(|owner| ratings::player_of(owner));
    let drifted: BTreeSet<Vec<u8>> = rated.chain(found.players.iter().cloned()).collect();
    found.report.drifted_players = drifted.len() as u64;
    found.report.stray_rows = found.of_nobody.len() as u64;
    Ok(found)
}

impl Found {
    /// Finds out of whom sums within the view were left over, and why.
    fn look_at_players(
        &mut self,
        walk: &Walk,
        view: &dyn Snapshot,
        sight: &dyn Sight,
    ) -> Result<(), Error> {
        let mut again = walk.again();
        again.run(view, sight)?;
        let listed = again.listing.suspects();
        let (sources, players) = (again.listing.owners(), again.derived.owners());
        for key in sources.into_iter().take(MAX_KEPT) {
            match Source::read(&key).filter(|source| source.key() == key) {
                Some(source) => drop(self.sources.insert(source)),
                None => drop(self.of_nobody.insert((SOURCES.name(), key))),
            }
        }
        for key in walk.unreadable.iter().chain(&again.unreadable) {
            let owners = owners_of_activity(key);
            let source = owners.and_then(|(player, key)| Some((player, Source::read(key)?)));
            if let Some((player, source)) = source {
                self.sources.insert(source);
                self.players.insert(player.to_vec());
            } else {
                self.of_nobody.insert((ACTIVITIES.name(), key.clone()));
            }
        }
        if !self.sources.is_empty() {
            self.find_strays(view, &listed)?;
        }
        let others = others(view, &players)?;
        for key in players {
            let of_player = others.get(&key).map_or(&[][..], Vec::as_slice);
            if !is_player(&key) {
                self.of_nobody.extend(of_player.iter().cloned());
                continue;
            }
            if self.report.in_players.len() < MAX_TOLD {
                let name = read_text(&key).map(|(name, _)| name).unwrap_or_default();
                self.report.tell_player(&name, check::player(view, &key, of_player)?);
            }
            self.players.insert(key);
        }
        Ok(())
    }

    /// Tells who is rated wrongly, and which rows of ratings are of nobody.
    fn tell_ratings(&mut self) {
        for (owner, wrong) in &self.ratings.wrong {
            let player = ratings::player_of(owner);
            match player.and_then(|player| Some(read_text(&player)?.0)) {
                Some(player) => self.report.tell_player(&player, wrong.rows.clone()),
                None => self.of_nobody.extend(wrong.strays()),
            }
        }
    }

    /// Finds activities that their match or tournament does not note.
    fn find_strays(&mut self, view: &dyn Snapshot, suspects: &Suspects) -> Result<(), Error> {
        let mut kept = 0;
        pages(view, ACTIVITIES, Keys::all(), Order::Descending, |page| {
            for row in page {
                let Some((player, key)) = owners_of_activity(&row.key) else { continue };
                if kept >= MAX_KEPT || !suspects.has(key) {
                    continue;
                }
                let listing = [key, &row.key].concat();
                let Some(source) = Source::read(key).filter(|it| self.sources.contains(it)) else {
                    continue;
                };
                if view.get(SOURCES, &listing)?.is_none() {
                    self.players.insert(player.to_vec());
                    self.strays.entry(source).or_default().push(row.key);
                    kept += 1;
                }
            }
            Ok(())
        })
    }

    /// Looks at every suspect by itself, and again at those of which there are events that the view has not seen.
    fn look_at_sources(
        &mut self,
        sight: &dyn Sight,
        only: Option<&str>,
        players: &Players,
        suspects: &Suspects,
        others: Vec<Source>,
    ) -> Result<(), Error> {
        let certain = self.sources.clone();
        let mut waiting: BTreeSet<Source> = others.into_iter().collect();
        let mut uncounted = 0;
        if !suspects.is_empty() {
            let mut suspect = |source: Source| {
                if suspects.has(&source.key()) {
                    if waiting.len() < MAX_UNSETTLED {
                        waiting.insert(source);
                    } else {
                        uncounted += 1;
                    }
                }
                Ok(())
            };
            each_source(players.log(), &mut suspect)?;
            each_listed(&*sight.view()?, &mut suspect)?;
        }
        let mut reached = 0;
        for round in 0..ROUNDS {
            if waiting.is_empty() {
                break;
            }
            if round > 0 {
                sight.wait_for(reached);
            }
            let view = sight.view()?;
            let position = position_of(&*view)?;
            let players = Players::new(log_of(sight, &position)?).with(&self.forgotten);
            reached = players.log().last_group();
            for source in std::mem::take(&mut waiting) {
                let found = check::source(&players, &*view, &position, &source, only)?;
                let is_certain = certain.contains(&source);
                match found {
                    check::Found::Wrong(differences) => self.wrong(&source, differences),
                    // What is noted of it within the view is wrong by itself.
                    check::Found::Right | check::Found::Partial if is_certain => {
                        self.wrong(&source, Vec::new());
                    }
                    check::Found::Right => {}
                    check::Found::Partial => self.report.partial_sources += 1,
                    check::Found::Unsettled => drop(waiting.insert(source)),
                }
            }
        }
        for source in certain.intersection(&waiting) {
            self.wrong(source, Vec::new());
        }
        self.report.unsettled_sources = waiting.len() as u64 + uncounted;
        Ok(())
    }

    fn wrong(&mut self, source: &Source, differences: Vec<Difference>) {
        self.players.extend(differences.iter().map(|it| Key::default().text(&it.player).0));
        if self.sources.len() < MAX_KEPT {
            self.sources.insert(source.clone());
        }
        self.report.tell_source(source, differences);
    }
}

/// Calls `visit` with every match and tournament of which the view has activities.
fn each_listed(
    view: &dyn Snapshot,
    visit: &mut dyn FnMut(Source) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut keys = Keys::all();
    loop {
        let row = view.range(SOURCES, &keys, Order::Ascending, 1)?.pop();
        let Some(row) = row else { return Ok(()) };
        let id =
            text_end(&row.key).and_then(|model| Some(model + text_end(row.key.get(model..)?)?));
        let own = id.and_then(|end| row.key.get(..end)).unwrap_or(&row.key);
        if let Some(source) = Source::read(own) {
            visit(source)?;
        }
        keys = match Keys::prefix(own).until() {
            Some(behind) => keys.from_key(behind),
            None => return Ok(()),
        };
    }
}

/// Tables and keys of rows, by player.
type Others = BTreeMap<Vec<u8>, Vec<(&'static str, Vec<u8>)>>;

/// The keys of players' rows that do not begin with the player, by player.
fn others(view: &dyn Snapshot, players: &[Vec<u8>]) -> Result<Others, Error> {
    let mut others: Others =
        players.iter().take(MAX_KEPT).map(|player| (player.clone(), Vec::new())).collect();
    if others.is_empty() {
        return Ok(others);
    }
    let has_nobody = !others.keys().all(|owner| is_player(owner));
    for table in DERIVED.into_iter().filter(|table| has_nobody || !is_by_player(*table)) {
        pages(view, table, Keys::all(), Order::Ascending, |page| {
            for row in page {
                let owner = owner_of(table, &row.key);
                if is_by_player(table) && is_player(owner) {
                    continue;
                }
                if let Some(of_player) = others.get_mut(owner) {
                    of_player.push((table.name(), row.key));
                }
            }
            Ok(())
        })?;
    }
    Ok(others)
}

/// Up to where a view has seen the log.
fn position_of(view: &dyn Snapshot) -> Result<Position, Error> {
    let position = view.position()?.as_deref().and_then(Position::parse);
    position.ok_or_else(|| failed("it is no view that has seen a log"))
}

/// The log, as far as a view has seen it at least.
fn log_of(sight: &dyn Sight, position: &Position) -> Result<Log, Error> {
    let log = sight.log()?;
    if position.is_part_of(&log) {
        return Ok(log);
    }
    Err(failed("it has seen what is no part of the log, and is built anew by the server"))
}

fn failed(what: &str) -> Error {
    Error::Failed { place: "the view players".into(), what: what.into() }
}
