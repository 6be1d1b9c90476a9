//! What a tournament is for its players, and for the matches that are played in it.

use super::{Entry, EntryStatus, State, Status};
use crate::{
    activity::{Deed, Deeds, Kind},
    outcome::Outcome,
};

impl State {
    /// What each player did in the tournament of that name: joined it, and once it is over, had a place
    /// in it, and won it if that is the first. Whoever is in two teams has the better place.
    pub fn deeds(&self, tournament: &str) -> Deeds {
        let mut deeds = Deeds::new();
        if self.status == Status::Cancelled {
            return deeds;
        }
        let teams = self.teams.iter().map(|(id, entry)| (Some(id), entry));
        let alone = self.players.iter().map(|(id, entry)| (None, Some(id), entry));
        let mut all: Vec<(Option<&String>, Option<&String>, &Entry)> =
            teams.map(|(id, entry)| (id, None, entry)).chain(alone).collect();
        all.retain(|(_, _, entry)| entry.status != EntryStatus::Withdrawn);
        all.sort_by_key(|(_, _, entry)| entry.standing_place().unwrap_or(u32::MAX));
        for (team, player, entry) in all {
            let deed = Deed {
                game: self.game.clone().unwrap_or_default(),
                tournament: Some(tournament.to_owned()),
                season: self.season.clone(),
                is_private: self.is_private,
                is_team: team.is_some(),
                team: team.cloned(),
                ..Deed::at(entry.registered)
            };
            for player in entry.members.iter().chain(player) {
                let mut put = |kind: Kind, deed: Deed| {
                    deeds.entry((player.clone(), kind)).or_insert(deed);
                };
                put(Kind::TournamentJoined, deed.clone());
                let (Some(time), Some(place)) = (self.ended, entry.standing_place()) else {
                    continue;
                };
                let deed = Deed { time, place: Some(place), ..deed.clone() };
                if place == 1 {
                    put(Kind::TournamentWon, deed.clone());
                }
                put(Kind::TournamentPlaced, deed);
            }
        }
        deeds
    }
}

impl Entry {
    /// The place, unless it was made to leave.
    fn standing_place(&self) -> Option<u32> {
        self.place.filter(|_| self.status == EntryStatus::Registered)
    }
}

impl Outcome {
    /// The outcome as one of its tournament, which tells the season and whether it is private, and the
    /// game where the match does not.
    #[must_use]
    pub fn within(mut self, tournament: &State) -> Self {
        self.season.clone_from(&tournament.season);
        self.is_private = tournament.is_private;
        if let (true, Some(game)) = (self.game.is_empty(), &tournament.game) {
            self.game.clone_from(game);
        }
        self
    }
}
