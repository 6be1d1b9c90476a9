//! The runner that drives log → fold → view: the live state of every match map that is in use.
//!
//! A map is folded from its own stream the first time that somebody needs it, kept while it is in
//! use, and dropped when it is idle and others need the room. Whoever reads catches up with the log
//! first, so an acknowledged event is in the next read. Whoever follows is told by a [`Bell`] and
//! pulls frames that were written once and are shared by all; how they reach a socket, and how fast,
//! is the gateway's business.

mod feed;
mod feeds;
mod frame;
mod guard;
mod outlet;
mod pages;
mod patch;
#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use matchwire_domain::{
    live_match::{Games, Identities, Latest, Play},
    series,
    subject::Subject,
    timeline::Fold,
};
use serde_json::Value;
use tokio::{sync::Notify, task};

use self::feeds::Feeds;
pub(crate) use self::guard::ask;
pub use self::{
    feed::{Feed, Follow},
    frame::{EventFrame, PredictionFrame, Snapshot, StateFrame},
    guard::{Breaker, Failure, Failures, Guard, Patience, warm_up},
    outlet::{Events, States},
    patch::diff,
};
use crate::{Entry, Error, Log, View};

/// Rings when a feed that one follows has something new. One bell may be hung into many feeds.
pub type Bell = Arc<Notify>;

/// A stage of the way of an event that is measured here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// From durable to folded.
    Fold,
    /// The step that made a prediction: the fold of its event, and the prediction.
    Predict,
}

/// Is told how long the stages of an event took, while the event's stream is followed.
pub trait Observer: Send + Sync + 'static {
    /// One event passed a stage.
    fn passed(&self, stage: Stage, took: Duration);
}

/// How many folds are kept when nobody follows them.
pub const KEPT_FOLDS: usize = 512;
/// How many events are read from the log at once while folding.
const PAGE_EVENTS: usize = 1_000;

/// The live folds of a log, or of what is seen of it; shared by everyone who reads or follows.
pub struct Live {
    context: Arc<Context>,
    feeds: Arc<Feeds>,
}

/// What every feed needs.
struct Context {
    log: View,
    games: Games,
    /// Whom the games ask for predictions.
    guard: Arc<Guard>,
    people: Arc<dyn Identities>,
    observer: Option<Arc<dyn Observer>>,
    /// Where a feed is left when its last follower goes.
    feeds: Weak<Feeds>,
}

impl Live {
    /// Live folds over a log of these games. `observer` is told how long the stages took.
    pub fn new(
        log: Log,
        games: Games,
        people: Arc<dyn Identities>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        Self::build(KEPT_FOLDS, Patience::default(), log, games, people, observer)
    }

    /// Like [`new`](Self::new), with another number of folds that are kept when nobody follows.
    pub fn keeping(
        kept: usize,
        log: Log,
        games: Games,
        people: Arc<dyn Identities>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        Self::build(kept, Patience::default(), log, games, people, observer)
    }

    /// Like [`new`](Self::new), with more or less patience with models.
    pub fn patient(
        patience: Patience,
        log: Log,
        games: Games,
        people: Arc<dyn Identities>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        Self::build(KEPT_FOLDS, patience, log, games, people, observer)
    }

    fn build(
        kept: usize,
        patience: Patience,
        log: Log,
        games: Games,
        people: Arc<dyn Identities>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        let guard = Arc::new(Guard::new(patience));
        let games = games.with_predictor(guard.clone());
        let feeds = Arc::new(Feeds::keeping(kept));
        let feeds_of = Arc::downgrade(&feeds);
        let log = View::from(log);
        let context = Context { log, games, guard, people, observer, feeds: feeds_of };
        Self { context: Arc::new(context), feeds }
    }

    /// Live folds of their own over another view of the log, which tell of people what `people` can; so many are kept when
    /// nobody follows. Models are asked as here; how long the stages took is told as here, unless the view is delayed.
    #[must_use]
    pub fn over(&self, log: View, people: Arc<dyn Identities>, kept: usize) -> Self {
        let feeds = Arc::new(Feeds::keeping(kept));
        let Context { games, guard, observer, .. } = &*self.context;
        let (games, guard) = (games.clone(), guard.clone());
        let observer = observer.clone().filter(|_| !log.is_delayed());
        let feeds_of = Arc::downgrade(&feeds);
        let context = Context { log, games, guard, people, observer, feeds: feeds_of };
        Self { context: Arc::new(context), feeds }
    }

