//! The order of play, which is the order of the log but for what arrived late or was corrected.
//!
//! An event may carry a `sequence`, its place among the events of its source. One whose sequence
//! is lower than that of an earlier event of its source is late: it is folded before the first
//! event of that source with a higher sequence, and the fold goes back to there. A correction names
//! an earlier event by its `seq`: that one is folded as it is now told to have been, or not at all.

mod arbiter;
mod chronicle;
mod correction;
mod fact;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
};

use crate::{
    envelope::Recorded,
    live_match::{Games, Play, Prediction, Rules, Unavailable},
    subject::{Kind, Subject},
    timestamp::Timestamp,
};

#[cfg(test)]
pub(crate) use chronicle::recorded;
pub use chronicle::{Chronicle, Entity, Notes};

use self::{arbiter::Arbiter, correction::Corrections, fact::Fact};

/// What the stream of a match or of a map folds to.
pub struct Fold {
    games: Games,
    /// The state.
    pub play: Box<dyn Play>,
    /// Whether an event has told which game it is.
    is_decided: bool,
    /// One prediction for each significant event, oldest first; of those whose model could not be asked
    /// there is none.
    pub predictions: Vec<Prediction>,
    /// Whether there was such an event.
    has_gaps: bool,
    arbiter: Arbiter,
    /// The highest sequence of each source that gives one.
    sequences: BTreeMap<Box<str>, Box<str>>,
}

/// Whether an event could be folded at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It was; with a new prediction or without.
    Applied {
        /// Whether [`Fold::predictions`] grew.
        predicted: bool,
    },
    /// It changes what was folded before it: the stream must be folded again, with [`Fold::of`].
    Refold,
}

impl Fold {
    /// Before the first event.
    pub fn new(games: &Games, subject: &Subject) -> Self {
        let (play, is_decided) = match subject.kind() {
            Kind::MatchMap(id, map) => (games.begin(id, map), false),
            Kind::Match(id) => (games.begin_series(id), true),
            _ => (games.begin(subject.as_str(), 0), false),
        };
        Self {
            play,
            games: games.clone(),
            is_decided,
            predictions: Vec::new(),
            has_gaps: false,
            arbiter: Arbiter::default(),
            sequences: BTreeMap::new(),
        }
    }

