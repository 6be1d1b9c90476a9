//! Shares the work among threads: each takes the next part once it has done one. What is large comes first, and the activities,
//! which are taken by some players at a time, come last, so that all threads end together.

use std::{collections::VecDeque, thread};

use matchwire_log::view_store::{Error, Snapshot, Table};
use parking_lot::Mutex;

use super::{
    super::{Players, keys::Key, rows::DERIVED},
    Sight, Source, failed, ratings,
    sweep::Sweep,
    walk::{Left, Walk},
};

/// The most threads that work: so many snapshots are held.
const MAX_THREADS: usize = 8;

/// What there is to do.
#[derive(Clone, Copy)]
enum Task {
    Sweep,
    Ratings,
    Listing,
    Derived(Table),
    Activities,
}

/// What was seen.
pub(super) struct Seen {
    pub(super) walk: Walk,
    /// Matches and tournaments in the log.
    pub(super) sources: u64,
    /// Those of which something else is wrong than activities.
    pub(super) suspects: Vec<Source>,
    /// Rows that are of no match or tournament: tables and keys.
    pub(super) of_nobody: Vec<(&'static str, Vec<u8>)>,
    pub(super) ratings: ratings::Found,
}

/// What the threads share.
struct Work<'a> {
    players: &'a Players,
    sight: &'a dyn Sight,
    only: Option<&'a str>,
    tasks: Mutex<VecDeque<Task>>,
    left: Left,
}

/// Snapshots after the same commit, one for each thread; there is at least one.
pub(super) fn views(sight: &dyn Sight) -> Result<Vec<Box<dyn Snapshot>>, Error> {
    sight.views(sight.threads().clamp(1, MAX_THREADS))
}

/// Does all of it, on this thread and one for each of the other views.
pub(super) fn work(
    view: &dyn Snapshot,
    others: Vec<Box<dyn Snapshot>>,
    players: &Players,
    sight: &dyn Sight,
    only: Option<&str>,
) -> Result<Seen, Error> {
    let tasks = [Task::Sweep, Task::Ratings, Task::Listing].into_iter();
    let tasks = tasks.chain(DERIVED.map(Task::Derived)).chain([Task::Activities]).collect();
    let own = only.map(|player| Key::default().text(player).0);
    let (tasks, left) = (Mutex::new(tasks), Left::of(own.as_deref()));
    let work = Work { players, sight, only, tasks, left };
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> =
            others.into_iter().map(|view| scope.spawn(move || work.some(&*view))).collect();
        let mut seen = work.some(view);
        for thread in threads {
            let other = thread.join();
            let other = other.unwrap_or_else(|_| Err(failed("a thread of it has panicked")));
            seen = seen.and_then(|seen| Ok(seen.with(other?)));
        }
        seen
    })
}

impl Work<'_> {
    /// What one thread does of it.
    fn some(&self, view: &dyn Snapshot) -> Result<Seen, Error> {
        self.sight.begins();
        let own = self.only.map(|player| Key::default().text(player).0);
        let mut seen = Seen {
            walk: Walk::new(own),
            sources: 0,
            suspects: Vec::new(),
            of_nobody: Vec::new(),
            ratings: ratings::Found::default(),
        };
        while let Some(task) = self.next() {
            let done = self.run(task, view, &mut seen);
            if done.is_err() {
                // Nobody begins what is of no use.
                self.tasks.lock().clear();
                self.left.end();
            }
            done?;
        }
        Ok(seen)
    }

    /// The next task; activities stay to be shared.
    fn next(&self) -> Option<Task> {
        let mut tasks = self.tasks.lock();
        let next = tasks.pop_front();
        if let Some(Task::Activities) = next {
            tasks.push_front(Task::Activities);
        }
        next
    }

    fn run(&self, task: Task, view: &dyn Snapshot, seen: &mut Seen) -> Result<(), Error> {
        let (sight, walk) = (self.sight, &mut seen.walk);
        match task {
            Task::Sweep => {
                let mut sweep = Sweep::new(self.players, view, sight, self.only);
                sweep.run()?;
                walk.standing.join(sweep.standing);
                seen.sources += sweep.sources;
                seen.suspects.extend(sweep.suspects);
                seen.of_nobody.extend(sweep.of_nobody);
            }
            Task::Ratings => {
                let forgotten = &self.players.forgotten;
                seen.ratings = ratings::look(view, forgotten, sight, walk.only.as_deref())?;
            }
            Task::Listing => walk.listing(view, sight)?,
            Task::Derived(table) => walk.derived(view, sight, table)?,
            Task::Activities => {
                walk.activities(view, sight, &self.left)?;
                self.tasks.lock().clear();
            }
        }
        Ok(())
    }
}

impl Seen {
    fn with(mut self, other: Self) -> Self {
        self.walk.join(other.walk);
        self.sources += other.sources;
        self.suspects.extend(other.suspects);
        self.of_nobody.extend(other.of_nobody);
        self.ratings.join(other.ratings);
        self
    }
}
