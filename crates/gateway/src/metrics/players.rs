//! What is measured of players, of all of them together: what is made of results, how long that and a page of a feed takes, and
//! whether what is stored is as the log says.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use matchwire_domain::{
    activity::Activity,
    envelope::Recorded,
    subject::{Pattern, Subject},
};
use matchwire_log::{
    projection::Projection,
    view_store::{Error, Schema, Snapshot, Transaction},
};
use matchwire_players::view::Players;
use parking_lot::Mutex;
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::{Label, Meter, add, counter, gauge, latency, log::raise, with_seconds};
use crate::reconciled::Reconciled;

/// The kinds of activities that have a label; feats of which nobody here knows share one.
const KINDS: [&str; 11] = [
    "match_played",
    "match_won",
    "match_lost",
    "match_drawn",
    "tournament_joined",
    "tournament_placed",
    "tournament_won",
    "ace",
    "clutch",
    "goal",
    "assist",
];

type Count = Gauge<u64, AtomicU64>;
type Number = Gauge<f64, AtomicU64>;

pub(crate) struct PlayersMeter {
    activities: Family<Label, Counter>,
    activity: Histogram,
    feed: Histogram,
    succeeded: Number,
    took: Number,
    players: Count,
    drifted_players: Count,
    sources: Count,
    drifted_sources: Count,
    partial_sources: Count,
    unsettled_sources: Count,
    stray_rows: Count,
    daily: Count,
    failures: Counter,
    failed: Count,
}

impl PlayersMeter {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let help = "Activities and reversals that were made, by type, builds of the view included";
        let activities: Family<Label, Counter> = counter(registry, "players_activities", help);
        for kind in KINDS.into_iter().chain(["other"]) {
            let _ = activities.get_or_create(&[("type", kind)]);
        }
        let help = "How long it took to make an activity, to count it and to rate by it";
        let activity = with_seconds(registry, "players_activity", help, latency());
        let help = "How long a page of a player's feed took";
        let feed = with_seconds(registry, "players_feed", help, latency());
        let succeeded = Number::default();
        let help =
            "When players were compared with the log the last time, to the end; 0 before that";
        let name = "players_reconcile_last_success_timestamp";
        registry.register_with_unit(name, help, Unit::Seconds, succeeded.clone());
        let took = Number::default();
        let help = "How long that took";
        registry.register_with_unit(
            "players_reconcile_duration",
            help,
            Unit::Seconds,
            took.clone(),
        );
        let mut amount = |name: &str, help: &str| gauge(registry, name, help);
        let help = "Players that were compared with the log";
        let players = amount("players_reconcile_players", help);
        let help = "Of them those of whom something was wrong";
        let drifted_players = amount("players_reconcile_drifted_players", help);
        let help = "Matches and tournaments that were compared with the log";
        let sources = amount("players_reconcile_sources", help);
        let help = "Of them those of which something was wrong";
        let drifted_sources = amount("players_reconcile_drifted_sources", help);
        let help = "Those that could not be compared, as a part of their events is gone or damaged";
        let partial_sources = amount("players_reconcile_partial_sources", help);
        let help = "Those that had events that the view had not seen";
        let unsettled_sources = amount("players_reconcile_unsettled_sources", help);
        let help = "Rows that were of nobody, as their keys make no sense";
        let stray_rows = amount("players_reconcile_stray_rows", help);
        let help = "1 if the server compares players with the log once a day, by itself";
        let daily = amount("players_reconcile_daily", help);
        let failed = amount("players_reconcile_failed", "1 if the last comparison has failed");
        let help = "Comparisons of players with the log that have failed";
        let failures = add(registry, "players_reconcile_failures", help, Counter::default());
        Self {
            activities,
            activity,
            feed,
            succeeded,
            took,
            players,
            drifted_players,
            sources,
            drifted_sources,
            partial_sources,
            unsettled_sources,
            stray_rows,
            daily,
            failures,
            failed,
        }
    }

    fn made(&self, activity: &Activity) {
        let kind = KINDS.into_iter().find(|kind| *kind == activity.kind.as_str());
        self.activities.get_or_create(&[("type", kind.unwrap_or("other"))]).inc();
    }

    /// A page of a feed took so long.
    pub(crate) fn feed(&self, took: Duration) {
        self.feed.observe(took.as_secs_f64());
    }

    /// Takes over how comparisons came out.
    pub(super) fn set(&self, reconciled: &Reconciled) {
        if let Some(succeeded) = reconciled.succeeded {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of our time fit")]
            let seconds = succeeded.ms() as f64 / 1e3;
            self.succeeded.set(seconds);
        }
        self.took.set(reconciled.took.as_secs_f64());
        self.players.set(reconciled.players);
        self.drifted_players.set(reconciled.drifted_players);
        self.sources.set(reconciled.sources);
        self.drifted_sources.set(reconciled.drifted_sources);
        self.partial_sources.set(reconciled.partial_sources);
        self.unsettled_sources.set(reconciled.unsettled_sources);
        self.stray_rows.set(reconciled.stray_rows);
        self.daily.set(reconciled.is_daily.into());
        raise(&self.failures, reconciled.failures);
        self.failed.set(reconciled.is_failed.into());
    }
}

