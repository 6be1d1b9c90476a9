//! Posts as data: each is a JSON object that a client would post, written by hand.

use matchwire_domain::{
    live_match::{
        Play as _, Status,
        cs::{Phase, Reason, Score, Side, State},
    },
    secret::Secret,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Draft, Headers};

const ALPHA: &str = "76561197960265729";
const BRAVO: &str = "76561197960265730";
const CAST: &str = "76561197960265731";

/// Posts go in, and the states of maps come out.
#[derive(Default)]
struct Feed {
    carry: Carry,
    drafts: Vec<Draft>,
    time_s: i64,
}

impl Feed {
    fn read(&mut self, map: Option<u16>, post: &Value) -> Answer<Carry> {
        let body = post.to_string();
        let headers = Headers::new();
        let post = Post { body: body.as_bytes(), headers: &headers };
        let stored = serde_json::to_string(&self.carry).unwrap();
        let carry = serde_json::from_str(&stored).unwrap();
        let mut exchange = |account: &str| account.replace("steam:765611979602657", "p");
        let answer = Gsi::default().read(map, carry, &post, &mut exchange);
        self.carry = answer.carry.clone();
        self.drafts.extend(answer.drafts.clone());
        answer
    }

    /// Posts as alpha's client; answers what that told.
    fn post(&mut self, post: Value) -> Vec<String> {
        self.post_of(ALPHA, post)
    }

    fn post_of(&mut self, client: &str, mut post: Value) -> Vec<String> {
        self.time_s += 1;
        post["provider"] =
            json!({"appid": 730, "steamid": client, "timestamp": 1_700_000_000 + self.time_s});
        let answer = self.read(None, &post);
        answer.drafts.iter().map(|draft| format!("{} {}", draft.tag, draft.data)).collect()
    }

    fn state(&self, map: u16) -> State {
        let mut state = State::new("m", map);
        for draft in self.drafts.iter().filter(|draft| draft.map == Some(map)) {
            state.fold(draft.tag, &draft.data, draft.time.unwrap()).unwrap().unwrap();
        }
        state
    }
}

/// What is on a map, without people.
fn course(phase: &str, step: &str, ct: u16, t: u16) -> Value {
    json!({
        "map": {
            "name": "de_x", "mode": "competitive", "phase": phase, "round": ct + t,
            "team_ct": {"score": ct}, "team_t": {"score": t},
        },
        "round": {"phase": step},
    })
}

fn person(name: &str, side: &str, health: u16, kills: i32, deaths: u16) -> Value {
    json!({
        "name": name, "team": side,
        "state": {"health": health, "armor": 50, "helmet": true, "money": 800, "equip_value": 1000},
        "match_stats": {"kills": kills, "assists": 0, "deaths": deaths, "mvps": 0},
        "weapons": {"weapon_0": {"name": "weapon_knife"}, "weapon_1": {"name": "weapon_ak47"}},
    })
}

/// A post that has all that some others have.
fn with(mut post: Value, more: &[(&str, Value)]) -> Value {
    for (path, value) in more {
        let mut place = &mut post;
        for key in path.split('/') {
            place = &mut place[key];
        }
        *place = value.clone();
    }
    post
}

fn alpha(side: &str, health: u16, kills: i32, deaths: u16) -> (&'static str, Value) {
    let mut person = person("alpha", side, health, kills, deaths);
    person["steamid"] = ALPHA.into();
    ("player", person)
}

fn tags(told: &[String]) -> Vec<&str> {
    told.iter().map(|told| told.split(' ').next().unwrap()).collect()
}

