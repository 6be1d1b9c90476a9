//! A topic of many matches: events by a sweep of their streams, and the states of those that move.
//!
//! States come behind the events that they stand for, so a reader may be cut off in between. Each cursor says up to
//! where the states were sent before it, and who comes again with it is first sent those that it may lack.

mod opening;
mod owed;
mod shown;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use matchwire_domain::subject::Subject;
use matchwire_log::{
    Error,
    live::{Bell, EventFrame},
    sweep::{Mark, Moved, Sweep, Swept},
};
use serde_json::{Map, Value};
use tokio::task::{self, AbortHandle};

pub(crate) use self::opening::start;
use self::shown::{Shown, Since};
use super::{Batch, Kind, PULL_EVENTS, Place, Refusal, Views, compose};
use crate::{
    app::App,
    cursor::{Told, WideCursor},
    problem::Problem,
    topic::Topic,
};

/// Where a reader is when a batch begins.
struct Begun {
    since: Since,
    told: Told,
}

/// A wide topic of one connection.
pub(crate) struct Wide {
    topic: Topic,
    views: Views,
    /// Nothing while it is read by a thread that may block.
    sweep: Option<Sweep>,
    /// Frames that begin the subscription, and are sent first.
    first: Vec<(Kind, Bytes, Place)>,
    /// The streams that moved before it came, and whose states it may lack; nothing once it was sent those.
    owed: Option<Moved>,
    /// The streams whose states the reader is shown.
    shown: BTreeMap<Subject, Shown>,
    /// Up to which event snapshots had streams, and the group behind which that does not count any more.
    ahead: (BTreeMap<Subject, u64>, u64),
    /// Counts what was put into batches, to know which of the shown streams moved last.
    clock: u64,
    /// Whether the reader has once been up to date.
    is_live: bool,
    /// Whether it was told that it is, states and all.
    is_current: bool,
    ringer: AbortHandle,
}

impl Drop for Wide {
    fn drop(&mut self) {
        self.ringer.abort();
    }
}

impl Wide {
    pub(super) fn topic(&self) -> &Topic {
        &self.topic
    }

    /// Whether a reader who had caught up is now behind what is in memory.
    pub(super) fn lags(&self) -> bool {
        self.is_live && self.sweep.as_ref().is_some_and(|sweep| sweep.behind().is_none())
    }

    /// How many events of all streams came since what was read, if that is known.
    pub(super) fn behind(&self) -> u64 {
        self.sweep.as_ref().and_then(Sweep::behind).unwrap_or(0)
    }

    /// Whether what comes next has to be read from the disk.
    pub(super) fn is_far_behind(&self) -> bool {
        let is_far = |sweep: &Sweep| sweep.may_have_more() && sweep.behind().is_none();
        self.sweep.as_ref().is_some_and(is_far)
            || self.owed.as_ref().is_some_and(Moved::is_far_behind)
    }

    /// Up to where the reader was sent.
    pub(super) fn sent(&self, app: &App) -> String {
        let told = if self.first.is_empty() { self.told() } else { Told::Played(None) };
        WideCursor::now(app.live.log(), self.mark(), told).to_string()
    }

    /// Up to where the reader was sent events.
    fn mark(&self) -> Mark {
        self.sweep.as_ref().map_or(Mark::at(0), |sweep| sweep.mark().clone())
    }

    /// Puts what comes next into the batch.
    pub(super) async fn pull(
        &mut self,
        app: &App,
        bell: &Bell,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        for (kind, text, place) in std::mem::take(&mut self.first) {
            batch.put(kind, text, place);
        }
        self.pull_owed(app, bell, batch).await?;
        let begun =
            Begun { since: Since { clock: self.clock, mark: self.mark() }, told: self.told() };
        while self.owed.is_none() && !batch.is_full() {
            match self.sweep_on().await {
                Ok(Some(swept)) => self.put(app, bell, batch, swept, &begun).await?,
                Ok(None) => {
                    self.is_live = true;
                    break;
                }
                Err(error @ Error::Corrupt { .. }) => self.pass(batch, error)?,
                Err(error) => return Err(error.into()),
            }
        }
        for (subject, shown) in &mut self.shown {
            shown.put(app, &self.topic, subject, self.views, batch);
        }
        Ok(())
    }

