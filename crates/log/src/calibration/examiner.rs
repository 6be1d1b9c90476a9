//! Asks models where nobody waits for the answer, and gives up on one that fails on every map.
//!
//! A model that fails on one map must not keep the scores of other maps from being complete, so there is
//! no breaker here as where people wait.

use std::{collections::BTreeMap, time::Duration};

use matchwire_domain::live_match::{Play, Prediction, Unavailable};
use parking_lot::Mutex;

use crate::live::ask;

/// On so many maps in a row a model may fail before it is not asked any more.
const MAX_IN_A_ROW: u32 = 10;

/// On how many maps in a row models have failed, by game and model.
type Failed = BTreeMap<(Box<str>, Box<str>), u32>;

/// Asks models.
#[derive(Debug)]
pub(super) struct Examiner {
    limit: Duration,
    failed: Mutex<Failed>,
}

impl Examiner {
    /// A prediction that takes longer than the limit has failed.
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, failed: Mutex::default() }
    }

    /// Asks a model about a map; `is_first` if for the first time.
    pub(super) fn ask(
        &self,
        play: &dyn Play,
        model: &str,
        is_first: bool,
    ) -> Result<Option<Prediction>, Unavailable> {
        let game = &*play.course().game;
        let key = || (Box::from(game), Box::from(model));
        if is_first && self.failed.lock().get(&key()).is_some_and(|failed| *failed >= MAX_IN_A_ROW)
        {
            return Err(Unavailable);
        }
        match ask(play, model, self.limit) {
            Ok(answer) => {
                if is_first {
                    self.failed.lock().remove(&key());
                }
                Ok(answer)
            }
            Err((failure, took)) => {
                let mut failed = self.failed.lock();
                let in_a_row = failed.entry(key()).or_default();
                *in_a_row += 1;
                if *in_a_row == 1 || *in_a_row == MAX_IN_A_ROW {
                    let (match_id, map) = (&play.course().match_id, play.course().map);
                    let failure = failure.as_str();
                    let is_given_up = *in_a_row == MAX_IN_A_ROW;
                    tracing::warn!(
                        game,
                        model,
                        match_id,
                        map,
                        failure,
                        ?took,
                        is_given_up,
                        "the model failed while it was scored"
                    );
                }
                Err(Unavailable)
            }
        }
    }
}
