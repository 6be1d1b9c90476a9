//! What a game is to everyone who must not know which one it is.
//!
//! A game's author writes a [`Vocabulary`] and the [`Rules`] by which it folds. The log, the gateway
//! and delivery see a [`Game`], which is a table of what can be done with it, and [`Play`], a map's
//! state as it is played. [`Games`] are those that a server knows; a game more is an entry more.

use std::{any::Any, collections::BTreeMap, fmt, sync::Arc};

use schemars::Schema;
use serde::Serialize;
use serde_json::Value;

use super::{
    Identities, Models, Open, Outcome, PersonName, Plain, Player, Prediction, Predictor, Priority,
    Target, Unavailable,
    course::{self, Course, Status},
    lexicon::{Lexicon, Seal},
    outcome,
};
use crate::{series, timestamp::Timestamp};

/// The events of a game, each with a tag and the schema of its data. A tag belongs to one game
/// alone, so that a stream's first event tells which game it is.
pub trait Vocabulary: Sized {
    /// The tags of the game's own events, as they stand in `type`.
    const TAGS: &'static [&'static str];
    /// Reads the data of an event of the game's own, or of one that all games have; `None` if it is
    /// neither.
    fn parse(tag: &str, data: &str) -> Option<Result<Self, serde_json::Error>>;
    /// The event's `data`.
    fn to_json(&self) -> String;
    /// The JSON Schema of the data of an own tag.
    fn schema(tag: &str) -> Option<Schema>;
    /// The event as one that all games have, if it is one.
    fn common(&self) -> Option<&course::Event>;
    /// Everyone who is named in the event.
    fn players_mut(&mut self) -> Vec<&mut Player>;
    /// The tags of events in which people's names stand.
    const NAMED: &'static [&'static str];
    /// The names of people in the event, each with the person.
    fn names_mut(&mut self) -> Vec<(&Player, &mut PersonName)>;

    /// Puts a player id in the place of every person, where `exchange` knows how.
    #[must_use]
    fn exchange(mut self, exchange: &mut dyn FnMut(&str) -> String) -> Self {
        for player in self.players_mut() {
            *player = Player::new(&exchange(player));
        }
        self
    }

    /// Seals every person's name; players are exchanged before.
    #[must_use]
    fn seal(mut self, seal: Seal<'_>) -> Self {
        for (player, name) in self.names_mut() {
            *name = seal(player, name);
        }
        self
    }
}

/// A player's part in a map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The index of the team that the player was of, in the map's own order.
    pub team: Option<usize>,
    /// How often the player did what people keep records of, by the game's word for it: `ace`, `goal`. No
    /// noughts.
    pub feats: BTreeMap<&'static str, u32>,
}

