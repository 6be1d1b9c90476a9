//! Follows the log with one stored view, batch by batch.

use std::time::Duration;

use matchwire_domain::envelope::Recorded;

use super::{Position, Projection, batch::Batch};
use crate::{
    Error, Log, View,
    sweep::{Mark, Scope, Sweep, Swept},
    view_store::{self, StoredView, Transaction as _},
};

/// How many events are read at once.
const PAGE_EVENTS: usize = 1_000;
/// How many groups without anything for the view may come before that is stored: after a start they are looked
/// through again.
const SILENT_GROUPS: u64 = 10_000;

/// How far a view has come with a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Whether it has seen all up to its goal, or all there is.
    pub(super) is_there: bool,
    /// Whether its rows leave nothing to be done.
    pub(super) is_settled: bool,
}

/// Why a view does not get on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] Error),
    /// The view cannot be written or read.
    #[error(transparent)]
    View(#[from] view_store::Error),
}

/// Reads the log from where a view is, and applies what it finds.
pub(super) struct Follower {
    log: Log,
    sweep: Sweep,
    /// The position that the view has.
    stored: Option<String>,
    /// Up to which group that is.
    stored_from: u64,
    passed: u64,
    /// Whether it is known that the stored rows leave nothing to be done.
    is_settled: bool,
}

impl Follower {
    /// One that goes on from a view's position; nothing if the view has seen what is no part of the log.
    pub(super) fn of(
        view: &dyn StoredView,
        projection: &dyn Projection,
        log: &Log,
    ) -> Result<Option<Self>, Fault> {
        let stored = view.snapshot()?.position()?;
        let (mark, passed) = match &stored {
            None => (Mark::at(0), 0),
            Some(text) => {
                let position = Position::parse(text);
                let tip = *log.tip().borrow();
                let mark = position.as_ref().and_then(|it| it.mark(log.lineage(), tip));
                let Some(mark) = mark else { return Ok(None) };
                (mark, position.map_or(0, |position| position.passed))
            }
        };
        let stored_from = mark.from;
        let scope = Scope::patterns(projection.scope());
        let sweep = Sweep::new(View::from(log.clone()), scope, mark);
        Ok(Some(Self { log: log.clone(), sweep, stored, stored_from, passed, is_settled: false }))
    }

    /// Up to which group everything was seen.
    pub(super) fn seen(&self) -> u64 {
        self.sweep.mark().from
    }

    /// How many parts of streams were passed over.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// Applies the next batch, for so long, and settles rows once the view is there: it has seen all up to a goal, behind which it
    /// does not look until they are settled, or all there is. After an error the follower is of no use any more: the view
    /// says where to go on.
    pub(super) fn step(
        &mut self,
        view: &dyn StoredView,
        projection: &dyn Projection,
        goal: Option<u64>,
        time: Duration,
    ) -> Result<Step, Fault> {
        let first = if self.has_seen(goal) { None } else { self.read()? };
        let must_commit = first.is_some() || self.is_silent();
        if !must_commit && self.is_settled {
            return Ok(Step { is_there: true, is_settled: true });
        }
        let mut batch = Batch::new(view.begin(self.stored.as_deref())?, time);
        // What was applied is kept, whatever keeps the rest from being read.
        let applied = self.apply(&mut batch, projection, first, goal)?;
        projection.finish(&mut batch)?;
        // Before that, what comes next may undo what was done.
        if matches!(applied, Ok(true)) {
            self.settle(&mut batch, projection)?;
        }
        if must_commit || !batch.is_empty() {
            self.commit(batch)?;
        }
        Ok(Step { is_there: applied?, is_settled: self.is_settled })
    }

    /// Fills a batch, and tells whether the view is there; or what keeps it from being read further.
    fn apply(
        &mut self,
        batch: &mut Batch<'_>,
        projection: &dyn Projection,
        first: Option<Swept>,
        goal: Option<u64>,
    ) -> Result<Result<bool, Error>, view_store::Error> {
        let mut next = first;
        loop {
            let Some(Swept { subject, entries, .. }) = next else { return Ok(Ok(true)) };
            let recorded: Vec<Recorded> = entries.into_iter().map(|entry| entry.recorded).collect();
            // All of them may be missing: trimmed, or lost for good.
            if !recorded.is_empty() {
                self.is_settled = false;
                projection.apply(batch, &subject, &recorded)?;
            }
            if self.has_seen(goal) {
                return Ok(Ok(true));
            }
            if batch.is_full() {
                return Ok(Ok(false));
            }
            next = match self.read() {
                Ok(next) => next,
                Err(error) => return Ok(Err(error)),
            };
        }
    }

    fn has_seen(&self, goal: Option<u64>) -> bool {
        goal.is_some_and(|goal| self.seen() >= goal)
    }

    /// Whether so many groups had nothing for the view that this is to be stored.
    fn is_silent(&self) -> bool {
        self.seen() >= self.stored_from + SILENT_GROUPS || self.stored.is_none()
    }

    /// Does what rows leave to be done, at least a part of it.
    fn settle(
        &mut self,
        batch: &mut Batch<'_>,
        projection: &dyn Projection,
    ) -> Result<(), view_store::Error> {
        while !self.is_settled {
            self.is_settled = projection.settle(batch)?;
            if batch.is_full() {
                break;
            }
        }
        Ok(())
    }

    fn commit(&mut self, batch: Batch<'_>) -> Result<(), view_store::Error> {
        let position = Position::new(self.log.lineage(), self.sweep.mark(), self.passed);
        let text = position.text();
        Box::new(batch).commit(&text)?;
        (self.stored, self.stored_from) = (Some(text), position.from);
        Ok(())
    }

    /// The next events; a stream that is damaged is passed over, since what is behind it is to be seen
    /// nevertheless.
    fn read(&mut self) -> Result<Option<Swept>, Error> {
        loop {
            match self.sweep.next(PAGE_EVENTS) {
                Err(error) if error.is_partial() && !error.is_retryable() => {
                    let Some(subject) = self.sweep.pass() else { return Err(error) };
                    self.passed += 1;
                    tracing::warn!(%subject, %error, "a stored view lacks a part of a stream");
                }
                read => return read,
            }
        }
    }
}
