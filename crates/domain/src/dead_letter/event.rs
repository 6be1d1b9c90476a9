//! What stands in the stream of dead letters.
//!
//! The tags and the names of the fields are on disk: they are never renamed and never reused.

use serde::{Deserialize, Serialize, de::Error as _};

/// An event of the stream. Each says with `oldest` from which `seq` on letters were
/// open after it, so that a start reads from there and not from the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A letter is kept; it is known by the `seq` of this event.
    Kept(Kept),
    /// It was tried again, and refused again.
    Failed(Failed),
    /// It was tried again, and taken.
    Redriven(Closed),
    /// Somebody wants it no more.
    Dropped(Closed),
}

/// A letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The same for the same content from the same origin, and says nothing of it to whoever does not
    /// have the key.
    pub name: String,
    /// Why it was refused: a stable code, `schema`.
    pub reason: String,
    /// Where it came in, `http`.
    pub via: String,
    /// What it says of itself.
    pub origin: Origin,
    /// Where a post of a source was for: `m1/auto`, or `@server`; left out for what was no post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// How often it has been tried.
    pub attempts: u32,
    /// The size of the body as it came, in bytes.
    pub body_bytes: u64,
    /// How much of the body is kept, from its beginning, in bytes.
    pub kept_bytes: u64,
    /// The body, with the headers of a post, and why it was refused in words that may quote it.
    pub sealed: Sealed,
    /// From which `seq` on letters are open.
    pub oldest: u64,
}

/// What a letter says of itself, as far as that can be read. An event that is taken has the same
/// attributes in clear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Who says so: the event's `source`, or the source whose body it is.
    pub source: String,
    /// The stream, if it is the name of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The type.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The name within subject and source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Something that can be read with a key of the vault, and no more once that is destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Which key it was.
    pub key: String,
    /// The sealed bytes, in base64.
    pub text: String,
}

/// A letter that was refused again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// The letter.
    pub letter: u64,
    /// Why, now.
    pub reason: String,
    /// Why, in words.
    pub sealed: Sealed,
    /// From which `seq` on letters are open.
    pub oldest: u64,
}

/// A letter that is open no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The letter.
    pub letter: u64,
    /// From which `seq` on letters are open.
    pub oldest: u64,
}

const KEPT: &str = "dead_letter.kept";
const FAILED: &str = "dead_letter.failed";
const REDRIVEN: &str = "dead_letter.redriven";
const DROPPED: &str = "dead_letter.dropped";

impl Event {
    /// Its type.
    pub fn tag(&self) -> &'static str {
        match self {
            Self::Kept(_) => KEPT,
            Self::Failed(_) => FAILED,
            Self::Redriven(_) => REDRIVEN,
            Self::Dropped(_) => DROPPED,
        }
    }

    /// Its data in JSON.
    pub fn data(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::Kept(kept) => serde_json::to_string(kept),
            Self::Failed(failed) => serde_json::to_string(failed),
            Self::Redriven(closed) | Self::Dropped(closed) => serde_json::to_string(closed),
        }
    }

    /// Reads type and data. An error is damage, or an event of a newer version.
    pub fn parse(tag: &str, data: &str) -> Result<Self, serde_json::Error> {
        Ok(match tag {
            KEPT => Self::Kept(serde_json::from_str(data)?),
            FAILED => Self::Failed(serde_json::from_str(data)?),
            REDRIVEN => Self::Redriven(serde_json::from_str(data)?),
            DROPPED => Self::Dropped(serde_json::from_str(data)?),
            other => {
                let other: String = other.chars().take(80).collect();
                let error = format!("type {other:?} is none of a dead letter's");
                return Err(serde_json::Error::custom(error));
            }
        })
    }

    /// From which `seq` on letters are open after it.
    pub fn oldest(&self) -> u64 {
        match self {
            Self::Kept(Kept { oldest, .. }) | Self::Failed(Failed { oldest, .. }) => *oldest,
            Self::Redriven(closed) | Self::Dropped(closed) => closed.oldest,
        }
    }
}
