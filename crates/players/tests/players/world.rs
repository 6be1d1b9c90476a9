//! Streams of matches and tournaments, as a log has them, and what follows from them step by step.

use std::collections::{BTreeMap, BTreeSet};

use matchwire_domain::{
    activity::{Activity, Deeds, Model, revise},
    chain::Digest,
    envelope::{Attributes, Event, Recorded},
    live_match::{Games, Play},
    outcome::Outcome,
    series,
    subject::{Kind, Subject},
    timeline::{Chronicle, Fold},
    timestamp::Timestamp,
    tournament,
};
use matchwire_players::{
    rating::{Bout, Rated, Ratings, System},
    statistics::Statistics,
};

/// What is in the log, and everything that was made of it.
pub(crate) struct World {
    games: Games,
    known: BTreeSet<(Subject, String)>,
    streams: BTreeMap<Subject, Vec<Recorded>>,
    /// Of each match and tournament, all activities that were ever made.
    pub(crate) activities: BTreeMap<Subject, Vec<Activity>>,
    pub(crate) ratings: BTreeMap<System, Ratings>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            games: Games::default(),
            known: BTreeSet::new(),
            streams: BTreeMap::new(),
            activities: BTreeMap::new(),
            ratings: System::SERVED.map(|system| (system, Ratings::new(system))).into(),
        }
    }

    /// Records an event, if it is not there, and nothing more.
    pub(crate) fn record(&mut self, event: &Event) {
        if !self.known.insert((event.subject.clone(), event.id.to_string())) {
            return;
        }
        let stream = self.streams.entry(event.subject.clone()).or_default();
        let (seq, leaf) = (stream.len() as u64 + 1, Digest::leaf(&event.stored));
        let recorded = Timestamp::from_ms(0);
        stream.push(Recorded { seq, recorded, leaf, chain: leaf, stored: event.stored.clone() });
    }

    /// How the matches that are over have ended.
    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        self.matches().iter().filter_map(|own| self.outcome(match_of(own)?)).collect()
    }

    /// The own streams of all matches, whether there is anything in them or in their maps alone.
    fn matches(&self) -> BTreeSet<Subject> {
        let ids = self.streams.keys().filter_map(match_of);
        ids.map(|id| Subject::parse(&format!("match/{id}")).unwrap()).collect()
    }

    /// How many events a stream has.
    pub(crate) fn len(&self, subject: &str) -> usize {
        self.streams.get(&Subject::parse(subject).unwrap()).map_or(0, Vec::len)
    }

    /// Records an event and follows it: the activities that are new, of its match, or of its tournament and
    /// the matches of that.
    pub(crate) fn tell(&mut self, event: &Event) -> Vec<Activity> {
        self.record(event);
        let of_tournament = matches!(event.subject.kind(), Kind::Tournament(_));
        let mut touched: Vec<Subject> = self.matches().into_iter().collect();
        touched.retain(|own| of_tournament || match_of(own) == match_of(&event.subject));
        if of_tournament {
            touched.push(event.subject.clone());
        }
        touched.iter().flat_map(|subject| self.follow(subject)).collect()
    }

    /// Everything at once, as a view is built anew.
    pub(crate) fn follow_all(&mut self) {
        let mut subjects = self.matches();
        subjects.extend(self.streams.keys().cloned());
        for subject in &subjects {
            self.make_activities(subject);
        }
        let outcomes = self.outcomes();
        let bouts = || outcomes.iter().filter_map(|outcome| Bout::of(outcome, Rated::Players));
        self.ratings = System::SERVED.map(|system| (system, Ratings::of(system, bouts()))).into();
    }

    fn follow(&mut self, subject: &Subject) -> Vec<Activity> {
        if let Kind::Match(id) = subject.kind() {
            let outcome = self.outcome(id);
            let bout = outcome.as_ref().and_then(|outcome| Bout::of(outcome, Rated::Players));
            for ratings in self.ratings.values_mut() {
                ratings.set(id, bout.clone());
            }
        }
        self.make_activities(subject)
    }

    fn make_activities(&mut self, subject: &Subject) -> Vec<Activity> {
        let (model, id, deeds) = match subject.kind() {
            Kind::Tournament(id) => (Model::Tournament, id, self.tournament(id).deeds(id)),
            Kind::Match(id) => {
                let outcome = self.outcome(id);
                (Model::Match, id, outcome.map_or_else(Deeds::new, |outcome| outcome.deeds()))
            }
            _ => return Vec::new(),
        };
        let so_far = self.activities.entry(subject.clone()).or_default();
        let new = revise(model, id, &*so_far, deeds);
        so_far.extend(new.clone());
        new
    }

    /// A tournament as it is now.
    pub(crate) fn tournament(&self, id: &str) -> tournament::State {
        let subject = Subject::parse(&format!("tournament/{id}")).unwrap();
        Chronicle::of(self.streams.get(&subject).into_iter().flatten()).state
    }

    /// How a match ended, by what is in the log.
    pub(crate) fn outcome(&self, id: &str) -> Option<Outcome> {
        let fold = |subject: &Subject| {
            Fold::of(&self.games, subject, self.streams.get(subject).into_iter().flatten())
        };
        let own = fold(&Subject::parse(&format!("match/{id}")).unwrap());
        let first = Subject::match_map(id, 1).unwrap();
        let from_first = self.streams.range(first..).map(|(subject, _)| subject);
        let is_map =
            |subject: &&Subject| matches!(subject.kind(), Kind::MatchMap(of, _) if of == id);
        let maps: Vec<Fold> = from_first.take_while(is_map).map(fold).collect();
        let maps: Vec<&dyn Play> = maps.iter().map(|map| &*map.play).collect();
        let outcome = Outcome::of(&self.games, own.state::<series::State>().unwrap(), &maps)?;
        match outcome.tournament.clone() {
            Some(tournament) => Some(outcome.within(&self.tournament(&tournament))),
            None => Some(outcome),
        }
    }

    /// The statistics of all activities.
    pub(crate) fn statistics(&self) -> Statistics {
        Statistics::of(self.activities.values().flatten())
    }
}

/// The match that a stream is of.
fn match_of(subject: &Subject) -> Option<&str> {
    match subject.kind() {
        Kind::Match(id) | Kind::MatchMap(id, _) => Some(id),
        _ => None,
    }
}

/// An event from outside, as it is admitted.
pub(crate) fn event(subject: &str, id: &str, second: i64, tag: &str, data: &str) -> Event {
    let time = Timestamp::from_ms(second * 1_000).to_string();
    let json = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"s","subject":"{subject}","type":"{tag}","time":"{time}","data":{data}}}"#
    );
    let attributes = Attributes::parse(&json).unwrap();
    let mut exchange = |person: &str| person.to_owned();
    matchwire_domain::vocabulary::admit(
        &Games::default(),
        &attributes,
        &mut exchange,
        &|_, name| name.clone(),
    )
    .unwrap()
}
