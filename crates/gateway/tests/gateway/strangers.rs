//! What is private, for those who are not the operator: by every way of reading it is as if it were not there.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use matchwire_gateway::{Access, Audience, ROUTES};
use matchwire_log::{Delays, ManualClock, Medium, Memory};
use rand::Rng;
use serde_json::{Value, json};

use crate::{
    harness::{Reply, Server, Socket, event, own},
    play,
    rigged::Rigged,
    setup::Setup,
};

const FAN: &str = "203.0.113.5";
const AS_FAN: [(&str, &str); 1] = [("x-forwarded-for", FAN)];
/// Of an audience that sees one match, which is not here, later than others.
const LATE: &str = "198.51.100.5";
const DELAY_S: u64 = 1;
const START: i64 = 1_700_000_000_000;
/// What there is nothing of.
const NOTHING: &str = "nothing";

/// A server that fans may read.
async fn server() -> (Server, Arc<ManualClock>) {
    server_over(Box::new(Memory::new())).await
}

async fn server_over(medium: Box<dyn Medium>) -> (Server, Arc<ManualClock>) {
    let late = Audience {
        name: "late".into(),
        networks: vec!["198.51.100.0/24".parse().unwrap()],
        delays: Delays::new(vec![("match/none".parse().unwrap(), Duration::from_secs(DELAY_S))]),
    };
    let access = Access {
        read: vec!["203.0.113.0/24".parse().unwrap(), "198.51.100.0/24".parse().unwrap()],
        audiences: vec![late],
        proxies: vec!["127.0.0.1/32".parse().unwrap()],
        ..Access::loopback("127.0.0.1:0".parse().unwrap())
    };
    let clock = Arc::new(ManualClock::new(START));
    (Server::of(Setup { access, medium, clock: clock.clone(), ..Setup::default() }).await, clock)
}

/// What was told so far, and what of it stands.
#[derive(Default)]
struct World {
    /// Of each tournament, whether it was announced as private, with the `seq` of what says so.
    announced: [Vec<(u64, bool)>; 3],
    /// Of each match, the tournament that it was said to be of, with the `seq` of what says so.
    scheduled: [Vec<(u64, usize)>; 5],
    /// How many events each match's own stream has, each tournament's, and each map's.
    matches: [u64; 5],
    tournaments: [u64; 3],
    maps: [u64; 5],
    told: u64,
    /// How many activities strangers were told of.
    activities: AtomicUsize,
}

impl World {
    fn is_private(&self, tournament: usize) -> bool {
        self.announced[tournament].last().is_some_and(|(_, is_private)| *is_private)
    }

    fn is_hidden(&self, id: usize) -> bool {
        self.scheduled[id].last().is_some_and(|(_, tournament)| self.is_private(*tournament))
    }

    /// What there is, by its name, and what of it is hidden.
    fn names(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let matches = (0..5).filter(|id| self.matches[*id] + self.maps[*id] > 0);
        let tournaments = (0..3).filter(|id| self.tournaments[*id] > 0);
        let matches = matches.map(|id| (format!("m-{id}-m"), self.is_hidden(id)));
        let tournaments = tournaments.map(|id| (format!("t-{id}-t"), self.is_private(id)));
        let (mut shown, mut hidden) = (BTreeSet::new(), BTreeSet::new());
        for (name, is_hidden) in matches.chain(tournaments) {
            if is_hidden {
                hidden.insert(name)
            } else {
                shown.insert(name)
            };
        }
        (shown, hidden)
    }

