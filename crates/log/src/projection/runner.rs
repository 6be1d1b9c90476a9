//! Drives a stored view: follows the log, builds and swaps, and tries again what failed.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::{runtime, sync::watch, time};

use super::{
    Projection,
    follower::{Fault, Follower},
    reader::{Reader, Shared},
    rounds::Rounds,
    status,
};
use crate::{
    Log,
    view_store::{self, Build, Start, StoredView, ViewStore},
};

/// For how long a batch takes what comes: while readers wait for it, and while nothing serves.
const BATCH: Duration = Duration::from_millis(250);
const FIRST_BATCH: Duration = Duration::from_secs(1);
/// How long it rests at least between two batches, so that under load each has more than a few events.
const GATHER: Duration = Duration::from_millis(10);
/// While events wait in the log's queue for so long, it rests so many times as long as it worked.
const BUSY: Duration = Duration::from_millis(10);
const BUSY_RESTS: u32 = 8;
/// How often it looks for builds that others have begun, and at sizes.
const LOOK: Duration = Duration::from_secs(5);
/// How long it waits after a failure; twice as long after each further one, up to the second.
const AGAIN: Duration = Duration::from_millis(50);
const AGAIN_MOST: Duration = Duration::from_secs(10);
/// How long is waited for the thread to end.
const PATIENCE: Duration = Duration::from_secs(6);
const NAP: Duration = Duration::from_millis(1);

/// How a runner runs.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What its thread does first: the place to lower its priority.
    pub on_start: fn(),
}

impl Default for Options {
    fn default() -> Self {
        Self { on_start: || {} }
    }
}

/// A stored view that follows the log for as long as this lives.
pub struct Runner {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Runner {
    /// Starts to drive a view. What stands against the store is told by its status, and tried again.
    pub fn start(
        log: &Log,
        store: Arc<dyn ViewStore>,
        projection: Arc<dyn Projection>,
        options: Options,
    ) -> io::Result<Self> {
        let shared = Shared::new(log, projection.schema(), store);
        let runtime = runtime::Builder::new_current_thread().enable_time().build()?;
        let work = Work {
            grown: log.tip().subscribe(),
            shared: shared.clone(),
            projection,
            serving: None,
            building: None,
            may_open: true,
            start: Start::Resumed,
            looked: None,
        };
        let name = format!("matchwire-view-{}", shared.schema.name());
        let thread = thread::Builder::new().name(name).spawn(move || {
            let _ended = Ended(work.shared.clone());
            (options.on_start)();
            work.run(&runtime);
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// What reads the view.
    pub fn reader(&self) -> Reader {
        Reader(self.shared.clone())
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.shared.stop();
        let Some(thread) = self.thread.take() else { return };
        let begun = Instant::now();
        while !thread.is_finished() && begun.elapsed() < PATIENCE {
            thread::sleep(NAP);
        }
        // One that still waits for a disk has committed nothing, and does so whole if it does.
        if thread.is_finished() {
            let _ = thread.join();
        }
    }
}

/// Tells when the thread has ended without being told to.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        if !self.0.is_stopped() {
            self.0.notes.lock().status.failure = Some("its thread has ended".into());
        }
    }
}

/// What the thread works with.
struct Work {
    shared: Arc<Shared>,
    projection: Arc<dyn Projection>,
    grown: watch::Receiver<u64>,
    serving: Option<(Arc<dyn StoredView>, Follower)>,
    building: Option<Building>,
    /// Whether what is stored is to be opened, if nothing serves.
    may_open: bool,
    /// How the next build begins.
    start: Start,
    /// When it has looked around last.
    looked: Option<Instant>,
}

/// What is being built.
struct Building {
    build: Box<dyn Build>,
    follower: Follower,
    rounds: Rounds,
    /// How many removals nothing is left of in its files.
    purged: u64,
}

impl Building {
    fn new(build: Box<dyn Build>, follower: Follower) -> Self {
        Self { build, follower, rounds: Rounds::default(), purged: 0 }
    }

