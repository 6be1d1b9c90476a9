//! Every type of event that Matchwire knows, and what kind of stream may hold it.
//!
//! The tags here reach the disk: they are never renamed and never reused.

use serde_json::value::RawValue;

use crate::{
    envelope::{self, Attributes, Event},
    live_match,
    subject::{Kind, Subject},
};

/// What a user's own types start with; they may carry any JSON object.
pub const OWN_PREFIX: &str = "x.";

/// Why an event is refused for its type or data.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The envelope is bad.
    #[error(transparent)]
    Envelope(#[from] envelope::Error),
    /// No such type.
    #[error(
        "type {0:?} is not known; the known ones are at /api/v1/schemas, and your own start with \"x.\""
    )]
    UnknownType(String),
    /// A known type in a stream that does not hold it.
    #[error("type {0:?} does not belong into {1}; it belongs into match/<match>/<map>")]
    WrongStream(String, Subject),
    /// A stream that only the server writes.
    #[error("{0} is written by the server alone")]
    Reserved(Subject),
    /// The data does not fit the type's schema.
    #[error("data of {0}: {1}; the schema is at /api/v1/schemas/{0}.json")]
    Data(String, serde_json::Error),
    /// The data of a user's own type is not an object.
    #[error("data of {0} must be a JSON object")]
    NotObject(String),
}

impl Error {
    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Envelope(error) => error.code(),
            Self::UnknownType(_) => "unknown_type",
            Self::WrongStream(..) | Self::Reserved(_) => "subject",
            Self::Data(..) | Self::NotObject(_) => "schema",
        }
    }
}

/// Checks an event from outside against its schema, gives every person in it to `exchange`, which
/// answers with the player id to store, and writes the stored form.
///
/// A person is named by an account, which has a colon (`steam:76561197960265729`), or already by
/// a player id.
pub fn admit(
    attributes: &Attributes<'_>,
    exchange: &mut dyn FnMut(&str) -> String,
) -> Result<Event, Error> {
    let subject = Subject::parse(&attributes.subject).map_err(envelope::Error::from)?;
    let data = attributes.data.map_or("{}", RawValue::get);
    let kind = attributes.kind.as_ref();
    if matches!(subject.kind(), Kind::Source(..)) || subject.as_str().starts_with("admin/") {
        return Err(Error::Reserved(subject));
    }
    if kind.starts_with(OWN_PREFIX) {
        return if data.starts_with('{') {
            Ok(Event::new(attributes, data)?)
        } else {
            Err(Error::NotObject(kind.into()))
        };
    }
    let fact = live_match::Event::parse(kind, data)
        .ok_or_else(|| Error::UnknownType(kind.into()))?
        .map_err(|error| Error::Data(kind.into(), error))?;
    if !matches!(subject.kind(), Kind::MatchMap(..)) {
        return Err(Error::WrongStream(kind.into(), subject));
    }
    Ok(Event::new(attributes, &fact.exchange(exchange).to_json())?)
}