    /// Something that is told next.
    fn next(&mut self, rng: &mut impl Rng) -> Value {
        self.told += 1;
        let (id, tournament) = (rng.random_range(0..5), rng.random_range(0..3));
        let own_stream = format!("match/m-{id}-m");
        let of_tournament = format!("tournament/t-{tournament}-t");
        match rng.random_range(0..10) {
            0 | 1 => {
                let is_private = rng.random();
                self.tournaments[tournament] += 1;
                self.announced[tournament].push((self.tournaments[tournament], is_private));
                let data = json!({"game": "cs2", "private": is_private});
                event(&of_tournament, self.told, "tournament.announced", &data)
            }
            2 | 3 => {
                self.matches[id] += 1;
                self.scheduled[id].push((self.matches[id], tournament));
                let mut data = schedule(id);
                data["tournament"] = format!("t-{tournament}-t").into();
                event(&own_stream, self.told, "match.scheduled", &data)
            }
            4 if !self.announced[tournament].is_empty() => {
                self.tournaments[tournament] += 1;
                let (seq, _) = self.announced[tournament].pop().unwrap();
                event(&of_tournament, self.told, "event.voided", &json!({"seq": seq}))
            }
            5 if !self.scheduled[id].is_empty() => {
                self.matches[id] += 1;
                let (seq, _) = self.scheduled[id].pop().unwrap();
                event(&own_stream, self.told, "event.voided", &json!({"seq": seq}))
            }
            6 => {
                self.matches[id] += 1;
                event(&own_stream, self.told, "series.ended", &json!({"winner": 0}))
            }
            _ => {
                self.maps[id] += 1;
                let map = format!("{own_stream}/1");
                own(&map, self.told, &json!({}))
            }
        }
    }
}

/// Who plays a match.
fn schedule(id: usize) -> Value {
    let player = |n| json!({"player": format!("test:{n}")});
    let team = |n| json!({"name": format!("team {n}"), "players": [player(n)]});
    json!({"game": "cs2", "teams": [team(id), team(id + 1)]})
}

/// The paths of all that can be read, of a match, or of a tournament.
fn paths(name: &str) -> Vec<String> {
    let is_match = !name.starts_with('t');
    let fill = |path: &str| {
        let (of_match, of_tournament) = if is_match { (name, NOTHING) } else { (NOTHING, name) };
        let path = path.replace("{match}", of_match).replace("{tournament}", of_tournament);
        let path = path.replace("{map}", "1").replace("{player}", "p1").replace("{other}", "p2");
        path.replace("{game}", "cs2").replace("{seq}", "1").replace("{import}", "i")
    };
    let endless = ["/api/v1/stream", "/api/v1/ws"];
    let fitting =
        ROUTES.iter().filter(|route| route.method == "get" && !endless.contains(&route.path));
    let mut paths: Vec<String> = fitting.map(|route| fill(route.path)).collect();
    if is_match {
        let queries = [
            "events?subject=match/NAME",
            "events?subject=match/NAME/1",
            "events?subject=match/NAME/1&after=1",
            "events?topic=match/NAME/*",
            "proof?subject=match/NAME&seq=1",
            "proof?subject=match/NAME/1&seq=1",
            "matches/NAME/maps/1?at_seq=1",
            "matches/NAME/maps/1?at_seq=0",
            "replay/NAME?speed=0",
        ];
        paths.extend(queries.map(|path| format!("/api/v1/{}", path.replace("NAME", name))));
    } else {
        let queries = [
            "events?subject=tournament/NAME",
            "events?topic=tournament/NAME/matches",
            "proof?subject=tournament/NAME&seq=1",
            "leaderboards/cs2?tournament=NAME",
            "players/p1/statistics?game=cs2&tournament=NAME",
        ];
        paths.extend(queries.map(|path| format!("/api/v1/{}", path.replace("NAME", name))));
    }
    paths
}

/// The paths of all that is told of a player, who lets everybody see it.
fn of_player(n: u32) -> Vec<String> {
    let paths = [
        "players/pN/activity",
        "players/pN/statistics?game=cs2",
        "players/pN/versus?game=cs2",
        "players/pN/versus/p1?game=cs2",
        "players/pN/ratings?game=cs2&system=glicko-2",
        "leaderboards/cs2?around=pN",
    ];
    paths.map(|path| format!("/api/v1/{}", path.replace('N', &n.to_string()))).to_vec()
}

/// A reply without what differs from request to request.
fn said(reply: &Reply, name: &str) -> (u16, String) {
    let mut text = String::from_utf8_lossy(&reply.bytes).into_owned();
    if reply.status.is_client_error() {
        let problem = reply.json();
        text = format!("{} {}", problem["code"], problem["detail"]);
    }
    // How far all of the log was looked at says nothing of what is in it.
    let end = text.find(",\"next\":\"c2~").unwrap_or(text.len());
    (reply.status.as_u16(), text[..end].replace(name, NOTHING))
}