    /// Leaves nothing of removed rows in the files, which are to serve. Tells whether more may have come meanwhile than a step
    /// takes.
    fn purge(&mut self, projection: &dyn Projection) -> Result<bool, view_store::Error> {
        let removals = projection.removals(&*self.build.snapshot()?)?;
        if removals <= self.purged {
            return Ok(false);
        }
        self.build.purge()?;
        let is_first = self.purged == 0;
        self.purged = removals;
        if is_first {
            self.rounds.again();
        }
        Ok(is_first)
    }
}

impl Work {
    fn run(mut self, runtime: &runtime::Runtime) {
        let mut failures = 0;
        while !self.shared.is_stopped() {
            self.grown.mark_unchanged();
            let begun = Instant::now();
            let turned = self.turn();
            let (pause, is_caught_up) = match turned {
                Ok(is_caught_up) => {
                    failures = 0;
                    self.shared.notes.lock().status.failure = None;
                    (self.rest(begun.elapsed()), is_caught_up)
                }
                Err(Fault::Log(crate::Error::Stopped)) => return,
                Err(fault) => {
                    self.note(&fault);
                    failures += 1;
                    (AGAIN_MOST.min(AGAIN * (1 << failures.min(10))), false)
                }
            };
            runtime.block_on(self.wait(pause, is_caught_up));
        }
    }

    /// How long it rests after it has worked for so long. A build takes half of a processor at the most, unless nothing has come
    /// meanwhile.
    fn rest(&self, worked: Duration) -> Duration {
        if self.shared.log.backlog().oldest > BUSY {
            return (worked * BUSY_RESTS).clamp(GATHER, AGAIN_MOST);
        }
        let has_traffic = self.grown.has_changed().unwrap_or_default();
        if self.building.is_some() && has_traffic { worked } else { GATHER }
    }

    /// Waits for so long, and, where everything was seen, until there is more.
    async fn wait(&mut self, pause: Duration, is_caught_up: bool) {
        let rested = async {
            time::sleep(pause).await;
            if is_caught_up {
                let _ = time::timeout(LOOK, self.grown.changed()).await;
            }
        };
        let stopped = async {
            while !self.shared.is_stopped.load(Ordering::SeqCst) {
                self.shared.stopped.notified().await;
            }
        };
        tokio::select! {
            () = rested => {}
            () = stopped => {}
        }
    }

    /// Does what is next, and tells whether all was done that there is.
    fn turn(&mut self) -> Result<bool, Fault> {
        if self.serving.is_none() && self.may_open {
            self.open()?;
        }
        if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            self.looked = Some(Instant::now());
            self.look_for_builds()?;
        }
        if self.serving.is_none() && self.building.is_none() {
            self.build()?;
        }
        let followed = self.follow();
        let is_caught_up = followed.inspect_err(|fault| self.distrust(fault))?;
        let built = self.build_on();
        Ok(built.inspect_err(|fault| self.give_up_build(fault))? && is_caught_up)
    }

    /// Opens what serves, if that has seen what is in the log.
    fn open(&mut self) -> Result<(), Fault> {
        let view = self.shared.schema.name();
        match self.shared.store.open(&self.shared.schema) {
            Ok(Some(stored)) => {
                if let Some(follower) = self.follower(&*stored)? {
                    self.serve(stored, follower);
                    return Ok(());
                }
                tracing::warn!(view, "a stored view has seen what is no part of the log");
            }
            Ok(None) => {}
            Err(error @ view_store::Error::Damaged { .. }) => {
                tracing::error!(view, %error, "a stored view is built anew");
            }
            Err(error) => return Err(error.into()),
        }
        self.serve_nothing();
        Ok(())
    }

    /// Lets nobody read what is stored, which is to be built anew.
    fn serve_nothing(&mut self) {
        *self.shared.serving.write() = None;
        self.shared.seen.send_replace(None);
        self.may_open = false;
    }

    /// Goes on with an unfinished build, or begins one.
    fn build(&mut self) -> Result<(), Fault> {
        let schema = self.shared.schema;
        let build = self.shared.store.build(&schema, self.start).inspect_err(|_| {
            // Whoever builds it may have finished it by the next time.
            self.may_open = true;
        })?;
        self.start = Start::Resumed;
        if let Some(follower) = self.follower(&*build)? {
            self.building = Some(Building::new(build, follower));
            return Ok(());
        }
        drop(build);
        let build = self.shared.store.build(&schema, Start::Anew)?;
        self.building = self.follower(&*build)?.map(|follower| Building::new(build, follower));
        Ok(())
    }

    fn follower(&self, view: &dyn StoredView) -> Result<Option<Follower>, Fault> {
        Follower::of(view, &*self.projection, &self.shared.log)
    }

