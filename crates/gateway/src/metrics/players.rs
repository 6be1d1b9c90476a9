//! What is measured of players, of all of them together: what is made of results, how long that and a page of a feed takes, and
//! whether what is stored is as the log says.

use std::{
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
    view_store::{Error, Schema, Transaction},
};
use matchwire_players::view::Players;
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
        let help = "How long it took to make an activity and to count it";
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
    players: Players,
    meter: Arc<Meter>,
    made: Arc<AtomicU64>,
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
        Self { players, meter: meter.clone(), made }
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
        let (before, begun) = (self.made.load(Ordering::Relaxed), Instant::now());
        let applied = self.players.apply(rows, subject, events);
        // One thread drives the view, so that nobody else has made any meanwhile.
        let made = self.made.load(Ordering::Relaxed) - before;
        if let Ok(count @ 1..) = u32::try_from(made) {
            let each = begun.elapsed() / count;
            (0..count).for_each(|_| self.meter.players.activity.observe(each.as_secs_f64()));
        }
        applied
    }

    fn finish(&self, rows: &mut dyn Transaction) -> Result<(), Error> {
        self.players.finish(rows)
    }

    fn settle(&self, rows: &mut dyn Transaction) -> Result<bool, Error> {
        self.players.settle(rows)
    }
}
