//! `matchwire log repair` and `accept-loss`: what an operator does about damage.

use std::{fmt::Write as _, path::Path};

use anyhow::{Context as _, bail};
use matchwire_embedded::{AcceptedLoss, Hole, LostEvents, Repaired};
use serde_json::json;

use super::{folder, print};
use crate::{
    ask::{asked, is_somebody_there},
    cli::{AcceptLoss, Repair},
};

/// How many streams are named, at most.
const MAX_NAMED: usize = 100;

/// Brings back what is missing; an error if something still is afterwards.
pub(super) fn repair(args: &Repair) -> anyhow::Result<()> {
    let (log, copy) = (folder(&args.data), folder(&args.from));
    if !copy.join("log.json").exists() {
        bail!(
            "{} has no log; --from is a data directory, with a folder `log`",
            args.from.display()
        );
    }
    let repaired = matchwire_embedded::repair(&log, &copy)
        .with_context(|| format!("cannot repair the log in {}", log.display()))?;
    print(&if args.json { repaired_json(&repaired) } else { repaired_text(&repaired) })?;
    if !repaired.missing.is_empty() {
        bail!("{} places are still damaged", repaired.missing.len());
    }
    Ok(())
}

fn repaired_text(repaired: &Repaired) -> String {
    let Repaired { resealed, filled, events, missing, kept } = repaired;
    let mut out = String::new();
    // Writing to a string cannot fail.
    for file in resealed {
        let _ = writeln!(out, "{file}: only its indexes were damaged; they were made again");
    }
    for (first, last) in filled {
        let _ = writeln!(out, "groups {first} to {last} are back");
    }
    for Hole { first, last, file, offset, what, .. } in missing {
        let _ =
            writeln!(out, "groups {first} to {last} are missing: {file}, byte {offset}: {what}");
    }
    for file in kept {
        let _ = writeln!(out, "{file} is a copy of what was damaged; remove it when you like");
    }
    let _ = writeln!(out, "{events} events were brought back");
    out
}

fn repaired_json(repaired: &Repaired) -> String {
    let Repaired { resealed, filled, events, missing, kept } = repaired;
    let hole = |hole: &Hole| {
        let Hole { first, last, file, offset, what, .. } = hole;
        json!({"first": first, "last": last, "file": file, "offset": offset, "what": what})
    };
    let missing: Vec<_> = missing.iter().map(hole).collect();
    let body = json!({
        "resealed": resealed, "filled": filled, "events": events, "missing": missing, "kept": kept,
    });
    format!("{body}\n")
}

/// Gives up what is missing.
pub(super) fn accept_loss(args: &AcceptLoss) -> anyhow::Result<()> {
    let log = folder(&args.data);
    if !args.yes {
        ask(&log)?;
    }
    let accepted = matchwire_embedded::accept_loss(&log)
        .with_context(|| format!("cannot accept the loss in {}", log.display()))?;
    print(&if args.json { accepted_json(&accepted) } else { accepted_text(&accepted) })?;
    Ok(())
}

fn ask(log: &Path) -> anyhow::Result<()> {
    let what = format!(
        "what is missing in {} will be given up for good; a back-up could no longer be spliced in",
        log.display()
    );
    if !is_somebody_there() {
        bail!("{what}; say --yes if that is what you want");
    }
    if asked(&format!("{what}. Go on?"))? { Ok(()) } else { bail!("nothing was changed") }
}

fn accepted_text(accepted: &AcceptedLoss) -> String {
    let AcceptedLoss { groups, files, streams, kept, lineage } = accepted;
    if groups.is_empty() && files.is_empty() {
        return "nothing is missing that was not accepted before\n".into();
    }
    let mut out = String::new();
    // Writing to a string cannot fail.
    for (first, last) in groups {
        let _ = writeln!(out, "groups {first} to {last} are given up");
    }
    for file in files {
        let _ = writeln!(out, "{file}: its damaged blocks are given up");
    }
    for LostEvents { subject, first_seq, last_seq } in streams.iter().take(MAX_NAMED) {
        let _ = writeln!(out, "{subject} has lost seq {first_seq} to {last_seq}");
    }
    if streams.len() > MAX_NAMED {
        let _ = writeln!(out, "and {} more; --json names them", streams.len() - MAX_NAMED);
    }
    for file in kept {
        let _ = writeln!(out, "{file} is a copy of what was damaged; remove it when you like");
    }
    let _ = writeln!(out, "the lineage is {lineage} now: readers past the loss begin anew");
    out
}

fn accepted_json(accepted: &AcceptedLoss) -> String {
    let AcceptedLoss { groups, files, streams, kept, lineage } = accepted;
    let lost = |lost: &LostEvents| {
        let LostEvents { subject, first_seq, last_seq } = lost;
        json!({"subject": subject, "first_seq": first_seq, "last_seq": last_seq})
    };
    let streams: Vec<_> = streams.iter().map(lost).collect();
    let body = json!({
        "groups": groups, "files": files, "streams": streams, "kept": kept, "lineage": lineage,
    });
    format!("{body}\n")
}
