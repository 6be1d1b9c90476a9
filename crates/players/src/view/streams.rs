//! The streams that activities are made of, read as a whole and folded.

use matchwire_domain::{
    envelope::Recorded,
    live_match::{Games, Play},
    outcome::Outcome,
    series,
    subject::Subject,
    timeline::{Chronicle, Fold, Pushed},
    tournament,
};
use matchwire_log::{Error as LogError, Log, view_store::Error};

use crate::stream::Stream;

/// The most maps of a match.
const MAX_MAPS: usize = 1_000;

/// A match with its maps.
pub(super) struct Streams<'a> {
    games: &'a Games,
    subject: Option<Subject>,
    own: Vec<Recorded>,
    maps: Vec<Fold>,
    /// The fold of the first so many events of its own stream.
    folded: Option<(Fold, usize)>,
    subjects: Vec<Subject>,
    is_whole: bool,
}

/// A tournament as it is read.
#[derive(Clone)]
pub(super) struct Tournament {
    pub(super) state: tournament::State,
    /// Whether nothing of its stream was removed or is damaged.
    pub(super) is_whole: bool,
}

impl<'a> Streams<'a> {
    /// Reads a match.
    pub(super) fn of_match(log: &Log, games: &'a Games, id: &str) -> Result<Self, Error> {
        let subject = Subject::parse(&format!("match/{id}")).ok();
        let own = subject.as_ref().map_or_else(|| Ok(Stream::default()), |own| read(log, own))?;
        let Stream { events: own, mut is_whole } = own;
        let mut maps = Vec::new();
        let mut subjects = log
            .subjects(&format!("match/{id}/"), None, MAX_MAPS)
            .map_err(|error| failed(&error))?;
        for map in &subjects {
            let of_map = read(log, map)?;
            is_whole &= of_map.is_whole;
            maps.push(Fold::of(games, map, &of_map.events));
        }
        maps.sort_by_key(|map| map.play.course().map);
        subjects.extend(subject.clone());
        Ok(Self { games, subject, own, maps, folded: None, subjects, is_whole })
    }

    /// The streams that were read.
    pub(super) fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// Whether nothing of them was removed or is damaged.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The events of its own stream from one on; or else that there is nothing more in it.
    pub(super) fn own_seqs(&self, since: u64) -> Vec<u64> {
        let seqs: Vec<u64> =
            self.own.iter().map(|event| event.seq).filter(|seq| *seq >= since).collect();
        if seqs.is_empty() { vec![u64::MAX] } else { seqs }
    }

    /// How the match has ended, as of an event of its own stream and all of its maps.
    pub(super) fn outcome_at(&mut self, seq: u64) -> Option<Outcome> {
        let until = self.own.partition_point(|event| event.seq <= seq);
        let subject = self.subject.clone()?;
        let events = self.own.get(..until)?;
        let (mut fold, mut count) =
            self.folded.take().unwrap_or_else(|| (Fold::new(self.games, &subject), 0));
        for event in events.get(count..)? {
            count += 1;
            if fold.push(event) == Pushed::Refold {
                fold = Fold::of(self.games, &subject, events.get(..count)?);
            }
        }
        let maps: Vec<&dyn Play> = self.maps.iter().map(|map| &*map.play).collect();
        let outcome = Outcome::of(self.games, fold.state::<series::State>()?, &maps);
        self.folded = Some((fold, count));
        outcome
    }

    /// The tournament that the match is of, by the last of its own stream that was folded.
    pub(super) fn tournament_named(&self) -> Option<String> {
        let (fold, _) = self.folded.as_ref()?;
        fold.state::<series::State>()?.tournament.clone()
    }

    /// Reads a tournament.
    pub(super) fn tournament(log: &Log, id: &str) -> Result<Tournament, Error> {
        let Ok(subject) = Subject::parse(&format!("tournament/{id}")) else {
            return Ok(Tournament { state: tournament::State::default(), is_whole: true });
        };
        let Stream { events, is_whole } = read(log, &subject)?;
        Ok(Tournament { state: Chronicle::of(&events).state, is_whole })
    }
}

fn read(log: &Log, subject: &Subject) -> Result<Stream, Error> {
    Stream::read(log, subject, 0).map_err(|error| failed(&error))
}

pub(super) fn failed(error: &LogError) -> Error {
    Error::Failed { place: "the log".into(), what: error.to_string() }
}