    fn serve(&mut self, view: Arc<dyn StoredView>, follower: Follower) {
        self.shared.notes.lock().status.passed = follower.passed();
        *self.shared.serving.write() = Some(view.clone());
        self.shared.seen.send_replace(Some(follower.seen()));
        self.serving = Some((view, follower));
    }

    /// Takes up a build that somebody has begun, or left.
    fn look_for_builds(&mut self) -> Result<(), Fault> {
        if self.building.is_some() {
            return Ok(());
        }
        let schema = self.shared.schema;
        let is_ours = |stored: &view_store::Stored| {
            (stored.name.as_str(), stored.version) == (schema.name(), schema.version())
        };
        let stored = self.shared.store.list()?;
        if !stored.iter().any(|stored| is_ours(stored) && stored.is_building) {
            return Ok(());
        }
        match self.build() {
            // Whoever has begun it has it still.
            Err(Fault::View(view_store::Error::Busy { .. })) => Ok(()),
            built => built,
        }
    }

    /// Applies a batch to what serves, and tells whether nothing is left to be done.
    fn follow(&mut self) -> Result<bool, Fault> {
        let Some((view, follower)) = &mut self.serving else { return Ok(true) };
        if self.building.as_ref().is_some_and(|building| building.rounds.is_last()) {
            return Ok(false);
        }
        let step = follower.step(&**view, &*self.projection, None, BATCH)?;
        // Whoever has read damage since has noted it there.
        let size = view.size()?;
        let mut notes = self.shared.notes.lock();
        notes.status.size = size;
        notes.status.passed = follower.passed();
        if step.is_there {
            notes.caught_up = Instant::now();
        }
        drop(notes);
        self.shared.seen.send_replace(Some(follower.seen()));
        Ok(step.is_there && step.is_settled)
    }

    /// Applies a batch to what is being built, and lets it serve if that was the last one. Tells whether nothing is being
    /// built any more.
    fn build_on(&mut self) -> Result<bool, Fault> {
        let Some(building) = &mut self.building else { return Ok(true) };
        let Building { build, follower, rounds, .. } = &mut *building;
        let time = if self.serving.is_some() { BATCH } else { FIRST_BATCH };
        let tip = *self.shared.log.tip().borrow();
        let step = follower.step(&**build, &*self.projection, Some(rounds.goal(tip)), time)?;
        let position = follower.seen();
        self.shared.notes.lock().status.building = Some(status::Building { position, of: tip });
        let is_complete = rounds.stepped(step.is_there && step.is_settled);
        // What was seen once stays seen.
        let served = self.serving.as_ref().map_or(0, |(_, serving)| serving.seen());
        if !is_complete || position < served || building.purge(&*self.projection)? {
            return Ok(false);
        }
        self.finish()?;
        // More may have come meanwhile.
        Ok(false)
    }

    /// Lets what was built serve.
    fn finish(&mut self) -> Result<(), Fault> {
        let Some(Building { build, follower, .. }) = self.building.take() else { return Ok(()) };
        let mut serving = self.shared.serving.write();
        let view = build.finish()?;
        *serving = Some(view.clone());
        drop(serving);
        let mut notes = self.shared.notes.lock();
        notes.status.building = None;
        notes.status.builds += 1;
        drop(notes);
        self.may_open = true;
        self.serve(view, follower);
        Ok(())
    }

    /// What serves is opened again, from the position that is stored; if it is damaged, it is built anew.
    fn distrust(&mut self, fault: &Fault) {
        self.serving = None;
        self.may_open = true;
        if let Fault::View(view_store::Error::Damaged { .. }) = fault {
            self.serve_nothing();
        }
    }

    fn give_up_build(&mut self, fault: &Fault) {
        self.building = None;
        self.looked = None;
        self.shared.notes.lock().status.building = None;
        if let Fault::View(view_store::Error::Damaged { .. }) = fault {
            self.start = Start::Anew;
        }
    }

    fn note(&self, fault: &Fault) {
        let view = self.shared.schema.name();
        if let Fault::View(view_store::Error::Overtaken { .. }) = fault {
            tracing::info!(view, error = %fault, "another process writes a stored view, too");
        } else {
            tracing::warn!(view, error = %fault, "a stored view does not get on; trying again");
        }
        let mut notes = self.shared.notes.lock();
        notes.status.failures += 1;
        notes.status.failure = Some(fault.to_string());
    }
}
