//! Rating systems, as the crate `skillratings` has them, and what is done to their numbers.
//!
//! **What is promised.** The same bouts in the same order give the same ratings, bit for bit, on one
//! machine, whatever way they came. The systems need `exp` and `ln`, whose last bit differs from one
//! platform's mathematics to another's. So after each bout every number is rounded to a step that is much
//! coarser than such a difference, a millionth and for volatility a billionth, and differences do not
//! grow from bout to bout: between platforms ratings are the same, but where a number is within some
//! 10⁻¹² of the middle between two steps, and are then a step apart.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use skillratings::{
    Outcomes,
    elo::{self, EloConfig, EloRating},
    glicko2::{self, Glicko2Config, Glicko2Rating, glicko2_rating_period},
    weng_lin::{self, WengLinConfig, WengLinRating, weng_lin_two_teams},
};

use super::Formula;

/// Into how many steps one is divided, to which ratings and their deviations are rounded.
const STEPS: f64 = 1e6;
/// And volatilities.
const VOLATILITY_STEPS: f64 = 1e9;

/// A rating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum System {
    /// Glicko-2 (Glickman 2013), with tau 0.5. A rating period is a match. It is made for one against one:
    /// a member of a team plays against one opponent who is the mean of the other team, with the root of
    /// the mean square of their deviations.
    #[serde(rename = "glicko-2")]
    Glicko2,
    /// OpenSkill: Weng and Lin (2011), by the Bradley-Terry model, with beta 25/6. It is made for teams.
    #[serde(rename = "openskill")]
    OpenSkill,
    /// Elo, with k 32: what others are compared with. It knows no uncertainty. A member of a team plays against one
    /// opponent who is the mean of the other team. It is not served.
    #[serde(rename = "elo")]
    Elo,
}

/// A text is no name of a rating system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no rating system {0:?}; there are glicko-2, openskill and elo")]
pub struct NoSystem(String);

impl FromStr for System {
    type Err = NoSystem;

    /// By its name; Glicko-2 without the hyphen, too.
    fn from_str(name: &str) -> Result<Self, NoSystem> {
        let found = Self::ALL.into_iter().find(|system| system.as_str() == name);
        let found = found.or((name == "glicko2").then_some(Self::Glicko2));
        found.ok_or_else(|| NoSystem(name.chars().take(40).collect()))
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How good somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// The rating: in Glicko-2 from 1,500, in OpenSkill (mu) from 25, in Elo from 1,000.
    pub rating: f64,
    /// How uncertain it is, one standard deviation: in Glicko-2 from 350, in OpenSkill (sigma) from 25/3, in Elo nought.
    pub deviation: f64,
    /// How much it is expected to change, in Glicko-2 from 0.06; nought in a system without it.
    #[serde(default, skip_serializing_if = "is_nought")]
    pub volatility: f64,
}

impl Rating {
    /// What the rating is at least, with 97.5% by Glicko-2's interval of two deviations, or by OpenSkill's
    /// ordinal of three: what leaderboards are ordered by, so that few matches do not lead them.
    pub fn floor(&self, system: System) -> f64 {
        let deviations = match system {
            System::Glicko2 => 2.0,
            System::OpenSkill => 3.0,
            System::Elo => 0.0,
        };
        self.rating - deviations * self.deviation
    }

    /// As whole numbers of the steps to which it is rounded, which come back as exactly the same rating.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "whoever is rated so high is kept at the most that there is"
    )]
    pub(crate) fn to_steps(self) -> [i64; 3] {
        let steps = |number: f64, steps: f64| (number * steps).round() as i64;
        [
            steps(self.rating, STEPS),
            steps(self.deviation, STEPS),
            steps(self.volatility, VOLATILITY_STEPS),
        ]
    }

    /// Of whole numbers of steps.
    #[allow(clippy::cast_precision_loss, reason = "ratings are far less than 2^53 steps")]
    pub(crate) fn from_steps([rating, deviation, volatility]: [i64; 3]) -> Self {
        Self {
            rating: rating as f64 / STEPS,
            deviation: deviation as f64 / STEPS,
            volatility: volatility as f64 / VOLATILITY_STEPS,
        }
    }

    fn rounded(self) -> Self {
        Self {
            rating: round(self.rating, STEPS),
            deviation: round(self.deviation, STEPS),
            volatility: round(self.volatility, VOLATILITY_STEPS),
        }
    }
}

impl System {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Glicko2, Self::OpenSkill, Self::Elo];

    /// Those by which players are rated for everybody to read.
    pub const SERVED: [Self; 2] = [Self::Glicko2, Self::OpenSkill];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Glicko2 => "glicko-2",
            Self::OpenSkill => "openskill",
            Self::Elo => "elo",
        }
    }

    /// The rating of somebody who has not played yet.
    pub fn start(self) -> Rating {
        match self {
            Self::Glicko2 => from_glicko(Glicko2Rating::new()),
            Self::OpenSkill => from_weng_lin(WengLinRating::new()),
            Self::Elo => from_elo(EloRating::new()),
        }
        .rounded()
    }
}

