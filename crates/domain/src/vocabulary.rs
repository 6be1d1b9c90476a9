//! Every type of event that Matchwire knows, and what kind of stream may hold it.
//!
//! The tags here reach the disk: they are never renamed and never reused.

mod own;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    envelope::{self, Attributes, Event},
    live_match::{Exchange, Games, Label, Scope, Seal, Unfit},
    player,
    subject::Subject,
};

/// What a user's own types start with; they may carry any JSON object.
pub const OWN_PREFIX: &str = "x.";

/// What the server alone says.
pub(crate) const RESERVED: [&str; 1] = [player::FORGETS];

/// The data of [`envelope::SEALED`], which any stream may hold: it is the stream's last event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// Why nothing may follow, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
}

/// The types of all events with a schema.
pub fn tags(games: &Games) -> impl Iterator<Item = &'static str> {
    games.tags().chain([envelope::SEALED])
}

/// The JSON Schema of a type's data.
pub fn schema(games: &Games, tag: &str) -> Option<Schema> {
    if tag == envelope::SEALED {
        return Some(schemars::schema_for!(Sealed));
    }
    games.schema(tag)
}

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
    #[error("type {0:?} does not belong into {1}; it belongs into {2}")]
    WrongStream(String, Subject, Scope),
    /// A stream that holds nothing but what starts with `x.`.
    #[error("type {0:?} does not belong into {1}, which takes types that start with \"x.\" alone")]
    NoStream(String, Subject),
    /// A stream that only the server writes.
    #[error("{0} is written by the server alone")]
    Reserved(Subject),
    /// A type that only the server writes.
    #[error("{0} is told by the server alone")]
    ReservedType(&'static str),
    /// The data does not fit the type's schema.
    #[error("data of {0}: {1}; the schema is at /api/v1/schemas/{0}.json")]
    Data(String, serde_json::Error),
    /// The data of a user's own type is no JSON object that every reader can read.
    #[error("data of {0} must be a JSON object: {1}")]
    OwnData(String, serde_json::Error),
}

impl Error {
    /// The stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Envelope(error) => error.code(),
            Self::UnknownType(_) => "unknown_type",
            Self::WrongStream(..) | Self::NoStream(..) | Self::Reserved(_) => "subject",
            Self::ReservedType(_) => "reserved",
            Self::Data(..) | Self::OwnData(..) => "schema",
        }
    }
}

