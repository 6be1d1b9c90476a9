//! What a player has decided, and how the stream folds.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Event, PrivacySet, Visibility};
use crate::{
    timeline::{Entity, Notes},
    timestamp::Timestamp,
};

/// How many friends a player names at most; those after them are an anomaly.
pub const MAX_FRIENDS: usize = 5_000;
/// To how many things a player consents at most, or withdraws consent.
pub const MAX_PURPOSES: usize = 64;

/// A player as of an event.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct State {
    /// Whom the player names a friend, by player id, and since when.
    pub friends: BTreeMap<String, Timestamp>,
    /// What the player has decided about each purpose.
    pub consents: BTreeMap<String, Consent>,
    /// Who may see what.
    pub privacy: Privacy,
    /// Whether the player is forgotten. Then there is nobody any more who could decide anything.
    pub erased: bool,
}

/// Consent to something, or that it is withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Consent {
    /// Whether it is given.
    pub given: bool,
    /// Since when.
    pub since: Timestamp,
}

/// Who may see what of a player. Nobody but the player, unless the player decides otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Privacy {
    /// What the player has done, one by one.
    pub activity: Visibility,
    /// What is counted of it.
    pub statistics: Visibility,
}

impl State {
    /// Whether the player has consented to something, and not withdrawn that.
    pub fn consents_to(&self, purpose: &str) -> bool {
        self.consents.get(purpose).is_some_and(|consent| consent.given)
    }

    /// Whether the player of `own` id, whose state this is, and another one are friends: each has named
    /// the other, and they are two.
    pub fn is_friend(&self, own: &str, other: &str, others: &Self) -> bool {
        own != other && self.friends.contains_key(other) && others.friends.contains_key(own)
    }

    fn befriend(&mut self, player: &str, time: Timestamp, notes: &mut Notes) {
        if self.friends.len() >= MAX_FRIENDS && !self.friends.contains_key(player) {
            let detail = format!("{player} is not kept: {MAX_FRIENDS} friends are already");
            return notes.note_anomaly("too_many_friends", detail);
        }
        self.friends.entry(player.to_owned()).or_insert(time);
    }

    fn consent(&mut self, purpose: &str, consent: Consent, notes: &mut Notes) {
        if self.consents.len() >= MAX_PURPOSES && !self.consents.contains_key(purpose) {
            let detail = format!("{purpose} is not kept: {MAX_PURPOSES} purposes are already");
            return notes.note_anomaly("too_many_purposes", detail);
        }
        self.consents.insert(purpose.to_owned(), consent);
    }
}

impl Privacy {
    fn set(&mut self, told: &PrivacySet) {
        self.activity = told.activity.unwrap_or(self.activity);
        self.statistics = told.statistics.unwrap_or(self.statistics);
    }
}

impl Entity for State {
    type Event = Event;

    fn apply(&mut self, event: &Event, time: Timestamp, notes: &mut Notes) {
        if self.erased {
            return;
        }
        match event {
            Event::PlayerErased(_) => *self = Self { erased: true, ..Self::default() },
            Event::PlayerFriended(told) => self.befriend(&told.player, time, notes),
            Event::PlayerUnfriended(told) => {
                self.friends.remove(told.player.as_str());
            }
            Event::PlayerConsented(told) => {
                let consent = Consent { given: told.given, since: time };
                self.consent(told.purpose.get(), consent, notes);
            }
            Event::PrivacySet(told) => self.privacy.set(told),
        }
    }
}
