//! The machine's clock, held against the log: `recordedtime` never goes back, so a clock that is
//! behind gives every event the same time until it has caught up.

use std::time::Duration;

use anyhow::bail;
use matchwire_domain::timestamp::Timestamp;
use matchwire_log::Log;
use tokio::time;

use crate::ask::{asked, is_somebody_there};

/// A log that is further in the future than this is not taken without a word, in milliseconds.
const FUTURE_MS: i64 = 3_600_000;
/// A clock that is further behind than this is told of, in milliseconds.
const BEHIND_MS: u64 = 5_000;
/// How often it is looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// Asks before a log is served whose newest event is from the future. On a terminal it waits for an
/// answer; elsewhere it is an error, unless that was accepted.
pub(crate) fn check(recorded: Timestamp, now: Timestamp, is_accepted: bool) -> anyhow::Result<()> {
    if is_accepted || recorded.ms() <= now.ms().saturating_add(FUTURE_MS) {
        return Ok(());
    }
    let what = format!(
        "the newest event in the log is from {recorded}, and the clock of this machine says {now}: \
         until it has caught up, every new event would get that same time"
    );
    if is_somebody_there() && asked(&format!("{what}. Start nevertheless?"))? {
        return Ok(());
    }
    bail!(
        "{what}. If the clock is wrong, set it right and start again; if the log is, start with \
         --accept-clock (or MATCHWIRE_ACCEPT_CLOCK=true)"
    )
}

/// Warns when the clock gets behind the log, once each time.
pub(crate) async fn watch(log: Log) {
    let mut is_behind = false;
    let mut period = time::interval(PERIOD);
    period.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        let behind_ms = log.stats().clock_behind_ms;
        if is_behind != (behind_ms > BEHIND_MS) {
            is_behind = !is_behind;
            if is_behind {
                tracing::warn!(
                    behind_ms,
                    "the clock is behind the log; new events get its last time"
                );
            } else {
                tracing::info!("the clock has caught up with the log");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_from_the_future_is_not_taken_without_a_word() {
        let now = Timestamp::from_ms(1_700_000_000_000);
        let in_future = |ms| Timestamp::from_ms(now.ms() + ms);
        for fine in [-FUTURE_MS, 0, FUTURE_MS] {
            assert!(check(in_future(fine), now, false).is_ok());
        }
        assert!(check(in_future(FUTURE_MS + 1), now, true).is_ok());
    }
}
