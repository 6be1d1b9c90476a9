//! One life of a log: what is done, in which order. What must come of it is compared elsewhere:
//! answers in `settle`, openings in `recovery`, contents in `audit`, damage in `decay`.

use std::sync::Arc;

use matchwire_domain::{chain::Digest, subject::Subject};
use matchwire_embedded::disk::{Fault, Faulty, Met};
use matchwire_log::{Error, ManualClock};
use rand::{Rng, SeedableRng, rngs::SmallRng};

use super::{
    Report, Settings, Trace,
    model::Model,
    process::Process,
    scenario::{Mishap, Operation, Scenario},
    shelf::Shelf,
    supply::Supply,
};

/// Nothing, or which promise was broken.
pub(super) type Held = Result<(), String>;

/// More steps than calls can wait.
const MAX_STEPS: u32 = 1_000;

pub(super) struct Life<'a> {
    pub(super) random: SmallRng,
    pub(super) scenario: Scenario,
    pub(super) disk: Faulty,
    pub(super) shelf: Shelf,
    pub(super) clock: Arc<ManualClock>,
    pub(super) log_id: u64,
    pub(super) supply: Supply,
    pub(super) model: Model,
    /// Nothing while nobody has the log open.
    pub(super) process: Option<Process>,
    /// What had failed when the log was opened.
    pub(super) met_at_open: Met,
    /// How many bits are flipped now.
    pub(super) flipped: usize,
    pub(super) report: Report,
    pub(super) trace: Trace<'a>,
    now_ms: i64,
    /// How much of the disk's own time was counted.
    waited_ms: u64,
    digest: Option<Digest>,
}

impl<'a> Life<'a> {
    pub(super) fn new(seed: u64, settings: Settings, trace: Trace<'a>) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        let scenario = Scenario::draw(&mut random);
        let disk = Faulty::new(random.random());
        disk.set_latency_ms(scenario.latency_ms);
        let now_ms = 1_700_000_000_000;
        Self {
            log_id: random.random(),
            supply: Supply::new(scenario.streams),
            model: Model::new(scenario.streams, scenario.archive.is_some()),
            shelf: Shelf::new(random.random(), scenario.archive.map_or(0, |(_, fails)| fails)),
            scenario,
            disk,
            clock: Arc::new(ManualClock::new(now_ms)),
            process: None,
            met_at_open: Met::default(),
            flipped: 0,
            report: Report::default(),
            trace,
            now_ms,
            waited_ms: 0,
            digest: settings.digest.then_some(Digest([0; 32])),
            random,
        }
    }

    /// Lives to the end.
    pub(super) fn live(mut self) -> Result<Report, String> {
        self.trace.line(|| format!("{:?}", self.scenario));
        self.rise()?;
        for _ in 0..self.scenario.operations {
            self.report.operations += 1;
            self.pass_time(20);
            match self.scenario.next(&mut self.random) {
                Operation::Put => self.put()?,
                Operation::Stage => self.stage()?,
                Operation::Step => self.step()?,
                Operation::Read => self.read()?,
                Operation::Look => self.look()?,
                Operation::Maintain => self.maintain()?,
                Operation::Age => self.age()?,
                Operation::Reopen => self.reopen()?,
                Operation::Suffer(mishap) => self.suffer(mishap)?,
            }
            if self.must_end() {
                self.fall();
                self.rise()?;
            }
        }
        self.settle_down()?;
        self.audit()?;
        self.grow_old()?;
        self.reopen()?;
        self.fall();
        self.rise()?;
        self.report.met = self.disk.met();
        self.report.digest = self.digest;
        self.trace.line(|| format!("the end, with {} events", self.model.total()));
        Ok(self.report)
    }

    /// Whether the process can only end.
    pub(super) fn must_end(&self) -> bool {
        self.disk.has_crashed() || self.process.as_ref().is_none_or(|process| process.stopped)
    }

