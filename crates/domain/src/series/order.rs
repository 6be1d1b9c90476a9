//! Which team a feed means that has an order of teams of its own.
//!
//! Everything in a match's stream names teams by their index in the match. Whoever plays the match, a
//! plug-in on a server, knows a first and a second team as well, and they may be the other way round.

use super::{TeamRef, TeamState};
use crate::live_match::TeamIndex;

/// Whether an order of teams is the match's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// It is.
    Straight,
    /// It is the other way round.
    Crossed,
    /// They are not the match's teams, by anything that is known of them.
    Strange,
}

impl Order {
    /// Of a feed's teams beside those of the match. Ids tell more than names; names are compared
    /// without regard to case.
    pub(super) fn of(ours: &[TeamState; 2], theirs: &[TeamRef; 2]) -> Self {
        let same_id = |a: &TeamState, b: &TeamRef| match (&a.id, &b.id) {
            (Some(a), Some(b)) => **a == ***b,
            _ => false,
        };
        let same_name = |a: &TeamState, b: &TeamRef| a.name.eq_ignore_ascii_case(&b.name);
        match Self::by(ours, theirs, same_id) {
            Self::Strange => Self::by(ours, theirs, same_name),
            known => known,
        }
    }

    fn by(
        [first, second]: &[TeamState; 2],
        [a, b]: &[TeamRef; 2],
        same: impl Fn(&TeamState, &TeamRef) -> bool,
    ) -> Self {
        match (same(first, a) || same(second, b), same(first, b) || same(second, a)) {
            (true, false) => Self::Straight,
            (false, true) => Self::Crossed,
            _ => Self::Strange,
        }
    }

    /// A team's index in the match.
    pub(super) fn index(self, team: TeamIndex) -> usize {
        if self == Self::Crossed { 1 - team.index() } else { team.index() }
    }

    /// What belongs to the teams, in the order of the match.
    pub(super) fn pair<T>(self, [first, second]: [T; 2]) -> [T; 2] {
        if self == Self::Crossed { [second, first] } else { [first, second] }
    }
}
