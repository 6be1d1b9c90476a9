//! Topics of many matches: patterns, and the matches of a tournament.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use matchwire_domain::merge_patch::merge;
use matchwire_gateway::Limits;
use matchwire_log::{Medium as _, Memory, Options};
use rand::{
    Rng,
    seq::{IndexedMutRandom as _, IndexedRandom as _},
};
use serde_json::{Value, json};

use crate::{
    harness::{Events, Server, Socket, event, numbered, own, soon},
    play,
    rigged::Rigged,
    setup::Setup,
};

/// What a client was told: the last event of each stream, and where it goes on.
#[derive(Default)]
struct Told {
    seqs: BTreeMap<String, u64>,
    cursor: Value,
}

impl Told {
    fn note(&mut self, frame: &Value) {
        let subject = frame["subject"].as_str().unwrap();
        let last = self.seqs.entry(subject.to_owned()).or_default();
        assert_eq!(frame["seq"], *last + 1, "{frame}");
        assert_eq!(frame["event"]["seq"], frame["seq"]);
        *last += 1;
        self.cursor = frame["cursor"].clone();
    }

    fn count(&self) -> u64 {
        self.seqs.values().sum()
    }
}

fn ended(map: &str) -> Value {
    event(map, "end", "map.ended", &json!({"score": {"ct": 13, "t": 5}}))
}

#[tokio::test]
async fn a_pattern_is_followed_from_any_cursor() {
    let server = Server::start().await;
    server.post(&numbered("match/m2/1", 1, 3)).await;
    server.post(&[numbered("match/m1/1", 1, 2), numbered("room/r", 1, 1)].concat()).await;
    server.post(&[own("match/m1", 1, &json!({}))]).await;
    let mut socket = server.socket().await;
    socket.subscribe("match/**", 0.into()).await;
    let (mut told, mut cursors) = (Told::default(), Vec::new());
    while told.count() < 6 {
        let frame = socket.next_of("event").await;
        assert_eq!(frame["topic"], "match/**");
        told.note(&frame);
        cursors.push((frame["cursor"].clone(), told.seqs.clone()));
    }
    server.post(&[numbered("match/m1/1", 3, 1), numbered("match/m2/1", 4, 2)].concat()).await;
    server.post(&[own("match/m1", 2, &json!({})), own("room/r", 2, &json!({}))]).await;
    while told.count() < 10 {
        let frame = socket.next_of("event").await;
        told.note(&frame);
        cursors.push((frame["cursor"].clone(), told.seqs.clone()));
    }
    socket.say(&json!({"type": "ping"})).await;
    let heads = socket.next_of("heartbeat").await["heads"].clone();
    cursors.push((heads["match/**"].clone(), told.seqs.clone()));
    server.post(&numbered("match/m9/1", 1, 1)).await;
    for (cursor, seqs) in cursors {
        let mut told = Told { seqs, cursor: cursor.clone() };
        let mut again = Events::open(&server, "topic=match/**&views=events", cursor.as_str()).await;
        while told.count() < 11 {
            let sent = again.next_of("event").await;
            let frame: Value = serde_json::from_str(&sent.data).unwrap();
            assert_eq!(sent.id.as_deref(), frame["cursor"].as_str());
            told.note(&frame);
        }
        // The same over pages.
        let path =
            format!("/api/v1/events?topic=match/**&limit=3&after={}", cursor.as_str().unwrap());
        let page = server.get(&path).await.json();
        assert!(page["next"].as_str().unwrap().starts_with("c2~"), "{page}");
    }
    assert_eq!(
        server.get("/api/v1/events?topic=match/*/1&limit=1000").await.json()["events"]
            .as_array()
            .unwrap()
            .len(),
        9
    );
}

/// Reads until the state of each of these streams is as of its head.
async fn read_states(
    socket: &mut Socket,
    states: &mut BTreeMap<String, Value>,
    heads: &BTreeMap<String, u64>,
) {
    let is_there = |states: &BTreeMap<String, Value>| {
        heads
            .iter()
            .all(|(subject, seq)| states.get(subject).is_some_and(|state| state["seq"] == *seq))
    };
    while !is_there(states) {
        let frame = socket.next().await;
        if frame["type"] != "state" {
            assert!(
                ["event", "prediction", "heartbeat"].contains(&frame["type"].as_str().unwrap()),
                "{frame}"
            );
            continue;
        }
        let state = states.entry(frame["subject"].as_str().unwrap().to_owned()).or_default();
        match frame.get("patch") {
            Some(patch) => merge(state, patch.clone()),
            None => *state = frame["state"].clone(),
        }
        assert_eq!(frame["seq"], state["seq"], "{frame}");
    }
}

