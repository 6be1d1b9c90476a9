//! An event that a reader made, before it is in its envelope.

use matchwire_domain::{
    envelope::{self, Attributes, Event as Enveloped},
    live_match::cs::Event,
    series,
    subject::{self, Subject},
    timestamp::Timestamp,
};

/// An event for the stream of a map, of whichever game, or for that of the match as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The number of the map; `None` for the match as a whole.
    pub map: Option<u16>,
    /// The event's source.
    pub source: String,
    /// The event's id.
    pub id: String,
    /// Its place among the events of its source, where the post told it.
    pub sequence: Option<String>,
    /// When it happened, where the post told it.
    pub time: Option<Timestamp>,
    /// What kind of event it is.
    pub tag: &'static str,
    /// What happened, as JSON that fits the tag's schema; people stand in it by player id.
    pub data: String,
}

impl Draft {
    /// An event of Counter-Strike, in which accounts are exchanged already.
    pub(crate) fn new(map: u16, source: &str, id: String, event: &Event) -> Self {
        let (source, tag, data) = (source.to_owned(), event.tag(), event.to_json());
        Self { map: Some(map), source, id, sequence: None, time: None, tag, data }
    }

    /// An event of the match as a whole, in which accounts are exchanged already.
    pub(crate) fn of_match(source: &str, id: String, event: &series::Event) -> Self {
        let (source, tag, data) = (source.to_owned(), event.tag(), event.to_json());
        Self { map: None, source, id, sequence: None, time: None, tag, data }
    }

    /// The stream that it is for, of a match.
    pub fn subject(&self, match_id: &str) -> Result<Subject, subject::Error> {
        match self.map {
            Some(map) => Subject::match_map(match_id, map),
            None => Subject::parse(&format!("match/{match_id}")),
        }
    }

    /// Puts it in its envelope, for the match.
    pub fn into_event(self, match_id: &str) -> Result<Enveloped, envelope::Error> {
        let subject = self.subject(match_id)?;
        let attributes = Attributes {
            time: self.time.map(|time| time.to_string().into()),
            sequence: self.sequence.map(Into::into),
            ..Attributes::of(self.id, self.source, subject.as_str(), self.tag)
        };
        Enveloped::new(&attributes, &self.data)
    }
}
