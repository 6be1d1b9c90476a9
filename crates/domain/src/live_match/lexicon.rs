//! Which stream may hold which events, and how the data of one is admitted.

use std::fmt;

use schemars::Schema;

use super::{Games, PersonName, Priority, Vocabulary, course};
use crate::{
    envelope, player, series,
    subject::{Kind, Subject},
    tournament,
    vocabulary::OWN_PREFIX,
};

/// What a stream is about, as far as its events are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One map: `match/<match>/<map>`.
    Map,
    /// The match as a whole: `match/<match>`.
    Match,
    /// A tournament: `tournament/<tournament>`.
    Tournament,
    /// A player: `player/<player>`.
    Player,
}

impl Scope {
    /// Of a stream; `None` where there are no types for it.
    pub fn of(subject: &Subject) -> Option<Self> {
        match subject.kind() {
            Kind::MatchMap(..) => Some(Self::Map),
            Kind::Match(_) => Some(Self::Match),
            Kind::Tournament(_) => Some(Self::Tournament),
            Kind::Player(_) => Some(Self::Player),
            Kind::Source(..) | Kind::Other => None,
        }
    }

    /// Whether such a stream may hold an event that all games have.
    fn holds(self, common: &str) -> bool {
        matches!(self, Self::Map | Self::Match)
            || matches!(common, "event.voided" | "event.amended")
    }
}

/// Why an event does not fit a stream.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// Nobody has such a type.
    #[error("no such type is known")]
    Unknown,
    /// It belongs into another kind of stream.
    #[error("it belongs into {0}")]
    Scope(Scope),
    /// The data does not fit the type's schema.
    #[error(transparent)]
    Data(#[from] serde_json::Error),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Map => "match/<match>/<map>",
            Self::Match => "match/<match>",
            Self::Tournament => "tournament/<tournament>",
            Self::Player => "player/<player>",
        })
    }
}

/// Puts player ids in the place of people.
pub type Exchange<'a> = &'a mut dyn FnMut(&str) -> String;
/// Seals the name of a player, by player id. What is sealed for that player already stays or is sealed anew, and is
/// never sealed twice.
pub type Seal<'a> = &'a dyn Fn(&str, &PersonName) -> PersonName;

type Admitted = Option<Result<String, serde_json::Error>>;

/// A vocabulary, as a table of what can be done with it.
#[derive(Clone, Copy)]
pub(super) struct Lexicon {
    /// The tags of its own events.
    pub(super) tags: &'static [&'static str],
    schema: fn(&str) -> Option<Schema>,
    priority: fn(&str) -> Priority,
    admit: fn(&str, &str, Exchange<'_>, Seal<'_>) -> Admitted,
    /// The tags of its own events in which people's names stand.
    named: &'static [&'static str],
}

/// What is told beside the play of maps: few events, and none of them may be missing.
const OTHERS: [(Scope, Lexicon); 3] = [
    (Scope::Match, Lexicon::of::<series::Event>(|_| Priority::Critical)),
    (Scope::Tournament, Lexicon::of::<tournament::Event>(|_| Priority::Critical)),
    (Scope::Player, Lexicon::of::<player::Event>(|_| Priority::Critical)),
];

impl Lexicon {
    /// The vocabulary of these events, which are worth so much where not all can be taken.
    pub(super) const fn of<E: Vocabulary>(priority: fn(&str) -> Priority) -> Self {
        Self { tags: E::TAGS, schema: E::schema, priority, admit: admit::<E>, named: E::NAMED }
    }
}

/// Checks the data of an event, exchanges the people in it, seals their names and writes it as it is stored;
/// `None` if the vocabulary does not have the tag.
fn admit<E: Vocabulary>(tag: &str, data: &str, exchange: Exchange<'_>, seal: Seal<'_>) -> Admitted {
    Some(E::parse(tag, data)?.map(|event| event.exchange(exchange).seal(seal).to_json()))
}

impl Games {
    /// The vocabulary that has that tag, and the stream that may hold it; none for those that all games
    /// have.
    fn holder(&self, tag: &str) -> Option<(Scope, &Lexicon)> {
        let mut others = OTHERS.iter().filter(|(_, lexicon)| lexicon.tags.contains(&tag));
        let other = others.next().map(|(scope, lexicon)| (*scope, lexicon));
        other.or_else(|| self.of_tag(tag).map(|game| (Scope::Map, game.lexicon())))
    }

    /// The tags of the events of all games, of the match as a whole, of tournaments and players, and of
    /// those that all have.
    pub fn tags(&self) -> impl Iterator<Item = &'static str> {
        let own = self.iter().flat_map(|game| game.lexicon().tags);
        let others = OTHERS.iter().flat_map(|(_, lexicon)| lexicon.tags);
        own.chain(others).chain(course::Event::TAGS).copied()
    }

    /// A tag as it stands in the vocabulary that has it.
    pub fn tag(&self, tag: &str) -> Option<&'static str> {
        self.tags().find(|known| *known == tag)
    }

    /// The JSON Schema of a tag's data.
    pub fn schema(&self, tag: &str) -> Option<Schema> {
        match self.holder(tag) {
            Some((_, lexicon)) => (lexicon.schema)(tag),
            None => course::Event::schema(tag),
        }
    }

    /// What an event of a type is worth where not all can be taken. A user's own types change no
    /// state, so they come last; what is not known is worth as much as most.
    pub fn priority(&self, tag: &str) -> Priority {
        match self.holder(tag) {
            Some((_, lexicon)) => (lexicon.priority)(tag),
            None if tag == envelope::SEALED => Priority::Critical,
            None if tag.starts_with(OWN_PREFIX) => Priority::Low,
            None => course::priority(tag),
        }
    }

    /// Seals people's names in the data of an event in which people are exchanged; `None` where none can stand in it.
    pub fn seal(&self, tag: &str, data: &str, seal: Seal<'_>) -> Option<String> {
        let (_, lexicon) = self.holder(tag).filter(|(_, lexicon)| lexicon.named.contains(&tag))?;
        (lexicon.admit)(tag, data, &mut str::to_owned, seal)?.ok()
    }

    /// Checks the data of an event for a stream, exchanges the people in it, seals their names and writes
    /// it as it is stored.
    pub fn admit(
        &self,
        scope: Scope,
        tag: &str,
        data: &str,
        exchange: Exchange<'_>,
        seal: Seal<'_>,
    ) -> Result<String, Unfit> {
        let admitted = match self.holder(tag) {
            Some((right, _)) if right != scope => return Err(Unfit::Scope(right)),
            Some((_, lexicon)) => (lexicon.admit)(tag, data, exchange, seal),
            None if course::Event::TAGS.contains(&tag) && !scope.holds(tag) => {
                return Err(Unfit::Scope(Scope::Map));
            }
            None if tag == "event.amended" => {
                return course::admit(self, scope, data, exchange, seal);
            }
            None => admit::<course::Event>(tag, data, exchange, seal),
        };
        Ok(admitted.ok_or(Unfit::Unknown)??)
    }
}
