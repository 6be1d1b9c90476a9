//! Calls and their answers: what the log says must be what the model says.

use matchwire_domain::chain::Digest;
use matchwire_embedded::disk::Met;
use matchwire_log::{Error, Outcome, Refused};
use rand::Rng;

use super::{
    life::{Held, Life},
    process::{Answer, Taken},
    scenario::Mishap,
    supply::Tried,
};

/// What has become of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is stored.
    Stored,
    /// It was refused; a crash may still bring it back.
    Refused,
    /// Nobody knows.
    Unknown,
}

type Results = Vec<Result<Vec<Outcome>, Refused>>;
/// A call of a group, with what it got if somebody waited.
type Settled = (Vec<Tried>, Option<Results>);

impl Life<'_> {
    /// Calls `append`; the answer comes with a later step.
    pub(super) fn put(&mut self) -> Held {
        let waiting = self.process.as_ref().map_or(0, |process| process.waiting.len());
        if waiting >= self.scenario.in_flight {
            return self.step();
        }
        let call = self.supply.call(&self.scenario, &self.model, &mut self.random);
        // Without any answer, a failed look-up could not be told from a group that is stored.
        let may_forsake = waiting > 0 && !self.scenario.has(Mishap::Read);
        let forsaken = may_forsake && self.random.random_ratio(self.scenario.forsaken, 100);
        self.call(call, forsaken)
    }

    /// Makes a call.
    pub(super) fn call(&mut self, call: Vec<Tried>, forsaken: bool) -> Held {
        let before = self.disk.met();
        let Some(process) = &mut self.process else { return Ok(()) };
        let text = describe(&call);
        let refused = process.put(self.supply.subjects(), call, forsaken);
        let waiting = process.waiting.len();
        self.trace.line(|| format!("put {text}{}", if forsaken { ", forsaken" } else { "" }));
        match refused {
            None => Ok(()),
            Some(Err(Error::Full)) if waiting >= self.scenario.queue_calls => Ok(()),
            Some(Err(error @ Error::Stopped)) => {
                self.stop();
                self.excuse(&error, before)
            }
            Some(answer) => Err(format!("a call was answered at once: {answer:?}")),
        }
    }

    /// Lets the writer put a group together, without writing anything.
    pub(super) fn stage(&mut self) -> Held {
        let before = self.disk.met();
        let Some(process) = &mut self.process else { return Ok(()) };
        let Some(failed) = process.stage(&self.disk) else { return Ok(()) };
        let left = process.waiting.len();
        self.trace.line(|| format!("stage: {left} calls are left, and failed are {failed:?}"));
        for answer in failed {
            match answer {
                Err(error) => self.excuse(&error, before)?,
                Ok(results) => return Err(format!("too early an answer: {results:?}")),
            }
        }
        Ok(())
    }

    /// Lets the writer commit one group, and compares the answers. Sometimes the next one is staged
    /// before that.
    pub(super) fn step(&mut self) -> Held {
        self.stage()?;
        if self.random.random() {
            self.stage()?;
        }
        let start = self.disk.met();
        let Some(process) = &mut self.process else { return Ok(()) };
        let Some(Taken { calls, before }) = process.commit() else {
            if !process.is_busy() {
                return Ok(());
            }
            // It takes nothing more, though nobody was told so: what failed were calls for whose
            // answers nobody waits.
            self.stop();
            return self.excuse(&Error::Stopped, start);
        };
        self.note(|| format!("{:?}", calls.iter().map(|(_, got)| got).collect::<Vec<_>>()).into());
        let count = calls.len();
        let (calls, fate) = self.judge(calls, before)?;
        self.trace.line(|| format!("step: {count} calls, {fate:?}"));
        match fate {
            None => self.look_after(calls),
            Some(Fate::Stored) => self.stored(calls),
            // It was staged on top of one that was refused.
            Some(Fate::Refused) if self.disk.met().full == start.full => Ok(()),
            Some(Fate::Refused) => {
                self.doubt(&calls);
                Ok(())
            }
            Some(Fate::Unknown) => {
                self.stop();
                self.doubt(&calls);
                Ok(())
            }
        }
    }

    /// What has become of the group, and the calls that were in it; nothing is said of its fate if
    /// nobody waits for any of them.
    fn judge(
        &mut self,
        taken: Vec<(Vec<Tried>, Option<Answer>)>,
        before: Met,
    ) -> Result<(Vec<Settled>, Option<Fate>), String> {
        let (mut calls, mut fate) = (Vec::new(), None);
        for (call, answer) in taken {
            let (results, own) = match answer {
                None => {
                    calls.push((call, None));
                    continue;
                }
                Some(Ok(results)) => (Some(results), Fate::Stored),
                Some(Err(error @ Error::Full)) => {
                    self.excuse(&error, before)?;
                    (None, Fate::Refused)
                }
                Some(Err(error @ Error::Stopped)) => {
                    self.excuse(&error, before)?;
                    (None, Fate::Unknown)
                }
                Some(Err(error)) => return Err(format!("no answer for a group: {error:?}")),
            };
            if fate.is_some_and(|fate| fate != own) {
                return Err(format!("of one group, calls are {fate:?} and {own:?}"));
            }
            fate = Some(own);
            calls.push((call, results));
        }
        Ok((calls, fate))
    }

    fn stored(&mut self, calls: Vec<Settled>) -> Held {
        let staged = self.model.stage(calls.iter().map(|(call, _)| call));
        self.report.appended += staged.added.len() as u64;
        self.model.commit(staged.added);
        for ((call, results), expected) in calls.into_iter().zip(staged.results) {
            let Some(results) = results else { continue };
            if results.len() != expected.len() {
                return Err(format!("{} results for {} appends", results.len(), expected.len()));
            }
            for (tried, (expected, got)) in call.iter().zip(expected.iter().zip(&results)) {
                self.count(got);
                self.model.check(tried.stream, expected, got).map_err(|what| {
                    format!("append to {}: {what}", describe(std::slice::from_ref(tried)))
                })?;
            }
        }
        Ok(())
    }

    fn count(&mut self, got: &Result<Vec<Outcome>, Refused>) {
        match got {
            Err(_) => self.report.conflicts += 1,
            Ok(outcomes) => {
                let again = |outcome: &&Outcome| !matches!(outcome, Outcome::Appended { .. });
                self.report.duplicates += outcomes.iter().filter(again).count() as u64;
            }
        }
    }

    /// Nobody waited: the heads tell whether the group is stored.
    fn look_after(&mut self, calls: Vec<Settled>) -> Held {
        let staged = self.model.stage(calls.iter().map(|(call, _)| call));
        let Some(log) = self.process.as_ref().map(|process| process.log.clone()) else {
            return Ok(());
        };
        for (stream, _) in &staged.added {
            let Some(subject) = self.supply.subjects().get(*stream) else { continue };
            match log.head(subject) {
                Ok(head) if head > self.model.head(*stream) => return self.stored(calls),
                Ok(_) => {}
                Err(error) => self.excuse(&error, self.met_at_open)?,
            }
        }
        self.doubt(&calls);
        Ok(())
    }

    /// The group may be there after a crash.
    fn doubt(&mut self, calls: &[Settled]) {
        self.report.unknown += calls.len() as u64;
        let staged = self.model.stage(calls.iter().map(|(call, _)| call));
        self.model.doubt(staged);
    }

    fn stop(&mut self) {
        if let Some(process) = &mut self.process {
            process.stopped = true;
        }
    }
}

/// A call in a few words.
fn describe(call: &[Tried]) -> String {
    let append = |tried: &Tried| {
        let subject = tried.facts.first().map_or("nothing", |fact| fact.event.subject.as_str());
        let ids = tried.facts.iter().map(|fact| {
            let leaf = fact.leaf.to_string();
            let id: &str = fact.event.id.trim_end_matches('x');
            format!("{id}:{}", leaf.get(..4).unwrap_or_default())
        });
        let ids: Vec<String> = ids.collect();
        let expects = tried.expected_seq.map(|seq| format!(" at {seq}")).unwrap_or_default();
        format!("{subject}{expects} [{}]", ids.join(" "))
    };
    let appends: Vec<String> = call.iter().map(append).collect();
    appends.join(", ")
}

/// The first digits of a hash, for a trace.
pub(super) fn short(digest: Option<Digest>) -> String {
    let text = digest.map(|digest| digest.to_string()).unwrap_or_default();
    text.get(..8).unwrap_or_default().into()
}