    /// The log beneath, as it is seen here.
    pub fn log(&self) -> &View {
        &self.context.log
    }

    /// Who people are, for those who read here.
    pub fn people(&self) -> &Arc<dyn Identities> {
        &self.context.people
    }

    /// The games whose events are known.
    pub fn games(&self) -> &Games {
        &self.context.games
    }

    /// Whom models are asked through, and which of them fail.
    pub fn guard(&self) -> &Guard {
        &self.context.guard
    }

    /// The state of a map as of the log's head, never behind an acknowledged event.
    pub async fn state(&self, subject: &Subject) -> Result<Arc<Snapshot>, Error> {
        self.feed(subject).snapshot().await
    }

    /// What a match's own stream tells, as of the log's head; the accounts of people are not in it.
    pub async fn series(&self, subject: &Subject) -> Result<series::State, Error> {
        self.feed(subject).series().await
    }

    /// The statistics over the maps of a match whose streams these are, as far as they are of the
    /// game of the first one.
    pub async fn stats(&self, maps: &[Subject]) -> Result<Value, Error> {
        let mut plays = Vec::with_capacity(maps.len());
        for map in maps {
            plays.push(self.feed(map).play().await?);
        }
        let Some((first, others)) = plays.split_first() else { return Ok(Value::Null) };
        let others: Vec<&dyn Play> = others.iter().map(|play| &**play).collect();
        Ok(first.stats(&others))
    }

    /// The predictions of a map in the order of play without the first `skip`, at most `limit`,
    /// and whether there are more. The last one of all is stale while its model cannot be asked for
    /// another.
    pub async fn predictions(
        &self,
        subject: &Subject,
        skip: usize,
        limit: usize,
    ) -> Result<(Vec<Latest>, bool), Error> {
        self.feed(subject).predictions(skip, limit).await
    }

    /// The state as of the first `seq` events, as JSON; `None` if the stream has fewer.
    pub async fn state_at(&self, subject: &Subject, seq: u64) -> Result<Option<String>, Error> {
        let (context, subject) = (self.context.clone(), subject.clone());
        blocking(move || {
            if seq > context.log.head(&subject)? {
                return Ok(None);
            }
            let entries = context.all(&subject, seq)?;
            let records = entries.iter().map(|entry| &entry.recorded);
            let mut fold = Fold::of(&context.games, &subject, records);
            fold.play.reveal(&*context.people);
            Ok(Some(fold.play.to_json()))
        })
        .await
    }

    /// Follows a stream: the bell rings whenever there is more to pull, until the answer is
    /// dropped. The stream may be without events.
    pub async fn follow(&self, subject: &Subject, bell: &Bell) -> Result<Follow, Error> {
        let follow = Feed::follow(self.feed(subject), bell);
        follow.snapshot().await?;
        Ok(follow)
    }

    /// Folds everything anew that is held, since of people less can be told than before: what was told of them
    /// is in memory no more once this returns. What cannot be read is given up.
    pub async fn renew(&self) -> Result<(), Error> {
        let feeds = self.feeds.clone();
        blocking(move || {
            for feed in feeds.all() {
                if let Err(error) = feed.renew() {
                    feeds.forget(&feed);
                    tracing::warn!(subject = %feed.subject(), %error, "a state is given up");
                }
            }
            Ok(())
        })
        .await
    }

    /// How many events the followed folds are behind the log, all together.
    pub fn lag(&self) -> u64 {
        self.feeds.all().iter().filter(|feed| feed.is_followed()).map(|feed| feed.lag()).sum()
    }

    fn feed(&self, subject: &Subject) -> Arc<Feed> {
        self.feeds.get(subject, || Feed::new(subject.clone(), self.context.clone()))
    }
}

impl Context {
    /// The first `seq` events of a stream.
    fn all(&self, subject: &Subject, seq: u64) -> Result<Vec<Entry>, Error> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let after = entries.last().map_or(0, |entry| entry.recorded.seq);
            let left = usize::try_from(seq.saturating_sub(after)).unwrap_or(usize::MAX);
            let mut page = self.log.read(subject, after, left.min(PAGE_EVENTS))?;
            // Behind a loss that was accepted, a page may go further.
            page.retain(|entry| entry.recorded.seq <= seq);
            if page.is_empty() {
                return Ok(entries);
            }
            entries.extend(page);
        }
    }
}

/// Runs what may block on the disk where it blocks nobody else.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    task::spawn_blocking(work).await.unwrap_or(Err(Error::Stopped))
}
