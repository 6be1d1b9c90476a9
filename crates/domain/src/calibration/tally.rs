//! Sums of scores, and the figures that they come to.

use std::ops::{AddAssign, SubAssign};

use crate::live_match::Outcome;

/// How many bins a reliability diagram has, each as wide as the others.
pub const BINS: usize = 10;

/// Probabilities are in millionths, as they are served.
const MILLION: u64 = 1_000_000;
/// Logarithms are in billionths.
const BILLION: f64 = 1e9;

/// Whose probability a diagram is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The first team wins.
    First,
    /// Nobody does.
    Draw,
    /// The second team wins.
    Second,
}

impl Side {
    /// All of them, in the order of diagrams.
    pub const ALL: [Self; 3] = [Self::First, Self::Draw, Self::Second];

    /// Its name, as it is served.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Draw => "draw",
            Self::Second => "second",
        }
    }

    fn is(self, outcome: Outcome) -> bool {
        match self {
            Self::First => outcome == Outcome::Won(0),
            Self::Draw => outcome == Outcome::Draw,
            Self::Second => matches!(outcome, Outcome::Won(team) if team != 0),
        }
    }
}

/// The predictions within a bin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bin {
    /// How many there are.
    pub count: u64,
    /// The sum of their probabilities, in millionths.
    predicted: u64,
    /// How often it came so.
    hits: u64,
}

impl Bin {
    /// The mean of the probabilities, and how often it came so, from 0 to 1.
    pub fn rates(&self) -> Option<(f64, f64)> {
        let predicted = ratio(u128::from(self.predicted), u128::from(self.count * MILLION))?;
        Some((predicted, ratio(u128::from(self.hits), u128::from(self.count))?))
    }
}

/// What some predictions of one kind came to. Sums are exact, so that they can be taken away again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many predictions were scored.
    pub predictions: u64,
    /// How many rounds or maps they were about.
    pub outcomes: u64,
    /// How many maps they were made on.
    pub maps: u64,
    /// The sum of squares, in millionths of millionths.
    squares: u128,
    /// The sum of negative logarithms, in billionths.
    logs: u128,
    /// A diagram of the first team, or, where there are draws, one for each of [`Side::ALL`].
    diagrams: Vec<[Bin; BINS]>,
}

impl Tally {
    /// Adds a prediction of which team wins. Its square is that of the first team's probability, since
    /// the second one's is the same again.
    pub(super) fn add_winner(&mut self, teams: [f64; 2], outcome: Outcome) {
        let [first, second] = teams.map(millionths);
        self.enter(1, Side::First, first, outcome);
        self.squares += square(first, Side::First.is(outcome));
        self.hear(if Side::First.is(outcome) { first } else { second });
    }

    /// Adds a prediction of how a match ends. Its square is the sum over what can come.
    pub(super) fn add_result(&mut self, teams: [f64; 2], draw: Option<f64>, outcome: Outcome) {
        let [first, second] = teams.map(Some);
        for (side, probability) in Side::ALL.into_iter().zip([first, draw, second]) {
            let Some(probability) = probability.map(millionths) else { continue };
            self.enter(Side::ALL.len(), side, probability, outcome);
            self.squares += square(probability, side.is(outcome));
            if side.is(outcome) {
                self.hear(probability);
            }
        }
    }

    /// Enters a probability into its bin.
    fn enter(&mut self, diagrams: usize, side: Side, probability: u64, outcome: Outcome) {
        self.diagrams.resize(diagrams.max(self.diagrams.len()), [Bin::default(); BINS]);
        let place = Side::ALL.iter().position(|other| *other == side).unwrap_or_default();
        // The last bin has its upper end.
        let bin = (probability.saturating_mul(BINS as u64) / MILLION).min(BINS as u64 - 1);
        let bin = usize::try_from(bin).unwrap_or_default();
        if let Some(bin) = self.diagrams.get_mut(place).and_then(|bins| bins.get_mut(bin)) {
            bin.count += 1;
            bin.predicted += probability;
            bin.hits += u64::from(side.is(outcome));
        }
    }