#[tokio::test]
async fn each_streams_patches_lead_to_its_state() {
    let server = Server::start().await;
    let seed = play::seed();
    let mut random = play::rng(seed);
    let streams = ["match/m1/1", "match/m1/2", "match/m2/1"];
    let mut plays: Vec<_> =
        streams.iter().map(|stream| play::random(stream, 60, seed).into_iter()).collect();
    let mut socket = server.socket().await;
    socket.subscribe("match/*/*", 0.into()).await;
    let (mut states, mut heads) = (BTreeMap::new(), BTreeMap::new());
    for _ in 0..30 {
        let mut batch = Vec::new();
        for (stream, play) in streams.iter().zip(&mut plays) {
            let more: Vec<Value> = play.by_ref().take(random.random_range(0..5)).collect();
            *heads.entry((*stream).to_owned()).or_default() += more.len() as u64;
            batch.extend(more);
        }
        heads.retain(|_, seq| *seq > 0);
        if !batch.is_empty() {
            assert_eq!(server.post(&batch).await.status, 200);
        }
        read_states(&mut socket, &mut states, &heads).await;
    }
    for (subject, state) in &states {
        assert_eq!(*state, server.get(&state_path(subject)).await.json(), "{subject}");
    }
}

#[tokio::test]
async fn without_a_cursor_it_begins_with_what_is_being_played() {
    let server = Server::start().await;
    let started = |map: &str| event(map, "start", "match.started", &json!({}));
    server
        .post(&[started("match/m1/1"), started("match/m2/1"), own("match/m3/1", 1, &json!({}))])
        .await;
    assert_eq!(server.post(&[ended("match/m2/1")]).await.status, 200);
    let mut socket = server.socket().await;
    socket.subscribe("match/**", Value::Null).await;
    let snapshot = socket.next().await;
    let told = ["type", "topic", "subject", "seq"].map(|name| snapshot[name].clone());
    assert_eq!(told, [json!("snapshot"), json!("match/**"), json!("match/m1/1"), json!(1)]);
    assert!(snapshot["cursor"].as_str().unwrap().starts_with("c2~"));
    assert_eq!(snapshot["state"], server.get("/api/v1/matches/m1/maps/1").await.json());
    assert_eq!(socket.next().await["type"], "heartbeat", "there is no other one");
    server.post(&numbered("match/m1/1", 1, 1)).await;
    assert_eq!(socket.next_of("event").await["seq"], 2);
    let state = socket.next_of("state").await;
    assert!(state["patch"].is_object() && state["seq"] == 2, "{state}");
    // Nothing is there for those who follow another match.
    let mut other = server.socket().await;
    other.subscribe("match/m9/*", Value::Null).await;
    assert_eq!(other.next().await["type"], "heartbeat", "it has caught up");
    server.post(&numbered("match/m9/1", 1, 1)).await;
    assert_eq!(other.next().await["type"], "event");
}

