//! The server's own comparison, once a day: on a thread of its own, behind everything that somebody waits for.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle, ThreadId},
    time::{Duration, Instant},
};

use matchwire_embedded::give_way;
use matchwire_gateway::ReconcileWatch;
use matchwire_log::{
    Clock as _, Log, SystemClock,
    projection::{Reader, Unready},
    view_store::{Error, Snapshot},
};
use matchwire_players::view::reconcile::{Done, Report, Sight, reconcile};
use parking_lot::{Condvar, Mutex};
use serde_json::json;
use tokio::runtime::Handle;

use super::{At, outcome::Outcome};
use crate::alerts::{Alert, Alerts};

/// How many threads compare.
const THREADS: usize = 2;
/// How often is looked whether it is time, as clocks are set.
const LOOK: Duration = Duration::from_secs(1);
/// After what may pass by itself it is tried again so often, with so much time in between.
const ATTEMPTS: u32 = 10;
const AGAIN: Duration = Duration::from_mins(2);
/// How long is waited for the view to follow the log.
const PATIENCE: Duration = Duration::from_secs(5);
const NAP: Duration = Duration::from_millis(5);
/// While events wait in the log's queue for so long, it rests so many times as long as it worked.
const BUSY: Duration = Duration::from_millis(10);
const BUSY_RESTS: u32 = 8;
const MAX_REST: Duration = Duration::from_secs(1);

/// Compares what is stored of players with the log once a day, for as long as it lives.
pub(crate) struct Nightly {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
    data: PathBuf,
}

/// What the thread works with.
pub(crate) struct Work {
    /// When.
    pub(crate) at: At,
    /// Of what more than so many players in a hundred is an alert.
    pub(crate) drift_percent: f64,
    /// Where that goes.
    pub(crate) alerts: Alerts,
    /// The view.
    pub(crate) reader: Reader,
    /// The log.
    pub(crate) log: Log,
}

#[derive(Default)]
struct Stop {
    is_stopped: AtomicBool,
    lock: Mutex<()>,
    told: Condvar,
}

impl Stop {
    /// Waits for so long, or until it is to stop.
    fn wait(&self, time: Duration) {
        let mut guard = self.lock.lock();
        if !self.is_stopped() {
            self.told.wait_for(&mut guard, time);
        }
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::SeqCst)
    }
}

impl Nightly {
    /// Starts.
    pub(crate) fn start(data: &Path, work: Work) -> io::Result<Self> {
        let stop = Arc::new(Stop::default());
        let (own, folder, runtime) = (stop.clone(), data.to_owned(), Handle::current());
        let name = "matchwire-reconcile".into();
        let thread = thread::Builder::new().name(name).spawn(move || {
            let mut next = work.at.next(SystemClock.now());
            while !own.is_stopped() {
                own.wait(LOOK);
                let now = SystemClock.now();
                if next.is_some_and(|next| next <= now) && !own.is_stopped() {
                    work.compare(&folder, &own, &runtime);
                    next = work.at.next(SystemClock.now());
                }
            }
        })?;
        Ok(Self { stop, thread: Some(thread), data: data.to_owned() })
    }

    /// How the last comparisons came out, the operator's own too.
    pub(crate) fn watch(&self) -> ReconcileWatch {
        let data = self.data.clone();
        Arc::new(move || Outcome::of(&data).measured())
    }
}

impl Drop for Nightly {
    fn drop(&mut self) {
        self.stop.is_stopped.store(true, Ordering::SeqCst);
        drop(self.stop.lock.lock());
        self.stop.told.notify_all();
        let Some(thread) = self.thread.take() else { return };
        let begun = Instant::now();
        while !thread.is_finished() && begun.elapsed() < PATIENCE {
            thread::sleep(NAP);
        }
        // It only reads, so that nothing is left half done if it does not come to its end.
        if thread.is_finished() {
            let _ = thread.join();
        }
    }
}

