//! What the outcome of a match is for each of its players.

use std::collections::BTreeMap;

use super::{Deed, Kind};
use crate::outcome::{Ending, Outcome, Side};

/// What holds of a match or a tournament: what each player did, by player id and kind.
pub type Deeds = BTreeMap<(String, Kind), Deed>;

impl Outcome {
    /// What each player did in the match. A win of a team is one of every member.
    pub fn deeds(&self) -> Deeds {
        let [first, second] = &self.sides;
        let mut deeds = Deeds::new();
        for (own, other) in [(first, second), (second, first)] {
            for (player, feats) in &own.members {
                let mut put = |kind: Kind, deed: Deed| deeds.insert((player.clone(), kind), deed);
                if own.has_played {
                    put(Kind::MatchPlayed, self.deed(own));
                }
                if let Some(kind) = result(own.ending) {
                    put(kind, self.against(own, other));
                }
                for (feat, count) in feats {
                    let deed = Deed { count: *count, ..self.deed(own) };
                    put(Kind::Feat(feat.clone()), deed);
                }
            }
        }
        deeds
    }

    fn deed(&self, own: &Side) -> Deed {
        Deed {
            game: self.game.clone(),
            tournament: self.tournament.clone(),
            season: self.season.clone(),
            is_private: self.is_private,
            is_team: self.is_team,
            team: own.team.clone(),
            ..Deed::at(self.ended)
        }
    }

    fn against(&self, own: &Side, other: &Side) -> Deed {
        Deed {
            against: other.members.keys().cloned().collect(),
            against_team: other.team.clone(),
            by_forfeit: !own.ending.is_by_play(),
            ..self.deed(own)
        }
    }
}

/// What an ending is as a result, if it is one.
fn result(ending: Ending) -> Option<Kind> {
    match ending {
        Ending::Won | Ending::WonByForfeit => Some(Kind::MatchWon),
        Ending::Lost | Ending::LostByForfeit | Ending::Disqualified | Ending::NoShow => {
            Some(Kind::MatchLost)
        }
        Ending::Drawn => Some(Kind::MatchDrawn),
        Ending::Bye | Ending::Cancelled | Ending::Abandoned => None,
    }
}
