//! `matchwire restore`.

use std::{io::IsTerminal as _, path::PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use matchwire_backup::{People, Restored, Safe, Store, Wanted};
use matchwire_domain::timestamp::Timestamp;
use serde_json::json;

use super::SafePlace;

/// `matchwire restore`.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// Where the back-up is: a directory, or s3://BUCKET/PREFIX with the usual AWS_* variables
    #[arg(long, env = "MATCHWIRE_BACKUP", value_name = "PLACE")]
    from: String,
    #[command(flatten)]
    safe: SafePlace,
    /// The data directory to make; it must not exist, or be empty
    #[arg(long, env = "MATCHWIRE_DATA", value_name = "DIR")]
    data: PathBuf,
    /// Leave out what was recorded after this time, like 2026-01-19T18:55:38Z
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    to_time: Option<Timestamp>,
    /// Restore the log alone, when the key of the vault is gone: nobody's account, name or text can be read any more
    #[arg(long)]
    without_vault: bool,
    /// Print what was restored as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(args: &Restore) -> anyhow::Result<()> {
    let cannot = || format!("cannot restore {}", args.from);
    let store = Store::open(&args.from).with_context(cannot)?;
    let safe_place = args.safe.of(&args.from).with_context(cannot)?;
    let safe = Safe::open(&safe_place).with_context(cannot)?;
    let is_shown = !args.json && std::io::stderr().is_terminal();
    let bar = if is_shown { ProgressBar::new(0) } else { ProgressBar::hidden() };
    if let Ok(style) =
        ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {elapsed} {msg}")
    {
        bar.set_style(style);
    }
    let mut progress = |bytes: u64, total_bytes: u64| {
        bar.set_length(total_bytes);
        bar.set_position(bytes);
        if bytes == total_bytes {
            bar.set_message("verifying");
        }
    };
    let wanted = Wanted { to_time: args.to_time, without_vault: args.without_vault };
    let restored = matchwire_backup::restore(&store, &safe, &args.data, wanted, &mut progress);
    let restored = restored.await;
    bar.finish_and_clear();
    let restored = restored.with_context(cannot)?;
    if args.json {
        println!("{}", json_of(&restored));
    } else {
        print(&restored, args);
        print_people(&restored.people, &safe_place);
    }
    let damage = &restored.verified.damage;
    if let Some(first) = damage.first() {
        bail!(
            "the log was damaged already when it was backed up, in {} places: {} at byte {}: {}",
            damage.len(),
            first.file,
            first.offset,
            first.what
        );
    }
    Ok(())
}

fn json_of(restored: &Restored) -> serde_json::Value {
    let Restored { manifest, log, verified, people } = restored;
    json!({
        "events": verified.events,
        "streams": verified.streams,
        "position": log.position - 1,
        "recordedtime": log.recorded,
        "lineage": log.identity.lineage().current(),
        "lineage_before": manifest.log.lineage().current(),
        "left_out_positions": manifest.next - log.position,
        "left_out_from": log.cut,
        "backup_made": manifest.made,
        "backup_recordedtime": manifest.recorded,
        "damage": verified.damage.len(),
        "key_day": people.key_day,
        "erasures": people.erasures,
        "erased_again": people.erased_again,
    })
}

fn print(restored: &Restored, args: &Restore) {
    let Restored { manifest, log, verified, .. } = restored;
    println!(
        "{} has {} events in {} streams, up to position {}, recorded by {}; all was verified",
        args.data.display(),
        verified.events,
        verified.streams,
        log.position - 1,
        log.recorded
    );
    println!(
        "Its lineage is {}; before it was {}",
        log.identity.lineage().current(),
        manifest.log.lineage().current()
    );
    match log.cut {
        Some(cut) => println!(
            "Left out are {} positions of the back-up, recorded from {cut} to {}",
            manifest.next - log.position,
            manifest.recorded
        ),
        None => println!(
            "Nothing of the back-up was left out; what came after {} is not in it",
            manifest.made
        ),
    }
    if args.to_time.is_some_and(|to_time| to_time > manifest.made) {
        println!("The back-up ends before the time that was asked for");
    }
}

/// Says what came back of people, and who did not.
fn print_people(people: &People, safe: &str) {
    let People { key_day, erasures, erased_again } = *people;
    match key_day {
        Some(day) => println!("The vault was opened with the key of {day}"),
        None => {
            println!("No vault was opened: accounts, names and texts of before are not readable");
        }
    }
    match erasures {
        Some(erasures) => println!(
            "{erasures} erasures were replayed from the ledger in {safe}; {erased_again} of these people had come back"
        ),
        None => println!("There is no safe in {safe}: no erasure was replayed"),
    }
}
