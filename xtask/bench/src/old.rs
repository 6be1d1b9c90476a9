//! Events that grow old: what their files take before, once they are in an archive, and once they are
//! trimmed; how long that takes, and a read from the archive.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use matchwire_archive::Parquet;
use matchwire_domain::{subject::Subject, timestamp::Timestamp};
use matchwire_embedded::{
    Lifecycle, Options, Retention, Rule, Segments, archive::Archive, disk::Directory,
};
use matchwire_log::{Clock as _, Medium as _, SystemClock};

use crate::{
    fill::Fill,
    statistics::{float, grouped, percentile},
};

/// Events go to so many streams, so many at a time.
const FILL: Fill = Fill { streams: 20_000, batch_events: 20 };
/// How many streams are read from the archive.
const READS: u64 = 200;
/// All events are past this age by then.
const LATER: Duration = Duration::from_hours(1);

/// Fills a log, and lets it grow old.
pub(crate) async fn run(dir: &Path, events: u64) -> anyhow::Result<()> {
    let data = tempfile::Builder::new().prefix("matchwire-bench-").tempdir_in(dir)?;
    let (log, place) = (data.path().join("log"), data.path().join("archive"));
    std::fs::create_dir(&log)?;
    FILL.add(&log, 0..events, 0).await?;
    let place = place.to_str().context("the path is text")?.to_owned();
    tokio::task::spawn_blocking(move || {
        let archive: Arc<dyn Archive> = Arc::new(Parquet::open(&place)?);
        archived(&log, archive)?;
        trimmed(&log, Parquet::open(&place)?)
    })
    .await?
}

fn open(log: &Path, lifecycle: Lifecycle) -> anyhow::Result<Segments> {
    let options = Options { background: false, ..Options::default() };
    Ok(Segments::open_with(Arc::new(Directory::open(log)?), options, lifecycle)?)
}

/// Does all that is due in an hour, and says how long it took.
fn age(segments: &Segments) -> anyhow::Result<f64> {
    let now = Timestamp::from_ms(SystemClock.now().ms() + i64::try_from(LATER.as_millis())?);
    let begun = Instant::now();
    while segments.age(now)? || segments.maintain()? {}
    Ok(begun.elapsed().as_secs_f64())
}

fn archived(log: &Path, archive: Arc<dyn Archive>) -> anyhow::Result<()> {
    let (archive, archive_after) = (Some(archive), Some(Duration::from_mins(1)));
    let segments = open(log, Lifecycle { archive, archive_after, ..Lifecycle::default() })?;
    let before = segments.storage();
    let took_s = age(&segments)?;
    let after = segments.storage();
    let events = float(after.archived_events);
    ensure!(after.archived_events == before.sealed_events, "all sealed events are archived");
    println!(
        "old       {} events of {:.0} stored bytes, {:.1} on disk; in the archive {:.1} there and \
         {:.1} here; {} events/s, read back",
        grouped(events),
        float(before.stored_bytes) / events,
        float(before.sealed.bytes) / events,
        float(after.archived.bytes) / events,
        float(after.sealed.bytes) / events,
        grouped(events / took_s),
    );
    drop(segments);
    // Without what is in memory of it.
    let place = after.archived.count;
    let segments = open(log, lifecycle_of(log)?)?;
    let mut times = Vec::new();
    for number in 0..READS {
        let name = FILL.name(number * (FILL.streams / READS));
        let subject = Subject::parse(&format!("match/{name}/1"))?;
        let begun = Instant::now();
        let records = segments.read(&subject, 0, 1_000, 4 << 20)?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        ensure!(!records.is_empty(), "{subject} is read");
    }
    times.sort_by(f64::total_cmp);
    println!(
        "          a stream from {place} objects in a directory: p50 {:.1} ms, p99 {:.1} ms",
        percentile(&times, 50),
        percentile(&times, 99),
    );
    Ok(())
}

fn lifecycle_of(log: &Path) -> anyhow::Result<Lifecycle> {
    let place = log.with_file_name("archive");
    let archive = Parquet::open(place.to_str().context("the path is text")?)?;
    Ok(Lifecycle { archive: Some(Arc::new(archive)), ..Lifecycle::default() })
}

fn trimmed(log: &Path, archive: Parquet) -> anyhow::Result<()> {
    let rule = Rule { pattern: "match/**".parse()?, age: Some(Duration::from_mins(1)) };
    let retention = Retention::new(vec![rule]);
    let archive: Option<Arc<dyn Archive>> = Some(Arc::new(archive));
    let segments = open(log, Lifecycle { retention, archive, archive_after: None })?;
    let took_s = age(&segments)?;
    let after = segments.storage();
    let events = float(after.trimmed_events);
    ensure!(after.sealed_events == 0, "all sealed events are trimmed");
    println!(
        "          trimmed: {:.1} bytes on disk for an event; {} events/s",
        float(after.sealed.bytes) / events,
        grouped(events / took_s),
    );
    Ok(())
}
