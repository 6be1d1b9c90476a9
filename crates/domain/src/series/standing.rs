//! Where a match stands, from its own stream and its maps together.
//!
//! Each map has an order of teams of its own. A map's teams are known again by their names where
//! both the match and the map have them, or else by who plays.

use std::collections::BTreeSet;

use serde::Serialize;

use super::State;
use crate::live_match::{Status, both, leader};

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

/// Where a match stands, in the order of its teams.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// Where it stands.
    pub status: Status,
    /// The teams.
    pub teams: [StandingTeam; 2],
    /// Maps won.
    pub score: [u16; 2],
    /// The index of the team that won the match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub winner: Option<usize>,
    /// P(team wins the match): the map that is on by its own odds, those after it even. Left out for
    /// a match without a known length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub odds: Option<[f64; 2]>,
}

/// A team of a match.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StandingTeam {
    /// The name, once the match or one of its maps tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The teams of a match, as far as they are known.
#[derive(Default)]
struct Sides {
    names: [Option<String>; 2],
    players: [BTreeSet<String>; 2],
}

impl Standing {
    /// Of a match and its maps, in the order of their numbers.
    pub fn of(series: &State, maps: &[MapOfSeries]) -> Self {
        let mut sides = Sides::of(series);
        let mut won = [0_u16; 2];
        let mut told = series.maps.clone();
        let mut current = None;
        for map in maps {
            let is_swapped = sides.take(map);
            let in_order = |index: usize| if is_swapped { 1 - index } else { index };
            // What the map's own stream tells goes before what is said about it.
            if map.is_over {
                told.remove(&map.number);
            }
            match map.winner.filter(|_| map.is_over).map(in_order) {
                Some(0) => won = [won[0] + 1, won[1]],
                Some(_) => won = [won[0], won[1] + 1],
                None if !map.is_over && !told.contains_key(&map.number) => {
                    current =
                        map.odds.map(|[first, second]| if is_swapped { second } else { first });
                }
                None => {}
            }
        }
        for result in told.values() {
            if result.winner == 0 { won[0] += 1 } else { won[1] += 1 }
        }
        let score = series.score.unwrap_or(won);
        let length = series.best_of.or(maps.iter().any(|map| map.is_match).then_some(1));
        let to_win = length.map(|maps| maps / 2 + 1);
        let decided = to_win.and_then(|to_win| score.iter().position(|won| *won >= to_win));
        // A draw is possible where a map may be drawn, and in a match of two maps.
        let played = maps.iter().filter(|map| map.is_over).count() + told.len();
        let is_played_out = decided.is_none() && length.is_some_and(|maps| played >= maps.into());
        let is_over = series.course.status == Status::Ended || decided.is_some() || is_played_out;
        let ahead = if is_played_out { leader(score) } else { None };
        let winner = series.course.winner.or(decided).or(ahead);
        let status = match series.course.status {
            _ if is_over => Status::Ended,
            Status::Scheduled if maps.iter().any(|map| map.is_on || map.is_over) => Status::Live,
            other => other,
        };
        let odds = match (is_over, winner, to_win) {
            (true, Some(0), _) => Some([1.0, 0.0]),
            (true, Some(_), _) => Some([0.0, 1.0]),
            (false, _, Some(to_win)) => {
                let left = score.map(|won| to_win.saturating_sub(won));
                Some(both(first_wins(left, current.unwrap_or(0.5))))
            }
            _ => None,
        };
        let teams = sides.names.map(|name| StandingTeam { name });
        Self { status, teams, score, winner, odds }
    }
}

/// P(the first team wins so many more maps before the second one does), if it wins the next one with
/// probability `next` and each one after it with 1/2.
fn first_wins([ours, theirs]: [u16; 2], next: f64) -> f64 {
    match (ours, theirs) {
        (0, _) => 1.0,
        (_, 0) => 0.0,
        _ => next * even(ours - 1, theirs) + (1.0 - next) * even(ours, theirs - 1),
    }
}

/// P(heads comes so often before tails so often): at most `ours + theirs - 1` throws decide.
fn even(ours: u16, theirs: u16) -> f64 {
    let throws = u32::from(ours) + u32::from(theirs);
    if ours == 0 {
        return 1.0;
    }
    let throws = throws - 1;
    // P(at least `ours` heads in so many throws), term by term.
    let mut term = 0.5_f64.powi(i32::try_from(throws).unwrap_or(i32::MAX));
    let mut sum = 0.0;
    for heads in 0..=throws {
        if heads >= u32::from(ours) {
            sum += term;
        }
        term *= f64::from(throws - heads) / f64::from(heads + 1);
    }
    sum
}

impl Sides {
    fn of(series: &State) -> Self {
        let Some(teams) = &series.teams else { return Self::default() };
        Self {
            names: teams.each_ref().map(|team| Some(team.name.clone())),
            players: teams.each_ref().map(|team| team.players.keys().cloned().collect()),
        }
    }

    /// Learns what a map tells of the teams; answers whether its order is the other one.
    fn take(&mut self, map: &MapOfSeries) -> bool {
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
