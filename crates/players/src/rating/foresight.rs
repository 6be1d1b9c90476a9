//! How well a system has foreseen who wins, over all bouts in their order: by what systems are compared.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Bout, Formula, Rating};

/// An expectation is kept this far from certainty, so that one surprise is not infinitely bad.
const LEAST: f64 = 1e-6;

/// All bouts played once in their order, by a formula.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// Everyone's rating at the end, and how many bouts it comes from.
    pub now: BTreeMap<String, (Rating, u64)>,
    /// How well all bouts were foreseen.
    pub all: Foresight,
    /// Those in which nobody played for the first time, of whom nothing could be known.
    pub known: Foresight,
}

/// How well a number of bouts was foreseen. A coin has an accuracy of 0.5, a log loss of 0.693 and a Brier score of 0.25.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Foresight {
    /// How many.
    pub bouts: u64,
    /// Of them those that were drawn, which count as half a win of each side in log loss and Brier score.
    pub drawn: u64,
    /// The share of those with a winner in which the winner was expected, 0 to 1; where neither was, it is half. `None` without one.
    pub accuracy: Option<f64>,
    /// The mean of −ln of what was expected of what came, from 0 (all foreseen). `None` without a bout.
    pub log_loss: Option<f64>,
    /// The mean of the squared error, from 0 to 1. `None` without a bout.
    pub brier: Option<f64>,
}

/// Sums of a foresight.
#[derive(Default)]
struct Sums {
    bouts: u32,
    drawn: u32,
    foreseen: f64,
    log_loss: f64,
    brier: f64,
}

impl Replay {
    /// Of some bouts, in any order.
    pub fn of(formula: Formula, mut bouts: Vec<Bout>) -> Self {
        bouts.sort_by(|one, other| one.key.cmp(&other.key));
        let mut now: BTreeMap<String, (Rating, u64)> = BTreeMap::new();
        let (mut all, mut known) = (Sums::default(), Sums::default());
        for bout in &bouts {
            let mut is_known = true;
            let before = bout.sides.each_ref().map(|side| {
                let rating = |who: &String| {
                    let rating = now.get(who).map(|(rating, _)| *rating);
                    is_known &= rating.is_some();
                    rating.unwrap_or(formula.start())
                };
                side.iter().map(rating).collect::<Vec<_>>()
            });
            let [first, second] = &before;
            let expected = formula.expected([first, second]);
            all.take(expected, bout.winner);
            if is_known {
                known.take(expected, bout.winner);
            }
            let after = formula.play([first, second], bout.winner);
            for (who, rating) in bout.sides.iter().flatten().zip(after.into_iter().flatten()) {
                let (own, count) = now.entry(who.clone()).or_insert((rating, 0));
                (*own, *count) = (rating, *count + 1);
            }
        }
        Self { now, all: all.mean(), known: known.mean() }
    }
}

impl Sums {
    fn take(&mut self, expected: f64, winner: Option<usize>) {
        let expected = expected.clamp(LEAST, 1.0 - LEAST);
        let came = match winner {
            Some(0) => 1.0,
            Some(_) => 0.0,
            None => 0.5,
        };
        self.bouts += 1;
        self.drawn += u32::from(winner.is_none());
        self.log_loss -= came * expected.ln() + (1.0 - came) * (1.0 - expected).ln();
        self.brier += (came - expected) * (came - expected);
        if winner.is_some() {
            // Above nought where the side that won was the one that was expected to.
            let agreement = (expected - 0.5) * (came - 0.5);
            self.foreseen += match agreement {
                both if both > 0.0 => 1.0,
                both if both < 0.0 => 0.0,
                _ => 0.5,
            };
        }
    }

    fn mean(&self) -> Foresight {
        let mean = |sum: f64, of: u32| (of > 0).then(|| sum / f64::from(of));
        Foresight {
            bouts: self.bouts.into(),
            drawn: self.drawn.into(),
            accuracy: mean(self.foreseen, self.bouts - self.drawn),
            log_loss: mean(self.log_loss, self.bouts),
            brier: mean(self.brier, self.bouts),
        }
    }
}