#[tokio::test]
async fn who_is_cut_off_before_a_state_is_given_it() {
    let server = Server::start().await;
    server.post(&[numbered("match/m1/1", 1, 2), vec![ended("match/m1/1")]].concat()).await;
    server.post(&numbered("match/m2/1", 1, 3)).await;
    assert_eq!(server.post(&[ended("match/m2/1"), ended("match/m3/1")]).await.status, 200);
    let mut socket = server.socket().await;
    socket.subscribe("match/**", 0.into()).await;
    let mut told = Told::default();
    let mut cursors = Vec::new();
    while told.count() < 8 {
        told.note(&socket.next_of("event").await);
        cursors.push((told.cursor.clone(), told.seqs.clone()));
    }
    let heads = told.seqs;
    for (cursor, mut seqs) in cursors {
        let mut states = BTreeMap::new();
        let mut again = server.socket().await;
        again.subscribe("match/**", cursor.clone()).await;
        loop {
            let frame = again.next().await;
            let told = (frame["subject"].as_str().unwrap_or("").to_owned(), frame["seq"].as_u64());
            match frame["type"].as_str().unwrap() {
                "event" => drop(seqs.insert(told.0, told.1.unwrap())),
                "state" => {
                    assert_eq!(Some(seqs[&told.0]), told.1, "{cursor}: {frame}");
                    states.insert(told.0, told.1.unwrap());
                }
                "heartbeat" => break,
                _ => {}
            }
        }
        assert_eq!((&states, &seqs), (&heads, &heads), "{cursor}");
    }
    // Who has them is not given them again.
    let sent = socket.next_of("heartbeat").await["heads"]["match/**"].clone();
    let mut again = server.socket().await;
    again.subscribe("match/**", sent).await;
    assert_eq!(again.next().await["type"], "heartbeat");
    server.post(&[own("match/m3/1", 2, &json!({}))]).await;
    let next = [again.next().await, again.next_of("state").await];
    assert_eq!(next.map(|frame| frame["seq"].clone()), [json!(2), json!(2)]);
}

#[tokio::test]
async fn who_is_cut_off_among_the_snapshots_is_given_the_others() {
    let server = Server::start().await;
    let maps = ["match/m1/1", "match/m2/1", "match/m3/1"];
    server.post(&maps.map(|map| event(map, "start", "match.started", &json!({})))).await;
    let mut socket = server.socket().await;
    socket.subscribe("match/**", Value::Null).await;
    let mut cursors = Vec::new();
    for map in maps {
        let snapshot = socket.next_of("snapshot").await;
        assert_eq!(snapshot["subject"], map);
        cursors.push(snapshot["cursor"].clone());
    }
    assert_eq!(server.post(&[ended(maps[0])]).await.status, 200);
    for (had, cursor) in (1..).zip(cursors) {
        let mut again = server.socket().await;
        again.subscribe("match/**", cursor).await;
        for map in &maps[had..] {
            let snapshot = again.next().await;
            assert_eq!(
                (&snapshot["type"], &snapshot["subject"]),
                (&"snapshot".into(), &(*map).into())
            );
        }
        for kind in ["event", "state"] {
            let frame = again.next().await;
            assert_eq!((&frame["type"], &frame["subject"]), (&kind.into(), &maps[0].into()));
        }
    }
}

#[tokio::test]
async fn of_very_many_streams_every_state_is_told() {
    let server = Server::start().await;
    let streams: Vec<String> = (0..4_200).map(|n| format!("match/m{n}/1")).collect();
    for some in streams.chunks(1_000) {
        let events: Vec<Value> = some.iter().map(|stream| own(stream, 1, &json!({}))).collect();
        assert_eq!(server.post(&events).await.status, 200);
    }
    let mut socket = server.socket().await;
    let topic = json!({"type": "subscribe", "topic": "match/**", "after": 0, "views": ["state"]});
    socket.say(&topic).await;
    let mut told = BTreeSet::new();
    let all_told = async {
        while told.len() < streams.len() {
            told.insert(socket.next_of("state").await["subject"].to_string());
        }
    };
    soon(all_told).await;
}

#[tokio::test]
async fn the_matches_of_a_tournament() {
    let server = Server::start().await;
    let named = |id: &str, tournament: &str| {
        event(&format!("match/{id}"), "t", "match.scheduled", &json!({"tournament": tournament}))
    };
    server.post(&numbered("match/late/1", 1, 2)).await;
    server.post(&[named("m1", "t"), named("m2", "u"), own("match/m1/1", 1, &json!({}))]).await;
    let topic = "tournament/t/matches";
    let mut socket = server.socket().await;
    socket.subscribe(topic, 0.into()).await;
    let mut told = Told::default();
    for _ in 0..2 {
        told.note(&socket.next_of("event").await);
    }
    server
        .post(&[
            named("late", "t"),
            own("match/m2/1", 1, &json!({})),
            own("match/m1/1", 2, &json!({})),
        ])
        .await;
    for _ in 0..4 {
        told.note(&socket.next_of("event").await);
    }
    let expected = [("match/late", 1), ("match/late/1", 2), ("match/m1", 1), ("match/m1/1", 2)];
    let told_of: Vec<(&str, u64)> =
        told.seqs.iter().map(|(subject, seq)| (&**subject, *seq)).collect();
    assert_eq!(told_of, expected);
    let page = server.get(&format!("/api/v1/events?topic={topic}")).await.json();
    assert_eq!(page["events"].as_array().unwrap().len(), 6);
    let mut none = server.socket().await;
    none.subscribe("tournament/none/matches", 0.into()).await;
    none.say(&json!({"type": "ping"})).await;
    assert_eq!(none.next().await["type"], "heartbeat");
}

