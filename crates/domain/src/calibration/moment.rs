//! What was predicted at an event, and its comparison with what came of it.

use std::collections::BTreeMap;

use super::{Key, Scores, Tally};
use crate::live_match::{Open, Outcome, Play, Prediction, Target};

/// What was predicted at an event.
#[derive(Debug, Clone)]
pub struct Moment {
    /// What was still open then.
    pub open: Open,
    /// What was told.
    pub served: Prediction,
    /// What other models said, of which nobody was told.
    pub shadows: Vec<Prediction>,
}

/// Scores the predictions of a map, in the order of play, against where it stands now.
///
/// Every prediction counts once, for the round if that was open and counts, and for the map if that was
/// open and has an outcome. What was predicted in play that became void is left out.
pub fn score(play: &dyn Play, moments: &[Moment]) -> Scores {
    let mut scores = Scores::new();
    // Moments of a round come one after the other.
    let mut last_rounds = BTreeMap::new();
    let result = play.result();
    for moment in counted(moments) {
        let round = moment.served.round_no.filter(|_| moment.open.round);
        let round = round.and_then(|no| Some((no, Outcome::Won(play.round_winner(no)?))));
        if let Some((no, outcome)) = round {
            add(&mut scores, play, moment, (Target::Round, outcome), |key, _| {
                last_rounds.insert(key.clone(), no) != Some(no)
            });
        }
        if let Some(outcome) = result.filter(|_| moment.open.map) {
            add(&mut scores, play, moment, (play.whole(), outcome), |_, tally| tally.is_empty());
        }
    }
    for tally in scores.values_mut() {
        tally.maps = 1;
    }
    scores
}

/// The moments of play that counts.
fn counted(moments: &[Moment]) -> Vec<&Moment> {
    let mut counted: Vec<&Moment> = Vec::with_capacity(moments.len());
    for moment in moments {
        let before = counted.last().map(|last| last.open.voided);
        if before.is_some_and(|before| before != moment.open.voided) {
            // It goes on from this round, whatever was played of it and after it.
            counted.retain(|other| other.served.round_no < moment.served.round_no);
        }
        counted.push(moment);
    }
    counted
}

/// Adds what was predicted at a moment, openly and in the shadow. `is_first` tells whether it is the first
/// about its round or map.
fn add(
    scores: &mut Scores,
    play: &dyn Play,
    moment: &Moment,
    (target, outcome): (Target, Outcome),
    mut is_first: impl FnMut(&Key, &Tally) -> bool,
) {
    let shadows = moment.shadows.iter().map(|shadow| (shadow, true));
    for (prediction, shadow) in [(&moment.served, false)].into_iter().chain(shadows) {
        let odds = match target {
            Target::Round => prediction.round.map(|teams| (teams, None)),
            Target::Map | Target::Result => Some((prediction.map, prediction.draw)),
        };
        let Some((teams, draw)) = odds else { continue };
        // Where a draw was thought impossible or is no outcome, it tells nothing of the teams' odds.
        if outcome == Outcome::Draw && (draw.is_none() || target != Target::Result) {
            continue;
        }
        let game = play.course().game.clone();
        let key = Key { game, model: prediction.model, target, shadow };
        let tally = scores.entry(key.clone()).or_default();
        tally.outcomes += u64::from(is_first(&key, tally));
        match target {
            Target::Result => tally.add_result(teams, draw, outcome),
            Target::Round | Target::Map => tally.add_winner(teams, outcome),
        }
    }
}
