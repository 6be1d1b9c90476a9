//! What events would be for players, before anybody has told them: the activities that would be made of these events
//! alone.

use std::collections::BTreeMap;

use matchwire_domain::{
    activity::{Activity, Deeds, Model, revise},
    chain::Digest,
    envelope::{Event, Recorded},
    live_match::{Games, Play},
    outcome::Outcome,
    series,
    subject::{Kind, Subject},
    timeline::{Chronicle, Fold},
    timestamp::Timestamp,
    tournament,
};

/// The activities of all matches and tournaments that these events tell of, in the order of their names; events of a
/// stream in the order in which they would be appended. What is in a log already is not looked at.
pub fn activities<'a>(games: &Games, events: impl IntoIterator<Item = &'a Event>) -> Vec<Activity> {
    let mut streams: BTreeMap<&Subject, Vec<Recorded>> = BTreeMap::new();
    for event in events {
        let stream = streams.entry(&event.subject).or_default();
        let (seq, leaf) = (stream.len() as u64 + 1, Digest::leaf(b""));
        let recorded = Timestamp::from_ms(0);
        stream.push(Recorded { seq, recorded, leaf, chain: leaf, stored: event.stored.clone() });
    }
    let mut matches: BTreeMap<&str, Vec<&Subject>> = BTreeMap::new();
    let mut tournaments: BTreeMap<&str, tournament::State> = BTreeMap::new();
    for (subject, records) in &streams {
        match subject.kind() {
            Kind::Match(id) | Kind::MatchMap(id, _) => matches.entry(id).or_default().push(subject),
            Kind::Tournament(id) => {
                tournaments.insert(id, Chronicle::of(records).state);
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    for (id, state) in &tournaments {
        all.extend(revise(Model::Tournament, id, &[], state.deeds(id)));
    }
    for (id, of_match) in matches {
        let outcome = outcome(games, id, &of_match, &streams);
        let outcome = outcome.map(|outcome| {
            let told = outcome.tournament.as_ref().and_then(|name| tournaments.get(name.as_str()));
            told.map_or_else(|| outcome.clone(), |told| outcome.clone().within(told))
        });
        let deeds = outcome.map_or_else(Deeds::new, |outcome| outcome.deeds());
        all.extend(revise(Model::Match, id, &[], deeds));
    }
    all
}

/// How a match ends, by its own stream and those of its maps.
fn outcome(
    games: &Games,
    id: &str,
    of_match: &[&Subject],
    streams: &BTreeMap<&Subject, Vec<Recorded>>,
) -> Option<Outcome> {
    let own = Subject::parse(&format!("match/{id}")).ok()?;
    let records = |subject: &Subject| streams.get(subject).into_iter().flatten();
    let mut maps: Vec<Fold> = of_match
        .iter()
        .filter(|subject| matches!(subject.kind(), Kind::MatchMap(..)))
        .map(|subject| Fold::of(games, subject, records(subject)))
        .collect();
    maps.sort_by_key(|map| map.play.course().map);
    let maps: Vec<&dyn Play> = maps.iter().map(|map| &*map.play).collect();
    let fold = Fold::of(games, &own, records(&own));
    Outcome::of(games, fold.state::<series::State>()?, &maps)
}
