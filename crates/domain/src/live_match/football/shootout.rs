//! Kicks from the penalty mark (Law 10): the best of five each, decided as soon as one team cannot be
//! reached, and then kick by kick.

use super::{Kick, MAX_LISTED, Shootout, ShootoutKicked, State, people};
use crate::live_match::course::leader;

/// How many kicks each team has before sudden death.
pub(super) const KICKS: u16 = 5;

impl State {
    pub(super) fn kick(&mut self, told: &ShootoutKicked) {
        let team = told.team.index();
        let player = self.actor(told.player.as_ref(), team);
        let shootout = self.shootout.get_or_insert_default();
        let is_decided = shootout.winner.is_some();
        let [first, second] = &mut shootout.taken;
        let taken = if team == 0 { first } else { second };
        *taken = taken.saturating_add(1);
        let [first, second] = &mut shootout.score;
        let score = if team == 0 { first } else { second };
        *score = score.saturating_add(u16::from(told.scored));
        people::list(&mut shootout.kicks, Kick { team, player, scored: told.scored });
        shootout.winner = shootout.decided();
        if is_decided {
            let detail = "a kick is taken, and the shoot-out was decided before".to_owned();
            self.course.note_anomaly("after_end", detail);
        }
    }

    /// The shoot-out is over, with so many kicks scored, if the feed tells it.
    pub(super) fn end_kicks(&mut self, score: Option<[u16; 2]>) {
        let shootout = self.shootout.get_or_insert_default();
        let known = shootout.score;
        let score = score.unwrap_or(known);
        shootout.score = score;
        // Kicks may be missing, so that nothing was decided by those that were told.
        shootout.winner = leader(score);
        if !shootout.kicks.is_empty() && known != score {
            let ([a, b], [c, d]) = (known, score);
            let detail = format!("{a}-{b} by the kicks that were told, {c}-{d} by the feed");
            self.course.note_anomaly("score_mismatch", detail);
        }
    }
}

impl Shootout {
    /// The team that the other one can reach no more, with as many kicks for both.
    fn decided(&self) -> Option<usize> {
        let ([a, b], [left_a, left_b]) = (self.score, self.left());
        if a > b.saturating_add(left_b) {
            Some(0)
        } else if b > a.saturating_add(left_a) {
            Some(1)
        } else {
            None
        }
    }

    /// How many kicks each team has left of the five, or of the pair that is taken.
    pub(super) fn left(&self) -> [u16; 2] {
        let [a, b] = self.taken;
        let rounds = KICKS.max(a).max(b);
        [rounds - a, rounds - b]
    }
}

const _: () = assert!(MAX_LISTED > 2 * KICKS as usize, "a shoot-out is listed whole");
