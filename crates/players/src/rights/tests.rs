//! Every case as a table, and what holds whatever the case.

use matchwire_domain::{
    activity::{Deed, Kind, Model},
    player::Privacy,
    timestamp::Timestamp,
};
use proptest::{collection::vec, option, prelude::*};
use serde_json::json;

use super::*;

const VISIBILITIES: [Visibility; 3] = [Visibility::Owner, Visibility::Friends, Visibility::Public];

fn state(activity: Visibility, statistics: Visibility) -> State {
    State { privacy: Privacy { activity, statistics }, ..State::default() }
}

#[test]
fn every_case() {
    use Relation::{Friend, Other, Owner};
    // Who looks, whether they are friends, as whom, and whether what is for the owner, for friends, for everyone is seen.
    let table = [
        (Some("p1"), false, Owner, [true, true, true]),
        (Some("p1"), true, Owner, [true, true, true]),
        (Some("p2"), true, Friend, [false, true, true]),
        (Some("p2"), false, Other, [false, false, true]),
        (None, false, Other, [false, false, true]),
        // Nobody can be the friend of whom nobody knows.
        (None, true, Other, [false, false, true]),
        // An id that begins alike is another one.
        (Some("p11"), false, Other, [false, false, true]),
        (Some(""), false, Other, [false, false, true]),
    ];
    for (viewer, is_friend, relation, sees) in table {
        for (activity, sees_activity) in VISIBILITIES.into_iter().zip(sees) {
            for (statistics, sees_statistics) in VISIBILITIES.into_iter().zip(sees) {
                let state = state(activity, statistics);
                let rights = Rights::of(viewer, "p1", &state, is_friend);
                let expected =
                    Rights { relation, activity: sees_activity, statistics: sees_statistics };
                assert_eq!(rights, expected, "{viewer:?} {is_friend} {:?}", state.privacy);
                let reach = if relation == Owner { Reach::Own } else { Reach::Others };
                assert_eq!(rights.reach(), sees_statistics.then_some(reach));
                let grain = if sees_activity { Grain::Match } else { Grain::Day };
                assert_eq!(rights.grain(), sees_statistics.then_some(grain));
            }
        }
    }
}

#[test]
fn of_a_player_who_has_said_nothing_only_the_player_sees_anything() {
    let of = |viewer| Rights::of(viewer, "p1", &State::default(), true);
    let all = Rights { relation: Relation::Owner, activity: true, statistics: true };
    assert_eq!(of(Some("p1")), all);
    for viewer in [Some("p2"), None] {
        let rights = of(viewer);
        assert!(!rights.activity && !rights.statistics);
        assert_eq!((rights.reach(), rights.show(&won(), public_id)), (None, None));
    }
}

fn public_id(player: &str) -> String {
    format!("MW-26-{:06}", player.bytes().map(u32::from).sum::<u32>())
}

fn won() -> Activity {
    let deed = Deed {
        game: "cs2".into(),
        tournament: Some("cup".into()),
        season: Some("spring".into()),
        is_team: true,
        team: Some("reds".into()),
        against: vec!["p2".into()],
        against_team: Some("blues".into()),
        // Half past ten on the second day.
        ..Deed::at(Timestamp::from_ms(DAY_MS + 10 * HOUR_MS + HOUR_MS / 2))
    };
    Activity {
        player: "p1".into(),
        source_model: Model::Match,
        source_id: "m7".into(),
        kind: Kind::MatchWon,
        revision: 1,
        deed,
    }
}

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

#[test]
fn what_an_activity_looks_like() {
    let public = state(Visibility::Public, Visibility::Public);
    let shown = |viewer, activity: &Activity| {
        let rights = Rights::of(viewer, "p1", &public, viewer == Some("p2"));
        serde_json::to_value(rights.show(activity, public_id)).unwrap()
    };
    let seen = json!({
        "player": "p1", "source_model": "match", "source_id": "m7", "event_type": "match_won", "revision": 1,
        "time": "1970-01-02T10:30:00.000Z", "game": "cs2", "tournament": "cup", "season": "spring",
        "is_team": true, "team": "reds", "against": [public_id("p2")], "against_team": "blues",
    });
    let mut private = won();
    private.deed.is_private = true;
    let private_seen = json!({
        "player": "p1", "source_model": "match", "source_id": "[private tournament]", "event_type": "match_won",
        "revision": 1, "time": "1970-01-02T00:00:00.000Z", "game": "cs2", "tournament": "[private tournament]",
        "is_private": true, "is_team": true,
    });
    for viewer in [Some("p2"), Some("p3"), None] {
        assert_eq!(shown(viewer, &won()), seen);
        assert_eq!(shown(viewer, &private), private_seen);
    }
    for activity in [won(), private] {
        assert_eq!(shown(Some("p1"), &activity), serde_json::to_value(&activity).unwrap());
    }
}