    /// Counts a prediction with the probability that it gave to what came. It counts as a millionth at least, the
    /// least that can be told, so that one mistake is not worth everything.
    fn hear(&mut self, probability: u64) {
        let probability = fraction(probability.max(1), MILLION);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to 14 billion"
        )]
        let log = (-libm::log(probability) * BILLION).round().max(0.0) as u64;
        self.logs += u128::from(log);
        self.predictions += 1;
    }

    /// The Brier score; `None` if nothing was scored. Of which team wins it is from 0 to 1, and 0.25 for
    /// a coin; of results from 0 to 2.
    pub fn brier(&self) -> Option<f64> {
        let mean = ratio(self.squares, u128::from(self.predictions) * u128::from(MILLION))?;
        Some(mean / fraction(MILLION, 1))
    }

    /// The mean of the negative natural logarithms of the probability that was given to what came;
    /// `None` if nothing was scored.
    pub fn log_loss(&self) -> Option<f64> {
        Some(ratio(self.logs, u128::from(self.predictions))? / BILLION)
    }

    /// The expected calibration error: by how much the bins' rates differ from what was predicted, each by
    /// its count; the mean over what can come. `None` if nothing was scored.
    pub fn ece(&self) -> Option<f64> {
        let errors: Vec<f64> = self.diagrams.iter().filter_map(error_of).collect();
        let sum: f64 = errors.iter().sum();
        (!errors.is_empty()).then(|| sum / fraction(errors.len() as u64, 1))
    }

    /// The diagrams, each with whose probability it is about.
    pub fn diagrams(&self) -> impl Iterator<Item = (Side, &[Bin; BINS])> {
        Side::ALL.into_iter().zip(&self.diagrams)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.predictions == 0
    }
}

impl AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        self.predictions += other.predictions;
        self.outcomes += other.outcomes;
        self.maps += other.maps;
        self.squares += other.squares;
        self.logs += other.logs;
        let diagrams = self.diagrams.len().max(other.diagrams.len());
        self.diagrams.resize(diagrams, [Bin::default(); BINS]);
        for (own, other) in self.bins_mut().zip(other.diagrams.iter().flatten()) {
            own.count += other.count;
            own.predicted += other.predicted;
            own.hits += other.hits;
        }
    }
}

/// Takes away what was added before.
impl SubAssign<&Self> for Tally {
    fn sub_assign(&mut self, other: &Self) {
        self.predictions -= other.predictions;
        self.outcomes -= other.outcomes;
        self.maps -= other.maps;
        self.squares -= other.squares;
        self.logs -= other.logs;
        for (own, other) in self.bins_mut().zip(other.diagrams.iter().flatten()) {
            own.count -= other.count;
            own.predicted -= other.predicted;
            own.hits -= other.hits;
        }
    }
}

impl Tally {
    fn bins_mut(&mut self) -> impl Iterator<Item = &mut Bin> {
        self.diagrams.iter_mut().flatten()
    }
}

/// The calibration error of a diagram; `None` of one without predictions.
fn error_of(bins: &[Bin; BINS]) -> Option<f64> {
    let count: u64 = bins.iter().map(|bin| bin.count).sum();
    // In millionths, over all predictions of the bin.
    let error: u64 =
        bins.iter().map(|bin| bin.predicted.abs_diff(bin.hits.saturating_mul(MILLION))).sum();
    ratio(u128::from(error), u128::from(count) * u128::from(MILLION))
}

/// The square of what a probability in millionths is away from what came.
fn square(probability: u64, is_so: bool) -> u128 {
    let came = if is_so { MILLION } else { 0 };
    let away = u128::from(probability.abs_diff(came));
    away * away
}

/// A probability in millionths; of what is no probability the nearest.
fn millionths(probability: f64) -> u64 {
    let millionths = (probability * fraction(MILLION, 1)).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to a million")]
    let whole = millionths.clamp(0.0, fraction(MILLION, 1)) as u64;
    whole
}

fn ratio(part: u128, whole: u128) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "six decimals are told")]
    let ratio = |part: u128, whole: u128| part as f64 / whole as f64;
    (whole > 0).then(|| ratio(part, whole))
}

fn fraction(part: u64, whole: u64) -> f64 {
    ratio(u128::from(part), u128::from(whole)).unwrap_or_default()
}