    /// The next events.
    async fn sweep_on(&mut self) -> Result<Option<Swept>, Error> {
        let Some(sweep) = &mut self.sweep else { return Err(Error::Stopped) };
        if sweep.is_at_hand() {
            return sweep.next(PULL_EVENTS);
        }
        if !sweep.may_have_more() {
            return Ok(None);
        }
        let Some(mut sweep) = self.sweep.take() else { return Err(Error::Stopped) };
        let read = task::spawn_blocking(move || {
            let swept = sweep.next(PULL_EVENTS);
            (sweep, swept)
        });
        let (sweep, swept) = read.await.map_err(|_| Error::Stopped)?;
        self.sweep = Some(sweep);
        swept
    }

    /// Leaves out what a stream has at damage, and says so.
    fn pass(&mut self, batch: &mut Batch, error: Error) -> Result<(), Refusal> {
        let Some(subject) = self.sweep.as_mut().and_then(Sweep::pass) else {
            return Err(error.into());
        };
        let members = about(Problem::from(error).members(), &subject);
        batch.put(Kind::Error, compose::error(&self.topic, members), Place::Same);
        Ok(())
    }

    async fn put(
        &mut self,
        app: &App,
        bell: &Bell,
        batch: &mut Batch,
        swept: Swept,
        begun: &Begun,
    ) -> Result<(), Refusal> {
        let ahead = self.known_ahead(&swept);
        if !swept.missing.is_empty() && swept.missing.end > ahead {
            batch.put(Kind::Error, compose::error(&self.topic, lost(&swept)), Place::Same);
        }
        let (log, lineage) = (app.live.log(), app.live.log().lineage().current());
        for entry in &swept.entries {
            let seq = entry.recorded.seq;
            if !self.views.events || seq <= ahead {
                continue;
            }
            let subject = &swept.subject;
            let event = EventFrame::new(app.live.games(), subject, lineage, entry, None);
            let cursor = WideCursor::now(log, swept.mark(seq), begun.told.clone()).to_string();
            let text = compose::event(&self.topic, subject, &event, &cursor);
            batch.put_event(event, text, Place::Cursor(cursor));
        }
        let Some(last) = swept.entries.last().map(|entry| entry.recorded.seq) else {
            return Ok(());
        };
        if self.shows_states() {
            self.reached(app, bell, batch, &swept.subject, last.max(ahead), &begun.since).await?;
        }
        Ok(())
    }

    fn shows_states(&self) -> bool {
        self.views.state || self.views.prediction
    }

    /// Up to which event of a stream a snapshot told already.
    fn known_ahead(&mut self, swept: &Swept) -> u64 {
        let (seqs, until) = &mut self.ahead;
        if swept.from() >= *until {
            seqs.clear();
        }
        seqs.get(&swept.subject).copied().unwrap_or(0)
    }
}

/// What is told of events that are not there any more.
pub(crate) fn lost(swept: &Swept) -> Map<String, Value> {
    let (subject, first, last) = (&swept.subject, swept.missing.start, swept.missing.end - 1);
    let detail = format!("{subject}: seq {first} to {last} are lost, or past their age");
    let members = [("code", Value::from("lost")), ("detail", detail.into())];
    let members = members.map(|(name, value)| (name.to_owned(), value));
    about(members.into_iter().collect(), subject)
}

/// What is told of one stream of many.
pub(crate) fn about(mut members: Map<String, Value>, subject: &Subject) -> Map<String, Value> {
    members.insert("subject".to_owned(), subject.as_str().into());
    members
}

/// Rings a bell whenever a sweep may have more to read.
fn ring(sweep: &Sweep, bell: &Bell) -> AbortHandle {
    let (mut growth, bell) = (sweep.growth(), Arc::clone(bell));
    let ringing = tokio::spawn(async move {
        while growth.more().await {
            bell.notify_one();
        }
    });
    ringing.abort_handle()
}
