//! P(a team wins the map): the Markov chain of the score.
//!
//! Rounds to come are independent of each other, and of anything but the side. "First to 13" then
//! is "most of 24, if all were played", so what is needed is the distribution of how many of the
//! remaining rounds a team wins: one convolution for each of them.
//!
//! In overtime the same holds for its 6 rounds (MR3), of which a team plays three on either side.
//! At its start both teams therefore have the same chance, whatever a side is worth, and a tie
//! after it is another one, so every tie counts 1/2. That is also what a draw counts where
//! overtime is off, since a state does not tell.

use std::cmp::Ordering;

use super::won_round;
use crate::live_match::cs::{Side, State};

/// P(CT wins a round) of which nothing is known: 0.516 in the data that the round's model was
/// fitted on, moved a third of the way to even, since maps and versions of the game differ.
const CT_ROUND: f64 = 0.51;
/// Rounds of an overtime.
const OVERTIME_ROUNDS: u16 = 6;

/// Where a map stands: the window of rounds which is won by whoever takes most of it, regulation
/// or an overtime.
pub(super) struct Window {
    /// Rounds in it.
    pub(super) rounds: u16,
    /// Won in it by each team.
    pub(super) won: [u16; 2],
}

/// P(the first team wins the map), if it wins the round that is played with probability `round`;
/// `None` if that round is in the score already.
pub(super) fn first_team_wins(state: &State, round: Option<f64>) -> f64 {
    let played = state.rounds_played();
    Window::of(state).first_wins(|number| match (round, number) {
        (Some(round), 0) => round,
        _ => match side_in(state, played.saturating_add(number)) {
            Side::Ct => CT_ROUND,
            Side::T => 1.0 - CT_ROUND,
        },
    })
}

/// The side that the first team is on in the round that is played, or else in the next one.
pub(super) fn first_team_side(state: &State) -> Side {
    side_in(state, state.rounds_played())
}

/// The side that the first team is on after `played` rounds, by the last that is known of it.
fn side_in(state: &State, played: u16) -> Side {
    let last = state.rounds_played();
    let (known_at, known) = match (won_round(state), state.rounds.get(&last)) {
        // Between rounds the teams may or may not have changed over; the last round tells.
        (Some(winner), Some(round)) => {
            (last.saturating_sub(1), if winner == 0 { round.side } else { round.side.other() })
        }
        _ => (last, state.teams.first().map_or(Side::Ct, |team| team.side)),
    };
    if (changes(state, played) + changes(state, known_at)).is_multiple_of(2) {
        known
    } else {
        known.other()
    }
}

/// How often the teams have changed sides when so many rounds were played: at half-time, and in
/// the middle of every overtime, but not before one.
fn changes(state: &State, played: u16) -> u16 {
    match played.checked_sub(state.max_rounds) {
        Some(overtime) => 1 + overtime.saturating_add(OVERTIME_ROUNDS / 2) / OVERTIME_ROUNDS,
        None => u16::from(played >= state.max_rounds / 2),
    }
}

impl Window {
    fn of(state: &State) -> Self {
        let [first, second] = &state.teams;
        let won = [first.score, second.score];
        let level = state.max_rounds.div_ceil(2);
        let Some(overtime) = first.score.min(second.score).checked_sub(level) else {
            return Self { rounds: state.max_rounds, won };
        };
        // Both have won half of every overtime before this one.
        let before = level + overtime / (OVERTIME_ROUNDS / 2) * (OVERTIME_ROUNDS / 2);
        Self { rounds: OVERTIME_ROUNDS, won: won.map(|won| won - before) }
    }

    /// P(the first team takes most of the window), with half of a tie, if it wins the round after
    /// `number` more with probability `win(number)`.
    pub(super) fn first_wins(&self, win: impl Fn(u16) -> f64) -> f64 {
        let [ours, theirs] = self.won;
        let left = self.rounds.saturating_sub(ours.saturating_add(theirs));
        // P(the first team wins so many more), by number.
        let mut odds = vec![1.0];
        for win in (0..left).map(win) {
            let mut one_less = 0.0;
            for odds in &mut odds {
                let same = *odds;
                *odds = same * (1.0 - win) + one_less * win;
                one_less = same;
            }
            odds.push(one_less * win);
        }
        let share = |more: usize| match (2 * (usize::from(ours) + more)).cmp(&self.rounds.into()) {
            Ordering::Greater => 1.0,
            Ordering::Equal => 0.5,
            Ordering::Less => 0.0,
        };
        odds.iter().enumerate().map(|(more, odds)| share(more) * odds).sum()
    }
}
