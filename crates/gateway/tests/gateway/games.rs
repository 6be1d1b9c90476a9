//! A game that nobody but its author knows is played over HTTP like those that come with Matchwire.

use matchwire_domain::{
    live_match::{Course, Game, Games, Player, Prediction, Rules, Status, Vocabulary, course, cs},
    timestamp::Timestamp,
};
use schemars::Schema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    harness::{Server, event},
    setup::Setup,
};

/// Two pull at a rope, and who pulls the other over the line three times has won.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Rope {
    #[serde(flatten)]
    course: Course,
    pulls: [u16; 2],
    strongest: Option<String>,
}

const TO_WIN: u16 = 3;

/// `rope.pulled {team, player}`, or what all games have.
#[derive(Debug)]
enum Event {
    Pulled(Pulled),
    Common(course::Event),
}

#[derive(Debug, Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pulled {
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
        let map = [first, 1.0 - first];
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

    fn reveal(&mut self, _: &dyn Fn(&str) -> Option<String>) {}
}

fn pulled(id: u32, team: u8) -> Value {
    let data = json!({"team": team, "player": "steam:1"});
    event("match/m1/1", id, "rope.pulled", &data)
}

#[tokio::test]
async fn a_small_game_is_played_like_any_other() {
    let games = Games::new(&[Game::of::<cs::State>(), Game::of::<Rope>()]);
    let server = Server::of(Setup { games, ..Setup::default() }).await;
    let mut socket = server.socket().await;
    socket.subscribe("match/m1/1", json!(0)).await;
    let reply = server.post(&[pulled(1, 0), pulled(2, 1), pulled(3, 0)]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let state = server.get("/api/v1/matches/m1/maps/1").await.json();
    assert_eq!((&state["game"], &state["status"]), (&json!("rope"), &json!("live")));
    assert_eq!((&state["pulls"], &state["strongest"]), (&json!([2, 1]), &json!("p1")));
    assert_eq!(state["prediction"]["map"], json!([0.6, 0.4]));
    assert_eq!(socket.next_of("event").await["event"]["type"], "rope.pulled");
    assert_eq!(socket.next_of("prediction").await["prediction"]["model"], "rope-1");
    // What all games have works in it, too.
    let void = event("match/m1/1", 4, "event.voided", &json!({"seq": 2}));
    server.post(&[void, pulled(5, 0)]).await;
    let state = server.get("/api/v1/matches/m1/maps/1").await.json();
    assert_eq!((&state["pulls"], &state["winner"]), (&json!([3, 0]), &json!(0)));
    assert_eq!(state["status"], "ended");
    let whole = server.get("/api/v1/matches/m1/stats").await.json();
    assert_eq!(whole, json!({"match": "m1", "maps": [1], "stats": {"pulls": 3}}));
    // Its events are checked and described.
    let bad = event("match/m1/1", 6, "rope.pulled", &json!({"team": 2, "player": "steam:1"}));
    assert_eq!(server.post(&[bad]).await.json()["results"][0]["error"]["code"], "schema");
    let schema = server.get("/api/v1/schemas/rope.pulled.json").await.json();
    assert_eq!(schema["required"], json!(["team", "player"]));
    server.end().await;
}

#[tokio::test]
async fn an_event_of_another_game_is_an_anomaly() {
    let games = Games::new(&[Game::of::<cs::State>(), Game::of::<Rope>()]);
    let server = Server::of(Setup { games, ..Setup::default() }).await;
    let round = event("match/m1/1", 2, "round.started", &json!({}));
    server.post(&[pulled(1, 0), round, pulled(3, 0)]).await;
    let state = server.get("/api/v1/matches/m1/maps/1").await.json();
    assert_eq!(state["pulls"], json!([2, 0]));
    assert_eq!(
        (&state["anomalies"][0]["kind"], &state["anomaly_count"]),
        (&json!("wrong_game"), &json!(1))
    );
    server.end().await;
}
