//! Notes what is predicted while a map is folded, openly and in the shadow.

use std::sync::Arc;

use matchwire_domain::{
    calibration::Moment,
    live_match::{Games, Play, Prediction, Predictor, Unavailable},
};
use parking_lot::{Mutex, MutexGuard};

use super::examiner::Examiner;

/// The most moments of a map that are scored; a map has some hundreds.
const MAX_MOMENTS: usize = 100_000;

/// Asks models for one fold, and remembers what they said. A model that fails is not asked again in it.
#[derive(Debug)]
pub(super) struct Recorder {
    examiner: Arc<Examiner>,
    /// Asked for the names of the models in the shadow.
    games: Games,
    noted: Mutex<Noted>,
}

/// What was predicted.
#[derive(Debug, Default)]
pub(super) struct Noted {
    pub(super) moments: Vec<Moment>,
    /// Whether something was decided, or became void, since this was last set to `false`.
    pub(super) is_news: bool,
    /// The models that answered, and those that failed.
    answered: Vec<String>,
    failed: Vec<String>,
}

impl Noted {
    /// Whether a model could not be asked about all of it.
    pub(super) fn has_gaps(&self) -> bool {
        !self.failed.is_empty()
    }
}

impl Recorder {
    pub(super) fn new(examiner: Arc<Examiner>, games: Games) -> Arc<Self> {
        Arc::new(Self { examiner, games, noted: Mutex::default() })
    }

    /// What was noted, to be looked at.
    pub(super) fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock()
    }

    fn ask(
        &self,
        noted: &mut Noted,
        play: &dyn Play,
        model: &str,
    ) -> Result<Option<Prediction>, Unavailable> {
        if noted.failed.iter().any(|failed| failed == model) {
            return Err(Unavailable);
        }
        let is_first = !noted.answered.iter().any(|answered| answered == model);
        let asked = self.examiner.ask(play, model, is_first);
        match &asked {
            Ok(_) if is_first => noted.answered.push(model.to_owned()),
            Ok(_) => {}
            Err(Unavailable) => noted.failed.push(model.to_owned()),
        }
        asked
    }
}

impl Predictor for Recorder {
    fn predict(&self, play: &dyn Play, model: &str) -> Result<Option<Prediction>, Unavailable> {
        let mut noted = self.noted.lock();
        let served = self.ask(&mut noted, play, model)?;
        let Some(served) = served else {
            noted.is_news = true;
            return Ok(None);
        };
        let mut shadows = Vec::new();
        // Of the model that predicts openly nothing is to be compared.
        for shadow in self.games.shadows(&play.course().game).filter(|shadow| *shadow != model) {
            shadows.extend(self.ask(&mut noted, play, shadow).ok().flatten());
        }
        let open = play.open();
        let before = noted.moments.last().map(|last| last.open.voided);
        noted.is_news |= !open.map
            || (served.round.is_some() && !open.round)
            || before.is_some_and(|before| before != open.voided);
        if noted.moments.len() < MAX_MOMENTS {
            noted.moments.push(Moment { open, served: served.clone(), shadows });
        }
        Ok(Some(served))
    }
}
