//! Which team of a match is which on its maps.
//!
//! Each map has an order of teams of its own. A map's teams are known again by their names where
//! both the match and the map have them, or else by who plays.

use std::collections::BTreeSet;

use super::{MapOfSeries, State};

/// The teams of a match, as far as they are known.
#[derive(Default)]
pub(crate) struct Sides {
    pub(crate) names: [Option<String>; 2],
    pub(crate) players: [BTreeSet<String>; 2],
}

impl Sides {
    /// Of the match's own stream.
    pub(crate) fn of(series: &State) -> Self {
        let Some(teams) = &series.teams else { return Self::default() };
        Self {
            names: teams.each_ref().map(|team| Some(team.name.clone())),
            players: teams.each_ref().map(|team| team.players.keys().cloned().collect()),
        }
    }

    /// Learns what a map tells of the teams; answers whether its order is the other one.
    pub(crate) fn take(&mut self, map: &MapOfSeries) -> bool {
        let is_swapped = self.is_swapped(map);
        for index in [0, 1] {
            let own = if is_swapped { 1 - index } else { index };
            let (Some(names), Some(players)) =
                (self.names.get_mut(index), self.players.get_mut(index))
            else {
                continue;
            };
            if names.is_none() {
                *names = map.names.get(own).cloned().flatten();
            }
            players.extend(map.players.get(own).into_iter().flatten().cloned());
        }
        is_swapped
    }

    fn is_swapped(&self, map: &MapOfSeries) -> bool {
        let same = |a: usize, b: usize| match (self.names.get(a), map.names.get(b)) {
            (Some(Some(ours)), Some(Some(theirs))) => ours.eq_ignore_ascii_case(theirs),
            _ => false,
        };
        let (straight, crossed) = (same(0, 0) || same(1, 1), same(0, 1) || same(1, 0));
        if straight != crossed {
            return crossed;
        }
        let shared = |a: usize, b: usize| match (self.players.get(a), map.players.get(b)) {
            (Some(ours), Some(theirs)) => ours.intersection(theirs).count(),
            _ => 0,
        };
        shared(0, 1) + shared(1, 0) > shared(0, 0) + shared(1, 1)
    }
}
