//! The clock of a match: its periods, and the minutes as people count them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const MINUTE_MS: u32 = 60_000;

/// A part of a match, in the order of play (Law 7; Law 10 for what follows a draw).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// 45 minutes and what is added.
    FirstHalf,
    /// 45 minutes and what is added.
    SecondHalf,
    /// 15 minutes and what is added.
    ExtraTimeFirst,
    /// 15 minutes and what is added.
    ExtraTimeSecond,
    /// Kicks from the penalty mark; the clock says nothing.
    ShootOut,
}

impl Period {
    /// All of them, in the order of play.
    pub const ALL: [Self; 5] = [
        Self::FirstHalf,
        Self::SecondHalf,
        Self::ExtraTimeFirst,
        Self::ExtraTimeSecond,
        Self::ShootOut,
    ];

    /// How many minutes of the match are played before it, without added ones.
    pub fn begins_at_min(self) -> u16 {
        match self {
            Self::FirstHalf => 0,
            Self::SecondHalf => 45,
            Self::ExtraTimeFirst => 90,
            Self::ExtraTimeSecond => 105,
            Self::ShootOut => 120,
        }
    }

    /// How many minutes it has, without added ones.
    pub fn length_min(self) -> u16 {
        match self {
            Self::FirstHalf | Self::SecondHalf => 45,
            Self::ExtraTimeFirst | Self::ExtraTimeSecond => 15,
            Self::ShootOut => 0,
        }
    }
}

/// When something happened, by the clock of the match.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// In which period.
    pub period: Period,
    /// Milliseconds since the period began, added time included. Of a feed that tells minutes alone,
    /// 67', the begin of that minute: 21 minutes after the second half began.
    pub elapsed_ms: u32,
}

impl Clock {
    /// The begin of a minute as people count them, from 1: 45+2 is the 47th of the first half.
    /// Without `added` the minute tells the period.
    pub fn of_minute(minute: u16, added: u16) -> Self {
        let play = Period::ALL.into_iter().filter(|period| *period != Period::ShootOut);
        let begun = |period: &Period| period.begins_at_min() < minute.max(1);
        let period = play.rev().find(begun).unwrap_or(Period::FirstHalf);
        let whole = minute.max(1).saturating_add(added) - period.begins_at_min() - 1;
        Self { period, elapsed_ms: u32::from(whole) * MINUTE_MS }
    }

    /// The minute as people count them, from 1, and how many were added to it: 45 and 2 of 45+2.
    /// A shoot-out is after the 120th.
    pub fn minute(self) -> (u16, u16) {
        let length = self.period.length_min();
        if self.period == Period::ShootOut {
            return (self.period.begins_at_min(), 0);
        }
        let whole = u16::try_from(self.elapsed_ms / MINUTE_MS).unwrap_or(u16::MAX);
        let number = whole.saturating_add(1);
        (self.period.begins_at_min() + number.min(length), number.saturating_sub(length))
    }

    /// Milliseconds of the match up to here, of which added time is no part.
    pub(super) fn played_ms(self) -> u32 {
        let length = u32::from(self.period.length_min()) * MINUTE_MS;
        u32::from(self.period.begins_at_min()) * MINUTE_MS + self.elapsed_ms.min(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_as_people_count_them() {
        for (minute, added, period) in [
            (1, 0, Period::FirstHalf),
            (45, 0, Period::FirstHalf),
            (45, 7, Period::FirstHalf),
            (46, 0, Period::SecondHalf),
            (90, 11, Period::SecondHalf),
            (91, 0, Period::ExtraTimeFirst),
            (105, 1, Period::ExtraTimeFirst),
            (106, 0, Period::ExtraTimeSecond),
            (120, 2, Period::ExtraTimeSecond),
        ] {
            let clock = Clock::of_minute(minute, added);
            assert_eq!((clock.period, clock.minute()), (period, (minute, added)));
        }
        assert_eq!(Clock::of_minute(0, 0).minute(), (1, 0));
        assert_eq!(Clock::of_minute(121, 0).minute(), (120, 1), "a feed that does not tell added");
        let last = Clock { period: Period::ExtraTimeSecond, elapsed_ms: u32::MAX };
        assert_eq!(last.minute().0, 120);
        assert_eq!(Clock::of_minute(u16::MAX, u16::MAX).period, Period::ExtraTimeSecond);
    }

    #[test]
    fn added_time_is_no_part_of_the_minutes_played() {
        assert_eq!(Clock::of_minute(45, 5).played_ms(), 45 * MINUTE_MS);
        assert_eq!(Clock::of_minute(46, 0).played_ms(), 45 * MINUTE_MS);
        assert_eq!(Clock::of_minute(61, 0).played_ms(), 60 * MINUTE_MS);
    }
}
