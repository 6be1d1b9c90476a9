//! One stream: its fold, and the followers who are told of what is new.
//!
//! While there are followers, a task follows the log and publishes; without them the fold stands
//! still until somebody reads, who then brings it up to date.

use std::{
    ops::Deref,
    sync::Arc,
    time::{Duration, Instant},
};

use matchwire_domain::{
    live_match::{Course, Latest, Play, Predictor as _, Rules as _},
    series,
    subject::Subject,
    timeline::{Fold, Pushed},
};
use parking_lot::{Mutex, MutexGuard};
use tokio::{sync::Notify, time};

use super::{
    Bell, Context, PAGE_EVENTS, Stage, blocking,
    frame::{EventFrame, PredictionFrame, Snapshot, StateFrame},
    outlet::{Events, Outlet, States},
    pages::Pages,
};
use crate::{Entry, Error};

/// A fold that is behind by no more than this is brought up to date on the spot, if those events are
/// in memory.
const NEAR_EVENTS: u64 = 64;
/// How long a stream that could not be read is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// So often a model is tried for the sake of one stream, and that stream folded again: a state on which
/// a model always fails must not keep it from all others.
const MAX_TRIES: u8 = 3;
/// How many older events are read at once behind a gap.
const OLDER_EVENTS: usize = 128;

/// A stream that is folded, and may be followed.
pub struct Feed {
    subject: Subject,
    context: Arc<Context>,
    folding: Mutex<Folding>,
    outlet: Mutex<Outlet>,
    pages: Pages,
    bells: Mutex<Bells>,
    /// Wakes the task when the last follower has gone.
    left: Notify,
}

struct Folding {
    fold: Fold,
    version: u64,
    /// The last prediction that was shown, and the number that followers tell it by.
    shown: Option<Latest>,
    predicted: u64,
    /// How often a model was tried for the sake of this stream, and how often the stream was folded again
    /// for it, in vain.
    tries: u8,
    refolds: u8,
    /// The state as it is now, if it was asked for.
    snapshot: Option<Arc<Snapshot>>,
}

#[derive(Default)]
struct Bells {
    hung: Vec<Bell>,
    is_tasked: bool,
}

/// A follower's hold on a feed; dropped, it is told no more.
pub struct Follow {
    feed: Arc<Feed>,
    bell: Bell,
}

impl Feed {
    pub(super) fn new(subject: Subject, context: Arc<Context>) -> Self {
        let folding = Folding {
            fold: Fold::new(&context.games, &subject),
            version: 0,
            shown: None,
            predicted: 0,
            tries: 0,
            refolds: 0,
            snapshot: None,
        };
        Self {
            subject,
            context,
            folding: Mutex::new(folding),
            outlet: Mutex::default(),
            pages: Pages::default(),
            bells: Mutex::default(),
            left: Notify::new(),
        }
    }

    /// The stream.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The last event that followers can have.
    pub fn head(&self) -> u64 {
        self.outlet.lock().head
    }

    /// Whether the stream could not be read; nothing more comes until it can.
    pub fn has_failed(&self) -> bool {
        self.outlet.lock().failed
    }

    /// Events after a seq, at most `limit`.
    pub fn events(&self, after: u64, limit: usize) -> Events {
        self.outlet.lock().events(after, limit)
    }

    /// What leads from a version of the state to the current one.
    pub fn states(&self, version: Option<u64>) -> States {
        self.outlet.lock().states(version)
    }

    /// The last prediction, if it is not the one whose frame has the number `had`.
    pub fn prediction(&self, had: u64) -> Option<Arc<PredictionFrame>> {
        self.outlet.lock().prediction(had)
    }

    /// Events after a seq from the log, some at a time, for a follower who is far behind. Those who come
    /// at the same time share what is read.
    pub async fn older(&self, after: u64) -> Result<Vec<Arc<EventFrame>>, Error> {
        let read = |after, limit| self.read_older(after, limit);
        match self.pages.after(after, read).await {
            Ok(page) if !page.is_empty() => Ok(page),
            // The page begins before what can be read, or ends in a gap.
            _ => self.read_older(after, OLDER_EVENTS).await,
        }
    }

    async fn read_older(&self, after: u64, limit: usize) -> Result<Vec<Arc<EventFrame>>, Error> {
        let (context, subject) = (self.context.clone(), self.subject.clone());
        blocking(move || {
            let entries = context.log.read(&subject, after, limit)?;
            let lineage = context.log.lineage().current();
            let frame = |entry| EventFrame::new(&context.games, &subject, lineage, entry, None);
            Ok(entries.iter().map(frame).collect())
        })
        .await
    }

