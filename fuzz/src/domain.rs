//! The envelope and the folds.

use std::sync::{Arc, Mutex};

use matchwire_domain::{
    calibration::{Moment, score},
    chain::Digest,
    envelope::{Attributes, Event, Recorded},
    live_match::{Games, Play, Prediction, Predictor, Unavailable},
    subject::Subject,
    timeline::{Fold, Pushed},
    timestamp::Timestamp,
    vocabulary,
};

/// An event that is admitted can be read back, and is then admitted to the same bytes.
pub fn envelope(input: &[u8]) -> bool {
    let Some(event) = std::str::from_utf8(input).ok().and_then(admit) else { return false };
    let stored = std::str::from_utf8(&event.stored).expect("what is stored is text");
    let again = admit(stored).expect("what was admitted once is admitted again");
    assert_eq!(stored.as_bytes(), &*again.stored, "the stored form is a fixed point");
    let delivered = record(1, &event).to_json();
    let value: serde_json::Value = serde_json::from_str(&delivered).expect("events go out as JSON");
    assert_eq!(value["seq"], 1);
    true
}

/// A stream, one event a line, folds one by one to what it folds to as a whole.
pub fn fold(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let subject = Subject::match_map("m1", 1).expect("a good subject");
    let events = text.lines().take(200).filter_map(admit);
    let records: Vec<Recorded> = (1..)
        .zip(events.filter(|event| event.subject == subject))
        .map(|(seq, event)| record(seq, &event))
        .collect();
    let games = Games::default();
    let mut fold = Fold::new(&games, &subject);
    for (index, next) in records.iter().enumerate() {
        if fold.push(next) == Pushed::Refold {
            fold = Fold::of(&games, &subject, &records[..=index]);
        }
    }
    let whole = Fold::of(&games, &subject, &records);
    let json = |fold: &Fold| fold.play.to_json();
    assert_eq!(json(&fold), json(&whole), "one by one and as a whole are the same");
    assert_eq!(fold.predictions, whole.predictions);
    scores(&games, &subject, &records);
    !records.is_empty()
}

/// Notes what is predicted.
#[derive(Debug, Default)]
struct Recorder(Mutex<Vec<Moment>>);

impl Predictor for Recorder {
    fn predict(&self, play: &dyn Play, model: &str) -> Result<Option<Prediction>, Unavailable> {
        let made = play.predict(model);
        let moments = made.iter().map(|served| Moment {
            open: play.open(),
            served: served.clone(),
            shadows: vec![served.clone()],
        });
        self.0.lock().expect("nobody else has it").extend(moments);
        Ok(made)
    }
}

/// No prediction counts more than once, nor otherwise in the shadow; and what is added can be taken away.
fn scores(games: &Games, subject: &Subject, records: &[Recorded]) {
    let recorder = Arc::new(Recorder::default());
    let whole = Fold::of(&games.clone().with_predictor(recorder.clone()), subject, records);
    let moments = recorder.0.lock().expect("nobody else has it");
    let scores = score(&*whole.play, &moments);
    for (key, tally) in &scores {
        assert!(tally.outcomes <= tally.predictions);
        assert!(tally.predictions <= moments.len() as u64);
        let other = scores.iter().find(|(other, _)| {
            (other.model, other.target) == (key.model, key.target) && other.shadow != key.shadow
        });
        assert_eq!(
            other.map(|(_, tally)| tally),
            Some(tally),
            "a model is as good in its own shadow"
        );
        let mut rest = tally.clone();
        rest += tally;
        rest -= tally;
        assert_eq!(&rest, tally);
    }
}

pub(crate) fn admit(json: &str) -> Option<Event> {
    let attributes = Attributes::parse(json).ok()?;
    vocabulary::admit(&Games::default(), &attributes, &mut str::to_owned, &|_, name| name.clone())
        .ok()
}

pub(crate) fn record(seq: u64, event: &Event) -> Recorded {
    let leaf = Digest::leaf(&event.stored);
    let recorded = Timestamp::from_ms(1_700_000_000_000);
    Recorded { seq, recorded, leaf, chain: leaf, stored: event.stored.clone() }
}
