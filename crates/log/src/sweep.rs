//! Reading many streams of a log: all that are wanted, whichever get events.
//!
//! ```text
//!   position   1 … 40   41 … 90        91 …
//!             ┌───────┬──────────────┬───────
//!             │ read  │ a ─► b ─► c  │
//!             └───────┴──────┬───────┴───────
//!                   from = 40│        to = 90: the window, read stream by stream
//!                            └ mark: all of a, and b up to a seq
//! ```
//!
//! There is no order between streams, so a sweep reads in windows of groups: of each stream in turn
//! what it has in the window, in order of subject. Of what has just come a window is all that there
//! is; of what is further back, what is stored together, so that a file is read once from front to
//! back. A [`Mark`] says exactly what was read, at any event, and from it another sweep goes on.

mod moved;
mod scope;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, btree_map::Entry as Slot},
    ops::Range,
};

pub use self::{moved::Moved, scope::Scope};
use crate::{Entry, Error, View, streams::Stretch};
use matchwire_domain::subject::Subject;

/// How many subjects of a window are looked up at once.
const PAGE_SUBJECTS: usize = 256;

/// What a sweep has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// All groups up to this one; 0 is nothing.
    pub from: u64,
    /// What was read of the groups behind those.
    pub within: Option<Within>,
}

/// What was read of a window of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    /// The last group of the window.
    pub to: u64,
    /// The last stream of which something was read; in the order of subjects, all of those before it was.
    pub subject: Subject,
    /// Up to which event of it.
    pub seq: u64,
}

/// Events of one stream, in order and without a gap.
#[derive(Debug)]
pub struct Swept {
    /// The stream.
    pub subject: Subject,
    /// Those of which the `seq` comes next, but which are not there: they were trimmed, or lost, and
    /// that was accepted. Mostly empty.
    pub missing: Range<u64>,
    /// The events; at least one, unless some are missing.
    pub entries: Vec<Entry>,
    from: u64,
    to: u64,
    /// Whether nothing more of the window is to be read behind them.
    ends_window: bool,
}

/// Reads all events of the streams in a scope, each once.
pub struct Sweep {
    log: View,
    scope: Scope,
    mark: Mark,
    window: Option<Window>,
    /// The stream on which the last call has failed.
    failed: Option<Subject>,
}

/// Tells when a sweep may have more to read.
pub struct Growth {
    log: View,
    scope: Scope,
    /// Up to which group there was something to read.
    known: u64,
}

impl Growth {
    /// Waits until there may be more to read than when it last told so; `false` is the log's end.
    pub async fn more(&mut self) -> bool {
        loop {
            let mut scope_grown = self.scope.grown();
            let end = self.log.settled().min(self.scope.settled());
            if end > self.known {
                self.known = end;
                return true;
            }
            // What is known of the scope is never ahead of the log.
            let goes_on = match &mut scope_grown {
                Some(grown) if self.scope.settled() <= self.known => grown.changed().await.is_ok(),
                _ => self.log.settles_behind(self.known).await,
            };
            if !goes_on {
                return false;
            }
        }
    }
}

/// What is to be read of a window.
struct Window {
    to: u64,
    /// What was looked up and not read: of each stream after which event, up to which.
    plan: BTreeMap<Subject, (u64, u64)>,
    /// The last subject that was looked up, unless all are.
    looked_up: Option<LookedUp>,
}

/// How far the streams of a window were looked up.
enum LookedUp {
    Nothing,
    Until(Subject),
}

impl Mark {
    /// Where everything up to a group was read.
    pub fn at(position: u64) -> Self {
        Self { from: position, within: None }
    }

    /// The last group of which something was read, or may have been.
    pub fn reaches(&self) -> u64 {
        self.within.as_ref().map_or(self.from, |within| within.to)
    }
}

impl Swept {
    /// The group up to which everything was read before.
    pub fn from(&self) -> u64 {
        self.from
    }

    /// What was read once the event with this `seq` was.
    pub fn mark(&self, seq: u64) -> Mark {
        let is_last = self.entries.last().is_some_and(|entry| entry.recorded.seq == seq);
        if self.ends_window && is_last {
            return Mark::at(self.to);
        }
        let within = Within { to: self.to, subject: self.subject.clone(), seq };
        Mark { from: self.from, within: Some(within) }
    }
}

impl Sweep {
    /// Reads on from a mark, which must not reach behind the log's end.
    pub fn new(log: View, scope: Scope, mark: Mark) -> Self {
        Self { log, scope, mark, window: None, failed: None }
    }

    /// Another sweep of the same streams, from another mark.
    #[cfg(test)]
    fn again(&self, mark: Mark) -> Self {
        Self::new(self.log.clone(), self.scope.clone(), mark)
    }

    /// What was read.
    pub fn mark(&self) -> &Mark {
        &self.mark
    }

