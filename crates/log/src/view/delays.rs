//! How long after its `recordedtime` an event of a stream is held back.

use std::time::Duration;

use matchwire_domain::subject::{Pattern, Subject};

/// The longest delay.
pub const MAX_DELAY: Duration = Duration::from_hours(1);

/// How long events are held back, by the subject of their stream. Of the patterns that match, the
/// closest counts; a stream that none matches is not delayed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delays {
    /// The closest pattern first.
    rules: Vec<(Pattern, Duration)>,
}

impl Delays {
    /// These delays, each of at most [`MAX_DELAY`]; a longer one is cut to that.
    pub fn new(mut rules: Vec<(Pattern, Duration)>) -> Self {
        for (_, delay) in &mut rules {
            *delay = MAX_DELAY.min(*delay);
        }
        rules.sort_by_cached_key(|(pattern, _)| std::cmp::Reverse(pattern.closeness()));
        Self { rules }
    }

    /// The delays, the closest pattern first.
    pub fn rules(&self) -> &[(Pattern, Duration)] {
        &self.rules
    }

    /// The longest delay of all.
    pub fn longest(&self) -> Duration {
        self.rules.iter().map(|(_, delay)| *delay).max().unwrap_or_default()
    }

    /// How long events of a stream are held back, in milliseconds.
    pub(super) fn ms(&self, subject: &Subject) -> i64 {
        let rule = self.rules.iter().find(|(pattern, _)| pattern.matches(subject));
        rule.map_or(0, |(_, delay)| i64::try_from(delay.as_millis()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_pattern_counts() {
        let rule = |(pattern, s): (&str, u64)| (pattern.parse().unwrap(), Duration::from_secs(s));
        let rules = [("match/**", 90), ("match/show/**", 0), ("match/*/2", 7), ("room/*", 9_999)];
        let delays = Delays::new(rules.map(rule).to_vec());
        let of = |subject: &str| delays.ms(&Subject::parse(subject).unwrap());
        assert_eq!((of("match/m1"), of("match/m1/1"), of("match/m1/2")), (90_000, 90_000, 7_000));
        assert_eq!((of("match/show/1"), of("match/show/2"), of("player/p1")), (0, 0, 0));
        assert_eq!((of("room/r"), delays.longest()), (3_600_000, MAX_DELAY));
    }
}
