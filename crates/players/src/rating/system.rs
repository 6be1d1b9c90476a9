//! Rating systems, as the crate `skillratings` has them, and what is done to their numbers.
//!
//! **What is promised.** The same bouts in the same order give the same ratings, bit for bit, on one
//! machine, whatever way they came. The systems need `exp` and `ln`, whose last bit differs from one
//! platform's mathematics to another's. So after each bout every number is rounded to a step that is much
//! coarser than such a difference, a millionth and for volatility a billionth, and differences do not
//! grow from bout to bout: between platforms ratings are the same, but where a number is within some
//! 10⁻¹² of the middle between two steps, and are then a step apart.

use serde::{Deserialize, Serialize};
use skillratings::{
    Outcomes,
    glicko2::{Glicko2Config, Glicko2Rating, glicko2_rating_period},
    weng_lin::{WengLinConfig, WengLinRating, weng_lin_two_teams},
};

/// Into how many steps one is divided, to which ratings and their deviations are rounded.
const STEPS: f64 = 1e6;
/// And volatilities.
const VOLATILITY_STEPS: f64 = 1e9;

/// A rating system, with the parameters that its authors give.
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
}

/// How good somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// The rating: in Glicko-2 from 1,500, in OpenSkill (mu) from 25.
    pub rating: f64,
    /// How uncertain it is, one standard deviation: in Glicko-2 from 350, in OpenSkill (sigma) from 25/3.
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
        };
        self.rating - deviations * self.deviation
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
    pub const ALL: [Self; 2] = [Self::Glicko2, Self::OpenSkill];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Glicko2 => "glicko-2",
            Self::OpenSkill => "openskill",
        }
    }

    /// The rating of somebody who has not played yet.
    pub fn start(self) -> Rating {
        match self {
            Self::Glicko2 => from_glicko(Glicko2Rating::new()),
            Self::OpenSkill => from_weng_lin(WengLinRating::new()),
        }
        .rounded()
    }

    /// The ratings of both sides after a match that the side of index `winner` won, or neither.
    pub fn play(self, sides: [&[Rating]; 2], winner: Option<usize>) -> [Vec<Rating>; 2] {
        let outcome = match winner {
            Some(0) => Outcomes::WIN,
            Some(_) => Outcomes::LOSS,
            None => Outcomes::DRAW,
        };
        let after = match self {
            Self::Glicko2 => glicko2(sides, outcome),
            Self::OpenSkill => weng_lin(sides, outcome),
        };
        after.map(|side| side.into_iter().map(Rating::rounded).collect())
    }
}

fn glicko2([first, second]: [&[Rating]; 2], outcome: Outcomes) -> [Vec<Rating>; 2] {
    let config = Glicko2Config::new();
    let reversed = match outcome {
        Outcomes::WIN => Outcomes::LOSS,
        Outcomes::LOSS => Outcomes::WIN,
        Outcomes::DRAW => Outcomes::DRAW,
    };
    let against = |own: &[Rating], other: &[Rating], outcome: Outcomes| {
        let opponent = [(mean(other), outcome)];
        let play = |rating: &Rating| {
            from_glicko(glicko2_rating_period(&to_glicko(rating), &opponent, &config))
        };
        own.iter().map(play).collect()
    };
    [against(first, second, outcome), against(second, first, reversed)]
}

fn weng_lin(sides: [&[Rating]; 2], outcome: Outcomes) -> [Vec<Rating>; 2] {
    let [first, second] = sides.map(|side| {
        let rating =
            |own: &Rating| WengLinRating { rating: own.rating, uncertainty: own.deviation };
        side.iter().map(rating).collect::<Vec<_>>()
    });
    let (first, second) = weng_lin_two_teams(&first, &second, &outcome, &WengLinConfig::new());
    [first, second].map(|side| side.into_iter().map(from_weng_lin).collect())
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
