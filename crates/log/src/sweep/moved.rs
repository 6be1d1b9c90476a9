//! Which streams moved between two marks, for those who want to know that alone.

use matchwire_domain::subject::Subject;

use super::{Mark, Scope, Sweep, Within};
use crate::{Error, View};

/// Tells of which streams a sweep had events on its way from one mark to another, without reading those.
pub struct Moved {
    sweep: Sweep,
    until: Mark,
}

impl Moved {
    /// Between two marks of the same scope.
    pub fn between(log: View, scope: Scope, since: Mark, until: Mark) -> Self {
        Self { sweep: Sweep::new(log, scope, since), until }
    }

    /// Up to where streams were told.
    pub fn told(&self) -> &Mark {
        &self.sweep.mark
    }

    /// Whether it is known by now what moved.
    pub fn is_known(&self) -> bool {
        self.sweep.end() >= self.until.reaches()
    }

    /// Whether it must be looked up on the disk.
    pub fn is_far_behind(&self) -> bool {
        self.is_known() && self.sweep.behind().is_none()
    }

    /// The next stream, and up to which event it was read; a stream may come again with a later one. May block
    /// like [`View::read`].
    pub fn next_stream(&mut self) -> Result<Option<(Subject, u64)>, Error> {
        loop {
            if self.sweep.window.is_none() && !self.open_window()? {
                return Ok(None);
            }
            self.sweep.look_up()?;
            let Some((subject, (after, through))) = self.sweep.planned() else {
                self.sweep.close_window();
                continue;
            };
            let seq = match self.last_window() {
                Some(last) if (&subject, after) >= (&last.subject, last.seq) => {
                    self.sweep.window = None;
                    self.sweep.mark = self.until.clone();
                    return Ok(None);
                }
                Some(last) if subject == last.subject => through.min(last.seq),
                _ => through,
            };
            self.sweep.moved(subject.clone(), seq);
            self.sweep.plan_done(&subject);
            return Ok(Some((subject, seq)));
        }
    }

    /// How far the last window was read, if that is the one that is open.
    fn last_window(&self) -> Option<&Within> {
        let to = self.sweep.window.as_ref()?.to;
        self.until.within.as_ref().filter(|_| to > self.until.from)
    }

    fn open_window(&mut self) -> Result<bool, Error> {
        let from = self.sweep.mark.from;
        if self.sweep.mark.within.is_some() {
            return self.sweep.open_window();
        }
        let to = if from < self.until.from { self.until.from } else { self.until.reaches() };
        if to <= from {
            return Ok(false);
        }
        let recent = self.sweep.recent(to);
        self.sweep.begin_window(to, recent);
        Ok(true)
    }
}
