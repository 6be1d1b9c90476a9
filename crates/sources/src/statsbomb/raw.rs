//! What of StatsBomb's JSON is looked at. Everything is optional: what is missing is not told.

use matchwire_domain::live_match::football::{Clock, Period};
use serde::{Deserialize, Deserializer};

/// A thing with an id and a name.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Named {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) id: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name: Option<String>,
}

/// An event.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) index: Option<u64>,
    #[serde(rename = "type")]
    pub(super) kind: Named,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) period: Option<u8>,
    /// Since the period began, `00:47:11.104`.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) timestamp: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) minute: Option<u32>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) second: Option<u32>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) possession: Option<u32>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) possession_team: Option<Named>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) team: Option<Named>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) player: Option<Named>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) tactics: Option<Tactics>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) shot: Option<Shot>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) pass: Option<Pass>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) foul_committed: Option<Carded>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) bad_behaviour: Option<Carded>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) substitution: Option<Substitution>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Tactics {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) formation: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) lineup: Option<Vec<Row>>,
}

/// A player of a starting eleven or of a shift.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Row {
    pub(super) player: Named,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) position: Option<Named>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) jersey_number: Option<u16>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Shot {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) statsbomb_xg: Option<f64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) outcome: Option<Named>,
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub(super) kind: Option<Named>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) body_part: Option<Named>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Pass {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) goal_assist: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) assisted_shot_id: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Carded {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) card: Option<Named>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Substitution {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) outcome: Option<Named>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) replacement: Option<Named>,
}

/// A team of a line-up file.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Squad {
    pub(super) team_id: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) team_name: Option<String>,
    pub(super) lineup: Vec<Member>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Member {
    pub(super) player_id: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) player_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) jersey_number: Option<u16>,
}

/// What does not have the shape that is looked for is not there; the rest of an event stands.
fn lenient<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Ok(T::deserialize(serde_json::Value::deserialize(from)?).ok())
}

impl Named {
    /// The name, or nothing.
    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }
}

impl Event {
    /// The period that it is in.
    pub(super) fn period(&self) -> Option<Period> {
        Period::ALL.get(usize::from(self.period?.checked_sub(1)?)).copied()
    }

    /// The clock by period and timestamp; by minute and second, where there is no timestamp.
    pub(super) fn clock(&self) -> Option<Clock> {
        let period = self.period()?;
        let told = self.timestamp.as_deref().and_then(milliseconds);
        let counted = || {
            let begins = u32::from(period.begins_at_min());
            let minutes = self.minute?.checked_sub(begins)?;
            minutes.checked_mul(60)?.checked_add(self.second?)?.checked_mul(1_000)
        };
        Some(Clock { period, elapsed_ms: told.or_else(counted)? })
    }
}

/// Milliseconds of `00:47:11.104`; what follows the third decimal is dropped.
fn milliseconds(text: &str) -> Option<u32> {
    let mut parts = text.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|_| is_number)
    };
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let thousandths = number(&format!("{:0<3}", fraction.get(..3).unwrap_or(fraction)))?;
    let minutes = number(hours)?.checked_mul(60)?.checked_add(number(minutes)?)?;
    let seconds = minutes.checked_mul(60)?.checked_add(number(seconds)?)?;
    seconds.checked_mul(1_000)?.checked_add(thousandths)
}

/// Milliseconds from the kick-off to a moment, with half-times of the usual length.
///
/// The data has no time of day. It is taken that the second half begins 65 minutes after the first
/// one (45, some added, and 15 of half-time, Law 7), extra time 55 minutes later, its second half 18
/// minutes after that, and the kicks 22 later.
pub(super) fn since_kick_off_ms(clock: Clock) -> i64 {
    let begins_min = match clock.period {
        Period::FirstHalf => 0,
        Period::SecondHalf => 65,
        Period::ExtraTimeFirst => 120,
        Period::ExtraTimeSecond => 138,
        Period::ShootOut => 160,
    };
    begins_min * 60_000 + i64::from(clock.elapsed_ms)
}

/// When an event of StatsBomb's happened, in milliseconds from about the kick-off; `None` of what is
/// no event or does not say.
pub fn event_time_ms(event: &serde_json::Value) -> Option<i64> {
    Event::deserialize(event).ok()?.clock().map(since_kick_off_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps() {
        assert_eq!(milliseconds("00:47:11.104"), Some(2_831_104));
        assert_eq!(milliseconds("01:00:00"), Some(3_600_000));
        assert_eq!(milliseconds("00:00:01.1045"), Some(1_104));
        assert_eq!(milliseconds("00:00:01.1"), Some(1_100));
        let bad = [
            "",
            "00:00",
            "00:00:-1",
            "00:00:01.é",
            "a:b:c",
            "9999999:00:00",
            "00:00:00:00",
            "::",
            "+1:00:00",
        ];
        for bad in bad {
            assert_eq!(milliseconds(bad), None, "{bad}");
        }
    }
}
