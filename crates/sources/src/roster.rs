//! Whom the stream of a map has been told of already, so that a person is introduced before the
//! first fact that names them.

use std::collections::BTreeMap;

use matchwire_domain::live_match::cs::{Event, PersonName, Player, PlayerJoined, Role, Side};
use serde::{Deserialize, Serialize};

use crate::source::hash;

/// How many people a roster holds; those after are introduced again and again, which is harmless.
const MAX_PEOPLE: usize = 64;

/// Whom a stream knows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Roster {
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

impl Roster {
    /// The introduction of a person on a side, if that is news.
    pub(crate) fn introduce(&mut self, id: &str, name: &str, side: Side) -> Option<Event> {
        let joined = || PlayerJoined {
            player: Player::new(id),
            name: PersonName::cut(name),
            side: Some(side),
            role: Role::Player,
        };
        self.note(id, name, Some(side)).then(|| joined().into())
    }

    /// Whether the stream knows a person.
    pub(crate) fn knows(&self, id: &str) -> bool {
        self.people.contains_key(id)
    }

    /// On which side a person was told to be.
    pub(crate) fn side_of(&self, id: &str) -> Option<Side> {
        self.people.get(id).and_then(|seen| seen.side)
    }

    /// The teams change sides, and everyone with them.
    pub(crate) fn change_sides(&mut self) {
        for seen in self.people.values_mut() {
            seen.side = seen.side.map(Side::other);
        }
    }

    /// Notes the coming and going of people that a fact tells.
    pub(crate) fn follow(&mut self, event: &Event) {
        match event {
            Event::PlayerJoined(joined) => {
                self.note(&joined.player, joined.name.as_str(), joined.side);
            }
            Event::PlayerDisconnected(gone) => {
                self.people.remove(&**gone.player);
            }
            _ => {}
        }
    }

    /// Notes how a person is told of; answers whether that is news.
    fn note(&mut self, id: &str, name: &str, side: Option<Side>) -> bool {
        let seen = Seen { name: hash(name), side };
        if self.people.get(id) == Some(&seen) {
            return false;
        }
        if self.people.len() < MAX_PEOPLE || self.people.contains_key(id) {
            self.people.insert(id.into(), seen);
        }
        true
    }
}
