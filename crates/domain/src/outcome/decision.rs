//! What a match was decided by, and what that makes of its sides.

use super::Ending;
use crate::{
    live_match::{Forfeit, Play},
    series::State,
};

/// What a match was decided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// By play, or by a referee who set the result of it.
    Play,
    /// One side lost without being beaten.
    Forfeit(Forfeit),
    /// One side had no opponent.
    Bye,
    /// It is not played.
    Cancelled,
    /// Play ended without a winner.
    Abandoned,
}

impl Decision {
    /// What the match's own stream says, or else its maps: where each one that is over was ended by a
    /// referee, the match was.
    pub(super) fn of(series: &State, maps: &[&dyn Play]) -> Self {
        let how = series.course.ruling.as_ref().and_then(|ruling| ruling.how);
        match series.course.ruled() {
            Some("amended") => return Self::Play,
            Some("bye") => return Self::Bye,
            Some("cancelled") => return Self::Cancelled,
            Some("abandoned") => return Self::Abandoned,
            Some("forfeited") => return Self::Forfeit(how.unwrap_or_default()),
            _ if !series.maps.is_empty() => return Self::Play,
            _ => {}
        }
        let over = maps.iter().map(|map| map.course()).filter(|course| course.ended.is_some());
        let mut decided = None;
        for course in over {
            let ruled = match course.ruled() {
                Some("forfeited") => {
                    let how = course.ruling.as_ref().and_then(|ruling| ruling.how);
                    Self::Forfeit(how.unwrap_or_default())
                }
                Some("abandoned") => Self::Abandoned,
                _ => return Self::Play,
            };
            // A forfeit says who won; a map that was abandoned beside it does not.
            if !matches!((decided, ruled), (Some(Self::Forfeit(_)), Self::Abandoned)) {
                decided = Some(ruled);
            }
        }
        decided.unwrap_or(Self::Play)
    }

    /// Whether play decided it.
    pub(super) fn is_by_play(self) -> bool {
        self == Self::Play
    }

    /// How it ended for the side of that index, and whether that side has played; of a match that one of
    /// the two won, or neither, and that had begun or not when it was decided.
    pub(super) fn of_side(
        self,
        index: usize,
        winner: Option<usize>,
        has_begun: bool,
    ) -> (Ending, bool) {
        let won = winner.map(|winner| winner == index);
        match (self, won) {
            (Self::Play, Some(true)) => (Ending::Won, true),
            (Self::Play, Some(false)) => (Ending::Lost, true),
            (Self::Play, None) => (Ending::Drawn, true),
            (Self::Forfeit(Forfeit::NoShow), Some(true)) => (Ending::WonByForfeit, false),
            (Self::Forfeit(_), Some(true)) => (Ending::WonByForfeit, has_begun),
            (Self::Forfeit(Forfeit::GaveUp), _) => (Ending::LostByForfeit, has_begun),
            (Self::Forfeit(Forfeit::Disqualified), _) => (Ending::Disqualified, has_begun),
            (Self::Forfeit(Forfeit::NoShow), _) => (Ending::NoShow, false),
            (Self::Bye, _) => (Ending::Bye, false),
            (Self::Cancelled, _) => (Ending::Cancelled, false),
            (Self::Abandoned, _) => (Ending::Abandoned, has_begun),
        }
    }
}
