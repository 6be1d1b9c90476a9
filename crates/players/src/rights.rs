//! Who may see what of a player: the one place where that is decided. Every way of reading asks here, and
//! shows what these say.
//!
//! ```text
//! viewer, owner's privacy, friendship ─► Rights ─► activities as they may be seen, reach of statistics
//! ```
//!
//! What is played is for everybody, but for private tournaments: [`Strangers`] has what those who are not operators know of the
//! streams of matches, and of who plays.
//!
//! Who the viewer is, is found out elsewhere, and whether two are friends is told by
//! [`player::State::is_friend`](State::is_friend).

mod redaction;
mod strangers;

#[cfg(test)]
mod tests;

use matchwire_domain::{
    activity::Activity,
    player::{State, Visibility},
};

use crate::statistics::Reach;

pub(crate) use redaction::DAY_MS;
pub use redaction::PRIVATE_TOURNAMENT;
pub use strangers::{Strangers, WithoutAccounts};

/// As whom somebody looks at a player; each sees what those before it see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// As anybody, known or not.
    Other,
    /// As a friend.
    Friend,
    /// As the player.
    Owner,
}

/// What somebody may see of a player.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rights {
    /// As whom they look.
    pub relation: Relation,
    /// Whether they see what the player has done, one by one.
    pub activity: bool,
    /// Whether they see what is counted of it: statistics, ratings, places on leaderboards.
    pub statistics: bool,
}

/// How finely somebody is told how a rating came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grain {
    /// What it was at the end of a day: from when a player has played one could tell what.
    Day,
    /// What it was after each match.
    Match,
}

impl Rights {
    /// The rights of a viewer, by player id, at the owner of a state. Whoever is not known, or has no player id, is `None`, and
    /// nobody's friend.
    pub fn of(viewer: Option<&str>, owner: &str, state: &State, is_friend: bool) -> Self {
        let relation = match viewer {
            Some(viewer) if viewer == owner => Relation::Owner,
            Some(_) if is_friend => Relation::Friend,
            _ => Relation::Other,
        };
        let privacy = &state.privacy;
        let sees = |what| !state.erased && relation.sees(what);
        Self { relation, activity: sees(privacy.activity), statistics: sees(privacy.statistics) }
    }

    /// Which statistics they are told, if any: for others than the owner those in which private tournaments do not count.
    pub fn reach(&self) -> Option<Reach> {
        let reach = if self.relation == Relation::Owner { Reach::Own } else { Reach::Others };
        self.statistics.then_some(reach)
    }

    /// How finely they are told how a rating came to be, if at all: match by match only if they see what the player has done one by one.
    pub fn grain(&self) -> Option<Grain> {
        let grain = if self.activity { Grain::Match } else { Grain::Day };
        self.statistics.then_some(grain)
    }

    /// How finely a feed tells them when private tournaments were played.
    pub fn grain_of_private(&self) -> Grain {
        if self.relation == Relation::Owner { Grain::Match } else { Grain::Day }
    }

    /// An activity of the owner as they see it, if they do. Others than the owner see opponents by their public id, which
    /// `public_id` has by player id, and of a private
    /// tournament what was done in which game on which day.
    pub fn show(
        &self,
        activity: &Activity,
        public_id: impl Fn(&str) -> String,
    ) -> Option<Activity> {
        self.activity.then(|| match self.relation {
            Relation::Owner => activity.clone(),
            Relation::Friend | Relation::Other => redaction::for_others(activity, public_id),
        })
    }
}

impl Relation {
    fn sees(self, what: Visibility) -> bool {
        match what {
            Visibility::Owner => self == Self::Owner,
            Visibility::Friends => self >= Self::Friend,
            Visibility::Public => true,
        }
    }
}
