//! `matchwire log stats`: what the log takes and holds.

use std::fmt::Write as _;

use anyhow::Context as _;
use indicatif::HumanBytes;
use matchwire_embedded::{Files, Stats, stats};
use serde_json::{Value, json};

use super::{folder, print};
use crate::cli::LogData;

/// Runs the command.
pub(super) fn run(args: &LogData) -> anyhow::Result<()> {
    let folder = folder(&args.data);
    let stats =
        stats(&folder).with_context(|| format!("cannot read the log in {}", folder.display()))?;
    print(&if args.json { format!("{}\n", as_json(&stats)) } else { report(&stats) })?;
    Ok(())
}

fn report(stats: &Stats) -> String {
    let mut out = format!("log         {}\n", stats.log_id);
    // Writing to a string cannot fail.
    for fork in stats.lineage.forks() {
        let _ = writeln!(out, "history     {} from group {}", fork.id, fork.position);
    }
    for (name, Files { count, bytes }) in kinds(stats) {
        let _ = writeln!(out, "{name:<11} {count} files, {}", HumanBytes(bytes));
    }
    let _ = writeln!(out, "on disk     {}", HumanBytes(stats.disk_bytes()));
    let _ = writeln!(out, "stored      {} of events", HumanBytes(stats.stored_bytes));
    if let Some(ratio) = ratio(stats) {
        let _ = writeln!(out, "ratio       {ratio:.3} on disk / stored");
    }
    let _ = writeln!(out, "events      {} in {} streams", stats.events, stats.streams);
    if stats.archived_events > 0 {
        let Files { count, bytes } = stats.archived;
        let (events, bytes) = (stats.archived_events, HumanBytes(bytes));
        let _ = writeln!(out, "archived    {events} of the events, {count} objects, {bytes}");
    }
    if stats.trimmed_events > 0 {
        let _ = writeln!(out, "trimmed     {} events more", stats.trimmed_events);
    }
    if let Some((oldest, newest)) = stats.recorded {
        let _ = writeln!(out, "recorded    {oldest} to {newest}");
    }
    if stats.missing_groups > 0 {
        let _ = writeln!(out, "missing     {} groups; see log verify", stats.missing_groups);
    }
    out
}

fn as_json(stats: &Stats) -> Value {
    let kind = |(name, Files { count, bytes }): (&str, Files)| {
        (name.to_owned(), json!({"count": count, "bytes": bytes}))
    };
    let files: serde_json::Map<_, _> = kinds(stats).into_iter().map(kind).collect();
    let (oldest, newest) = stats.recorded.unzip();
    json!({
        "log_id": stats.log_id,
        "lineage": stats.lineage,
        "files": files,
        "disk_bytes": stats.disk_bytes(),
        "stored_bytes": stats.stored_bytes,
        "ratio": ratio(stats),
        "events": stats.events,
        "archived_events": stats.archived_events,
        "archived_bytes": stats.archived.bytes,
        "trimmed_events": stats.trimmed_events,
        "streams": stats.streams,
        "oldest": oldest.map(|time| time.to_string()),
        "newest": newest.map(|time| time.to_string()),
        "missing_groups": stats.missing_groups,
    })
}

fn kinds(stats: &Stats) -> [(&'static str, Files); 3] {
    [("sealed", stats.sealed), ("segments", stats.segments), ("other", stats.other)]
}

/// Bytes on disk for each stored byte; nothing without events.
fn ratio(stats: &Stats) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "it is told with a few digits")]
    let ratio = stats.disk_bytes() as f64 / stats.stored_bytes as f64;
    (stats.stored_bytes > 0).then_some(ratio)
}
