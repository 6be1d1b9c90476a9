//! What is remembered from post to post.

use std::collections::{BTreeMap, BTreeSet};

use matchwire_domain::{
    live_match::{PauseReason, TeamIndex, cs::Side},
    series::TeamRef,
};
use serde::{Deserialize, Serialize};

use crate::roster::Roster;

/// How many maps of a match are remembered; beyond, the first one is forgotten.
const MAX_MAPS: usize = 16;
/// How many rounds of a map are remembered.
const MAX_ROUNDS: usize = 256;

/// What a reader remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carry {
    /// By the number of the map in our stream.
    maps: BTreeMap<u16, MapCarry>,
    /// Of the match as a whole.
    #[serde(default)]
    pub(super) series: SeriesCarry,
}

/// What is remembered of the match as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SeriesCarry {
    /// What the plug-in calls its first and its second team.
    pub(super) teams: Option<[TeamRef; 2]>,
    /// The map that was last told of; 0 before the first.
    pub(super) map: u16,
    /// Whether a map went live.
    pub(super) live: bool,
    /// The names of the maps that were picked, by the number that was told.
    picks: BTreeMap<u16, String>,
    /// Whether it is MatchZy that told them, which counts them from 1.
    picks_from_one: bool,
    /// The side on which the first team begins, by the name of the map.
    sides: BTreeMap<String, Side>,
    /// The pause that is on.
    pub(super) pause: Option<Paused>,
    /// How many pauses there were.
    pub(super) pauses: u32,
}

/// A pause.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Paused {
    /// The map.
    pub(super) map: u16,
    /// Why.
    pub(super) reason: PauseReason,
    /// Who called it.
    pub(super) team: Option<TeamIndex>,
    /// The round that is not played before it is over.
    pub(super) over_by: u16,
    /// Whether a round was told to have started since.
    pub(super) played_on: bool,
}

/// What is remembered of a map.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct MapCarry {
    /// How often play began anew.
    pub(super) starts: u32,
    /// Whether it went live, or a round was told.
    pub(super) live: bool,
    /// Whether its end was told.
    pub(super) over: bool,
    /// Which rounds were told since.
    rounds: BTreeSet<u16>,
    /// How they stood after them.
    scores: BTreeMap<u16, Scored>,
    /// Of which rounds play was told.
    opened: BTreeSet<u16>,
    /// Whether a round's score is told as it was before the round.
    pub(super) scores_lag: bool,
    /// The side that the first team was on last.
    pub(super) first_side: Option<Side>,
    /// Whom the stream knows.
    pub(super) roster: Roster,
    /// What the teams on the sides were called last: CT, T.
    pub(super) names: [Option<String>; 2],
}

/// How a map stood after a round.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Scored {
    /// Rounds that the first team had won.
    pub(super) first: u16,
    /// Rounds that the second team had won.
    pub(super) second: u16,
    /// The side that the first team was on.
    pub(super) first_side: Side,
}

impl Carry {
    /// What is remembered of the match and of a map, made known if need be.
    pub(super) fn parts(&mut self, map: u16) -> (&mut SeriesCarry, &mut MapCarry) {
        if self.maps.len() >= MAX_MAPS && !self.maps.contains_key(&map) {
            self.maps.pop_first();
        }
        (&mut self.series, self.maps.entry(map).or_default())
    }
}

impl SeriesCarry {
    /// A map was picked.
    pub(super) fn pick(&mut self, number: u16, name: &str, is_of_get5: bool) {
        self.picks_from_one = !is_of_get5;
        note(&mut self.picks, number, name.chars().take(128).collect());
    }

    /// The name of a map, by its number in our stream, if it was picked.
    pub(super) fn name_of(&self, map: u16) -> Option<&str> {
        let counts_from_one = self.picks_from_one && !self.picks.contains_key(&0);
        let number = if counts_from_one { map } else { map.checked_sub(1)? };
        self.picks.get(&number).map(String::as_str)
    }

    /// A team begins on a side of a map.
    pub(super) fn choose_side(&mut self, map_name: &str, team: TeamIndex, side: Side) {
        let first = if team == TeamIndex::First { side } else { side.other() };
        note(&mut self.sides, map_name.chars().take(128).collect(), first);
    }

    /// The side on which the first team begins a map.
    pub(super) fn first_side_on(&self, map_name: &str) -> Option<Side> {
        self.sides.get(map_name).copied()
    }
}

/// Notes something of one of at most so many maps.
fn note<K: Ord, V>(notes: &mut BTreeMap<K, V>, key: K, value: V) {
    if notes.len() >= MAX_MAPS && !notes.contains_key(&key) {
        notes.pop_first();
    }
    notes.insert(key, value);
}

impl MapCarry {
    /// Whether a round was told already.
    pub(super) fn knows(&self, round: u16) -> bool {
        self.rounds.contains(&round)
    }

    /// The last round that was told; 0 before the first.
    pub(super) fn last(&self) -> u16 {
        self.rounds.last().copied().unwrap_or(0)
    }

    /// Whether the end of a round is told after something of a later one.
    pub(super) fn is_late(&self, round: u16) -> bool {
        round < self.last().max(self.opened.last().copied().unwrap_or(0))
    }

    /// Whether something done in a round is told after the round's end, or after something of a later one.
    pub(super) fn is_past(&self, round: u16) -> bool {
        self.knows(round) || self.is_late(round)
    }

    /// Notes that play of a round was told; answers whether that is news.
    pub(super) fn open(&mut self, round: u16) -> bool {
        let is_new = self.opened.insert(round);
        if self.opened.len() > MAX_ROUNDS {
            self.opened.pop_first();
        }
        is_new
    }

    /// Notes a round.
    pub(super) fn note(&mut self, round: u16, scored: Scored) {
        self.live = true;
        self.over = false;
        self.rounds.insert(round);
        self.scores.insert(round, scored);
        if self.rounds.len() > MAX_ROUNDS {
            self.rounds.pop_first();
            self.scores.pop_first();
        }
    }

    /// How the map stood after a round; before the first one nobody has won any.
    pub(super) fn scored(&self, round: u16) -> Option<Scored> {
        match round {
            0 => {
                let first_side = self.scores.get(&1)?.first_side;
                Some(Scored { first: 0, second: 0, first_side })
            }
            round => self.scores.get(&round).copied(),
        }
    }

    /// Play goes on after a round; what was told of later ones is void.
    pub(super) fn go_back_to(&mut self, round: u16) {
        self.starts = self.starts.saturating_add(1);
        self.over = false;
        self.rounds.split_off(&round.saturating_add(1));
        self.scores.split_off(&round.saturating_add(1));
        self.opened.split_off(&round.saturating_add(1));
    }

    /// The teams change sides.
    pub(super) fn change_sides(&mut self) {
        self.first_side = self.first_side.map(Side::other);
        self.roster.change_sides();
    }
}
