//! From what is measured to what is shed: pure, so that it can be tried without a load.
//!
//! Whether there is too much is told as CoDel does (RFC 8289): by how long things wait in line, and
//! only if that stays above a target for a whole interval, so that a burst is none. Then a limit is
//! set below what was done in that time, and lowered or raised as TCP does with its window
//! (multiplicative decrease; raised quickly to a little below where it was too much the last time,
//! and slowly from there, as CUBIC, RFC 9438). Events of the highest priority are let through
//! whatever the limit is, then the normal ones, and the rest is for those of low priority.

use std::{ops::RangeInclusive, time::Duration};

/// What is too much must be so for as long as this (CoDel's interval), and half as long while it is
/// tried whether more can be done.
const INTERVAL: Duration = Duration::from_millis(100);
/// The limit is lowered once in so long, at most: what it does takes a while to show.
const HOLD: Duration = Duration::from_millis(400);
/// What had piled up before is worked off so long after that.
const WORKED_OFF: Duration = Duration::from_secs(2);
/// What it is lowered to: by how far the wait is above the target, within these.
const DECREASE: RangeInclusive<f64> = 0.4..=0.8;
/// By how much it grows in a second far below where it last was too much, near to that, and beyond. What
/// is left between is for those who take the processor now and then: sealing does for half a second.
const GROWTH_BELOW: f64 = 0.5;
const GROWTH_NEAR: f64 = 0.05;
const GROWTH_ABOVE: f64 = 0.1;
const NEAR: RangeInclusive<f64> = 0.45..=0.55;
/// The limit never goes below this, in events per second: what so few wait for is not themselves.
const LEAST: f64 = 1_000.0;
/// Further than that it goes only after so long without too much, and twice as long after each time
/// that this was in vain.
const PATIENCE: RangeInclusive<Duration> = Duration::from_secs(20)..=Duration::from_mins(2);
/// Over how long rates are averaged.
const AVERAGE: Duration = Duration::from_millis(200);
/// Less is given up only once less would have been enough for so long.
const CALM: Duration = Duration::from_secs(1);
/// If nothing is given up so long after the limit was lowered, there is none any more.
const OVER: Duration = Duration::from_secs(3);
/// At most one of so many events of low priority is kept before all are refused.
pub(crate) const MAX_SAMPLE: u32 = 64;
/// How much finer the next sample may be than the last one.
const FINER: f64 = 0.9;
/// The most that followed folds may be behind, over all, in events.
const BEHIND_EVENTS: u64 = 2_500;
/// How far the target goes up with a disk that is slow.
const SLOW_DISK: u32 = 4;

/// How much is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Level {
    /// Nothing.
    #[default]
    Open,
    /// Events of low priority are sampled.
    Sampling,
    /// They are refused.
    NoLow,
    /// Normal ones are refused, too.
    CriticalOnly,
}

impl Level {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Sampling => 1,
            Self::NoLow => 2,
            Self::CriticalOnly => 3,
        }
    }

    fn lower(self) -> Self {
        match self {
            Self::Open | Self::Sampling => Self::Open,
            Self::NoLow => Self::Sampling,
            Self::CriticalOnly => Self::NoLow,
        }
    }
}

/// What was measured since the last time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Measured {
    pub(super) elapsed: Duration,
    /// How long something that is next in line has been waiting: for the log's writer, or for a
    /// thread.
    pub(super) wait: Duration,
    /// How long the disk took for a group; zero if there was none.
    pub(super) sync: Duration,
    /// How many events followed folds are behind.
    pub(super) behind: u64,
    /// Events that were offered, by priority from low to critical.
    pub(super) offered: [u64; 3],
    /// Events that the log has done with.
    pub(super) done: u64,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Decision {
    pub(super) level: Level,
    /// Of low priority one of so many is kept, at [`Level::Sampling`]; at least 1, and not a whole number.
    pub(super) sample: f64,
    /// Events per second; none if there is no limit.
    pub(super) limit: Option<f64>,
}

impl Default for Decision {
    fn default() -> Self {
        Self { level: Level::Open, sample: 1.0, limit: None }
    }
}

/// The controller.
#[derive(Debug)]
pub(super) struct Controller {
    target: Duration,
    sync: Duration,
    /// For how long there has been too much.
    above: Duration,
    since_lowered: Duration,
    offered: [f64; 3],
    done: f64,
    limit: Option<f64>,
    /// Where the limit last was too much.
    ceiling: f64,
    /// For how long the limit stays near to that.
    patience: Duration,
    level: Level,
    sample: f64,
    /// For how long less would have been enough.
    calm: Duration,
}

impl Controller {
    /// Nothing is given up before somebody waits for longer than `target`.
    pub(super) fn new(target: Duration) -> Self {
        Self {
            target,
            sync: Duration::ZERO,
            above: Duration::ZERO,
            since_lowered: HOLD,
            offered: [0.0; 3],
            done: 0.0,
            limit: None,
            ceiling: f64::INFINITY,
            patience: *PATIENCE.start(),
            level: Level::Open,
            sample: 1.0,
            calm: Duration::ZERO,
        }
    }