/// Checks an event from outside against its schema, gives every person in it to `exchange`, which
/// answers with the player id to store, and writes the stored form.
///
/// A person is named by an account, which has a colon (`steam:76561197960265729`), or already by
/// a player id. People's names are given to `seal`, with the player ids.
pub fn admit(
    games: &Games,
    attributes: &Attributes<'_>,
    exchange: Exchange<'_>,
    seal: Seal<'_>,
) -> Result<Event, Error> {
    let subject = Subject::parse(&attributes.subject).map_err(envelope::Error::from)?;
    let data = attributes.data.map_or("{}", RawValue::get);
    let kind = attributes.kind.as_ref();
    if subject.is_internal() {
        return Err(Error::Reserved(subject));
    }
    if let Some(reserved) = RESERVED.into_iter().find(|reserved| *reserved == kind) {
        return Err(Error::ReservedType(reserved));
    }
    if kind.starts_with(OWN_PREFIX) {
        own::check(data).map_err(|error| Error::OwnData(kind.into(), error))?;
        // Between tokens a line break is a space; on one line an event is the same on every wire.
        return Ok(Event::new(attributes, &data.replace(['\r', '\n'], " "))?);
    }
    if kind == envelope::SEALED {
        let sealed: Sealed =
            serde_json::from_str(data).map_err(|error| Error::Data(kind.into(), error))?;
        let data = serde_json::to_string(&sealed).unwrap_or_default();
        return Ok(Event::new(attributes, &data)?);
    }
    let Some(scope) = Scope::of(&subject) else {
        return Err(Error::NoStream(kind.into(), subject));
    };
    let fact = games.admit(scope, kind, data, exchange, seal).map_err(|error| match error {
        Unfit::Unknown => Error::UnknownType(kind.into()),
        Unfit::Scope(right) => Error::WrongStream(kind.into(), subject, right),
        Unfit::Data(error) => Error::Data(kind.into(), error),
    })?;
    Ok(Event::new(attributes, &fact)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(subject: &str, kind: &str, data: &str) -> Result<String, &'static str> {
        let json = format!(
            r#"{{"specversion":"1.0","id":"1","source":"s","subject":"{subject}","type":"{kind}","data":{data}}}"#
        );
        let attributes = Attributes::parse(&json).map_err(|error| error.code())?;
        let mut exchange = |person: &str| person.replace("steam:", "p");
        let event = admit(&Games::default(), &attributes, &mut exchange, &|_, name| name.clone())
            .map_err(|error| error.code())?;
        let stored = String::from_utf8(event.stored.to_vec()).unwrap();
        Ok(stored.split_once("\"data\":").unwrap().1.trim_end_matches('}').to_owned() + "}")
    }

    #[test]
    fn what_is_admitted() {
        let own = admitted("match/m/1", "x.own", "{\n\"a\": 1}");
        assert_eq!(own.unwrap(), "{ \"a\": 1}");
        let person = admitted("match/m/1", "bomb.defused", r#"{ "player": "steam:7" }"#);
        assert_eq!(person.unwrap(), r#"{"player":"p7"}"#);
        assert!(admitted("room/r", "x.own", "{}").is_ok());
        assert!(admitted("match/m", "series.started", "{}").is_ok());
        for corrected in ["match/m", "tournament/t", "player/p"] {
            assert!(admitted(corrected, "event.voided", r#"{"seq":1}"#).is_ok(), "{corrected}");
        }
        let joined =
            r#"{"entrants":[{"player":"steam:7"},{"team":{"id":"t","players":["steam:8"]}}]}"#;
        let told = admitted("tournament/t", "tournament.registered", joined);
        assert_eq!(told.unwrap(), joined.replace("steam:", "p"));
        let friended = admitted("player/p1", "player.friended", r#"{"player":"steam:7"}"#);
        assert_eq!(friended.unwrap(), r#"{"player":"p7"}"#);
        assert_eq!(admitted("room/r", "stream.sealed", "{ }").unwrap(), "{}");
    }

    #[test]
    fn what_is_worth_how_much() {
        use crate::live_match::Priority::{Critical, Low, Normal};
        let games = Games::default();
        let all = [
            (Critical, "player.killed round.ended score.reported bomb.planted map.ended"),
            (Critical, "event.voided event.amended result.amended match.paused source.switched"),
            (Critical, "goal.scored goal.disallowed card.shown player.substituted shootout.kicked"),
            (
                Critical,
                "match.scheduled series.ended stream.sealed tournament.placed player.consented",
            ),
            (Normal, "player.hurt player.equipped round.stats shot.taken source.gap no.such"),
            (Low, "money.changed possession.changed x.position x."),
        ];
        for (priority, tags) in all {
            for tag in tags.split(' ') {
                assert_eq!(games.priority(tag), priority, "{tag}");
            }
        }
        assert!(Low < Normal && Normal < Critical);
    }

    #[test]
    fn what_is_refused() {
        assert_eq!(admitted("match/m/1", "x.own", "[]"), Err("schema"));
        assert_eq!(admitted("match/m/1", "x.own", r#"{"a":1e999}"#), Err("schema"));
        assert_eq!(admitted("match/m/1", "bomb.picked_up", "{}"), Err("schema"));
        assert_eq!(admitted("match/m/1", "bomb.licked", "{}"), Err("unknown_type"));
        assert_eq!(admitted("match/m", "round.started", "{}"), Err("subject"));
        assert_eq!(admitted("match/m/1", "series.started", "{}"), Err("subject"));
        assert_eq!(admitted("room/r", "series.started", "{}"), Err("subject"));
        assert_eq!(admitted("tournament/t", "match.paused", "{}"), Err("subject"));
        assert_eq!(admitted("player/p", "tournament.ended", "{}"), Err("subject"));
        assert_eq!(admitted("match/m", "player.friended", "{}"), Err("subject"));
        assert_eq!(admitted("tournament/t", "tournament.placed", "{}"), Err("schema"));
        assert_eq!(admitted("match/m", "stream.sealed", r#"{"why":1}"#), Err("schema"));
        assert_eq!(admitted("player/p", "player.erased", "{}"), Err("reserved"));
        for internal in ["source/cs-log/m/1", "admin/keys", "upstream/u", "import/i"] {
            assert_eq!(admitted(internal, "x.own", "{}"), Err("subject"));
        }
    }
}
