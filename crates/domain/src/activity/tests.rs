//! What is told of players, and told otherwise, in whatever order.

use std::collections::BTreeMap;

use proptest::{
    collection::{btree_map, vec},
    prelude::*,
};
use serde_json::json;

use super::*;
use crate::{
    outcome::{Ending, Feats, Outcome, Side},
    timestamp::Timestamp,
};

fn side(team: Option<&str>, ending: Ending, members: &[&str]) -> Side {
    Side {
        team: team.map(ToOwned::to_owned),
        ending,
        has_played: ending.is_by_play(),
        members: members.iter().map(|player| ((*player).to_owned(), Feats::new())).collect(),
    }
}

fn outcome(endings: [Ending; 2]) -> Outcome {
    let [first, second] = endings;
    Outcome {
        match_id: "m".into(),
        game: "cs2".into(),
        tournament: Some("cup".into()),
        season: None,
        is_private: false,
        ended: Timestamp::from_ms(0),
        is_team: true,
        sides: [side(Some("a"), first, &["a1", "a2"]), side(Some("b"), second, &["b1"])],
    }
}

fn revised(so_far: &[Activity], outcome: Option<&Outcome>) -> Vec<Activity> {
    revise(Model::Match, "m", so_far, outcome.map(Outcome::deeds).unwrap_or_default())
}

fn told(made: &[Activity]) -> Vec<String> {
    let tell = |one: &Activity| {
        let sign = if one.is_reversal() { "-" } else { "+" };
        format!("{sign}{} {}@{}", one.player, one.kind, one.revision)
    };
    made.iter().map(tell).collect()
}

/// What all activities come to: each deed as often as it is stated more than it is taken back.
fn sum(activities: &[Activity]) -> BTreeMap<(String, String), i64> {
    let mut sum = BTreeMap::new();
    for activity in activities {
        let deed = serde_json::to_string(&activity.deed).unwrap();
        let key = (format!("{} {}", activity.player, activity.kind), deed);
        *sum.entry(key).or_default() += if activity.is_reversal() { -1 } else { 1 };
    }
    sum.retain(|_, times| *times != 0);
    sum
}

#[test]
fn a_result_is_stated_taken_back_and_stated_anew() {
    let won = outcome([Ending::Won, Ending::Lost]);
    let mut all = revised(&[], Some(&won));
    let first = ["+a1 match_played@1", "+a1 match_won@1", "+a2 match_played@1", "+a2 match_won@1"];
    assert_eq!(told(&all)[..4], first);
    assert!(all.iter().filter(|one| one.kind == Kind::MatchWon).all(Activity::is_team_win));
    assert!(revised(&all, Some(&won)).is_empty(), "the same outcome twice gives nothing");
    let lost = outcome([Ending::Lost, Ending::Won]);
    let disputed = revised(&all, Some(&lost));
    let changes = [
        "-a1 match_won@2",
        "-a2 match_won@2",
        "-b1 match_lost@2",
        "+a1 match_lost@1",
        "+a2 match_lost@1",
        "+b1 match_won@1",
    ];
    assert_eq!(told(&disputed), changes);
    assert_eq!(disputed[0].deed, all[1].deed, "a reversal carries what it reverses");
    all.extend(disputed);
    all.extend(revised(&all, Some(&won)));
    assert!(told(&all).contains(&"+a1 match_won@3".into()));
    // A team's name is set right: the same kind is taken back and stated in one step.
    let mut renamed = won.clone();
    renamed.sides[0].team = Some("alpha".into());
    let changes = revised(&all, Some(&renamed));
    assert_eq!(told(&changes)[..2], ["-a1 match_played@2", "-a1 match_won@4"]);
    assert!(told(&changes).contains(&"+a1 match_won@5".into()));
    all.extend(changes);
    // The match is open again.
    all.extend(revised(&all, None));
    assert_eq!(sum(&all), BTreeMap::new());
}

#[test]
fn a_compact_json() {
    let all = revised(&[], Some(&outcome([Ending::Won, Ending::Lost])));
    let json = serde_json::to_value(&all[1]).unwrap();
    let written = json!({
        "player": "a1", "source_model": "match", "source_id": "m", "event_type": "match_won", "revision": 1,
        "time": "1970-01-01T00:00:00.000Z", "game": "cs2", "tournament": "cup", "is_team": true, "team": "a",
        "against": ["b1"], "against_team": "b",
    });
    assert_eq!(json, written);
    for activity in all {
        let json = serde_json::to_string(&activity).unwrap();
        assert_eq!(serde_json::from_str::<Activity>(&json).unwrap(), activity);
    }
    for kind in ["match_played", "tournament_won", "ace"] {
        assert_eq!(Kind::from(kind.to_owned()).as_str(), kind);
    }
}

fn ending() -> impl Strategy<Value = Ending> {
    use Ending::{Cancelled, Disqualified, Drawn, Lost, NoShow, Won, WonByForfeit};
    prop_oneof![
        Just(Won),
        Just(Lost),
        Just(Drawn),
        Just(WonByForfeit),
        Just(Disqualified),
        Just(NoShow),
        Just(Cancelled),
    ]
}

prop_compose! {
    fn any_side()(
        ending in ending(),
        team in proptest::option::of("[ab]"),
        members in btree_map("[p-t]", btree_map("[gh]", 1_u32..3, 0..2), 0..4),
    ) -> Side {
        Side { team, ending, has_played: ending.is_by_play(), members }
    }
}

prop_compose! {
    fn any_outcome()(first in any_side(), second in any_side(), ended in 0_i64..3, is_private: bool) -> Outcome {
        let ended = Timestamp::from_ms(ended);
        Outcome { ended, is_private, sides: [first, second], ..outcome([Ending::Won, Ending::Lost]) }
    }
}

proptest! {
    /// However often and in whatever way a result was told before, and in whatever order that was
    /// read again: all activities together are those of the last one.
    #[test]
    fn the_sum_is_that_of_the_last(
        outcomes in vec(proptest::option::of(any_outcome()), 1..50),
        order in any::<u64>(),
    ) {
        let mut all: Vec<Activity> = Vec::new();
        for (step, outcome) in (0..).zip(&outcomes) {
            // Whoever keeps them may give them back in any order.
            let turn = usize::try_from(order.rotate_left(step) % 97).unwrap() % all.len().max(1);
            all.rotate_left(turn);
            all.extend(revised(&all, outcome.as_ref()));
        }
        let last = outcomes.last().unwrap().as_ref();
        prop_assert_eq!(sum(&all), sum(&revised(&[], last)));
        prop_assert!(revised(&all, last).is_empty());
        let keys: std::collections::BTreeSet<_> =
            all.iter().map(|one| (&one.player, &one.kind, one.revision)).collect();
        prop_assert_eq!(keys.len(), all.len(), "the natural key is a key");
    }
}