    /// Whether there may be something to read, as far as it can be told without reading.
    pub fn may_have_more(&self) -> bool {
        let is_begun = |within: &Within| self.end() >= within.to;
        let within = self.mark.within.as_ref();
        self.window.is_some() || within.map_or_else(|| self.end() > self.mark.from, is_begun)
    }

    /// Events of the next stream, at most `limit`; nothing if all that there is was read. A stream
    /// that cannot be read is the error; it is tried again by the next call, or left alone by [`pass`](Self::pass). May block like [`View::read`].
    pub fn next(&mut self, limit: usize) -> Result<Option<Swept>, Error> {
        self.failed = None;
        loop {
            if self.window.is_none() && !self.open_window()? {
                return Ok(None);
            }
            self.look_up()?;
            let Some((subject, (after, through))) = self.planned() else {
                self.close_window();
                continue;
            };
            match self.read(&subject, after, through, limit) {
                Ok(Some(entries)) => return Ok(Some(self.took(subject, after..through, entries))),
                Ok(None) => self.pass_over(&subject, through),
                Err(error) => {
                    self.failed = Some(subject);
                    return Err(error);
                }
            }
        }
    }

    /// Events of a stream after one, as far as they are not trimmed; nothing if it was hidden meanwhile.
    fn read(
        &self,
        subject: &Subject,
        after: u64,
        through: u64,
        limit: usize,
    ) -> Result<Option<Vec<Entry>>, Error> {
        let entries = match self.log.read(subject, after, limit) {
            Err(Error::Trimmed { floor, .. }) if floor.seq < through => {
                self.log.read(subject, floor.seq, limit)?
            }
            Err(Error::Trimmed { .. }) => Vec::new(),
            entries => entries?,
        };
        let is_hidden = entries.is_empty() && self.log.head(subject)? == 0;
        Ok((!is_hidden).then_some(entries))
    }

    /// Whether all that there is to read is in memory, so that [`next`](Self::next) does not block for it.
    pub fn is_at_hand(&self) -> bool {
        let is_planned = self.window.is_some() || self.mark.within.is_none();
        is_planned && self.scope.is_simple() && self.log.count_after(self.mark.from).is_some()
    }

    /// Leaves alone, in this window, the stream on which the last call of [`next`](Self::next) has failed, and says which one that
    /// is. There is none if that was not about one stream: then the same is tried again, or given up.
    pub fn pass(&mut self) -> Option<Subject> {
        let subject = self.failed.take()?;
        let window = self.window.as_mut()?;
        match window.plan.get(&subject).copied() {
            Some((_, through)) => self.pass_over(&subject, through),
            // It was not known yet what it has.
            None => window.looked_up = Some(LookedUp::Until(subject.clone())),
        }
        Some(subject)
    }

    fn pass_over(&mut self, subject: &Subject, through: u64) {
        self.moved(subject.clone(), through);
        self.plan_done(subject);
    }

    /// How many events of all streams came behind what was read; nothing if those are not known any
    /// more.
    pub fn behind(&self) -> Option<u64> {
        self.log.count_after(self.mark.reaches())
    }

    /// What tells when there may be more to read than now.
    pub fn growth(&self) -> Growth {
        Growth { log: self.log.clone(), scope: self.scope.clone(), known: self.end() }
    }

    /// Up to which group may be read.
    fn end(&self) -> u64 {
        self.log.settled().min(self.scope.settled())
    }

    fn open_window(&mut self) -> Result<bool, Error> {
        let from = self.mark.from;
        if let Some(Within { to, subject, seq }) = self.mark.within.clone() {
            return self.open_again(to, &subject, seq);
        }
        let end = self.end();
        if end <= from {
            return Ok(false);
        }
        let recent = self.recent(end);
        let to = match recent {
            Some(_) => end,
            None => self.log.stretch(from).clamp(from + 1, end),
        };
        self.begin_window(to, recent);
        Ok(true)
    }

    /// Which streams moved up to a group, if that is in memory.
    fn recent(&self, to: u64) -> Option<Vec<Stretch>> {
        self.log.arrived(self.mark.from, to, |subject| self.scope.covers(subject))
    }

    /// Begins a window, whose streams are known or are to be looked up.
    fn begin_window(&mut self, to: u64, recent: Option<Vec<Stretch>>) {
        let empty = |looked_up| Some(Window { to, plan: BTreeMap::new(), looked_up });
        self.window = empty(None);
        let planned = recent.map(|recent| recent.into_iter().try_for_each(|it| self.add(it)));
        if !matches!(planned, Some(Ok(()))) {
            // An error comes again with the stream that it is about.
            self.window = empty(Some(LookedUp::Nothing));
        }
    }

