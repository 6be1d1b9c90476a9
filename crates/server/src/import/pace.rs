//! How fast an import goes: as fast as it is told to, and slower while the server is slower than at its beginning.
//!
//! The time of a batch, from when it is sent until it is acknowledged, is compared with what is usual: the median of
//! the first eight that brought something new. While the median of the last four is more than twice that,
//! the pause before each batch doubles, from 50 ms to 5 s; while it is not, it loses a quarter. So an
//! import gives way within a few batches, and takes the room again by and by.

use std::{collections::VecDeque, time::Duration};

/// How many batches tell what is usual.
const FIRST: usize = 8;
/// How many batches tell how it is now.
const LAST: usize = 4;
/// How many times as long as usual is too long.
const TOO_LONG: u32 = 2;
/// What a batch may take in any case: less is not worth giving way for.
const FREE: Duration = Duration::from_millis(20);
/// The shortest pause, and the longest.
const MIN_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// The pace of an import.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// The most events in a second, if that is bounded.
    per_second: Option<u32>,
    first: Vec<Duration>,
    last: VecDeque<Duration>,
    pause: Duration,
}

impl Pace {
    /// As fast as so many events in a second, or as the server takes them.
    pub(super) fn new(per_second: Option<u32>) -> Self {
        Self { per_second, ..Self::default() }
    }

    /// Whether it gives way.
    pub(super) fn is_slowed(&self) -> bool {
        !self.pause.is_zero()
    }

    /// A batch of so many events took so long; says how long to wait before the next one. One that brought nothing
    /// new tells nothing of the server.
    pub(super) fn after(&mut self, took: Duration, events: usize, is_new: bool) -> Duration {
        if is_new {
            self.note(took);
        }
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        let due = self.per_second.map_or(Duration::ZERO, |rate| {
            Duration::from_secs_f64(f64::from(events) / f64::from(rate.max(1)))
        });
        self.pause.max(due.saturating_sub(took))
    }

    fn note(&mut self, took: Duration) {
        if self.first.len() < FIRST {
            self.first.push(took);
            return;
        }
        self.last.push_back(took);
        if self.last.len() > LAST {
            self.last.pop_front();
        }
        let usual = median(self.first.iter());
        let bound = (usual * TOO_LONG).max(FREE);
        if self.last.len() == LAST && median(self.last.iter()) > bound {
            self.pause = (self.pause * 2).clamp(MIN_PAUSE, MAX_PAUSE);
        } else {
            self.pause = self.pause * 3 / 4;
            if self.pause < MIN_PAUSE / 4 {
                self.pause = Duration::ZERO;
            }
        }
    }
}

/// The middle one, of an even number the higher of the two.
fn median<'a>(times: impl Iterator<Item = &'a Duration>) -> Duration {
    let mut times: Vec<Duration> = times.copied().collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// The pauses after batches that took so long.
    fn pauses(pace: &mut Pace, times: &[u64]) -> Vec<u128> {
        times.iter().map(|took| pace.after(ms(*took), 500, true).as_millis()).collect()
    }

    #[test]
    fn it_gives_way_to_a_slow_server_and_takes_the_room_again() {
        let mut pace = Pace::new(None);
        assert_eq!(pauses(&mut pace, &[30; 12]), [0; 12]);
        // One slow batch is no slow server.
        assert_eq!(pauses(&mut pace, &[500, 30, 30, 30]), [0; 4]);
        assert_eq!(pauses(&mut pace, &[90; 2]), [0, 50]);
        assert_eq!(pauses(&mut pace, &[90; 8]), [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert!(pace.is_slowed());
        assert_eq!(pauses(&mut pace, &[30; 4]), [5_000, 5_000, 3_750, 2_812]);
        pauses(&mut pace, &[30; 30]);
        assert!(!pace.is_slowed());
    }

    #[test]
    fn what_is_fast_in_any_case_is_not_slowed() {
        let mut pace = Pace::new(None);
        pauses(&mut pace, &[2; 8]);
        assert_eq!(pauses(&mut pace, &[19; 20]), [0; 20]);
    }

    #[test]
    fn it_keeps_to_a_rate_and_does_not_wait_for_what_was_there() {
        let mut pace = Pace::new(Some(1_000));
        assert_eq!(pauses(&mut pace, &[100, 500, 700]), [400, 0, 0]);
        let mut pace = Pace::new(None);
        assert_eq!(pace.after(ms(900), 500, false), Duration::ZERO);
        assert_eq!(pauses(&mut pace, &[30; 20]), [0; 20]);
    }
}
