//! Subscriptions to what was played before: with an app of their own, and with an end.

use std::sync::Arc;

use serde_json::json;

use super::{Batch, Delivery, Followed, Kind, Place, Refusal, Subscription, Views};
use crate::{app::App, cursor::After, replay::Replay, topic::Topic};

impl Subscription {
    /// The app whose log it is over: its replay's, or else that of all others.
    pub(super) fn app(&self, others: &Arc<App>) -> Arc<App> {
        self.replay.as_ref().map_or(others, |replay| &replay.app).clone()
    }

    /// Whether it is a replay of which everything was sent.
    fn is_over(&self) -> bool {
        self.replay.as_ref().is_some_and(|replay| {
            replay.ends.iter().all(|(subject, last)| {
                let part = self.parts.iter().find(|part| part.subject() == subject);
                part.is_some_and(|part| part.seq >= *last)
            })
        })
    }
}

impl Delivery {
    /// Follows a replay of a topic, in the place of an earlier subscription to it.
    pub(crate) async fn replay(
        &mut self,
        replay: Replay,
        topic: Topic,
        after: After,
        views: Views,
    ) -> Result<(), Refusal> {
        let app = replay.app.clone();
        self.make_room(&topic)?;
        let mut subscription = self.open(&app, topic, after, views).await?;
        subscription.replay = Some(replay);
        self.subscriptions.push(subscription.into());
        Ok(())
    }

    /// Ends a subscription that had nothing more to put into the batch, if nothing more can come.
    pub(super) fn ends(&mut self, at: usize, batch: &mut Batch) -> bool {
        let followed = self.subscriptions.get(at).and_then(Followed::streams_alone);
        let Some(ended) = followed.filter(|subscription| subscription.is_over()) else {
            return false;
        };
        let cursor = ended.cursor(&self.app, |part| part.seq).to_string();
        let end = json!({"type": "end", "topic": ended.topic().as_str(), "cursor": cursor});
        batch.put(Kind::End, end.to_string().into(), Place::Cursor(cursor));
        self.subscriptions.remove(at);
        true
    }
}
