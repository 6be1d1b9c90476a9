//! What the reader remembers from post to post.

use std::collections::BTreeMap;

use matchwire_domain::live_match::TeamIndex;
use serde::{Deserialize, Serialize};

/// Of how many possessions the reader remembers how early it has seen them; of earlier ones it tells
/// again who was in possession, which changes nothing.
const MAX_POSSESSIONS: usize = 8;

/// What the reader remembers. Of the order in which events come nothing depends on it but which team
/// is the first one, and how often a possession is told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Carry {
    /// The teams' ids by index, as far as they are known.
    teams: [Option<u64>; 2],
    /// The lowest index of an event that told of a possession, by the possession's number.
    possessions: BTreeMap<u32, u64>,
}

impl Carry {
    /// The index of a team, which gets the first free one if it is new; `None` of a third team.
    pub(super) fn team(&mut self, id: u64) -> Option<TeamIndex> {
        let known = self.teams.iter().position(|team| *team == Some(id));
        let place = known.or_else(|| self.teams.iter().position(Option::is_none))?;
        let [first, second] = &mut self.teams;
        *(if place == 0 { first } else { second }) = Some(id);
        Some(if place == 0 { TeamIndex::First } else { TeamIndex::Second })
    }

    /// Whether a team has its index.
    pub(super) fn knows(&self, id: u64) -> bool {
        self.teams.contains(&Some(id))
    }

    /// A team is the second one, if nobody is yet: the home team is listed first.
    pub(super) fn set_visitors(&mut self, id: u64) {
        let [first, second] = &mut self.teams;
        if first.is_none() && second.is_none() {
            *second = Some(id);
        }
    }

    /// Whether an event is the earliest one of its possession so far.
    pub(super) fn opens(&mut self, possession: u32, index: u64) -> bool {
        let earliest = self.possessions.get(&possession);
        if earliest.is_some_and(|earliest| *earliest <= index) {
            return false;
        }
        self.possessions.insert(possession, index);
        while self.possessions.len() > MAX_POSSESSIONS {
            self.possessions.pop_first();
        }
        true
    }
}
