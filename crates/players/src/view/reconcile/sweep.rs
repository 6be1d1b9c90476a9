//! Sweeps over the log: what every match and tournament says now.

use std::collections::BTreeMap;

use matchwire_domain::{
    activity::Model,
    subject::{Kind, Subject},
};
use matchwire_log::{
    Log,
    view_store::{Error, Keys, Order, Snapshot},
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
        // Of what is not in the log nothing is told.
        let (log, mut unknown) = (&players.log, Vec::new());
        pages(self.view, TOURNAMENTS, Keys::all(), Order::Ascending, |page| {
            for row in page {
                let id = read_text(&row.key).map(|(id, _)| id).unwrap_or_default();
                let stream = Subject::parse(&format!("tournament/{id}")).ok();
                let head = stream.map_or(Ok(0), |stream| log.head(&stream));
                if head.map_err(|error| failed(&error))? == 0 && unknown.len() < MAX_SUSPECTS {
                    unknown.push(Source::new(Model::Tournament, &id));
                }
            }
            Ok(())
        })?;
        for source in unknown {
            self.suspect(source);
        }
        Ok(())
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