    /// Goes on within a window, once a stream was read up to an event.
    fn open_again(&mut self, to: u64, subject: &Subject, seq: u64) -> Result<bool, Error> {
        let from = self.mark.from;
        if self.end() < to {
            return Ok(false);
        }
        let plan = self.scope.joined(&self.log, from, to, subject)?;
        let stretch = self.stretch(subject, from, to)?;
        self.window = Some(Window { to, plan, looked_up: Some(LookedUp::Until(subject.clone())) });
        if let Some(stretch) = stretch
            && let Err(error) = self.add(stretch)
        {
            // Half of a plan would leave out the other half.
            self.window = None;
            return Err(error);
        }
        if let Some(Window { plan, .. }) = &mut self.window
            && let Some((after, through)) = plan.get_mut(subject)
        {
            *after = seq.max(*after);
            if after >= through {
                plan.remove(subject);
            }
        }
        Ok(true)
    }

    /// Looks up the next streams of the window, if those that are known were read.
    fn look_up(&mut self) -> Result<(), Error> {
        let from = self.mark.from;
        while let Some(Window { to, plan, looked_up: Some(looked_up) }) = &self.window {
            let until = match looked_up {
                LookedUp::Nothing => None,
                LookedUp::Until(until) => Some(until),
            };
            // What is planned comes first, if it is before all that is still to be looked up.
            if plan.first_key_value().is_some_and(|(first, _)| Some(first) <= until) {
                return Ok(());
            }
            let (to, after) = (*to, until.map(Subject::as_str));
            let prefix = self.scope.prefix();
            let page = self.log.subjects_within(prefix, after, from + 1..=to, PAGE_SUBJECTS)?;
            let next = match page.last() {
                Some(last) if page.len() == PAGE_SUBJECTS => Some(LookedUp::Until(last.clone())),
                _ => None,
            };
            for subject in page {
                let planned = match self.stretch(&subject, from, to) {
                    Ok(Some(stretch)) => self.add(stretch),
                    stretch => stretch.map(drop),
                };
                if let Err(error) = planned {
                    self.failed = Some(subject);
                    return Err(error);
                }
                self.looked_up(Some(LookedUp::Until(subject)));
            }
            self.looked_up(next);
        }
        Ok(())
    }

    fn looked_up(&mut self, until: Option<LookedUp>) {
        if let Some(window) = &mut self.window {
            window.looked_up = until;
        }
    }

    /// What a stream has in a window, if that is wanted.
    fn stretch(&self, subject: &Subject, from: u64, to: u64) -> Result<Option<Stretch>, Error> {
        if !self.scope.covers(subject) {
            return Ok(None);
        }
        let after = self.log.seq_before(subject, from + 1)?;
        let through = self.log.seq_before(subject, to + 1)?;
        let subject = subject.clone();
        Ok((after < through).then_some(Stretch { subject, after, through }))
    }

    /// Plans to read what a stream has in the window, and what comes into the scope by it.
    fn add(&mut self, stretch: Stretch) -> Result<(), Error> {
        let Some(window) = &mut self.window else { return Ok(()) };
        let wanted = self.scope.wanted(&self.log, stretch, self.mark.from, window.to)?;
        for Stretch { subject, after, through } in wanted {
            match window.plan.entry(subject) {
                Slot::Vacant(vacant) => {
                    vacant.insert((after, through));
                }
                Slot::Occupied(mut known) => {
                    let (known_after, known_through) = *known.get();
                    known.insert((after.min(known_after), through.max(known_through)));
                }
            }
        }
        Ok(())
    }

    fn planned(&self) -> Option<(Subject, (u64, u64))> {
        let (subject, stretch) = self.window.as_ref()?.plan.first_key_value()?;
        Some((subject.clone(), *stretch))
    }

    fn plan(&mut self, subject: &Subject, stretch: (u64, u64)) {
        if let Some(window) = &mut self.window {
            window.plan.insert(subject.clone(), stretch);
        }
    }

    fn plan_done(&mut self, subject: &Subject) {
        if let Some(window) = &mut self.window {
            window.plan.remove(subject);
        }
    }

    /// Takes down what was read of a stream, as far as it is wanted: what comes after one event, up to
    /// another.
    fn took(&mut self, subject: Subject, wanted: Range<u64>, mut entries: Vec<Entry>) -> Swept {
        let Range { start: after, end: through } = wanted;
        entries.retain(|entry| entry.recorded.seq <= through);
        let first = entries.first().map_or(through + 1, |entry| entry.recorded.seq);
        let last = entries.last().map_or(through, |entry| entry.recorded.seq);
        if last < through {
            self.plan(&subject, (last, through));
        } else {
            self.plan_done(&subject);
        }
        self.moved(subject.clone(), last);
        let (from, to) = (self.mark.from, self.mark.reaches());
        let rest = self.window.as_ref();
        let ends_window = rest.is_some_and(|rest| rest.plan.is_empty() && rest.looked_up.is_none());
        Swept { subject, missing: after + 1..first, entries, from, to, ends_window }
    }

    fn moved(&mut self, subject: Subject, seq: u64) {
        let Some(window) = &self.window else { return };
        self.mark.within = Some(Within { to: window.to, subject, seq });
    }

    fn close_window(&mut self) {
        if let Some(window) = self.window.take() {
            self.mark = Mark::at(window.to);
        }
    }
}
