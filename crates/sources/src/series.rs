//! The course of a series: which of its maps is played.

use matchwire_domain::{
    live_match::cs::{Event, Reason},
    subject::MAX_MAP,
};
use serde::{Deserialize, Serialize};

/// After so many rounds a change to another map means that the one before was a map of the match, though
/// its end was not heard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CountsFrom(pub(crate) u16);

impl CountsFrom {
    /// Where the server tells: more than a knife round, and than what is played until somebody sees that it
    /// is the wrong map. What was played stays, whoever left it and why.
    pub(crate) const SERVER: Self = Self(3);
    /// Where a client of the game tells, which may leave a match for another one: no map is won with
    /// fewer.
    pub(crate) const CLIENT: Self = Self(13);
}

/// Where a series is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Series {
    /// The map that is played.
    pub(crate) map: u16,
    /// Its name.
    pub(crate) map_name: Option<String>,
    /// Whether it is over.
    pub(crate) over: bool,
    /// How many rounds were played on it, as far as the feed told.
    pub(crate) rounds: u16,
}

impl Default for Series {
    fn default() -> Self {
        Self { map: 1, map_name: None, over: false, rounds: 0 }
    }
}

impl Series {
    /// Follows an event; in a series whose maps are counted, the next map gets the next number.
    /// Answers whether it did.
    pub(crate) fn follow(&mut self, event: &Event, counts_maps: bool, from: CountsFrom) -> bool {
        let name = match event {
            Event::MapLoaded(loaded) => Some(&loaded.map_name),
            Event::MatchStarted(started) => started.map_name.as_ref(),
            Event::MapEnded(_) => {
                self.over = true;
                None
            }
            Event::RoundEnded(ended) => {
                let played = ended.score.map_or(0, |score| score.ct.saturating_add(score.t));
                self.rounds = self.rounds.max(played);
                // Whoever gives up ends the map with it.
                self.over |= ended.reason == Reason::Surrender;
                None
            }
            _ => None,
        };
        let Some(name) = name else { return false };
        let other = self.map_name.as_deref().is_some_and(|old| old != name.as_str());
        let loads = matches!(event, Event::MapLoaded(_));
        let played = (self.over && (other || loads)) || (other && self.rounds >= from.0);
        self.map_name = Some(name.to_string());
        if played {
            self.over = false;
            self.rounds = 0;
            if counts_maps {
                self.map = self.map.saturating_add(1).min(MAX_MAP);
            }
        }
        played && counts_maps
    }
}
