//! Events with the fields that the plug-ins' schemas list, and values of our own.

mod play;
mod series;

use matchwire_domain::{
    chain::Digest,
    envelope::Recorded,
    live_match::{
        Games, Status,
        cs::{Reason, Score, Side, State},
    },
    subject::Subject,
    timeline::Fold,
    timestamp::Timestamp,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Draft, Headers};

#[derive(Default)]
struct Feed {
    carry: Carry,
    drafts: Vec<Draft>,
    posts: Vec<String>,
}

impl Feed {
    /// Takes a post as a server does: one that came before is not read.
    fn post(&mut self, post: &Value) -> Answer<Carry> {
        let (body, headers) = (post.to_string(), Headers::new());
        let post = Post { body: body.as_bytes(), headers: &headers };
        let stored = serde_json::to_string(&self.carry).unwrap();
        let carry: Carry = serde_json::from_str(&stored).unwrap();
        let identity = MatchZy.identity(&carry, &post);
        if self.posts.contains(&identity) {
            return Answer { drafts: Vec::new(), duplicate: 1, unknown: 0, carry };
        }
        let mut exchange = |account: &str| account.replace("steam:765611979602657", "p");
        let answer = MatchZy.read(None, carry, &post, &mut exchange);
        if !answer.drafts.is_empty() {
            self.posts.push(identity);
        }
        self.carry = answer.carry.clone();
        self.drafts.extend(answer.drafts.clone());
        answer
    }

    fn state(&self, map: u16) -> State {
        let fold = self.fold(Some(map), &Subject::match_map("m", map).unwrap());
        fold.state::<State>().unwrap().clone()
    }

    /// The match as a whole, after what an organiser told of it.
    fn series(&self) -> matchwire_domain::series::State {
        let fold = self.fold(None, &Subject::parse("match/m").unwrap());
        fold.state::<matchwire_domain::series::State>().unwrap().clone()
    }

    fn fold(&self, map: Option<u16>, subject: &Subject) -> Fold {
        let drafts = self.drafts.iter().filter(|draft| draft.map == map).cloned();
        let events = drafts.map(|draft| draft.into_event("m").unwrap());
        let record = |(seq, event): (u64, matchwire_domain::envelope::Event)| {
            let leaf = Digest::leaf(&event.stored);
            let recorded = Timestamp::from_ms(0);
            Recorded { seq, recorded, leaf, chain: leaf, stored: event.stored }
        };
        let stream: Vec<Recorded> = (1..).zip(events).map(record).collect();
        Fold::of(&Games::default(), subject, &stream)
    }
}

fn going_live() -> Value {
    json!({"event": "going_live", "matchid": 7, "map_number": 0})
}

/// The end of the round after which the first team has won `first` and the second `second`; the
/// first team began as counter-terrorists, and the sides changed after round 12.
fn round_end(first: u16, second: u16, first_won: bool, kills: u16) -> Value {
    let number = first + second - 1;
    let (own, other) = if number < 12 { ("ct", "t") } else { ("t", "ct") };
    let player = |id: u32, name: &str, kills: u16, deaths: u16| {
        json!([{"steamid": format!("765611979602657{id}"), "name": name, "stats": {
            "kills": kills, "deaths": deaths, "assists": 1, "flash_assists": 1, "team_kills": 0,
            "damage": 100 * u32::from(kills), "headshot_kills": kills / 2, "mvp": kills,
            "trade_kills": 0, "1k": kills, "2k": 2, "3k": 1, "1v2": 1, "kast": 3, "score": 9,
            "utility_damage": 7, "first_kills_t": 1, "first_kills_ct": 2,
        }}])
    };
    json!({
        "event": "round_end", "matchid": 7, "map_number": 0, "round_number": number,
        "round_time": 51_434, "reason": 8,
        "winner": {"side": if first_won { own } else { other }, "team": "team1"},
        "team1": {"id": "1", "name": "One", "series_score": 0, "score": first, "side": own,
                  "starting_side": "ct", "players": player(29, "alpha", kills, 0)},
        "team2": {"id": null, "name": "Two", "series_score": 0, "score": second, "side": other,
                  "starting_side": "t", "players": player(30, "bravo", 0, kills)},
    })
}

/// A whole map: the first team wins seven rounds, the second five, the first six more.
fn a_map() -> Vec<Value> {
    let mut posts = vec![going_live()];
    posts.extend((1..=7).map(|won| round_end(won, 0, true, won)));
    posts.extend((1..=5).map(|won| round_end(7, won, false, 7)));
    posts.extend((8..=13).map(|won| round_end(won, 5, true, won)));
    let mut result = round_end(13, 5, true, 14);
    result["event"] = "map_result".into();
    posts.push(result);
    posts
}

