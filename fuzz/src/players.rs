//! What comes of matches, tournaments and players, and of files of before.

use std::collections::BTreeMap;

use matchwire_domain::{
    activity::{Activity, Deeds, Model, revise},
    envelope::{Event, Recorded},
    live_match::{Games, Play},
    outcome::Outcome,
    player, series,
    subject::{Kind, Subject},
    timeline::{Chronicle, Entity, Fold, Pushed},
    tournament,
};
use matchwire_sources::history::{
    About,
    startgg::{self, Bracket},
    team_results::Columns,
};

use crate::domain::{admit, record};

/// Streams, one event a line: after each the activities of each come to what holds of it, and a tournament
/// and a player fold one by one to what they fold to as a whole.
pub fn activities(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let games = Games::default();
    let mut streams: BTreeMap<Subject, Vec<Recorded>> = BTreeMap::new();
    let mut made: BTreeMap<&str, Vec<Activity>> = BTreeMap::new();
    for event in text.lines().take(60).filter_map(admit) {
        let stream = streams.entry(event.subject.clone()).or_default();
        stream.push(record(stream.len() as u64 + 1, &event));
        if matches!(event.subject.kind(), Kind::Tournament(_)) {
            let fold = Chronicle::<tournament::State>::of(of_kind(&streams, "tournament"));
            let so_far = made.entry("tournament").or_default();
            follow(Model::Tournament, so_far, &fold.state.deeds("t1"));
        } else {
            let deeds = outcome(&games, &streams).map(|outcome| outcome.deeds());
            follow(Model::Match, made.entry("match").or_default(), &deeds.unwrap_or_default());
        }
    }
    stepwise::<tournament::State>(of_kind(&streams, "tournament"));
    stepwise::<player::State>(of_kind(&streams, "player"));
    !streams.is_empty()
}

fn of_kind<'a>(streams: &'a BTreeMap<Subject, Vec<Recorded>>, kind: &str) -> &'a [Recorded] {
    let of = |(subject, _): &(&Subject, &Vec<Recorded>)| subject.as_str().starts_with(kind);
    streams.iter().find(of).map_or(&[], |(_, records)| records)
}

fn outcome(games: &Games, streams: &BTreeMap<Subject, Vec<Recorded>>) -> Option<Outcome> {
    let fold = |(subject, records): (&Subject, &Vec<Recorded>)| Fold::of(games, subject, records);
    let own = streams.iter().find(|(subject, _)| matches!(subject.kind(), Kind::Match(_)));
    let own = fold(own?);
    let maps = streams.iter().filter(|(subject, _)| matches!(subject.kind(), Kind::MatchMap(..)));
    let maps: Vec<Fold> = maps.map(fold).collect();
    let maps: Vec<&dyn Play> = maps.iter().map(|map| &*map.play).collect();
    Outcome::of(games, own.state::<series::State>()?, &maps)
}

fn follow(model: Model, so_far: &mut Vec<Activity>, holds: &Deeds) {
    so_far.extend(revise(model, "m1", &*so_far, holds.clone()));
    assert!(revise(model, "m1", &*so_far, holds.clone()).is_empty(), "nothing is told twice");
    let mut stands: BTreeMap<_, &Activity> = BTreeMap::new();
    for activity in so_far.iter() {
        let key = (activity.player.clone(), activity.kind.clone());
        let before = stands.insert(key, activity).map_or(0, |before| before.revision);
        assert_eq!(activity.revision, before + 1, "revisions have no gap");
    }
    stands.retain(|_, last| !last.is_reversal());
    let stands: Deeds = stands.into_iter().map(|(key, last)| (key, last.deed.clone())).collect();
    assert_eq!(&stands, holds, "what is told is what holds");
}

fn stepwise<E: Entity + std::fmt::Debug>(records: &[Recorded]) {
    let mut fold = Chronicle::<E>::default();
    for (index, next) in records.iter().enumerate() {
        if fold.push(next) == Pushed::Refold {
            fold = Chronicle::of(&records[..=index]);
        }
    }
    assert_eq!(fold, Chronicle::of(records), "one by one and as a whole are the same");
}

/// A table of results, or the four files of a bracket after each other on lines of their own: what is told of
/// them is what is admitted, and in the same bytes again.
pub fn histories(input: &[u8]) -> bool {
    let about = About { source: "s".into(), prefix: "h-".into(), game: None };
    let mut exchange = |account: &str| account.replace(':', "-");
    let mut lines = input.split(|byte| *byte == b'\n');
    let mut next = || lines.next().unwrap_or_default();
    let [attr, seeds, matches, standings] = [next(), next(), next(), next()];
    let bracket = Bracket { attr, seeds, matches, standings };
    if let Ok(history) = startgg::read(&about, &bracket, &mut exchange) {
        admitted(&history.events);
        return true;
    }
    let Ok(table) = std::str::from_utf8(input) else { return false };
    let mut rows = table.lines().map(|row| row.split(',').collect::<Vec<_>>());
    let header = rows.next().unwrap_or_default();
    let Ok(columns) = Columns::of(header.into_iter()) else { return false };
    for row in rows {
        let cell = |column: usize| row.get(column).copied();
        if let Ok(events) = columns.read(&about, cell, &mut exchange) {
            admitted(&events);
        }
    }
    true
}

fn admitted(events: &[Event]) {
    for event in events {
        let stored = std::str::from_utf8(&event.stored).expect("what is stored is text");
        let again = admit(stored).unwrap_or_else(|| panic!("{stored} is not admitted"));
        assert_eq!(stored.as_bytes(), &*again.stored, "the stored form is a fixed point");
    }
}
