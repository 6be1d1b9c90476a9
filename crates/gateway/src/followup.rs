//! What is looked after once an event is in the log: which source told of a map, for the switch to
//! another one, and what was told of a match as a whole, for which server plays it.

mod failover;
mod fixtures;

use std::sync::Arc;

use matchwire_domain::{
    envelope::Event,
    subject::{Kind, Subject},
};

use failover::Failover;
pub use failover::Ranking;
use fixtures::Fixtures;

use crate::{app::App, problem::Problem};

/// Is told of every event that is in the log. Clones share what they know.
#[derive(Clone)]
pub struct Followup(Arc<Parts>);

struct Parts {
    failover: Failover,
    fixtures: Fixtures,
}

impl Followup {
    /// With the sources that compete.
    pub fn new(ranking: Ranking) -> Self {
        let parts = Parts { failover: Failover::new(ranking), fixtures: Fixtures::default() };
        Self(Arc::new(parts))
    }

    /// An event is in the log.
    pub fn appended(&self, event: &Event) {
        match event.subject.kind() {
            Kind::MatchMap(..) => self.0.failover.appended(event),
            Kind::Match(_) => self.0.fixtures.appended(&event.subject),
            _ => {}
        }
    }

    /// The match that a server plays now; `None` if none is assigned to it.
    pub(crate) async fn match_of(
        &self,
        app: &App,
        server: &str,
    ) -> Result<Option<String>, Problem> {
        self.0.fixtures.match_of(app, server).await
    }

    /// Looks after the sources for as long as the app serves.
    pub(crate) async fn run(app: Arc<App>) {
        app.followup.0.failover.run(&app).await;
    }
}

/// The id of a match whose own stream this is.
fn match_id(subject: &Subject) -> Option<&str> {
    match subject.kind() {
        Kind::Match(id) => Some(id),
        _ => None,
    }
}
