//! The controller against a model of a server with one queue.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the model has no more than a million events per second"
)]

use super::*;

const TICK: Duration = Duration::from_millis(25);
const TARGET: Duration = Duration::from_millis(25);

/// A server that can do so many events per second, and has a queue before it.
struct Model {
    controller: Controller,
    decision: Decision,
    capacity: f64,
    queued: f64,
    offered: [u64; 3],
}

impl Model {
    fn new(capacity: f64) -> Self {
        Self {
            controller: Controller::new(TARGET),
            decision: Decision::default(),
            capacity,
            queued: 0.0,
            offered: [0; 3],
        }
    }

    /// Offers so many events per second, low to critical, for some time; gives the longest wait and
    /// all decisions of its second half.
    fn run(&mut self, rates: [f64; 3], seconds: u32) -> (f64, Vec<Decision>) {
        let (mut longest, mut decisions) = (0.0_f64, Vec::new());
        let ticks = seconds * 40;
        for tick in 0..ticks {
            self.tick(rates);
            if tick >= ticks / 2 {
                longest = longest.max(self.queued / self.capacity);
                decisions.push(self.decision);
            }
        }
        (longest, decisions)
    }

    fn tick(&mut self, rates: [f64; 3]) {
        let tick_s = TICK.as_secs_f64();
        let [low, normal, critical] = rates.map(|rate| rate * tick_s);
        let kept = match self.decision.level {
            Level::Open => low + normal,
            Level::Sampling => low / self.decision.sample + normal,
            Level::NoLow => normal,
            Level::CriticalOnly => 0.0,
        };
        let done = (self.queued + kept + critical).min(self.capacity * tick_s);
        self.queued = (self.queued + kept + critical - done).max(0.0);
        self.offered = [low, normal, critical].map(|count| count as u64);
        self.decision = self.controller.step(&Measured {
            elapsed: TICK,
            wait: Duration::from_secs_f64(self.queued / self.capacity),
            sync: Duration::from_millis(1),
            behind: 0,
            offered: self.offered,
            done: done as u64,
        });
    }
}

#[test]
fn nothing_is_given_up_below_what_can_be_done() {
    let mut model = Model::new(60_000.0);
    let (_, decisions) = model.run([50_000.0, 5_000.0, 1_000.0], 10);
    assert!(decisions.iter().all(|it| it.level == Level::Open && it.limit.is_none()));
}

#[test]
fn what_is_too_much_is_sampled_and_little_waits() {
    for capacity in [70_000.0, 30_000.0, 12_000.0] {
        let mut model = Model::new(capacity);
        model.run([95_000.0, 4_000.0, 1_000.0], 5);
        let (longest, decisions) = model.run([95_000.0, 4_000.0, 1_000.0], 40);
        assert!(longest < 0.15, "{capacity}: something waits for {longest} s");
        let sampling = decisions
            .iter()
            .filter(|it| matches!(it.level, Level::Sampling | Level::NoLow))
            .count();
        assert!(
            sampling * 10 > decisions.len() * 9,
            "{capacity}: {sampling} of {}",
            decisions.len()
        );
        let limits = decisions.iter().filter_map(|it| it.limit);
        let mean = limits.sum::<f64>() / decisions.len() as f64;
        assert!(mean > capacity * 0.4 && mean < capacity, "{capacity}: limited to {mean}");
    }
}

#[test]
fn levels_follow_from_what_is_left() {
    let level = |capacity: f64| {
        let mut model = Model::new(capacity);
        let (_, decisions) = model.run([95_000.0, 4_000.0, 1_000.0], 20);
        decisions.iter().map(|it| it.level).max().unwrap()
    };
    assert_eq!(level(4_000.0), Level::CriticalOnly);
    assert_eq!(level(60_000.0), Level::Sampling);
    let mut model = Model::new(5_500.0);
    let (_, decisions) = model.run([95_000.0, 2_000.0, 1_000.0], 20);
    assert!(decisions.iter().any(|it| it.level == Level::NoLow));
    // More critical events than can be done are let through: that is for the queue's own bound.
    let mut model = Model::new(1_500.0);
    model.run([10_000.0, 1_000.0, 3_000.0], 5);
    assert_eq!(model.decision.level, Level::CriticalOnly);
}

#[test]
fn it_recovers_and_does_not_flap() {
    let mut model = Model::new(30_000.0);
    model.run([95_000.0, 4_000.0, 1_000.0], 20);
    assert_eq!(model.decision.level, Level::Sampling);
    let mut changes = 0;
    for _ in 0..400 {
        let before = model.decision.level;
        model.tick([5_000.0, 1_000.0, 500.0]);
        changes += u32::from(before != model.decision.level);
    }
    assert_eq!((changes, model.decision.level, model.decision.limit), (1, Level::Open, None));
}

#[test]
fn a_burst_is_not_too_much() {
    let mut controller = Controller::new(TARGET);
    let mut measured = Measured { elapsed: TICK, done: 2_000, ..Measured::default() };
    measured.offered = [2_000, 0, 0];
    for tick in 0..400 {
        // Every second something waits for half a second, as seen in three measurements.
        measured.wait = Duration::from_millis(if tick % 40 < 3 { 500 } else { 0 });
        assert_eq!(controller.step(&measured).level, Level::Open);
    }
}

#[test]
fn a_slow_disk_is_not_a_queue() {
    let mut controller = Controller::new(TARGET);
    let (wait, sync) = (Duration::from_millis(45), Duration::from_millis(25));
    let mut measured = Measured { elapsed: TICK, sync, done: 500, ..Measured::default() };
    measured.offered = [500, 0, 0];
    controller.step(&measured);
    measured.wait = wait;
    for _ in 0..400 {
        assert_eq!(controller.step(&measured).level, Level::Open);
    }
    // But there is an end to it.
    (measured.wait, measured.sync) = (Duration::from_millis(400), Duration::from_millis(300));
    for _ in 0..40 {
        controller.step(&measured);
    }
    assert_ne!(controller.step(&measured).level, Level::Open);
}

#[test]
fn folds_that_fall_behind_count() {
    let mut controller = Controller::new(TARGET);
    let mut measured =
        Measured { elapsed: TICK, behind: 10_000, done: 2_000, ..Measured::default() };
    measured.offered = [2_000, 0, 0];
    for _ in 0..40 {
        controller.step(&measured);
    }
    assert_ne!(controller.step(&measured).level, Level::Open);
}