impl Part {
    /// For a team, with the feats that are more than none.
    pub fn new(team: Option<usize>, feats: &[(&'static str, u16)]) -> Self {
        let done = feats.iter().filter(|(_, count)| *count > 0);
        Self { team, feats: done.map(|(feat, count)| (*feat, u32::from(*count))).collect() }
    }
}

/// The rules of a game: how its events change the state of a map. Every method is total and pure.
pub trait Rules: Clone + PartialEq + Serialize + Send + Sync + 'static {
    /// The game's name, as it stands in `game`.
    const GAME: &'static str;
    /// What a prediction of the map as a whole is about: [`Target::Map`], or [`Target::Result`] in a game
    /// that has draws.
    const WHOLE: Target = Target::Map;
    /// Whether a match of the game is one map, which then decides it.
    const IS_ONE_MAP: bool = false;
    /// What can happen.
    type Event: Vocabulary;

    /// A map of which nothing is known but its course.
    fn begin(course: Course) -> Self;
    /// What all games have in common.
    fn course(&self) -> &Course;
    /// The same, to change it.
    fn course_mut(&mut self) -> &mut Course;
    /// Folds an event of the game's own that happened at `time`; those that all games have are looked
    /// after elsewhere. Answers whether it moved the odds, so that a new prediction is worth it.
    fn fold(&mut self, event: &Self::Event, time: Timestamp) -> bool;
    /// Where the map stands by its play; a pause is looked at elsewhere.
    fn status(&self) -> Status;
    /// The index of the team that is on a side, as the game calls its sides.
    fn team_on(&self, side: &str) -> Option<usize>;
    /// The score, in the order of teams.
    fn score(&self) -> [u16; 2];
    /// Sets the score, by decision of a referee.
    fn set_score(&mut self, score: [u16; 2]);
    /// Ends play, by decision of a referee.
    fn close(&mut self);
    /// Who will win, by the model of that name, or the game's first one if it has none so named.
    fn predict(&self, model: &str) -> Option<Prediction>;
    /// The names of the game's models, the first one being that of a stream which names none.
    fn models() -> &'static [&'static str];
    /// What an event claims to have happened, in words that are the same whichever source tells it; `None`
    /// for what other sources need not tell.
    fn claim(&self, event: &Self::Event) -> Option<String>;
    /// The statistics over some maps of one match, with the accounts that are revealed in them.
    fn stats(maps: &[&Self]) -> Value;
    /// Adds the accounts and names that `people` can tell.
    fn reveal(&mut self, people: &dyn Identities);

    /// What of a prediction is still open; a game without rounds need not say more.
    fn open(&self) -> Open {
        Open { round: false, map: Rules::status(self) != Status::Ended, voided: 0 }
    }

    /// The index of the team that won a round that counts.
    fn round_winner(&self, round_no: u16) -> Option<usize> {
        let _ = round_no;
        None
    }

    /// How the map ended, where play decided it.
    fn result(&self) -> Option<Outcome> {
        outcome::of_course(Rules::course(self), Rules::status(self))
    }

    /// Everyone who had a part in play that counts, by player id, with what people keep records of.
    fn parts(&self) -> BTreeMap<String, Part> {
        BTreeMap::new()
    }

    /// Of which aspects of a map an event tells beside what it claims, as `money`: what one source tells of
    /// and another one does not.
    fn aspects(event: &Self::Event) -> Vec<&'static str> {
        let _ = event;
        Vec::new()
    }

    /// Takes from an event of a source that is not believed what it tells of the aspects that are
    /// `lacking` without it. What is claimed is not taken, and nothing that would count twice. Answers
    /// whether it moved the odds.
    fn fill(
        &mut self,
        event: &Self::Event,
        time: Timestamp,
        lacking: &dyn Fn(&str) -> bool,
    ) -> bool {
        let _ = (event, time, lacking);
        false
    }

    /// What an event with one of the game's own tags is worth where not all can be taken.
    fn priority(tag: &str) -> Priority {
        let _ = tag;
        Priority::Normal
    }
}

/// A map as it is played, of whatever game.
pub trait Play: Send + Sync {
    /// What all games have in common.
    fn course(&self) -> &Course;
    /// The same, to change it.
    fn course_mut(&mut self) -> &mut Course;
    /// Folds an event of the game's own, or one that all games have. `None` if it is neither.
    fn fold(&mut self, tag: &str, data: &str, time: Timestamp) -> Option<Folded>;
    /// What an event claims to have happened, in words that are the same whichever source tells it.
    fn claim(&self, tag: &str, data: &str) -> Option<String>;
    /// Of which aspects of a map an event tells beside what it claims.
    fn aspects(&self, tag: &str, data: &str) -> Vec<&'static str>;
    /// Takes from an event of a source that is not believed what it tells of aspects that are `lacking`
    /// without it. Answers whether it moved the odds.
    fn fill(
        &mut self,
        tag: &str,
        data: &str,
        time: Timestamp,
        lacking: &dyn Fn(&str) -> bool,
    ) -> bool;
    /// Who will win, by the model of that name.
    fn predict(&self, model: &str) -> Option<Prediction>;
    /// What a prediction of the map as a whole is about.
    fn whole(&self) -> Target;
    /// What of a prediction is still open.
    fn open(&self) -> Open;
    /// The index of the team that won a round that counts.
    fn round_winner(&self, round_no: u16) -> Option<usize>;
    /// How the map ended, where play decided it.
    fn result(&self) -> Option<Outcome>;
    /// Everyone who had a part in play that counts, by player id, with what people keep records of.
    fn parts(&self) -> BTreeMap<String, Part>;
    /// The statistics over this map and others of its match, as far as they are of the same game.
    fn stats(&self, others: &[&dyn Play]) -> Value;
    /// Adds the accounts and names that `people` can tell.
    fn reveal(&mut self, people: &dyn Identities);
    /// The state as JSON, without spaces.
    fn to_json(&self) -> String;
    /// A copy.
    fn boxed(&self) -> Box<dyn Play>;
    /// The state as the type that its game gave it.
    fn as_any(&self) -> &dyn Any;
}

