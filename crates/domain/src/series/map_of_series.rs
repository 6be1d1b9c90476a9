//! What a match looks at in the states of its maps.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::live_match::{Game, Games};

/// What a map has come to, as its own stream tells it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MapOfSeries {
    /// The number of the map.
    pub number: u16,
    /// The names of its teams, in its own order.
    pub names: [Option<String>; 2],
    /// Who plays, by player id, in its own order of teams.
    pub players: [BTreeSet<String>; 2],
    /// Whether it is the whole match, as its game has no maps.
    pub is_match: bool,
    /// Whether it is over.
    pub is_over: bool,
    /// Whether it is being played, or about to be.
    pub is_on: bool,
    /// The index of the team that won it, in its own order.
    pub winner: Option<usize>,
    /// P(team wins the map), in its own order, while it is open.
    pub odds: Option<[f64; 2]>,
}

/// What of a map's state its match looks at. A game that has less of it tells less.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    game: String,
    status: String,
    teams: Vec<Team>,
    players: BTreeMap<String, Person>,
    winner: Option<usize>,
    prediction: Option<Odds>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Team {
    name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Person {
    team: Option<usize>,
}

#[derive(Deserialize)]
struct Odds {
    map: [f64; 2],
}

impl MapOfSeries {
    /// What the state of the map of that number, as JSON, tells of it within its match.
    pub fn read(games: &Games, number: u16, state: &str) -> Self {
        // A game of its own kind may have other things in these places; then it tells nothing here.
        let told: Told = serde_json::from_str(state).unwrap_or_default();
        let mut players = [BTreeSet::new(), BTreeSet::new()];
        for (id, person) in told.players {
            if let Some(players) = person.team.and_then(|team| players.get_mut(team)) {
                players.insert(id);
            }
        }
        let mut names = told.teams.into_iter().map(|team| team.name);
        Self {
            number,
            names: [names.next().flatten(), names.next().flatten()],
            players,
            is_match: games.named(&told.game).is_some_and(Game::is_one_map),
            is_over: told.status == "ended",
            is_on: matches!(told.status.as_str(), "live" | "paused"),
            winner: told.winner,
            odds: told.prediction.map(|odds| odds.map),
        }
    }
}
