//! Measures how long things wait, and has the controller decide.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use matchwire_log::Stats;
use rustix::time::{ClockId, clock_gettime};
use tokio::{task, time};

use super::control::{Controller, Measured};
use crate::app::{App, going_away};

/// How often it is measured: often enough for the controller's interval of 100 ms.
const TICK: Duration = Duration::from_millis(25);
/// Who waits for a thread while this process has used less than this share of the processors it may
/// use waits for other processes, and would as long if less were let through.
const BUSY: f64 = 0.3;
/// Over how long that share is averaged.
const BUSY_OVER: Duration = Duration::from_millis(200);
/// At every how manieth measurement all followed folds are asked, which takes longer.
const FOLDS_EVERY: u32 = 4;

/// Runs until the server is going away.
pub(crate) async fn watch(app: Arc<App>) {
    let mut controller = Controller::new(app.admission.target);
    let mut closing = app.closing.subscribe();
    let mut gauge = Gauge::new(&app);
    loop {
        let due = Instant::now() + TICK;
        tokio::select! {
            () = time::sleep(TICK) => {}
            () = going_away(&mut closing) => return,
        }
        // A task that its own worker wakes is run at once, before those that wait; one that another
        // thread wakes stands in line as requests do.
        let woken = task::spawn_blocking(Instant::now).await.unwrap_or(due);
        let measured = gauge.measure(&app, woken);
        let decision = controller.step(&measured);
        tracing::trace!(?measured, ?decision, "measured");
        let before = std::mem::replace(&mut *app.admission.decision.lock(), decision);
        if before.level != decision.level {
            let (level, limit) = (decision.level.number(), decision.limit.unwrap_or(0.0).round());
            let wait_ms = measured.wait.as_millis();
            tracing::warn!(level, limit, sample = decision.sample, wait_ms, "admission changes");
        }
    }
}

/// What there was at the last measurement.
struct Gauge {
    at: Instant,
    stats: Stats,
    offered: [u64; 3],
    behind: u64,
    count: u32,
    /// What the process has used of the processors' time.
    used: Duration,
    busy: f64,
    processors: f64,
}

impl Gauge {
    fn new(app: &App) -> Self {
        let stats = app.log.stats();
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let processors = u32::try_from(processors).map_or(1.0, f64::from);
        Self {
            at: Instant::now(),
            stats,
            offered: offered(app),
            behind: 0,
            count: 0,
            used: used(),
            busy: 1.0,
            processors,
        }
    }

    /// Whether this process has so much to do that its own threads wait for each other.
    fn is_busy(&mut self, elapsed: Duration) -> bool {
        let before = std::mem::replace(&mut self.used, used());
        let elapsed_s = elapsed.as_secs_f64().max(1e-3);
        let share = self.used.saturating_sub(before).as_secs_f64() / elapsed_s / self.processors;
        let weight = elapsed_s / (elapsed_s + BUSY_OVER.as_secs_f64());
        self.busy += weight * (share - self.busy);
        self.busy >= BUSY
    }

    fn measure(&mut self, app: &App, woken: Instant) -> Measured {
        let (now, log) = (Instant::now(), &app.log);
        let (stats, offered) = (log.stats(), offered(app));
        if self.count.is_multiple_of(FOLDS_EVERY) {
            self.behind = app.live.lag();
        }
        let groups = stats.groups - self.stats.groups;
        let sync_us = (stats.sync_us - self.stats.sync_us).checked_div(groups).unwrap_or(0);
        let mut since = offered;
        since.iter_mut().zip(self.offered).for_each(|(now, before)| *now -= before);
        let elapsed = now.saturating_duration_since(self.at);
        // As long as this task every request waits for a thread.
        let thread = now.saturating_duration_since(woken);
        let thread = if self.is_busy(elapsed) { thread } else { Duration::ZERO };
        let measured = Measured {
            elapsed,
            wait: log.backlog().oldest.max(thread),
            sync: Duration::from_micros(sync_us),
            behind: self.behind,
            offered: since,
            done: done(&stats) - done(&self.stats),
        };
        (self.at, self.stats, self.offered) = (now, stats, offered);
        self.count = self.count.wrapping_add(1);
        measured
    }
}

/// The processors' time that this process has used.
fn used() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default())
}

fn offered(app: &App) -> [u64; 3] {
    app.admission.offered.each_ref().map(|count| count.load(Ordering::Relaxed))
}

fn done(stats: &Stats) -> u64 {
    stats.events + stats.duplicates
}
