//! Ratings over many bouts, in the order of results whatever the order of arrival.

use std::collections::BTreeMap;

use super::{Bout, Formula, Rating};
use crate::Key;

/// Everyone's rating by a system, and how it came to that.
///
/// The newest bout costs constant time. One that comes late, is corrected or taken back costs that of
/// the bouts after it, which are undone and played again: each keeps what the ratings were before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratings {
    formula: Formula,
    now: BTreeMap<String, Rating>,
    played: BTreeMap<Key, Played>,
    /// Where the bout of a match is.
    places: BTreeMap<String, Key>,
}

/// A bout that was played.
#[derive(Debug, Clone, PartialEq)]
struct Played {
    bout: Bout,
    /// What everyone in it was rated before, in the order of the sides; `None` for who had not played.
    before: [Vec<Option<Rating>>; 2],
    /// And after it.
    after: [Vec<Rating>; 2],
}

impl Ratings {
    /// Before the first bout.
    pub fn new(formula: impl Into<Formula>) -> Self {
        let formula = formula.into();
        Self { formula, now: BTreeMap::new(), played: BTreeMap::new(), places: BTreeMap::new() }
    }

    /// Of some bouts, in any order.
    pub fn of(formula: impl Into<Formula>, bouts: impl IntoIterator<Item = Bout>) -> Self {
        let mut in_order: Vec<Bout> = bouts.into_iter().collect();
        in_order.sort_by(|one, other| one.key.cmp(&other.key));
        let mut ratings = Self::new(formula);
        for bout in in_order {
            ratings.set(&bout.key.match_id.clone(), Some(bout));
        }
        ratings
    }

    /// Sets what is known of a match: the bout that it was, or that it was none. The same again changes
    /// nothing.
    pub fn set(&mut self, match_id: &str, bout: Option<Bout>) {
        let before = self.places.get(match_id).cloned();
        let had = before.as_ref().and_then(|key| self.played.get(key));
        if had.map(|played| &played.bout) == bout.as_ref() {
            return;
        }
        let place = bout.as_ref().map(|bout| bout.key.clone());
        let Some(from) = before.iter().chain(&place).min().cloned() else { return };
        let mut again = self.undo_from(&from);
        again.retain(|bout| bout.key.match_id != match_id);
        self.places.remove(match_id);
        if let Some(bout) = bout {
            let after = again.partition_point(|other| other.key < bout.key);
            again.insert(after, bout);
        }
        for bout in again {
            self.play(bout);
        }
    }

    /// The rating of a player or team; `None` before the first bout.
    pub fn get(&self, who: &str) -> Option<&Rating> {
        self.now.get(who)
    }

    /// Everyone's rating.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Rating)> {
        self.now.iter().map(|(who, rating)| (who.as_str(), rating))
    }

    /// How the rating of a player or team came to what it is: after each bout, in their order.
    pub fn course_of(&self, who: &str) -> impl Iterator<Item = (&Key, &Rating)> {
        self.played.iter().filter_map(move |(key, played)| {
            let mut all = played.bout.sides.iter().flatten().zip(played.after.iter().flatten());
            all.find(|(id, _)| id.as_str() == who).map(|(_, rating)| (key, rating))
        })
    }

    /// Takes back every bout from a place on; answers with them, in their order.
    fn undo_from(&mut self, from: &Key) -> Vec<Bout> {
        let mut undone = self.played.split_off(from);
        let mut bouts = Vec::with_capacity(undone.len());
        while let Some((_, played)) = undone.pop_last() {
            let ids = played.bout.sides.iter().flatten();
            for (who, before) in ids.zip(played.before.iter().flatten()) {
                match before {
                    Some(rating) => self.now.insert(who.clone(), *rating),
                    None => self.now.remove(who),
                };
            }
            bouts.push(played.bout);
        }
        bouts.reverse();
        bouts
    }

    fn play(&mut self, bout: Bout) {
        let before = bout
            .sides
            .each_ref()
            .map(|side| side.iter().map(|who| self.now.get(who).copied()).collect::<Vec<_>>());
        let start = self.formula.start();
        let [first, second] = before
            .each_ref()
            .map(|side| side.iter().map(|rating| rating.unwrap_or(start)).collect::<Vec<_>>());
        let after = self.formula.play([&first, &second], bout.winner);
        for (who, rating) in bout.sides.iter().flatten().zip(after.iter().flatten()) {
            self.now.insert(who.clone(), *rating);
        }
        self.places.insert(bout.key.match_id.clone(), bout.key.clone());
        self.played.insert(bout.key.clone(), Played { bout, before, after });
    }
}
