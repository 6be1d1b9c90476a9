//! The states of the streams of a wide topic: whose the reader is shown, and which it is owed.

use matchwire_domain::subject::Subject;
use matchwire_log::{Error, live::Bell, sweep::Moved};
use tokio::task;

use super::{Batch, Refusal, Shown, Since, Wide};
use crate::{app::App, cursor::Told};

/// Of how many streams a reader is shown states and predictions. Of more, those that moved last.
const MAX_SHOWN: usize = 4_096;

impl Wide {
    /// Whether the reader has now, for the first time, all there is, and was not told so yet.
    pub(in crate::delivery) fn becomes_current(&mut self) -> bool {
        let has_states = || [Told::All, Told::Until(self.mark())].contains(&self.told());
        let becomes = self.is_live && !self.is_current && has_states();
        self.is_current |= becomes;
        becomes
    }

    /// Up to where the reader was sent the states of what it was sent.
    pub(super) fn told(&self) -> Told {
        if !self.shows_states() {
            return Told::All;
        }
        let owed = self.shown.values().filter_map(Shown::owed_since);
        let first = owed.min_by_key(|since| since.clock).map(|since| &since.mark);
        let first = first.or(self.owed.as_ref().map(Moved::told));
        Told::Until(first.cloned().unwrap_or_else(|| self.mark()))
    }

    /// Puts states into the batch that the reader may lack though it has their events.
    pub(super) async fn pull_owed(
        &mut self,
        app: &App,
        bell: &Bell,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        while !batch.is_full() {
            let Some(mut owed) = self.owed.take_if(|owed| owed.is_known()) else { break };
            let since = Since { clock: self.clock, mark: owed.told().clone() };
            let next = task::spawn_blocking(move || owed.next_stream().map(|next| (owed, next)));
            let (owed, next) = next.await.map_err(|_| Error::Stopped)??;
            let Some((subject, seq)) = next else { break };
            self.owed = Some(owed);
            self.reached(app, bell, batch, &subject, seq, &since).await?;
            if let Some(shown) = self.shown.get_mut(&subject) {
                shown.put(app, &self.topic, &subject, self.views, batch);
            }
        }
        Ok(())
    }

    /// Takes down up to which event of a stream the reader was sent.
    pub(super) async fn reached(
        &mut self,
        app: &App,
        bell: &Bell,
        batch: &mut Batch,
        subject: &Subject,
        seq: u64,
        since: &Since,
    ) -> Result<(), Refusal> {
        match self.shown(app, bell, batch, subject).await {
            Ok(shown) => shown.reached(seq, since),
            // Its events tell of it.
            Err(error) if error.is_partial() => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// What the reader is shown of a stream that has moved.
    async fn shown(
        &mut self,
        app: &App,
        bell: &Bell,
        batch: &mut Batch,
        subject: &Subject,
    ) -> Result<&mut Shown, Error> {
        self.clock += 1;
        if !self.shown.contains_key(subject) {
            let follow = app.live.follow(subject, bell).await?;
            if self.shown.len() >= MAX_SHOWN {
                self.leave_oldest(app, batch).await;
            }
            self.shown.insert(subject.clone(), Shown::new(follow));
        }
        let shown = self.shown.get_mut(subject).ok_or(Error::Stopped)?;
        shown.moved = self.clock;
        Ok(shown)
    }

    /// Makes room for another stream: the one that moved the longest ago is shown for the last time.
    async fn leave_oldest(&mut self, app: &App, batch: &mut Batch) {
        let oldest = self.shown.iter().min_by_key(|(_, shown)| shown.moved);
        let Some(oldest) = oldest.map(|(subject, _)| subject.clone()) else { return };
        let Some(mut shown) = self.shown.remove(&oldest) else { return };
        if shown.owed_since().is_some() && shown.catch_up().await.is_ok() {
            shown.put(app, &self.topic, &oldest, self.views, batch);
        }
    }
}
