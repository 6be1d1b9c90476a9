//! Which events are void, and which happened otherwise than they were told.

use std::collections::BTreeMap;

use super::fact::{Correction, Fact};
use crate::player::FORGETS;

/// The corrections of a stream that are in force.
pub(super) struct Corrections {
    /// What the last correction in force says of an event, by the event's seq.
    verdicts: BTreeMap<u64, Correction>,
    /// The last correction in force.
    last: u64,
    /// The events that correct what cannot be corrected, with the reason.
    misplaced: BTreeMap<u64, String>,
}

impl Corrections {
    /// Reads a stream's corrections. A later one takes the place of an earlier one of the same event,
    /// and one that is void itself says nothing: so they are read from the last to the first.
    pub(super) fn of(facts: &[Fact]) -> Self {
        let mut corrections =
            Self { verdicts: BTreeMap::new(), last: 0, misplaced: BTreeMap::new() };
        let seqs: BTreeMap<u64, &Fact> = facts.iter().map(|fact| (fact.seq, fact)).collect();
        for fact in facts.iter().rev() {
            let Some(correction) = fact.correction() else { continue };
            if corrections.verdicts.contains_key(&fact.seq) {
                continue;
            }
            let target = correction.target();
            let why = match (seqs.get(&target), &correction) {
                _ if target >= fact.seq => Some(format!("event {target} is not before it")),
                (None, _) => Some(format!("there is no event {target}")),
                (Some(told), _) if told.is_of(&[FORGETS]) => {
                    Some(format!("event {target} has forgotten somebody, which stands"))
                }
                (_, Correction::Amend(amended)) if amended.kind.as_str() == FORGETS => {
                    Some("nobody is forgotten by a correction".into())
                }
                (Some(told), Correction::Amend(_)) if told.is_correction() => {
                    Some(format!("event {target} is a correction, which can only be voided"))
                }
                _ => None,
            };
            if let Some(why) = why {
                corrections.misplaced.insert(fact.seq, why);
                continue;
            }
            corrections.last = corrections.last.max(fact.seq);
            corrections.verdicts.entry(target).or_insert(correction);
        }
        corrections
    }

    /// A fact as it should have been told; `None` if it did not happen.
    pub(super) fn correct(&self, mut fact: Fact) -> Option<Fact> {
        if let Some(why) = self.misplaced.get(&fact.seq) {
            fact.anomalies.push(("not_correctable", why.clone()));
        }
        if fact.confirms().is_some_and(|seq| self.last > seq.max(fact.seq)) {
            let detail = format!("event {} corrects what was confirmed", self.last);
            fact.anomalies.push(("reopened", detail));
            fact.told = None;
        }
        match self.verdicts.get(&fact.seq) {
            Some(Correction::Void(_)) => None,
            Some(Correction::Amend(amended)) => {
                let data = serde_json::to_string(&amended.data).unwrap_or_default();
                fact.told = Some((amended.kind.as_str().into(), data.into()));
                fact.time = amended.time.unwrap_or(fact.time);
                fact.anomalies.clear();
                Some(fact)
            }
            None => Some(fact),
        }
    }
}
