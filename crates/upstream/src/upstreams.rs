//! All upstreams of a server: they are begun together, watched, and end together.

use std::sync::Arc;

use matchwire_gateway::{Inlet, UpstreamWatch};
use matchwire_log::Log;
use tokio::{sync::watch, task::JoinSet};

use crate::{Feed, health::Health, puller::Puller};

/// Upstreams that are set, and pulled once they are begun.
pub struct Upstreams {
    feeds: Vec<(Arc<Feed>, Arc<Health>)>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Upstreams {
    /// Those that are set; nothing happens yet.
    pub fn new(feeds: Vec<Feed>) -> Self {
        let with_health = |feed: Feed| {
            let health = Arc::new(Health::new(&feed));
            (Arc::new(feed), health)
        };
        let feeds = feeds.into_iter().map(with_health).collect();
        Self { feeds, stop: watch::Sender::new(false), tasks: JoinSet::new() }
    }

    /// Tells how they are.
    pub fn watch(&self) -> UpstreamWatch {
        let all: Vec<Arc<Health>> = self.feeds.iter().map(|(_, health)| health.clone()).collect();
        Arc::new(move || all.iter().map(|health| health.now()).collect())
    }

    /// Begins to pull them, each on a task of its own.
    pub fn begin(&mut self, log: &Log, inlet: &Inlet) {
        for (feed, health) in &self.feeds {
            let (feed, health) = (feed.clone(), health.clone());
            let puller = Puller { feed, inlet: inlet.clone(), log: log.clone(), health };
            self.tasks.spawn(puller.run(self.stop.subscribe()));
        }
    }

    /// Ends them all: nothing more is fetched, and how far each of them is has been noted.
    pub async fn end(mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}
