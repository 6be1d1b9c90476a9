//! Where a match stands, from its own stream and its maps together.

use serde::Serialize;

use super::{MapOfSeries, State, sides::Sides};
use crate::live_match::{Status, both, leader};

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
        let is_annulled = series.course.ruled() == Some("cancelled");
        let winner = series.course.winner.or(decided).or(ahead).filter(|_| !is_annulled);
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
