//! How long events are kept, by the subject of their stream.

use std::{fmt, str::FromStr, time::Duration};

use matchwire_domain::{
    subject::{Pattern, PatternError, Subject},
    timestamp::Timestamp,
};

/// The shortest age that can be asked for: less would remove what is still delivered.
const MIN_AGE: Duration = Duration::from_mins(1);
/// The longest one; whoever wants more keeps events for ever.
const MAX_AGE: Duration = Duration::from_hours(24 * 365 * 1_000);
/// What keeps events for ever.
const FOREVER: &str = "forever";

/// The rules of a log, of which the first one that matches a stream counts. A stream that none
/// matches is kept for ever.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    rules: Vec<Rule>,
}

/// How long the events of some streams are kept: `room/*=90d`, or `room/staff=forever`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The streams.
    pub pattern: Pattern,
    /// How long after `recordedtime` an event is kept; nothing is for ever.
    pub age: Option<Duration>,
}

/// Why a text is not a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It does not have a pattern and an age.
    #[error("{0:?} must be PATTERN=AGE, as in room/*=90d")]
    Form(String),
    /// The pattern is none.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The age is none, or out of bounds.
    #[error("age {0:?} must be at least 1m and at most 1000 years, like 90d or 12h, or {FOREVER}")]
    Age(String),
}

impl Retention {
    /// These rules.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules }
    }

    /// The rules, in the order in which they count.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// How long the events of a stream are kept; nothing is for ever.
    pub fn age(&self, subject: &Subject) -> Option<Duration> {
        self.rules.iter().find(|rule| rule.pattern.matches(subject))?.age
    }

    /// The shortest age of all rules; nothing if everything is kept for ever.
    pub(crate) fn shortest(&self) -> Option<Duration> {
        self.rules.iter().filter_map(|rule| rule.age).min()
    }
}

/// When an event has to be removed at the latest: an eighth of its age late, so that a file is not
/// written again for each of its events.
pub(crate) fn due(recorded: Timestamp, age: Duration) -> Timestamp {
    later(recorded, age.saturating_add(age / 8))
}

/// A time and so long after it.
pub(crate) fn later(time: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_ms(time.ms().saturating_add(ms(by)))
}

/// So long before a time.
pub(crate) fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_ms(time.ms().saturating_sub(ms(by)))
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (pattern, age) =
            text.split_once('=').ok_or_else(|| RuleError::Form(text.chars().take(80).collect()))?;
        Ok(Self { pattern: pattern.parse()?, age: parse_age(age)? })
    }
}

/// Reads an age, `90d`; `forever` is nothing.
fn parse_age(text: &str) -> Result<Option<Duration>, RuleError> {
    if text == FOREVER {
        return Ok(None);
    }
    let age = humantime::parse_duration(text).ok();
    let age = age.filter(|age| (MIN_AGE..=MAX_AGE).contains(age));
    age.map(Some).ok_or_else(|| RuleError::Age(text.chars().take(80).collect()))
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.pattern)?;
        match self.age {
            Some(age) => {
                let seconds = age.as_secs();
                let units = [(24 * 3_600, "d"), (3_600, "h"), (60, "m")];
                let whole = units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
                let (unit, name) = whole.unwrap_or((1, "s"));
                write!(f, "{}{name}", seconds / unit)
            }
            None => f.write_str(FOREVER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_matches_counts() {
        let rules = ["room/staff=forever", "room/**=90d", "match/*/*=1y", "**=2h 30m"];
        let retention = Retention::new(rules.iter().map(|rule| rule.parse().unwrap()).collect());
        let check = |subject: &str, hours: Option<u64>| {
            let age = retention.age(&Subject::parse(subject).unwrap());
            assert_eq!(age.map(|age| age.as_secs() / 60), hours, "{subject}");
        };
        check("room/staff", None);
        check("room/r/eu", Some(90 * 24 * 60));
        check("match/m1/1", Some(525_960));
        check("match/m1", Some(150));
        check("source/cs-log/m1/1", None);
        assert_eq!(retention.shortest(), Some(Duration::from_mins(150)));
        assert_eq!(retention.rules()[1].to_string(), "room/**=90d");
        assert_eq!(retention.rules()[0].to_string(), "room/staff=forever");
    }

    #[test]
    fn what_is_no_rule() {
        for bad in
            ["", "room/*", "room/*=", "=90d", "room/*=90", "room/*=1s", "room/*=2000y", "a b=1d"]
        {
            assert!(bad.parse::<Rule>().is_err(), "{bad}");
        }
    }
}
