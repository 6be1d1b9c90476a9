//! What counts, and what it comes to.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::{
    chain::Digest,
    envelope::{self, Attributes, Recorded},
    live_match::{Games, Outcome, Play, Prediction, Predictor, Unavailable},
    subject::Subject,
    timeline::Fold,
    timestamp::Timestamp,
};

/// Predicts from a list, one after the other, and notes the moments.
#[derive(Debug)]
struct Scripted {
    odds: Vec<f64>,
    moments: Mutex<Vec<Moment>>,
}

impl Predictor for Scripted {
    fn predict(&self, play: &dyn Play, _: &str) -> Result<Option<Prediction>, Unavailable> {
        let mut moments = self.moments.lock().unwrap();
        let Some(made) = play.predict("mw-gbt-1") else { return Ok(None) };
        let first = self.odds[moments.len() % self.odds.len()];
        let teams = [first, 1.0 - first];
        let draw = made.draw.map(|_| 0.5);
        let map = if draw.is_some() { teams.map(|team| team / 2.0) } else { teams };
        let served = Prediction { round: made.round.map(|_| teams), map, draw, ..made };
        moments.push(Moment { open: play.open(), served: served.clone(), shadows: Vec::new() });
        Ok(Some(served))
    }
}

/// What a story comes to whose predictions have these odds, over and over.
fn scored(odds: &[f64], story: &[&str]) -> Scores {
    let record = |(seq, line): (u64, &&str)| {
        let (kind, data) = line.split_once(' ').unwrap();
        let json = format!(
            r#"{{"specversion":"1.0","id":"{seq}","source":"s","subject":"match/m/1","type":"{kind}","data":{data}}}"#
        );
        let event = envelope::Event::new(&Attributes::parse(&json).unwrap(), data).unwrap();
        let leaf = Digest::leaf(&event.stored);
        Recorded { seq, recorded: Timestamp::from_ms(0), leaf, chain: leaf, stored: event.stored }
    };
    let records: Vec<Recorded> = (1..).zip(story).map(record).collect();
    let scripted = Arc::new(Scripted { odds: odds.to_vec(), moments: Mutex::default() });
    let games = Games::default().with_predictor(scripted.clone());
    let fold = Fold::of(&games, &Subject::match_map("m", 1).unwrap(), &records);
    let moments = scripted.moments.lock().unwrap();
    score(&*fold.play, &moments)
}

fn tally(scores: &Scores, target: Target) -> Tally {
    scores.iter().find(|(key, _)| key.target == target).map(|(_, t)| t.clone()).unwrap_or_default()
}

const BEGIN: &str = "round.started {}";
const CT_WINS: &str = r#"round.ended {"winner":"CT","reason":"elimination"}"#;
const T_WINS: &str = r#"round.ended {"winner":"T","reason":"elimination"}"#;

#[test]
fn a_round_is_scored_by_what_was_predicted_while_it_was_open() {
    // At the start 0.8 for the first team, which is CT and wins; what is told at the end does not count.
    let scores = scored(&[0.8, 0.1], &[BEGIN, CT_WINS]);
    let round = tally(&scores, Target::Round);
    assert_eq!((round.predictions, round.outcomes, round.maps), (1, 1, 1));
    assert!((round.brier().unwrap() - 0.04).abs() < 1e-9);
    assert!((round.log_loss().unwrap() - 0.223_143_551).abs() < 1e-8);
    assert!((round.ece().unwrap() - 0.2).abs() < 1e-9);
    let (side, bins) = round.diagrams().next().unwrap();
    assert_eq!((side, bins[8].count, bins[8].rates()), (Side::First, 1, Some((0.8, 1.0))));
    // The map is open, so nothing is known of it.
    assert!(tally(&scores, Target::Map).is_empty());
    let lost = tally(&scored(&[0.8, 0.1], &[BEGIN, T_WINS]), Target::Round);
    assert!((lost.brier().unwrap() - 0.64).abs() < 1e-9);
    assert_eq!(lost.diagrams().next().unwrap().1[8].rates(), Some((0.8, 0.0)));
}