    /// The state as of the log's head.
    pub async fn snapshot(self: &Arc<Self>) -> Result<Arc<Snapshot>, Error> {
        self.up_to_date(Self::current).await
    }

    /// A copy of the fold's state, with the accounts that are known.
    pub(super) async fn play(self: &Arc<Self>) -> Result<Box<dyn Play>, Error> {
        let select = |feed: &Self, folding: &mut Folding| {
            folding.fold.play.reveal(&*feed.context.people);
            folding.fold.play.boxed()
        };
        self.up_to_date(select).await
    }

    pub(super) async fn series(self: &Arc<Self>) -> Result<series::State, Error> {
        let select = |_: &Self, folding: &mut Folding| folding.fold.state().cloned();
        let state = self.up_to_date(select).await?;
        // Every other stream tells nothing of a match as a whole.
        Ok(state.unwrap_or_else(|| series::State::begin(Course::new(self.subject.as_str(), 0))))
    }

    pub(super) async fn predictions(
        self: &Arc<Self>,
        skip: usize,
        limit: usize,
    ) -> Result<(Vec<Latest>, bool), Error> {
        let select = move |_: &Self, folding: &mut Folding| {
            let Fold { predictions, play, .. } = &folding.fold;
            let mut rest = predictions.iter().skip(skip);
            let page = rest.by_ref().take(limit).cloned().map(Latest::from);
            let mut page: Vec<Latest> = page.collect();
            let has_more = rest.next().is_some();
            if let (false, Some(last)) = (has_more, page.last_mut()) {
                last.stale = play.course().prediction.as_ref().is_some_and(|latest| latest.stale);
            }
            (page, has_more)
        };
        self.up_to_date(select).await
    }

    pub(super) fn is_followed(&self) -> bool {
        !self.bells.lock().hung.is_empty()
    }

    pub(super) fn lag(&self) -> u64 {
        // A head that cannot be read is no lag that can be told.
        self.context.log.head(&self.subject).unwrap_or(0).saturating_sub(self.head())
    }

    pub(super) fn follow(feed: Arc<Self>, bell: &Bell) -> Follow {
        let mut bells = feed.bells.lock();
        bells.hung.push(bell.clone());
        if !std::mem::replace(&mut bells.is_tasked, true) {
            tokio::spawn(run(feed.clone()));
        }
        drop(bells);
        Follow { feed, bell: bell.clone() }
    }