/// What counts requests or time, and so differs from one to the next.
const COUNTING: [&str; 3] = ["/metrics", "/api/v1/status", "/api/v1/calibration"];

/// Checks all that strangers can ask for, and that the operator is told what they are not.
async fn check(server: &Server, world: &World) {
    let (shown, hidden) = world.names();
    for reader in [FAN, LATE] {
        for name in &hidden {
            for path in paths(name) {
                let told = server.get_for(reader, &path).await;
                let is_counting = COUNTING.contains(&path.as_str());
                let told = said(&told, if is_counting { NOTHING } else { name });
                assert!(!is_counting || !told.1.contains(name.as_str()), "{path} for {reader}");
                let of_nothing = server.get_for(reader, &path.replace(name, NOTHING)).await;
                let of_nothing = said(&of_nothing, name);
                assert!(is_counting || told == of_nothing, "{path} for {reader}: {told:?}");
            }
        }
        let list = server.get_for(reader, "/api/v1/matches?limit=1000").await.json();
        let listed = list["matches"].as_array().unwrap().iter();
        let listed: BTreeSet<&str> = listed.map(|it| it["match"].as_str().unwrap()).collect();
        let expected = shown.iter().map(String::as_str).filter(|name| name.starts_with('m'));
        assert_eq!(listed, expected.collect(), "{reader}");
        let all = server.get_for(reader, "/api/v1/events?topic=match/**&limit=1000").await.json();
        let told = all["events"].as_array().unwrap().len() as u64;
        let of = |id: usize| world.matches[id] + world.maps[id];
        assert_eq!(told, (0..5).filter(|id| !world.is_hidden(*id)).map(of).sum::<u64>());
    }
    let mut activities = 0;
    for path in (1..=6).flat_map(of_player) {
        let told = server.get_for(FAN, &path).await;
        let text = String::from_utf8_lossy(&told.bytes).into_owned();
        activities += text.matches("\"event_type\"").count();
        assert!(!hidden.iter().any(|name| text.contains(name.as_str())), "{path}: {text}");
    }
    world.activities.fetch_add(activities, Ordering::Relaxed);
    for name in hidden.iter().filter(|name| name.starts_with('m')) {
        assert_eq!(server.get(&format!("/api/v1/matches/{name}")).await.status, 200);
    }
}

#[tokio::test]
async fn what_is_private_is_not_there_for_strangers_whatever_was_told_in_which_order() {
    let (server, clock) = server().await;
    let seed = play::seed();
    let mut rng = play::rng(seed);
    let mut world = World::default();
    for n in 1..=6 {
        let open = json!({"activity": "public", "statistics": "public"});
        server.post(&[event(&format!("player/p{n}"), 1, "privacy.set", &open)]).await;
    }
    let scheduled = event("match/m-0-m", "s", "match.scheduled", &schedule(0));
    let ended = event("match/m-0-m", "e", "series.ended", &json!({"winner": 0}));
    assert_eq!(server.post(&[scheduled, ended]).await.status, 200);
    world.matches[0] = 2;
    let mut follower = Socket::connect_with(server.address, &AS_FAN).await;
    follower.subscribe("match/**", json!(0)).await;
    for id in 0..5 {
        follower.subscribe(&format!("match/m-{id}-m"), json!(0)).await;
    }
    for step in 0..40_i64 {
        let (_, before) = world.names();
        let told = world.next(&mut rng);
        assert_eq!(server.post(std::slice::from_ref(&told)).await.status, 200, "{told}");
        let (_, after) = world.names();
        clock.set(START + step * 2_000);
        follower.say(&json!({"type": "ping"})).await;
        loop {
            let frame = follower.next().await;
            if frame["type"] == "heartbeat" {
                break;
            }
            let of = frame["subject"].as_str().and_then(|subject| subject.split('/').nth(1));
            let is_hidden = |it: &str| before.contains(it) && after.contains(it);
            let is_event = frame["type"] == "event";
            assert!(!is_event || !of.is_some_and(is_hidden), "seed {seed}, step {step}: {frame}");
        }
        if step % 5 == 4 {
            clock.set(START + step * 2_000 + 1_500);
            check(&server, &world).await;
        }
    }
    assert!(world.activities.into_inner() > 0, "seed {seed}: nobody has done anything");
    drop(follower);
    server.end().await;
}

