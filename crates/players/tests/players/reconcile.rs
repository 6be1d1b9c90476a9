//! What is put into the stored view by hand is found and repaired, and traffic is not taken for it.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use matchwire_domain::envelope::{Attributes, Event};
use matchwire_log::{
    Log,
    projection::Projection as _,
    view_store::{Error, Keys, Order, Row, Size, Snapshot, StoredView, Table, Transaction},
};
use matchwire_players::view::{
    self, MAX_PAGE, Players,
    reconcile::{Done, Report, Sight, fix, reconcile},
};
use rand::{Rng as _, rngs::SmallRng};

use crate::{
    corrections::{rng, step},
    view::{Followed, check},
    world::{World, event},
};

const ACTIVITIES: Table = Table::new("activities");
const SOURCES: Table = Table::new("sources");
const RECORDS: Table = Table::new("records");
const BOARDS: Table = Table::new("boards");
const BOUTS: Table = Table::new("bouts");
const PLACES: Table = Table::new("places");
const COURSES: Table = Table::new("courses");
const LADDERS: Table = Table::new("ladders");
const FORGOTTEN: Table = Table::new("forgotten");
const MATCHES: Table = Table::new("matches");
const TOURNAMENTS: Table = Table::new("tournaments");

impl Sight for Followed {
    fn views(&self, count: usize) -> Result<Vec<Box<dyn Snapshot>>, Error> {
        self.stored().snapshots(count)
    }

    fn threads(&self) -> usize {
        3
    }

    fn log(&self) -> Result<Log, Error> {
        Ok(self.log.clone())
    }

    fn wait_for(&self, group: u64) {
        while self.runner.reader().status().position < group {
            thread::yield_now();
        }
    }

    fn worked(&self, _: Done) -> Result<(), Error> {
        Ok(())
    }
}

impl Followed {
    fn stored(&self) -> std::sync::Arc<dyn StoredView> {
        self.store.open(&view::schema()).unwrap().unwrap()
    }

    /// Changes rows as nobody should.
    fn tamper(&self, change: impl FnOnce(&mut dyn Transaction)) {
        // What serves is there once it was waited for.
        let at = self.snapshot().position().unwrap();
        let stored = self.stored();
        let mut rows = stored.begin(at.as_deref()).unwrap();
        change(&mut *rows);
        rows.commit(&at.unwrap()).unwrap();
    }

    fn report(&self) -> Report {
        drop(self.snapshot());
        reconcile(self, None).unwrap().report
    }

    /// Repairs what is wrong, and sees that nothing is any more.
    fn repair(&self, only: Option<&str>) {
        let found = reconcile(self, only).unwrap();
        let fixed = fix(self, &*self.stored(), &found).unwrap();
        assert!(
            !fixed.is_too_much && fixed.sources + fixed.players + fixed.stray_rows > 0,
            "{fixed:?}"
        );
        let report = self.report();
        assert!(report.is_clean() && report.unsettled_sources == 0, "{report:#?}");
    }
}

/// A world with its view, after a random history.
fn told(rng: &mut SmallRng) -> (World, Followed) {
    let (mut world, followed) = (World::new(), Followed::new());
    for number in 0..rng.random_range(40..120) {
        let event = step(rng, &world, number);
        world.tell(&event);
        followed.append(&event);
    }
    world.follow_all();
    (world, followed)
}

fn all_rows(rows: &dyn Transaction, table: Table) -> Vec<Row> {
    rows.range(table, &Keys::all(), Order::Ascending, 100_000).unwrap()
}

/// Changes a row at random, and says whether that makes a difference.
fn spoil(rng: &mut SmallRng, rows_of: &mut dyn Transaction) -> bool {
    let tables = [
        ACTIVITIES,
        SOURCES,
        RECORDS,
        BOARDS,
        BOUTS,
        PLACES,
        COURSES,
        LADDERS,
        MATCHES,
        TOURNAMENTS,
        FORGOTTEN,
    ];
    let table = tables[rng.random_range(0..tables.len())];
    let all = all_rows(rows_of, table);
    if all.is_empty() {
        return false;
    }
    let one = &all[rng.random_range(0..all.len())];
    let other = &all[rng.random_range(0..all.len())];
    match rng.random_range(0..4) {
        0 => rows_of.delete(table, &one.key).unwrap(),
        1 if one.value != other.value => rows_of.put(table, &one.key, &other.value).unwrap(),
        2 => rows_of.put(table, &one.key, b"{}").unwrap(),
        3 => {
            let mut key = one.key.clone();
            *key.last_mut().unwrap() ^= 2;
            if all.iter().any(|row| row.key == key) {
                return false;
            }
            rows_of.put(table, &key, &one.value).unwrap();
        }
        _ => return false,
    }
    // These have no values.
    table != SOURCES && table != BOARDS || all_rows(rows_of, table).len() != all.len()
}

