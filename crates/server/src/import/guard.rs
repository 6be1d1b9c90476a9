//! What keeps an import from starting at a bad time.

use std::{str::FromStr, time::Duration};

use anyhow::{Context as _, bail};
use chrono::{Local, Timelike as _};
use matchwire_client::Client;
use tokio::time::Instant;

use crate::cli::Import;

/// For how long requests are counted.
const WINDOW: Duration = Duration::from_secs(1);
/// The counter of requests among the server's metrics.
const REQUESTS: &str = "matchwire_http_requests_total ";

/// Hours of the day, from the first to before the second; over midnight if the second is lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hours(Option<(u32, u32)>);

impl Hours {
    /// Whether an hour, 0 to 23, is one of them.
    fn contains(self, hour: u32) -> bool {
        match self.0 {
            None => false,
            Some((from, to)) if from < to => (from..to).contains(&hour),
            Some((from, to)) => hour >= from || hour < to,
        }
    }
}

impl FromStr for Hours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(None));
        }
        let hour = |text: &str, max: u32| {
            let digits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|hour| digits && *hour <= max)
        };
        let told = text.split_once('-').and_then(|(from, to)| hour(from, 23).zip(hour(to, 24)));
        told.filter(|(from, to)| from != to)
            .map(|told| Self(Some(told)))
            .ok_or_else(|| format!("{text:?} must be two hours, as in 06-23, or none"))
    }
}

/// Refuses, unless that was forced, by day and while the server has much to do.
pub(super) async fn check(args: &Import, client: &Client) -> anyhow::Result<()> {
    if args.force {
        return Ok(());
    }
    check_hour(args.hours, Local::now().hour())?;
    let before = requests(client).await?;
    let begun = Instant::now();
    tokio::time::sleep(WINDOW).await;
    let after = requests(client).await?;
    // The second question is a request as well.
    let others = (after - before - 1.0).max(0.0);
    check_rate(others / begun.elapsed().as_secs_f64(), args.max_rps)
}

fn check_hour(hours: Hours, hour: u32) -> anyhow::Result<()> {
    let (true, Some((from, to))) = (hours.contains(hour), hours.0) else { return Ok(()) };
    bail!(
        "no import starts from {from:02} to {to:02} h, and it is {hour:02} h here; --hours sets other hours, and \
         --force does not look at them"
    )
}

fn check_rate(per_second: f64, max_rps: u32) -> anyhow::Result<()> {
    if per_second <= f64::from(max_rps) {
        return Ok(());
    }
    bail!(
        "the server has {per_second:.0} requests/s, and no import starts above {max_rps}; --max-rps sets \
         another bound, and --force does not look at it"
    )
}

async fn requests(client: &Client) -> anyhow::Result<f64> {
    let text = client.metrics().await.context("how much the server has to do cannot be asked")?;
    counter(&text).with_context(|| {
        format!("the server's metrics have no {}; --force does not look at them", REQUESTS.trim())
    })
}

fn counter(metrics: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(REQUESTS)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(text: &str) -> Vec<u32> {
        let hours: Hours = text.parse().unwrap();
        (0..24).filter(|hour| hours.contains(*hour)).collect()
    }

    #[test]
    fn hours_at_which_nothing_starts() {
        assert_eq!(hours("06-23"), (6..23).collect::<Vec<_>>());
        assert_eq!(hours("22-2"), [0, 1, 22, 23]);
        assert_eq!(hours("0-24"), (0..24).collect::<Vec<_>>());
        assert_eq!(hours("none"), [0_u32; 0]);
        for bad in ["", "6", "6-", "6-25", "24-6", "7-7", "-1-3", "006-7", "6-7-8", "+6-7"] {
            let error = bad.parse::<Hours>().unwrap_err();
            assert!(error.contains("as in 06-23"), "{error}");
        }
        let error = check_hour("06-23".parse().unwrap(), 7).unwrap_err().to_string();
        assert!(
            error.starts_with("no import starts from 06 to 23 h, and it is 07 h here"),
            "{error}"
        );
        assert!(check_hour("06-23".parse().unwrap(), 23).is_ok());
    }

    #[test]
    fn requests_above_which_nothing_starts() {
        assert!(check_rate(50.0, 50).is_ok());
        let error = check_rate(72.4, 50).unwrap_err().to_string();
        assert!(error.starts_with("the server has 72 requests/s"), "{error}");
        let metrics = "# TYPE x counter\nmatchwire_http_requests_total 17\nother 2\n";
        assert_eq!(counter(metrics), Some(17.0));
        assert_eq!(counter("matchwire_http_requests_total_of 17\n"), None);
    }
}