impl Formula {
    /// The ratings of both sides after a match that the side of index `winner` won, or neither.
    pub fn play(&self, sides: [&[Rating]; 2], winner: Option<usize>) -> [Vec<Rating>; 2] {
        let outcome = match winner {
            Some(0) => Outcomes::WIN,
            Some(_) => Outcomes::LOSS,
            None => Outcomes::DRAW,
        };
        let after = match self.system {
            System::Glicko2 => self.glicko2(sides, outcome),
            System::OpenSkill => self.weng_lin(sides, outcome),
            System::Elo => self.elo(sides, outcome),
        };
        after.map(|side| side.into_iter().map(Rating::rounded).collect())
    }

    /// What is expected of a match before it: the share of a win that falls to the first side, 0 to 1.
    pub fn expected(&self, [first, second]: [&[Rating]; 2]) -> f64 {
        match self.system {
            System::Glicko2 => glicko2::expected_score(&mean(first), &mean(second)).0,
            System::OpenSkill => {
                let [first, second] = [first, second].map(to_weng_lin);
                weng_lin::expected_score_two_teams(&first, &second, &self.weng_lin_config()).0
            }
            System::Elo => {
                let [first, second] = [first, second].map(|side| to_elo(mean(side).rating));
                elo::expected_score(&first, &second).0
            }
        }
    }

    fn weng_lin_config(&self) -> WengLinConfig {
        WengLinConfig { beta: self.beta, ..WengLinConfig::new() }
    }

    fn glicko2(&self, [first, second]: [&[Rating]; 2], outcome: Outcomes) -> [Vec<Rating>; 2] {
        let config = Glicko2Config { tau: self.tau, ..Glicko2Config::new() };
        let against = |own: &[Rating], other: &[Rating], outcome: Outcomes| {
            let opponent = [(mean(other), outcome)];
            let play = |rating: &Rating| {
                from_glicko(glicko2_rating_period(&to_glicko(rating), &opponent, &config))
            };
            own.iter().map(play).collect()
        };
        [against(first, second, outcome), against(second, first, reversed(outcome))]
    }

    fn weng_lin(&self, sides: [&[Rating]; 2], outcome: Outcomes) -> [Vec<Rating>; 2] {
        let [first, second] = sides.map(to_weng_lin);
        let (first, second) =
            weng_lin_two_teams(&first, &second, &outcome, &self.weng_lin_config());
        [first, second].map(|side| side.into_iter().map(from_weng_lin).collect())
    }

    fn elo(&self, [first, second]: [&[Rating]; 2], outcome: Outcomes) -> [Vec<Rating>; 2] {
        let config = EloConfig { k: self.k };
        let against = |own: &[Rating], other: &[Rating], outcome: Outcomes| {
            let opponent = to_elo(mean(other).rating);
            let play = |rating: &Rating| {
                from_elo(elo::elo(&to_elo(rating.rating), &opponent, &outcome, &config).0)
            };
            own.iter().map(play).collect()
        };
        [against(first, second, outcome), against(second, first, reversed(outcome))]
    }
}

fn reversed(outcome: Outcomes) -> Outcomes {
    match outcome {
        Outcomes::WIN => Outcomes::LOSS,
        Outcomes::LOSS => Outcomes::WIN,
        Outcomes::DRAW => Outcomes::DRAW,
    }
}

/// A team as one opponent. Sums are made in the order of its members.
#[allow(clippy::cast_precision_loss, reason = "a team has at most 64 members")]
fn mean(team: &[Rating]) -> Glicko2Rating {
    let count = team.len().max(1) as f64;
    let sum = |part: fn(&Rating) -> f64| team.iter().map(part).sum::<f64>();
    Glicko2Rating {
        rating: sum(|one| one.rating) / count,
        deviation: (sum(|one| one.deviation * one.deviation) / count).sqrt(),
        volatility: sum(|one| one.volatility) / count,
    }
}

fn to_glicko(rating: &Rating) -> Glicko2Rating {
    let Rating { rating, deviation, volatility } = *rating;
    Glicko2Rating { rating, deviation, volatility }
}

fn from_glicko(rating: Glicko2Rating) -> Rating {
    let Glicko2Rating { rating, deviation, volatility } = rating;
    Rating { rating, deviation, volatility }
}

fn to_weng_lin(side: &[Rating]) -> Vec<WengLinRating> {
    let rating = |own: &Rating| WengLinRating { rating: own.rating, uncertainty: own.deviation };
    side.iter().map(rating).collect()
}

fn to_elo(rating: f64) -> EloRating {
    EloRating { rating }
}

fn from_elo(rating: EloRating) -> Rating {
    Rating { rating: rating.rating, deviation: 0.0, volatility: 0.0 }
}

fn from_weng_lin(rating: WengLinRating) -> Rating {
    Rating { rating: rating.rating, deviation: rating.uncertainty, volatility: 0.0 }
}

fn round(number: f64, steps: f64) -> f64 {
    (number * steps).round() / steps
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_nought(number: &f64) -> bool {
    *number == 0.0
}
