//! A recorded event, read.

use crate::{
    envelope::{Attributes, Recorded},
    live_match::{EventAmended, EventVoided, course::Event},
    timestamp::Timestamp,
};

/// A recorded event, read.
pub(super) struct Fact {
    pub(super) seq: u64,
    /// When the log took it.
    pub(super) recorded: Timestamp,
    pub(super) time: Timestamp,
    pub(super) source: Box<str>,
    pub(super) sequence: Option<Box<str>>,
    /// Its type and data, if it could be read.
    pub(super) told: Option<(Box<str>, Box<str>)>,
    /// What is wrong with it, by kind and detail.
    pub(super) anomalies: Vec<(&'static str, String)>,
}

/// What a correction says of an earlier event.
pub(super) enum Correction {
    Void(EventVoided),
    Amend(EventAmended),
}

impl Correction {
    /// The event that it supersedes.
    pub(super) fn target(&self) -> u64 {
        match self {
            Self::Void(voided) => voided.seq,
            Self::Amend(amended) => amended.seq,
        }
    }
}

impl Fact {
    pub(super) fn read(record: &Recorded) -> Self {
        let attributes = match Attributes::read(&record.stored) {
            Ok(attributes) => attributes,
            Err(error) => {
                return Self {
                    seq: record.seq,
                    recorded: record.recorded,
                    time: record.recorded,
                    source: Box::default(),
                    sequence: None,
                    told: None,
                    anomalies: vec![("unreadable", error.to_string())],
                };
            }
        };
        let time = attributes.time.as_deref().and_then(|time| Timestamp::parse(time).ok());
        let data = attributes.data.map_or("{}", |data| data.get());
        Self {
            seq: record.seq,
            recorded: record.recorded,
            time: time.unwrap_or(record.recorded),
            source: attributes.source.as_ref().into(),
            sequence: attributes.sequence.map(|sequence| sequence.as_ref().into()),
            told: Some((attributes.kind.as_ref().into(), data.into())),
            anomalies: Vec::new(),
        }
    }

    /// The event as one that all games have, if it is one that can be read.
    pub(super) fn common(&self) -> Option<Event> {
        let (tag, data) = self.told.as_ref()?;
        Event::parse(tag, data)?.ok()
    }

    /// Whether it says something of an earlier event.
    pub(super) fn is_correction(&self) -> bool {
        self.is_of(&["event.voided", "event.amended"])
    }

    /// Whether it is of one of these types.
    pub(super) fn is_of(&self, tags: &[&str]) -> bool {
        self.told.as_ref().is_some_and(|(tag, _)| tags.contains(&&**tag))
    }

    /// What it says of an earlier event.
    pub(super) fn correction(&self) -> Option<Correction> {
        let (tag, data) = self.told.as_ref().filter(|_| self.is_correction())?;
        match Event::parse(tag, data)?.ok()? {
            Event::EventVoided(voided) => Some(Correction::Void(voided)),
            Event::EventAmended(amended) => Some(Correction::Amend(amended)),
            _ => None,
        }
    }

    /// The last event whose result it confirms, if it does.
    pub(super) fn confirms(&self) -> Option<u64> {
        let (tag, data) = self.told.as_ref().filter(|(tag, _)| &**tag == "result.confirmed")?;
        match Event::parse(tag, data)?.ok()? {
            Event::ResultConfirmed(confirmed) => Some(confirmed.seq),
            _ => None,
        }
    }
}
