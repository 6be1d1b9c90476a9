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
/// A view is near the log's end while it is no more than so many groups behind: a build then serves.
const NEAR_GROUPS: u64 = 64;

/// How far a view has come with a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Whether it has seen all there is.
    pub(super) has_seen_all: bool,
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

    /// Applies the next batch, for so long, and settles rows once the view has seen all there is. After an error the follower
    /// is of no use any more: the view says where to go on.
    pub(super) fn step(
        &mut self,
        view: &dyn StoredView,
        projection: &dyn Projection,
        time: Duration,
    ) -> Result<Step, Fault> {
        let first = self.read()?;
        let must_commit = first.is_some() || self.is_silent();
        if !must_commit && self.is_settled {
            return Ok(Step { has_seen_all: true, is_settled: true });
        }
        let mut batch = Batch::new(view.begin(self.stored.as_deref())?, time);
        let mut next = first;
        let has_seen_all = loop {
            let Some(Swept { subject, entries, .. }) = next else { break true };
            let recorded: Vec<Recorded> = entries.into_iter().map(|entry| entry.recorded).collect();
            // All of them may be missing: trimmed, or lost for good.
            if !recorded.is_empty() {
                self.is_settled = false;
                projection.apply(&mut batch, &subject, &recorded)?;
            }
            if batch.is_full() {
                break false;
            }
            // What was applied is kept, whatever keeps the rest from being read.
            next = match self.read() {
                Ok(next) => next,
                Err(error) => {
                    projection.finish(&mut batch)?;
                    self.commit(batch)?;
                    return Err(error.into());
                }
            };
        };
        projection.finish(&mut batch)?;
        // Before that, what comes next may undo what was done.
        if has_seen_all {
            self.settle(&mut batch, projection)?;
        }
        if must_commit || !batch.is_empty() {
            self.commit(batch)?;
        }
        Ok(Step { has_seen_all, is_settled: self.is_settled })
    }

    /// Whether so many groups had nothing for the view that this is to be stored.
    fn is_silent(&self) -> bool {
        self.seen() >= self.stored_from + SILENT_GROUPS || self.stored.is_none()
    }

    /// Whether it has seen nearly everything.
    pub(super) fn is_near(&self) -> bool {
        self.log.tip().borrow().saturating_sub(self.seen()) <= NEAR_GROUPS
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
