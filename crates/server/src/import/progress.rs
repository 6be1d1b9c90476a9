//! How far something is: a bar on a terminal, a line from time to time elsewhere.

use std::{
    io::IsTerminal as _,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use super::grouped;

/// How long there is at least between two lines.
const PERIOD: Duration = Duration::from_secs(10);

/// How far something is.
pub(super) struct Progress {
    bar: ProgressBar,
    /// Where lines are printed, what is counted.
    lines: Option<&'static str>,
    all: u64,
    done: u64,
    skipped: u64,
    begun: Instant,
    last: Instant,
}

impl Progress {
    /// Of so many of something. Quiet, it tells nothing.
    pub(super) fn new(all: u64, what: &'static str, quiet: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = if quiet || !is_terminal {
            ProgressBar::hidden()
        } else {
            let bar = ProgressBar::new(all);
            let template = "{bar:30} {human_pos} of {human_len} {prefix}, {eta} left {msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.with_prefix(what)
        };
        let lines = (!quiet && !is_terminal).then_some(what);
        let now = Instant::now();
        Self { bar, lines, all, done: 0, skipped: 0, begun: now, last: now }
    }

    /// So many were done before.
    pub(super) fn skip(&mut self, count: u64) {
        self.done += count;
        self.skipped += count;
        self.bar.set_position(self.done);
        self.bar.reset_eta();
        if count > 0 {
            let what =
                if self.done >= self.all { "all are there already" } else { "are there already" };
            self.tell(&format!("{} of {} {what}", grouped(count), grouped(self.all)));
        }
    }

    /// So many more are done.
    pub(super) fn advance(&mut self, count: u64) {
        self.done += count;
        self.bar.inc(count);
        if let Some(what) = self.lines
            && self.last.elapsed() >= PERIOD
        {
            self.last = Instant::now();
            let left = left(self.begun.elapsed(), self.done - self.skipped, self.all - self.done);
            let left = left.map(|left| format!(", {} s left", left.as_secs())).unwrap_or_default();
            eprintln!("{} of {} {what}{left}", grouped(self.done), grouped(self.all));
        }
    }

    /// What it is about now.
    pub(super) fn say(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// Tells something that stays.
    pub(super) fn tell(&self, what: &str) {
        let what: String =
            what.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        if self.lines.is_some() {
            eprintln!("{what}");
        } else {
            self.bar.println(what);
        }
    }

    /// It is done.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// How long it still takes, by how long it took so far.
fn left(took: Duration, done: u64, rest: u64) -> Option<Duration> {
    #[expect(clippy::cast_precision_loss, reason = "a time that is told in seconds")]
    let ratio = (done > 0).then(|| rest as f64 / done as f64)?;
    Some(took.mul_f64(ratio))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_it_still_takes() {
        assert_eq!(left(Duration::from_secs(10), 0, 5), None);
        assert_eq!(left(Duration::from_secs(10), 100, 50), Some(Duration::from_secs(5)));
    }
}
