//! What is known of a tournament, and how its stream folds.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Entrant, Event, Registration, TournamentAnnounced};
use crate::{
    timeline::{Entity, Notes},
    timestamp::Timestamp,
};

/// How many teams and players are entered at most; those after them are an anomaly.
pub const MAX_ENTRANTS: usize = 10_000;

/// A tournament as of an event.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct State {
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The game.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub game: Option<String>,
    /// The season that it counts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub season: Option<String>,
    /// Whether it is private.
    #[serde(rename = "private")]
    pub is_private: bool,
    /// When it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<Timestamp>,
    /// Where it stands.
    pub status: Status,
    /// When it ended, while it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// The teams that were ever entered, by id.
    pub teams: BTreeMap<String, Entry>,
    /// The players who were ever entered alone, by player id.
    pub players: BTreeMap<String, Entry>,
}

/// Where a tournament stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It will take place, or does.
    #[default]
    Open,
    /// It is over.
    Ended,
    /// It does not take place.
    Cancelled,
}

/// A team or player that is entered, or was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// When it was entered first.
    pub registered: Timestamp,
    /// Whether it still is.
    pub status: EntryStatus,
    /// A team's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A team's members, by player id.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub members: BTreeSet<String>,
    /// The place that it was told to have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<u32>,
}

/// Whether a team or player is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryStatus {
    /// It is.
    Registered,
    /// It was.
    Withdrawn,
    /// It took part, and was made to leave.
    Disqualified,
}

impl State {
    fn announce(&mut self, told: &TournamentAnnounced) {
        let name = |name: &crate::series::Name| name.get().clone();
        self.name = told.name.as_ref().map(|name| name.to_string()).or(self.name.take());
        self.game = told.game.as_ref().map(name).or(self.game.take());
        self.season = told.season.as_ref().map(name).or(self.season.take());
        self.is_private = told.private.unwrap_or(self.is_private);
        self.starts = told.starts.or(self.starts);
        if self.status == Status::Cancelled {
            self.status = Status::Open;
        }
    }

    /// The entry of a team or a player, made if need be; `None` where there are too many.
    fn entry(
        &mut self,
        is_team: bool,
        id: &str,
        time: Timestamp,
        notes: &mut Notes,
    ) -> Option<&mut Entry> {
        let count = self.teams.len() + self.players.len();
        let entries = if is_team { &mut self.teams } else { &mut self.players };
        if !entries.contains_key(id) && count >= MAX_ENTRANTS {
            let detail = format!("{id} is not entered: {MAX_ENTRANTS} are already");
            notes.note_anomaly("too_many_entrants", detail);
            return None;
        }
        let new = Entry {
            registered: time,
            status: EntryStatus::Registered,
            name: None,
            members: BTreeSet::new(),
            place: None,
        };
        Some(entries.entry(id.to_owned()).or_insert(new))
    }

    fn register(&mut self, told: &Registration, time: Timestamp, notes: &mut Notes) {
        let (is_team, id): (bool, &str) = match told {
            Registration::Team(team) => (true, &team.id),
            Registration::Player(player) => (false, player),
        };
        let Some(entry) = self.entry(is_team, id, time, notes) else { return };
        if entry.status == EntryStatus::Withdrawn {
            entry.status = EntryStatus::Registered;
            entry.registered = time;
        }
        if let Registration::Team(team) = told {
            entry.name = team.name.as_ref().map(|name| name.to_string()).or(entry.name.take());
            entry.members = team.players.iter().map(|player| player.to_string()).collect();
        }
    }

    /// The entry that is told of. One that nobody had entered has taken part, all the same.
    fn told(&mut self, of: &Entrant, time: Timestamp, notes: &mut Notes) -> Option<&mut Entry> {
        let (is_team, id): (bool, &str) = match of {
            Entrant::Team(team) => (true, team),
            Entrant::Player(player) => (false, player),
        };
        let entries = if is_team { &self.teams } else { &self.players };
        if !entries.contains_key(id) {
            notes.note_anomaly("not_registered", format!("{id} is told of, and was not entered"));
        }
        self.entry(is_team, id, time, notes)
    }

    fn set_status(
        &mut self,
        of: &[Entrant],
        status: EntryStatus,
        time: Timestamp,
        notes: &mut Notes,
    ) {
        for entrant in of {
            if let Some(entry) = self.told(entrant, time, notes) {
                entry.status = status;
            }
        }
    }
}

impl Entity for State {
    type Event = Event;

    fn apply(&mut self, event: &Event, time: Timestamp, notes: &mut Notes) {
        match event {
            Event::TournamentAnnounced(told) => self.announce(told),
            Event::TournamentRegistered(told) => {
                for entrant in told.entrants.iter() {
                    self.register(entrant, time, notes);
                }
            }
            Event::TournamentWithdrawn(told) => {
                self.set_status(&told.entrants, EntryStatus::Withdrawn, time, notes);
            }
            Event::TournamentDisqualified(told) => {
                self.set_status(&told.entrants, EntryStatus::Disqualified, time, notes);
            }
            Event::TournamentPlaced(told) => {
                for placed in told.placements.iter() {
                    if let Some(entry) = self.told(&placed.entrant, time, notes) {
                        entry.place = Some(placed.place.get());
                    }
                }
            }
            Event::TournamentEnded(_) if self.status == Status::Open => {
                self.status = Status::Ended;
                self.ended = Some(time);
            }
            Event::TournamentCancelled(_) => {
                self.status = Status::Cancelled;
                self.ended = None;
            }
            Event::TournamentEnded(_) => {}
        }
    }
}