    /// Catches up with the log, then gives the fold to `select`.
    async fn up_to_date<T: Send + 'static>(
        self: &Arc<Self>,
        select: impl FnOnce(&Self, &mut Folding) -> T + Send + 'static,
    ) -> Result<T, Error> {
        if let Some(mut folding) = self.at_once(false)? {
            return Ok(select(self, &mut folding));
        }
        let feed = self.clone();
        blocking(move || {
            let mut folding = feed.folding.lock();
            feed.catch_up(&mut folding, false, true)?;
            Ok(select(&feed, &mut folding))
        })
        .await
    }

    /// The fold up to date with the log, if that takes so little that it may be done on a thread
    /// that others wait for.
    fn at_once(&self, is_live: bool) -> Result<Option<MutexGuard<'_, Folding>>, Error> {
        let Some(mut folding) = self.folding.try_lock() else { return Ok(None) };
        let (log, seq) = (&self.context.log, folding.fold.seq());
        let behind = log.head(&self.subject)?.saturating_sub(seq);
        // A disk may take its time, and an archive even more.
        let is_near = behind <= NEAR_EVENTS && (behind == 0 || log.is_at_hand(&self.subject, seq));
        let is_done = is_near && self.catch_up(&mut folding, is_live, false)?;
        Ok(is_done.then_some(folding))
    }

    /// Folds what the log has more, and publishes it if there are followers. `is_live` tells that
    /// the events have just happened, so that the time they took is worth measuring. A late event
    /// means to read the whole stream, which needs `may_refold`; without it the answer is `false`,
    /// and the fold stands before that event.
    fn catch_up(
        &self,
        folding: &mut Folding,
        is_live: bool,
        may_refold: bool,
    ) -> Result<bool, Error> {
        loop {
            let entries = self.context.log.read(&self.subject, folding.fold.seq(), PAGE_EVENTS)?;
            let is_followed = self.is_followed();
            if entries.is_empty() {
                if self.is_withdrawn(folding)? {
                    self.withdraw(folding);
                    return Ok(true);
                }
                if !self.heal(folding, may_refold) {
                    return Ok(false);
                }
                if is_followed && folding.snapshot.is_none() {
                    self.current(folding);
                }
                return Ok(true);
            }
            let late = self.fold(folding, &entries, is_live);
            let folded = match late {
                Some(_) if may_refold => {
                    // All that is there is folded in one go, however many of them are late.
                    let last = entries.last().map_or(0, |entry| entry.recorded.seq);
                    self.refold(folding, last)?;
                    entries.as_slice()
                }
                Some(at) => entries.get(..at).unwrap_or_default(),
                None => entries.as_slice(),
            };
            if folded.is_empty() {
                return Ok(false);
            }
            if is_followed {
                self.publish(folding, folded, is_live);
            } else {
                folding.snapshot = None;
                self.outlet.lock().clear(folding.fold.seq());
            }
            if late.is_some() && !may_refold {
                return Ok(false);
            }
        }
    }

    /// Folds the stream again from its first event on.
    fn refold(&self, folding: &mut Folding, last: u64) -> Result<(), Error> {
        let all = self.context.all(&self.subject, last)?;
        let records = all.iter().map(|entry| &entry.recorded);
        let mut fold = Fold::of(&self.context.games, &self.subject, records);
        fold.keep_latest(&folding.fold);
        folding.fold = fold;
        Ok(())
    }

    /// Folds anew what is held, so that of people only what can be told now is in memory: followers get the state as a
    /// whole. May block.
    pub(super) fn renew(&self) -> Result<(), Error> {
        let mut folding = self.folding.lock();
        let seq = folding.fold.seq();
        if seq == 0 {
            return Ok(());
        }
        self.refold(&mut folding, seq)?;
        folding.snapshot = None;
        if self.is_followed() {
            self.current(&mut folding);
            self.ring();
        } else {
            self.outlet.lock().clear(seq);
        }
        Ok(())
    }

    /// Whether what was folded is not for those who read here any more.
    fn is_withdrawn(&self, folding: &Folding) -> Result<bool, Error> {
        Ok(folding.fold.seq() > 0 && self.context.log.head(&self.subject)? == 0)
    }

    /// Forgets the stream, as if nothing had happened in it: that is what followers are told.
    fn withdraw(&self, folding: &mut Folding) {
        folding.fold = Fold::new(&self.context.games, &self.subject);
        folding.snapshot = None;
        self.outlet.lock().clear(0);
        self.pages.clear();
        if self.is_followed() {
            self.current(folding);
            self.ring();
        }
    }

    /// Makes up for predictions that are missing, once the models can be asked again. `false` tells that
    /// the stream must be folded again for it, and that this is not the place.
    fn heal(&self, folding: &mut Folding, may_refold: bool) -> bool {
        let guard = &self.context.guard;
        let game = &*folding.fold.play.course().game;
        // Whoever has a state may find out whether the model answers, also where nothing is missing.
        if folding.tries < MAX_TRIES
            && let Some(model) = guard.due(game)
        {
            let is_answered = guard.predict(&*folding.fold.play, &model).is_ok();
            folding.tries = if is_answered { 0 } else { folding.tries + 1 };
        }
        if !folding.fold.has_gaps() {
            return true;
        }
        if folding.refolds >= MAX_TRIES || !guard.is_well(game) {
            return true;
        }
        if !may_refold {
            return false;
        }
        let seq = folding.fold.seq();
        let is_folded = self.refold(folding, seq).is_ok();
        if is_folded && !folding.fold.has_gaps() {
            (folding.tries, folding.refolds) = (0, 0);
        } else {
            folding.refolds += 1;
        }
        if self.is_followed() {
            self.publish(folding, &[], false);
        } else {
            folding.snapshot = None;
            self.outlet.lock().clear(seq);
        }
        true
    }

    /// Folds events up to the first late one, and tells which that is.
    fn fold(&self, folding: &mut Folding, entries: &[Entry], is_live: bool) -> Option<usize> {
        for (at, entry) in entries.iter().enumerate() {
            let begun = Instant::now();
            match folding.fold.push(&entry.recorded) {
                Pushed::Refold => return Some(at),
                Pushed::Applied { predicted } if is_live => {
                    let Some(observer) = &self.context.observer else { continue };
                    if predicted {
                        observer.passed(Stage::Predict, begun.elapsed());
                    }
                    if let Some(durable) = entry.durable {
                        observer.passed(Stage::Fold, durable.elapsed());
                    }
                }
                Pushed::Applied { .. } => {}
            }
        }
        None
    }

    fn publish(&self, folding: &mut Folding, entries: &[Entry], is_live: bool) {
        let before = folding.snapshot.take();
        let snapshot = folding.show(&self.context);
        let change = before.and_then(|before| {
            let patch = super::diff(before.text(), snapshot.text())?;
            Some(StateFrame::new(&self.subject, before.version, &snapshot, &patch))
        });
        let ready = is_live.then(Instant::now);
        let lineage = self.context.log.lineage().current();
        let frame =
            |entry| EventFrame::new(&self.context.games, &self.subject, lineage, entry, ready);
        let events: Vec<_> = entries.iter().map(frame).collect();
        {
            let mut outlet = self.outlet.lock();
            outlet.put_events(events);
            outlet.put_state(snapshot, change);
            outlet.put_prediction(&self.subject, folding.predicted, folding.shown.as_ref());
        }
        self.ring();
    }

    /// The state as it is, which followers can have from then on.
    fn current(&self, folding: &mut Folding) -> Arc<Snapshot> {
        if let Some(snapshot) = &folding.snapshot {
            return snapshot.clone();
        }
        let snapshot = folding.show(&self.context);
        let mut outlet = self.outlet.lock();
        outlet.put_state(snapshot.clone(), None);
        outlet.put_prediction(&self.subject, folding.predicted, folding.shown.as_ref());
        snapshot
    }

    /// Waits for when predictions that are missing may be made; for ever if there are none.
    async fn rested(&self) {
        let has_gaps = self.folding.try_lock().is_none_or(|folding| folding.fold.has_gaps());
        if !has_gaps {
            std::future::pending::<()>().await;
        }
        time::sleep(self.context.guard.patience().rest).await;
    }

    fn ring(&self) {
        for bell in &self.bells.lock().hung {
            bell.notify_one();
        }
    }

    /// Whether the task goes on: the last follower and it agree under the lock.
    fn is_wanted(&self) -> bool {
        let mut bells = self.bells.lock();
        bells.is_tasked = !bells.hung.is_empty();
        if !bells.is_tasked {
            self.pages.clear();
        }
        bells.is_tasked
    }
}

