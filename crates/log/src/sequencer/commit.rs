//! The second step: makes a staged group durable, tells the readers, and answers.

use std::{sync::Arc, time::Instant};

use super::{
    Shared,
    stage::{Due, Staged},
};
use crate::{Committed, Defect, Error};

/// Commits one group after the other, in the order in which they were staged.
pub(crate) struct Committer {
    shared: Arc<Shared>,
}

impl Committer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Waits until a group is durable, and answers. An error is fatal: the calls are dropped
    /// unanswered, since what became of them is not known.
    pub(super) fn commit(&mut self, staged: Staged) -> Result<(), Error> {
        let Staged { group, position, refusals, started, mut answers } = staged;
        let shared = self.shared.clone();
        if shared.progress.lock().refusals != refusals {
            self.refuse(answers);
            return Ok(());
        }
        if Defect::AnswerBeforeSync.is_on() {
            let early = answers.drain(..).filter_map(|due| Some((due.answer?, due.results)));
            early.for_each(|(answer, results)| drop(answer.send(Ok(results))));
        }
        if !group.records.is_empty() {
            let written = match shared.medium.append(position, &group.records) {
                Ok(written) => written,
                Err(error) if error.is_retryable() => {
                    shared.progress.lock().refusals += 1;
                    self.refuse(answers);
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            let durable = Instant::now();
            shared.counters.set_full(false);
            let committed = Committed {
                calls: answers.len(),
                events: group.records.len(),
                stored_bytes: group.records.iter().map(|r| r.recorded.stored.len() as u64).sum(),
                written_bytes: written.bytes,
                sync: written.sync,
                commit: durable - started,
            };
            shared.counters.add(&committed);
            shared.streams.publish(position, &group.records, &group.runs, durable);
            shared.progress.lock().next = position + 1;
            if let Some(observer) = &shared.observer {
                observer.committed(&committed);
            }
        }
        shared.counters.add_duplicates(group.duplicates);
        for Due { answer, results } in answers {
            // Whoever does not wait any more has lost nothing but the answer.
            let _ = answer.map(|answer| answer.send(Ok(results)));
        }
        // Nobody waits for this any more.
        drop(group);
        Ok(())
    }

    /// Tells everyone that the medium is full, and the operator once.
    fn refuse(&mut self, answers: Vec<Due>) {
        if !self.shared.counters.set_full(true) {
            tracing::warn!("the log's storage is full; appends are refused until there is space");
        }
        for answer in answers.into_iter().filter_map(|due| due.answer) {
            let _ = answer.send(Err(Error::Full));
        }
    }
}