fn visibility() -> impl Strategy<Value = Visibility> {
    proptest::sample::select(VISIBILITIES.to_vec())
}

prop_compose! {
    fn any_state()(activity in visibility(), statistics in visibility()) -> State {
        state(activity, statistics)
    }
}

prop_compose! {
    /// Ids tell by how they begin what they are of: `steam:` an account, `player-` another player, `secret-` something of a
    /// private tournament.
    fn any_activity()(
        is_private: bool,
        model in proptest::sample::select(vec![Model::Match, Model::Tournament]),
        kind in "[a-z_]{1,12}",
        ids in vec("[a-z0-9]{1,6}", 4),
        against in vec("player-[0-9]{1,4}|steam:[0-9]{1,8}", 0..6),
        (season, has_team) in (option::of("[a-z]{1,6}"), any::<bool>()),
        (is_team, by_forfeit, count, place) in (any::<bool>(), any::<bool>(), 1_u32..9, option::of(1_u32..99)),
        (time, revision) in (any::<i32>(), 1_u32..9),
    ) -> Activity {
        let name = |id: &String| if is_private { format!("secret-{id}") } else { id.clone() };
        let deed = Deed {
            game: "g".into(),
            tournament: Some(name(&ids[0])),
            season: season.as_ref().map(name),
            is_private, is_team, against, by_forfeit, count, place,
            team: has_team.then(|| name(&ids[1])),
            against_team: has_team.then(|| name(&ids[2])),
            ..Deed::at(Timestamp::from_ms(i64::from(time) * 1_000))
        };
        let (player, source_id) = ("owner".into(), name(&ids[3]));
        Activity { player, source_model: model, source_id, kind: Kind::from(kind), revision, deed }
    }
}

proptest! {
    /// A stranger sees nothing that a friend does not see, and a friend nothing that the owner does not see.
    #[test]
    fn nobody_sees_more_than_whoever_is_closer(state in any_state(), activity in any_activity()) {
        let looks = [(None, false), (Some("x"), false), (Some("x"), true), (Some("owner"), false)];
        let rights = looks.map(|(viewer, is_friend)| Rights::of(viewer, "owner", &state, is_friend));
        for pair in rights.windows(2) {
            let (further, closer) = (pair[0], pair[1]);
            prop_assert!(further.relation <= closer.relation);
            prop_assert!(further.activity <= closer.activity);
            prop_assert!(further.statistics <= closer.statistics);
            let shown = [further, closer].map(|it| it.show(&activity, public_id).is_some());
            prop_assert!(shown[0] <= shown[1]);
        }
        prop_assert_eq!(rights[3].show(&activity, public_id), Some(activity));
    }

    /// Whatever is in an activity: others are told no player but the owner, no account, and nothing of a private tournament.
    #[test]
    fn others_learn_of_nobody_and_of_no_private_tournament(activity in any_activity(), is_friend: bool) {
        let public = state(Visibility::Public, Visibility::Public);
        let rights = Rights::of(Some("x"), "owner", &public, is_friend);
        let shown = rights.show(&activity, public_id).unwrap();
        let json = serde_json::to_string(&shown).unwrap();
        for told in ["player-", "steam:", "secret-"] {
            prop_assert!(!json.contains(told), "{told} in {json}");
        }
        prop_assert_eq!(&shown.player, "owner");
        prop_assert_eq!(shown.change(), activity.change());
        if activity.deed.is_private {
            // Two of one day, in whatever private tournament, look the same.
            let other = Activity {
                source_id: "secret-other".into(),
                deed: Deed {
                    tournament: None,
                    against: Vec::new(),
                    team: None,
                    place: None,
                    ..activity.deed.clone()
                },
                ..activity.clone()
            };
            prop_assert_eq!(rights.show(&other, public_id), Some(shown));
        } else {
            prop_assert_eq!(shown.deed.team, activity.deed.team);
        }
    }
}
