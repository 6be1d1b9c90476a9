//! How a match ended for those who were in it: what records, statistics and ratings are made from.
//!
//! [`Outcome::of`] reads it from the folded state of the match and of its maps, in which corrections
//! are applied already. What each ending counts as is a table in `docs/players.md`, and nowhere else but
//! in [`Ending`]; what becomes of it for a player is the business of [`crate::activity`].

mod decision;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    live_match::{Games, Play, Status},
    series::{MapOfSeries, Sides, Standing, State},
    timestamp::Timestamp,
};

use self::decision::Decision;

/// How a match ended for those who were in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The match.
    #[serde(rename = "match")]
    pub match_id: String,
    /// The game, empty where nobody told it.
    pub game: String,
    /// The tournament.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tournament: Option<String>,
    /// The season that it counts for, which its tournament tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub season: Option<String>,
    /// Whether its tournament is private.
    pub is_private: bool,
    /// When it ended, by the times inside the events.
    pub ended: Timestamp,
    /// Whether it was between teams, rather than one against one.
    pub is_team: bool,
    /// Both sides, in the order of the match's teams.
    pub sides: [Side; 2],
}

/// A side of a match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// How the platform names the team; those who play for themselves have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// How it ended.
    pub ending: Ending,
    /// Whether it has played: it then has `match_played`.
    pub has_played: bool,
    /// Who was in it, by player id, with the feats of each; none where it has not played.
    pub members: BTreeMap<String, Feats>,
}

/// How often somebody did what people keep records of, by the game's word for it.
pub type Feats = BTreeMap<String, u32>;

/// How a match ended for a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Play, or the referee who set the result of it, has it as the winner.
    Won,
    /// As the loser.
    Lost,
    /// As neither.
    Drawn,
    /// The other side gave up, was disqualified or was not there.
    WonByForfeit,
    /// It gave up.
    LostByForfeit,
    /// It was made to lose.
    Disqualified,
    /// It was not there.
    NoShow,
    /// One of the two was to be nobody.
    Bye,
    /// The match is not played.
    Cancelled,
    /// Play ended for good without a winner.
    Abandoned,
}

impl Ending {
    /// Whether play decided it, so that it says something of how good the sides are.
    pub fn is_by_play(self) -> bool {
        matches!(self, Self::Won | Self::Lost | Self::Drawn)
    }
}

impl Outcome {
    /// Of a match and its maps, in the order of their numbers; `None` while it is open. The season, and
    /// whether it is private, come from the tournament's stream: [`Outcome::within`].
    pub fn of(games: &Games, series: &State, maps: &[&dyn Play]) -> Option<Self> {
        let told: Vec<MapOfSeries> = maps
            .iter()
            .map(|map| MapOfSeries::read(games, map.course().map, &map.to_json()))
            .collect();
        let standing = Standing::of(series, &told);
        if standing.status != Status::Ended {
            return None;
        }
        let decision = Decision::of(series, maps);
        let has_begun = series.course.has_begun || maps.iter().any(|map| map.course().has_begun);
        let game = match (&*series.course.game, maps.first()) {
            ("", Some(map)) => map.course().game.to_string(),
            (game, _) => game.to_owned(),
        };
        let people = people(series, maps, &told);
        let ids = series
            .teams
            .as_ref()
            .map_or([None, None], |teams| teams.each_ref().map(|team| team.id.clone()));
        let is_team = ids.iter().any(Option::is_some) || people.iter().any(|side| side.len() > 1);
        let [first, second] = people;
        let [first_team, second_team] = ids;
        let side = |index: usize, team: Option<String>, mut members: BTreeMap<String, Feats>| {
            let (ending, has_played) = decision.of_side(index, standing.winner, has_begun);
            if !has_played {
                members.values_mut().for_each(BTreeMap::clear);
            }
            Side { team, ending, has_played, members }
        };
        Some(Self {
            match_id: series.course.match_id.clone(),
            game,
            tournament: series.tournament.clone(),
            season: None,
            is_private: false,
            ended: ended(series, maps, decision)?,
            is_team,
            sides: [side(0, first_team, first), side(1, second_team, second)],
        })
    }
}

/// When a match ended: with its last map, where its maps tell all of it, so that nothing changes when
/// the feed says once more that it is over; or else when its own stream says so.
fn ended(series: &State, maps: &[&dyn Play], decision: Decision) -> Option<Timestamp> {
    let own = series.course.ended;
    let has_ended = |number: &u16| {
        maps.iter().any(|map| map.course().map == *number && map.course().ended.is_some())
    };
    if own.is_some() && (!decision.is_by_play() || !series.maps.keys().all(has_ended)) {
        return own;
    }
    maps.iter().filter_map(|map| map.course().ended).max().or(own)
}

/// Who was on each side, with their feats: the line-ups of the match; where a team has none, those who
/// had a part in its maps. Whoever is on both sides is on neither: which of the two it was, nobody can
/// tell.
fn people(
    series: &State,
    maps: &[&dyn Play],
    told: &[MapOfSeries],
) -> [BTreeMap<String, Feats>; 2] {
    let mut sides = Sides::of(series);
    let mut seen = [BTreeSet::new(), BTreeSet::new()];
    let mut feats: BTreeMap<String, Feats> = BTreeMap::new();
    for (map, told) in maps.iter().zip(told) {
        let is_swapped = sides.take(told);
        for (id, part) in map.parts() {
            let team = part.team.map(|team| if is_swapped { 1 - team.min(1) } else { team });
            if let Some(seen) = team.and_then(|team| seen.get_mut(team)) {
                seen.insert(id.clone());
            }
            let own = feats.entry(id).or_default();
            for (feat, count) in part.feats {
                let sum = own.entry(feat.to_owned()).or_default();
                *sum = sum.saturating_add(count);
            }
        }
    }
    let lined_up = |team: usize| {
        let players = &series.teams.as_ref().and_then(|teams| teams.get(team))?.players;
        (!players.is_empty()).then(|| players.keys().cloned().collect())
    };
    let [seen_first, seen_second] = seen;
    let first: BTreeSet<String> = lined_up(0).unwrap_or(seen_first);
    let second: BTreeSet<String> = lined_up(1).unwrap_or(seen_second);
    let with_feats = |id: &String| (id.clone(), feats.get(id).cloned().unwrap_or_default());
    [
        first.difference(&second).map(with_feats).collect(),
        second.difference(&first).map(with_feats).collect(),
    ]
}
