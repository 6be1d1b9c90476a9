//! How good predictions have been, as a view of the log: every map's, and of all together.
//!
//! The view is made anew at each start, in the background and with half of one core at the most, less while events wait: it goes
//! through the maps of the log page by page, folds each, and scores what was predicted on it
//! ([`matchwire_domain::calibration`]). From then on it follows what changes. The scores of a map stand by
//! themselves, so that a correction takes the place of what was counted. So it is with the last
//! [`MAX_HELD`] maps that changed; those of older ones are merged, and stay as they were when they were.
//!
//! Models in the shadow are asked here and nowhere else, about the same moments as the one in force.

mod board;
mod examiner;
mod recorder;
mod scorer;
#[cfg(test)]
mod tests;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use matchwire_domain::{
    calibration::Scores,
    live_match::Games,
    subject::{Kind, Subject},
};
use parking_lot::Mutex;
use tokio::{task, time};

pub use self::board::MAX_HELD;
use self::{
    board::Board,
    scorer::{Scored, Scorer},
};
use crate::{Error, Log, Screen, changes::Changes};

/// How many subjects are looked at in one go.
const PAGE_SUBJECTS: usize = 256;
/// How long the way through the log waits after it failed.
const AGAIN: Duration = Duration::from_secs(10);
/// How long changes are gathered before they are looked at.
const GATHER: Duration = Duration::from_millis(200);
/// While events wait in line for so long, it rests so many times as long.
const BUSY: Duration = Duration::from_millis(10);
const BUSY_RESTS: u32 = 8;
/// How long a model may take. Nobody waits for it, so it is more than where people do.
const LIMIT: Duration = Duration::from_secs(1);

/// The view. Clones share it.
#[derive(Clone)]
pub struct Calibration(Arc<Shared>);

struct Shared {
    log: Log,
    screen: Option<Arc<dyn Screen>>,
    changes: Arc<Changes>,
    board: Mutex<Board>,
    scorer: Mutex<Scorer>,
}

/// The view as it stands.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// What predictions came to, by game, model and what was predicted.
    pub scores: Scores,
    /// Whether every map of the log has been looked at since the start.
    pub is_complete: bool,
    /// Maps that are still to be looked at, the first time or since they changed.
    pub waiting: usize,
    /// Maps that could not be read, or on which a model failed, so that they are not counted or not as a
    /// whole; no more than 10,000 are told.
    pub incomplete: usize,
}

impl Calibration {
    /// Of the maps of a log of these games, with their models in force and in the shadow, but for those that are hidden when they
    /// are looked at: the scores are for everybody. Nothing is done before [`run`](Self::run).
    pub fn new(log: &Log, games: &Games, screen: Option<Arc<dyn Screen>>) -> Self {
        Self(Arc::new(Shared {
            screen,
            changes: log.changes(),
            scorer: Mutex::new(Scorer::new(log.clone(), games.clone(), LIMIT)),
            log: log.clone(),
            board: Mutex::default(),
        }))
    }

    /// The view as it stands.
    pub fn standing(&self) -> Standing {
        let noted = self.0.changes.count();
        let mut standing = self.0.board.lock().standing();
        standing.waiting += noted;
        standing
    }

    /// Goes through the log, and follows it for as long as it is polled.
    pub async fn run(&self) {
        let mut scan = Scan::default();
        loop {
            if scan.is_done && self.0.board.lock().is_idle() {
                self.0.changes.wait().await;
                time::sleep(GATHER).await;
            }
            if !scan.is_done && self.0.board.lock().has_no_old() {
                self.scan(&mut scan).await;
            }
            let next = {
                let mut board = self.0.board.lock();
                let changed = self.0.changes.take();
                if changed.is_any {
                    scan = Scan::default();
                }
                board.add_changed(changed.maps);
                board.next()
            };
            if let Some(subject) = next {
                self.look_at(subject).await;
            }
        }
    }

    /// Looks at a map, and rests for as long as that took, or longer where events wait.
    async fn look_at(&self, subject: Subject) {
        let (shared, begun) = (self.0.clone(), Instant::now());
        let looked = task::spawn_blocking(move || {
            let scored = shared.score(&subject);
            let mut board = shared.board.lock();
            match scored {
                Ok(Scored { scores, has_gaps }) => {
                    board.mark(&subject, has_gaps);
                    if let Some(scores) = scores {
                        board.put(subject, scores);
                    }
                }
                Err(error) => {
                    tracing::debug!(%subject, %error, "a map is not scored");
                    board.mark(&subject, true);
                }
            }
        });
        // Whatever came of it, others come next.
        let _ = looked.await;
        self.0.board.lock().looked_at();
        let is_busy = self.0.log.backlog().oldest > BUSY;
        time::sleep(begun.elapsed() * if is_busy { BUSY_RESTS } else { 1 }).await;
    }

    /// Takes the next page of subjects.
    async fn scan(&self, scan: &mut Scan) {
        let (shared, after) = (self.0.clone(), scan.after.clone());
        let page = task::spawn_blocking(move || {
            shared.log.subjects("match/", after.as_deref(), PAGE_SUBJECTS)
        });
        let page = page.await.unwrap_or(Err(Error::Stopped));
        match page {
            Ok(page) => {
                scan.after = page.last().map(|subject| subject.as_str().to_owned());
                scan.is_done = page.is_empty();
                let maps = page.into_iter().filter(|s| matches!(s.kind(), Kind::MatchMap(..)));
                let mut board = self.0.board.lock();
                board.add_old(maps);
                board.is_complete = scan.is_done;
            }
            Err(error) => {
                tracing::warn!(%error, "the maps of the log cannot be listed for calibration");
                time::sleep(AGAIN).await;
            }
        }
    }
}

impl Shared {
    fn score(&self, map: &Subject) -> Result<Scored, Error> {
        let is_hidden = self.screen.as_ref().map_or(Ok(false), |it| it.hides(&self.log, map))?;
        if is_hidden {
            return Ok(Scored { scores: Some(Scores::default()), has_gaps: false });
        }
        self.scorer.lock().score(map)
    }
}

/// How far the way through the log has come.
#[derive(Default)]
struct Scan {
    after: Option<String>,
    is_done: bool,
}
