//! How every match of a log has ended, read from its files beside whoever writes them.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use matchwire_domain::{
    envelope::Recorded,
    live_match::{Games, Play},
    outcome::Outcome,
    series,
    subject::{Kind, Subject},
    timeline::{Chronicle, Fold},
    tournament,
};
use matchwire_embedded::Export;

/// How many subjects are looked for at once.
const PAGE_SUBJECTS: usize = 1_000;
/// How many events are read at once.
const PAGE_EVENTS: usize = 1_000;
/// A page ends when it has so many stored bytes.
const PAGE_BYTES: usize = 4 << 20;

/// The matches of a log.
pub(super) struct History {
    reader: Export,
    games: Games,
    matches: BTreeSet<String>,
    /// What each tournament tells of its matches, as far as one has been met.
    tournaments: BTreeMap<String, tournament::State>,
    missing: Cell<u64>,
}

impl History {
    /// Looks which matches there are.
    pub(super) fn of(reader: Export) -> anyhow::Result<Self> {
        let mut matches = BTreeSet::new();
        let mut after: Option<Subject> = None;
        loop {
            let last = after.as_ref().map(Subject::as_str);
            let page = reader.subjects("match/", last, PAGE_SUBJECTS)?;
            let Some(last) = page.last() else { break };
            for subject in &page {
                if let Kind::Match(id) | Kind::MatchMap(id, _) = subject.kind() {
                    matches.insert(id.to_owned());
                }
            }
            after = Some(last.clone());
        }
        let tournaments = BTreeMap::new();
        Ok(Self { reader, games: Games::default(), matches, tournaments, missing: Cell::new(0) })
    }

    /// Tells how each match has ended that has.
    pub(super) fn each(&mut self, mut tell: impl FnMut(&Outcome)) -> anyhow::Result<()> {
        for id in self.matches.clone() {
            if let Some(outcome) = self.outcome(&id)? {
                tell(&outcome);
            }
        }
        Ok(())
    }

    /// How many streams could not be read to their ends.
    pub(super) fn missing(&self) -> u64 {
        self.missing.get()
    }

    fn outcome(&mut self, id: &str) -> anyhow::Result<Option<Outcome>> {
        let subject = Subject::parse(&format!("match/{id}"))?;
        let own = Fold::of(&self.games, &subject, &self.read(&subject));
        let mut maps = Vec::new();
        for map in self.reader.subjects(&format!("match/{id}/"), None, PAGE_SUBJECTS)? {
            maps.push(Fold::of(&self.games, &map, &self.read(&map)));
        }
        maps.sort_by_key(|map| map.play.course().map);
        let maps: Vec<&dyn Play> = maps.iter().map(|map| &*map.play).collect();
        let state = own.state::<series::State>();
        let Some(outcome) = state.and_then(|state| Outcome::of(&self.games, state, &maps)) else {
            return Ok(None);
        };
        let Some(name) = outcome.tournament.clone() else { return Ok(Some(outcome)) };
        if !self.tournaments.contains_key(&name) {
            let state = Subject::parse(&format!("tournament/{name}"))
                .map(|subject| Chronicle::of(&self.read(&subject)).state);
            self.tournaments.insert(name.clone(), state.unwrap_or_default());
        }
        let tournament = self.tournaments.get(&name);
        Ok(Some(match tournament {
            Some(tournament) => outcome.within(tournament),
            None => outcome,
        }))
    }

    /// All of a stream that can be read.
    fn read(&self, subject: &Subject) -> Vec<Recorded> {
        let mut all: Vec<Recorded> = Vec::new();
        loop {
            let after = all.last().map_or(0, |event| event.seq);
            match self.reader.read(subject, after, PAGE_EVENTS, PAGE_BYTES) {
                Ok(page) if page.is_empty() => return all,
                Ok(page) => all.extend(page),
                Err(error) => {
                    tracing::warn!(%subject, %error, "a stream cannot be read to its end");
                    self.missing.set(self.missing.get() + 1);
                    return all;
                }
            }
        }
    }
}
