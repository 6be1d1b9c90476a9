//! What one can subscribe to: a map, a match with all its maps, or many matches at once.

use std::sync::Arc;

use matchwire_domain::subject::{Kind, Pattern, Subject};
use matchwire_log::{View, sweep::Scope, tournaments::Tournaments};

/// The most streams that a match has: itself and its maps.
const MAX_STREAMS: usize = 1_000;
/// What a topic may be.
const FORMS: &str = "a topic must be match/<match>, match/<match>/<map>, a pattern of those with * for \
                     one segment or ** for any number, or tournament/<tournament>/matches";

/// A topic, valid by construction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Topic {
    text: Arc<str>,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum What {
    Map(Subject),
    Match(Subject),
    Pattern(Pattern),
    Tournament(Arc<str>),
}

impl Topic {
    /// Reads a topic; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let what = if text.contains('*') {
            What::Pattern(pattern(text)?)
        } else if let Some(tournament) = tournament(text)? {
            What::Tournament(tournament)
        } else {
            let subject = Subject::parse(text).map_err(|error| error.to_string())?;
            match subject.kind() {
                Kind::MatchMap(..) => What::Map(subject),
                Kind::Match(_) => What::Match(subject),
                _ => return Err(FORMS.into()),
            }
        };
        Ok(Self { text: text.into(), what })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_match(&self) -> bool {
        matches!(self.what, What::Match(_))
    }

    /// Whether it is of more streams than a reader keeps a place in.
    pub(crate) fn is_wide(&self) -> bool {
        matches!(self.what, What::Pattern(_) | What::Tournament(_))
    }

    /// The streams of a wide topic; nothing of another one. It asks for what has to be known for it.
    pub(crate) fn scope(&self, tournaments: &Tournaments) -> Option<Scope> {
        match &self.what {
            What::Map(_) | What::Match(_) => None,
            What::Pattern(pattern) => Some(Scope::pattern(pattern.clone())),
            What::Tournament(name) => {
                tournaments.ask();
                Some(Scope::tournament(tournaments.clone(), name))
            }
        }
    }

    /// The id of the match.
    pub(crate) fn match_id(&self) -> &str {
        match &self.what {
            What::Map(subject) | What::Match(subject) => match subject.kind() {
                Kind::Match(id) | Kind::MatchMap(id, _) => id,
                _ => subject.as_str(),
            },
            What::Pattern(_) | What::Tournament(_) => &self.text,
        }
    }

    /// The streams of the topic as of now; of a wide one none.
    pub(crate) fn streams(&self, log: &View) -> Result<Vec<Subject>, matchwire_log::Error> {
        Ok(match &self.what {
            What::Map(subject) => vec![subject.clone()],
            What::Match(subject) => {
                let maps = log.subjects(&format!("{subject}/"), None, MAX_STREAMS)?;
                std::iter::once(subject.clone()).chain(maps).collect()
            }
            What::Pattern(_) | What::Tournament(_) => Vec::new(),
        })
    }
}

/// Reads a pattern of matches and maps. Other streams are for nobody but those whom they concern.
fn pattern(text: &str) -> Result<Pattern, String> {
    let pattern: Pattern =
        text.parse().map_err(|error: matchwire_domain::subject::PatternError| error.to_string())?;
    if text.split('/').next() == Some("match") { Ok(pattern) } else { Err(FORMS.into()) }
}

/// The tournament in `tournament/<tournament>/matches`.
fn tournament(text: &str) -> Result<Option<Arc<str>>, String> {
    let Some(rest) = text.strip_prefix("tournament/") else { return Ok(None) };
    let name = rest.strip_suffix("/matches").ok_or(FORMS)?;
    Subject::parse(&format!("tournament/{name}")).map_err(|error| error.to_string())?;
    Ok(Some(name.into()))
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
        let is = |text: &str| {
            Topic::parse(text).map(|topic| (topic.is_match(), topic.is_wide())).unwrap()
        };
        assert_eq!(is("match/m1/1"), (false, false));
        assert_eq!(is("match/m1"), (true, false));
        for wide in ["match/*", "match/**", "match/m1/*", "match/*/1", "tournament/t.1/matches"] {
            assert_eq!(is(wide), (false, true), "{wide}");
        }
        for bad in [
            "",
            "match",
            "room/r1",
            "match/m1/0",
            "admin/keys",
            "**",
            "*/m1",
            "room/*",
            "admin/*",
            "player/**",
            "match/m*",
            "match/***",
            "match//*",
            "tournament/t",
            "tournament/*/matches",
            "tournament/a/b/matches",
            "tournament//matches",
            "tournament/matches",
        ] {
            assert!(Topic::parse(bad).is_err(), "{bad}");
        }
    }
}