/// Whether an event moved the odds, or why its data could not be read.
pub type Folded = Result<bool, serde_json::Error>;

impl<R: Rules> Play for R {
    fn course(&self) -> &Course {
        Rules::course(self)
    }

    fn course_mut(&mut self) -> &mut Course {
        Rules::course_mut(self)
    }

    fn fold(&mut self, tag: &str, data: &str, time: Timestamp) -> Option<Folded> {
        let event = match R::Event::parse(tag, data)? {
            Ok(event) => event,
            Err(error) => return Some(Err(error)),
        };
        let moved = if let Some(event) = event.common() {
            course::fold(self, event, time)
        } else {
            Rules::course_mut(self).time = Some(time);
            Rules::fold(self, &event, time)
        };
        course::settle(self);
        Some(Ok(moved))
    }

    fn claim(&self, tag: &str, data: &str) -> Option<String> {
        Rules::claim(self, &R::Event::parse(tag, data)?.ok()?)
    }

    fn aspects(&self, tag: &str, data: &str) -> Vec<&'static str> {
        match R::Event::parse(tag, data) {
            Some(Ok(event)) => R::aspects(&event),
            _ => Vec::new(),
        }
    }

    fn fill(
        &mut self,
        tag: &str,
        data: &str,
        time: Timestamp,
        lacking: &dyn Fn(&str) -> bool,
    ) -> bool {
        let Some(Ok(event)) = R::Event::parse(tag, data) else { return false };
        let moved = Rules::fill(self, &event, time, lacking);
        course::settle(self);
        moved
    }

    fn predict(&self, model: &str) -> Option<Prediction> {
        Rules::predict(self, model)
    }

    fn whole(&self) -> Target {
        R::WHOLE
    }

    fn open(&self) -> Open {
        Rules::open(self)
    }

    fn round_winner(&self, round_no: u16) -> Option<usize> {
        Rules::round_winner(self, round_no)
    }

    fn result(&self) -> Option<Outcome> {
        Rules::result(self)
    }

    fn parts(&self) -> BTreeMap<String, Part> {
        Rules::parts(self)
    }

    fn stats(&self, others: &[&dyn Play]) -> Value {
        let others = others.iter().filter_map(|other| other.as_any().downcast_ref());
        R::stats(&std::iter::once(self).chain(others).collect::<Vec<_>>())
    }

    fn reveal(&mut self, people: &dyn Identities) {
        Rules::reveal(self, people);
    }

    fn to_json(&self) -> String {
        // Writing plain data to a string cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    fn boxed(&self) -> Box<dyn Play> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The match as a whole, which is folded like a game of its own.
const SERIES: Game = Game::of::<series::State>();

/// A game, as a table of what can be done with it.
#[derive(Clone, Copy)]
pub struct Game {
    name: &'static str,
    is_one_map: bool,
    lexicon: Lexicon,
    models: fn() -> &'static [&'static str],
    begin: fn(Course) -> Box<dyn Play>,
}