#[test]
fn whatever_is_changed_by_hand_is_found_and_repaired() {
    let mut rng = rng();
    for _ in 0..12 {
        let (world, followed) = told(&mut rng);
        let clean = followed.report();
        assert!(clean.is_clean() && clean.unsettled_sources == 0, "{clean:#?}");
        for _ in 0..8 {
            let mut is_spoilt = false;
            followed.tamper(|rows| {
                for _ in 0..rng.random_range(1..4) {
                    is_spoilt |= spoil(&mut rng, rows);
                }
            });
            let report = followed.report();
            if is_spoilt && report.is_clean() {
                // What was changed may have been changed back.
                check(&*followed.snapshot(), &world.statistics(), MAX_PAGE);
            } else if !report.is_clean() {
                followed.repair(None);
            }
            check(&*followed.snapshot(), &world.statistics(), MAX_PAGE);
        }
    }
}

#[test]
fn what_follows_after_a_repair_comes_to_the_same() {
    let mut rng = rng();
    for _ in 0..4 {
        let (mut world, followed) = (World::new(), Followed::new());
        for number in 0..80 {
            let event = step(&mut rng, &world, number);
            world.tell(&event);
            followed.append(&event);
            if rng.random_bool(0.1) {
                followed.tamper(|rows| {
                    spoil(&mut rng, rows);
                });
                if !followed.report().is_clean() {
                    followed.repair(None);
                }
            }
        }
        world.follow_all();
        check(&*followed.snapshot(), &world.statistics(), MAX_PAGE);
    }
}

#[test]
fn traffic_is_no_drift() {
    let mut rng = rng();
    for _ in 0..3 {
        let (mut world, followed) = (World::new(), Followed::new());
        let mut events = Vec::new();
        for number in 0..300 {
            let event = step(&mut rng, &world, number);
            world.tell(&event);
            events.push(event);
        }
        let (log, is_over) = (&followed.log, AtomicBool::new(false));
        // Nothing is compared before there is a view.
        followed.append(&events[0]);
        drop(followed.snapshot());
        let rounds = thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                for event in &events[1..] {
                    let append = matchwire_log::Append {
                        subject: event.subject.clone(),
                        events: vec![event.clone()],
                        expected_seq: None,
                        received: std::time::Instant::now(),
                    };
                    runtime.block_on(log.append(vec![append])).unwrap().remove(0).unwrap();
                }
                is_over.store(true, Ordering::SeqCst);
            });
            let mut rounds = 0;
            while !is_over.load(Ordering::SeqCst) || rounds == 0 {
                let report = reconcile(&followed, None).unwrap().report;
                assert!(report.is_clean(), "{report:#?}");
                rounds += 1;
            }
            rounds
        });
        assert!(rounds > 0);
        let report = followed.report();
        assert!(report.is_clean() && report.unsettled_sources == 0, "{report:#?}");
    }
}

const TEAMS: &str = r#"{"game":"cs2","tournament":"cup","teams":[{"name":"A","players":[{"player":"a"}]},{"name":"B","players":[{"player":"b"}]}]}"#;

