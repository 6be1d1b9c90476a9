//! Whether what is stored of players is as the log says: `matchwire players reconcile`, and the server's own run every day.

mod beside;
mod nightly;
mod outcome;
mod schedule;
mod shown;

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use matchwire_log::view_store::{Start, StoredView, ViewStore as _};
use matchwire_players::view::{
    self,
    reconcile::{Fixed, fix, reconcile},
};

use self::{beside::Beside, outcome::Outcome};
pub(crate) use self::{
    nightly::{Nightly, Work},
    schedule::At,
};
use crate::{cli::Reconcile, terminal::print};

/// How long a purge waits for those who read the view, and how soon it tries again.
const PATIENCE: Duration = Duration::from_secs(30);
const AGAIN: Duration = Duration::from_millis(50);

/// Leaves nothing of removed rows in the files of a view.
fn purge(view: &dyn StoredView) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        match view.purge() {
            Err(error) if error.is_retryable() && begun.elapsed() < PATIENCE => {
                thread::sleep(AGAIN);
            }
            purged => {
                return purged.context(
                    "rows of somebody who is erased are removed, and may still be in the view's files; matchwire \
                     views rebuild players leaves nothing of them",
                );
            }
        }
    }
}

/// Runs the command; an error if something is wrong and was not repaired.
pub(crate) fn run(args: &Reconcile) -> anyhow::Result<()> {
    let sight = Beside::open(args)?;
    let only = args.player.as_deref();
    let begun = Instant::now();
    let found = reconcile(&sight, only)?;
    let took = begun.elapsed();
    if let Some(player) = only.filter(|_| found.report.players == 0 && found.report.is_clean()) {
        bail!("there is nothing of {player:?} to compare; --player takes a player id, as p1");
    }
    let mut fixed = None;
    let mut after = None;
    if args.fix && !found.report.is_clean() {
        let stored = sight.stored()?;
        let done = fix(&sight, &*stored, &found)?;
        if done.must_purge {
            purge(&*stored)?;
        }
        if done.is_too_much {
            // It is left as it is: the server goes on with it.
            drop(sight.store().build(&view::schema(), Start::Anew)?);
        } else {
            after = Some(reconcile(&sight, only)?.report);
        }
        fixed = Some(done);
    }
    sight.finish();
    let last = after.as_ref().unwrap_or(&found.report);
    if only.is_none() {
        Outcome::of(&args.data).succeeded(last, took).store(&args.data)?;
    }
    let text = if args.json {
        format!("{}\n", shown::json(&found.report, fixed, after.as_ref(), took))
    } else {
        shown::text(&found.report, fixed, after.as_ref(), took)
    };
    print(&text)?;
    let wrong = shown::wrong(last);
    match fixed {
        _ if last.is_clean() => Ok(()),
        Some(Fixed { is_too_much: true, .. }) => bail!(
            "too much is wrong for a repair: the view is computed anew by the server, now or at its next start"
        ),
        Some(_) => bail!("something is still wrong: {wrong}"),
        None => bail!("something is wrong: {wrong}; --fix repairs it"),
    }
}