fn check(state: &State) {
    assert_eq!((state.course.status, state.course.winner), (Status::Ended, Some(0)));
    assert_eq!(state.score(), Score { ct: 5, t: 13 });
    assert_eq!(state.rounds.len(), 18);
    let sides: Vec<Side> = state.rounds.values().map(|round| round.side).collect();
    assert_eq!((sides[0], sides[7], sides[17]), (Side::Ct, Side::T, Side::T));
    let alpha = &state.players["p29"];
    assert_eq!((alpha.tally.kills, alpha.tally.headshots, alpha.tally.damage), (14, 7, 1_400));
    assert_eq!((alpha.team, alpha.mvps, alpha.name.as_deref()), (Some(0), Some(14), Some("alpha")));
    let (utility, openings) = (alpha.tally.utility_damage, alpha.tally.opening_kills);
    assert_eq!(
        (utility, openings, alpha.tally.multi_kills, alpha.tally.clutches_won),
        (7, 3, 3, 1)
    );
    assert_eq!((alpha.tally.rounds, alpha.tally.kast_rounds), (18, 18), "more than was reported");
    assert_eq!(state.players["p30"].tally.kast_rounds, 3, "deaths that nobody told one by one");
    assert_eq!(state.players["p30"].tally.deaths, 14);
    assert_eq!(state.teams[0].name.as_deref(), Some("One"));
    assert_eq!(state.course.anomalies, []);
}

#[test]
fn a_whole_map() {
    let mut feed = Feed::default();
    for post in a_map() {
        assert_eq!(feed.post(&post).unknown, 0, "{post}");
    }
    check(&feed.state(1));
    // Each again, in any order.
    for post in a_map().iter().rev() {
        assert_eq!(feed.post(post).drafts, []);
    }
}

#[test]
fn rounds_out_of_order() {
    for (a, b) in [(3, 4), (8, 9), (12, 13), (16, 17)] {
        let mut posts = a_map();
        posts.swap(a, b);
        let mut feed = Feed::default();
        for post in posts {
            feed.post(&post);
        }
        check(&feed.state(1));
    }
}

#[test]
fn a_map_that_starts_again_or_goes_on_from_a_back_up() {
    let mut feed = Feed::default();
    feed.post(&going_live());
    for won in 1..=3 {
        feed.post(&round_end(won, 0, true, 9));
    }
    // The third round once more, with another end, and what follows.
    feed.post(&round_end(2, 1, false, 4));
    feed.post(&round_end(2, 2, false, 5));
    let state = feed.state(1);
    assert_eq!((state.score(), state.rounds.len()), (Score { ct: 2, t: 2 }, 4));
    assert_eq!(state.players["p29"].tally.kills, 5);
    assert_eq!(state.course.anomalies, []);
    // From its beginning.
    feed.post(&json!({"event": "going_live", "matchid": 7, "map_number": 0, "again": true}));
    feed.post(&round_end(0, 1, false, 1));
    let state = feed.state(1);
    assert_eq!((state.score(), state.rounds.len()), (Score { ct: 0, t: 1 }, 1));
    assert_eq!(state.course.anomalies, []);
}

