//! The clock that gives `recordedtime`.

use std::{
    pin::Pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use matchwire_domain::timestamp::Timestamp;
use tokio::sync::watch;

/// After so long, whoever waits for a time looks at the clock again: it may have been set.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// Tells the time. It may jump in any direction; the log keeps `recordedtime` from going back.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Waits until a time has come. A clock that is set forward meanwhile is seen within a minute.
    fn until(&self, time: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            loop {
                let left = time.ms().saturating_sub(self.now().ms());
                let Some(left) = u64::try_from(left).ok().filter(|left| *left > 0) else { return };
                tokio::time::sleep(Duration::from_millis(left).min(LOOK_AGAIN)).await;
            }
        })
    }
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let ms = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        };
        Timestamp::from_ms(ms)
    }
}

/// A clock that stands still until it is set, for tests and simulation.
#[derive(Debug, Default)]
pub struct ManualClock(watch::Sender<i64>);

impl ManualClock {
    /// A clock that shows `ms` milliseconds since 1970.
    pub fn new(ms: i64) -> Self {
        Self(watch::Sender::new(ms))
    }

    /// Sets the clock, forward or back.
    pub fn set(&self, ms: i64) {
        self.0.send_replace(ms);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(*self.0.borrow())
    }

    fn until(&self, time: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut shown = self.0.subscribe();
        Box::pin(async move {
            // The clock lives for as long as it is waited for.
            let _ = shown.wait_for(|ms| *ms >= time.ms()).await;
        })
    }
}
