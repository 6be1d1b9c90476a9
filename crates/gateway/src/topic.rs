//! What one can subscribe to: a map, or a match with all its maps.

use matchwire_domain::subject::{Kind, Subject};
use matchwire_log::View;

/// The most streams that a match has: itself and its maps.
const MAX_STREAMS: usize = 1_000;

/// A topic, valid by construction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Topic {
    subject: Subject,
    is_match: bool,
}

impl Topic {
    /// Reads a topic; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let subject = Subject::parse(text).map_err(|error| error.to_string())?;
        let is_match = match subject.kind() {
            Kind::MatchMap(..) => false,
            Kind::Match(_) => true,
            _ => return Err("a topic must be match/<match> or match/<match>/<map>".into()),
        };
        Ok(Self { subject, is_match })
    }

    pub(crate) fn as_str(&self) -> &str {
        self.subject.as_str()
    }

    pub(crate) fn is_match(&self) -> bool {
        self.is_match
    }

    /// The id of the match.
    pub(crate) fn match_id(&self) -> &str {
        match self.subject.kind() {
            Kind::Match(id) | Kind::MatchMap(id, _) => id,
            _ => self.subject.as_str(),
        }
    }

    /// The streams of the topic as of now.
    pub(crate) fn streams(&self, log: &View) -> Result<Vec<Subject>, matchwire_log::Error> {
        let mut streams = vec![self.subject.clone()];
        if self.is_match {
            streams.extend(log.subjects(&format!("{}/", self.subject), None, MAX_STREAMS)?);
        }
        Ok(streams)
    }
}

/// The number of a stream within its match: that of the map, 0 for the match itself.
pub(crate) fn number(subject: &Subject) -> u16 {
    match subject.kind() {
        Kind::MatchMap(_, map) => map,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics() {
        assert!(!Topic::parse("match/m1/1").unwrap().is_match());
        assert!(Topic::parse("match/m1").unwrap().is_match());
        for bad in ["", "match", "match/*", "match/m1/*", "room/r1", "match/m1/0", "admin/keys"] {
            assert!(Topic::parse(bad).is_err(), "{bad}");
        }
    }
}
