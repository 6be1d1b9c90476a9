//! Streams of what is not played: tournaments and players. Their events are folded in the same order,
//! and corrected by the same events, as those of a match.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Pushed, correction::Corrections, fact::Fact, in_order};
use crate::{
    envelope::Recorded,
    live_match::{Anomaly, MAX_ANOMALIES, Vocabulary},
    timestamp::Timestamp,
};

/// What such a stream is about. `apply` is total and pure, as everywhere.
pub trait Entity: Clone + Default + PartialEq + Serialize {
    /// What can happen.
    type Event: Vocabulary;

    /// Folds an event that happened at `time`; what does not fit is noted.
    fn apply(&mut self, event: &Self::Event, time: Timestamp, notes: &mut Notes);
}

/// What did not fit, as it is noted in the states of matches too.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Notes {
    /// The last event in the state, 0 before the first.
    pub seq: u64,
    /// What did not fit, oldest first, at most [`MAX_ANOMALIES`].
    pub anomalies: Vec<Anomaly>,
    /// How many anomalies there were in all.
    pub anomaly_count: u64,
}

impl Notes {
    /// Records something that does not fit.
    pub fn note_anomaly(&mut self, kind: &'static str, detail: String) {
        self.anomaly_count += 1;
        if self.anomalies.len() < MAX_ANOMALIES {
            self.anomalies.push(Anomaly { seq: self.seq, kind, detail });
        }
    }
}

/// What such a stream folds to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Chronicle<E> {
    /// How far it is, and what did not fit.
    #[serde(flatten)]
    pub notes: Notes,
    /// The state.
    #[serde(flatten)]
    pub state: E,
    /// The highest sequence of each source that gives one.
    #[serde(skip)]
    sequences: BTreeMap<Box<str>, Box<str>>,
}

impl<E: Entity> Chronicle<E> {
    /// The fold of a stream from its first event on, late ones in their places, corrected ones as
    /// they should have been.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Recorded>) -> Self {
        let facts: Vec<Fact> = records.into_iter().map(Fact::read).collect();
        let head = facts.iter().map(|fact| fact.seq).max().unwrap_or(0);
        let corrections = Corrections::of(&facts);
        let mut chronicle = Self::default();
        for fact in in_order(facts) {
            chronicle.note(&fact);
            if let Some(fact) = corrections.correct(fact) {
                chronicle.apply(&fact);
            }
        }
        chronicle.notes.seq = head;
        chronicle
    }

    /// Folds the next event of the stream, unless it changes what was folded before it.
    pub fn push(&mut self, record: &Recorded) -> Pushed {
        let fact = Fact::read(record);
        let highest = self.sequences.get(&fact.source);
        let is_late =
            matches!((&fact.sequence, highest), (Some(own), Some(highest)) if own < highest);
        if is_late || fact.is_correction() {
            return Pushed::Refold;
        }
        self.note(&fact);
        self.apply(&fact);
        Pushed::Applied { predicted: false }
    }

    fn note(&mut self, fact: &Fact) {
        if let Some(sequence) = &fact.sequence {
            let highest = self.sequences.entry(fact.source.clone()).or_default();
            if *highest < *sequence {
                highest.clone_from(sequence);
            }
        }
    }

    fn apply(&mut self, fact: &Fact) {
        self.notes.seq = fact.seq;
        for (kind, detail) in &fact.anomalies {
            self.notes.note_anomaly(kind, detail.clone());
        }
        let Some((tag, data)) = &fact.told else { return };
        match E::Event::parse(tag, data) {
            Some(Ok(event)) => self.state.apply(&event, fact.time, &mut self.notes),
            Some(Err(error)) => self.notes.note_anomaly("unreadable", error.to_string()),
            None => {}
        }
    }
}

/// Records `sequence tag data`, a second after each other, in the order in which they arrived; `-` is no
/// sequence.
#[cfg(test)]
pub(crate) fn recorded(subject: &str, lines: &[impl AsRef<str>]) -> Vec<Recorded> {
    use crate::{
        chain::Digest,
        envelope::{Attributes, Event},
    };
    let record = |(seq, line): (u64, &str)| {
        let mut parts = line.splitn(3, ' ');
        let [sequence, tag, data] = [(); 3].map(|()| parts.next());
        let time = Timestamp::from_ms(i64::try_from(seq).unwrap() * 1_000);
        let attributes = Attributes {
            time: Some(time.to_string().into()),
            sequence: sequence.filter(|own| *own != "-").map(Into::into),
            ..Attributes::of(seq.to_string(), "s", subject, tag.unwrap())
        };
        let stored = Event::new(&attributes, data.unwrap_or("{}")).unwrap().stored;
        let leaf = Digest::leaf(&stored);
        Recorded { seq, recorded: time, leaf, chain: leaf, stored }
    };
    (1..).zip(lines.iter().map(AsRef::as_ref)).map(record).collect()
}
