//! By which names somebody stands in the matches of their activities. Names are sealed in events, with a key of the person's own; so
//! they are looked for there, and opened.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use matchwire_domain::{
    activity::{Activity, Model},
    live_match::PersonName,
    subject::Subject,
    timestamp::Timestamp,
};
use matchwire_log::{Error, Log};
use serde_json::{Value, json};

use crate::app::App;

/// In how many matches names are looked for, the newest ones.
const MAX_MATCHES: usize = 5_000;
/// How many events of them are read.
const MAX_EVENTS: usize = 500_000;
/// How many names are told.
const MAX_NAMES: usize = 1_000;
/// How many maps of a match are looked at.
const MAX_MAPS: usize = 1_000;
/// How long it may take, as events may be on a slow disk or in an archive.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many events are read at once.
const PAGE_EVENTS: usize = 1_000;

/// The matches of activities, each once, in the order of these.
#[derive(Default)]
pub(super) struct Matches {
    known: BTreeSet<String>,
    in_order: Vec<Match>,
    /// Whether there are more than are looked at.
    has_more: bool,
}

/// A match, and when it was.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Match {
    id: String,
    time: Timestamp,
}

impl Matches {
    /// Takes note of that of an activity.
    pub(super) fn note(&mut self, activity: &Activity) {
        if activity.source_model != Model::Match || self.known.contains(&activity.source_id) {
            return;
        }
        if self.in_order.len() == MAX_MATCHES {
            self.has_more = true;
            return;
        }
        let (id, time) = (activity.source_id.clone(), activity.deed.time);
        self.known.insert(id.clone());
        self.in_order.push(Match { id, time });
    }
}

/// The names of somebody.
pub(super) struct Names {
    /// With the first and the last match that shows each.
    found: BTreeMap<String, [Match; 2]>,
    /// In how many matches they were looked for.
    matches: usize,
    /// Whether these were all, and all of them could be read.
    is_all: bool,
}

impl Names {
    /// Finds those that a player has in matches, the newest of which come first.
    pub(super) fn find(app: &App, player: &str, matches: Matches) -> Self {
        let begun = Instant::now();
        let (found, is_all) = (BTreeMap::new(), !matches.has_more);
        let mut names = Self { found, matches: 0, is_all };
        let (log, left) = (&app.log, MAX_EVENTS);
        let mut search = Search { log, player, begun, left, is_all: true };
        for of in matches.in_order {
            if search.is_over() {
                names.is_all = false;
                break;
            }
            names.matches += 1;
            for name in search.names_in(&of.id) {
                let plain = match name.plain() {
                    Some(plain) => Some(plain.to_owned()),
                    None => app.exchange.name_of(player, &name),
                };
                if let Some(plain) = plain {
                    names.take(plain, &of);
                }
            }
        }
        names.is_all &= search.is_all;
        names
    }

    fn take(&mut self, name: String, of: &Match) {
        if let Some([first, _]) = self.found.get_mut(&name) {
            *first = of.clone();
        } else if self.found.len() < MAX_NAMES {
            self.found.insert(name, [of.clone(), of.clone()]);
        } else {
            self.is_all = false;
        }
    }

    /// For `person.json`: the names, and where they were looked for.
    pub(super) fn told(&self) -> [(&'static str, Value); 2] {
        let of = |it: &Match| json!({"match": it.id, "time": it.time});
        let name = |(name, [first, last]): (&String, &[Match; 2])| json!({"name": name, "first": of(first), "last": of(last)});
        let names: Vec<Value> = self.found.iter().map(name).collect();
        let looked_in = json!({"matches": self.matches, "is_all": self.is_all});
        [("names", names.into()), ("names_looked_for_in", looked_in)]
    }
}

/// What looks for names in matches.
struct Search<'a> {
    log: &'a Log,
    player: &'a str,
    begun: Instant,
    /// How many events may still be read.
    left: usize,
    is_all: bool,
}

