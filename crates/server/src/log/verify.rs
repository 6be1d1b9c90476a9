//! `matchwire log verify`: every checksum, number, leaf, chain and index.

use std::{fmt::Write as _, io::IsTerminal as _};

use anyhow::{Context as _, bail};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use matchwire_embedded::{Hole, Spot, Verified, verify};
use serde_json::{Value, json};

use super::{folder, print};
use crate::cli::Verify;

/// Runs the command; an error if there is damage.
pub(super) fn run(args: &Verify) -> anyhow::Result<()> {
    let folder = folder(&args.log.data);
    let (archive, is_json) = (args.archive.open()?, args.log.json);
    let reads_archive = archive.is_some();
    let bar = bar(is_json);
    let verified = verify(&folder, archive, &mut |progress| {
        bar.set_length(progress.total_bytes);
        bar.set_position(progress.bytes);
    });
    bar.finish_and_clear();
    let verified =
        verified.with_context(|| format!("cannot check the log in {}", folder.display()))?;
    if is_json {
        print(&format!("{}\n", as_json(&verified)))?;
    } else {
        print(&report(&verified, reads_archive))?;
    }
    match verified.damage.len() {
        0 => Ok(()),
        1 => bail!("the log is damaged in one place"),
        many => bail!("the log is damaged in {many} places"),
    }
}

fn bar(is_quiet: bool) -> ProgressBar {
    if is_quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {eta}") {
        bar.set_style(style);
    }
    bar
}

fn report(verified: &Verified, reads_archive: bool) -> String {
    let Verified { files, groups, events, streams, bytes, unfinished_bytes, .. } = verified;
    let Verified { trimmed, archived, damage, accepted, .. } = verified;
    let mut out = format!(
        "{events} events in {streams} streams; {groups} groups in {files} files, {}\n",
        HumanBytes(*bytes)
    );
    // Writing to a string cannot fail.
    if *trimmed > 0 {
        let _ = writeln!(out, "{trimmed} events more were trimmed, as their retention says");
    }
    if *archived > 0 {
        let how = if reads_archive { "were read there" } else { "--archive reads them there" };
        let _ = writeln!(out, "{archived} of the events are in the archive; {how}");
    }
    if *unfinished_bytes > 0 {
        let _ = writeln!(
            out,
            "at the end {unfinished_bytes} bytes of a group that was not finished, or is being written"
        );
    }
    for Hole { first, last, file, offset, what, .. } in accepted {
        let _ = writeln!(
            out,
            "lost, as was accepted: groups {first} to {last} ({file} {offset}: {what})"
        );
    }
    for Spot { file, offset, what } in damage {
        let _ = writeln!(out, "damage: {file} at byte {offset}: {what}");
    }
    if damage.is_empty() {
        out.push_str("everything is as it was written\n");
    }
    out
}

fn as_json(verified: &Verified) -> Value {
    let Verified { files, groups, events, streams, bytes, unfinished_bytes, .. } = verified;
    let Verified { trimmed, archived, damage, accepted, .. } = verified;
    let spot = |spot: &Spot| json!({"file": spot.file, "offset": spot.offset, "what": spot.what});
    let hole = |hole: &Hole| {
        let Hole { first, last, file, offset, what, .. } = hole;
        json!({"first": first, "last": last, "file": file, "offset": offset, "what": what})
    };
    json!({
        "files": files, "groups": groups, "events": events, "streams": streams, "bytes": bytes,
        "trimmed": trimmed, "archived": archived,
        "unfinished_bytes": unfinished_bytes,
        "damage": damage.iter().map(spot).collect::<Vec<_>>(),
        "accepted": accepted.iter().map(hole).collect::<Vec<_>>(),
    })
}
