//! What comes of goal rates: both teams score independently of each other, and of how often they have
//! scored already.

/// Goals that a team may still score, at the most, in the sums. Of a rate of 20, which is the highest
/// that [`super::rates`] gives, less than 1 in 10⁷ is left out.
const MAX_GOALS: i32 = 48;

/// How a match may end. Sums to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outcome {
    /// P(the first team wins).
    pub(super) first: f64,
    /// P(nobody wins).
    pub(super) draw: f64,
    /// P(the second team wins).
    pub(super) second: f64,
}

/// The outcome when one team leads by so many goals, and each scores as many more as a Poisson
/// variable with its mean.
pub(super) fn outcome(lead: i32, first_mean: f64, second_mean: f64) -> Outcome {
    let (ours, theirs) = (masses(first_mean), masses(second_mean));
    let (mut first, mut draw, mut second) = (0.0, 0.0, 0.0);
    for (scored, p) in (0..).zip(&ours) {
        for (conceded, q) in (0..).zip(&theirs) {
            let both = p * q;
            match (lead.saturating_add(scored) - conceded).signum() {
                1 => first += both,
                0 => draw += both,
                _ => second += both,
            }
        }
    }
    let all = first + draw + second;
    Outcome { first: first / all, draw: draw / all, second: second / all }
}

/// P(so many goals), from 0 on.
fn masses(mean: f64) -> Vec<f64> {
    let mut mass = libm::exp(-mean);
    (1..=MAX_GOALS + 1)
        .map(|next| {
            let this = mass;
            mass *= mean / f64::from(next);
            this
        })
        .collect()
}

impl Outcome {
    /// Of a match that is over.
    pub(super) fn certain(winner: Option<usize>) -> Self {
        let is = |team| if winner == Some(team) { 1.0 } else { 0.0 };
        let draw = if winner.is_none() { 1.0 } else { 0.0 };
        Self { first: is(0), draw, second: is(1) }
    }

    /// The outcome where a draw is played out, and the first team wins that with a probability.
    pub(super) fn with_draw_played_out(self, first_wins: f64) -> Self {
        Self {
            first: self.first + self.draw * first_wins,
            draw: 0.0,
            second: self.second + self.draw * (1.0 - first_wins),
        }
    }

    /// The outcome, but for a part of which nothing is known.
    pub(super) fn mixed_with_ignorance(self, part: f64, has_draw: bool) -> Self {
        let ways = if has_draw { 3.0 } else { 2.0 };
        let mix = |p: f64| p * (1.0 - part) + part / ways;
        let draw = if has_draw { mix(self.draw) } else { 0.0 };
        Self { first: mix(self.first), draw, second: mix(self.second) }
    }

    /// Both teams' probabilities and that of a draw, in millionths, so that they sum to 1 as they are
    /// written.
    pub(super) fn in_millionths(self, has_draw: bool) -> ([f64; 2], Option<f64>) {
        const MILLION: f64 = 1e6;
        let first = (self.first * MILLION).round();
        if !has_draw {
            return ([first / MILLION, (MILLION - first) / MILLION], None);
        }
        let second = (self.second * MILLION).round();
        let draw = (MILLION - first - second).max(0.0);
        ([first / MILLION, second / MILLION], Some(draw / MILLION))
    }
}
