//! Which matches belong to which tournament, as a view of the log: those whose schedule names it.
//!
//! It is kept in memory, some hundred bytes for each match that is of a tournament, and made anew by
//! each process once somebody asks: it goes through the matches' own streams, and follows them from
//! then on. A match that a tournament has once named stays one of it, whatever is told later.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use matchwire_domain::{
    series,
    subject::{Kind, Pattern},
};
use parking_lot::RwLock;
use tokio::{sync::watch, task, time};

use crate::{
    Entry, Error, Log, View,
    sweep::{Mark, Scope, Sweep, Swept},
};

/// How many matches of tournaments are kept.
pub const MAX_MATCHES: usize = 2_000_000;
/// How many events are read at once.
const PAGE_EVENTS: usize = 1_000;
/// How long a stream that cannot be read is left alone.
const AGAIN: Duration = Duration::from_secs(1);

/// The view. Clones share it.
#[derive(Clone)]
pub struct Tournaments(Arc<Shared>);

struct Shared {
    log: Log,
    named: RwLock<Named>,
    /// Up to which group the log was seen.
    seen: watch::Sender<u64>,
    /// Whether somebody has asked.
    is_asked: watch::Sender<bool>,
}

/// The matches of each tournament, with the `seq` of the event that names it.
#[derive(Default)]
struct Named {
    tournaments: HashMap<Box<str>, BTreeMap<Box<str>, u64>>,
    matches: usize,
}

impl Tournaments {
    /// Those of a log. Nothing is done before [`run`](Self::run).
    pub fn new(log: &Log) -> Self {
        let (seen, is_asked) = (watch::Sender::new(0), watch::Sender::new(false));
        Self(Arc::new(Shared { log: log.clone(), named: RwLock::default(), seen, is_asked }))
    }

    /// Asks for the view, which is there from then on.
    pub fn ask(&self) {
        self.0.is_asked.send_replace(true);
    }

    /// Whether there are more matches of tournaments than are kept.
    pub fn is_full(&self) -> bool {
        self.0.named.read().matches >= MAX_MATCHES
    }

    /// Follows the log once somebody has asked, for as long as it is polled.
    pub async fn run(&self) {
        let mut asked = self.0.is_asked.subscribe();
        if asked.wait_for(|is_asked| *is_asked).await.is_err() {
            return;
        }
        let Ok(own) = "match/*".parse::<Pattern>() else { return };
        let log = View::from(self.0.log.clone());
        let mut sweep = Sweep::new(log, Scope::pattern(own), Mark::at(0));
        let mut growth = sweep.growth();
        loop {
            let view = self.clone();
            let read = task::spawn_blocking(move || {
                let result = view.catch_up(&mut sweep);
                (sweep, result)
            });
            let Ok((read_on, result)) = read.await else { return };
            sweep = read_on;
            match result {
                Ok(()) => {
                    if !growth.more().await {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the matches of tournaments cannot be read");
                    time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Reads all that there is.
    #[cfg(test)]
    pub(crate) fn catch_up_now(&self) {
        if let Ok(own) = "match/*".parse::<Pattern>() {
            let log = View::from(self.0.log.clone());
            self.catch_up(&mut Sweep::new(log, Scope::pattern(own), Mark::at(0))).unwrap();
        }
    }

    /// Reads what there is. A stream that is damaged is left alone; what names a match in it is missing.
    fn catch_up(&self, sweep: &mut Sweep) -> Result<(), Error> {
        loop {
            match sweep.next(PAGE_EVENTS) {
                Ok(Some(swept)) => self.note(&swept),
                Ok(None) => break,
                Err(error) if error.is_partial() => {
                    let Some(subject) = sweep.pass() else { return Err(error) };
                    tracing::warn!(%subject, %error, "a match cannot be read for its tournament");
                }
                Err(error) => return Err(error),
            }
            self.0.seen.send_if_modified(|seen| {
                let is_new = *seen < sweep.mark().from;
                *seen = sweep.mark().from.max(*seen);
                is_new
            });
        }
        self.0.seen.send_replace(sweep.mark().from);
        Ok(())
    }

    fn note(&self, swept: &Swept) {
        let Kind::Match(id) = swept.subject.kind() else { return };
        for Entry { recorded, .. } in &swept.entries {
            let Some(tournament) = series::tournament_named(&recorded.stored) else { continue };
            let mut named = self.0.named.write();
            if named.matches >= MAX_MATCHES {
                return;
            }
            let matches = named.tournaments.entry(tournament.into()).or_default();
            if !matches.contains_key(id) {
                matches.insert(id.into(), recorded.seq);
                named.matches += 1;
            }
        }
    }

    /// Up to which group the log was seen.
    pub(crate) fn seen(&self) -> u64 {
        *self.0.seen.borrow()
    }

    /// Is told when more of the log was seen.
    pub(crate) fn grown(&self) -> watch::Receiver<u64> {
        self.0.seen.subscribe()
    }

    /// The event of a match by which it belongs to a tournament, if it does.
    pub(crate) fn named_by(&self, tournament: &str, id: &str) -> Option<u64> {
        self.0.named.read().tournaments.get(tournament)?.get(id).copied()
    }

    /// The matches of a tournament, each with the event by which it belongs to it.
    pub(crate) fn matches(&self, tournament: &str) -> Vec<(Box<str>, u64)> {
        let named = self.0.named.read();
        let matches = named.tournaments.get(tournament).into_iter().flatten();
        matches.map(|(id, seq)| (id.clone(), *seq)).collect()
    }
}