    /// Takes in what was measured, and decides.
    pub(super) fn step(&mut self, measured: &Measured) -> Decision {
        self.average(measured);
        // A call that waits for the group before it, and then for its own, has not waited in line.
        let slow = (2 * self.sync).min(SLOW_DISK * self.target);
        let is_above = measured.wait > self.target.max(slow) || measured.behind > BEHIND_EVENTS;
        self.above = if is_above { self.above + measured.elapsed } else { Duration::ZERO };
        self.since_lowered += measured.elapsed;
        let is_tried = self.limit.is_some_and(|limit| limit > self.ceiling * NEAR.end());
        let interval = if is_tried { INTERVAL / 2 } else { INTERVAL };
        if self.above >= interval && self.since_lowered >= HOLD {
            self.lower(measured.wait);
        } else if !is_above {
            self.raise(measured.elapsed);
        } else if self.limit.is_some() {
            // While something waits, what is done is all that can be.
            self.ceiling = self.ceiling.max(self.done);
        }
        self.settle(measured.elapsed);
        Decision { level: self.level, sample: self.sample, limit: self.limit }
    }

    fn average(&mut self, measured: &Measured) {
        let elapsed_s = measured.elapsed.as_secs_f64();
        let share = elapsed_s / (elapsed_s + AVERAGE.as_secs_f64());
        let mix = |old: &mut f64, count: u64| {
            #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
            let rate = count as f64 / elapsed_s.max(1e-3);
            *old += share * (rate - *old);
        };
        self.offered.iter_mut().zip(measured.offered).for_each(|(old, count)| mix(old, count));
        mix(&mut self.done, measured.done);
        if !measured.sync.is_zero() {
            let before = if self.sync.is_zero() { measured.sync } else { self.sync };
            self.sync = (before * 3 + measured.sync) / 4;
        }
    }

    fn lower(&mut self, wait: Duration) {
        let reached = self.limit.unwrap_or(f64::INFINITY).min(self.done);
        if self.limit.is_some_and(|limit| limit > self.ceiling) {
            self.patience = (self.patience * 2).min(*PATIENCE.end());
        }
        // What is done while the queue of before is worked off says nothing of what can be done.
        if self.since_lowered >= WORKED_OFF || self.ceiling.is_infinite() {
            self.ceiling = reached;
        }
        let part = self.target.as_secs_f64() / wait.as_secs_f64().max(1e-3);
        self.limit = Some((reached * part.clamp(*DECREASE.start(), *DECREASE.end())).max(LEAST));
        self.since_lowered = Duration::ZERO;
    }

    fn raise(&mut self, elapsed: Duration) {
        // What has not been made use of yet does not show whether more would do.
        if (self.level, self.sample * FINER) > self.wanted() {
            return;
        }
        let Some(limit) = &mut self.limit else { return };
        let near = self.ceiling * NEAR.start()..=self.ceiling * NEAR.end();
        let growth = match *limit {
            limit if limit < *near.start() => GROWTH_BELOW,
            limit if limit <= *near.end() => GROWTH_NEAR,
            _ => GROWTH_ABOVE,
        };
        let raised = *limit * (1.0 + growth * elapsed.as_secs_f64());
        let most = match self.since_lowered {
            since if since < self.patience => near.end().max(*limit),
            // A limit that nothing comes near to says nothing when it is higher.
            _ => (2.0 * self.offered.iter().sum::<f64>().max(LEAST)).max(*limit),
        };
        *limit = raised.min(most);
    }

    /// Gives more up at once, and less only after a while.
    fn settle(&mut self, elapsed: Duration) {
        let (level, sample) = self.wanted();
        self.calm += elapsed;
        if (level, sample) >= (self.level, self.sample) {
            (self.level, self.sample, self.calm) = (level, sample, Duration::ZERO);
        } else if self.level == Level::Sampling && level == Level::Sampling {
            // Only fewer are to be left out, which comes about by itself.
            if self.calm >= HOLD {
                self.sample = (self.sample * FINER).max(sample);
                self.calm = Duration::ZERO;
            }
        } else if self.calm >= CALM {
            self.level = self.level.lower();
            self.sample = if self.level == Level::Sampling { f64::from(MAX_SAMPLE) } else { 1.0 };
            self.calm = Duration::ZERO;
        }
        if self.level == Level::Open && self.since_lowered >= OVER && self.above.is_zero() {
            (self.limit, self.ceiling) = (None, f64::INFINITY);
            self.patience = *PATIENCE.start();
        }
    }

    /// What would do under the limit.
    fn wanted(&self) -> (Level, f64) {
        let Some(limit) = self.limit else { return (Level::Open, 1.0) };
        let [low, normal, critical] = self.offered;
        let left = limit - critical - normal;
        // What is left for others comes out of low priority alone.
        let whole = (limit / NEAR.end()).min(self.ceiling).max(limit);
        if critical + normal > whole && normal > 0.0 {
            (Level::CriticalOnly, 1.0)
        } else if low <= left {
            (Level::Open, 1.0)
        } else if low > left * f64::from(MAX_SAMPLE) {
            (Level::NoLow, 1.0)
        } else {
            (Level::Sampling, (low / left).clamp(1.0, f64::from(MAX_SAMPLE)))
        }
    }
}

#[cfg(test)]
mod tests;
