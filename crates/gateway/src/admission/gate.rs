//! The verdict on each event of a request.
//!
//! | level | low priority | normal | critical |
//! |---|---|---|---|
//! | 0 | taken | taken | taken |
//! | 1 | 1 in N; of `broadcast` 1 in 2 N; of `social` refused | taken | taken |
//! | 2 | refused | taken; of `social` refused | taken |
//! | 3 | refused | refused | taken |
//!
//! What is critical is refused by its source's own last bound and by a log that is full alone. What is
//! of low priority in a request is kept or left out as a whole, by a hash of its first event's identity:
//! the same request gets the same verdict again, and what is kept of 1 in 8 is also kept of 1 in 4.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::atomic::Ordering,
    time::Instant,
};

use matchwire_domain::{envelope::Glance, live_match::Priority};

use super::{Admission, Advice, Class, Decision, Level, MAX_SAMPLE, Standing};
use crate::problem::{Code, Problem};

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is let through, and stands for so many like it.
    Take(u32),
    /// It is left out: one of so many is kept, and it is not that one.
    Sampled(u32),
    /// It is refused: there is too much, or its source is over its rate.
    Refused(Code),
}

/// Events that were not let through, to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shed {
    pub(crate) priority: Priority,
    pub(crate) class: Class,
    /// `sampled` or `refused`.
    pub(crate) how: &'static str,
}

/// What the events of one request pass.
pub(crate) struct Gate<'a> {
    admission: &'a Admission,
    decision: Decision,
    now: Instant,
    offered: [u64; 3],
    has_critical: bool,
    shed: Vec<Shed>,
    /// How the last source with a limit stands to it.
    source: Option<Advice>,
    /// By what the request's events of low priority are kept or left out, all of them, while there is too
    /// much: what costs is to append at all, and not how many.
    draw: Option<Draw>,
}

impl<'a> Gate<'a> {
    pub(super) fn new(admission: &'a Admission, decision: Decision) -> Self {
        Self {
            admission,
            decision,
            now: Instant::now(),
            offered: [0; 3],
            has_critical: false,
            shed: Vec::new(),
            source: None,
            draw: None,
        }
    }

    /// Whether every event is let through, so that none need be looked at beforehand.
    pub(crate) fn is_open(&self) -> bool {
        !self.is_busy() && !self.admission.has_limits
    }

    /// Whether there is too much.
    pub(crate) fn is_busy(&self) -> bool {
        self.decision.level > Level::Open
    }

    /// Whether something critical was let through.
    pub(crate) fn has_critical(&self) -> bool {
        self.has_critical
    }

    /// What was not let through.
    pub(crate) fn shed(&self) -> &[Shed] {
        &self.shed
    }

    /// The verdict on an event as it came. What cannot be read as one is let through, to be refused
    /// for what it is.
    pub(crate) fn judge(&mut self, json: &[u8]) -> Verdict {
        let Some(glance) = Glance::at(json) else { return Verdict::Take(1) };
        let priority = self.admission.priority(&glance.kind);
        let (verdict, class) = self.verdict(&glance, priority);
        self.note(priority);
        let how = match verdict {
            Verdict::Take(_) => {
                self.has_critical |= priority == Priority::Critical;
                return verdict;
            }
            Verdict::Sampled(_) => "sampled",
            Verdict::Refused(_) => "refused",
        };
        self.shed.push(Shed { priority, class, how });
        verdict
    }

    /// Counts an event that was offered.
    pub(crate) fn note(&mut self, priority: Priority) {
        let place = match priority {
            Priority::Low => 0,
            Priority::Normal => 1,
            Priority::Critical => 2,
        };
        if let Some(offered) = self.offered.get_mut(place) {
            *offered += 1;
        }
    }

    fn verdict(&mut self, glance: &Glance<'_>, priority: Priority) -> (Verdict, Class) {
        let (now, source) = (self.now, &*glance.source);
        let buckets = self.admission.has_limits.then(|| self.admission.buckets.lock());
        let Some(mut buckets) = buckets else {
            return (self.by_level(glance, priority, Class::default(), 1.0), Class::default());
        };
        let Some((number, limit)) = buckets.limit(source) else {
            return (self.by_level(glance, priority, Class::default(), 1.0), Class::default());
        };
        let class = limit.class;
        let verdict = match buckets.standing(number, source, priority, now) {
            Standing::Within => self.by_level(glance, priority, class, 1.0),
            Standing::Sampled(sample) => self.by_level(glance, priority, class, f64::from(sample)),
            Standing::Spent => Verdict::Refused(Code::RateLimited),
        };
        if matches!(verdict, Verdict::Take(_)) {
            buckets.charge(number, source, 1.0, now);
        }
        self.source = buckets.advice(number, source, now);
        (verdict, class)
    }

