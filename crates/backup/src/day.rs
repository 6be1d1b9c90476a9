//! Days in UTC, by which keys are made and destroyed.

use std::fmt;

use matchwire_domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A day in UTC, written `2026-11-26`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(i64);

impl Day {
    /// The day of a moment.
    pub fn of(moment: Timestamp) -> Self {
        Self(moment.ms().div_euclid(DAY_MS))
    }

    /// Reads what [`Display`](fmt::Display) writes.
    pub fn parse(text: &str) -> Option<Self> {
        let day = Timestamp::parse(&format!("{text}T00:00:00Z")).map(Self::of).ok()?;
        Some(day).filter(|day| day.to_string() == text)
    }

    /// How many days after another one it is.
    pub fn days_since(self, other: Self) -> i64 {
        self.0 - other.0
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Timestamp::from_ms(self.0.saturating_mul(DAY_MS)).to_string();
        f.write_str(text.get(..10).unwrap_or(&text))
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} must be a day like 2026-11-26"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days() {
        let day = |text| Day::of(Timestamp::parse(text).unwrap());
        let new_year = day("2026-01-01T00:00:00Z");
        assert_eq!(new_year.to_string(), "2026-01-01");
        assert_eq!(new_year.days_since(day("2025-12-31T23:59:59.999Z")), 1);
        assert_eq!(Day::parse("2026-01-01"), Some(new_year));
        for text in ["", "2026-1-1", "2026-02-30", "2026-01-01 ", "2026-01-01T00:00:00Z"] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }
}
