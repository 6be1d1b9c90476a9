//! Events grow old: what may be trimmed is, and nothing else; what is archived can be read.

use std::{sync::Arc, time::Duration};

use matchwire_domain::{subject::Subject, timestamp::Timestamp};
use matchwire_embedded::{Lifecycle, Retention, Rule, archive::Archive};
use matchwire_log::Error;

use super::{
    life::{Held, Life},
    process::Process,
    scenario::Scenario,
    shelf::Shelf,
};

/// More pieces of work than there can be.
const MAX_PIECES: u32 = 10_000;

impl Scenario {
    /// What becomes of events as they grow old.
    pub(super) fn lifecycle(&self, archive: &Shelf) -> Lifecycle {
        let rule = self.retain.and_then(|(pattern, age_ms)| {
            let age = Some(Duration::from_millis(age_ms));
            Some(Rule { pattern: pattern.parse().ok()?, age })
        });
        let archive: Arc<dyn Archive> = Arc::new(archive.clone());
        Lifecycle {
            retention: Retention::new(rule.into_iter().collect()),
            archive: Some(archive),
            archive_after: self.archive.map(|(after_ms, _)| Duration::from_millis(after_ms)),
        }
    }
}

impl Life<'_> {
    /// Does a piece of what has to be done about old events.
    pub(super) fn age(&mut self) -> Held {
        self.aged().map(drop)
    }

    fn aged(&mut self) -> Result<bool, String> {
        let now_ms = self.now_ms();
        for stream in 0..self.scenario.streams {
            if let Some(age_ms) = self.age_ms(&self.subject(stream)?) {
                self.model.may_trim(stream, now_ms - age_ms);
            }
        }
        let before = self.disk.met();
        let Some(process) = &self.process else { return Ok(false) };
        let done = process.age(Timestamp::from_ms(now_ms));
        self.trace.line(|| format!("age: {done:?}, {} objects", self.shelf.objects()));
        match done {
            Ok(done) => {
                self.report.aged += u64::from(done);
                Ok(done)
            }
            Err(error) => {
                self.excuse(&error, before)?;
                Ok(true)
            }
        }
    }

    /// How old events of a stream may get, in milliseconds.
    fn age_ms(&self, subject: &Subject) -> Option<i64> {
        let age = self.scenario.lifecycle(&self.shelf).retention.age(subject)?;
        i64::try_from(age.as_millis()).ok()
    }

    /// Nothing fails any more, and everything that is due is done: then what has to be gone is.
    pub(super) fn grow_old(&mut self) -> Held {
        // A log whose disk has failed on the way takes nothing more until it is opened again.
        self.reopen()?;
        self.shelf.set_fails(0);
        for piece in 0.. {
            let maintained = self.process.as_ref().map_or(Ok(false), Process::maintain);
            let maintained = maintained.map_err(|error: Error| format!("maintain: {error:?}"))?;
            if !maintained && !self.aged()? {
                // A segment may have been ended for its age.
                let more = self.process.as_ref().map_or(Ok(false), Process::maintain);
                if !more.map_err(|error| format!("maintain: {error:?}"))? {
                    break;
                }
            }
            if piece > MAX_PIECES {
                return Err("there is always something to do".into());
            }
        }
        let now_ms = self.now_ms();
        // What is in memory may still be served until then.
        self.reopen()?;
        for stream in 0..self.scenario.streams {
            let subject = self.subject(stream)?;
            if let Some(age_ms) = self.age_ms(&subject) {
                let due = now_ms - age_ms - age_ms / 8 - 1;
                let kept = self.model.is_kept(stream, due);
                kept.map_err(|what| format!("{subject}: {what}"))?;
            }
        }
        Ok(())
    }
}