/// The view of players, whose work is measured.
pub struct MeasuredPlayers {
    players: Box<dyn Projection>,
    meter: Arc<Meter>,
    made: Arc<AtomicU64>,
    work: Mutex<Work>,
}

/// What was done for activities since the last ones were told. One thread drives the view.
#[derive(Debug, Default, PartialEq, Eq)]
struct Work {
    took: Duration,
    /// How many activities were made.
    made: u64,
    /// Whether what comes next is another transaction.
    is_finished: bool,
    /// Whether it has left rows to be settled, which the next one goes on with.
    is_open: bool,
}

impl Work {
    /// Another call begins. Tells how long each activity took, and how many there are, if that is known now: a transaction ends
    /// without a word, and has nothing to settle while there is more to be read.
    fn begins(&mut self) -> Option<(Duration, u32)> {
        if self.is_finished && !self.is_open {
            return self.close();
        }
        (self.is_finished, self.is_open) = (false, false);
        None
    }

    /// What was left to be settled takes its time, too, however many transactions that were.
    fn settled(&mut self, is_settled: bool) -> Option<(Duration, u32)> {
        self.is_open = !is_settled;
        if is_settled { self.close() } else { None }
    }

    /// The same; it begins anew. What was done without an activity is of none.
    fn close(&mut self) -> Option<(Duration, u32)> {
        let Self { took, made, .. } = mem::take(self);
        let made = u32::try_from(made).unwrap_or(u32::MAX);
        Some((took.checked_div(made)?, made))
    }
}

impl MeasuredPlayers {
    /// Measures a view of players.
    pub fn new(players: Players, meter: &Arc<Meter>) -> Self {
        let made = Arc::new(AtomicU64::default());
        let (counted, told) = (made.clone(), meter.clone());
        let players = players.observed(Arc::new(move |activity| {
            counted.fetch_add(1, Ordering::Relaxed);
            told.players.made(activity);
        }));
        Self::of(Box::new(players), made, meter)
    }

    fn of(players: Box<dyn Projection>, made: Arc<AtomicU64>, meter: &Arc<Meter>) -> Self {
        Self { players, meter: meter.clone(), made, work: Mutex::default() }
    }

    /// Does a part of the work, and takes down how long it took. One that has failed is done again.
    fn timed<T>(&self, part: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let (before, begun) = (self.made.load(Ordering::Relaxed), Instant::now());
        let done = part();
        let mut work = self.work.lock();
        if done.is_err() {
            *work = Work::default();
        } else {
            work.took += begun.elapsed();
            work.made += self.made.load(Ordering::Relaxed) - before;
        }
        done
    }

    fn tell(&self, each: Option<(Duration, u32)>) {
        let Some((each, made)) = each else { return };
        (0..made).for_each(|_| self.meter.players.activity.observe(each.as_secs_f64()));
    }
}

impl Projection for MeasuredPlayers {
    fn schema(&self) -> Schema {
        self.players.schema()
    }

    fn scope(&self) -> Vec<Pattern> {
        self.players.scope()
    }

    fn apply(
        &self,
        rows: &mut dyn Transaction,
        subject: &Subject,
        events: &[Recorded],
    ) -> Result<(), Error> {
        let before = self.work.lock().begins();
        self.tell(before);
        self.timed(|| self.players.apply(rows, subject, events))
    }

