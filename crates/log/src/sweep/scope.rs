//! Which streams a sweep reads.

use std::{collections::BTreeMap, sync::Arc};

use matchwire_domain::subject::{Kind, Pattern, Subject};
use tokio::sync::watch;

use crate::{Error, View, streams::Stretch, tournaments::Tournaments};

/// The most maps of a match.
const MAX_MAPS: usize = 1_000;

/// Which streams a sweep reads.
#[derive(Clone)]
pub struct Scope(Kinds);

#[derive(Clone)]
enum Kinds {
    /// Those whose subjects one of some patterns means.
    Patterns { patterns: Arc<[Pattern]>, prefix: Arc<str> },
    /// Those of the matches of a tournament, and of their maps.
    Tournament { tournaments: Tournaments, name: Arc<str> },
}

impl Scope {
    /// The streams that a pattern means.
    pub fn pattern(pattern: Pattern) -> Self {
        Self::patterns(vec![pattern])
    }

    /// The streams that any of some patterns means.
    pub fn patterns(patterns: Vec<Pattern>) -> Self {
        let prefixes = patterns.iter().map(Pattern::prefix);
        let prefix = prefixes.reduce(|a, b| common(&a, &b).to_owned()).unwrap_or_default();
        Self(Kinds::Patterns { patterns: patterns.into(), prefix: prefix.into() })
    }

    /// The matches of a tournament with their maps. One that is named later comes in as a whole, with what
    /// happened in it before.
    pub fn tournament(tournaments: Tournaments, name: &str) -> Self {
        Self(Kinds::Tournament { tournaments, name: name.into() })
    }

    /// What all subjects start with.
    pub fn prefix(&self) -> &str {
        match &self.0 {
            Kinds::Patterns { prefix, .. } => prefix,
            Kinds::Tournament { .. } => "match/",
        }
    }

    /// Whether something of a stream may be wanted.
    pub fn covers(&self, subject: &Subject) -> bool {
        match &self.0 {
            Kinds::Patterns { patterns, .. } => patterns.iter().any(|it| it.matches(subject)),
            Kinds::Tournament { tournaments, name } => {
                match_of(subject).is_some_and(|id| tournaments.named_by(name, id).is_some())
            }
        }
    }

    /// Whether nothing has to be looked up to tell what is wanted.
    pub(super) fn is_simple(&self) -> bool {
        matches!(self.0, Kinds::Patterns { .. })
    }

    /// Up to which group it is known what is wanted.
    pub(super) fn settled(&self) -> u64 {
        match &self.0 {
            Kinds::Patterns { .. } => u64::MAX,
            Kinds::Tournament { tournaments, .. } => tournaments.seen(),
        }
    }

    /// What tells that more may be wanted, if that is not the log itself.
    pub(super) fn grown(&self) -> Option<watch::Receiver<u64>> {
        match &self.0 {
            Kinds::Patterns { .. } => None,
            Kinds::Tournament { tournaments, .. } => Some(tournaments.grown()),
        }
    }

    /// What is wanted because of what a stream has in a window, which begins behind `from`: that, or
    /// nothing yet, or more, when a match is named by it.
    pub(super) fn wanted(
        &self,
        log: &View,
        stretch: Stretch,
        from: u64,
        to: u64,
    ) -> Result<Vec<Stretch>, Error> {
        let Kinds::Tournament { tournaments, name } = &self.0 else { return Ok(vec![stretch]) };
        if is_hidden(log, name)? {
            return Ok(Vec::new());
        }
        let named =
            match_of(&stretch.subject).and_then(|id| Some((id, tournaments.named_by(name, id)?)));
        let Some((id, seq)) = named else { return Ok(Vec::new()) };
        match entry(log, id, seq, from, to)? {
            Naming::Later => Ok(Vec::new()),
            Naming::Before => Ok(vec![stretch]),
            // Each stream is given its all when the match's own is.
            Naming::Here if matches!(stretch.subject.kind(), Kind::Match(_)) => whole(log, id, to),
            Naming::Here => Ok(vec![Stretch { after: 0, ..stretch }]),
        }
    }

