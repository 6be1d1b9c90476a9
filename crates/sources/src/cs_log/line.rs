//! One line: its time and its text.

use matchwire_domain::timestamp::Timestamp;
use time::{Date, Month, Time};

/// The longest line that is read; a longer one is unknown. (The game cuts its own at 1 KiB or so.)
pub(super) const MAX_BYTES: usize = 4_096;

/// A line without its ending.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line<'a> {
    /// When it was written, in the server's clock, taken as UTC.
    pub(super) time: Timestamp,
    /// What follows the time.
    pub(super) text: &'a str,
}

/// Reads `L 01/19/2026 - 18:55:38: text`; the `L ` may be missing, the seconds may have a fraction,
/// and the text may follow ` - ` as CS2 posts it.
pub(super) fn split(line: &str) -> Option<Line<'_>> {
    let line = line.trim_end_matches(['\r', '\n']);
    if line.len() > MAX_BYTES {
        return None;
    }
    let line = line.strip_prefix("L ").unwrap_or(line);
    let (date, rest) = line.split_at_checked(10)?;
    let (clock, rest) = rest.strip_prefix(" - ")?.split_at_checked(8)?;
    let (ms, rest) = match rest.strip_prefix('.') {
        Some(fraction) => {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, rest) = fraction.split_at_checked(digits)?;
            (format!("{digits:0<3}").get(..3)?.parse().ok()?, rest)
        }
        None => (0, rest),
    };
    let text = rest.strip_prefix(": ").or(rest.strip_prefix(" - "))?;
    let [month, day, year] = numbers(date, '/')?;
    let [hour, minute, second] = numbers(clock, ':')?;
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()?;
    let [hour, minute, second] = [hour, minute, second].map(|n| u8::try_from(n).unwrap_or(u8::MAX));
    let time = Time::from_hms_milli(hour, minute, second, ms).ok()?;
    let moment = date.with_time(time).assume_utc().unix_timestamp_nanos() / 1_000_000;
    Some(Line { time: Timestamp::from_ms(i64::try_from(moment).ok()?), text })
}

/// When a line was written, by the server's clock taken as UTC; `None` if it is no log line.
pub fn line_time(line: &str) -> Option<Timestamp> {
    split(line).map(|line| line.time)
}

/// Three numbers of digits alone.
fn numbers(text: &str, separator: char) -> Option<[u16; 3]> {
    if !text.bytes().all(|b| b.is_ascii_digit() || b == separator as u8) {
        return None;
    }
    let mut parts = text.split(separator).map(|part| part.parse().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}
