//! The course of a series: which of its maps is played.

use matchwire_domain::{live_match::cs::Event, subject::MAX_MAP};
use serde::{Deserialize, Serialize};

/// After so many rounds a change to another map means that the one before was played to its end,
/// though its end was not heard. (No map is won with fewer.)
const MIN_ROUNDS_OF_A_MAP: u16 = 13;

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
    pub(crate) fn follow(&mut self, event: &Event, counts_maps: bool) -> bool {
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
                None
            }
            _ => None,
        };
        let Some(name) = name else { return false };
        let other = self.map_name.as_deref().is_some_and(|old| old != name.as_str());
        let loads = matches!(event, Event::MapLoaded(_));
        let played =
            (self.over && (other || loads)) || (other && self.rounds >= MIN_ROUNDS_OF_A_MAP);
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