#[test]
fn a_map_is_scored_by_every_prediction_before_its_end() {
    let end = r#"map.ended {"score":{"ct":1,"t":0}}"#;
    let map = tally(&scored(&[0.8], &[BEGIN, CT_WINS, end]), Target::Map);
    assert_eq!((map.predictions, map.outcomes, map.maps), (2, 1, 1));
    // Nobody wins a draw, and what a referee decides is no play.
    for story in [
        &[BEGIN, CT_WINS, BEGIN, T_WINS, r#"map.ended {"score":{"ct":1,"t":1}}"#][..],
        &[BEGIN, r#"match.forfeited {"team":0}"#],
        &[BEGIN, "match.abandoned {}"],
    ] {
        assert!(tally(&scored(&[0.8], story), Target::Map).is_empty(), "{story:?}");
    }
    let amended = r#"result.amended {"seq":2,"winner":1}"#;
    let map = tally(&scored(&[0.8], &[BEGIN, CT_WINS, end, amended]), Target::Map);
    assert!((map.brier().unwrap() - 0.64).abs() < 1e-9);
}

#[test]
fn play_that_is_void_is_not_scored() {
    // A knife round, then the match.
    let story = [BEGIN, CT_WINS, "match.started {}", BEGIN, T_WINS];
    let round = tally(&scored(&[0.9, 0.9, 0.4, 0.4, 0.9], &story), Target::Round);
    assert_eq!((round.predictions, round.outcomes), (2, 1));
    assert!((round.brier().unwrap() - 0.16).abs() < 1e-9);
    // Nor is what was played when the match was started again in the middle of a round.
    let story = [BEGIN, "match.started {}", BEGIN, T_WINS];
    let round = tally(&scored(&[0.9, 0.4, 0.4, 0.9], &story), Target::Round);
    assert_eq!((round.predictions, round.outcomes), (2, 1));
}

#[test]
fn a_match_with_draws_is_scored_by_all_that_can_come() {
    let start = r#"period.started {"period":"first_half"}"#;
    let scores = scored(&[0.5], &[start, "match.finished {}"]);
    assert!(scores.keys().all(|key| key.target == Target::Result), "{scores:?}");
    let result = tally(&scores, Target::Result);
    assert_eq!((result.predictions, result.outcomes), (1, 1), "{scores:?}");
    // A quarter for each team and half for the draw, which it was.
    assert!((result.brier().unwrap() - (0.0625 * 2.0 + 0.25)).abs() < 1e-9);
    assert!((result.log_loss().unwrap() - std::f64::consts::LN_2).abs() < 1e-8);
    let rates: Vec<_> = result.diagrams().map(|(side, bins)| (side, bins[2], bins[5])).collect();
    assert_eq!(rates[0].1.rates(), Some((0.25, 0.0)));
    assert_eq!(rates[1].2.rates(), Some((0.5, 1.0)));
    assert_eq!((rates[2].0, rates[2].1.rates()), (Side::Second, Some((0.25, 0.0))));
}

#[test]
fn the_surest_mistake_is_worth_a_millionth() {
    let mut tally = Tally::default();
    tally.add_winner([0.0, 1.0], Outcome::Won(0));
    assert!((tally.log_loss().unwrap() - 13.815_510_558).abs() < 1e-8);
    assert_eq!(tally.brier(), Some(1.0));
    assert_eq!((Tally::default().brier(), Tally::default().ece()), (None, None));
}

proptest! {
    #[test]
    fn what_was_added_can_be_taken_away(
        made in prop::collection::vec((0.0..=1.0_f64, 0.0..=1.0_f64, 0..3_usize), 0..40),
        cut in 0..40_usize,
    ) {
        let sum = |made: &[(f64, f64, usize)]| {
            let mut tally = Tally::default();
            for (first, rest, outcome) in made {
                let (draw, second) = ((1.0 - first) * rest, (1.0 - first) * (1.0 - rest));
                let outcome = [Outcome::Won(0), Outcome::Draw, Outcome::Won(1)][*outcome];
                tally.add_result([*first, second], Some(draw), outcome);
            }
            tally
        };
        let (before, after) = made.split_at(cut.min(made.len()));
        let mut all = sum(&made);
        let mut parts = sum(after);
        parts += &sum(before);
        prop_assert_eq!(&all, &parts);
        all -= &sum(before);
        prop_assert_eq!(all.brier(), sum(after).brier());
        prop_assert_eq!(all.ece(), sum(after).ece());
        for figure in [parts.brier(), parts.log_loss(), parts.ece()].into_iter().flatten() {
            prop_assert!((0.0..14.0).contains(&figure));
        }
    }
}
