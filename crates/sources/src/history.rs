//! Histories: matches and tournaments of before, in files of other systems.
//!
//! ```text
//! file ──► reader ──► events of many streams, and what was not understood
//! ```
//!
//! A post of a [`Source`](crate::Source) tells of one match as it is played; a history tells of many, with
//! their results. Its readers are pure as well, and carry nothing: each row or entry is events by
//! itself, with ids that are the same when the file is read again, so that what is there already is a
//! duplicate, and a result that has changed is told after the one before it.

pub mod ndjson;
pub mod startgg;
pub mod team_results;

#[cfg(test)]
mod tests;

use matchwire_domain::{
    envelope::{self, Attributes, Event},
    series::Name,
    subject::{self, Subject},
    timestamp::{self, Timestamp},
};

use crate::source::hash;

/// What a file does not say of itself.
#[derive(Debug, Clone)]
pub struct About {
    /// The source of its events.
    pub source: String,
    /// What the names of its matches and tournaments begin with, so that two files do not tell of one
    /// match by accident.
    pub prefix: String,
    /// The game, where the file does not name it.
    pub game: Option<Name>,
}

/// An event that happened in `subject`, by its tag and data. The id is made of both, so that the same
/// is told once.
fn event(
    about: &About,
    subject: &Subject,
    time: Option<Timestamp>,
    tag: &str,
    data: &str,
) -> Result<Event, envelope::Error> {
    let attributes = Attributes {
        time: time.map(|time| time.to_string().into()),
        ..Attributes::of(
            format!("{tag}/{}", hash(data)),
            about.source.as_str(),
            subject.as_str(),
            tag,
        )
    };
    Event::new(&attributes, data)
}

/// The stream of a match as a whole.
fn match_stream(about: &About, id: &str) -> Result<Subject, subject::Error> {
    let name = format!("{}{id}", about.prefix);
    let subject = Subject::parse(&format!("match/{name}"))?;
    // With a slash in the name it would be a map of another match.
    let is_match = matches!(subject.kind(), subject::Kind::Match(_));
    is_match.then_some(subject).ok_or(subject::Error::Segment(name))
}

/// Reads a moment in RFC 3339, or a day as its first moment in UTC.
fn moment(text: &str) -> Result<Timestamp, timestamp::Error> {
    if text.len() == 10 {
        return Timestamp::parse(&format!("{text}T00:00:00Z"));
    }
    Timestamp::parse(text)
}