#[tokio::test]
async fn a_poll_waits_for_any_of_the_streams() {
    let server = Arc::new(Server::start().await);
    let asking = server.clone();
    let path = "/api/v1/events?topic=match/**&wait=30";
    let asked = tokio::spawn(async move { asking.get(path).await });
    server.metric_reaches("matchwire_connections{kind=\"poll\"}", 1.0).await;
    server.post(&[own("room/r", 1, &json!({}))]).await;
    server.post(&numbered("match/m1/1", 1, 2)).await;
    let page = soon(asked).await.unwrap().json();
    assert_eq!(page["events"].as_array().unwrap().len(), 2);
    let next = page["next"].as_str().unwrap();
    let none = server.get(&format!("/api/v1/events?topic=match/**&after={next}")).await.json();
    assert_eq!((&none["events"], &none["next"]), (&json!([]), &page["next"]));
}

#[tokio::test]
async fn what_is_no_cursor_or_topic_is_told() {
    let server = Server::start().await;
    server.post(&numbered("match/m1/1", 1, 3)).await;
    let lineage = server.log.lineage().current().to_owned();
    let mut socket = server.socket().await;
    for (topic, after) in [
        ("match/**", json!(3)),
        ("match/**", json!(format!("c1~{lineage}~1-1"))),
        ("match/m1/1", json!(format!("c2~{lineage}~1"))),
        ("match/m1", json!(format!("c2~{lineage}~1"))),
        ("match/**", json!(format!("c2~{lineage}~x"))),
    ] {
        socket.say(&json!({"type": "subscribe", "topic": topic, "after": after})).await;
        let error = socket.next().await;
        assert_eq!(
            (&error["type"], &error["code"]),
            (&json!("error"), &json!("cursor")),
            "{topic} {after}"
        );
        if let Some(after) = after.as_str() {
            let path = format!("/api/v1/stream?topic={topic}&after={after}");
            assert_eq!(server.get(&path).await.status, 422, "{path}");
        }
    }
    for topic in ["**", "room/*", "player/**", "admin/*", "match/m*", "tournament/t"] {
        socket.say(&json!({"type": "subscribe", "topic": topic})).await;
        assert_eq!(socket.next().await["code"], "topic", "{topic}");
        for path in ["stream", "events"] {
            assert_eq!(
                server.get(&format!("/api/v1/{path}?topic={topic}")).await.status,
                422,
                "{topic}"
            );
        }
    }
    socket.say(&json!({"type": "subscribe", "topic": "match/**", "replay": {"speed": 0}})).await;
    assert_eq!(socket.next().await["type"], "error");
    for query in ["topic=match/m1/1", "topic=match/**&subject=match/m1/1", "topic=match/**&after=1"]
    {
        assert_eq!(server.get(&format!("/api/v1/events?{query}")).await.status, 422, "{query}");
    }
}

