//! The position of a stored view: which history of the log it has seen, and what of it.

use matchwire_domain::subject::Subject;
use serde::{Deserialize, Serialize};

use crate::{
    Lineage, Log,
    sweep::{Mark, Within},
};

/// What a stored view has seen of the log, as it is stored with its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The history of the log that it has seen.
    pub lineage: String,
    /// All groups up to this one; 0 is nothing.
    pub from: u64,
    /// What was seen of the groups behind those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Part>,
    /// How often a part of a stream could not be read and was passed over, so that its events are missing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub passed: u64,
}

/// What was seen of a window of groups, see [`Within`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The last group of the window.
    pub to: u64,
    /// The last stream of which something was seen.
    pub subject: String,
    /// Up to which event of it.
    pub seq: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Position {
    /// What a sweep has read of a history.
    pub(super) fn new(lineage: &Lineage, mark: &Mark, passed: u64) -> Self {
        let part = |within: &Within| Part {
            to: within.to,
            subject: within.subject.to_string(),
            seq: within.seq,
        };
        let within = mark.within.as_ref().map(part);
        Self { lineage: lineage.current().into(), from: mark.from, within, passed }
    }

    /// What a view says of itself; nothing if it is no position.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The text that is stored.
    pub(super) fn text(&self) -> String {
        // A struct of texts and numbers.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether all that was seen is part of a log.
    pub fn is_part_of(&self, log: &Log) -> bool {
        self.mark(log.lineage(), log.last_group()).is_some()
    }

    /// From where a sweep goes on, if all that was seen is part of a log that ends with the group `tip`.
    pub(super) fn mark(&self, lineage: &Lineage, tip: u64) -> Option<Mark> {
        let within = match &self.within {
            Some(Part { to, subject, seq }) => {
                let subject = Subject::parse(subject).ok()?;
                Some(Within { to: *to, subject, seq: *seq })
            }
            None => None,
        };
        let mark = Mark { from: self.from, within };
        let until = lineage.shared_until(&self.lineage)?;
        (mark.reaches() < until && mark.reaches() <= tip).then_some(mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_told_from_one_past_a_fork() {
        let mut lineage = Lineage::new("a");
        let within = |to| {
            let subject = Subject::parse("match/m/1").unwrap();
            Mark { from: 40, within: Some(Within { to, subject, seq: 7 }) }
        };
        let position = Position::new(&lineage, &within(90), 2);
        let json = r#"{"lineage":"a","from":40,"within":{"to":90,"subject":"match/m/1","seq":7},"passed":2}"#;
        assert_eq!(position.text(), json);
        assert_eq!(Position::parse(json), Some(position.clone()));
        assert_eq!(position.mark(&lineage, 90), Some(within(90)));
        assert_eq!(position.mark(&lineage, 89), None, "behind the end of the log");
        lineage.renew("b".into(), 91);
        assert_eq!(position.mark(&lineage, 200), Some(within(90)));
        lineage.renew("c".into(), 90);
        assert_eq!(position.mark(&lineage, 200), None, "group 90 is another one");
        assert_eq!(Position::new(&lineage, &within(90), 0).mark(&lineage, 200), Some(within(90)));
        let foreign = Position { lineage: "x".into(), ..position };
        assert_eq!(foreign.mark(&lineage, 200), None);
        assert_eq!(Position::parse("40"), None);
        assert_eq!(Position::parse(r#"{"lineage":"a","from":0}"#).unwrap().within, None);
    }
}
