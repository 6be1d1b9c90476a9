//! The order of play, which is the order of the log but for what arrived late.
//!
//! An event may carry a `sequence`, its place among the events of its source. One whose sequence
//! is lower than that of an earlier event of its source is late: it is folded before the first
//! event of that source with a higher sequence, and the fold goes back to there.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
};

use crate::{
    envelope::{Attributes, Recorded},
    live_match::cs::{
        Event, State,
        odds::{self, Prediction},
    },
    subject::{Kind, Subject},
    timestamp::Timestamp,
};

/// What a stream of a match map folds to.
#[derive(Debug, Clone)]
pub struct Fold {
    /// The state.
    pub state: State,
    /// One prediction for each significant event, oldest first.
    pub predictions: Vec<Prediction>,
    /// The highest sequence of each source that gives one.
    sequences: BTreeMap<Box<str>, Box<str>>,
}

/// Whether an event could be folded at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It was; with a new prediction or without.
    Applied {
        /// Whether [`Fold::predictions`] grew.
        predicted: bool,
    },
    /// It is late: the stream must be folded again, with [`Fold::of`].
    Late,
}

/// A recorded event, read.
struct Fact {
    seq: u64,
    time: Timestamp,
    source: Box<str>,
    sequence: Option<Box<str>>,
    event: Read,
}

enum Read {
    Known(Event),
    Own,
    Damaged(String),
}

impl Fold {
    /// Before the first event.
    pub fn new(subject: &Subject) -> Self {
        let (match_id, map) = match subject.kind() {
            Kind::MatchMap(id, map) => (id, map),
            Kind::Match(id) => (id, 0),
            _ => (subject.as_str(), 0),
        };
        Self {
            state: State::new(match_id, map),
            predictions: Vec::new(),
            sequences: BTreeMap::new(),
        }
    }

    /// The fold of a stream from its first event on, late ones in their places.
    pub fn of<'a>(subject: &Subject, records: impl IntoIterator<Item = &'a Recorded>) -> Self {
        let facts = in_order(records.into_iter().map(Fact::read).collect());
        let head = facts.iter().map(|fact| fact.seq).max().unwrap_or(0);
        let mut fold = Self::new(subject);
        for fact in &facts {
            fold.note(fact);
            fold.apply(fact);
        }
        fold.state.seq = head;
        fold
    }

    /// Folds the next event of the stream, unless it is late.
    pub fn push(&mut self, record: &Recorded) -> Pushed {
        let fact = Fact::read(record);
        if self.is_late(&fact) {
            return Pushed::Late;
        }
        self.note(&fact);
        Pushed::Applied { predicted: self.apply(&fact) }
    }

    fn is_late(&self, fact: &Fact) -> bool {
        let highest = self.sequences.get(&fact.source);
        matches!((&fact.sequence, highest), (Some(own), Some(highest)) if own < highest)
    }

    fn note(&mut self, fact: &Fact) {
        if let Some(sequence) = &fact.sequence {
            let highest = self.sequences.entry(fact.source.clone()).or_default();
            if *highest < *sequence {
                highest.clone_from(sequence);
            }
        }
    }

    fn apply(&mut self, fact: &Fact) -> bool {
        self.state.seq = fact.seq;
        let event = match &fact.event {
            Read::Known(event) => event,
            Read::Own => return false,
            Read::Damaged(why) => {
                self.state.note_anomaly("unreadable", why.clone());
                return false;
            }
        };
        let significant = self.state.apply(event, fact.time);
        if significant {
            let prediction = odds::predict(&self.state);
            self.predictions.push(prediction.clone());
            self.state.prediction = Some(prediction);
        }
        significant
    }
}

impl Fact {
    fn read(record: &Recorded) -> Self {
        let damaged = |why: String| Self {
            seq: record.seq,
            time: record.recorded,
            source: Box::default(),
            sequence: None,
            event: Read::Damaged(why),
        };
        let attributes = match Attributes::read(&record.stored) {
            Ok(attributes) => attributes,
            Err(error) => return damaged(error.to_string()),
        };
        let time = attributes.time.as_deref().and_then(|time| Timestamp::parse(time).ok());
        let data = attributes.data.map_or("{}", |data| data.get());
        let event = match Event::parse(&attributes.kind, data) {
            Some(Ok(event)) => Read::Known(event),
            Some(Err(error)) => Read::Damaged(error.to_string()),
            None => Read::Own,
        };
        Self {
            seq: record.seq,
            time: time.unwrap_or(record.recorded),
            source: attributes.source.as_ref().into(),
            sequence: attributes.sequence.map(|sequence| sequence.as_ref().into()),
            event,
        }
    }
}