    /// What is wanted of a window, from a subject on, because of streams before that subject.
    pub(super) fn joined(
        &self,
        log: &View,
        from: u64,
        to: u64,
        since: &Subject,
    ) -> Result<BTreeMap<Subject, (u64, u64)>, Error> {
        let Kinds::Tournament { tournaments, name } = &self.0 else { return Ok(BTreeMap::new()) };
        let mut joined = BTreeMap::new();
        if is_hidden(log, name)? {
            return Ok(joined);
        }
        for (id, seq) in tournaments.matches(name) {
            // Maps come right behind their match in the order of subjects, but for others in between.
            let is_on_the_way = format!("match/{id}").as_str() <= since.as_str()
                && since.as_str() <= format!("match/{id}/~").as_str();
            if is_on_the_way && entry(log, &id, seq, from, to)? == Naming::Here {
                let streams = whole(log, &id, to)?.into_iter();
                let rest = streams.filter(|stretch| stretch.subject >= *since);
                joined.extend(rest.map(|it| (it.subject, (it.after, it.through))));
            }
        }
        Ok(joined)
    }
}

/// Whether whoever reads is not to know of a tournament, nor of what was once said to be of it.
fn is_hidden(log: &View, tournament: &str) -> Result<bool, Error> {
    let own = Subject::parse(&format!("tournament/{tournament}"));
    own.map_or(Ok(false), |own| log.is_hidden(&own))
}

/// Whether the event that names a match is in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    Before,
    Here,
    Later,
}

fn entry(log: &View, id: &str, seq: u64, from: u64, to: u64) -> Result<Naming, Error> {
    let Ok(own) = Subject::parse(&format!("match/{id}")) else { return Ok(Naming::Later) };
    Ok(if seq <= log.seq_before(&own, from + 1)? {
        Naming::Before
    } else if seq <= log.seq_before(&own, to + 1)? {
        Naming::Here
    } else {
        Naming::Later
    })
}

/// All that the streams of a match have up to a group.
fn whole(log: &View, id: &str, to: u64) -> Result<Vec<Stretch>, Error> {
    let own = Subject::parse(&format!("match/{id}")).ok();
    let maps = log.subjects_within(&format!("match/{id}/"), None, 0..=to, MAX_MAPS)?;
    let mut streams = Vec::with_capacity(maps.len() + 1);
    for subject in own.into_iter().chain(maps) {
        let through = log.seq_before(&subject, to + 1)?;
        if through > 0 {
            streams.push(Stretch { subject, after: 0, through });
        }
    }
    Ok(streams)
}

/// The match that a stream is of.
fn match_of(subject: &Subject) -> Option<&str> {
    match subject.kind() {
        Kind::Match(id) | Kind::MatchMap(id, _) => Some(id),
        _ => None,
    }
}

/// What two texts begin with. Prefixes are of ASCII, so that they can be cut anywhere.
fn common<'a>(a: &'a str, b: &str) -> &'a str {
    let length = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    a.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_patterns_have_the_prefix_that_all_have() {
        let check = |patterns: &[&str], prefix: &str, covered: &[&str]| {
            let scope = Scope::patterns(patterns.iter().map(|it| it.parse().unwrap()).collect());
            assert_eq!(scope.prefix(), prefix, "{patterns:?}");
            let subjects = ["match/m1", "match/m1/1", "match/m2/1", "player/p", "room/r"];
            let is_covered = |it: &&str| scope.covers(&Subject::parse(it).unwrap());
            assert_eq!(subjects.into_iter().filter(is_covered).collect::<Vec<_>>(), covered);
        };
        check(&["match/*"], "match/", &["match/m1"]);
        check(&["match/m1/*", "match/m2/*"], "match/m", &["match/m1/1", "match/m2/1"]);
        check(&["match/*", "player/*"], "", &["match/m1", "player/p"]);
        check(&[], "", &[]);
    }
}
