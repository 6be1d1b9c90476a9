//! What is remembered from post to post.

use std::collections::{BTreeMap, BTreeSet};

use matchwire_domain::live_match::cs::Side;
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
}

/// What is remembered of a map.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct MapCarry {
    /// Its name, if it was told when it was picked.
    pub(super) name: Option<String>,
    /// How often play began anew.
    pub(super) starts: u32,
    /// Whether it went live, or a round was told.
    pub(super) live: bool,
    /// Which rounds were told since.
    rounds: BTreeSet<u16>,
    /// The side that the first team was on last.
    pub(super) first_side: Option<Side>,
    /// Whom the stream knows.
    pub(super) roster: Roster,
    /// What the teams on the sides were called last: CT, T.
    pub(super) names: [Option<String>; 2],
}

impl Carry {
    /// A map, made known if need be.
    pub(super) fn map(&mut self, map: u16) -> &mut MapCarry {
        if self.maps.len() >= MAX_MAPS && !self.maps.contains_key(&map) {
            self.maps.pop_first();
        }
        self.maps.entry(map).or_default()
    }
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

    /// Notes a round.
    pub(super) fn note(&mut self, round: u16) {
        self.live = true;
        self.rounds.insert(round);
        if self.rounds.len() > MAX_ROUNDS {
            self.rounds.pop_first();
        }
    }

    /// Play goes on after a round; what was told of later ones is void.
    pub(super) fn go_back_to(&mut self, round: u16) {
        self.starts = self.starts.saturating_add(1);
        self.rounds.split_off(&round.saturating_add(1));
    }
}