#[tokio::test]
async fn what_lies_past_a_fork_or_the_end_is_void() {
    let memory = Memory::new();
    let first = Server::of(Setup { medium: Box::new(memory.clone()), ..Setup::default() }).await;
    first.post(&numbered("match/m1/1", 1, 1)).await;
    let position = memory.tail().position;
    first.post(&numbered("match/m1/1", 2, 1)).await;
    let old = first.log.lineage().current().to_owned();
    first.end().await;
    let medium = Rigged::over(&memory).forked("00000000000000ff", position);
    let server = Server::of(Setup { medium: Box::new(medium), ..Setup::default() }).await;
    for (cursor, reason) in [
        (format!("c2~{old}~{position}"), "lineage"),
        (format!("c2~{old}~{}~{position}~1~match/m1/1", position - 1), "lineage"),
        ("c2~0000000000000001~1".to_owned(), "lineage"),
        (format!("c2~00000000000000ff~{}", position + 9), "after_head"),
    ] {
        let mut socket = server.socket().await;
        socket.subscribe("match/**", cursor.clone().into()).await;
        let reset = socket.next().await;
        assert_eq!(
            (&reset["type"], &reset["reason"]),
            (&json!("reset"), &json!(reason)),
            "{cursor}"
        );
        let polled = server.get(&format!("/api/v1/events?topic=match/**&after={cursor}")).await;
        assert_eq!(polled.status, 409, "{cursor}");
    }
    let mut socket = server.socket().await;
    socket.subscribe("match/**", format!("c2~{old}~{}", position - 1).into()).await;
    let event = socket.next().await;
    assert_eq!((&event["type"], &event["seq"]), (&json!("event"), &json!(2)));
    assert!(event["cursor"].as_str().unwrap().starts_with("c2~00000000000000ff~"));
}

#[tokio::test]
async fn damage_and_loss_of_one_stream_are_told_and_the_others_go_on() {
    let medium = Rigged::new();
    let options = Options { recent_bytes: 0, ..Options::default() };
    let server =
        Server::of(Setup { medium: Box::new(medium.clone()), options, ..Setup::default() }).await;
    for stream in ["match/m1/1", "match/m1/2", "match/m2/1"] {
        server.post(&numbered(stream, 1, 3)).await;
    }
    medium.damage(Some("match/m1/2"));
    let mut socket = server.socket().await;
    socket.subscribe("match/**", 0.into()).await;
    let mut told = Told::default();
    for _ in 0..3 {
        told.note(&socket.next_of("event").await);
    }
    let error = socket.next_of("error").await;
    assert_eq!((&error["code"], &error["subject"]), (&json!("corrupt"), &json!("match/m1/2")));
    for _ in 0..3 {
        told.note(&socket.next_of("event").await);
    }
    let page = server.get("/api/v1/events?topic=match/**").await.json();
    assert_eq!(page["events"].as_array().unwrap().len(), 6);
    assert_eq!(page["errors"][0]["subject"], "match/m1/2");
    medium.damage(None);
    medium.lose(2..=2);
    let mut socket = server.socket().await;
    socket.subscribe("match/m1/*", 0.into()).await;
    assert_eq!(socket.next_of("event").await["seq"], 1);
    let error = socket.next_of("error").await;
    assert_eq!(error["code"], "lost");
    assert_eq!(socket.next_of("event").await["seq"], 3);
}

/// A client that comes again whenever it is cut off, or wants to.
struct Client {
    socket: Socket,
    topic: &'static str,
    told: Told,
    /// The last state of each stream, and whether the connection has told it, so that patches to it make sense.
    states: BTreeMap<String, (Value, bool)>,
}

impl Client {
    async fn new(server: &Server, topic: &'static str) -> Self {
        let mut socket = server.socket().await;
        socket.subscribe(topic, 0.into()).await;
        Self { socket, topic, told: Told::default(), states: BTreeMap::new() }
    }

    async fn come_again(&mut self, server: &Server) {
        self.socket = server.socket().await;
        self.states.values_mut().for_each(|(_, is_of_this)| *is_of_this = false);
        let cursor = if self.told.cursor.is_null() { 0.into() } else { self.told.cursor.clone() };
        self.socket.subscribe(self.topic, cursor).await;
    }

    /// A state stands for events that were told, and never goes back.
    fn note_state(&mut self, frame: &Value) {
        let (subject, seq) = (frame["subject"].as_str().unwrap(), frame["seq"].as_u64().unwrap());
        assert!(seq <= self.told.seqs[subject], "{frame}");
        let known = self.states.entry(subject.to_owned()).or_default();
        assert!(known.0["seq"].as_u64().unwrap_or(0) <= seq, "{frame}");
        match frame.get("patch") {
            Some(patch) => {
                assert!(known.1, "{frame}");
                merge(&mut known.0, patch.clone());
            }
            None => *known = (frame["state"].clone(), true),
        }
        assert_eq!(known.0["seq"], seq);
    }

