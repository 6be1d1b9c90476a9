//! The first step: makes a group of what is queued, without writing anything.

use std::{
    sync::{Arc, Weak},
    time::Instant,
};

use matchwire_domain::{envelope::Event, timestamp::Timestamp};
use tokio::sync::oneshot;

use super::{
    Answer, Call, Hashed, Shared,
    group::{First, Group},
};
use crate::{
    Error, Fingerprints, Outcome, Refused,
    medium::{Head, Hit},
};

/// A group that is ready to be committed, with the answers that then are due.
pub(crate) struct Staged {
    pub(super) group: Arc<Group>,
    /// Where it goes, if it has records.
    pub(super) position: u64,
    /// The refusals that were known when it was staged.
    pub(super) refusals: u64,
    pub(super) started: Instant,
    pub(super) answers: Vec<Due>,
}

/// An answer that is due once a group is durable.
pub(super) struct Due {
    pub(super) answer: Option<oneshot::Sender<Answer>>,
    pub(super) results: Vec<Result<Vec<Outcome>, Refused>>,
}

/// Stages one group after the other.
pub(crate) struct Stager {
    shared: Arc<Shared>,
    recorded: Timestamp,
    /// The group before, while it may not be committed yet, and its position. Once it is, it goes
    /// with the one who committed it, after the answers.
    before: Option<(Weak<Group>, u64)>,
    refusals: u64,
}

impl Stager {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let recorded = shared.medium.tail().recorded;
        shared.counters.set_recorded(recorded);
        Self { shared, recorded, before: None, refusals: 0 }
    }

    /// Makes one group of the calls. A call whose look-ups fail is answered at once.
    pub(super) fn stage(&mut self, calls: Vec<Call>) -> Staged {
        let shared = self.shared.clone();
        let started = Instant::now();
        let position = self.position();
        self.recorded = self.recorded.max(shared.clock.now());
        shared.counters.set_recorded(self.recorded);
        let before = self.before.as_ref().and_then(|(group, _)| group.upgrade());
        let mut group = Group::new(shared.medium.identity().id.clone(), self.recorded, before);
        let mut answers = Vec::with_capacity(calls.len());
        for Call { appends, answer } in calls {
            match self.call(&mut group, appends) {
                Ok(results) => answers.push(Due { answer, results }),
                Err(error) => drop(answer.map(|answer| answer.send(Err(error)))),
            }
        }
        group.detach();
        let group = Arc::new(group);
        if !group.records.is_empty() {
            self.before = Some((Arc::downgrade(&group), position));
        }
        Staged { group, position, refusals: self.refusals, started, answers }
    }

    /// Where the next group goes. Forgets the group before once it is committed, or refused.
    fn position(&mut self) -> u64 {
        let progress = *self.shared.progress.lock();
        let is_void = std::mem::replace(&mut self.refusals, progress.refusals) != progress.refusals;
        match &self.before {
            Some((_, position)) if !is_void && *position >= progress.next => position + 1,
            _ => {
                self.before = None;
                progress.next
            }
        }
    }

    /// Adds the appends of one call to the group, or none of them if a look-up fails.
    fn call(
        &self,
        group: &mut Group,
        appends: Vec<Hashed>,
    ) -> Result<Vec<Result<Vec<Outcome>, Refused>>, Error> {
        let looked_up: Vec<_> =
            appends.iter().map(|append| self.look_up(append)).collect::<Result<_, _>>()?;
        let stage = |(append, (head, known)): (Hashed, (Option<Head>, Vec<Option<First>>))| {
            group.stage(append, &known, head)
        };
        Ok(appends.into_iter().zip(looked_up).map(stage).collect())
    }

    /// The durable head of an append's stream, and where its events are durable already; empty if
    /// none is.
    fn look_up(&self, hashed: &Hashed) -> Result<(Option<Head>, Vec<Option<First>>), Error> {
        match self.look_up_once(hashed) {
            // A record was trimmed after it was found; now its check is.
            Err(Error::Trimmed { .. }) => self.look_up_once(hashed),
            other => other,
        }
    }

    fn look_up_once(&self, hashed: &Hashed) -> Result<(Option<Head>, Vec<Option<First>>), Error> {
        let Hashed { append, fingerprints, .. } = hashed;
        let Some(head) = self.shared.head(&append.subject)? else { return Ok((None, Vec::new())) };
        let hits = self.shared.medium.lookup(&append.subject, fingerprints)?.found;
        if hits.is_empty() {
            return Ok((Some(head), Vec::new()));
        }
        let mut known = vec![None; append.events.len()];
        for Hit { index, seq, check } in hits {
            let (Some(Event { source, id, .. }), Some(known)) =
                (append.events.get(index), known.get_mut(index))
            else {
                continue;
            };
            if let Some(check) = check {
                let is_same = check == Fingerprints::check(source, id);
                *known = known.or(is_same.then_some(First::Known { seq }));
            } else if let Some(first) = self.shared.identified(&append.subject, seq, source, id)? {
                *known = Some(First::of(&first));
            }
        }
        Ok((Some(head), known))
    }
}