    /// Takes back what would still fail, and waits for all answers, so that the log is open and
    /// nothing is under way.
    pub(super) fn settle_down(&mut self) -> Held {
        self.disk.calm();
        for step in 0.. {
            if self.must_end() || !self.process.as_ref().is_some_and(Process::is_busy) {
                break;
            }
            if step > MAX_STEPS {
                return Err("calls wait, and are never answered".into());
            }
            self.step()?;
        }
        if self.must_end() {
            self.fall();
            self.rise()?;
        }
        Ok(())
    }

    /// Something goes wrong, or will.
    fn suffer(&mut self, mishap: Mishap) -> Held {
        let soon = self.random.random_range(0..8);
        match mishap {
            Mishap::Crash | Mishap::Kill if self.random.random() => {
                self.fall();
                return self.rise();
            }
            Mishap::Crash | Mishap::Kill => self.disk.crash_after(1 + 3 * soon),
            Mishap::Full if soon < 2 => self.disk.calm(),
            Mishap::Full if soon < 5 => self.disk.fail_after(Fault::Full, soon - 2),
            Mishap::Full => self.disk.set_capacity(self.disk.used_bytes() + 500 * soon),
            Mishap::Sync if soon == 0 => self.disk.set_sync_fails(true),
            Mishap::Sync => self.disk.fail_after(Fault::Sync, soon),
            Mishap::Write => self.disk.fail_after(Fault::Write, soon),
            Mishap::Read => self.disk.fail_after(Fault::Read, soon),
            Mishap::Decay => return self.decay(),
            Mishap::Clock => self.now_ms += self.random.random_range(-60_000..60_000),
        }
        self.trace.line(|| format!("{mishap:?} is to come, in {soon}"));
        Ok(())
    }

    /// Does a piece of background work.
    pub(super) fn maintain(&mut self) -> Held {
        let before = self.disk.met();
        let Some(process) = &self.process else { return Ok(()) };
        let done = process.maintain();
        self.trace.line(|| format!("maintain: {done:?}"));
        match done {
            Ok(done) => self.report.maintained += u64::from(done),
            Err(error) => self.excuse(&error, before)?,
        }
        Ok(())
    }

    /// An error is right only if something has failed since then, or is damaged.
    pub(super) fn excuse(&mut self, error: &Error, before: Met) -> Held {
        let met = self.disk.met();
        let is_right = self.disk.has_crashed()
            || match error {
                Error::Full => met.full > before.full,
                Error::Io(_) => met != before,
                Error::Corrupt { .. } | Error::Unusable { .. } => self.flipped > 0,
                Error::Stopped => {
                    let failed = |met: Met| (met.writes, met.syncs);
                    failed(met) != failed(self.met_at_open)
                }
                Error::Away { .. } => self.scenario.archive.is_some_and(|(_, fails)| fails > 0),
                Error::TooLarge { .. } | Error::Trimmed { .. } => false,
            };
        self.report.damaged += u64::from(self.flipped > 0);
        if is_right { Ok(()) } else { Err(format!("without a reason: {error:?}")) }
    }

    /// What the clock shows.
    pub(super) fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Time passes, at least as long as the disk has taken.
    fn pass_time(&mut self, most_ms: i64) {
        let elapsed_ms = self.disk.elapsed_ms();
        self.now_ms += self.random.random_range(0..=most_ms);
        self.now_ms += i64::try_from(elapsed_ms - self.waited_ms).unwrap_or_default();
        self.waited_ms = elapsed_ms;
        self.clock.set(self.now_ms);
    }

    pub(super) fn subject(&self, stream: usize) -> Result<Subject, String> {
        let subject = self.supply.subjects().get(stream);
        subject.cloned().ok_or_else(|| format!("there is no stream {stream}"))
    }

    /// Adds to the digest of the run, if somebody wants it.
    pub(super) fn note(&mut self, bytes: impl FnOnce() -> Vec<u8>) {
        if let Some(Digest(digest)) = &mut self.digest {
            let mut all = digest.to_vec();
            all.extend(bytes());
            *digest = Digest::leaf(&all).0;
        }
    }
}
