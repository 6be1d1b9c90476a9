//! A topic that a connection follows, with a place in each of its streams, or one in the log.

use std::sync::Arc;

use matchwire_log::live::Bell;
use serde_json::Value;

use super::{AT_ONCE, Batch, Refusal, Subscription, wide::Wide};
use crate::{app::App, topic::Topic};

pub(super) enum Followed {
    /// A map, or a match with its maps.
    Streams(Box<Subscription>),
    /// Many matches.
    Wide(Box<Wide>),
}

impl From<Subscription> for Followed {
    fn from(subscription: Subscription) -> Self {
        Self::Streams(Box::new(subscription))
    }
}

impl From<Wide> for Followed {
    fn from(wide: Wide) -> Self {
        Self::Wide(Box::new(wide))
    }
}

impl Followed {
    /// The subscription to a map or a match.
    pub(super) fn streams_alone(&self) -> Option<&Subscription> {
        match self {
            Self::Streams(subscription) => Some(subscription),
            Self::Wide(_) => None,
        }
    }

    pub(super) fn topic(&self) -> &Topic {
        match self {
            Self::Streams(subscription) => subscription.topic(),
            Self::Wide(wide) => wide.topic(),
        }
    }

    /// The app whose log it is over.
    pub(super) fn app(&self, others: &Arc<App>) -> Arc<App> {
        match self {
            Self::Streams(subscription) => subscription.app(others),
            Self::Wide(_) => others.clone(),
        }
    }

    /// How many streams it keeps a place in.
    pub(super) fn streams(&self) -> usize {
        self.streams_alone().map_or(0, Subscription::streams)
    }

    /// Whether a reader who had caught up is too far behind: by more than so many events in a stream, or in
    /// the whole log by more than is in memory.
    pub(super) fn lags(&self, limit: u64) -> bool {
        match self {
            Self::Streams(subscription) => subscription.lag() > limit,
            Self::Wide(wide) => wide.lags(),
        }
    }

    /// Whether the reader has now, for the first time, all there is of many matches: it cannot tell by itself.
    pub(super) fn becomes_current(&mut self) -> bool {
        match self {
            Self::Streams(_) => false,
            Self::Wide(wide) => wide.becomes_current(),
        }
    }

    /// How many events the reader was not given yet, as far as it is known.
    pub(super) fn behind(&self) -> u64 {
        match self {
            Self::Streams(subscription) => subscription.behind(),
            Self::Wide(wide) => wide.behind(),
        }
    }

    /// Whether the reader missed so much that it takes turns with others in being given it.
    pub(super) fn needs_turn(&self) -> bool {
        match self {
            Self::Streams(subscription) => subscription.behind() > AT_ONCE,
            Self::Wide(wide) => wide.is_far_behind(),
        }
    }

    /// Up to where the reader was sent.
    pub(super) fn sent(&self, app: &App) -> Value {
        match self {
            Self::Streams(subscription) => subscription.sent(app),
            Self::Wide(wide) => wide.sent(app).into(),
        }
    }

    pub(super) async fn look_for_maps(
        &mut self,
        app: &App,
        bell: &Bell,
        room: usize,
    ) -> Result<usize, Refusal> {
        match self {
            Self::Streams(subscription) => subscription.look_for_maps(app, bell, room).await,
            Self::Wide(_) => Ok(0),
        }
    }

    /// Puts what comes next into the batch.
    pub(super) async fn pull(
        &mut self,
        app: &App,
        bell: &Bell,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        match self {
            Self::Streams(subscription) => subscription.pull(app, batch).await,
            Self::Wide(wide) => wide.pull(app, bell, batch).await,
        }
    }
}
