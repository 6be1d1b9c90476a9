//! `matchwire backup` and `matchwire restore`: a copy of the data directory, and back.

mod restore;

use std::{
    io::IsTerminal as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::Args;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use matchwire_backup::{Round, Safe, Store, Told};
use serde_json::json;

use crate::serve::told_to_stop;
pub(crate) use restore::{Restore, run as run_restore};

/// `matchwire backup`.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The data directory; the server may be running
    #[arg(long, env = "MATCHWIRE_DATA", value_name = "DIR")]
    data: PathBuf,
    /// Where the back-up is kept: a directory, or s3://BUCKET/PREFIX with the usual AWS_* variables
    #[arg(long, env = "MATCHWIRE_BACKUP", value_name = "PLACE")]
    to: String,
    #[command(flatten)]
    safe: SafePlace,
    /// Go on until Ctrl-C or SIGTERM, then copy what is new and end
    #[arg(long)]
    follow: bool,
    /// How often to look for what is new, with --follow: 500ms, 1s, 5m
    #[arg(long, env = "MATCHWIRE_BACKUP_EVERY", default_value = "1s", value_parser = duration)]
    every: Duration,
    /// Print what it came to as JSON; with --follow a line whenever something was copied
    #[arg(long)]
    json: bool,
}

/// Where the keys of a back-up are.
#[derive(Debug, Args)]
struct SafePlace {
    /// Where the keys of the vault's back-up are and the ledger of erasures, which nobody copies nor sets back: a directory or
    /// s3://BUCKET/PREFIX; PLACE.safe if this is not given
    #[arg(long, env = "MATCHWIRE_BACKUP_SAFE", value_name = "PLACE")]
    safe: Option<String>,
}

impl SafePlace {
    /// The place that was named, or the one beside a back-up.
    fn of(&self, backup: &str) -> Result<String, matchwire_backup::Error> {
        self.safe.clone().map_or_else(|| Safe::beside(backup), Ok)
    }
}

/// Runs the command.
pub(crate) async fn run(args: &Backup) -> anyhow::Result<()> {
    let cannot = || format!("cannot back up {}", args.data.display());
    let store = Store::create(&args.to).with_context(cannot)?;
    let safe =
        args.safe.of(&args.to).and_then(|place| Safe::create(&place)).with_context(cannot)?;
    let mut backup =
        matchwire_backup::Backup::open(&args.data, store, safe).await.with_context(cannot)?;
    let mut status = Status::new(args);
    if args.follow {
        let mut told = |told: Told<'_>| status.told(&told);
        let last = matchwire_backup::follow(&mut backup, args.every, told_to_stop(), &mut told);
        let last = last.await.with_context(cannot)?;
        status.bar.finish_and_clear();
        if !args.json {
            println!("{}", sentence(&last, &args.to));
        }
        return Ok(());
    }
    let mut step = |step: &Round| status.bar.set_message(line(step));
    let copied_bytes = backup.round(&mut step).await.with_context(cannot)?.copied_bytes;
    backup.tidy().await.with_context(cannot)?;
    // What was written while the first part was copied, too.
    let last = backup.round(&mut |_| ()).await.with_context(cannot)?;
    let last = Round { copied_bytes: copied_bytes + last.copied_bytes, ..last };
    status.bar.finish_and_clear();
    if args.json {
        println!("{}", json_of(&last));
    } else {
        println!("{}", sentence(&last, &args.to));
    }
    Ok(())
}

/// What is told while it goes on.
struct Status {
    bar: ProgressBar,
    json: bool,
    /// When everything was in the back-up.
    as_of: Instant,
    has_failed: bool,
    is_first: bool,
}

impl Status {
    fn new(args: &Backup) -> Self {
        let is_shown = !args.json && std::io::stderr().is_terminal();
        let bar = if is_shown { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        Self { bar, json: args.json, as_of: Instant::now(), has_failed: false, is_first: true }
    }

    fn told(&mut self, told: &Told<'_>) {
        match told {
            Told::Done(round) => {
                self.as_of = round.as_of;
                self.bar.set_message(line(round));
                if self.json && (round.copied_bytes > 0 || self.is_first) {
                    println!("{}", json_of(round));
                }
                if std::mem::take(&mut self.has_failed) {
                    self.bar.suspend(|| tracing::info!("the back-up goes on"));
                }
                self.is_first = false;
            }
            Told::Failed(error, wait) => {
                self.has_failed = true;
                let at_risk_s = self.as_of.elapsed().as_secs();
                let wait_ms = wait.as_millis();
                let error = chain(error);
                self.bar.suspend(|| {
                    tracing::error!(error, at_risk_s, wait_ms, "the back-up waits to try again");
                });
            }
        }
    }
}

fn line(round: &Round) -> String {
    format!(
        "position {}, {:.1} s behind, {} in {} objects",
        round.next.saturating_sub(1),
        round.as_of.elapsed().as_secs_f64(),
        HumanBytes(round.bytes),
        round.objects
    )
}

fn sentence(round: &Round, to: &str) -> String {
    let Round { next, recorded, copied_bytes, objects, bytes, .. } = *round;
    format!(
        "{to} has the log up to position {} of {recorded}: {} in {objects} objects, {} of it new",
        next.saturating_sub(1),
        HumanBytes(bytes),
        HumanBytes(copied_bytes)
    )
}

fn json_of(round: &Round) -> serde_json::Value {
    json!({
        "position": round.next.saturating_sub(1),
        "recordedtime": round.recorded,
        "behind_ms": u64::try_from(round.as_of.elapsed().as_millis()).unwrap_or(u64::MAX),
        "copied_bytes": round.copied_bytes,
        "bytes": round.bytes,
        "objects": round.objects,
        "key_day": round.key_day,
        "erasures": round.erasures,
    })
}

/// An error with its reasons, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// A time like 500ms, 1s or 5m, more than none.
fn duration(text: &str) -> Result<Duration, String> {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let unit_ms = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        _ => None,
    };
    let number = number.parse::<u64>().ok().filter(|number| *number > 0);
    let ms = number.zip(unit_ms).and_then(|(number, unit_ms)| number.checked_mul(unit_ms));
    ms.map(Duration::from_millis).ok_or_else(|| "must be like 500ms, 1s or 5m".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let check = |text| duration(text).ok().map(|time| time.as_millis());
        assert_eq!(["500ms", "1s", "5m"].map(check), [Some(500), Some(1_000), Some(300_000)]);
        assert_eq!(["0s", "1", "s", "1h", "-1s", ""].map(check), [None; 6]);
    }
}
