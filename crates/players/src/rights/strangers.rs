//! What is shown of matches and tournaments to whoever is not the operator.

use std::{collections::BTreeMap, sync::Arc};

use matchwire_domain::{
    activity::{Activity, Model},
    envelope::Recorded,
    live_match::{Games, Identities, PersonName},
    series,
    subject::{Kind, Subject},
    timeline::{Chronicle, Fold, Pushed},
    tournament,
};
use matchwire_log::{Error, Log, Screen};
use parking_lot::Mutex;

use super::{Relation, Rights};
use crate::stream::Stream;

/// Of how many matches it is remembered what they are.
const KEPT_MATCHES: usize = 4_096;
/// Of how many tournaments, which may have thousands of players each.
const KEPT_TOURNAMENTS: usize = 256;

/// Hides private tournaments and what is played in them, as of the last word on both. Where nobody can tell any more, since a part of
/// what a match or its tournament was said to be was removed or is damaged, it is hidden.
pub struct Strangers {
    games: Games,
    matches: Memory<Fold>,
    tournaments: Memory<Chronicle<tournament::State>>,
}

impl Strangers {
    /// Whoever sees matches of these games.
    pub fn of(games: Games) -> Self {
        let (matches, tournaments) =
            (Memory::keeping(KEPT_MATCHES), Memory::keeping(KEPT_TOURNAMENTS));
        Self { games, matches, tournaments }
    }

    fn may_see_match(&self, log: &Log, id: &str) -> Result<bool, Error> {
        let Ok(own) = Subject::parse(&format!("match/{id}")) else { return Ok(true) };
        let tournament = self.matches.ask(
            (log, &own),
            |events| Fold::of(&self.games, &own, events),
            Fold::push,
            |fold| fold.state::<series::State>().and_then(|state| state.tournament.clone()),
        )?;
        match tournament {
            Some(Some(tournament)) => self.may_see_tournament(log, &tournament),
            Some(None) => Ok(true),
            None => Ok(false),
        }
    }

    fn may_see_tournament(&self, log: &Log, id: &str) -> Result<bool, Error> {
        let Ok(own) = Subject::parse(&format!("tournament/{id}")) else { return Ok(true) };
        let is_private = self.tournaments.ask(
            (log, &own),
            |events| Chronicle::of(events),
            Chronicle::push,
            |chronicle| chronicle.state.is_private,
        )?;
        Ok(is_private == Some(false))
    }
}

impl Strangers {
    /// Whether an activity tells of what is hidden by now, though it may not have been when it was stated.
    fn hide(&self, log: &Log, activity: &Activity) -> Result<bool, Error> {
        let may_see_source = match activity.source_model {
            Model::Match => self.may_see_match(log, &activity.source_id)?,
            Model::Tournament => self.may_see_tournament(log, &activity.source_id)?,
        };
        let tournament = activity.deed.tournament.as_deref();
        let may_see_tournament = tournament.map_or(Ok(true), |id| self.may_see_tournament(log, id));
        Ok(!may_see_source || !may_see_tournament?)
    }
}

impl Screen for Strangers {
    fn hides(&self, log: &Log, subject: &Subject) -> Result<bool, Error> {
        let may_see = match subject.kind() {
            Kind::Match(id) | Kind::MatchMap(id, _) => self.may_see_match(log, id)?,
            Kind::Tournament(id) => self.may_see_tournament(log, id)?,
            _ => true,
        };
        Ok(!may_see)
    }
}

/// What streams fold to, of those that were asked for.
struct Memory<F> {
    known: Mutex<BTreeMap<Subject, Known<F>>>,
    kept: usize,
}

/// A stream as far as it was read.
struct Known<F> {
    fold: F,
    /// The last event in it.
    seq: u64,
    /// Whether nothing of it was removed or is damaged.
    is_whole: bool,
    /// [`Log::beside_play`] when it was known to be up to date.
    as_of: u64,
}

impl<F> Memory<F> {
    fn keeping(kept: usize) -> Self {
        Self { known: Mutex::default(), kept }
    }

    /// Asks what a stream folds to, up to its end; nothing if it is not whole.
    fn ask<A>(
        &self,
        (log, subject): (&Log, &Subject),
        fold: impl Fn(&[Recorded]) -> F,
        push: impl Fn(&mut F, &Recorded) -> Pushed,
        question: impl Fn(&F) -> A,
    ) -> Result<Option<A>, Error> {
        let answer = |known: &Known<F>| known.is_whole.then(|| question(&known.fold));
        // Before the head is looked up: what is told in between is looked for the next time.
        let as_of = log.beside_play();
        if let Some(known) = self.known.lock().get(subject)
            && known.as_of == as_of
        {
            return Ok(answer(known));
        }
        let head = log.head(subject)?;
        let known = self.known.lock().remove(subject);
        let read = |after| Stream::read(log, subject, after);
        let mut known = match known {
            Some(known) if known.seq == head => known,
            Some(known) => known.read_on(&read, &fold, push)?,
            None => Known::of(read(0)?, &fold),
        };
        known.as_of = as_of;
        let answer = answer(&known);
        let mut all = self.known.lock();
        if all.len() >= self.kept {
            // Any of them can be read again.
            all.clear();
        }
        all.insert(subject.clone(), known);
        Ok(answer)
    }
}

impl<F> Known<F> {
    fn of(Stream { events, is_whole }: Stream, fold: impl Fn(&[Recorded]) -> F) -> Self {
        let seq = events.last().map_or(0, |event| event.seq);
        Self { fold: fold(&events), seq, is_whole, as_of: 0 }
    }

    fn read_on(
        mut self,
        read: impl Fn(u64) -> Result<Stream, Error>,
        fold: impl Fn(&[Recorded]) -> F,
        push: impl Fn(&mut F, &Recorded) -> Pushed,
    ) -> Result<Self, Error> {
        let Stream { events, is_whole } = read(self.seq)?;
        self.is_whole &= is_whole;
        for event in &events {
            if push(&mut self.fold, event) == Pushed::Refold {
                return Ok(Self::of(read(0)?, fold));
            }
            self.seq = event.seq;
        }
        Ok(self)
    }
}

impl Rights {
    /// Whether what an activity of the owner tells of is private for them by now, though it may not have been when it was stated.
    /// May block like [`Log::read`].
    pub fn hides(
        &self,
        strangers: &Strangers,
        log: &Log,
        activity: &Activity,
    ) -> Result<bool, Error> {
        match self.relation {
            Relation::Owner => Ok(false),
            Relation::Friend | Relation::Other => strangers.hide(log, activity),
        }
    }
}

/// People as strangers know them: without the accounts by which they are known elsewhere.
pub struct WithoutAccounts(
    /// Who they are.
    pub Arc<dyn Identities>,
);

impl Identities for WithoutAccounts {
    fn account_of(&self, _player: &str) -> Option<String> {
        None
    }

    fn name_of(&self, player: &str, sealed: &PersonName) -> Option<String> {
        self.0.name_of(player, sealed)
    }
}