    /// The fold of a stream from its first event on, late ones in their places, corrected ones as
    /// they should have been.
    pub fn of<'a>(
        games: &Games,
        subject: &Subject,
        records: impl IntoIterator<Item = &'a Recorded>,
    ) -> Self {
        let facts: Vec<Fact> = records.into_iter().map(Fact::read).collect();
        let head = facts.iter().map(|fact| fact.seq).max().unwrap_or(0);
        let corrections = Corrections::of(&facts);
        let mut fold = Self::new(games, subject);
        let correct = |fact: Fact| {
            fold.note(&fact);
            corrections.correct(fact)
        };
        let facts: Vec<Fact> = in_order(facts).into_iter().filter_map(correct).collect();
        fold.arbiter = Arbiter::of(&facts);
        for fact in &facts {
            fold.apply(fact);
        }
        fold.play.course_mut().seq = head;
        fold
    }

    /// Folds the next event of the stream, unless it changes what was folded before it.
    pub fn push(&mut self, record: &Recorded) -> Pushed {
        let fact = Fact::read(record);
        if self.is_late(&fact) || fact.is_correction() || self.arbiter.is_disturbed_by(&fact) {
            return Pushed::Refold;
        }
        self.note(&fact);
        Pushed::Applied { predicted: self.apply(&fact) }
    }

    /// The state as the type that its game gave it; `None` if it is another game.
    pub fn state<S: Rules>(&self) -> Option<&S> {
        self.play.as_any().downcast_ref()
    }

    /// The last event in it, 0 before the first.
    pub fn seq(&self) -> u64 {
        self.play.course().seq
    }

    /// Whether a model could not be asked about an event that is in it. Folded again when it can, the
    /// predictions are those that would have been made then.
    pub fn has_gaps(&self) -> bool {
        self.has_gaps
    }

    /// After the stream was folded again, and models could not be asked: the last prediction is the
    /// one that there was before, as far as it is newer.
    pub fn keep_latest(&mut self, before: &Self) {
        let (Some(had), true) = (&before.play.course().prediction, self.has_gaps) else { return };
        let latest = &mut self.play.course_mut().prediction;
        if latest.as_ref().is_none_or(|own| own.prediction.seq < had.prediction.seq) {
            let mut had = had.clone();
            had.stale = true;
            *latest = Some(had);
        }
    }

    fn is_late(&self, fact: &Fact) -> bool {
        let highest = self.sequences.get(&fact.source);
        matches!((&fact.sequence, highest), (Some(own), Some(highest)) if own < highest)
    }

    fn note(&mut self, fact: &Fact) {
        if let Some(sequence) = &fact.sequence {
            let highest = self.sequences.entry(fact.source.clone()).or_default();
            if *highest < *sequence {
                highest.clone_from(sequence);
            }
        }
    }

    fn apply(&mut self, fact: &Fact) -> bool {
        self.play.course_mut().seq = fact.seq;
        for (kind, detail) in &fact.anomalies {
            self.play.course_mut().note_anomaly(kind, detail.clone());
        }
        let Some((tag, data)) = &fact.told else { return false };
        self.decide(tag);
        let significant = if self.is_believed(fact, tag, data) {
            self.fold(tag, data, fact.time)
        } else {
            let arbiter = &self.arbiter;
            let lacking = |aspect: &str| arbiter.lacks(fact, aspect);
            self.play.fill(tag, data, fact.time, &lacking)
        };
        if self.arbiter.is_judge_of(fact) {
            self.arbiter.note_told(fact, self.play.aspects(tag, data));
        }
        if !significant {
            return false;
        }
        self.predict(fact.recorded)
    }

    /// Predicts from the state as it is; answers whether there is a new prediction.
    fn predict(&mut self, recorded: Timestamp) -> bool {
        let model = self.games.model_at(&self.play.course().game, recorded);
        match self.games.predict(&*self.play, model) {
            Ok(Some(prediction)) => {
                self.predictions.push(prediction.clone());
                self.play.course_mut().prediction = Some(prediction.into());
                true
            }
            Ok(None) => false,
            Err(Unavailable) => {
                self.has_gaps = true;
                if let Some(latest) = &mut self.play.course_mut().prediction {
                    latest.stale = true;
                }
                false
            }
        }
    }

    /// Folds what is believed; answers whether it moved the odds.
    fn fold(&mut self, tag: &str, data: &str, time: Timestamp) -> bool {
        match self.play.fold(tag, data, time) {
            Some(Ok(significant)) => significant,
            Some(Err(error)) => {
                self.play.course_mut().note_anomaly("unreadable", error.to_string());
                false
            }
            None => {
                self.note_stranger(tag);
                false
            }
        }
    }

    /// Whether the event's source is believed about it; disagreements are noted.
    fn is_believed(&mut self, fact: &Fact, tag: &str, data: &str) -> bool {
        if !self.arbiter.is_judge_of(fact) {
            return true;
        }
        let judgement = self.arbiter.judge(fact, self.play.claim(tag, data));
        let believed = self.arbiter.believed_source(fact.time).map(ToOwned::to_owned);
        let course = self.play.course_mut();
        course.source = believed;
        for disagreement in judgement.disagreements {
            course.note_anomaly("disagreement", disagreement);
        }
        judgement.is_folded
    }

    /// The first event that only one game has tells which game it is.
    fn decide(&mut self, tag: &str) {
        if self.is_decided {
            return;
        }
        let Some(game) = self.games.of_tag(tag) else { return };
        self.is_decided = true;
        if self.play.course().game != game.name() {
            self.play = game.begin(self.play.course().clone());
        }
    }

    /// An event of another game than the one that is played.
    fn note_stranger(&mut self, tag: &str) {
        if let Some(game) = self.games.of_tag(tag) {
            let ours = self.play.course().game.clone();
            let detail = format!("{tag} is of {}, and this is a map of {ours}", game.name());
            self.play.course_mut().note_anomaly("wrong_game", detail);
        }
    }
}

/// Puts every late fact before the first one of its source with a higher sequence.
fn in_order(facts: Vec<Fact>) -> Vec<Fact> {
    // Of each source those that were not late, by sequence, with their places.
    let mut straight: BTreeMap<Box<str>, BTreeMap<Box<str>, usize>> = BTreeMap::new();
    let mut placed: Vec<(usize, Option<Box<str>>, Fact)> = Vec::with_capacity(facts.len());
    for (place, fact) in facts.into_iter().enumerate() {
        let Some(sequence) = fact.sequence.clone() else {
            placed.push((place, None, fact));
            continue;
        };
        let source = straight.entry(fact.source.clone()).or_default();
        let higher = (Excluded(&*sequence), Unbounded);
        let next = source.range::<str, _>(higher).next().map(|(_, place)| *place);
        // Before the place of the next, and among others that are late there, by sequence.
        if let Some(next) = next {
            placed.push((next, Some(sequence), fact));
        } else {
            source.entry(sequence).or_insert(place);
            placed.push((place, None, fact));
        }
    }
    placed.sort_by(|(a, late_a, _), (b, late_b, _)| {
        a.cmp(b).then(late_a.is_none().cmp(&late_b.is_none())).then_with(|| late_a.cmp(late_b))
    });
    placed.into_iter().map(|(_, _, fact)| fact).collect()
}
