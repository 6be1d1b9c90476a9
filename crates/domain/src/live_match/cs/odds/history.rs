//! What the rounds and the moments before tell of the present one.
//!
//! Where nobody tells what players carry, it can be seen from what was spent: money that is gone became
//! equipment, and whoever survived keeps it. Whoever folds rows or events calls [`History::end`] and
//! [`History::begin`] at the turn of a round, and [`History::see`] within it; nothing here looks ahead.

use super::moment::{Force, Moment};
use crate::live_match::cs::Side;

/// The most that a side's spending is followed to, in dollars; real ones stay below 60,000.
const MOST: f32 = 200_000.0;
/// The rounds lost in a row that count for money.
const MAX_LOSSES: f32 = 4.0;

/// What is remembered of a map; each pair is CT and T, as the sides are now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct History {
    /// What the side spent since the round began, in dollars.
    pub(super) spent: [f32; 2],
    /// What the side is thought to have kept from rounds before, in dollars.
    pub(super) kept: [f32; 2],
    /// The side's money when the round began, where known.
    pub(super) money_at_start: [Option<f32>; 2],
    /// The last that was heard of the side's money.
    money: [Option<f32>; 2],
    /// Who lived at the end of the round before; nothing in the first round.
    pub(super) survivors: Option<[f32; 2]>,
    /// What they carried, in dollars.
    pub(super) saved: [f32; 2],
    /// The loss bonus: one step more for a round lost, one less for a round won, 0 to 4.
    pub(super) losses: [f32; 2],
    /// Rounds won in a row.
    pub(super) wins: [f32; 2],
    /// Whether the bomb was planted in the round before.
    pub(super) planted_before: bool,
}

impl History {
    /// The teams change sides, and nobody keeps anything.
    pub fn swap(&mut self) {
        self.turn(true, true);
    }

    /// The teams begin with new money on the sides where they are.
    pub fn begin_afresh(&mut self) {
        self.turn(false, true);
    }

    /// A round begins with this.
    pub fn begin(&mut self, first: &Moment) {
        self.spent = [0.0; 2];
        self.money = first.sides.map(|force| force.money);
        self.money_at_start = self.money;
    }

    /// A moment within a round: money that is gone was spent.
    pub fn see(&mut self, now: &Moment) {
        for ((known, spent), force) in self.money.iter_mut().zip(&mut self.spent).zip(&now.sides) {
            if let (Some(before), Some(now)) = (*known, force.money) {
                *spent = (*spent + (before - now).max(0.0)).min(MOST);
            }
            *known = force.money.or(*known);
        }
    }

    /// A player's money went from one amount to another, in dollars.
    pub fn spend(&mut self, side: Side, before: u32, after: u32) {
        // Amounts of players are far below what an f32 holds exactly.
        let gone = f32::from(u16::try_from(before.saturating_sub(after)).unwrap_or(u16::MAX));
        let [ct, t] = &mut self.spent;
        let spent = if side == Side::Ct { ct } else { t };
        *spent = (*spent + gone).min(MOST);
    }

    /// The round is over as it stood in `last`, won by `winner` if that is known; `swapped` if the
    /// teams change sides after it, `afresh` if they also begin with new money.
    pub fn end(&mut self, last: &Moment, winner: Option<Side>, swapped: bool, afresh: bool) {
        let alive = last.sides.map(|force| force.living());
        self.saved = last.sides.map(|force: Force| force.equipment());
        for ((kept, spent), alive) in self.kept.iter_mut().zip(self.spent).zip(alive) {
            *kept = ((*kept + spent) * alive / 5.0).min(MOST);
        }
        self.survivors = Some(alive);
        self.planted_before = last.planted == Some(true);
        if let Some(winner) = winner {
            let [ct, t] = &mut self.losses;
            let (gains, drops) = if winner == Side::Ct { (ct, t) } else { (t, ct) };
            (*gains, *drops) = ((*gains - 1.0).max(0.0), (*drops + 1.0).min(MAX_LOSSES));
            let [ct, t] = &mut self.wins;
            let (gains, drops) = if winner == Side::Ct { (ct, t) } else { (t, ct) };
            (*gains, *drops) = ((*gains + 1.0).min(15.0), 0.0);
        }
        self.turn(swapped, afresh);
    }

    /// The turn of a half, or of an overtime.
    fn turn(&mut self, swapped: bool, afresh: bool) {
        if swapped {
            self.wins.reverse();
            self.survivors = self.survivors.map(|[ct, t]| [t, ct]);
        }
        if swapped || afresh {
            (self.kept, self.saved, self.losses) = ([0.0; 2], [0.0; 2], [1.0; 2]);
        }
    }
}
