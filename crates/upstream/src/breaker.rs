//! When an upstream that failed is tried again.
//!
//! ```text
//!          ok                      ok                          ok
//!  closed ◄────┐        closed ◄────────┐           closed ◄──────────┐
//!    │ fails   │                        │                              │
//!    ▼         │  fails, 5 in a row     │   wait over                  │
//!  failing ────┴──────────────────► open ────────────► half-open ──────┤
//!    ▲ │ wait doubles               ▲ wait doubles        │ fails      │
//!    └─┘                            └─────────────────────┘
//! ```

use std::time::Duration;

/// After so many failures in a row it is left alone for a while.
pub(crate) const OPEN_AFTER: u32 = 5;
/// The longest wait before that.
const MAX_RETRY: Duration = Duration::from_secs(30);
/// The longest time that it is left alone, but for one that is set to be longer.
const MAX_COOLDOWN: Duration = Duration::from_mins(5);

/// Counts failures, and says how long to wait.
///
/// A wait is drawn from the upper half of what it may be at most, so that several who failed at one
/// moment do not come back at one moment.
#[derive(Debug, Clone)]
pub struct Breaker {
    retry: Duration,
    cooldown: Duration,
    failures: u32,
}

impl Breaker {
    /// A breaker whose first wait is `retry`, and which is open for `cooldown` at first.
    pub fn new(retry: Duration, cooldown: Duration) -> Self {
        Self { retry, cooldown, failures: 0 }
    }

    /// It went well.
    pub fn succeed(&mut self) {
        self.failures = 0;
    }

    /// It failed, and will again if it is soon tried, or not. Answers how long to wait; `draw` is
    /// from 0 to 1.
    pub fn fail(&mut self, is_hopeless: bool, draw: f64) -> Duration {
        self.failures = self.failures.saturating_add(1);
        if is_hopeless {
            self.failures = self.failures.max(OPEN_AFTER);
        }
        let (first, doublings, most) = match self.failures.checked_sub(OPEN_AFTER) {
            Some(tries) => (self.cooldown, tries, MAX_COOLDOWN.max(self.cooldown)),
            None => (self.retry, self.failures - 1, MAX_RETRY.max(self.retry)),
        };
        let longest = first.saturating_mul(1 << doublings.min(16)).min(most);
        longest.mul_f64(0.5 + draw.clamp(0.0, 1.0) / 2.0)
    }

    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether it is left alone for a while.
    pub fn is_open(&self) -> bool {
        self.failures >= OPEN_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_until_it_opens() {
        let s = Duration::from_secs;
        let mut breaker = Breaker::new(s(1), s(60));
        let waits: Vec<u64> = (0..9).map(|_| breaker.fail(false, 1.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 60, 120, 240, 300, 300]);
        assert!(breaker.is_open() && breaker.failures() == 9);
        breaker.succeed();
        assert!(!breaker.is_open());
        assert_eq!(breaker.fail(false, 0.0), Duration::from_millis(500));
        assert_eq!(breaker.fail(true, 1.0), s(60));
        assert!(breaker.is_open());
    }

    #[test]
    fn waits_are_bounded() {
        for (retry, cooldown) in [(1, 1), (3_600, 3_600)] {
            let mut breaker =
                Breaker::new(Duration::from_secs(retry), Duration::from_secs(cooldown));
            for _ in 0..10_000 {
                let wait = breaker.fail(false, 0.3);
                assert!(wait >= Duration::from_millis(500) && wait <= Duration::from_hours(1));
            }
        }
        let mut breaker = Breaker { failures: u32::MAX, ..Breaker::new(MAX_RETRY, MAX_RETRY) };
        assert!(breaker.fail(false, 1.0) <= MAX_COOLDOWN);
    }
}
