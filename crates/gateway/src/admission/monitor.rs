//! Measures how long things wait, and has the controller decide.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use matchwire_log::Stats;
use tokio::{task, time};

use super::control::{Controller, Measured};
use crate::app::{App, going_away};

/// How often it is measured: often enough for the controller's interval of 100 ms.
const TICK: Duration = Duration::from_millis(25);
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
}

impl Gauge {
    fn new(app: &App) -> Self {
        let stats = app.live.log().stats();
        Self { at: Instant::now(), stats, offered: offered(app), behind: 0, count: 0 }
    }

    fn measure(&mut self, app: &App, woken: Instant) -> Measured {
        let (now, log) = (Instant::now(), app.live.log());
        let (stats, offered) = (log.stats(), offered(app));
        if self.count.is_multiple_of(FOLDS_EVERY) {
            self.behind = app.live.lag();
        }
        let groups = stats.groups - self.stats.groups;
        let sync_us = (stats.sync_us - self.stats.sync_us).checked_div(groups).unwrap_or(0);
        let mut since = offered;
        since.iter_mut().zip(self.offered).for_each(|(now, before)| *now -= before);
        let measured = Measured {
            elapsed: now.saturating_duration_since(self.at),
            // As long as this task every request waits for a thread.
            wait: log.backlog().oldest.max(now.saturating_duration_since(woken)),
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

fn offered(app: &App) -> [u64; 3] {
    app.admission.offered.each_ref().map(|count| count.load(Ordering::Relaxed))
}

fn done(stats: &Stats) -> u64 {
    stats.events + stats.duplicates
}
