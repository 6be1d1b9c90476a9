//! Following through a network that cuts, delays and doubles connections.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::SocketAddr,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use matchwire_client::{Chains, Checked, Client, Delivered, Told};
use matchwire_domain::subject::Subject;
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};

use crate::process::{Server, matchwire};

/// A proxy in front of a server.
struct Rough {
    address: SocketAddr,
    cuts: Arc<AtomicU64>,
    _serving: JoinSet<()>,
}

/// How rough it is.
#[derive(Clone, Copy)]
struct Roughness {
    /// A connection lasts up to so long,
    life: Duration,
    /// and what it brings is up to so late.
    delay: Duration,
}

impl Rough {
    async fn start(upstream: &str, seed: u64, how: Roughness) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, upstream) = (listener.local_addr().unwrap(), upstream.to_owned());
        let (cuts, mut serving) = (Arc::new(AtomicU64::new(0)), JoinSet::new());
        let cut = cuts.clone();
        let mut random = SmallRng::seed_from_u64(seed);
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (upstream, cut) = (upstream.clone(), cut.clone());
                let own = SmallRng::seed_from_u64(random.random());
                connections.spawn(async move {
                    let life = pass(client, &upstream, own, how).await;
                    cut.fetch_add(u64::from(life.is_err()), Ordering::Relaxed);
                });
            }
        });
        Self { address, cuts, _serving: serving }
    }
}

/// Passes bytes on until it cuts the connection, which is the error.
async fn pass(
    client: TcpStream,
    upstream: &str,
    mut random: SmallRng,
    how: Roughness,
) -> Result<(), ()> {
    let life = how.life.mul_f64(random.random());
    let server = TcpStream::connect(upstream).await.map_err(|_| ())?;
    // Some are there twice: the server hears the same two times, and one of its answers is lost.
    let mut double = if random.random_ratio(1, 3) {
        Some(TcpStream::connect(upstream).await.map_err(|_| ())?)
    } else {
        None
    };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        let mut buffer = vec![0; 4_096];
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            if to_server.write_all(&buffer[..read]).await.is_err() {
                break;
            }
            if let Some(double) = &mut double {
                let _ = double.write_all(&buffer[..read]).await;
            }
        }
    };
    let down = async {
        let mut buffer = vec![0; 4_096];
        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
            tokio::time::sleep(how.delay.mul_f64(random.random())).await;
            // It may be cut within a frame.
            if to_client.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
    };
    let both = async {
        tokio::select! {
            () = up => {}
            () = down => {}
        }
    };
    timeout(life, both).await.map_err(|_| ())
}

/// Follows a stream with its state until an event, and checks that each comes once and in order.
async fn follow_to(client: Client, topic: &str, last: u64) -> Value {
    let mut follow = client.follow(topic, "0").with_state();
    let (mut chains, mut seq) = (Chains::default(), 0);
    loop {
        match follow.next().await {
            Ok(Told::Event(event)) => {
                let Delivered { seq: told, .. } = *event;
                assert_eq!(told, seq + 1, "each once and in order");
                seq = told;
                if seq == 1 {
                    chains.begin(&Subject::parse(topic).unwrap(), follow.log_id().unwrap());
                }
                assert_eq!(chains.check(&event), Ok(Checked::Right));
            }
            Ok(Told::State) => {
                let state = follow.state().unwrap();
                if seq == last && state["seq"] == last {
                    return state.clone();
                }
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                assert!(error.is_retryable(), "{error}");
                follow.pause().await;
            }
        }
    }
}

/// Follows two matches by a pattern until both have so many events, and gives their states.
async fn follow_many(client: Client, count: u64) -> [Value; 2] {
    let mut follow = client.follow("match/**", "0").with_state();
    let streams = ["match/m1/1", "match/m2/1"];
    let mut seqs = [0; 2];
    loop {
        match follow.next().await {
            Ok(Told::Event(event)) => {
                let at = streams.iter().position(|stream| **stream == event.subject).unwrap();
                assert_eq!(event.seq, seqs[at] + 1, "each once and in order");
                seqs[at] = event.seq;
            }
            Ok(Told::State) => {}
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                assert!(error.is_retryable(), "{error}");
                follow.pause().await;
            }
        }
        let states = streams.map(|stream| follow.state_of(stream).filter(|it| it["seq"] == count));
        if let ([Some(one), Some(two)], true) = (states, seqs == [count; 2]) {
            return [one.clone(), two.clone()];
        }
    }
}

