//! When those whose connections the server ends are to come back: spread over some time, so that they
//! do not come all at once.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use crate::limits::Limits;

/// The least time over which they are spread.
const LEAST: Duration = Duration::from_secs(1);

/// Gives out times to come back.
#[derive(Debug, Default)]
pub(crate) struct Comeback(AtomicU32);

impl Comeback {
    /// When the next one is to come: all that there may be are spread evenly over twice the time that it
    /// takes to accept them.
    pub(crate) fn next(&self, limits: &Limits) -> Duration {
        let connections = u32::try_from(limits.connections).unwrap_or(u32::MAX);
        let spread = LEAST.max(Duration::from_secs(2) * connections / limits.accepts.max(1));
        // The fractional parts of multiples of the golden ratio: however many, they lie evenly.
        let nth = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9);
        spread.mul_f64(f64::from(nth) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_come_evenly() {
        let limits = Limits { connections: 10_000, accepts: 1_000, ..Limits::default() };
        let comeback = Comeback::default();
        let mut in_second = [0; 20];
        for _ in 0..1_000 {
            let second = comeback.next(&limits).as_secs();
            in_second[usize::try_from(second).unwrap().min(19)] += 1;
        }
        assert!(in_second.iter().all(|count| (48..=52).contains(count)), "{in_second:?}");
    }
}
