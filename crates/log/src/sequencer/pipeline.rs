//! Runs the two steps: each on a thread of its own while there is a crowd, both on one while there
//! is not; or step by step, by hand.

use std::{collections::VecDeque, io, sync::Arc, thread, thread::JoinHandle};

use parking_lot::{Condvar, Mutex};

use super::{
    Shared,
    commit::Committer,
    stage::{Staged, Stager},
};
use crate::Error;

/// How many groups may be staged by hand before one is committed: the one that is on its way to
/// the disk, and the next.
const MAX_STAGED: usize = 2;

/// The two steps of a log without threads, for whoever drives it by hand: a simulation, or a
/// program that writes and waits on one thread.
pub struct Steps {
    shared: Arc<Shared>,
    stager: Stager,
    committer: Committer,
    staged: VecDeque<Staged>,
    group_bytes: usize,
}

impl Steps {
    pub(crate) fn new(shared: Arc<Shared>, group_bytes: usize) -> Self {
        let (stager, committer) = (Stager::new(shared.clone()), Committer::new(shared.clone()));
        Self { shared, stager, committer, staged: VecDeque::new(), group_bytes }
    }

    /// Makes a group of what is queued, and writes nothing. False if nothing is queued, or if two
    /// groups are staged already.
    pub fn stage(&mut self) -> bool {
        if self.staged.len() >= MAX_STAGED {
            return false;
        }
        let calls = self.shared.queue.take_now(self.group_bytes);
        if calls.is_empty() {
            return false;
        }
        self.staged.push_back(self.stager.stage(calls));
        true
    }

    /// Makes the group that was staged first durable, and answers its calls. False if there is none.
    /// If the medium fails, the log stops.
    pub fn commit(&mut self) -> bool {
        let Some(staged) = self.staged.pop_front() else { return false };
        if let Err(error) = self.committer.commit(staged) {
            self.staged.clear();
            stop(&self.shared, &error);
        }
        true
    }

    /// Commits everything that is queued. False if there was nothing.
    pub fn step(&mut self) -> bool {
        let mut any = false;
        while self.commit() || self.stage() {
            any = true;
        }
        any
    }
}

/// The two steps on two threads.
pub(crate) struct Pipeline {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// Where one thread hands a group to the other.
struct Handover {
    slot: Mutex<Slot>,
    changed: Condvar,
    committer: Mutex<Committer>,
}

#[derive(Default)]
struct Slot {
    staged: Option<Staged>,
    /// Whether the other thread is at work.
    is_busy: bool,
    is_closed: bool,
}

impl Pipeline {
    /// Starts the threads.
    pub(crate) fn start(steps: Steps) -> io::Result<Self> {
        let Steps { shared, stager, committer, group_bytes, .. } = steps;
        let (slot, changed) = (Mutex::default(), Condvar::new());
        let handover = Arc::new(Handover { slot, changed, committer: Mutex::new(committer) });
        let mut pipeline = Self { shared: shared.clone(), threads: Vec::new() };
        let at_end = || AtEnd { shared: shared.clone(), handover: handover.clone() };
        let (first, second) = (at_end(), at_end());
        pipeline.spawn("matchwire-log", move || stage(&first, stager, group_bytes))?;
        pipeline.spawn("matchwire-sync", move || commit(&second))?;
        Ok(pipeline)
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.push(thread::Builder::new().name(name.into()).spawn(work)?);
        Ok(())
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.shared.queue.close();
        // Joined, so that the medium is free to be opened again when the log is gone. If a thread
        // panicked, everybody was told when it did.
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Stages groups of at most about `group_bytes` until the queue is closed or the medium fails.
fn stage(end: &AtEnd, mut stager: Stager, group_bytes: usize) {
    let AtEnd { shared, handover } = end;
    while let Some(calls) = shared.queue.take(group_bytes) {
        let group = stager.stage(calls);
        let is_alone = shared.queue.depth().0 == 0;
        if !handover.put(group, is_alone, shared) {
            return;
        }
    }
}

/// Commits what is handed over, until nothing will be.
fn commit(end: &AtEnd) {
    let AtEnd { shared, handover } = end;
    while let Some(staged) = handover.take() {
        let committed = handover.committer.lock().commit(staged);
        if let Err(error) = committed {
            stop(shared, &error);
            return;
        }
    }
}

impl Handover {
    /// Waits until the other thread is free, and hands a group over; or commits it here, if nobody
    /// else waits and so nothing could be done meanwhile. False once the log has stopped.
    fn put(&self, staged: Staged, is_alone: bool, shared: &Shared) -> bool {
        let mut slot = self.slot.lock();
        while (slot.is_busy || slot.staged.is_some()) && !slot.is_closed {
            self.changed.wait(&mut slot);
        }
        if slot.is_closed {
            return false;
        }
        if is_alone {
            drop(slot);
            let committed = self.committer.lock().commit(staged);
            return committed.map_err(|error| stop(shared, &error)).is_ok();
        }
        slot.staged = Some(staged);
        drop(slot);
        self.changed.notify_all();
        true
    }

    fn take(&self) -> Option<Staged> {
        let mut slot = self.slot.lock();
        slot.is_busy = false;
        self.changed.notify_all();
        loop {
            if let Some(staged) = slot.staged.take() {
                slot.is_busy = true;
                return Some(staged);
            }
            if slot.is_closed {
                return None;
            }
            self.changed.wait(&mut slot);
        }
    }
}

fn stop(shared: &Shared, error: &Error) {
    let mut reason = error.to_string();
    if let Some(source) = std::error::Error::source(error) {
        reason = format!("{reason}: {source}");
    }
    tracing::error!(reason, "the log stops");
    shared.stop(&reason);
}

/// However one of the threads ends, also by a panic, nobody waits for it for ever.
struct AtEnd {
    shared: Arc<Shared>,
    handover: Arc<Handover>,
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.handover.slot.lock().is_closed = true;
        self.handover.changed.notify_all();
        self.shared.stop("the writer has ended");
    }
}
