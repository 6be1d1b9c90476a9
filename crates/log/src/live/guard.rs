//! Asks models for predictions, and leaves one alone for a while that fails or takes too long.
//!
//! A model is asked in the middle of a fold, by whoever folds. One that panics, takes longer than the
//! limit or answers what is no probability has failed: its answer is not used, and its [`Breaker`] opens.
//! While that is open the model is not asked, so that events and states go on at their own pace. After a
//! rest one single call tries it: if it answers, all are asked again, and if not, the next rest is twice
//! as long, up to a limit. What a fold makes of it is [`matchwire_domain::timeline`]'s business.

mod breaker;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use matchwire_domain::live_match::{Course, Games, Play, Prediction, Predictor, Unavailable};
use parking_lot::Mutex;

pub use self::breaker::{Breaker, Failure, Failures};

/// How long models may take, and how long they are left alone.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// A prediction that takes longer has failed. It cannot be interrupted, so it takes that time once.
    pub limit: Duration,
    /// How long a model that failed is left alone before it is tried again.
    pub rest: Duration,
    /// The rest doubles with every try that fails, up to this.
    pub longest_rest: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            limit: Duration::from_millis(50),
            rest: Duration::from_secs(1),
            longest_rest: Duration::from_secs(30),
        }
    }
}

/// By game and model.
type Breakers = BTreeMap<(Box<str>, Box<str>), Breaker>;

/// Asks models, with a breaker for each of a game.
#[derive(Debug)]
pub struct Guard {
    patience: Patience,
    breakers: Mutex<Breakers>,
    /// Whether any breaker is not closed; while none is, nobody waits for the lock.
    is_hurt: AtomicBool,
}

impl Guard {
    /// All breakers closed.
    pub fn new(patience: Patience) -> Self {
        Self { patience, breakers: Mutex::default(), is_hurt: AtomicBool::new(false) }
    }

    /// How long models may take.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// The breakers of models that have failed, by game and model; those that are closed again, too.
    pub fn breakers(&self) -> Vec<(String, String, Breaker)> {
        let breakers = self.breakers.lock();
        let told = |((game, model), breaker): (&(Box<str>, Box<str>), &Breaker)| {
            (game.to_string(), model.to_string(), breaker.clone())
        };
        breakers.iter().map(told).collect()
    }

    /// Whether all models of a game are asked.
    pub(crate) fn is_well(&self, game: &str) -> bool {
        !self.is_hurt.load(Ordering::Acquire)
            || self
                .breakers
                .lock()
                .iter()
                .all(|((of, _), breaker)| **of != *game || breaker.is_closed())
    }

    /// A model of a game that has rested and may be tried.
    pub(crate) fn due(&self, game: &str) -> Option<String> {
        if !self.is_hurt.load(Ordering::Acquire) {
            return None;
        }
        let (breakers, now) = (self.breakers.lock(), Instant::now());
        let mut of_game = breakers.iter().filter(|((of, _), _)| **of == *game);
        let due = of_game.find(|(_, breaker)| breaker.is_due(now));
        due.map(|((_, model), _)| model.to_string())
    }

    /// Whether the model may be asked now.
    fn admits(&self, game: &str, model: &str) -> bool {
        if !self.is_hurt.load(Ordering::Acquire) {
            return true;
        }
        let mut breakers = self.breakers.lock();
        let key = (game.into(), model.into());
        breakers.get_mut(&key).is_none_or(|breaker| breaker.admits(Instant::now()))
    }

    fn answered(&self, game: &str, model: &str) {
        if !self.is_hurt.load(Ordering::Acquire) {
            return;
        }
        let mut breakers = self.breakers.lock();
        let breaker = breakers.get_mut(&(game.into(), model.into()));
        if breaker.is_some_and(Breaker::answered) {
            tracing::info!(game, model, "the model is asked for predictions again");
        }
        self.is_hurt
            .store(breakers.values().any(|breaker| !breaker.is_closed()), Ordering::Release);
    }

    fn failed(&self, game: &str, model: &str, failure: Failure, took: Duration) {
        let mut breakers = self.breakers.lock();
        let breaker = breakers.entry((game.into(), model.into())).or_default();
        // The first one is told of, and not those of tries that follow.
        if breaker.failed(failure, Instant::now(), &self.patience) {
            let (failure, limit) = (failure.as_str(), self.patience.limit);
            tracing::error!(
                game,
                model,
                failure,
                ?took,
                ?limit,
                "the model failed and is left alone for a while"
            );
        }
        self.is_hurt.store(true, Ordering::Release);
    }
}

impl Predictor for Guard {
    fn predict(&self, play: &dyn Play, model: &str) -> Result<Option<Prediction>, Unavailable> {
        let game = &*play.course().game;
        if !self.admits(game, model) {
            return Err(Unavailable);
        }
        match ask(play, model, self.patience.limit) {
            Ok(answer) => {
                self.answered(game, model);
                Ok(answer)
            }
            Err((failure, took)) => {
                self.failed(game, model, failure, took);
                Err(Unavailable)
            }
        }
    }
}

/// Asks a model, and looks at what comes of it. A failure comes with how long it took.
pub(crate) fn ask(
    play: &dyn Play,
    model: &str,
    limit: Duration,
) -> Result<Option<Prediction>, (Failure, Duration)> {
    let begun = Instant::now();
    // A state is only read, so that there is nothing that a panic could leave half done.
    let asked = catch_unwind(AssertUnwindSafe(|| play.predict(model)));
    let took = begun.elapsed();
    match asked {
        Err(_) => Err((Failure::Panic, took)),
        Ok(Some(prediction)) if !is_sane(&prediction) => Err((Failure::Invalid, took)),
        Ok(_) if took > limit => Err((Failure::Late, took)),
        Ok(answer) => Ok(answer),
    }
}

/// Has every model of some games ready, so that the first prediction takes no longer than others. What
/// fails here fails again when it is asked for.
pub fn warm_up(games: &Games) {
    for game in games.iter() {
        let play = game.begin(Course::new("warm-up", 1));
        for model in game.models() {
            let _ = catch_unwind(AssertUnwindSafe(|| play.predict(model)));
        }
    }
}

/// Whether what is told are probabilities.
fn is_sane(prediction: &Prediction) -> bool {
    let round = prediction.round.iter().flatten();
    let all = prediction.map.iter().chain(round).chain(&prediction.draw);
    all.into_iter().all(|probability| (0.0..=1.0).contains(probability))
}
