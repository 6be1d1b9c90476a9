//! What comes in from inside the server: events and posts that were fetched from elsewhere.
//!
//! Whoever fetches can wait, so nothing of it is sampled: while there is too much it is fetched
//! later, as [`Inlet::check`] says.

use std::{sync::Arc, time::Instant};

use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use matchwire_domain::dead_letter::Origin;
use matchwire_log::Outcome;

use super::{
    admit::{admit, sync},
    answer,
    events::{Admitted, Fate, Left, append, letter},
    source::{self, Arrived, Place, Told},
};
use crate::{
    admission::{Class, Level},
    app::{Answer, App},
    letters::Letter,
    problem::{Code, Problem},
};

/// What fetched events are counted under, and by what their dead letters came in.
pub(crate) const UPSTREAM: &str = "upstream";

/// The way in for what was fetched. Clones share it.
#[derive(Clone)]
pub struct Inlet {
    app: Arc<App>,
}

/// What became of what was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// Events that are new.
    pub appended: u64,
    /// Events that were there before.
    pub duplicate: u64,
    /// Parts that say nothing we know.
    pub unknown: u64,
    /// Events that were refused. Those with an envelope are dead letters.
    pub rejected: u64,
}

impl Inlet {
    /// The way into an app.
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: app.clone() }
    }

    /// Whether more of a source may be fetched now, or should be later: while there is too much, and
    /// while it is far over its rate. A sensor's waits only for the latter, since nobody else tells
    /// what it tells.
    pub fn check(&self, source: &str, class: Class) -> Result<(), Problem> {
        let level = self.app.admission.state(self.app.log.backlog()).level;
        let is_held = match class {
            Class::Sensor => false,
            Class::Broadcast => level >= Level::NoLow,
            Class::Social => level >= Level::Sampling,
        };
        if is_held {
            return Err(Problem::new(Code::Overloaded, "more is sent than can be taken"));
        }
        self.app.admission.check_post(source)
    }

    /// Takes events of a source, in order, each as JSON. An error means that nothing is known of any
    /// of them, and all may come again.
    pub async fn events(&self, source: &str, items: &[Bytes]) -> Result<Taken, Problem> {
        let mut taken = Taken::default();
        for chunk in items.chunks(self.app.limits.events) {
            taken += self.chunk(chunk).await?;
        }
        self.app.admission.charge_post(source, taken.appended);
        Ok(taken)
    }

    async fn chunk(&self, items: &[Bytes]) -> Result<Taken, Problem> {
        let (app, received) = (&*self.app, Instant::now());
        let mut letters = Vec::new();
        let mut admitted: Vec<Admitted> = Vec::with_capacity(items.len());
        for item in items {
            admitted.push(match admit(app, item, 1) {
                Ok((event, _)) => Ok(event),
                Err(why) => {
                    letters.extend(letter(UPSTREAM, item, &why));
                    Err(Left::Rejected(why))
                }
            });
        }
        sync(app)?;
        app.meter.ingest(received.elapsed());
        let fates = append(app, UPSTREAM, admitted, received, &mut letters).await?;
        for letter in letters {
            app.letters.keep(letter);
        }
        answer::count(&app.meter, UPSTREAM, &fates);
        let mut taken = Taken::default();
        for fate in &fates {
            let count = match fate {
                Fate::Taken { outcome: Outcome::Appended { .. }, .. } => &mut taken.appended,
                Fate::Taken { .. } | Fate::Accepted(_) => &mut taken.duplicate,
                Fate::Rejected(_) | Fate::Sampled(_) => &mut taken.rejected,
            };
            *count += 1;
        }
        Ok(taken)
    }

    /// Takes a body in another system's own format, for a match and a map, which may be `auto`. What of it
    /// cannot be used is a dead letter.
    pub async fn post(
        &self,
        charged: &str,
        format: &str,
        (match_id, map): (&str, &str),
        body: Bytes,
    ) -> Result<Taken, Problem> {
        let app = &*self.app;
        let Some((name, reader)) = app.sources.get_key_value(format) else {
            return Err(Problem::new(Code::NotFound, format!("no source is called {format}")));
        };
        let (received, headers) = (Instant::now(), HeaderMap::new());
        let place = Place::Map(match_id, map);
        let post = Arrived { place, headers: &headers, body: &body, received };
        let told = source::tell(app, (name, &**reader), charged, post).await?;
        if let Some((reason, detail)) = told.refusal() {
            source::keep(app, (name, &**reader), post, reason, &detail, 1);
        }
        let Told::Of(_, Answer { appended, duplicate, unknown, refused, .. }) = told else {
            return Ok(Taken::default());
        };
        Ok(Taken { appended, duplicate, unknown, rejected: refused })
    }

    /// Keeps a body in another system's own format that could not be taken, after so many tries, as a dead
    /// letter that can be tried again for the match and the map.
    pub fn keep_post(
        &self,
        format: &str,
        (match_id, map): (&str, &str),
        problem: &Problem,
        attempts: u32,
        body: &Bytes,
    ) {
        let Some((name, reader)) = self.app.sources.get_key_value(format) else { return };
        let (place, headers) = (Place::Map(match_id, map), &HeaderMap::new());
        let post = Arrived { place, headers, body, received: Instant::now() };
        let (reason, detail) = (problem.code.as_str(), &*problem.detail);
        source::keep(&self.app, (name, &**reader), post, reason, detail, attempts);
    }

    /// Keeps what else could not be taken, after so many tries, as a dead letter of its source.
    pub fn keep(&self, source: &str, problem: &Problem, attempts: u32, body: &[u8]) {
        let origin = Origin { source: source.into(), ..Origin::default() };
        let letter = Letter::new(UPSTREAM, problem.code.as_str(), &*problem.detail, origin, body);
        self.app.letters.keep(Letter { attempts, ..letter });
    }
}

impl std::ops::AddAssign for Taken {
    fn add_assign(&mut self, other: Self) {
        self.appended += other.appended;
        self.duplicate += other.duplicate;
        self.unknown += other.unknown;
        self.rejected += other.rejected;
    }
}

impl Problem {
    /// Whether it may pass by itself, so that the same is worth trying again for as long as it
    /// lasts: the server is busy or its storage is full.
    pub fn is_passing(&self) -> bool {
        let status = self.code.status();
        matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
    }
}
