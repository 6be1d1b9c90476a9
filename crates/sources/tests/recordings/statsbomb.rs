//! Football matches in StatsBomb's event data.

use std::collections::BTreeSet;

use matchwire_domain::{
    chain::Digest,
    envelope::{Event, Recorded},
    live_match::{Games, Status, football::State},
    subject::Subject,
    timeline::Fold,
    timestamp::Timestamp,
};
use matchwire_sources::{
    Headers, Post, Source as _,
    statsbomb::{Carry, StatsBomb},
};
use rand::{SeedableRng as _, rngs::SmallRng, seq::SliceRandom as _};
use serde_json::Value;

/// A match, by its number, with what is known of it: score, yellow cards, red cards, shots.
struct Known {
    number: &'static str,
    score: [u16; 2],
    yellow: [u16; 2],
    red: [u16; 2],
}

const MATCHES: [Known; 2] = [
    Known { number: "15986", score: [2, 2], yellow: [3, 5], red: [1, 0] },
    Known { number: "3788741", score: [0, 3], yellow: [2, 0], red: [0, 0] },
];

fn file(number: &str, part: &str) -> Option<Vec<Value>> {
    let file = crate::recording(&format!("football/statsbomb-{number}-{part}.json.zst"))?;
    Some(serde_json::from_reader(zstd::Decoder::new(&*file).unwrap()).unwrap())
}

/// A log of one stream, in memory: posts go in, what is known already is dropped.
#[derive(Default)]
struct Log {
    carry: Carry,
    known: BTreeSet<String>,
    records: Vec<Recorded>,
}

impl Log {
    fn post(&mut self, items: &[Value]) {
        let body: String = items.iter().map(|item| format!("{item}\n")).collect();
        let (body, headers) = (body.as_bytes(), Headers::new());
        let carry = std::mem::take(&mut self.carry);
        let post = Post { body, headers: &headers };
        let answer = StatsBomb.read(Some(1), carry, &post, &mut |person| person.replace(':', "-"));
        self.carry = answer.carry;
        for draft in answer.drafts {
            if self.known.insert(draft.id.clone()) {
                let Event { stored, .. } = draft.into_event("m").unwrap();
                let leaf = Digest::leaf(&stored);
                let recorded = Timestamp::from_ms(1_700_000_000_000);
                let seq = self.records.len() as u64 + 1;
                self.records.push(Recorded { seq, recorded, leaf, chain: leaf, stored });
            }
        }
    }

    fn fold(&self) -> Fold {
        let subject = Subject::match_map("m", 1).unwrap();
        Fold::of(&Games::default(), &subject, &self.records)
    }

    /// The state without the log's numbers, which depend on the order in which events came.
    fn json(&self) -> Value {
        let fold = self.fold();
        let mut state = fold.state::<State>().expect("it is football").clone();
        (state.course.seq, state.course.prediction) = (0, None);
        for goal in state.goals.values_mut() {
            goal.seq = 0;
        }
        serde_json::to_value(state).unwrap()
    }
}

/// What a reader of its own finds: for each goal the minute that the file has, counted from 0, the
/// scorer, and whether it is an own goal; in order.
fn goals(events: &[Value]) -> Vec<(u64, String, bool)> {
    let is_goal = |event: &&Value| {
        event["shot"]["outcome"]["name"] == "Goal" || event["type"]["name"] == "Own Goal Against"
    };
    let goal = |event: &Value| {
        let scorer = format!("statsbomb-{}", event["player"]["id"]);
        (event["minute"].as_u64().unwrap(), scorer, event["shot"].is_null())
    };
    events.iter().filter(is_goal).map(goal).collect()
}

