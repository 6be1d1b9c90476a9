//! Which server plays which match, so that a server's URL need not carry the match.
//!
//! A match names its server in `match.scheduled` or `server.assigned`. Which matches do is found out when a
//! server first posts, and kept up to date from then on.

use std::collections::{BTreeMap, BTreeSet};

use matchwire_domain::{live_match::Status, subject::Subject, timestamp::Timestamp};
use matchwire_log::{Clock as _, SystemClock};
use parking_lot::Mutex;

use super::match_id;
use crate::{app::App, problem::Problem, reads};

/// So long before its start a match takes the server over from one that has ended.
const LEAD_MS: i64 = 15 * 60 * 1_000;
/// How many subjects are looked at at once.
const PAGE: usize = 1_000;

#[derive(Default)]
pub(super) struct Fixtures(Mutex<Index>);

#[derive(Default)]
struct Index {
    /// Whether every match of the log was looked at, or is among those to look at.
    is_complete: bool,
    stale: BTreeSet<Subject>,
    /// By the match's stream: its server, and when it is to start.
    assigned: BTreeMap<Subject, (String, Option<Timestamp>)>,
}

impl Fixtures {
    /// Something was told of a match as a whole.
    pub(super) fn appended(&self, subject: &Subject) {
        let mut index = self.0.lock();
        // Before the first look all of them are still to be looked at.
        if index.is_complete {
            index.stale.insert(subject.clone());
        }
    }

    /// The match that a server plays now.
    ///
    /// Of those assigned to it, in the order of their starts, it is the first that has not ended; a match
    /// that nothing was heard of gives way when the next one is due. After the last one's end the
    /// server stays with it until another one is due.
    pub(super) async fn match_of(
        &self,
        app: &App,
        server: &str,
    ) -> Result<Option<String>, Problem> {
        self.bring_up_to_date(app).await?;
        let mut assigned: Vec<(Timestamp, Subject)> = {
            let index = self.0.lock();
            let own = index.assigned.iter().filter(|(_, (name, _))| name == server);
            own.map(|(subject, (_, starts))| (starts.unwrap_or_default(), subject.clone()))
                .collect()
        };
        assigned.sort();
        let now = SystemClock.now();
        let is_due = |starts: Timestamp| starts.ms() - LEAD_MS <= now.ms();
        let mut current = None;
        for (place, (starts, subject)) in assigned.iter().enumerate() {
            let next_is_due = assigned.get(place + 1).is_some_and(|(starts, _)| is_due(*starts));
            if current.is_some() && !is_due(*starts) {
                break;
            }
            current = match_id(subject).map(ToOwned::to_owned);
            let status = reads::standing(app, subject).await?.status;
            let gives_way = match status {
                Status::Ended => true,
                Status::Scheduled => next_is_due,
                Status::Live | Status::Paused => false,
            };
            if !gives_way {
                break;
            }
        }
        Ok(current)
    }

    async fn bring_up_to_date(&self, app: &App) -> Result<(), Problem> {
        let is_complete = std::mem::replace(&mut self.0.lock().is_complete, true);
        if !is_complete {
            let log = app.log.clone();
            let found = tokio::task::spawn_blocking(move || all_matches(&log)).await;
            match found.unwrap_or(Err(matchwire_log::Error::Stopped)) {
                Ok(matches) => self.0.lock().stale.extend(matches),
                Err(error) => {
                    self.0.lock().is_complete = false;
                    return Err(error.into());
                }
            }
        }
        loop {
            let Some(subject) = self.0.lock().stale.pop_first() else { return Ok(()) };
            let series = match app.live.series(&subject).await {
                Ok(series) => series,
                // One that cannot be read holds up no other.
                Err(error) if error.is_partial() => continue,
                Err(error) => {
                    self.0.lock().stale.insert(subject);
                    return Err(error.into());
                }
            };
            let mut index = self.0.lock();
            // A match whose start nobody told is due when it was set.
            let starts = series.starts.or(series.course.time);
            match series.server {
                Some(server) => index.assigned.insert(subject, (server, starts)),
                None => index.assigned.remove(&subject),
            };
        }
    }
}

/// The streams of all matches as a whole.
fn all_matches(log: &matchwire_log::Log) -> Result<Vec<Subject>, matchwire_log::Error> {
    let mut matches = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = log.subjects("match/", after.as_deref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(matches) };
        after = Some(last.as_str().to_owned());
        matches.extend(page.into_iter().filter(|subject| match_id(subject).is_some()));
    }
}
