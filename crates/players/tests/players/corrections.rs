//! Tournaments of teams in which everything is corrected all the time.

use std::hash::{BuildHasher as _, RandomState};

use matchwire_players::statistics::Statistics;
use rand::{
    Rng, SeedableRng as _,
    rngs::SmallRng,
    seq::{IndexedRandom as _, SliceRandom as _},
};
use serde_json::{Value, json};

use crate::world::{World, event};

/// Prints the seed, and takes it again from `MATCHWIRE_SEED`.
pub(crate) fn rng() -> SmallRng {
    let given = std::env::var("MATCHWIRE_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0) >> 1);
    println!("MATCHWIRE_SEED={seed}");
    SmallRng::seed_from_u64(seed)
}

fn team(rng: &mut SmallRng) -> Value {
    let team = ["a", "b", "c", "d"].choose(rng).unwrap();
    let mut members: Vec<Value> =
        (0..3).map(|member| json!({"player": format!("{team}{member}")})).collect();
    // A stand-in, who may be in other teams too.
    if rng.random_bool(0.3) {
        members[0] = json!({"player": format!("x{}", rng.random_range(0..3))});
    }
    json!({"name": team.to_uppercase(), "id": team, "players": members})
}

/// A fact of a match, by its tag and data.
fn fact_of_match(rng: &mut SmallRng) -> (&'static str, Value) {
    let team_index = rng.random_range(0..2);
    match rng.random_range(0..14) {
        0..4 => {
            let tournament = ["cup", "bowl"].choose(rng).unwrap();
            let teams = [team(rng), team(rng)];
            ("match.scheduled", json!({"game": "cs2", "tournament": tournament, "teams": teams}))
        }
        4..9 => ("series.ended", json!({"winner": team_index, "score": [1, 1]})),
        9 => ("series.ended", json!({})),
        10 => {
            let how = ["gave_up", "disqualified", "no_show"].choose(rng).unwrap();
            ("match.forfeited", json!({"team": team_index, "how": how}))
        }
        11 => ("match.cancelled", json!({})),
        12 => (*["match.abandoned", "series.started"].choose(rng).unwrap(), json!({})),
        _ => ("bye.given", json!({"team": team_index})),
    }
}

/// A fact of a map of football.
fn fact_of_map(rng: &mut SmallRng) -> (&'static str, Value) {
    let side = rng.random_range(0..2);
    let who = format!("{}{}", ["a", "b"][side], rng.random_range(0..3));
    match rng.random_range(0..13) {
        0..3 => {
            let players = json!([{"player": who, "starts": true}]);
            ("lineup.told", json!({"team": side, "players": players}))
        }
        3..5 => ("period.started", json!({"period": "first_half"})),
        5..7 => ("goal.scored", json!({"team": side, "scorer": who})),
        7 => ("card.shown", json!({"team": side, "card": "yellow", "player": who})),
        8 => ("shot.taken", json!({"team": side, "player": who, "outcome": "saved"})),
        9..11 => ("match.finished", json!({})),
        11 => ("match.forfeited", json!({"team": side})),
        _ => ("match.abandoned", json!({})),
    }
}

/// A fact of a match of football, which mostly does not tell who plays.
fn fact_of_series(rng: &mut SmallRng) -> (&'static str, Value) {
    match rng.random_range(0..4) {
        0 => ("match.scheduled", json!({"game": "football", "tournament": "cup"})),
        1 => ("match.scheduled", json!({"game": "football", "teams": [team(rng), team(rng)]})),
        2 => ("match.cancelled", json!({})),
        _ => ("series.started", json!({})),
    }
}

/// A fact of a tournament.
fn fact_of_tournament(rng: &mut SmallRng) -> (&'static str, Value) {
    let teams = ["a", "b", "c", "d"];
    let entrant = json!({"team": teams.choose(rng).unwrap()});
    match rng.random_range(0..8) {
        0..2 => {
            let season = ["spring", "autumn"].choose(rng).unwrap();
            ("tournament.announced", json!({"season": season, "private": rng.random_bool(0.3)}))
        }
        2..4 => {
            let team = json!({"id": entrant["team"], "players": [format!("{}0", teams.choose(rng).unwrap())]});
            ("tournament.registered", json!({"entrants": [{"team": team}]}))
        }
        4..6 => {
            let place = rng.random_range(1..5);
            ("tournament.placed", json!({"placements": [{"entrant": entrant, "place": place}]}))
        }
        6 => {
            let tag = ["tournament.withdrawn", "tournament.disqualified"].choose(rng).unwrap();
            (*tag, json!({"entrants": [entrant]}))
        }
        _ => (*["tournament.ended", "tournament.cancelled"].choose(rng).unwrap(), json!({})),
    }
}

/// Something that happens, or the correction of something that did.
pub(crate) fn step(
    rng: &mut SmallRng,
    world: &World,
    number: usize,
) -> matchwire_domain::envelope::Event {
    let is_match = rng.random_bool(0.7);
    let (subject, (tag, data)) = match rng.random_range(0..10) {
        _ if !is_match => {
            let tournament = ["cup", "bowl"].choose(rng).unwrap();
            (format!("tournament/{tournament}"), fact_of_tournament(rng))
        }
        0..6 => (format!("match/m{}", rng.random_range(0..6)), fact_of_match(rng)),
        6..9 => (format!("match/f{}/1", rng.random_range(0..3)), fact_of_map(rng)),
        _ => (format!("match/f{}", rng.random_range(0..3)), fact_of_series(rng)),
    };
    let before = world.len(&subject);
    let (tag, data) = match rng.random_range(0..10) {
        0 if before > 0 => ("event.voided", json!({"seq": rng.random_range(1..=before)})),
        1 if before > 0 => {
            let seq = rng.random_range(1..=before);
            ("event.amended", json!({"seq": seq, "type": tag, "data": data}))
        }
        2 if is_match && before > 0 => {
            ("result.amended", json!({"seq": before, "winner": rng.random_range(0..2)}))
        }
        _ => (tag, data),
    };
    event(&subject, &number.to_string(), rng.random_range(0..1_000), tag, &data.to_string())
}

/// Whatever is told, corrected, voided and told otherwise, and in whatever order the activities of it
/// arrive: statistics and ratings are those of a log that is read once, from its end.
#[test]
fn statistics_and_ratings_are_those_of_the_final_truth() {
    let mut rng = rng();
    let (mut reversals, mut results) = (0, 0);
    for _ in 0..30 {
        let (mut world, mut truth) = (World::new(), World::new());
        let mut statistics = Statistics::default();
        let mut on_their_way = Vec::new();
        for number in 0..rng.random_range(50..200) {
            let told = step(&mut rng, &world, number);
            truth.record(&told);
            on_their_way.extend(world.tell(&told));
            on_their_way.shuffle(&mut rng);
            let arrive = rng.random_range(0..=on_their_way.len());
            for activity in on_their_way.drain(..arrive) {
                reversals += u32::from(activity.is_reversal());
                results += 1;
                statistics.take(&activity);
            }
        }
        for activity in &on_their_way {
            statistics.take(activity);
        }
        truth.follow_all();
        assert_eq!(statistics, truth.statistics());
        assert_eq!(statistics, world.statistics());
        assert_eq!(world.ratings, truth.ratings);
        assert!(truth.activities.values().flatten().all(|activity| activity.revision == 1));
    }
    println!("{results} activities, {reversals} of them reversals");
    assert!(reversals > 1_000 && results > 2 * reversals);
}

/// A result that is reversed fifty times is the last one.
#[test]
fn fifty_revisions_of_one_result() {
    let mut rng = rng();
    let (mut world, mut truth) = (World::new(), World::new());
    let teams = json!({"game": "cs2", "teams": [team(&mut rng), {"name": "Z", "id": "z", "players": [{"player": "z"}]}]});
    let mut all = vec![event("match/m", "0", 0, "match.scheduled", &teams.to_string())];
    let mut made = 0;
    for number in 1..=50 {
        let (tag, data) = match rng.random_range(0..4) {
            0 => ("match.forfeited", json!({"team": rng.random_range(0..2)})),
            1 => ("match.abandoned", json!({})),
            _ => ("result.amended", json!({"seq": number, "winner": rng.random_range(0..2)})),
        };
        all.push(event("match/m", &number.to_string(), number, tag, &data.to_string()));
    }
    for told in &all {
        made += world.tell(told).len();
        truth.record(told);
    }
    truth.follow_all();
    assert_eq!(world.statistics(), truth.statistics());
    assert_eq!(world.ratings, truth.ratings);
    assert!(made > 50, "{made} activities");
}
