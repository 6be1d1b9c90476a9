//! The end of a process, and the next one, which opens what it finds.

use matchwire_embedded::disk::{Disk as _, Fault};
use rand::Rng;

use super::{
    life::{Held, Life},
    process::Process,
    scenario::Mishap,
};

/// Openings after which nothing fails any more.
const TROUBLED_OPENINGS: u32 = 3;

impl Life<'_> {
    /// The process is killed, or the power fails.
    pub(super) fn fall(&mut self) {
        // Whatever is dropped now, nothing of it reaches the disk.
        self.disk.crash_after(0);
        self.process = None;
        let (crash, kill) = (self.scenario.has(Mishap::Crash), self.scenario.has(Mishap::Kill));
        let power_fails = crash && (!kill || self.random.random());
        if power_fails {
            self.disk.restart();
        } else {
            self.disk.revive();
        }
        if self.random.random() {
            self.disk.calm();
        }
        self.trace.line(|| String::from(if power_fails { "the power fails" } else { "killed" }));
    }

    /// Ends the process in good order, and starts another one.
    pub(super) fn reopen(&mut self) -> Held {
        self.settle_down()?;
        self.process = None;
        self.trace.line(|| "closed".into());
        self.rise()
    }

    /// Opens the log, again and again until that succeeds, and checks all that is in it.
    pub(super) fn rise(&mut self) -> Held {
        for attempt in 0.. {
            if attempt < TROUBLED_OPENINGS {
                self.trouble();
            } else {
                self.disk.calm();
            }
            if !self.open()? {
                self.fall();
                continue;
            }
            self.disk.calm();
            self.audit()?;
            let again = self.scenario.has(Mishap::Crash) && attempt < TROUBLED_OPENINGS;
            if !(again && self.random.random_ratio(1, 3)) {
                break;
            }
            // What was served a moment ago must outlast this, too.
            self.fall();
        }
        Ok(())
    }

    /// Opens the log. False if something failed that may.
    pub(super) fn open(&mut self) -> Result<bool, String> {
        self.report.opens += 1;
        let before = self.disk.met();
        let opened =
            Process::open(&self.disk, &self.clock, &self.scenario, &self.shelf, self.log_id);
        self.trace.line(|| match &opened {
            Ok(_) => "opened".into(),
            Err(error) => format!("not opened: {error:?}"),
        });
        if let Err(error) = opened.map(|process| self.process = Some(process)) {
            self.excuse(&error, before).map_err(|what| format!("the log does not open, {what}"))?;
            return Ok(false);
        }
        self.met_at_open = self.disk.met();
        let disk = self.disk.clone();
        self.note(|| {
            let mut names = disk.list().unwrap_or_default();
            names.sort_unstable();
            let file = |name: String| [name.as_bytes(), &disk.content(&name)].concat();
            names.into_iter().flat_map(file).collect()
        });
        Ok(!self.disk.has_crashed())
    }

    /// Something may fail while the log is opened.
    fn trouble(&mut self) {
        let soon = self.random.random_range(0..12);
        let wanted = [Mishap::Crash, Mishap::Kill, Mishap::Sync, Mishap::Write, Mishap::Read];
        let mishap = wanted.get(self.random.random_range(0..3 * wanted.len()));
        let Some(mishap) = mishap.filter(|mishap| self.scenario.has(**mishap)) else { return };
        match mishap {
            Mishap::Sync => self.disk.fail_after(Fault::Sync, soon % 3),
            Mishap::Write => self.disk.fail_after(Fault::Write, soon % 3),
            Mishap::Read => self.disk.fail_after(Fault::Read, soon),
            _ => self.disk.crash_after(1 + soon),
        }
        self.trace.line(|| format!("{mishap:?} is to come during the opening, in {soon}"));
    }
}