#[test]
fn what_get5_tells_beside() {
    let player =
        json!({"steamid": "76561197960265729", "name": "alpha", "side": "CT", "is_bot": false});
    let event = |kind: &str| {
        json!({"event": kind, "matchid": "7", "map_number": 1, "round_number": 0, "player": player,
               "site": "b"})
    };
    for (kind, told) in [
        ("round_start", "freeze.started {}"),
        ("bomb_planted", r#"bomb.planted {"player":"p29","site":"B"}"#),
        ("bomb_defused", r#"bomb.defused {"player":"p29"}"#),
        ("bomb_exploded", "bomb.exploded {}"),
        ("player_connect", r#"player.connected {"player":"p29","name":"alpha"}"#),
        ("player_disconnect", r#"player.disconnected {"player":"p29"}"#),
    ] {
        let mut feed = Feed::default();
        let answer = feed.post(&event(kind));
        let draft = answer.drafts.last().unwrap();
        assert_eq!((format!("{} {}", draft.tag, draft.data).as_str(), draft.map), (told, Some(2)));
    }
    // Its reasons are numbered from 0.
    let mut get5 = round_end(1, 0, true, 1);
    (get5["matchid"], get5["reason"]) = ("7".into(), 6.into());
    let mut feed = Feed::default();
    feed.post(&get5);
    assert_eq!(feed.state(1).rounds[&1].reason, Reason::BombDefused);
}

#[test]
fn the_name_of_a_map_that_was_picked() {
    let mut feed = Feed::default();
    let picked = json!({"event": "map_picked", "matchid": 7, "team": "team1", "map_name": "de_x", "map_number": 0});
    assert_eq!(feed.post(&picked).unknown, 0);
    assert_eq!(feed.post(&going_live()).drafts[0].data, r#"{"map_name":"de_x"}"#);
    // MatchZy counts the maps that are picked from 1, whatever its schema says.
    let mut feed = Feed::default();
    for (number, name) in [(1, "de_x"), (2, "de_y")] {
        feed.post(&json!({"event": "map_picked", "matchid": 7, "team": "team1", "map_name": name, "map_number": number}));
    }
    assert_eq!(feed.post(&going_live()).drafts[0].data, r#"{"map_name":"de_x"}"#);
}

#[test]
fn what_is_unknown() {
    let team = json!({"id": "1", "name": "One"});
    for post in [
        json!({}),
        json!([]),
        json!({"event": "going_live"}),
        json!({"event": "going_live", "map_number": 999}),
        json!({"event": "series_start", "matchid": 7, "num_maps": 0, "team1": team}),
        json!({"event": "map_vetoed", "matchid": 7, "team": "team1"}),
        json!({"event": "side_picked", "matchid": 7, "map_number": 0, "side": "ct"}),
        json!({"event": "knife_won", "matchid": 7, "map_number": 0, "side": "ct", "team": "team1"}),
        json!({"event": "series_end", "matchid": 7, "team1_series_score": 2, "winner": {"side": "ct"}}),
        json!({"event": "player_death", "matchid": 7, "map_number": 0, "round_number": 1}),
        json!({"event": "demo_upload_ended", "matchid": 7, "map_number": 0, "success": true}),
        json!({"event": "round_end", "map_number": 0, "winner": {"side": "spec"}}),
        json!({"event": "round_end", "map_number": 0, "winner": {"side": "ct"}, "team1": team, "team2": team}),
        json!({"event": "player_disconnect", "map_number": 0, "player": {"steamid": "x", "name": "y"}}),
    ] {
        let answer = Feed::default().post(&post);
        assert_eq!((answer.unknown, answer.drafts.len()), (1, 0), "{post}");
    }
}

/// A reader that joins later, or whose memory is gone, gives each fact the id that it had.
#[test]
fn a_facts_id_does_not_depend_on_what_was_heard_before() {
    let mut feed = Feed::default();
    for post in a_map() {
        feed.post(&post);
    }
    let facts = |drafts: &[Draft]| -> Vec<(Option<u16>, String)> {
        let kinds = ["round.ended", "player.reported", "map.ended", "map.won"];
        let told = drafts.iter().filter(|draft| kinds.contains(&draft.tag));
        told.map(|draft| (draft.map, draft.id.clone())).collect()
    };
    let known = facts(&feed.drafts);
    for post in a_map().iter().rev() {
        let again = facts(&Feed::default().post(post).drafts);
        assert!(again.iter().all(|fact| known.contains(fact)), "{post}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes in whatever order, each id is given once, what is said again at once tells nothing,
    /// and what is carried stays small.
    #[test]
    fn any_posts(picks in prop::collection::vec((0_u16..20, 0_u16..20, any::<bool>(), 0_u16..9), 1..60)) {
        let mut feed = Feed::default();
        for (first, second, won, kind) in picks {
            let round = if first + second == 0 { going_live() } else { round_end(first, second, won, kind) };
            let (own, other) = if won { ("ct", "t") } else { ("t", "ct") };
            let person = |name: &str, side: &str| json!({"steamid": name.len().to_string(), "name": name, "side": side});
            let mut post = match kind {
                0 => going_live(),
                5 => json!({"event": if won { "game_paused" } else { "game_unpaused" }, "team": "team1"}),
                6 => json!({"event": "backup_loaded", "round_number": second}),
                7 => json!({"event": "player_death", "round_number": first, "round_time": second,
                            "player": person("a", own), "attacker": person("bc", other)}),
                8 => json!({"event": "series_start", "num_maps": second, "team1": {"name": "One"}, "team2": {"name": own}}),
                _ => round,
            };
            if kind == 1 {
                post["event"] = "map_result".into();
            }
            post["map_number"] = (first % 3).into();
            feed.post(&post);
            prop_assert_eq!(feed.post(&post).drafts, []);
        }
        for map in 1..=3 {
            let _ = feed.drafts.iter().any(|draft| draft.map == Some(map)).then(|| feed.state(map));
        }
        let mut ids: Vec<_> = feed.drafts.iter().map(|draft| (draft.map, &draft.id)).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), count);
        prop_assert!(serde_json::to_string(&feed.carry).unwrap().len() < 1 << 16);
    }
}