/// One match of a tournament that a won.
fn played() -> Followed {
    let followed = Followed::new();
    let season = r#"{"name":"Cup","game":"cs2","season":"one"}"#;
    followed.append(&event("tournament/cup", "1", 1, "tournament.announced", season));
    followed.append(&event("match/m", "1", 2, "match.scheduled", TEAMS));
    followed.append(&event("match/m", "2", 3, "series.ended", r#"{"winner":0}"#));
    assert!(followed.report().is_clean());
    followed
}

#[test]
fn a_report_says_who_and_what() {
    let followed = played();
    followed.tamper(|rows| {
        let key = rows_with(rows, ACTIVITIES, "match_won").remove(0).key;
        rows.delete(ACTIVITIES, &key).unwrap();
    });
    let report = followed.report();
    assert_eq!((report.players, report.sources, report.activities), (2, 2, 3));
    assert_eq!((report.drifted_players, report.drifted_sources), (1, 1));
    let drift = &report.in_sources[0];
    assert_eq!((drift.source.id.as_str(), drift.differences.len()), ("m", 2));
    let lost = drift.differences.iter().find(|it| it.kind == "match_won").unwrap();
    assert_eq!((lost.player.as_str(), &lost.stored), ("a", &None));
    assert_eq!(lost.right.as_ref().unwrap().against, ["b"]);
    assert!((report.share() - 0.5).abs() < 1e-9);
    let rows = &report.in_players[0];
    assert_eq!(rows.player, "a");
    let told: Vec<(&str, &str)> = rows.rows.iter().map(|row| (row.table, &*row.of)).collect();
    let spans = ["cs2", "cs2, season one", "cs2, tournament cup"];
    assert_eq!(told[..3], spans.map(|span| ("records", span)));
    assert_eq!(told[3], ("versus", "cs2 against b"));
    assert_eq!(told[4], ("boards", "cs2, solo and in teams, with 1 won"));
    let all = "solo and in teams for the player";
    assert_eq!(rows.rows[0].stored.as_ref().unwrap()[all]["won"], 1);
    assert_eq!(rows.rows[0].right.as_ref().unwrap()[all]["won"], 0);
    assert!(reconcile(&followed, Some("b")).unwrap().report.is_clean());
    assert!(!reconcile(&followed, Some("a")).unwrap().report.is_clean());
    followed.repair(Some("a"));
}

#[test]
fn a_rating_that_was_changed_is_told_and_folded_again() {
    let followed = played();
    for table in [COURSES, LADDERS] {
        followed.tamper(|rows| {
            let key = all_rows(rows, table).remove(0).key;
            rows.delete(table, &key).unwrap();
        });
        let report = followed.report();
        assert_eq!((report.drifted_players, report.drifted_sources), (1, 0), "{report:#?}");
        let row = &report.in_players[0].rows[0];
        assert_eq!((row.table, &row.stored), (table.name(), &None));
        assert!(row.right.is_some() && row.of.starts_with("cs2"), "{row:?}");
        let (player, other) = (&report.in_players[0].player, ["b", "a"]);
        let other = other[usize::from(player == "b")];
        assert!(reconcile(&followed, Some(other)).unwrap().report.is_clean());
        followed.repair(Some(player));
    }
}

#[test]
fn whom_the_log_has_forgotten_stays_forgotten_and_nobody_else_is() {
    for is_stray in [false, true] {
        let followed = played();
        // What admission keeps for the server.
        let attributes = Attributes::of("1", "matchwire", "player/a", "player.erased");
        followed.append(&Event::new(&attributes, "{}").unwrap());
        let whole = followed.report();
        assert!(whole.is_clean(), "{whole:#?}");
        assert_eq!((whole.players, whole.activities), (1, 2));
        followed.tamper(|rows| {
            let marks = all_rows(rows, FORGOTTEN);
            assert_eq!(marks.len(), 1);
            if is_stray {
                rows.put(FORGOTTEN, b"b\0\x01", b"").unwrap();
            } else {
                rows.delete(FORGOTTEN, &marks[0].key).unwrap();
            }
        });
        let report = followed.report();
        let player = if is_stray { "b" } else { "a" };
        assert_eq!((report.drifted_players, report.drifted_sources), (1, 0), "{report:#?}");
        let told = &report.in_players[0];
        assert_eq!(
            (&*told.player, told.rows[0].table, &*told.rows[0].of),
            (player, "forgotten", player)
        );
        assert_eq!(told.rows[0].right.is_some(), !is_stray);
        // Nothing of what was done by somebody who is forgotten.
        assert!(!format!("{report:?}").contains("match_won"), "{report:#?}");
        assert!(reconcile(&followed, Some("c")).unwrap().report.is_clean());
        followed.repair((!is_stray).then_some("a"));
        assert_eq!(followed.report().activities, 2);
    }
}

#[test]
fn whoever_is_forgotten_is_a_removal_of_which_nothing_may_be_left() {
    let followed = played();
    let removals = || Players::new(followed.log.clone()).removals(&*followed.snapshot()).unwrap();
    assert_eq!(removals(), 0);
    for (player, expected) in [("a", 1), ("a", 1), ("b", 2)] {
        let subject = format!("player/{player}");
        let id = format!("{player}{expected}");
        let attributes = Attributes::of(id, "matchwire", &subject, "player.erased");
        followed.append(&Event::new(&attributes, "{}").unwrap());
        assert_eq!(removals(), expected);
    }
}

fn rows_with(of: &dyn Transaction, table: Table, text: &str) -> Vec<Row> {
    let mut all = all_rows(of, table);
    all.retain(|row| String::from_utf8_lossy(&row.key).contains(text));
    all
}

#[test]
fn what_is_noted_of_tournaments_is_compared_too() {
    for (table, key) in [(MATCHES, "cup"), (TOURNAMENTS, "cup")] {
        let followed = played();
        followed.tamper(|rows| {
            let key = rows_with(rows, table, key).remove(0).key;
            rows.delete(table, &key).unwrap();
        });
        let report = followed.report();
        assert_eq!((report.drifted_sources, report.drifted_players), (1, 0), "{report:#?}");
        assert!((report.share() - 0.5).abs() < 1e-9, "{report:#?}");
        followed.repair(None);
    }
    let followed = played();
    followed.tamper(|rows| {
        let row = all_rows(rows, TOURNAMENTS).remove(0);
        rows.put(TOURNAMENTS, b"other\0\x01", &row.value).unwrap();
    });
    assert_eq!(followed.report().drifted_sources, 1);
    followed.repair(None);
}

/// Matches that nobody has told, with everything that ratings have of one, or in part.
#[test]
fn a_match_that_is_not_in_the_log_is_found_and_taken_out() {
    let forge = |byte: &u8| if *byte == b'm' { b'n' } else { *byte };
    let forged = |text: &[u8]| -> Vec<u8> { text.iter().map(forge).collect() };
    for tables in [&[PLACES, BOUTS, COURSES][..], &[PLACES, BOUTS], &[PLACES], &[BOUTS], &[MATCHES]]
    {
        let followed = played();
        let before = followed.snapshot().range(COURSES, &Keys::all(), Order::Ascending, 9).unwrap();
        followed.tamper(|rows| {
            for table in tables {
                for row in rows_with(rows, *table, "m") {
                    let value = String::from_utf8_lossy(&row.value).replace("\"m\"", "\"n\"");
                    rows.put(*table, &forged(&row.key), value.as_bytes()).unwrap();
                }
            }
        });
        let report = followed.report();
        assert!(!report.is_clean(), "{tables:?}: {report:#?}");
        followed.repair(None);
        let after = followed.snapshot().range(COURSES, &Keys::all(), Order::Ascending, 9).unwrap();
        assert_eq!(before, after, "{tables:?}");
    }
}

#[test]
fn keys_that_make_no_sense_are_taken_out() {
    for table in [FORGOTTEN, MATCHES, TOURNAMENTS, PLACES] {
        for key in [&b"x"[..], b"b\0\x01zz", b"cup\0\x01m\0\x01zz"] {
            let followed = played();
            followed.tamper(|rows| rows.put(table, key, b"").unwrap());
            assert_eq!(followed.report().stray_rows, 1, "{table:?} {key:?}");
            followed.repair(None);
        }
    }
}

/// A view whose transactions fail after so many changes.
struct Failing<'a> {
    view: &'a dyn StoredView,
    left: AtomicUsize,
}

struct Failed<'a> {
    rows: Box<dyn Transaction + 'a>,
    left: &'a AtomicUsize,
}

