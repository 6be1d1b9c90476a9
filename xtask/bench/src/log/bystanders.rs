//! What everybody else does on this machine while something is measured: figures that were taken next
//! to a compiler are not those of the contestants. What follows from it is up to the tables.

use std::{fs, time::Instant};

/// A moment from which on the processor time of others is counted.
pub(super) struct Since {
    moment: Instant,
    ticks: Option<u64>,
}

impl Since {
    pub(super) fn now() -> Self {
        Self { moment: Instant::now(), ticks: others_ticks() }
    }

    /// How many cores others have used since, on average: every process but this one and those that
    /// it started and saw end, and the kernel for itself. Nothing where that cannot be told.
    pub(super) fn cores(&self) -> Option<f64> {
        let ticks = others_ticks()?.saturating_sub(self.ticks?);
        #[allow(clippy::cast_precision_loss, reason = "ticks are far below 2^52")]
        let seconds = ticks as f64 / 100.0;
        Some(seconds / self.moment.elapsed().as_secs_f64())
    }
}

/// The processor time of others since the machine was started, in ticks of 1/100 s.
fn others_ticks() -> Option<u64> {
    let all = fs::read_to_string("/proc/stat").ok()?;
    let own = fs::read_to_string("/proc/self/stat").ok()?;
    // After the program's name: user and system, of this process and of its children.
    let (_, own) = own.rsplit_once(')')?;
    let own: u64 =
        own.split_whitespace().skip(11).take(4).filter_map(|text| text.parse::<u64>().ok()).sum();
    Some(busy(&all)?.saturating_sub(own))
}

/// The time of all processors that was neither idle nor waiting for a disk; also what the machine
/// underneath took away.
fn busy(stat: &str) -> Option<u64> {
    let ticks = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let ticks = ticks.take(8).map(|text| text.parse::<u64>().ok());
    let ticks: Vec<u64> = ticks.collect::<Option<_>>()?;
    let idle: u64 = ticks.iter().skip(3).take(2).sum();
    Some(ticks.iter().sum::<u64>() - idle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_idle_is_not_busy() {
        assert_eq!(busy("cpu  10 20 30 4000 500 6 7 8 9 10\ncpu0 1 2 3\n"), Some(81));
        assert_eq!(busy("intr 1"), None);
    }
}
