//! The log as somebody sees it: all of it, or of each stream only what is due for them by now.
//!
//! A delayed view is for an audience that must not know before others do. It is a log to read, and to
//! read alone: of each stream it has the events up to the last one that is due, and a stream whose
//! first event is not due does not exist in it yet. As `recordedtime` never goes back, what is due is
//! always the beginning of a stream, and only grows; so folds and delivery work on a view as they do on the
//! log itself, and what they make of it is what they made of the log when it ended there.
//!
//! A screened view has no trace of the streams that its [`Screen`] hides: for whoever reads it they do not exist.
//!
//! A replay is a view, too, in which a match that was played is played again: the events come when their turn comes by a
//! [`Timetable`].

mod curtain;
mod delays;
mod replay;
mod screen;
#[cfg(test)]
mod tests;
mod watch;

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use matchwire_domain::subject::Subject;
use tokio::sync::watch as channel;

use self::curtain::{Curtain, Schedule};
use self::replay::Playing;
pub use self::{
    delays::{Delays, MAX_DELAY},
    replay::{By, MAX_REPLAYED, Pace, Timetable},
    screen::Screen,
};
use crate::{Entry, Error, Lineage, Log, streams::Stretch};

/// How many subjects are looked at in one go.
const PAGE_SUBJECTS: usize = 256;

/// What can be seen of a log. Clones share what they know of it.
#[derive(Clone)]
pub struct View {
    log: Log,
    /// What hides that which is not due; without it everything is seen.
    curtain: Option<Arc<Curtain>>,
    /// What hides streams as a whole; without it there are none that are hidden.
    screen: Option<Arc<dyn Screen>>,
}

impl From<Log> for View {
    fn from(log: Log) -> Self {
        Self { log, curtain: None, screen: None }
    }
}

impl View {
    /// A view in which events are seen only so long after their `recordedtime`, by the log's clock.
    /// While that clock is behind the log, they are seen later.
    pub fn delayed(log: Log, delays: Delays) -> Self {
        let curtain = Some(Arc::new(Curtain::new(Schedule::Delays(delays))));
        Self { log, curtain, screen: None }
    }

    /// The same view without the streams that a screen hides.
    #[must_use]
    pub fn screened(self, screen: Arc<dyn Screen>) -> Self {
        Self { screen: Some(screen), ..self }
    }

    /// A view in which the events of a timetable, and no others, are seen again, each when its turn comes;
    /// it begins now, `skipped` into the timetable. Delays do not count any more: what is in a timetable was
    /// seen when it was made.
    #[must_use]
    pub fn replay(&self, timetable: Timetable, skipped: Duration) -> Self {
        let playing = Playing::begin(timetable, self.log.clock().now(), skipped);
        let curtain = Some(Arc::new(Curtain::new(Schedule::Replay(playing))));
        Self { curtain, ..self.clone() }
    }

    /// The log's id, see [`Log::id`].
    pub fn id(&self) -> &str {
        self.log.id()
    }

    /// The histories that the log has had.
    pub fn lineage(&self) -> &Lineage {
        self.log.lineage()
    }

    /// Whether a reader that has read a stream up to `seq` under a lineage has read what is seen now.
    /// May block like [`read`](Self::read).
    pub fn is_part(&self, lineage: &str, subject: &Subject, seq: u64) -> Result<bool, Error> {
        if !self.log.is_part(lineage, subject, seq)? {
            return Ok(false);
        }
        Ok(self.is_whole() || seq <= self.head(subject)?)
    }

    /// Events of a stream with seq greater than `after` that are seen, see [`Log::read`].
    pub fn read(&self, subject: &Subject, after: u64, limit: usize) -> Result<Vec<Entry>, Error> {
        let mut entries = self.unless_hidden(subject, self.log.read(subject, after, limit))?;
        if let Some(curtain) = self.curtain_of(subject) {
            curtain.hide(&self.log, subject, &mut entries);
            for entry in &mut entries {
                // How long it took until it was due says nothing of the server.
                (entry.received, entry.durable) = (None, None);
            }
        }
        Ok(entries)
    }

    /// Whether the event after a seq is in memory, so that [`read`](Self::read) does not block for it.
    pub fn is_at_hand(&self, subject: &Subject, after: u64) -> bool {
        self.log.is_at_hand(subject, after)
    }

    /// The last seq of a stream that is seen; 0 if none is. May block like
    /// [`read`](Self::read) for a stream without recent events.
    pub fn head(&self, subject: &Subject) -> Result<u64, Error> {
        let head = match self.curtain_of(subject) {
            Some(curtain) => curtain.head(&self.log, subject),
            None => self.log.head(subject),
        };
        self.unless_hidden(subject, head)
    }

