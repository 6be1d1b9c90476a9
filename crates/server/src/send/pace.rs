//! The speed of a recording.

use std::time::Duration;

use tokio::time::Instant;

/// The longest pause of a recording that is waited out, in its own time: a gap in the clock is
/// not worth an hour.
const MAX_PAUSE_MS: i64 = 10 * 60 * 1_000;

/// Holds a recording to a multiple of its own speed.
pub(super) struct Pace {
    speed: f64,
    going: bool,
    last_ms: Option<i64>,
    due: Instant,
}

impl Pace {
    /// At so many times the recorded speed; 0 is without waiting.
    pub(super) fn new(speed: f64) -> Self {
        Self { speed, going: false, last_ms: None, due: Instant::now() }
    }

    /// Waits until what happened at a time is due.
    pub(super) async fn wait(&mut self, time_ms: Option<i64>) {
        let Some(time_ms) = time_ms.filter(|_| self.speed > 0.0) else { return };
        let passed_ms = time_ms - self.last_ms.unwrap_or(time_ms);
        self.last_ms = Some(time_ms);
        if !self.going {
            self.due = Instant::now();
            return;
        }
        let pause = Duration::from_millis(passed_ms.clamp(0, MAX_PAUSE_MS).unsigned_abs());
        self.due += pause.div_f64(self.speed);
        tokio::time::sleep_until(self.due).await;
    }

    /// Whether the recording is beyond what the server knew already.
    pub(super) fn go(&mut self, going: bool) {
        self.going |= going;
    }
}
