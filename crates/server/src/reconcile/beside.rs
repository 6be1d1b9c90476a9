//! The view and the log in a data directory, beside the server that may have them open.

use std::{
    io::IsTerminal as _,
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use matchwire_embedded::{Export, SqliteViews, archive::Archive, give_way};
use matchwire_log::{
    Log,
    projection::Position,
    view_store::{Error, Snapshot, StoredView, ViewStore as _},
};
use matchwire_players::view::{
    self,
    reconcile::{Done, Sight},
};
use parking_lot::Mutex;

use crate::cli::Reconcile;

/// How long is waited for a server that follows the log; nothing comes of it if none runs.
const PATIENCE: Duration = Duration::from_secs(3);
const NAP: Duration = Duration::from_millis(20);

/// What another process may have open.
pub(super) struct Beside {
    log: PathBuf,
    views: SqliteViews,
    archive: Option<Arc<dyn Archive>>,
    bar: ProgressBar,
    /// Activities, and matches and tournaments.
    done: Mutex<(u64, u64)>,
}

impl Beside {
    pub(super) fn open(args: &Reconcile) -> anyhow::Result<Self> {
        let folder = args.data.join("views");
        if !folder.is_dir() {
            bail!(
                "{} has no stored views; --data is the directory of a server",
                args.data.display()
            );
        }
        let views = SqliteViews::open(&folder)
            .with_context(|| format!("cannot open the stored views in {}", folder.display()))?;
        let (log, archive) = (args.data.join("log"), args.archive.open()?);
        let is_shown = !args.json && std::io::stderr().is_terminal();
        let bar = if is_shown { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        Ok(Self { log, views, archive, bar, done: Mutex::default() })
    }

    /// The views.
    pub(super) fn store(&self) -> &SqliteViews {
        &self.views
    }

    /// The view that serves.
    pub(super) fn stored(&self) -> Result<Arc<dyn StoredView>, Error> {
        let none = || Error::Failed {
            place: "the view players".into(),
            what: "it is not there yet; a server of this version has to build it first".into(),
        };
        self.views.open(&view::schema())?.ok_or_else(none)
    }

    /// Ends what is shown meanwhile.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Sight for Beside {
    fn views(&self, count: usize) -> Result<Vec<Box<dyn Snapshot>>, Error> {
        self.stored()?.snapshots(count)
    }

    fn threads(&self) -> usize {
        thread::available_parallelism().map_or(1, NonZero::get)
    }

    fn log(&self) -> Result<Log, Error> {
        let place = |path: &Path| path.display().to_string();
        let opened = Export::open(&self.log, self.archive.clone());
        let failed = |what: String| Error::Failed { place: place(&self.log), what };
        Ok(opened.map_err(|error| failed(error.to_string()))?.into_log())
    }

    fn wait_for(&self, group: u64) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let position = self.view().and_then(|view| view.position()).ok().flatten();
            let position = position.as_deref().and_then(Position::parse);
            if position.is_none_or(|position| position.from >= group) {
                return;
            }
            thread::sleep(NAP);
        }
    }

    fn begins(&self) {
        give_way();
    }

    fn worked(&self, done: Done) -> Result<(), Error> {
        let mut all = self.done.lock();
        match done {
            Done::Activities(count) => all.0 = count,
            Done::Sources(count) => all.1 = count,
            Done::Nothing => {}
        }
        let (activities, sources) = *all;
        drop(all);
        let (activities, sources) = (HumanCount(activities), HumanCount(sources));
        self.bar.set_message(format!("{activities} activities, {sources} matches and tournaments"));
        self.bar.tick();
        Ok(())
    }
}
