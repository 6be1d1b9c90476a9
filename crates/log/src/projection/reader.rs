//! Reads a stored view, and what its runner shares with those who do.

use std::{
    sync::Arc,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, watch};

use super::status::{Building, Status};
use crate::{
    Log, View,
    view_store::{self, Error, Schema, Snapshot, Stored, StoredView, ViewStore},
};

/// How long a purge waits for snapshots that are held, and how soon it tries again.
const PURGE_PATIENCE: Duration = Duration::from_secs(10);
const PURGE_AGAIN: Duration = Duration::from_millis(20);

/// Why a view cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unready {
    /// It is being built, and nothing serves yet.
    #[error("the view {name} is being built; try again later")]
    Building {
        /// The view.
        name: &'static str,
    },
    /// Its store failed.
    #[error(transparent)]
    Store(#[from] view_store::Error),
}

pub(super) struct Shared {
    pub(super) log: Log,
    pub(super) schema: Schema,
    pub(super) store: Arc<dyn ViewStore>,
    /// What serves, if anything does.
    pub(super) serving: RwLock<Option<Arc<dyn StoredView>>>,
    /// Up to which group what serves has seen everything; nothing while nothing serves.
    pub(super) seen: watch::Sender<Option<u64>>,
    pub(super) notes: Mutex<Notes>,
    pub(super) is_stopped: AtomicBool,
    pub(super) stopped: Notify,
}

/// What the runner notes for [`Status`].
pub(super) struct Notes {
    pub(super) status: Status,
    /// When what serves had seen everything, the last time.
    pub(super) caught_up: Instant,
}

impl Shared {
    pub(super) fn new(log: &Log, schema: Schema, store: Arc<dyn ViewStore>) -> Arc<Self> {
        let (name, version) = (schema.name(), schema.version());
        let status = Status { name, version, ..Status::default() };
        Arc::new(Self {
            log: log.clone(),
            schema,
            store,
            serving: RwLock::default(),
            seen: watch::Sender::new(None),
            notes: Mutex::new(Notes { status, caught_up: Instant::now() }),
            is_stopped: AtomicBool::default(),
            stopped: Notify::new(),
        })
    }

    pub(super) fn stop(&self) {
        self.is_stopped.store(true, Ordering::SeqCst);
        self.stopped.notify_one();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::SeqCst)
    }
}

/// Reads a stored view. Clones share it.
#[derive(Clone)]
pub struct Reader(pub(super) Arc<Shared>);

impl Reader {
    /// The view as it is now. Blocks for the disk.
    pub fn snapshot(&self) -> Result<Box<dyn Snapshot>, Unready> {
        self.read(|view| view.snapshot())
    }

    /// The view as it is now, for several threads, as [`StoredView::snapshots`] gives it. Blocks for the disk.
    pub fn snapshots(&self, count: usize) -> Result<Vec<Box<dyn Snapshot>>, Unready> {
        self.read(|view| view.snapshots(count))
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&dyn StoredView) -> Result<T, Error>,
    ) -> Result<T, Unready> {
        // Held while the snapshot is taken: what serves is replaced with the lock held alone.
        let serving = self.0.serving.read();
        let Some(view) = &*serving else {
            return Err(Unready::Building { name: self.0.schema.name() });
        };
        Ok(read(&**view)?)
    }

    /// Waits until the view has seen all that is in the log now, so that who has just appended finds it. It
    /// waits for as long as the view does not get on.
    pub async fn catch_up(&self) {
        let tip = *self.0.log.tip().borrow();
        // Both ends are held here, so that it cannot fail.
        let _ = self.0.seen.subscribe().wait_for(|seen| *seen >= Some(tip)).await;
    }

    /// Whether the view can be read and has seen all up to a group.
    pub fn has_seen(&self, group: u64) -> bool {
        *self.0.seen.borrow() >= Some(group)
    }

    /// Whether a build of the view is unfinished. It may have rows that what serves has removed; before it serves, it has
    /// removed and purged them, too. Blocks for the disk.
    pub fn is_building(&self) -> Result<bool, Unready> {
        let (ours, _) = self.stored()?;
        Ok(ours.iter().any(|stored| stored.is_building))
    }

    /// Makes rows that were deleted or replaced unreadable in the files of what serves, and removes the view's other versions, which do
    /// not follow the log: whoever computes one of those builds it anew. A [build](Self::is_building) is left alone. Blocks for the
    /// disk, and for as long as snapshots are held, up to some seconds.
    pub fn purge(&self) -> Result<(), Unready> {
        let (_, others) = self.stored()?;
        for Stored { name, version, .. } in &others {
            if self.0.store.remove(name, *version)? {
                tracing::info!(view = name, version, "removed what may have removed rows");
            }
        }
        let serving = self.0.serving.read().clone();
        let Some(view) = serving else {
            return Err(Unready::Building { name: self.0.schema.name() });
        };
        let begun = Instant::now();
        loop {
            match view.purge() {
                Err(error) if error.is_retryable() && begun.elapsed() < PURGE_PATIENCE => {
                    std::thread::sleep(PURGE_AGAIN);
                }
                // It was replaced meanwhile, and its files are gone.
                Err(view_store::Error::Gone { .. }) => return Ok(()),
                purged => return Ok(purged?),
            }
        }
    }

    /// What is stored of the view: of its version, and of others.
    fn stored(&self) -> Result<(Vec<Stored>, Vec<Stored>), Error> {
        let (name, version) = (self.0.schema.name(), self.0.schema.version());
        let mut stored = self.0.store.list()?;
        stored.retain(|stored| stored.name == name);
        Ok(stored.into_iter().partition(|stored| stored.version == version))
    }

    /// How the view is.
    pub fn status(&self) -> Status {
        let notes = self.0.notes.lock();
        let (mut status, caught_up) = (notes.status.clone(), notes.caught_up);
        drop(notes);
        let tip = *self.0.log.tip().borrow();
        status.is_serving = self.0.serving.read().is_some();
        status.position = self.0.seen.borrow().unwrap_or_default();
        status.lag_groups = tip.saturating_sub(status.position);
        if status.lag_groups > 0 {
            status.lag = caught_up.elapsed();
        }
        status.lag_events = View::from(self.0.log.clone()).count_after(status.position);
        if let Some(Building { of, .. }) = &mut status.building {
            *of = tip;
        }
        status
    }
}