impl Work {
    fn compare(&self, data: &Path, stop: &Stop, runtime: &Handle) {
        let begun = Instant::now();
        let compared = self.attempt(stop);
        if stop.is_stopped() {
            return;
        }
        let took = begun.elapsed();
        let before = Outcome::of(data);
        let (mut outcome, alert) = match &compared {
            Ok(report) => {
                let (players, sources) = (report.drifted_players, report.drifted_sources);
                tracing::info!(players, sources, ?took, "what is stored of players was compared");
                let is_alert = report.share() * 100.0 > self.drift_percent;
                let alert = if is_alert { Some(drifted(report)) } else { None };
                (before.clone().succeeded(report, took), alert)
            }
            Err(error) => {
                tracing::error!(%error, "what is stored of players cannot be compared");
                (before.clone().failed(), Some(failed(error)))
            }
        };
        let alert = match alert {
            None if before.is_told => Some(well()),
            alert => alert,
        };
        outcome.is_told = alert.as_ref().is_some_and(|it| !it.is_well);
        if let Err(error) = outcome.store(data) {
            tracing::error!(error = format!("{error:#}"), "how it came out is not remembered");
        }
        if let Some(alert) = alert
            && let Err(error) = runtime.block_on(self.alerts.send(&alert))
        {
            tracing::error!(error = format!("{error:#}"), "an alert was not sent");
        }
    }

    /// Compares, and again after what may pass by itself.
    fn attempt(&self, stop: &Stop) -> Result<Report, Error> {
        let sight = Within { work: self, stop, worked: Mutex::default() };
        for _ in 1..ATTEMPTS {
            match reconcile(&sight, None) {
                Err(Error::Busy { what, .. }) if !stop.is_stopped() => {
                    tracing::info!(what, "what is stored of players is compared later");
                    stop.wait(AGAIN);
                }
                compared => return Ok(compared?.report),
            }
        }
        Ok(reconcile(&sight, None)?.report)
    }
}

fn alert(is_well: bool, title: String, text: &str, details: serde_json::Value) -> Alert {
    let (text, time) = (text.to_owned(), SystemClock.now());
    Alert { about: "reconcile", is_well, title, text, details, time }
}

fn drifted(report: &Report) -> Alert {
    let Report { players, drifted_players, drifted_sources, .. } = report;
    let title = format!("{drifted_players} of {players} players are not as the log says");
    let text = "matchwire players reconcile says who and what, and with --fix repairs it. What it means: \
                docs/operations/reconcile.md";
    let details = json!({
        "players": players,
        "drifted_players": drifted_players,
        "sources": report.sources,
        "drifted_sources": drifted_sources,
    });
    alert(false, title, text, details)
}

fn failed(error: &Error) -> Alert {
    let text = "Nothing is known of what is stored of players until it succeeds. What to do: \
                docs/operations/reconcile.md";
    let title = "what is stored of players cannot be compared with the log".to_owned();
    alert(false, title, text, json!({"error": error.to_string()}))
}

fn well() -> Alert {
    let title = "what is stored of players is as the log says".to_owned();
    alert(true, title, "The last comparison has found nothing that is worth an alert.", json!({}))
}

/// The view and the log of the server itself.
struct Within<'a> {
    work: &'a Work,
    stop: &'a Stop,
    /// Since when each thread has worked.
    worked: Mutex<HashMap<ThreadId, Instant>>,
}

impl Sight for Within<'_> {
    fn views(&self, count: usize) -> Result<Vec<Box<dyn Snapshot>>, Error> {
        self.work.reader.snapshots(count).map_err(|error| match error {
            Unready::Store(error) => error,
            building @ Unready::Building { .. } => {
                Error::Busy { place: "the view players".into(), what: building.to_string() }
            }
        })
    }

    fn threads(&self) -> usize {
        THREADS
    }

    fn log(&self) -> Result<Log, Error> {
        Ok(self.work.log.clone())
    }

    fn wait_for(&self, group: u64) {
        let begun = Instant::now();
        while self.work.reader.status().position < group
            && begun.elapsed() < PATIENCE
            && !self.stop.is_stopped()
        {
            thread::sleep(NAP);
        }
    }

    fn begins(&self) {
        give_way();
        self.worked.lock().insert(thread::current().id(), Instant::now());
    }

    /// It takes a half of the time of its threads, and much less while events wait.
    fn worked(&self, _: Done) -> Result<(), Error> {
        if self.stop.is_stopped() {
            let what = "the server stops".into();
            return Err(Error::Failed { place: "the comparison".into(), what });
        }
        let this = thread::current().id();
        let since = self.worked.lock().get(&this).copied();
        let worked = since.map_or(Duration::ZERO, |since| since.elapsed());
        let is_busy = self.work.log.backlog().oldest > BUSY;
        self.stop.wait((worked * if is_busy { BUSY_RESTS } else { 1 }).min(MAX_REST));
        self.worked.lock().insert(this, Instant::now());
        Ok(())
    }
}
