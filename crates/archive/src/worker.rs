//! A thread of its own that speaks to the store, for callers who block on any thread.
//!
//! A caller waits on a channel and never drives a future, so it may be a thread of some asynchronous
//! runtime too; the one here is never entered by it.

use std::{future::Future, io, sync::mpsc, time::Duration};

use tokio::runtime::{Builder, Runtime};

/// How long a reader waits for the store, with all that its client tries again by itself.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// How many files of a directory are read or written at once.
const MAX_BLOCKING: usize = 8;

/// The thread; it ends with this.
pub(crate) struct Worker {
    /// Always there until it is dropped.
    runtime: Option<Runtime>,
}

impl Worker {
    /// Starts the thread.
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(MAX_BLOCKING)
            .thread_name("matchwire-archive")
            .enable_all()
            .build()?;
        Ok(Self { runtime: Some(runtime) })
    }

    /// Starts work, whose result is waited for later.
    pub(crate) fn begin<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Pending<T> {
        let (sender, receiver) = mpsc::sync_channel(1);
        if let Some(runtime) = &self.runtime {
            runtime.spawn(async move {
                let _ = sender.send(work.await);
            });
        }
        Pending(receiver)
    }

    /// Does work and waits for it; nothing if it has panicked.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        self.begin(work).wait()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It does not wait for its threads, which is not allowed where tasks run.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Work that was begun.
pub(crate) struct Pending<T>(mpsc::Receiver<T>);

impl<T> Pending<T> {
    /// Waits for its result; nothing if it has panicked.
    pub(crate) fn wait(self) -> Option<T> {
        self.0.recv().ok()
    }
}
