//! Percentiles of the last minute, in a fixed amount of memory.
//!
//! Time is cut into slots; the oldest is emptied for the newest. A value falls into one of eight
//! buckets for each power of two of microseconds, so a percentile is right to within 9 per cent.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::{Value, json};

/// How many slots there are.
const SLOTS: usize = 6;
/// How long a slot lasts, in seconds: all together, a minute.
const SLOT_S: u64 = 10;
/// Buckets for each power of two.
const STEPS: u32 = 8;
/// Powers of two: up to 2^27 µs, which is more than two minutes.
const OCTAVES: u32 = 27;
const BUCKETS: usize = (STEPS * (OCTAVES + 1)) as usize;

/// Durations of the last minute.
pub(crate) struct Rolling {
    begun: Instant,
    slots: Mutex<[Slot; SLOTS]>,
}

#[derive(Clone, Copy)]
struct Slot {
    /// Which slot since the beginning this is.
    number: u64,
    counts: [u32; BUCKETS],
}

impl Default for Rolling {
    fn default() -> Self {
        let empty = Slot { number: 0, counts: [0; BUCKETS] };
        Self { begun: Instant::now(), slots: Mutex::new([empty; SLOTS]) }
    }
}

impl Rolling {
    pub(crate) fn record(&self, took: Duration) {
        self.record_at(self.begun.elapsed(), took);
    }

    /// Count and percentiles, in milliseconds, as the status shows them.
    pub(crate) fn summary(&self) -> Value {
        self.summary_at(self.begun.elapsed())
    }

    fn record_at(&self, at: Duration, took: Duration) {
        let number = at.as_secs() / SLOT_S;
        let mut slots = self.slots.lock();
        let index = usize::try_from(number).unwrap_or(0) % SLOTS;
        let Some(slot) = slots.get_mut(index) else { return };
        if slot.number != number {
            *slot = Slot { number, counts: [0; BUCKETS] };
        }
        if let Some(count) = slot.counts.get_mut(bucket(took)) {
            *count = count.saturating_add(1);
        }
    }

    fn summary_at(&self, at: Duration) -> Value {
        let number = at.as_secs() / SLOT_S;
        let mut counts = [0_u64; BUCKETS];
        for slot in self.slots.lock().iter() {
            if slot.number + SLOTS as u64 > number {
                for (sum, count) in counts.iter_mut().zip(slot.counts) {
                    *sum += u64::from(count);
                }
            }
        }
        let count: u64 = counts.iter().sum();
        let percentile = |percent: u64| {
            let mut left = (count * percent).div_ceil(100);
            let is_it = |n: &u64| {
                left = left.saturating_sub(*n);
                left == 0
            };
            upper_ms(counts.iter().position(is_it).unwrap_or(0))
        };
        if count == 0 {
            return json!({"count": 0});
        }
        json!({
            "count": count,
            "p50_ms": percentile(50),
            "p95_ms": percentile(95),
            "p99_ms": percentile(99),
        })
    }
}

fn bucket(took: Duration) -> usize {
    let us = u32::try_from(took.as_micros()).unwrap_or(u32::MAX).clamp(STEPS, (1 << OCTAVES) - 1);
    let octave = us.ilog2();
    let step = (us >> (octave - STEPS.ilog2())) & (STEPS - 1);
    (octave * STEPS + step) as usize
}

/// The upper end of a bucket, in milliseconds.
fn upper_ms(bucket: usize) -> f64 {
    let bucket = u32::try_from(bucket).unwrap_or(0);
    let (octave, step) = (bucket / STEPS, bucket % STEPS);
    let us = f64::from(1_u32 << octave) * f64::from(STEPS + step + 1) / f64::from(STEPS);
    (us / 1_000.0 * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_within_a_step() {
        let rolling = Rolling::default();
        let at = Duration::from_secs(1);
        for ms in 1..=100 {
            rolling.record_at(at, Duration::from_millis(ms));
        }
        let summary = rolling.summary_at(at);
        assert_eq!(summary["count"], 100);
        for (name, want) in [("p50_ms", 50.0), ("p95_ms", 95.0), ("p99_ms", 99.0)] {
            let value = summary[name].as_f64().unwrap();
            assert!((want..want * 1.13).contains(&value), "{name} is {value}");
        }
    }

    #[test]
    fn what_is_older_than_a_minute_is_forgotten() {
        let rolling = Rolling::default();
        rolling.record_at(Duration::from_secs(1), Duration::from_secs(1));
        let count = |s| rolling.summary_at(Duration::from_secs(s))["count"].clone();
        assert_eq!(count(55), 1);
        assert_eq!(count(65), 0);
        rolling.record_at(Duration::from_secs(61), Duration::MAX);
        assert_eq!(count(65), 1);
    }
}
