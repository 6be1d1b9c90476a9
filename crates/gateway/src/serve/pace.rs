//! How quickly connections are accepted: whoever comes above that rate waits in the system's queue.

use tokio::time::{self, Duration, Instant};

/// How far connections may come before their time, one close behind the other.
const BURST: Duration = Duration::from_millis(100);

/// The pace of a rate.
pub(super) struct Pace {
    every: Duration,
    /// When the next one is due.
    next: Instant,
}

impl Pace {
    /// So many in a second, which is at least one.
    pub(super) fn of(in_a_second: u32) -> Self {
        Self { every: Duration::from_secs(1) / in_a_second.max(1), next: Instant::now() }
    }

    /// Waits until it is somebody's turn. Nothing is used up before it returns.
    pub(super) async fn turn(&mut self) {
        time::sleep_until(self.next.checked_sub(BURST).unwrap_or(self.next)).await;
        self.next = self.next.max(Instant::now()) + self.every;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept_after_a_burst() {
        let (mut pace, begun) = (Pace::of(100), Instant::now());
        for _ in 0..1_010 {
            pace.turn().await;
        }
        assert!(
            (Duration::from_millis(9_980)..=Duration::from_secs(10)).contains(&begun.elapsed())
        );
        // Time in which nobody came is not saved up.
        time::advance(Duration::from_mins(1)).await;
        let begun = Instant::now();
        for _ in 0..110 {
            pace.turn().await;
        }
        assert!(begun.elapsed() > Duration::from_millis(950), "{:?}", begun.elapsed());
    }
}
