//! At which time of the day something is done.

use std::str::FromStr;

use matchwire_domain::timestamp::Timestamp;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A time of the day in UTC, or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At(Option<i64>);

impl At {
    /// Never.
    pub(crate) const OFF: Self = Self(None);

    /// Whether it is ever.
    pub(super) fn is_daily(self) -> bool {
        self != Self::OFF
    }
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::OFF);
        }
        let wrong =
            || "must be a time of the day in UTC, as in 04:00 or 04:00:30, or off".to_owned();
        let part = |text: &str, below: i64| {
            let is_written = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse::<i64>().ok().filter(|number| is_written && *number < below);
            number.ok_or_else(wrong)
        };
        let mut parts = text.split(':');
        let (Some(hours), Some(minutes)) = (parts.next(), parts.next()) else {
            return Err(wrong());
        };
        let seconds = parts.next().unwrap_or("00");
        if parts.next().is_some() {
            return Err(wrong());
        }
        let minutes = part(hours, 24)? * 60 + part(minutes, 60)?;
        Ok(Self(Some((minutes * 60 + part(seconds, 60)?) * 1_000)))
    }
}

impl At {
    /// The next such time after one.
    pub(crate) fn next(self, after: Timestamp) -> Option<Timestamp> {
        let of_day = self.0?;
        let today = after.ms().div_euclid(DAY_MS) * DAY_MS + of_day;
        let next = if today > after.ms() { today } else { today + DAY_MS };
        Some(Timestamp::from_ms(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_once_a_day() {
        let day = |days: i64, of_day: i64| Timestamp::from_ms(days * DAY_MS + of_day);
        let at: At = "04:00:30".parse().unwrap();
        let of_day = (4 * 3_600 + 30) * 1_000;
        assert_eq!(at.next(day(10, 0)), Some(day(10, of_day)));
        assert_eq!(at.next(day(10, of_day - 1)), Some(day(10, of_day)));
        assert_eq!(at.next(day(10, of_day)), Some(day(11, of_day)));
        assert_eq!(at.next(day(-1, 0)), Some(day(-1, of_day)), "before 1970, too");
        assert_eq!("off".parse::<At>().unwrap().next(day(0, 0)), None);
        for wrong in ["", "4:00", "24:00", "04:60", "04", "04:00:60", "04:00:00:00", "+4:00", "on"]
        {
            assert!(wrong.parse::<At>().is_err(), "{wrong}");
        }
    }
}