impl Search<'_> {
    /// Whether it has gone as far as it may.
    fn is_over(&self) -> bool {
        self.left == 0 || self.begun.elapsed() > PATIENCE
    }

    /// The names of the player in the streams of a match, each once. What was removed for its age has none any more; what cannot be
    /// read now holds nothing else up.
    fn names_in(&mut self, match_id: &str) -> Vec<PersonName> {
        let mut names = Vec::new();
        let own = Subject::parse(&format!("match/{match_id}"));
        let maps = self.log.subjects(&format!("match/{match_id}/"), None, MAX_MAPS);
        self.is_all &= maps.is_ok();
        for subject in own.into_iter().chain(maps.unwrap_or_default()) {
            self.read(&subject, &mut names);
        }
        names
    }

    fn read(&mut self, subject: &Subject, names: &mut Vec<PersonName>) {
        let quoted = json!(self.player).to_string();
        let mut after = 0;
        while !self.is_over() {
            let page = match self.log.read(subject, after, PAGE_EVENTS.min(self.left)) {
                Err(Error::Trimmed { floor, .. }) if floor.seq > after => {
                    after = floor.seq;
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%subject, %error, "names in it are not in an export");
                    self.is_all = false;
                    return;
                }
                Ok(page) => page,
            };
            let Some(last) = page.last() else { return };
            after = last.recorded.seq;
            self.left = self.left.saturating_sub(page.len());
            for entry in &page {
                let Ok(text) = std::str::from_utf8(&entry.recorded.stored) else { continue };
                if text.contains(&quoted) && text.contains("\"name\"") {
                    let event = serde_json::from_str(text).unwrap_or_default();
                    names_of(self.player, &event, names);
                }
            }
        }
        self.is_all = false;
    }
}

/// Wherever an event names somebody, the name stands beside the player id.
fn names_of(player: &str, value: &Value, names: &mut Vec<PersonName>) {
    match value {
        Value::Object(fields) => {
            if fields.get("player").and_then(Value::as_str) == Some(player)
                && let Some(name) = fields.get("name")
                && let Ok(name) = serde_json::from_value::<PersonName>(name.clone())
                && !names.contains(&name)
            {
                names.push(name);
            }
            fields.values().for_each(|value| names_of(player, value, names));
        }
        Value::Array(values) => values.iter().for_each(|value| names_of(player, value, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use matchwire_domain::activity::{Deed, Kind};

    use super::*;

    #[test]
    fn of_more_matches_than_are_looked_at_the_first_ones_are() {
        let mut matches = Matches::default();
        let note = |matches: &mut Matches, n: usize, source_model| {
            matches.note(&Activity {
                player: "p".into(),
                source_model,
                source_id: format!("m{n}"),
                kind: Kind::MatchWon,
                revision: 1,
                deed: Deed::at(Timestamp::from_ms(0)),
            });
        };
        (0..MAX_MATCHES).for_each(|n| note(&mut matches, n, Model::Match));
        note(&mut matches, 7, Model::Match);
        note(&mut matches, MAX_MATCHES, Model::Tournament);
        assert!(!matches.has_more && matches.in_order.len() == MAX_MATCHES);
        note(&mut matches, MAX_MATCHES, Model::Match);
        assert!(matches.has_more && matches.in_order.len() == MAX_MATCHES);
        assert_eq!(matches.in_order[0].id, "m0");
    }

    #[test]
    fn a_name_is_that_of_whoever_it_stands_beside() {
        let event = json!({"data": {
            "player": "p1",
            "teams": [{"name": "A", "players": [{"player": "p1", "name": "One"}, {"player": "p2", "name": "Two"}]}],
            "data": {"player": "p1", "name": "~1.AA"},
        }});
        let mut names = Vec::new();
        for _ in 0..2 {
            names_of("p1", &event, &mut names);
        }
        let mut names: Vec<&str> = names.iter().map(PersonName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["One", "~1.AA"]);
    }
}
