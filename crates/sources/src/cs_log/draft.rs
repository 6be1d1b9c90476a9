//! An event that a reader made, before admission.

use std::collections::BTreeMap;

use matchwire_domain::{
    envelope::{self, Attributes, Event as Enveloped},
    live_match::cs::{Event, Label, Player, PlayerJoined, Side},
    subject::Subject,
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::mention::{Mention, Place};

/// An event for the stream of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The number of the map.
    pub map: u16,
    /// The event's source.
    pub source: String,
    /// The event's id.
    pub id: String,
    /// Its place among the events of its source, where the post told it.
    pub sequence: Option<String>,
    /// When it happened.
    pub time: Timestamp,
    /// What happened; people stand in it by player id.
    pub event: Event,
}

impl Draft {
    /// Puts it in its envelope, for the match.
    pub fn into_event(self, match_id: &str) -> Result<Enveloped, envelope::Error> {
        let subject = Subject::match_map(match_id, self.map)?;
        let attributes = Attributes {
            specversion: "1.0".into(),
            id: self.id.into(),
            source: self.source.into(),
            subject: subject.as_str().into(),
            kind: self.event.tag().into(),
            time: Some(self.time.to_string().into()),
            datacontenttype: None,
            dataschema: None,
            sequence: self.sequence.map(Into::into),
            traceparent: None,
            sampledrate: None,
            data: None,
        };
        Enveloped::new(&attributes, &self.event.to_json())
    }
}

/// Whom the stream of a map has been told of already, so that a person is introduced before the
/// first fact that names them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Roster {
    /// By player id.
    people: BTreeMap<String, Seen>,
}

/// How a person was last told of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Seen {
    /// A hash of the name, which does not belong into a log outside its event.
    name: String,
    side: Option<Side>,
}

/// How many people a roster holds; those after are introduced again and again, which is harmless.
const MAX_PEOPLE: usize = 64;

impl Roster {
    /// Who must be introduced before a fact that names these people.
    pub(super) fn introduce(&mut self, mentions: &[(String, &Mention)]) -> Vec<Event> {
        let mut introductions = Vec::new();
        for (id, mention) in mentions {
            let Place::On(side) = mention.place else { continue };
            if self.note(id, &mention.name, Some(side)) {
                let joined = PlayerJoined {
                    player: Player::new(id),
                    name: Label::cut(&mention.name),
                    side: Some(side),
                    role: mention.place.role(),
                };
                introductions.push(joined.into());
            }
        }
        introductions
    }

    /// Notes the coming and going of people that a fact tells.
    pub(super) fn follow(&mut self, event: &Event) {
        match event {
            Event::PlayerJoined(joined) => {
                self.note(&joined.player, &joined.name, joined.side);
            }
            Event::PlayerDisconnected(gone) => {
                self.people.remove(&**gone.player);
            }
            _ => {}
        }
    }

    /// Notes how a person is told of; answers whether that is news.
    fn note(&mut self, id: &str, name: &str, side: Option<Side>) -> bool {
        let seen = Seen { name: super::post::hash(name), side };
        if self.people.get(id) == Some(&seen) {
            return false;
        }
        if self.people.len() < MAX_PEOPLE || self.people.contains_key(id) {
            self.people.insert(id.into(), seen);
        }
        true
    }
}
