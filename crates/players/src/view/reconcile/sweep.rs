//! Sweeps over the log: what every match and tournament says now.

use std::collections::BTreeMap;

use matchwire_domain::{
    activity::Model,
    subject::{Kind, Subject},
};
use matchwire_log::{
    Log,
    view_store::{Error, Keys, Order, Snapshot, Table},
};

use super::{
    super::{
        BOUTS, MATCHES, PLACES, Players, TOURNAMENTS,
        keys::{Key, read_text},
        rows::Told,
        streams::{Streams, Tournament, failed},
    },
    Done, Sight, Source,
    right::Right,
    scratch::pages,
    sums::Sums,
    walk::standing,
};

/// How many streams are looked up at once.
const PAGE: usize = 500;
/// Of how many tournaments it is remembered what they tell.
const MAX_REMEMBERED: usize = 256;
/// How many matches and tournaments are kept of which more is wrong than sums can tell.
const MAX_SUSPECTS: usize = 100_000;

/// Calls `visit` with every match and tournament in the log.
pub(super) fn each_source(
    log: &Log,
    visit: &mut dyn FnMut(Source) -> Result<(), Error>,
) -> Result<(), Error> {
    for prefix in ["match/", "tournament/"] {
        let mut after: Option<Subject> = None;
        let mut by_map = String::new();
        loop {
            let page = log.subjects(prefix, after.as_ref().map(Subject::as_str), PAGE);
            let page = page.map_err(|error| failed(&error))?;
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            for subject in &page {
                match subject.kind() {
                    Kind::Match(id) => visit(Source::new(Model::Match, id))?,
                    Kind::Tournament(id) => visit(Source::new(Model::Tournament, id))?,
                    // Maps of a match come one after the other. Mostly it has a stream of its own.
                    Kind::MatchMap(id, _) if id != by_map => {
                        id.clone_into(&mut by_map);
                        if !has_own(log, id)? {
                            visit(Source::new(Model::Match, id))?;
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

fn has_own(log: &Log, id: &str) -> Result<bool, Error> {
    let Ok(own) = Subject::parse(&format!("match/{id}")) else { return Ok(false) };
    let page = log.subjects(own.as_str(), None, 1).map_err(|error| failed(&error))?;
    Ok(page.first() == Some(&own))
}

/// What the log says, as sums.
pub(super) struct Sweep<'a> {
    players: &'a Players,
    view: &'a dyn Snapshot,
    sight: &'a dyn Sight,
    only: Option<&'a str>,
    tournaments: BTreeMap<String, Tournament>,
    /// By match or tournament: the activities that should stand, taken away.
    pub(super) standing: Sums,
    /// Those of which something else is wrong than activities.
    pub(super) suspects: Vec<Source>,
    /// Rows that are of no match or tournament: tables and keys.
    pub(super) of_nobody: Vec<(&'static str, Vec<u8>)>,
    pub(super) sources: u64,
}

impl<'a> Sweep<'a> {
    pub(super) fn new(
        players: &'a Players,
        view: &'a dyn Snapshot,
        sight: &'a dyn Sight,
        only: Option<&'a str>,
    ) -> Self {
        Self {
            players,
            view,
            sight,
            only,
            tournaments: BTreeMap::new(),
            standing: Sums::together(),
            suspects: Vec::new(),
            of_nobody: Vec::new(),
            sources: 0,
        }
    }

    /// Sweeps.
    pub(super) fn run(&mut self) -> Result<(), Error> {
        let (players, sight) = (self.players, self.sight);
        each_source(&players.log, &mut |source| {
            self.take(source)?;
            if self.sources.is_multiple_of(PAGE as u64) {
                sight.worked(Done::Sources(self.sources))?;
            }
            Ok(())
        })?;
        if self.only.is_some() {
            return Ok(());
        }
        [TOURNAMENTS, PLACES, MATCHES].into_iter().try_for_each(|table| self.unknown(table))
    }

    /// Finds what is noted of matches and tournaments that are not in the log, of which nothing is told.
    fn unknown(&mut self, table: Table) -> Result<(), Error> {
        let view = self.view;
        pages(view, table, Keys::all(), Order::Ascending, |page| {
            for row in page {
                let source = noted_source(table, &row.key);
                let is_known = source.as_ref().map_or(Ok(false), |it| is_in(&self.players.log, it));
                match source {
                    _ if is_known? => {}
                    // A match of a tournament has no more than this row.
                    Some(source) if table != MATCHES => self.suspect(source),
                    _ if self.of_nobody.len() < MAX_SUSPECTS => {
                        self.of_nobody.push((table.name(), row.key));
                    }
                    _ => {}
                }
            }
            self.sight.worked(Done::Nothing)
        })
    }

    fn take(&mut self, source: Source) -> Result<(), Error> {
        self.sources += 1;
        let (players, remembered) = (self.players, &mut self.tournaments);
        let right = players.right(self.view, &source, &mut |name| {
            if let Some(tournament) = remembered.get(name) {
                return Ok(tournament.clone());
            }
            let tournament = Streams::tournament(&players.log, name)?;
            if remembered.len() >= MAX_REMEMBERED {
                remembered.clear();
            }
            remembered.insert(name.to_owned(), tournament.clone());
            Ok(tournament)
        })?;
        let key = source.key();
        for ((player, kind), deed) in &right.deeds {
            if self.only.is_none_or(|only| only == player) {
                self.standing.take_away(&key, standing(player, kind, deed));
            }
        }
        if self.only.is_none() && !is_noted(self.view, &source, &right)? {
            self.suspect(source);
        }
        Ok(())
    }

    fn suspect(&mut self, source: Source) {
        if self.suspects.len() < MAX_SUSPECTS {
            self.suspects.push(source);
        }
    }
}

/// Of which match or tournament such a row is; nothing if nobody can tell.
fn noted_source(table: Table, key: &[u8]) -> Option<Source> {
    let (first, rest) = read_text(key)?;
    let own = Key::default().text(&first);
    let (source, own) = if table == MATCHES {
        let (id, _) = read_text(rest)?;
        (Source::new(Model::Match, &id), own.text(&id))
    } else {
        let model = if table == TOURNAMENTS { Model::Tournament } else { Model::Match };
        (Source::new(model, &first), own)
    };
    (own.0 == key).then_some(source)
}

/// Whether a log has a match or a tournament.
fn is_in(log: &Log, Source { model, id }: &Source) -> Result<bool, Error> {
    let name = format!("{}/{id}", model.as_str());
    let Ok(own) = Subject::parse(&name) else { return Ok(false) };
    if log.head(&own).map_err(|error| failed(&error))? > 0 {
        return Ok(true);
    }
    let maps = log.subjects(&format!("{name}/"), None, 1).map_err(|error| failed(&error))?;
    Ok(!maps.is_empty())
}

/// Whether what else is noted of a match or a tournament than activities is right.
pub(super) fn is_noted(view: &dyn Snapshot, source: &Source, right: &Right) -> Result<bool, Error> {
    if let Some(told) = &right.told {
        let stored = view.get(TOURNAMENTS, &Key::default().text(&source.id).0)?;
        return Ok(Told::read(stored) == *told);
    }
    let place = (PLACES.name(), Key::default().text(&source.id).0);
    if view.get(PLACES, &place.1)?.as_ref() != right.bout.get(&place) {
        return Ok(false);
    }
    for ((table, key), value) in &right.bout {
        if *table == BOUTS.name() && view.get(BOUTS, key)?.as_ref() != Some(value) {
            return Ok(false);
        }
    }
    let Some(tournament) = &right.tournament else { return Ok(true) };
    let key = Key::default().text(tournament).text(&source.id).0;
    Ok(view.get(MATCHES, &key)?.is_some())
}