impl Failed<'_> {
    fn count(&self) -> Result<(), Error> {
        let spent =
            self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        spent.map(drop).map_err(|_| Error::Full { place: "the disk".into() })
    }
}

impl StoredView for Failing<'_> {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error> {
        self.view.snapshot()
    }

    fn snapshots(&self, count: usize) -> Result<Vec<Box<dyn Snapshot>>, Error> {
        self.view.snapshots(count)
    }

    fn begin(&self, expected: Option<&str>) -> Result<Box<dyn Transaction + '_>, Error> {
        Ok(Box::new(Failed { rows: self.view.begin(expected)?, left: &self.left }))
    }

    fn purge(&self) -> Result<(), Error> {
        self.view.purge()
    }

    fn size(&self) -> Result<Size, Error> {
        self.view.size()
    }
}

impl Transaction for Failed<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.rows.get(table, key)
    }

    fn range(
        &self,
        table: Table,
        keys: &Keys,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        self.rows.range(table, keys, order, limit)
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), Error> {
        self.count()?;
        self.rows.put(table, key, value)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), Error> {
        self.count()?;
        self.rows.delete(table, key)
    }

    fn commit(self: Box<Self>, position: &str) -> Result<(), Error> {
        self.count()?;
        self.rows.commit(position)
    }
}

#[test]
fn a_repair_that_ends_anywhere_leaves_a_view_that_is_no_worse() {
    let mut rng = rng();
    let (world, mut followed) = told(&mut rng);
    let mut changes = 0;
    loop {
        let before = loop {
            followed.tamper(|rows| {
                (0..3).for_each(|_| {
                    spoil(&mut rng, rows);
                });
            });
            let report = followed.report();
            if !report.is_clean() {
                break report;
            }
        };
        let found = reconcile(&followed, None).unwrap();
        let stored = followed.stored();
        let failing = Failing { view: &*stored, left: AtomicUsize::new(changes) };
        let fixed = fix(&followed, &failing, &found);
        drop(stored);
        // Whoever follows the view goes on with ratings that are not folded when there is an event, or at a start.
        followed.restarted();
        let after = followed.report();
        assert!(after.drifted_players <= before.drifted_players, "{after:#?}");
        assert!(after.stray_rows <= before.stray_rows, "{after:#?}");
        assert!(after.drifted_sources <= before.drifted_sources, "{after:#?}");
        if fixed.is_ok() {
            assert!(after.is_clean(), "{after:#?}");
        } else if !after.is_clean() {
            followed.repair(None);
        }
        check(&*followed.snapshot(), &world.statistics(), MAX_PAGE);
        if fixed.is_ok() && changes > 60 {
            break;
        }
        changes += 1 + changes / 3;
    }
}