#[tokio::test]
async fn a_match_that_becomes_private_is_withdrawn_and_comes_back_as_a_whole() {
    let (server, _) = server().await;
    let announce = |n: u32, is_private: bool| {
        event("tournament/cup", n, "tournament.announced", &json!({"private": is_private}))
    };
    let scheduled = event("match/m1", 1, "match.scheduled", &json!({"tournament": "cup"}));
    server.post(&[announce(1, false), scheduled, own("match/m1/1", 1, &json!({}))]).await;
    let path = "/api/v1/matches/m1/maps/1";
    assert_eq!(server.get_for(FAN, path).await.json()["seq"], 1);
    let mut socket = Socket::connect_with(server.address, &AS_FAN).await;
    socket.subscribe("match/m1/1", Value::Null).await;
    assert_eq!(socket.next_of("snapshot").await["seq"], 1);
    let told = server.post(&[announce(2, true), own("match/m1/1", 2, &json!({}))]).await;
    assert_eq!(told.status, 200);
    assert_eq!(server.get_for(FAN, path).await.problem(), "not_found");
    assert_eq!(server.get(path).await.json()["seq"], 2);
    assert_eq!(socket.next_of("state").await["seq"], 0);
    server.post(&[announce(3, false), own("match/m1/1", 3, &json!({}))]).await;
    for seq in [2, 3] {
        assert_eq!(socket.next_of("event").await["seq"], seq);
    }
    assert_eq!(server.get_for(FAN, path).await.json(), server.get(path).await.json());
    drop(socket);
    server.end().await;
}

#[tokio::test]
async fn an_account_is_for_the_operator() {
    let (server, _) = server().await;
    let players = json!([{"player": "steam:1", "name": "one"}]);
    let teams = json!([{"name": "a", "players": players}, {"name": "b"}]);
    let scheduled = event("match/m1", 1, "match.scheduled", &json!({"teams": teams}));
    assert_eq!(server.post(&[scheduled]).await.status, 200);
    let told = |reply: Reply| String::from_utf8(reply.bytes.to_vec()).unwrap();
    let path = "/api/v1/matches/m1";
    assert!(told(server.get(path).await).contains("steam:1"));
    for reader in [FAN, LATE] {
        let told = told(server.get_for(reader, path).await);
        assert!(!told.contains("steam:1") && told.contains("\"one\""), "{told}");
    }
    server.end().await;
}

#[tokio::test]
async fn what_nobody_can_tell_to_be_private_or_not_is_hidden() {
    let memory = Memory::new();
    let (server, _) = server_over(Box::new(memory.clone())).await;
    let announced = event("tournament/cup", 1, "tournament.announced", &json!({"private": false}));
    let scheduled = event("match/m1", 1, "match.scheduled", &json!({"tournament": "cup"}));
    server.post(&[announced, scheduled]).await;
    let maps = [own("match/m1/1", 1, &json!({})), own("match/m2/1", 1, &json!({}))];
    server.post(&maps).await;
    let seen = async |server: &Server, reader: &str| {
        let list = server.get_for(reader, "/api/v1/matches").await.json();
        let listed: Vec<_> = list["matches"].as_array().unwrap().iter().collect();
        listed.iter().map(|it| it["match"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(seen(&server, FAN).await, ["m1", "m2"]);
    server.end().await;
    for damaged in ["match/m1", "tournament/cup"] {
        let medium = Rigged::over(&memory);
        medium.damage(Some(damaged));
        let (server, _) = server_over(Box::new(medium)).await;
        assert_eq!(seen(&server, FAN).await, ["m2"], "{damaged}");
        let map = "/api/v1/matches/m1/maps/1";
        assert_eq!(server.get_for(FAN, map).await.problem(), "not_found", "{damaged}");
        assert_eq!(server.get(map).await.status, 200);
        server.end().await;
    }
}
