//! A server that is killed at any moment loses nothing that it acknowledged.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use matchwire_client::Error;
use matchwire_domain::{chain::Digest, subject::Subject};
use matchwire_embedded::Segments;
use matchwire_log::{Log, SystemClock};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use tokio::{sync::watch, time::sleep};

use crate::{played, process::Server};

const KILLS: usize = 20;

/// Twenty times over, the process is killed while a log is being posted, and started again. The
/// sender only repeats what was not acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn killed_twenty_times() {
    let seed: u64 =
        std::env::var("MATCHWIRE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(
            || u64::from(std::process::id()) << 32 | u64::from(started().subsec_nanos()),
        );
    println!("MATCHWIRE_SEED={seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let log = played::log();

    let mut server = Server::start(folder.path(), "127.0.0.1:0");
    let authority = server.authority.clone();
    // Each kill waits until so many bytes were acknowledged, and then for a moment.
    let mut due: Vec<usize> =
        (0..KILLS).map(|_| random.random_range(0..log.len() * 9 / 10)).collect();
    due.sort_unstable();
    let (told, mut acknowledged) = watch::channel(0);
    let sender = tokio::spawn(send(authority.clone(), log.clone(), seed, told));
    for bytes in due {
        acknowledged.wait_for(|acknowledged| *acknowledged >= bytes).await.unwrap();
        sleep(Duration::from_micros(random.random_range(0..4_000))).await;
        server.kill();
        server = Server::start(folder.path(), &authority);
    }
    sender.await.unwrap();

    // What a server that was never killed makes of it.
    let calm_folder = tempfile::tempdir().unwrap();
    let calm = Server::start(calm_folder.path(), "127.0.0.1:0");
    played::post(&calm.client(), "m/auto", "t", 0, &log).await.unwrap();
    let expected = played::events(&calm.client(), "match/m/1").await;
    let events = played::events(&server.client(), "match/m/1").await;
    // Each server seals names with keys of its own.
    let content = |events: &[serde_json::Value]| -> Vec<(String, String)> {
        let told = |event: &serde_json::Value| {
            let mut data = event["data"].clone();
            if data["name"].as_str().is_some_and(|name| name.starts_with("~1.")) {
                data["name"] = "sealed".into();
            }
            (event["id"].to_string(), data.to_string())
        };
        events.iter().map(told).collect()
    };
    assert_eq!(content(&events), content(&expected));
    let ids: BTreeSet<String> = events.iter().map(|event| event["id"].to_string()).collect();
    assert_eq!(ids.len(), events.len());
    assert_eq!(
        played::state(&server.client(), "m", 1).await,
        played::state(&calm.client(), "m", 1).await
    );
    server.kill();
    check_chain(folder.path(), events.len() as u64);
}

/// A post that tells nothing new may still end in the middle of a line, which the next one ends.
#[tokio::test]
async fn half_a_line_outlasts_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let log = played::log();
    let cut = 30 + log.iter().position(|byte| *byte == b'\n').unwrap();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    played::post(&server.client(), "m/1", "t", 0, &log[..cut - 20]).await.unwrap();
    played::post(&server.client(), "m/1", "t", 0, &log[..cut]).await.unwrap();
    server.kill();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    played::post(&server.client(), "m/1", "t", cut, &log[cut..]).await.unwrap();
    let state = played::state(&server.client(), "m", 1).await;
    assert_eq!((&state["max_rounds"], &state["anomalies"]), (&24.into(), &serde_json::json!([])));
    assert_eq!(state["rounds"].as_object().unwrap().len(), 24);
}

fn started() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap()
}

/// Posts a log in parts of any size, each until it is acknowledged.
async fn send(authority: String, log: Vec<u8>, seed: u64, acknowledged: watch::Sender<usize>) {
    let mut random = SmallRng::seed_from_u64(seed ^ 1);
    let client = matchwire_client::Client::new(&format!("http://{authority}")).unwrap();
    let mut begin = 0;
    while begin < log.len() {
        let end = log.len().min(begin + random.random_range(1..400));
        loop {
            match played::post(&client, "m/auto", "t", begin, &log[begin..end]).await {
                Ok(_) => break,
                Err(Error::Connection(_) | Error::Timeout(_)) => {
                    sleep(Duration::from_millis(2)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
        begin = end;
        acknowledged.send_replace(begin);
    }
}

/// Every event is in the log once, in order, and the chain is whole.
fn check_chain(data: &std::path::Path, head: u64) {
    let segments =
        Segments::open(&data.join("log"), matchwire_embedded::Options::default()).unwrap();
    let log = Log::open(Box::new(segments), Arc::new(SystemClock)).unwrap();
    let subject = Subject::parse("match/m/1").unwrap();
    let mut chain = Digest::genesis(log.id(), &subject);
    let mut seq = 0;
    while seq < head {
        for entry in log.read(&subject, seq, 1_000).unwrap() {
            let recorded = entry.recorded;
            seq += 1;
            assert_eq!(recorded.seq, seq);
            assert_eq!(recorded.leaf, Digest::leaf(&recorded.stored));
            chain = chain.next(seq, recorded.recorded, recorded.leaf);
            assert_eq!(recorded.chain, chain);
        }
    }
    assert_eq!(log.head(&subject).unwrap(), head);
}