    fn finish(&self, rows: &mut dyn Transaction) -> Result<(), Error> {
        let before = self.work.lock().begins();
        self.tell(before);
        self.timed(|| self.players.finish(rows))?;
        self.work.lock().is_finished = true;
        Ok(())
    }

    fn settle(&self, rows: &mut dyn Transaction) -> Result<bool, Error> {
        let is_settled = self.timed(|| self.players.settle(rows))?;
        let all = self.work.lock().settled(is_settled);
        self.tell(all);
        Ok(is_settled)
    }

    fn removals(&self, view: &dyn Snapshot) -> Result<u64, Error> {
        self.players.removals(view)
    }
}

#[cfg(test)]
mod tests {
    use matchwire_domain::live_match::Games;
    use matchwire_log::view_store::{MemoryViews, Start, ViewStore as _};

    use super::*;

    const PART: Duration = Duration::from_millis(20);

    /// Makes two activities at once, in no time; the rest takes its time, and what is settled is left after that for a
    /// second time.
    struct Slow {
        made: Arc<AtomicU64>,
        settles: AtomicU64,
    }

    fn work() {
        let begun = Instant::now();
        while begun.elapsed() < PART {}
    }

    impl Projection for Slow {
        fn schema(&self) -> Schema {
            matchwire_players::view::schema()
        }

        fn scope(&self) -> Vec<Pattern> {
            Vec::new()
        }

        fn apply(&self, _: &mut dyn Transaction, _: &Subject, _: &[Recorded]) -> Result<(), Error> {
            self.made.fetch_add(2, Ordering::Relaxed);
            Ok(())
        }

        fn finish(&self, _: &mut dyn Transaction) -> Result<(), Error> {
            work();
            Ok(())
        }

        fn settle(&self, _: &mut dyn Transaction) -> Result<bool, Error> {
            work();
            Ok(self.settles.fetch_add(1, Ordering::Relaxed) % 2 == 1)
        }

        fn removals(&self, _: &dyn Snapshot) -> Result<u64, Error> {
            Ok(0)
        }
    }

    /// How many activities were told, and how many seconds all of them took.
    fn told(meter: &Meter) -> (u64, f64) {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &meter.registry).unwrap();
        let value = |name: &str| {
            let name = format!("matchwire_players_activity_seconds_{name} ");
            text.lines().find_map(|line| line.strip_prefix(&name)).unwrap().to_owned()
        };
        (value("count").parse().unwrap(), value("sum").parse().unwrap())
    }

    #[test]
    fn an_activity_takes_what_is_done_at_the_end_of_its_transaction_and_after_it() {
        let meter = Meter::new(&Games::default());
        let (made, settles) = (Arc::new(AtomicU64::default()), AtomicU64::default());
        let players =
            MeasuredPlayers::of(Box::new(Slow { made: made.clone(), settles }), made, &meter);
        let view = MemoryViews::new().build(&players.schema(), Start::Anew).unwrap();
        let mut rows = view.begin(None).unwrap();
        let subject = Subject::parse("match/m").unwrap();
        let parts = |seconds: f64| (seconds / PART.as_secs_f64()).floor();
        // There is more to be read: nothing is settled.
        players.apply(&mut *rows, &subject, &[]).unwrap();
        players.finish(&mut *rows).unwrap();
        assert_eq!(told(&meter).0, 0);
        players.apply(&mut *rows, &subject, &[]).unwrap();
        assert_eq!(told(&meter).0, 2);
        let first = told(&meter).1;
        assert!(parts(first) >= 1.0, "{first}");
        players.finish(&mut *rows).unwrap();
        assert!(!players.settle(&mut *rows).unwrap());
        // Another transaction goes on with it, and makes none.
        players.finish(&mut *rows).unwrap();
        assert_eq!(told(&meter).0, 2);
        assert!(players.settle(&mut *rows).unwrap());
        let (count, all) = told(&meter);
        assert_eq!(count, 4);
        assert!(parts(all - first) >= 4.0, "{all}");
        // What is of no activity is of none.
        players.finish(&mut *rows).unwrap();
        assert!(!players.settle(&mut *rows).unwrap());
        assert!(players.settle(&mut *rows).unwrap());
        players.finish(&mut *rows).unwrap();
        players.finish(&mut *rows).unwrap();
        assert_eq!(told(&meter), (4, all));
    }
}