/// Puts every late fact before the first one of its source with a higher sequence.
fn in_order(facts: Vec<Fact>) -> Vec<Fact> {
    // Of each source those that were not late, by sequence, with their places.
    let mut straight: BTreeMap<Box<str>, BTreeMap<Box<str>, usize>> = BTreeMap::new();
    let mut placed: Vec<(usize, Option<Box<str>>, Fact)> = Vec::with_capacity(facts.len());
    for (place, fact) in facts.into_iter().enumerate() {
        let Some(sequence) = fact.sequence.clone() else {
            placed.push((place, None, fact));
            continue;
        };
        let source = straight.entry(fact.source.clone()).or_default();
        let higher = (Excluded(&*sequence), Unbounded);
        let next = source.range::<str, _>(higher).next().map(|(_, place)| *place);
        // Before the place of the next, and among others that are late there, by sequence.
        if let Some(next) = next {
            placed.push((next, Some(sequence), fact));
        } else {
            source.entry(sequence).or_insert(place);
            placed.push((place, None, fact));
        }
    }
    placed.sort_by(|(a, late_a, _), (b, late_b, _)| {
        a.cmp(b).then(late_a.is_none().cmp(&late_b.is_none())).then_with(|| late_a.cmp(late_b))
    });
    placed.into_iter().map(|(_, _, fact)| fact).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chain::Digest, envelope};

    /// Records `id sequence tag data`, in the order in which they arrived.
    fn arrived(lines: &[&str]) -> (Subject, Vec<Recorded>) {
        let subject = Subject::match_map("m", 1).unwrap();
        let record = |(seq, line): (u64, &&str)| {
            let [id, sequence, kind, data]: [&str; 4] =
                line.splitn(4, ' ').collect::<Vec<_>>().try_into().unwrap();
            let json = format!(
                r#"{{"specversion":"1.0","id":"{id}","source":"s","subject":"match/m/1","type":"{kind}",
                    "time":"2026-01-01T00:00:0{id}Z","sequence":"{sequence}","data":{data}}}"#
            );
            let attributes = Attributes::parse(&json).unwrap();
            let event = envelope::Event::new(&attributes, data).unwrap();
            let leaf = Digest::leaf(&event.stored);
            let recorded = Timestamp::from_ms(0);
            Recorded { seq, recorded, leaf, chain: leaf, stored: event.stored }
        };
        (subject, (1..).zip(lines).map(record).collect())
    }

    const KILL: &str = r#"2 b player.killed {"killer":"a","victim":"b","weapon":"awp"}"#;
    const STORY: [&str; 4] = ["1 a round.started {}", KILL, "3 c match.started {}", "4 d x.own {}"];

    #[test]
    fn a_late_event_is_folded_in_its_place() {
        let (subject, straight) = arrived(&STORY);
        let expected = Fold::of(&subject, &straight);
        // The kill arrives after the start that makes it void.
        let (_, late) = arrived(&[STORY[0], STORY[2], STORY[1], STORY[3]]);
        let mut fold = Fold::new(&subject);
        let pushed: Vec<Pushed> = late.iter().map(|record| fold.push(record)).collect();
        assert_eq!(pushed[2], Pushed::Late);
        let again = Fold::of(&subject, &late);
        assert_eq!(again.state.seq, 4);
        assert_eq!(again.state.players["a"].tally.kills, 0);
        assert_eq!(again.state.players, expected.state.players);
        // One that comes after it is not late.
        let mut again = Fold::of(&subject, &late[..3]);
        assert_eq!(again.push(&late[3]), Pushed::Applied { predicted: false });
    }

    #[test]
    fn step_by_step_is_the_same_as_at_once() {
        let (subject, records) = arrived(&STORY);
        let mut fold = Fold::new(&subject);
        for (count, record) in (1..).zip(&records) {
            assert!(matches!(fold.push(record), Pushed::Applied { .. }));
            let fresh = Fold::of(&subject, &records[..count]);
            assert_eq!(fold.state, fresh.state);
            assert_eq!(fold.predictions, fresh.predictions);
        }
        assert_eq!(fold.predictions.len(), 3);
        assert_eq!(fold.predictions[1].seq, 2);
    }

    #[test]
    fn damage_is_an_anomaly() {
        let (subject, mut records) = arrived(&STORY);
        records[1].stored = b"{".as_slice().into();
        let state = Fold::of(&subject, &records).state;
        assert_eq!((state.anomalies[0].kind, state.anomalies[0].seq), ("unreadable", 2));
    }
}
