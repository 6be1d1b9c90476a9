//! What stands in the stream of an import.
//!
//! The tags and the names of the fields are on disk: they are never renamed and never reused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::Error as _};

use crate::{live_match::Label, subject::Subject};

/// An event of the stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// It begins.
    Started(Started),
    /// A batch of its events is about to be told.
    Batched(Batched),
    /// All batches were told.
    Finished(Finished),
    /// It is being taken back: no batch may follow.
    Revoking(Revoking),
    /// The events of a batch are taken back.
    Unwound(Unwound),
    /// All of them are.
    Revoked,
}

/// What an import is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Started {
    /// A hash over all of its events, so that another one cannot go on under its name.
    pub content: Label,
    /// How many events it has.
    pub events: u64,
    /// Who imports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Label>,
    /// The files that it is made of, at most [`super::MAX_FILES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
}

/// A file that an import is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its name, without where it was.
    pub name: Label,
    /// Its size.
    pub bytes: u64,
}

/// A batch: events from `first` on, in the numbering of the import, from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batched {
    /// The number of its first event.
    pub first: u64,
    /// How many there are.
    pub count: u64,
    /// The streams that they go to, each with its last `seq` before them.
    pub streams: BTreeMap<Subject, u64>,
}

/// The end of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finished {
    /// How many of its events the server refused.
    #[serde(default)]
    pub refused: u64,
}

/// That an import is to be taken back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoking {
    /// Who takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Label>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// That a batch is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unwound {
    /// The `seq` of the event that announced the batch.
    pub batch: u64,
    /// The number after the last event of the batch. Batches may overlap; each event is counted with the first one.
    pub until: u64,
    /// How many events were voided.
    pub voided: u64,
    /// How many could not be, since their streams are sealed.
    #[serde(default)]
    pub kept: u64,
}

const STARTED: &str = "import.started";
const BATCHED: &str = "import.batched";
const FINISHED: &str = "import.finished";
const REVOKING: &str = "import.revoking";
const UNWOUND: &str = "import.unwound";
const REVOKED: &str = "import.revoked";

impl Event {
    /// Its type.
    pub fn tag(&self) -> &'static str {
        match self {
            Self::Started(_) => STARTED,
            Self::Batched(_) => BATCHED,
            Self::Finished(_) => FINISHED,
            Self::Revoking(_) => REVOKING,
            Self::Unwound(_) => UNWOUND,
            Self::Revoked => REVOKED,
        }
    }

    /// Its data in JSON.
    pub fn data(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::Started(started) => serde_json::to_string(started),
            Self::Batched(batched) => serde_json::to_string(batched),
            Self::Finished(finished) => serde_json::to_string(finished),
            Self::Revoking(revoking) => serde_json::to_string(revoking),
            Self::Unwound(unwound) => serde_json::to_string(unwound),
            Self::Revoked => Ok("{}".into()),
        }
    }

    /// Reads type and data. An error is damage, or an event of a newer version.
    pub fn parse(tag: &str, data: &str) -> Result<Self, serde_json::Error> {
        Ok(match tag {
            STARTED => Self::Started(serde_json::from_str(data)?),
            BATCHED => Self::Batched(serde_json::from_str(data)?),
            FINISHED => Self::Finished(serde_json::from_str(data)?),
            REVOKING => Self::Revoking(serde_json::from_str(data)?),
            UNWOUND => Self::Unwound(serde_json::from_str(data)?),
            REVOKED => Self::Revoked,
            other => {
                let other: String = other.chars().take(80).collect();
                return Err(serde_json::Error::custom(format!(
                    "type {other:?} is none of an import's"
                )));
            }
        })
    }
}