impl Game {
    /// The game that has these rules.
    pub const fn of<R: Rules>() -> Self {
        Self {
            name: R::GAME,
            is_one_map: R::IS_ONE_MAP,
            lexicon: Lexicon::of::<R::Event>(R::priority),
            models: R::models,
            begin: |course| Box::new(R::begin(course)),
        }
    }

    /// Its name, as it stands in `game`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether a match of it is one map.
    pub fn is_one_map(&self) -> bool {
        self.is_one_map
    }

    /// The names of its models, the first one being that of a stream which names none.
    pub fn models(&self) -> &'static [&'static str] {
        (self.models)()
    }

    pub(super) fn lexicon(&self) -> &Lexicon {
        &self.lexicon
    }

    /// A map of which nothing is known but its course.
    pub fn begin(&self, course: Course) -> Box<dyn Play> {
        (self.begin)(Course { game: self.name.into(), ..course })
    }
}

impl fmt::Debug for Game {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Game").field(&self.name).finish()
    }
}

/// The games that a server knows. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Games {
    known: Arc<[Game]>,
    models: Models,
    /// Game and model.
    shadows: Arc<[(String, String)]>,
    predictor: Arc<dyn Predictor>,
}

impl Default for Games {
    fn default() -> Self {
        Self::new(&[Game::of::<super::cs::State>(), Game::of::<super::football::State>()])
    }
}

impl Games {
    /// These games, at least one. A stream is of the first one until an event tells otherwise.
    pub fn new(games: &[Game]) -> Self {
        assert!(!games.is_empty(), "a server knows a game");
        Self {
            known: games.into(),
            models: Models::default(),
            shadows: Arc::default(),
            predictor: Arc::new(Plain),
        }
    }

    /// The same, with the switches of models that are in the log.
    #[must_use]
    pub fn with_models(self, models: Models) -> Self {
        Self { models, ..self }
    }

    /// The same, with models that predict in the shadow of the one in force, as game and model. They are
    /// scored beside it, and nobody is told what they say.
    #[must_use]
    pub fn with_shadows(self, shadows: Vec<(String, String)>) -> Self {
        Self { shadows: shadows.into(), ..self }
    }

    /// The same, with another way to ask models.
    #[must_use]
    pub fn with_predictor(self, predictor: Arc<dyn Predictor>) -> Self {
        Self { predictor, ..self }
    }

    /// The models that predict a game in the shadow.
    pub fn shadows(&self, game: &str) -> impl Iterator<Item = &str> {
        let own = self.shadows.iter().filter(move |(name, _)| name == game);
        own.map(|(_, model)| model.as_str())
    }

    /// Asks a model who will win.
    pub(crate) fn predict(
        &self,
        play: &dyn Play,
        model: &str,
    ) -> Result<Option<Prediction>, Unavailable> {
        self.predictor.predict(play, model)
    }

    /// The model that predicts a game for an event that was recorded then. Without a switch it is the
    /// game's first one.
    pub fn model_at(&self, game: &str, recorded: Timestamp) -> &str {
        let first = || self.named(game).and_then(|game| game.models().first()).copied();
        self.models.at(game, recorded).or_else(first).unwrap_or_default()
    }

    /// The game of that name.
    pub fn named(&self, name: &str) -> Option<&Game> {
        self.iter().find(|game| game.name == name)
    }

    /// The game whose event has that tag.
    pub fn of_tag(&self, tag: &str) -> Option<&Game> {
        self.iter().find(|game| game.lexicon.tags.contains(&tag))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Game> {
        self.known.iter()
    }

    /// A match as a whole of which nothing is known yet.
    pub fn begin_series(&self, match_id: &str) -> Box<dyn Play> {
        SERIES.begin(Course::new(match_id, 0))
    }

    /// A map of which nothing is known yet.
    pub fn begin(&self, match_id: &str, map: u16) -> Box<dyn Play> {
        let [first, ..] = &*self.known else { unreachable!("a server knows a game") };
        first.begin(Course::new(match_id, map))
    }
}