    /// Subjects of streams of which something is seen that start with `prefix`, in order, after
    /// `after`. May block like [`read`](Self::read).
    pub fn subjects(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Subject>, Error> {
        if self.is_whole() {
            return self.log.subjects(prefix, after, limit);
        }
        let (mut seen, mut after) = (Vec::new(), after.map(ToOwned::to_owned));
        while seen.len() < limit {
            let page = self.log.subjects(prefix, after.as_deref(), limit.min(PAGE_SUBJECTS))?;
            let Some(last) = page.last() else { break };
            after = Some(last.as_str().to_owned());
            for subject in page {
                if seen.len() < limit && self.has_begun(&subject)? {
                    seen.push(subject);
                }
            }
        }
        Ok(seen)
    }

    /// Up to which group everything is seen. In a delayed view that is what its longest delay lets
    /// through, so that no stream is ahead of another; after a start it is nothing until the last event
    /// from before that is due.
    pub fn settled(&self) -> u64 {
        let tip = *self.log.tip().borrow();
        let Some(curtain) = &self.curtain else { return tip };
        curtain.settled(&self.log).map_or(0, |seen| seen.min(tip))
    }

    /// Whether events become due in it, so that more may be seen though the log has not grown.
    pub fn is_delayed(&self) -> bool {
        self.curtain.is_some()
    }

    /// Waits until everything is seen up to a later group than this one; `false` is the log's end.
    pub(crate) async fn settles_behind(&self, position: u64) -> bool {
        let mut tip = self.log.tip().subscribe();
        loop {
            tip.mark_unchanged();
            if self.settled() > position {
                return true;
            }
            let due = self.curtain.as_ref();
            let due = due.and_then(|curtain| curtain.settles(&self.log, position));
            let Some(due) = due else {
                if tip.changed().await.is_err() {
                    return false;
                }
                continue;
            };
            self.log.clock().until(due).await;
        }
    }

    /// The `seq` that a stream had reached before the group at a position, seen or not. May block like
    /// [`read`](Self::read).
    pub(crate) fn seq_before(&self, subject: &Subject, position: u64) -> Result<u64, Error> {
        self.unless_hidden(subject, self.log.medium().seq_before(subject, position))
    }

    /// See [`Medium::subjects`](crate::Medium::subjects). Streams that are hidden are among them.
    pub(crate) fn subjects_within(
        &self,
        prefix: &str,
        after: Option<&str>,
        positions: RangeInclusive<u64>,
        limit: usize,
    ) -> Result<Vec<Subject>, Error> {
        self.log.medium().subjects(prefix, after, positions, limit)
    }

    /// See [`Medium::stretch`](crate::Medium::stretch).
    pub(crate) fn stretch(&self, position: u64) -> u64 {
        self.log.medium().stretch(position)
    }

    /// Which streams of those that are wanted have events in the groups after one, up to another, if
    /// that is in memory.
    pub(crate) fn arrived(
        &self,
        after: u64,
        through: u64,
        is_wanted: impl Fn(&Subject) -> bool,
    ) -> Option<Vec<Stretch>> {
        let mut arrived = self.log.streams().arrived(after, through, is_wanted)?;
        // What cannot be told is told when the stream is read.
        arrived.retain(|stretch| !self.is_hidden(&stretch.subject).unwrap_or(false));
        Some(arrived)
    }

    /// How many events came in groups after one, if that is in memory.
    pub(crate) fn count_after(&self, position: u64) -> Option<u64> {
        self.log.streams().count_after(position)
    }

    /// The last seq of a stream that is seen, now and as it grows, see [`Log::watch`]. In a delayed view
    /// it is told when an event becomes due, by a task that is there for as long as somebody watches; so
    /// it must be called within a runtime. Of a stream that is hidden it tells that there is more as well, so it is to wake
    /// those who then read, and not to be shown.
    pub fn watch(&self, subject: &Subject) -> channel::Receiver<u64> {
        match self.curtain_of(subject) {
            Some(curtain) => watch::start(&self.log, curtain, subject),
            None => self.log.watch(subject),
        }
    }

    /// Whether everything is seen.
    fn is_whole(&self) -> bool {
        self.curtain.is_none() && self.screen.is_none()
    }

    /// Whether a stream is not for those who read here.
    pub(crate) fn is_hidden(&self, subject: &Subject) -> Result<bool, Error> {
        self.screen.as_ref().map_or(Ok(false), |screen| screen.hides(&self.log, subject))
    }

    /// What was found out of a stream, or what would be of one without events. It is found out first: what hides
    /// a stream counts for all that came after it.
    fn unless_hidden<T: Default>(
        &self,
        subject: &Subject,
        found: Result<T, Error>,
    ) -> Result<T, Error> {
        if self.is_hidden(subject)? { Ok(T::default()) } else { found }
    }

    /// Whether anything of a stream that is in the log is seen.
    fn has_begun(&self, subject: &Subject) -> Result<bool, Error> {
        let is_hidden = match self.is_hidden(subject) {
            // Nobody can tell, so it is not shown.
            Err(error) if error.is_partial() => true,
            known => known?,
        };
        let is_due = || match &self.curtain {
            Some(curtain) => curtain.has_begun(&self.log, subject),
            None => Ok(true),
        };
        if is_hidden { Ok(false) } else { is_due() }
    }

    /// What hides events of a stream, if anything does.
    fn curtain_of(&self, subject: &Subject) -> Option<&Arc<Curtain>> {
        self.curtain.as_ref().filter(|curtain| curtain.hides(subject))
    }
}
