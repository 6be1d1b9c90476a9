//! The view of players: how fast a history of results of teams is taken in, what it takes on the disk, how long a page of a feed
//! and one more result take; how long it takes to compare it
//! with the log; next to the same activities in plain SQLite, with a unique index and triggers that count.

use std::{
    num::NonZero,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use matchwire_domain::{
    envelope::{Attributes, Event},
    subject::Subject,
    timestamp::Timestamp,
};
use matchwire_embedded::{Options, Segments, SqliteViews};
use matchwire_log::{
    Append, Log, SystemClock,
    projection::{self, Reader, Runner},
    view_store::{Error, Snapshot, ViewStore as _},
};
use matchwire_players::rights::Grain;
use matchwire_players::view::{
    Feed, Filter, MAX_PAGE, Players,
    reconcile::{Done, Sight, reconcile},
};
use rusqlite::{Connection, params};

use crate::{
    machine::cpu_s,
    statistics::{float, grouped, percentile},
};

/// How many teams of five there are.
const TEAMS: u64 = 400;
const MEMBERS: u64 = 5;
/// Activities of a match: who played, and won or lost.
const PER_MATCH: u64 = 2 * 2 * MEMBERS;
/// Matches in one append.
const BATCH: u64 = 500;
const PAGES: u64 = 2_000;
const RESULTS: u64 = 200;
const LATE_RESULTS: u64 = 50;
/// How often a result comes while the view is compared.
const TRAFFIC: Duration = Duration::from_millis(60);

/// Prints what this machine does with about so many activities.
pub(crate) async fn run(dir: &Path, activities: u64) -> anyhow::Result<()> {
    let matches = activities / PER_MATCH;
    let folder = tempfile::tempdir_in(dir)?;
    let segments = Segments::open(&folder.path().join("log"), Options::default())?;
    let log = Log::open(Box::new(segments), Arc::new(SystemClock))?;
    for first in (0..matches).step_by(usize::try_from(BATCH)?) {
        append(&log, first..matches.min(first + BATCH)).await?;
    }
    let store = Arc::new(SqliteViews::open(&folder.path().join("views"))?);
    let (begun, before_s) = (Instant::now(), cpu_s("self"));
    let view = Arc::new(Players::new(log.clone()));
    let runner = Runner::start(&log, store.clone(), view, projection::Options::default())?;
    let reader = runner.reader();
    reader.catch_up().await;
    let (took, worked_s) = (begun.elapsed(), cpu_s("self") - before_s);
    let size = store.list()?.first().map(|stored| stored.size).unwrap_or_default();
    let count = matches * PER_MATCH;
    println!(
        "players   {} activities of {} matches: {}/s, {:.2} ms of processor time a match; {} bytes an activity on the disk",
        grouped(float(count)),
        grouped(float(matches)),
        grouped(float(count) / took.as_secs_f64()),
        worked_s * 1_000.0 / float(matches),
        size.bytes / count
    );
    let before_s = cpu_s("self");
    let plain = plain(&folder.path().join("plain.sqlite"), matches)?;
    println!(
        "players   plain SQLite with a unique index and triggers: {}/s, {:.2} ms of processor time; {} bytes an activity",
        grouped(plain.0),
        (cpu_s("self") - before_s) * 1_000.0 / float(matches),
        plain.1 / count
    );
    pages(&reader)?;
    let next = compare(&log, &reader, matches + LATE_RESULTS).await?;
    results(&log, &reader, "one more result", next..next + RESULTS).await?;
    results(&log, &reader, "a result that is late", matches..matches + LATE_RESULTS).await
}

/// How long it takes until each of some results can be read.
async fn results(
    log: &Log,
    reader: &Reader,
    what: &str,
    matches: std::ops::Range<u64>,
) -> anyhow::Result<()> {
    let mut results = Vec::new();
    for n in matches {
        append(log, n..n + 1).await?;
        let begun = Instant::now();
        reader.catch_up().await;
        results.push(begun.elapsed());
        tokio::time::sleep(TRAFFIC).await;
    }
    results.sort_unstable();
    println!(
        "players   {what} is in the view after {:.1?}, the 99th percentile {:.1?}",
        percentile(&results, 50),
        percentile(&results, 99)
    );
    Ok(())
}

/// How the view and the log are seen while both go on.
struct Both {
    log: Log,
    reader: Reader,
}

impl Sight for Both {
    fn views(&self, count: usize) -> Result<Vec<Box<dyn Snapshot>>, Error> {
        let failed = |what: String| Error::Failed { place: "the view".into(), what };
        self.reader.snapshots(count).map_err(|error| failed(error.to_string()))
    }

    fn threads(&self) -> usize {
        thread::available_parallelism().map_or(1, NonZero::get)
    }

    fn log(&self) -> Result<Log, Error> {
        Ok(self.log.clone())
    }

    fn wait_for(&self, group: u64) {
        while self.reader.status().position < group {
            std::thread::yield_now();
        }
    }

    fn worked(&self, _: Done) -> Result<(), Error> {
        Ok(())
    }
}

/// Compares everything with the log, while results come at a steady pace, and gives the number of the next one.
async fn compare(log: &Log, reader: &Reader, first: u64) -> anyhow::Result<u64> {
    let both = Both { log: log.clone(), reader: reader.clone() };
    let begun = Instant::now();
    let compared = tokio::task::spawn_blocking(move || reconcile(&both, None));
    let mut next = first;
    while !compared.is_finished() {
        append(log, next..next + 1).await?;
        next += 1;
        tokio::time::sleep(TRAFFIC).await;
    }
    let report = compared.await??.report;
    let took = begun.elapsed();
    anyhow::ensure!(report.is_clean(), "nothing is wrong: {report:?}");
    println!(
        "players   {} activities of {} players compared with {} matches of the log in {:.1?}, beside {} new results",
        grouped(float(report.activities)),
        grouped(float(report.players)),
        grouped(float(report.sources)),
        took,
        next - first
    );
    Ok(next)
}

/// Appends matches that are over.
async fn append(log: &Log, matches: std::ops::Range<u64>) -> anyhow::Result<()> {
    let appends = matches.map(|n| {
        // In the order of their names, as a build reads them: results that come in the order of time.
        let subject = Subject::parse(&format!("match/m{n:08}"))?;
        let time = Timestamp::from_ms(1_767_225_600_000 + n.cast_signed() * 1_000).to_string();
        let (one, other) = sides(n);
        let teams = format!(r#"{{"game":"cs2","teams":[{},{}]}}"#, team(one), team(other));
        let event = |id: &str, kind: &str, data: &str| -> anyhow::Result<Event> {
            let attributes = Attributes {
                time: Some(time.as_str().into()),
                ..Attributes::of(id.to_owned(), "bench", subject.as_str(), kind)
            };
            Ok(Event::new(&attributes, data)?)
        };
        let winner = format!(r#"{{"winner":{}}}"#, n % 2);
        let events =
            vec![event("1", "match.scheduled", &teams)?, event("2", "series.ended", &winner)?];
        Ok(Append {
            subject: subject.clone(),
            events,
            expected_seq: None,
            received: Instant::now(),
        })
    });
    let appends: anyhow::Result<Vec<Append>> = appends.collect();
    for result in log.append(appends?).await? {
        result?;
    }
    Ok(())
}

fn sides(n: u64) -> (u64, u64) {
    let one = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let (one, step) = (one % TEAMS, 1 + one / TEAMS % (TEAMS - 1));
    (one, (one + step) % TEAMS)
}

fn members(team: u64) -> impl Iterator<Item = String> {
    (0..MEMBERS).map(move |member| format!("p{}", team * MEMBERS + member))
}

fn team(team: u64) -> String {
    let members: Vec<String> =
        members(team).map(|player| format!(r#"{{"player":"{player}"}}"#)).collect();
    format!(r#"{{"name":"T{team}","id":"t{team}","players":[{}]}}"#, members.join(","))
}

fn pages(reader: &Reader) -> anyhow::Result<()> {
    let filter = Filter::default();
    let mut took = Vec::new();
    for n in 0..PAGES {
        let player = format!("p{}", n.wrapping_mul(7_919) % (TEAMS * MEMBERS));
        let begun = Instant::now();
        let snapshot = reader.snapshot()?;
        let feed = Feed::new(&*snapshot, &player, &filter, Grain::Match);
        let first = feed.page(None, MAX_PAGE, |_| anyhow::Ok(false))?;
        took.push(begun.elapsed());
        anyhow::ensure!(first.activities.len() <= MAX_PAGE, "a page has its size");
    }
    took.sort_unstable();
    println!(
        "players   a page of {MAX_PAGE} of a feed: {:.0?}, the 95th percentile {:.0?}",
        percentile(&took, 50),
        percentile(&took, 95)
    );
    Ok(())
}

/// The same activities in a table with a unique index, counted by triggers, a transaction for each thousand
/// matches: activities per second, and bytes.
fn plain(path: &Path, matches: u64) -> anyhow::Result<(f64, u64)> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384;
         CREATE TABLE activities (player TEXT, model TEXT, source TEXT, type TEXT, revision INT, time INT, detail TEXT);
         CREATE UNIQUE INDEX key ON activities (player, model, source, type, revision);
         CREATE INDEX feed ON activities (player, time);
         CREATE TABLE counts (player TEXT, type TEXT, n INT, PRIMARY KEY (player, type)) WITHOUT ROWID;
         CREATE TRIGGER counted AFTER INSERT ON activities BEGIN
           INSERT INTO counts VALUES (new.player, new.type, 1)
             ON CONFLICT (player, type) DO UPDATE SET n = n + 1;
         END;",
    )?;
    let begun = Instant::now();
    for first in (0..matches).step_by(1_000) {
        let transaction = connection.unchecked_transaction()?;
        {
            let sql = "INSERT OR IGNORE INTO activities VALUES (?1, 'match', ?2, ?3, 1, ?4, ?5)";
            let mut insert = transaction.prepare_cached(sql)?;
            for n in first..matches.min(first + 1_000) {
                let (one, other) = sides(n);
                let source = format!("m{n}");
                for (at, (own, against)) in [(one, other), (other, one)].into_iter().enumerate() {
                    let result = if at as u64 == n % 2 { "match_won" } else { "match_lost" };
                    let against: Vec<String> = members(against).collect();
                    let detail = format!(r#"{{"team":"t{own}","against":{against:?}}}"#);
                    for player in members(own) {
                        insert.execute(params![
                            player,
                            source,
                            "match_played",
                            n.cast_signed(),
                            detail
                        ])?;
                        insert.execute(params![player, source, result, n.cast_signed(), detail])?;
                    }
                }
            }
        }
        transaction.commit()?;
    }
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    let rate = float(matches * PER_MATCH) / begun.elapsed().as_secs_f64();
    Ok((rate, std::fs::metadata(path)?.len()))
}
