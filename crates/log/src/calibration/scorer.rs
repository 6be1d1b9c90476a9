//! Folds maps and scores them. The folds of maps that are being played are kept, and go on where they are.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use matchwire_domain::{
    calibration::{self, Scores},
    live_match::{Games, Status},
    subject::Subject,
    timeline::{Fold, Pushed},
};

use super::{examiner::Examiner, recorder::Recorder};
use crate::{Error, Log};

/// How many folds are kept.
const MAX_FOLDS: usize = 128;
/// How many events are read at once.
const PAGE_EVENTS: usize = 1_000;

pub(super) struct Scorer {
    log: Log,
    games: Games,
    examiner: Arc<Examiner>,
    folds: BTreeMap<Subject, Followed>,
    uses: u64,
}

/// A fold, and what was predicted in it.
struct Followed {
    fold: Fold,
    recorder: Arc<Recorder>,
    used: u64,
}

/// What a map comes to.
#[derive(Debug)]
pub(super) struct Scored {
    /// `None` if that is what it came to before.
    pub(super) scores: Option<Scores>,
    /// Whether a model could not be asked about all of it.
    pub(super) has_gaps: bool,
}

impl Scorer {
    pub(super) fn new(log: Log, games: Games, limit: Duration) -> Self {
        let examiner = Arc::new(Examiner::new(limit));
        Self { log, games, examiner, folds: BTreeMap::new(), uses: 0 }
    }

    /// What a map comes to, as of the log's head.
    pub(super) fn score(&mut self, subject: &Subject) -> Result<Scored, Error> {
        let mut followed = match self.folds.remove(subject) {
            Some(followed) => followed,
            None => self.begin(subject),
        };
        self.catch_up(subject, &mut followed)?;
        let scored = {
            let mut noted = followed.recorder.noted();
            let is_news = std::mem::take(&mut noted.is_news);
            let scores = is_news.then(|| calibration::score(&*followed.fold.play, &noted.moments));
            Scored { scores, has_gaps: noted.has_gaps() }
        };
        // What has ended changes no more, or rarely.
        if followed.fold.play.course().status != Status::Ended {
            self.keep(subject.clone(), followed);
        }
        Ok(scored)
    }

    fn begin(&self, subject: &Subject) -> Followed {
        let (games, recorder) = self.recorded();
        let used = 0;
        Followed { fold: Fold::new(&games, subject), recorder, used }
    }

    /// Games whose models are asked by a new recorder.
    fn recorded(&self) -> (Games, Arc<Recorder>) {
        let recorder = Recorder::new(self.examiner.clone(), self.games.clone());
        (self.games.clone().with_predictor(recorder.clone()), recorder)
    }

    /// Folds what the log has more.
    fn catch_up(&self, subject: &Subject, followed: &mut Followed) -> Result<(), Error> {
        loop {
            let page = self.log.read(subject, followed.fold.seq(), PAGE_EVENTS)?;
            let Some(last) = page.last() else { return Ok(()) };
            let mut records = page.iter().map(|entry| &entry.recorded);
            if records.any(|record| followed.fold.push(record) == Pushed::Refold) {
                self.refold(subject, last.recorded.seq, followed)?;
            }
        }
    }

    /// Folds a stream from its first event on, up to a seq.
    fn refold(&self, subject: &Subject, last: u64, followed: &mut Followed) -> Result<(), Error> {
        let mut entries = Vec::new();
        loop {
            let after = entries.last().map_or(0, |entry: &crate::Entry| entry.recorded.seq);
            let mut page = self.log.read(subject, after, PAGE_EVENTS)?;
            page.retain(|entry| entry.recorded.seq <= last);
            if page.is_empty() {
                break;
            }
            entries.extend(page);
        }
        let (games, recorder) = self.recorded();
        let records = entries.iter().map(|entry| &entry.recorded);
        followed.fold = Fold::of(&games, subject, records);
        recorder.noted().is_news = true;
        followed.recorder = recorder;
        Ok(())
    }

    fn keep(&mut self, subject: Subject, mut followed: Followed) {
        self.uses += 1;
        followed.used = self.uses;
        self.folds.insert(subject, followed);
        if self.folds.len() > MAX_FOLDS {
            let oldest = self.folds.iter().min_by_key(|(_, followed)| followed.used);
            let oldest = oldest.map(|(subject, _)| subject.clone());
            oldest.map(|subject| self.folds.remove(&subject));
        }
    }
}