    /// Takes a frame; false at a heartbeat.
    async fn take(&mut self, server: &Server) -> bool {
        match self.socket.heard().await {
            Ok(frame) => match frame["type"].as_str().unwrap() {
                "event" => self.told.note(&frame),
                "state" => self.note_state(&frame),
                "heartbeat" => return false,
                "error" | "reset" => panic!("{frame}"),
                _ => {}
            },
            // It was behind what is in memory.
            Err(Some(1013)) => self.come_again(server).await,
            Err(code) => panic!("{code:?}"),
        }
        true
    }

    /// Whether it has all events up to these heads, and the states that they led to.
    fn has(&self, heads: &BTreeMap<String, u64>) -> bool {
        let state_seq =
            |subject| self.states.get(subject).and_then(|(state, _)| state["seq"].as_u64());
        self.told.seqs == *heads
            && heads.iter().all(|(subject, seq)| state_seq(subject) == Some(*seq))
    }

    fn wants(&self, subject: &str) -> bool {
        match self.topic {
            "match/**" => true,
            "match/*/1" => subject.ends_with("/1"),
            "match/m1/*" => subject.starts_with("match/m1/"),
            _ => subject.starts_with("match/m1") || subject.starts_with("match/m2"),
        }
    }
}

/// However often clients break off, wherever they are, each has every event once and in order, and in the end
/// the state of each stream.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_come_and_go_have_everything_once() {
    let mut random = play::rng(play::seed());
    let options = Options { recent_bytes: 60_000, ..Options::default() };
    let limits = Limits { heartbeat: Duration::from_millis(20), ..Limits::default() };
    let server = Server::of(Setup { limits, options, ..Setup::default() }).await;
    let topics = ["match/**", "match/*/1", "match/m1/*", "tournament/t/matches"];
    let mut clients: Vec<Client> = Vec::new();
    let mut heads: BTreeMap<String, u64> = BTreeMap::new();
    for round in 0..60_u64 {
        if let 10 | 25 = round {
            let own = format!("match/m{}", round / 10);
            let data = json!({"tournament": "t"});
            server.post(&[event(&own, "t", "match.scheduled", &data)]).await;
            heads.insert(own, 1);
        }
        let stream = format!("match/m{}/{}", random.random_range(1..5), random.random_range(1..3));
        let count = random.random_range(1..40);
        let head = heads.entry(stream.clone()).or_default();
        assert_eq!(server.post(&numbered(&stream, *head + 1, count)).await.status, 200);
        *head += count;
        match random.random_range(0..4) {
            0 => {
                let topic = *topics.choose(&mut random).unwrap();
                clients.push(Client::new(&server, topic).await);
            }
            1 => {
                if let Some(client) = clients.choose_mut(&mut random) {
                    client.come_again(&server).await;
                }
            }
            _ => {}
        }
        for client in &mut clients {
            for _ in 0..random.random_range(0..9) {
                if !client.take(&server).await {
                    break;
                }
            }
        }
    }
    for mut client in clients {
        let wanted = heads.iter().filter(|(subject, _)| client.wants(subject));
        let expected: BTreeMap<String, u64> = wanted.map(|(s, n)| (s.clone(), *n)).collect();
        while client.told.seqs != expected {
            if random.random_range(0..20) == 0 {
                client.come_again(&server).await;
            }
            client.take(&server).await;
        }
        // Also whoever is cut off with the last event, once or more.
        for _ in 0..random.random_range(1..3) {
            client.come_again(&server).await;
        }
        soon(async {
            while !client.has(&expected) {
                client.take(&server).await;
            }
        })
        .await;
        for (subject, (state, _)) in &client.states {
            // Of a match as a whole another state is shown than of its own stream.
            if subject.matches('/').count() == 2 {
                assert_eq!(*state, server.get(&state_path(subject)).await.json(), "{subject}");
            }
        }
    }
}

/// Where the state of a map is.
fn state_path(subject: &str) -> String {
    let rest = subject.strip_prefix("match/").unwrap();
    format!("/api/v1/matches/{}", rest.replace('/', "/maps/"))
}
