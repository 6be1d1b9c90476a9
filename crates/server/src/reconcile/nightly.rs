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
    is_daily: bool,
}

/// What the thread works with.
pub(crate) struct Work {
    /// When.
    pub(crate) at: At,
    /// Of what more than so many players, or matches and tournaments, in a hundred is an alert.
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
        let (stop, is_daily) = (Arc::new(Stop::default()), work.at.is_daily());
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
        Ok(Self { stop, thread: Some(thread), data: data.to_owned(), is_daily })
    }

    /// How the last comparisons came out, the operator's own too.
    pub(crate) fn watch(&self) -> ReconcileWatch {
        let (data, is_daily) = (self.data.clone(), self.is_daily);
        Arc::new(move || Outcome::of(&data).measured(is_daily))
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
        let alert = to_tell(&compared, self.drift_percent, before.is_told);
        let mut outcome = match &compared {
            Ok(report) => {
                let (players, sources) = (report.drifted_players, report.drifted_sources);
                let stray = report.stray_rows;
                tracing::info!(
                    players,
                    sources,
                    stray,
                    ?took,
                    "what is stored of players was compared"
                );
                before.succeeded(report, took)
            }
            Err(error) => {
                tracing::error!(%error, "what is stored of players cannot be compared");
                before.failed()
            }
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

/// What there is to tell of a comparison, after one of which something was told or not.
fn to_tell(compared: &Result<Report, Error>, drift_percent: f64, is_told: bool) -> Option<Alert> {
    match compared {
        Err(error) => Some(failed(error)),
        // Nothing of the server makes rows of nobody.
        Ok(report) if report.share() * 100.0 > drift_percent || report.stray_rows > 0 => {
            Some(drifted(report))
        }
        Ok(report) => is_told.then(|| well(report)),
    }
}

fn alert(is_well: bool, title: String, text: &str, details: serde_json::Value) -> Alert {
    let (text, time) = (text.to_owned(), SystemClock.now());
    Alert { about: "reconcile", is_well, title, text, details, time }
}

fn drifted(report: &Report) -> Alert {
    let Report { players, drifted_players, sources, drifted_sources, stray_rows, .. } = report;
    let mut title = format!(
        "{drifted_players} of {players} players, {drifted_sources} of {sources} matches and tournaments are not as the log says"
    );
    if *stray_rows > 0 {
        title = format!("{title}, and {stray_rows} rows are of nobody");
    }
    let text = "matchwire players reconcile says who and what, and with --fix repairs it. What it means: \
                docs/operations/reconcile.md";
    alert(false, title, text, counts(report))
}

fn counts(report: &Report) -> serde_json::Value {
    json!({
        "players": report.players,
        "drifted_players": report.drifted_players,
        "sources": report.sources,
        "drifted_sources": report.drifted_sources,
        "stray_rows": report.stray_rows,
    })
}

fn failed(error: &Error) -> Alert {
    let text = "Nothing is known of what is stored of players until it succeeds. What to do: \
                docs/operations/reconcile.md";
    let title = "what is stored of players cannot be compared with the log".to_owned();
    alert(false, title, text, json!({"error": error.to_string()}))
}

fn well(report: &Report) -> Alert {
    let title = if report.is_clean() {
        "what is stored of players is as the log says"
    } else {
        "nearly all that is stored of players is as the log says"
    };
    let text = "The last comparison has found nothing that is worth an alert.";
    alert(true, title.to_owned(), text, counts(report))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it tells that all is well, and under which title; for a bound of 1 %.
    fn told(report: Report, is_told: bool) -> Option<(bool, String)> {
        to_tell(&Ok(report), 1.0, is_told).map(|alert| (alert.is_well, alert.title))
    }

    fn of(drifted_players: u64, drifted_sources: u64, stray_rows: u64) -> Report {
        let (players, sources) = (1_000, 100);
        Report {
            players,
            sources,
            drifted_players,
            drifted_sources,
            stray_rows,
            ..Report::default()
        }
    }

    #[test]
    fn drift_of_players_or_of_matches_or_rows_of_nobody_are_told() {
        let both = "players, 0 of 100 matches and tournaments are not as the log says";
        assert_eq!(told(of(11, 0, 0), false), Some((false, format!("11 of 1000 {both}"))));
        let title = "0 of 1000 players, 2 of 100 matches and tournaments are not as the log says";
        assert_eq!(told(of(0, 2, 0), true), Some((false, title.to_owned())));
        let title = format!("0 of 1000 {both}, and 1 rows are of nobody");
        assert_eq!(told(of(0, 0, 1), true), Some((false, title)));
        let gone = Report { drifted_sources: 100, ..of(0, 0, 0) };
        assert!(told(gone, true).is_some_and(|(is_well, _)| !is_well));
    }

    #[test]
    fn it_is_as_the_log_says_only_if_nothing_is_wrong() {
        assert_eq!(told(of(0, 0, 0), false), None);
        assert_eq!(told(of(10, 1, 0), false), None);
        let well = "what is stored of players is as the log says".to_owned();
        assert_eq!(told(of(0, 0, 0), true), Some((true, well)));
        let nearly = "nearly all that is stored of players is as the log says".to_owned();
        assert_eq!(told(of(10, 1, 0), true), Some((true, nearly)));
    }
}