#[test]
fn matches_reach_their_results() {
    for Known { number, score, yellow, red } in MATCHES {
        let Some((events, squads)) = file(number, "event").zip(file(number, "lineup")) else {
            return;
        };
        let mut log = Log::default();
        log.post(&events);
        log.post(&squads);
        let fold = log.fold();
        let state: &State = fold.state().unwrap();
        println!("{number}: {} of {} events", log.records.len(), events.len());
        println!("{}", serde_json::to_string(&state.teams).unwrap());
        assert_eq!(state.course.status, Status::Ended);
        assert_eq!(state.teams.each_ref().map(|team| team.score), score, "{number}");
        let winner = (score[0] != score[1]).then_some(usize::from(score[1] > score[0]));
        assert_eq!(state.course.winner, winner, "{number}");
        assert_eq!(state.course.anomalies, [], "{number}");
        assert_eq!(state.teams.each_ref().map(|team| team.yellow_cards), yellow, "{number}");
        assert_eq!(state.teams.each_ref().map(|team| team.red_cards), red, "{number}");
        let found: Vec<_> = state
            .goals
            .values()
            .map(|goal| {
                let minute = goal.at.minute.unwrap() + goal.at.added - 1;
                (u64::from(minute), goal.scorer.clone().unwrap(), goal.own_goal)
            })
            .collect();
        assert_eq!(found, goals(&events), "{number}");
        // Eleven less those sent off are on the pitch, with a name and a number.
        for (index, team) in state.teams.iter().enumerate() {
            let on = state
                .players
                .values()
                .filter(|player| player.team == Some(index) && player.on_pitch == Some(true));
            assert_eq!(on.count(), usize::from(11 - team.dismissed), "{number}");
        }
        let is_told = |(_, player): (_, &matchwire_domain::live_match::football::PlayerState)| {
            player.name.shown().is_some() && player.number.is_some()
        };
        assert!(state.players.iter().all(is_told), "{number}");
        let minutes: u16 = state.players.values().map(|player| player.minutes).sum();
        assert!((1_900..=1_980).contains(&minutes), "{number}: {minutes}");
        // Shots and their expected goals, summed by a reader of its own.
        for (index, team) in state.teams.iter().enumerate() {
            let id = &events[index]["team"]["id"];
            let own = || {
                events
                    .iter()
                    .filter(|event| event["type"]["name"] == "Shot" && event["team"]["id"] == *id)
            };
            assert_eq!(usize::from(team.shots), own().count(), "{number}");
            let xg: f64 = own().map(|event| event["shot"]["statsbomb_xg"].as_f64().unwrap()).sum();
            assert!((f64::from(team.xg.unwrap()) - xg).abs() < 1e-4, "{number}");
        }
        assert!(fold.predictions.len() > 90, "one for each minute");
        let sums = fold
            .predictions
            .iter()
            .map(|prediction| prediction.map[0] + prediction.map[1] + prediction.draw.unwrap());
        assert!(sums.into_iter().all(|sum| (sum - 1.0).abs() < 1e-9));
    }
}

#[test]
fn however_they_are_posted() {
    let seed = std::env::var("MATCHWIRE_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("MATCHWIRE_SEED={seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    for Known { number, .. } in MATCHES {
        let Some(events) = file(number, "event") else { return };
        let mut whole = Log::default();
        whole.post(&events);
        let expected = whole.json();
        // One by one, as it happens.
        let mut single = Log::default();
        for event in &events {
            single.post(std::slice::from_ref(event));
        }
        assert_eq!(single.json(), expected, "{number} one by one");
        assert_eq!(single.records.len(), whole.records.len(), "{number} one by one");
        // Shuffled as a whole.
        let mut shuffled = events.clone();
        shuffled.shuffle(&mut random);
        let mut log = Log::default();
        log.post(&shuffled);
        assert_eq!(log.json(), expected, "{number} shuffled");
        // In parts that are shuffled, each sent again later.
        let mut log = Log::default();
        log.post(&events[..4]);
        for part in shuffled.chunks(97) {
            log.post(part);
        }
        for part in shuffled.chunks(411) {
            log.post(part);
        }
        assert_eq!(log.json(), expected, "{number} in parts");
    }
}

#[test]
fn a_match_that_stops() {
    let Some(events) = file(MATCHES[0].number, "event") else { return };
    let mut log = Log::default();
    log.post(&events[..events.len() / 2]);
    let fold = log.fold();
    let state: &State = fold.state().unwrap();
    assert_eq!((state.course.status, state.course.winner), (Status::Live, None));
    let told = goals(&events[..events.len() / 2]).len();
    assert_eq!(usize::from(state.teams[0].score + state.teams[1].score), told);
}
