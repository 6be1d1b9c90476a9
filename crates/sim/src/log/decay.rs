//! Bits flip at rest. From then on every answer is right, or an error that tells of damage; and
//! once the bits are back, everything is as it was.
//!
//! The last group of the log is spared: damaged, it cannot be told from one that was never finished.

use std::ops::Range;

use matchwire_embedded::disk::Disk as _;
use rand::Rng;

use super::life::{Held, Life};

/// Ranges of files.
type Places = Vec<(String, Range<usize>)>;

impl Life<'_> {
    pub(super) fn decay(&mut self) -> Held {
        self.settle_down()?;
        let Some(places) = self.places()? else { return Ok(()) };
        let flips = self.random.random_range(1..=2);
        for _ in 0..flips {
            let Some(flip) = self.disk.flip_within(&places) else { return Ok(()) };
            self.trace.line(|| format!("{flip:?}"));
            self.flipped += 1;
        }
        self.audit()?;
        for _ in 0..3 {
            if let Some(again) = self.supply.again(&mut self.random) {
                self.call(vec![again], false)?;
                self.step()?;
            }
            self.maintain()?;
        }
        self.process = None;
        if self.random.random() && self.open()? {
            self.audit()?;
        }
        self.process = None;
        self.disk.heal();
        self.flipped = 0;
        self.trace.line(|| "healed".into());
        self.rise()
    }

    /// Where bits may flip: bytes that are durable, and are not of the last group; nothing if the
    /// log would not take another group.
    fn places(&mut self) -> Result<Option<Places>, String> {
        let names = self.disk.list().unwrap_or_default();
        let before = names.into_iter().map(|name| (self.disk.content(&name), name));
        let before: Vec<(Vec<u8>, String)> = before.collect();
        let total = self.model.total();
        let stream = self.scenario.stream(&mut self.random);
        let fact = self.supply.unknown(stream, &self.scenario);
        let facts = fact.into_iter().collect();
        self.call(vec![super::supply::Tried { stream, facts, expected_seq: None }], false)?;
        self.step()?;
        if self.model.total() == total || self.must_end() {
            return Ok(None);
        }
        let place = |(before, name): (Vec<u8>, String)| {
            let now = self.disk.content(&name);
            let same = before.iter().zip(&now).take_while(|(before, now)| before == now).count();
            let content = now.get(..same).unwrap_or_default();
            let end = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            (name, 0..end)
        };
        Ok(Some(before.into_iter().map(place).collect()))
    }
}