    /// The verdict by how much there is, where its source's own rate keeps one of `sample`.
    fn by_level(
        &mut self,
        glance: &Glance<'_>,
        priority: Priority,
        class: Class,
        sample: f64,
    ) -> Verdict {
        let refused = Verdict::Refused(Code::Overloaded);
        let rate = match (priority, self.decision.level) {
            (Priority::Critical, _) | (Priority::Normal, Level::Open | Level::Sampling) => {
                return Verdict::Take(1);
            }
            (Priority::Normal, Level::NoLow) if class != Class::Social => return Verdict::Take(1),
            (Priority::Normal, _) | (Priority::Low, Level::NoLow | Level::CriticalOnly) => {
                return refused;
            }
            // So many of its source's are kept, and not so many requests.
            (Priority::Low, Level::Open) => return Draw::of(glance).verdict(sample),
            (Priority::Low, Level::Sampling) => match class {
                Class::Social => return refused,
                Class::Broadcast => sample.max(self.decision.sample * 2.0),
                Class::Sensor => sample.max(self.decision.sample),
            },
        };
        self.draw.get_or_insert_with(|| Draw::of(glance)).verdict(rate)
    }

    /// What the sender is to be told of limits: of its own source, or of the server's.
    pub(crate) fn advice(&self, is_overloaded: bool) -> Option<Advice> {
        if is_overloaded { Some(overload(&self.decision)) } else { self.source }
    }

    /// The problem of a request of which nothing is let through.
    pub(crate) fn problem(&self, verdicts: &[Verdict]) -> Option<Problem> {
        let Some(Verdict::Refused(code)) = verdicts.first() else { return None };
        let is_refused = |verdict: &Verdict| matches!(verdict, Verdict::Refused(_));
        if !verdicts.iter().all(is_refused) {
            return None;
        }
        let advice = self.advice(*code == Code::Overloaded);
        Some(Problem { advice, ..Problem::new(*code, refusal(*code)) })
    }
}

impl Drop for Gate<'_> {
    /// However the request ends, what it offered counts.
    fn drop(&mut self) {
        for (all, own) in self.admission.offered.iter().zip(self.offered) {
            all.fetch_add(own, Ordering::Relaxed);
        }
    }
}

/// What a sender is told who is refused since there is too much.
fn overload(decision: &Decision) -> Advice {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a limit is a number of events that were counted"
    )]
    let quota = decision.limit.map_or(0, |limit| limit as u64);
    let reset_s = u64::from(decision.level.number()).max(1);
    Advice { policy: "overload", quota, remaining: 0, reset_s }
}

/// Why an event is refused, in words.
pub(crate) fn refusal(code: Code) -> &'static str {
    match code {
        Code::RateLimited => "the source is over its rate; send less, and this again later",
        _ => {
            "more is sent than can be taken, and what matters less is refused; send it again later"
        }
    }
}

/// What decides whether the events of a request are among those that are kept.
#[derive(Debug, Clone, Copy)]
struct Draw {
    /// From 0 to 1: what is kept of few is also kept of more.
    place: f64,
    /// From 0 to 1: which whole number is told.
    rounding: f64,
}

impl Draw {
    /// By the first event's identity: the same request gets the same verdict again.
    fn of(glance: &Glance<'_>) -> Self {
        // Its keys are fixed, so it is the same for everyone.
        let mut hasher = DefaultHasher::new();
        (&*glance.subject, &*glance.source, &*glance.id).hash(&mut hasher);
        let [a, b, c, d, rest @ ..] = hasher.finish().to_be_bytes();
        let part = |bytes| f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX);
        Self { place: part([a, b, c, d]), rounding: part(rest) }
    }

    /// Keeps one of so many, at least one. Of how many it is kept can only be told as a whole number:
    /// that is the one below or the one above, so that on average it is right.
    fn verdict(self, rate: f64) -> Verdict {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 128")]
        let whole = rate.clamp(1.0, f64::from(2 * MAX_SAMPLE)) as u32;
        if self.place <= 1.0 / rate.max(1.0) {
            Verdict::Take(whole + u32::from(self.rounding < rate.fract()))
        } else {
            Verdict::Sampled(whole + u32::from(rate.fract() > 0.0))
        }
    }
}

#[cfg(test)]
mod tests;