impl Folding {
    fn show(&mut self, context: &Context) -> Arc<Snapshot> {
        self.version += 1;
        self.number_prediction();
        self.fold.play.reveal(&*context.people);
        let snapshot = Snapshot::new(self.version, self.predicted, &self.fold);
        self.snapshot = Some(snapshot.clone());
        snapshot
    }

    /// Counts the last prediction if it is not the one that was shown.
    fn number_prediction(&mut self) {
        let latest = &self.fold.play.course().prediction;
        if self.shown != *latest {
            self.predicted += 1;
            self.shown.clone_from(latest);
        }
    }
}

/// Follows the log for as long as there are followers.
async fn run(feed: Arc<Feed>) {
    let mut head = feed.context.log.watch(&feed.subject);
    // What was there before is folded now, but did not happen now.
    let mut is_live = false;
    while feed.is_wanted() {
        head.mark_unchanged();
        let at_once = feed.at_once(is_live).map(|folding| folding.is_some());
        let result = match at_once {
            Ok(false) => {
                let feed = feed.clone();
                blocking(move || feed.catch_up(&mut feed.folding.lock(), is_live, true)).await
            }
            done => done,
        };
        if let Err(error) = result {
            if !std::mem::replace(&mut feed.outlet.lock().failed, true) {
                tracing::error!(subject = %feed.subject, %error, "the stream cannot be read");
            }
            feed.ring();
            // Whoever follows in the meantime finds the task here, so it does not wait for events.
            tokio::select! {
                () = time::sleep(RETRY_AFTER) => {}
                () = feed.left.notified() => {}
            }
            continue;
        }
        if std::mem::take(&mut feed.outlet.lock().failed) {
            feed.ring();
        }
        is_live = true;
        tokio::select! {
            changed = head.changed() => if changed.is_err() { break },
            () = feed.left.notified() => {}
            () = feed.rested() => {}
        }
    }
}

impl Deref for Follow {
    type Target = Arc<Feed>;

    fn deref(&self) -> &Arc<Feed> {
        &self.feed
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        let mut bells = self.feed.bells.lock();
        if let Some(at) = bells.hung.iter().position(|bell| Arc::ptr_eq(bell, &self.bell)) {
            bells.hung.swap_remove(at);
        }
        let is_last = bells.hung.is_empty();
        drop(bells);
        if is_last {
            self.feed.left.notify_one();
            if let Some(feeds) = self.feed.context.feeds.upgrade() {
                feeds.leave(&self.feed);
            }
        }
    }
}