#[test]
fn a_round_as_a_player_sees_it() {
    let mut feed = Feed::default();
    assert_eq!(feed.post(json!({"player": {"steamid": ALPHA, "activity": "menu"}})).len(), 0);
    let told = feed.post(course("warmup", "", 0, 0));
    assert_eq!(tags(&told), ["map.loaded", "warmup.started"]);
    let told = feed.post(with(course("live", "freezetime", 0, 0), &[alpha("CT", 100, 0, 0)]));
    let begins = ["match.started", "player.joined", "freeze.started", "player.reported"];
    assert_eq!(tags(&told), begins);
    assert_eq!(
        told[3],
        r#"player.reported {"player":"p29","health":100,"armor":50,"helmet":true,"money":800,"equipment":1000,"items":["weapon_ak47","weapon_knife"],"kills":0,"deaths":0,"assists":0,"mvps":0}"#
    );
    feed.post(with(course("live", "live", 0, 0), &[alpha("CT", 100, 0, 0)]));
    let told = feed.post(with(course("live", "live", 0, 0), &[alpha("CT", 40, 1, 0)]));
    assert_eq!(told, [r#"player.reported {"player":"p29","health":40,"kills":1}"#]);
    let planted = ("round/bomb", json!("planted"));
    let told = feed.post(with(course("live", "live", 0, 0), &[alpha("CT", 40, 1, 0), planted]));
    assert_eq!(told, ["bomb.planted {}"]);
    let defused = [alpha("CT", 40, 1, 0), ("round/bomb", json!("defused"))];
    let told = feed.post(with(course("live", "over", 1, 0), &defused));
    assert_eq!(
        told,
        [
            "bomb.defused {}",
            r#"round.ended {"winner":"CT","reason":"bomb_defused","score":{"ct":1,"t":0}}"#
        ]
    );
    let state = feed.state(1);
    assert_eq!((state.course.status, state.score()), (Status::Live, Score { ct: 1, t: 0 }));
    let player = &state.players["p29"];
    assert_eq!((player.tally.kills, player.tally.deaths, player.health), (1, 0, 40));
    assert_eq!((player.armor, player.money, player.equipment), (Some(50), Some(800), Some(1000)));
    assert!(player.alive && state.course.anomalies.is_empty());
}

/// How many rounds were lost, and what the next post says of them.
#[test]
fn rounds_that_were_missed() {
    let after = |ct, t, wins: Value| {
        let mut feed = Feed::default();
        feed.post(course("live", "live", 0, 0));
        feed.post(with(course("live", "over", ct, t), &[("map/round_wins", wins)]));
        let state = feed.state(1);
        assert_eq!(state.score(), Score { ct, t });
        let how = |round: &matchwire_domain::live_match::cs::Round| (round.side, round.reason);
        (state.rounds.values().map(how).collect::<Vec<_>>(), state.course.anomaly_count)
    };
    let known = json!({"1": "ct_win_time", "2": "t_win_bomb", "3": "t_win_elimination"});
    let rounds = vec![
        (Side::Ct, Reason::TimeRanOut),
        (Side::T, Reason::BombExploded),
        (Side::T, Reason::Elimination),
    ];
    assert_eq!(after(1, 2, known), (rounds, 0));
    assert_eq!(
        after(0, 2, json!({})).0,
        [(Side::T, Reason::Other), (Side::T, Reason::Elimination)]
    );
    // In which order is not known: the score is all there is.
    assert_eq!(after(2, 1, json!({})), (vec![], 1));
    assert_eq!(after(2, 1, json!({"1": "ct_win_time", "2": 7})), (vec![], 1));
}

#[test]
fn sides_change_at_half_time() {
    for (ct, t) in [(7, 5), (6, 6)] {
        let mut feed = Feed::default();
        feed.post(with(course("live", "freezetime", 0, 0), &[alpha("CT", 100, 0, 0)]));
        for won in 1..=ct {
            feed.post(with(course("live", "live", won - 1, 0), &[alpha("CT", 90, 0, 0)]));
            feed.post(with(course("live", "over", won, 0), &[alpha("CT", 80, 0, 0)]));
        }
        for won in 1..t {
            feed.post(with(course("live", "live", ct, won - 1), &[alpha("CT", 90, 0, 0)]));
            feed.post(with(course("live", "over", ct, won), &[alpha("CT", 80, 0, 0)]));
        }
        let told = feed.post(with(course("intermission", "over", ct, t), &[alpha("CT", 80, 0, 0)]));
        assert_eq!(told.last().unwrap(), r#"match.paused {"reason":"half_time"}"#);
        assert_eq!(feed.state(1).course.status, Status::Paused);
        let told = feed.post(with(course("live", "freezetime", t, ct), &[alpha("T", 100, 0, 0)]));
        let turns = ["sides.swapped", "player.joined", "freeze.started"];
        assert_eq!(tags(&told)[..3], turns, "{ct}:{t}");
        feed.post(with(course("live", "live", t, ct), &[alpha("T", 90, 0, 0)]));
        feed.post(with(course("live", "over", t, ct + 1), &[alpha("T", 80, 0, 0)]));
        let state = feed.state(1);
        assert_eq!((state.teams[0].side, state.teams[0].score), (Side::T, ct + 1));
        assert_eq!((state.players["p29"].team, state.max_rounds), (Some(0), 24));
        assert_eq!(state.course.anomalies, []);
    }
}

#[test]
fn another_map_and_the_same_one_again() {
    let mut feed = Feed::default();
    feed.post(course("live", "live", 12, 3));
    feed.post(course("gameover", "over", 13, 3));
    assert_eq!(feed.post(course("warmup", "", 0, 0))[0], r#"map.loaded {"map_name":"de_x"}"#);
    feed.post(course("live", "live", 2, 0));
    // One that is left before its end is void, and the next has its number.
    let other = ("map/name", json!("de_y"));
    feed.post(with(course("live", "live", 0, 0), &[other]));
    assert_eq!(feed.state(1).course.status, Status::Ended);
    assert_eq!(feed.state(1).score(), Score { ct: 13, t: 3 });
    assert_eq!(feed.state(2).map_name.as_deref(), Some("de_y"));
    assert_eq!((feed.state(2).score(), feed.state(3).map_name.clone()), (Score::default(), None));
}

#[test]
fn restarts_and_back_ups() {
    let mut feed = Feed::default();
    feed.post(course("live", "live", 0, 0));
    for won in 1..=4 {
        feed.post(with(course("live", "over", won, 0), &[alpha("CT", 100, i32::from(won), 0)]));
        feed.post(with(course("live", "live", won, 0), &[alpha("CT", 100, i32::from(won), 0)]));
    }
    let told = feed.post(with(course("live", "freezetime", 2, 0), &[alpha("CT", 100, 2, 0)]));
    assert_eq!(told[0], r#"match.reloaded {"score":{"ct":2,"t":0}}"#);
    let state = feed.state(1);
    assert_eq!((state.rounds.len(), state.players["p29"].tally.kills), (2, 2));
    let told = feed.post(with(course("live", "freezetime", 0, 0), &[alpha("CT", 100, 0, 0)]));
    assert_eq!(told[0], r#"match.started {"map_name":"de_x"}"#);
    let state = feed.state(1);
    assert_eq!((state.rounds.len(), state.players["p29"].tally.kills), (0, 0));
    assert_eq!(state.course.anomalies, []);
}

#[test]
fn who_leaves_and_comes_back_goes_on() {
    let mut feed = Feed::default();
    feed.post(with(course("live", "live", 3, 2), &[alpha("CT", 100, 5, 1)]));
    let told = feed.post(json!({"player": {"steamid": ALPHA, "activity": "menu"}}));
    assert_eq!(told, [r#"player.disconnected {"player":"p29"}"#]);
    feed.post(with(course("live", "live", 4, 2), &[alpha("CT", 55, 6, 1)]));
    let state = feed.state(1);
    let player = &state.players["p29"];
    assert!(player.connected && player.alive);
    assert_eq!((player.health, player.tally.kills, player.tally.deaths), (55, 6, 1));
    assert_eq!(state.score(), Score { ct: 4, t: 2 });
}

#[test]
fn a_spectator_sees_everyone_and_the_clock() {
    let everyone = |bravo: Option<Value>| {
        let mut all = json!({ALPHA: person("alpha", "CT", 100, 2, 0)});
        if let Some(bravo) = bravo {
            all[BRAVO] = bravo;
        }
        ("allplayers", all)
    };
    let mut feed = Feed::default();
    let both = everyone(Some(person("bravo", "T", 70, -1, 2)));
    let names = [("map/team_ct/name", json!("One")), ("map/team_t/name", json!("Two"))];
    let names = names.map(|(path, name)| (path, name));
    let start = with(course("live", "live", 0, 0), &names);
    feed.post_of(CAST, with(start.clone(), &[both]));
    let state = feed.state(1);
    assert_eq!(state.players.len(), 2);
    assert_eq!(state.players["p30"].tally.kills, 0, "a count below nought is none");
    assert_eq!(
        [state.teams[0].name.as_deref(), state.teams[1].name.as_deref()],
        [Some("One"), Some("Two")]
    );
    let dead = everyone(Some(person("bravo", "T", 0, -1, 3)));
    let bomb =
        [("round/bomb", json!("planted")), ("bomb", json!({"state": "planted", "player": BRAVO}))];
    let told = feed.post_of(CAST, with(with(start.clone(), &[dead]), &bomb));
    assert_eq!(
        told,
        [
            r#"bomb.planted {"player":"p30"}"#,
            r#"player.reported {"player":"p30","health":0,"deaths":3}"#
        ]
    );
    let clock = ("phase_countdowns/phase", json!("timeout_t"));
    let told = feed.post_of(CAST, with(start.clone(), &[everyone(None), clock]));
    assert!(told.contains(&r#"player.disconnected {"player":"p30"}"#.to_owned()), "{told:?}");
    assert!(
        told.contains(&r#"match.paused {"reason":"timeout","side":"T"}"#.to_owned()),
        "{told:?}"
    );
    let clock = ("phase_countdowns/phase", json!("live"));
    let told = feed.post_of(CAST, with(start, &[everyone(None), clock]));
    assert_eq!(told, ["match.resumed {}"]);
}

#[test]
fn what_one_client_told_another_does_not_tell_again() {
    let story = [("freezetime", 0), ("live", 0), ("over", 1), ("freezetime", 1), ("live", 1)];
    let (mut one, mut two) = (Feed::default(), Feed::default());
    for (step, ct) in story {
        one.post(course("live", step, ct, 0));
    }
    // The second is one post behind all the time.
    for (now, before) in story.iter().zip([None].into_iter().chain(story.iter().map(Some))) {
        two.post(course("live", now.0, now.1, 0));
        if let Some((step, ct)) = before {
            two.post_of(BRAVO, course("live", step, *ct, 0));
        }
    }
    let told = |feed: &Feed| feed.drafts.iter().map(|draft| draft.tag).collect::<Vec<_>>();
    assert_eq!(told(&one), told(&two));
    // It goes on alone, and begins a new match with the first one silent.
    let told = two.post_of(BRAVO, course("live", "over", 1, 1));
    assert_eq!(tags(&told), ["round.ended"]);
    two.time_s += 60;
    assert_eq!(two.post_of(CAST, course("warmup", "", 0, 0)), ["warmup.started {}"]);
}

#[test]
fn posts_that_were_overtaken_change_nothing() {
    let at = |time: i64, post: Value| {
        let provider = json!({"appid": 730, "steamid": ALPHA, "timestamp": time});
        with(post, &[("provider", provider)])
    };
    let mut feed = Feed::default();
    let live = at(100, with(course("live", "live", 0, 0), &[alpha("CT", 100, 0, 0)]));
    let over = with(course("live", "over", 0, 1), &[alpha("CT", 0, 0, 1)]);
    let previously = json!({
        "map": {"round": 0, "team_t": {"score": 0}}, "round": {"phase": "live"},
        "player": {"state": {"health": 100}, "match_stats": {"deaths": 0}},
    });
    let over = at(100, with(over, &[("previously", previously)]));
    feed.read(None, &live);
    feed.read(None, &over);
    let before = feed.carry.clone();
    for old in [live.clone(), over.clone(), at(99, course("live", "freezetime", 0, 0))] {
        let answer = feed.read(None, &old);
        assert_eq!(answer.drafts, [], "{old}");
        assert_eq!(answer.carry, before);
    }
    // The other way round in the same second, the first one says what the second had said.
    let mut turned = Feed::default();
    turned.read(None, &over);
    turned.read(None, &live);
    assert_eq!(turned.state(1).score(), Score { ct: 0, t: 1 });
    assert_eq!(turned.state(1).players["p29"].tally.deaths, 1);
}

#[test]
fn what_was_before_makes_good_a_post_that_was_lost() {
    let mut feed = Feed::default();
    feed.post(course("live", "freezetime", 0, 0));
    let previously =
        json!({"map": {"team_ct": {"score": 0}}, "round": {"phase": "live", "bomb": "planted"}});
    let over = with(
        course("live", "over", 1, 0),
        &[("previously", previously), ("round/bomb", json!("defused"))],
    );
    let told = feed.post(over);
    assert_eq!(tags(&told), ["bomb.planted", "round.started", "bomb.defused", "round.ended"]);
}

#[test]
fn tokens() {
    let gsi = Gsi::default().with_token(Secret::new("s3cret"));
    let headers = Headers::new();
    let admits = |body: &str| gsi.admits(&Post { body: body.as_bytes(), headers: &headers });
    assert_eq!(admits(r#"{"auth":{"token":"s3cret"}}"#), Ok(()));
    for bad in ["", "{}", "[]", r#"{"auth":{"token":7}}"#, r#"{"auth":{"token":"s3cre"}}"#] {
        assert_eq!(admits(bad), Err(Refused::Token("auth.token")), "{bad}");
    }
    // Without one asked for, none is looked at, and none is in what names the post.
    let identity = |body: &str| {
        Gsi::default()
            .identity(&Carry::default(), &Post { body: body.as_bytes(), headers: &headers })
    };
    assert_eq!(
        identity(r#"{"a":1,"auth":{"token":"x"}}"#),
        identity(r#"{"a":1,"auth":{"token":"y"}}"#)
    );
}

#[test]
fn what_is_unknown() {
    let mut feed = Feed::default();
    let good = with(
        course("live", "live", 0, 0),
        &[("provider", json!({"appid": 730, "steamid": ALPHA, "timestamp": 1}))],
    );
    for (path, value) in [
        ("provider", Value::Null),
        ("provider/appid", json!(570)),
        ("provider/timestamp", json!(-1)),
        ("provider/timestamp", json!(i64::MAX)),
        ("provider/steamid", json!("alpha")),
        ("map/name", Value::Null),
        ("map/phase", json!("lunch")),
        ("map/team_t", json!([])),
    ] {
        let answer = feed.read(None, &with(good.clone(), &[(path, value)]));
        assert_eq!((answer.unknown, answer.drafts.len()), (1, 0), "{path}");
    }
    assert_eq!(feed.read(None, &json!([1])).unknown, 1);
    assert_eq!(feed.read(Some(7), &good).drafts[0].map, Some(7));
}

/// One post of many, drawn by numbers.
fn any_post((client, phase, step, ct, t, more): (u8, u8, u8, u16, u16, u8)) -> (String, Value) {
    let phases = ["warmup", "live", "live", "live", "intermission", "gameover"];
    let steps = ["", "freezetime", "live", "over"];
    let (phase, step) = (phases[usize::from(phase) % 6], steps[usize::from(step) % 4]);
    let mut post = course(phase, step, ct, t);
    if more & 1 == 1 {
        post["player"] = alpha(if more & 2 == 0 { "CT" } else { "T" }, t * 9, i32::from(ct), t).1;
    }
    if more & 4 == 4 {
        post["allplayers"] = json!({BRAVO: person("bravo", "T", ct * 9, i32::from(t), ct)});
    }
    if more & 8 == 8 {
        post["round"]["bomb"] =
            ["planted", "defused", "exploded"][usize::from(more >> 4) % 3].into();
    }
    if more & 16 == 16 {
        post["previously"] =
            json!({"map": {"team_ct": {"score": t}}, "round": true, "player": {"state": true}});
        post["added"] = json!({"player": {"state": {"health": true}}});
    }
    if more & 32 == 32 {
        post["map"]["name"] = "de_y".into();
    }
    if more > 250 {
        post["map"] = Value::Null;
    }
    ([ALPHA, BRAVO, CAST][usize::from(client) % 3].into(), post)
}

#[test]
fn a_body_is_kept_without_its_token_and_is_the_same_post() {
    let headers = Headers::new();
    let body = br#"{"auth":{"token":"s3cret"},"provider":{"timestamp":7},"map":{"name":"de_x"}}"#;
    let kept = Gsi::default().without_secret(body).unwrap();
    assert!(!String::from_utf8(kept.clone()).unwrap().contains("s3cret"));
    let identity =
        |body: &[u8]| Gsi::default().identity(&Carry::default(), &Post { body, headers: &headers });
    assert_eq!(identity(body), identity(&kept));
    let is_foreign = |body: &[u8]| Gsi::default().is_foreign(&Post { body, headers: &headers });
    assert!(!is_foreign(body) && !is_foreign(b"{}") && is_foreign(b"[]") && is_foreign(b"<html>"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is posted, however often: there is a state after it, and each id is given once.
    #[test]
    fn any_posts(picks in prop::collection::vec(any::<(u8, u8, u8, u16, u16, u8)>(), 1..40), again in any::<u8>()) {
        let mut feed = Feed::default();
        for (n, pick) in picks.into_iter().enumerate() {
            let (client, phase, step, ct, t, more) = pick;
            let (client, post) = any_post((client, phase, step, ct % 14, t % 14, more));
            feed.post_of(&client, post.clone());
            if n % 3 == usize::from(again) % 3 {
                feed.time_s -= 1;
                let told = feed.post_of(&client, post);
                prop_assert_eq!(told, Vec::<String>::new());
            }
        }
        for map in 1..=feed.carry.series.map {
            let _ = feed.state(map);
        }
        let mut ids: Vec<_> = feed.drafts.iter().map(|draft| (draft.map, &draft.id)).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), count);
    }

    #[test]
    fn any_text_is_read(text in ".{0,300}") {
        let headers = Headers::new();
        let post = Post { body: text.as_bytes(), headers: &headers };
        let answer = Gsi::default().read(None, Carry::default(), &post, &mut str::to_owned);
        prop_assert_eq!(answer.unknown, 1);
        prop_assert!(!Gsi::default().identity(&Carry::default(), &post).is_empty());
    }
}

/// Whatever is posted, what is carried stays small: it is stored with what changes it.
#[test]
fn a_carry_is_bounded() {
    let mut feed = Feed::default();
    for client in 0_u64..40 {
        let long = "\u{1}".repeat(200);
        let mut all = json!({});
        for id in 1..80 {
            let id = (client * 1_000 + id).to_string();
            let mut person = person(&long, "CT", 100, 1, 1);
            for item in 0..20 {
                person["weapons"][format!("weapon_{item}")] =
                    json!({"name": format!("{item}{long}")});
            }
            all[id] = person;
        }
        let wins: serde_json::Map<_, _> =
            (0..300).map(|round| (round.to_string(), long.clone().into())).collect();
        let more = [
            ("allplayers", all),
            ("map/round_wins", wins.into()),
            ("map/name", long.clone().into()),
        ];
        feed.post_of(
            &format!("{}", 76_561_197_960_265_700 + client),
            with(course("live", "live", 1, 1), &more),
        );
    }
    let size = serde_json::to_string(&feed.carry).unwrap().len();
    assert!(size < 1 << 20, "{size}");
}

#[test]
fn phases() {
    let mut feed = Feed::default();
    feed.post(course("live", "freezetime", 0, 0));
    assert_eq!(feed.state(1).phase, Phase::FreezeTime);
    feed.post(course("live", "live", 0, 0));
    assert_eq!(feed.state(1).phase, Phase::Round);
    // A round that nobody won is played again.
    feed.post(course("live", "over", 0, 0));
    assert_eq!(feed.post(course("live", "freezetime", 0, 0)), ["freeze.started {}"]);
    assert_eq!(feed.post(course("live", "live", 0, 0)), ["round.started {}"]);
    feed.post(course("live", "over", 0, 1));
    assert_eq!(feed.state(1).phase, Phase::RoundOver);
}