async fn head(client: &Client, topic: &str) -> u64 {
    let (_, map) = topic.split_once('/').unwrap();
    let (id, map) = map.split_once('/').unwrap();
    let state = client.get(&format!("/matches/{id}/maps/{map}")).await.unwrap();
    state["seq"].as_u64().unwrap()
}

fn seed() -> u64 {
    let given = std::env::var("MATCHWIRE_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("seed {seed}; MATCHWIRE_TEST_SEED={seed} repeats it");
    seed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_comes_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    let how = Roughness { life: Duration::from_millis(300), delay: Duration::from_millis(3) };
    let rough = Rough::start(&server.authority, seed(), how).await;
    let count = 1_500;
    let mut followers = JoinSet::new();
    for _ in 0..4 {
        let client = Client::new(&format!("http://{}", rough.address)).unwrap();
        followers.spawn(async move { follow_to(client, "match/m1/1", count).await });
    }
    let client = Client::new(&format!("http://{}", rough.address)).unwrap();
    let wide = tokio::spawn(follow_many(client, count));
    for first in (1..=count).step_by(10) {
        server.feed("match/m1/1", first, 10).await;
        server.feed("match/m2/1", first, 10).await;
    }
    let states = wide.await.unwrap();
    for (at, state) in states.iter().enumerate() {
        let path = format!("/matches/m{}/maps/1", at + 1);
        assert_eq!(state, &server.client().get(&path).await.unwrap());
    }
    let state = server.client().get("/matches/m1/maps/1").await.unwrap();
    while let Some(followed) = followers.join_next().await {
        assert_eq!(followed.unwrap(), state);
    }
    assert!(rough.cuts.load(Ordering::Relaxed) > 4);
}

/// `MATCHWIRE_RECORDING` names a file, `MATCHWIRE_FORMAT` its format, if it is not `cs-log`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it plays a recording that is not part of the project, for minutes"]
async fn a_recording_at_twenty_times_its_speed() {
    let file = std::env::var("MATCHWIRE_RECORDING").unwrap();
    let format = std::env::var("MATCHWIRE_FORMAT").unwrap_or_else(|_| "cs-log".into());
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    let how = Roughness { life: Duration::from_secs(6), delay: Duration::from_millis(20) };
    let rough = Rough::start(&server.authority, seed(), how).await;
    let mut sending = matchwire()
        .args(["send", &file, "--format", &format, "--match", "m1", "--map", "1", "--speed", "20"])
        .args(["--server", &server.url()])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (sent, mut done) = tokio::sync::watch::channel(None);
    let mut followers = JoinSet::new();
    for _ in 0..4 {
        let client = Client::new(&format!("http://{}", rough.address)).unwrap();
        let mut done = sent.subscribe();
        followers.spawn(async move {
            // Where it ends is known once it has; until then the follower is there all the same.
            let mut last = u64::MAX;
            let mut follow = client.follow("match/m1/1", "0").with_state();
            let mut seq = 0;
            loop {
                tokio::select! {
                    changed = done.changed(), if last == u64::MAX => {
                        changed.unwrap();
                        last = done.borrow().unwrap();
                    }
                    told = follow.next() => match told {
                        Ok(Told::Event(event)) => {
                            assert_eq!(event.seq, seq + 1, "each once and in order");
                            seq = event.seq;
                        }
                        Ok(Told::State) => {}
                        Ok(other) => panic!("{other:?}"),
                        Err(error) => {
                            assert!(error.is_retryable(), "{error}");
                            follow.pause().await;
                        }
                    }
                }
                let state = follow.state().filter(|state| seq == last && state["seq"] == last);
                if let Some(state) = state {
                    return state.clone();
                }
            }
        });
    }
    let status = tokio::task::spawn_blocking(move || sending.wait()).await.unwrap().unwrap();
    assert!(status.success());
    let last = head(&server.client(), "match/m1/1").await;
    sent.send_replace(Some(last));
    let _ = done.changed().await;
    let state = server.client().get("/matches/m1/maps/1").await.unwrap();
    while let Some(followed) = followers.join_next().await {
        assert_eq!(followed.unwrap(), state);
    }
    println!("{last} events, {} connections cut", rough.cuts.load(Ordering::Relaxed));
}
