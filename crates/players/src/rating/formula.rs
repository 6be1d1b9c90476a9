//! A rating system with its parameters: what is served has those that its authors give, and others are tried on all of history.

use std::fmt;

use skillratings::{elo::EloConfig, glicko2::Glicko2Config, weng_lin::WengLinConfig};

use super::{Rating, System};

/// A rating system with its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Formula {
    pub(super) system: System,
    pub(super) tau: f64,
    pub(super) beta: f64,
    pub(super) k: f64,
    pub(super) start: Rating,
}

/// What can be set of a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// Of Glicko-2: how much volatilities change.
    Tau,
    /// Of OpenSkill: by how much somebody is better who wins two times out of three.
    Beta,
    /// Of Elo: by how much a rating changes at the most.
    K,
    /// Of Glicko-2 and OpenSkill: how uncertain the rating is of somebody who has not played yet.
    Deviation,
}

/// A parameter that a system does not have, or that is out of its bounds.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unfit {
    /// The system has no such parameter.
    #[error("{system} has no {parameter}; it has {has}")]
    Foreign {
        /// The system.
        system: System,
        /// What it has not.
        parameter: Parameter,
        /// What it has.
        has: String,
    },
    /// The value is not one that it can have.
    #[error("{parameter} of {system} must be from {least} to {most}, not {value}")]
    OutOfBounds {
        /// The system.
        system: System,
        /// Its parameter.
        parameter: Parameter,
        /// The least that it can be.
        least: f64,
        /// And the most.
        most: f64,
        /// What it was to be.
        value: f64,
    },
}

impl Parameter {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tau, Self::Beta, Self::K, Self::Deviation];

    /// What it can be in a system; nothing if that has no such parameter.
    fn bounds(self, system: System) -> Option<[f64; 2]> {
        match (self, system) {
            (Self::Tau, System::Glicko2) => Some([0.01, 5.0]),
            (Self::Beta, System::OpenSkill) => Some([0.01, 100.0]),
            (Self::K, System::Elo) => Some([0.1, 1_000.0]),
            (Self::Deviation, System::Glicko2) => Some([1.0, 1_000.0]),
            (Self::Deviation, System::OpenSkill) => Some([0.1, 100.0]),
            _ => None,
        }
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tau => "tau",
            Self::Beta => "beta",
            Self::K => "k",
            Self::Deviation => "deviation",
        })
    }
}

impl From<System> for Formula {
    /// With the parameters that its authors give.
    fn from(system: System) -> Self {
        Self {
            system,
            tau: Glicko2Config::new().tau,
            beta: WengLinConfig::new().beta,
            k: EloConfig::new().k,
            start: system.start(),
        }
    }
}

impl Formula {
    /// The system.
    pub fn system(&self) -> System {
        self.system
    }

    /// The rating of somebody who has not played yet.
    pub fn start(&self) -> Rating {
        self.start
    }

    /// The same with another value of a parameter.
    pub fn with(mut self, parameter: Parameter, value: f64) -> Result<Self, Unfit> {
        let system = self.system;
        let Some([least, most]) = parameter.bounds(system) else {
            let own = Parameter::ALL.into_iter().filter(|one| one.bounds(system).is_some());
            let has = own.map(|one| one.to_string()).collect::<Vec<_>>().join(" and ");
            return Err(Unfit::Foreign { system, parameter, has });
        };
        if !(least..=most).contains(&value) {
            return Err(Unfit::OutOfBounds { system, parameter, least, most, value });
        }
        match parameter {
            Parameter::Tau => self.tau = value,
            Parameter::Beta => self.beta = value,
            Parameter::K => self.k = value,
            Parameter::Deviation => self.start.deviation = value,
        }
        Ok(self)
    }

    /// The parameters that it has.
    pub fn parameters(&self) -> impl Iterator<Item = (Parameter, f64)> {
        let own = Parameter::ALL.into_iter().filter(|one| one.bounds(self.system).is_some());
        own.map(|one| {
            let value = match one {
                Parameter::Tau => self.tau,
                Parameter::Beta => self.beta,
                Parameter::K => self.k,
                Parameter::Deviation => self.start.deviation,
            };
            (one, value)
        })
    }
}
