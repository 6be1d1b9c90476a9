//! A game that nobody but its author knows, whose model fails where a test wants it to.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex},
    time::{Duration, Instant},
};

use matchwire_domain::{
    live_match::{
        Course, Identities, PersonName, Player, Prediction, Rules, Status, Vocabulary, course,
    },
    timestamp::Timestamp,
};
use schemars::Schema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::harness::event;

/// How long a model may take where a test has it dawdle.
pub(crate) const LIMIT: Duration = Duration::from_millis(200);

/// What the model of a match does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Calm,
    Panics,
    /// It takes twice [`LIMIT`].
    Dawdles,
    Raves,
}

/// The moods of matches. Each test has a match of its own.
static MOODS: LazyLock<Mutex<HashMap<String, Mood>>> = LazyLock::new(Mutex::default);

pub(crate) fn set_mood(match_id: &str, mood: Mood) {
    MOODS.lock().unwrap().insert(match_id.into(), mood);
}

fn mood_of(match_id: &str) -> Mood {
    MOODS.lock().unwrap().get(match_id).copied().unwrap_or_default()
}

/// Two pull at a rope, and who pulls the other over the line three times has won.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Rope {
    #[serde(flatten)]
    course: Course,
    pulls: [u16; 2],
    strongest: Option<String>,
}

const TO_WIN: u16 = 3;

/// `rope.pulled {team, player}`, or what all games have.
#[derive(Debug)]
pub(crate) enum Event {
    Pulled(Pulled),
    Common(course::Event),
}

#[derive(Debug, Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pulled {
    team: course::TeamIndex,
    player: Player,
}

impl Vocabulary for Event {
    const TAGS: &'static [&'static str] = &["rope.pulled"];

    fn parse(tag: &str, data: &str) -> Option<Result<Self, serde_json::Error>> {
        match tag {
            "rope.pulled" => Some(serde_json::from_str(data).map(Self::Pulled)),
            _ => course::Event::parse(tag, data).map(|event| event.map(Self::Common)),
        }
    }

    fn to_json(&self) -> String {
        match self {
            Self::Pulled(pulled) => serde_json::to_string(pulled).unwrap(),
            Self::Common(event) => event.to_json(),
        }
    }

    fn schema(tag: &str) -> Option<Schema> {
        (tag == "rope.pulled").then(|| schemars::schema_for!(Pulled))
    }

    fn common(&self) -> Option<&course::Event> {
        match self {
            Self::Pulled(_) => None,
            Self::Common(event) => Some(event),
        }
    }

    const NAMED: &'static [&'static str] = &[];

    fn names_mut(&mut self) -> Vec<(&Player, &mut PersonName)> {
        Vec::new()
    }

    fn players_mut(&mut self) -> Vec<&mut Player> {
        match self {
            Self::Pulled(pulled) => vec![&mut pulled.player],
            Self::Common(_) => Vec::new(),
        }
    }
}

impl Rules for Rope {
    const GAME: &'static str = "rope";
    type Event = Event;

    fn begin(course: Course) -> Self {
        Self { course, pulls: [0, 0], strongest: None }
    }

    fn course(&self) -> &Course {
        &self.course
    }

    fn course_mut(&mut self) -> &mut Course {
        &mut self.course
    }

    fn fold(&mut self, event: &Event, _: Timestamp) -> bool {
        let Event::Pulled(pulled) = event else { return false };
        if self.status() != Status::Ended {
            self.pulls[pulled.team.index()] += 1;
            self.strongest = Some(pulled.player.to_string());
            self.course.winner = self.pulls.iter().position(|pulls| *pulls == TO_WIN);
        }
        true
    }

    fn status(&self) -> Status {
        if self.course.winner.is_some() { Status::Ended } else { Status::Live }
    }

    fn team_on(&self, _: &str) -> Option<usize> {
        None
    }

    fn score(&self) -> [u16; 2] {
        self.pulls
    }

    fn set_score(&mut self, score: [u16; 2]) {
        self.pulls = score;
    }

    fn close(&mut self) {}

    fn predict(&self, _: &str) -> Option<Prediction> {
        let [ours, theirs] = self.pulls.map(|pulls| f64::from(pulls) + 1.0);
        let first = ours / (ours + theirs);
        let mut map = [first, 1.0 - first];
        match mood_of(&self.course.match_id) {
            Mood::Calm => {}
            Mood::Panics => panic!("the rope is torn"),
            Mood::Dawdles => {
                let begun = Instant::now();
                while begun.elapsed() < LIMIT * 2 {}
            }
            Mood::Raves => map = [f64::NAN, 2.0],
        }
        let seq = self.course.seq;
        Some(Prediction { seq, round_no: None, model: "rope-1", round: None, map, draw: None })
    }

    fn models() -> &'static [&'static str] {
        &["rope-1"]
    }

    fn claim(&self, _: &Event) -> Option<String> {
        None
    }

    fn stats(maps: &[&Self]) -> Value {
        json!({"pulls": maps.iter().map(|map| map.pulls[0] + map.pulls[1]).sum::<u16>()})
    }

    fn reveal(&mut self, _: &dyn Identities) {}
}

pub(crate) fn pulled(match_id: &str, id: u32, team: u8) -> Value {
    let data = json!({"team": team, "player": "steam:1"});
    event(&format!("match/{match_id}/1"), id, "rope.pulled", &data)
}
