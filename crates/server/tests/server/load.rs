//! A server that is killed under load: what was acknowledged is what is there.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use matchwire_client::{Client, Error};
use matchwire_embedded::{Options, Segments, verify};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use serde_json::Value;
use tokio::time::sleep;

use crate::process::Server;

/// How often the process is killed, unless `MATCHWIRE_KILLS` says otherwise.
const KILLS: usize = 12;
const POSTERS: u64 = 4;
const STREAMS: u64 = 12;
/// Small files, so that some are sealed and merged while the process is killed.
const ARGUMENTS: [&str; 2] = ["--segment-mib", "1"];

/// Subject and id of an acknowledged event, with its seq and chain.
type Acknowledged = BTreeMap<(String, String), (u64, String)>;

#[tokio::test(flavor = "multi_thread")]
async fn killed_under_load() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seed = number("MATCHWIRE_SEED").unwrap_or_else(|| RandomState::new().hash_one(0) >> 1);
    let kills = number("MATCHWIRE_KILLS").map_or(KILLS, |kills| usize::try_from(kills).unwrap());
    println!("MATCHWIRE_SEED={seed} MATCHWIRE_KILLS={kills}");
    let mut random = SmallRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start_with(folder.path(), "127.0.0.1:0", &ARGUMENTS);
    let authority = server.authority.clone();
    let (count, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let posters: Vec<_> = (0..POSTERS)
        .map(|poster| {
            let client = server.client();
            let random = SmallRng::seed_from_u64(seed ^ (poster + 1));
            tokio::spawn(post(client, poster, random, count.clone(), is_over.clone()))
        })
        .collect();
    for _ in 0..kills {
        // Some progress, then any moment.
        let due = count.load(Ordering::SeqCst) + random.random_range(1..600);
        while count.load(Ordering::SeqCst) < due {
            sleep(Duration::from_millis(1)).await;
        }
        sleep(Duration::from_micros(random.random_range(0..4_000))).await;
        server.kill();
        server = Server::start_with(folder.path(), &authority, &ARGUMENTS);
    }
    is_over.store(true, Ordering::SeqCst);
    let mut acknowledged = Acknowledged::new();
    for poster in posters {
        acknowledged.extend(poster.await.unwrap());
    }
    let found = everything(&server.client()).await;
    println!("{} events were acknowledged", acknowledged.len());
    assert!(acknowledged == found, "{} acknowledged, {} found", acknowledged.len(), found.len());
    server.kill();
    let log = folder.path().join("log");
    drop(Segments::open(&log, Options::default()).unwrap());
    let verified = verify(&log, None, &mut |_| ()).unwrap();
    assert_eq!((verified.damage, verified.events), (Vec::new(), found.len() as u64));
}

/// Posts batches, each again until it is acknowledged, and gives what was.
async fn post(
    client: Client,
    poster: u64,
    mut random: SmallRng,
    count: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
) -> Acknowledged {
    let mut acknowledged = Acknowledged::new();
    let mut next = 0;
    while !is_over.load(Ordering::SeqCst) {
        let events: Vec<String> = (0..random.random_range(1..40))
            .map(|_| {
                next += 1;
                let stream = random.random_range(0..STREAMS);
                let text = "x".repeat(random.random_range(0..300));
                format!(
                    r#"{{"specversion":"1.0","id":"{poster}-{next}","source":"s","subject":"match/m{stream}/1","type":"x.load","data":{{"text":"{text}"}}}}"#
                )
            })
            .collect();
        let body = events.join("\n");
        let results = loop {
            let headers = [("content-type", "application/x-ndjson".to_owned())];
            match client.post("/events", &headers, body.clone().into()).await {
                Ok(answer) => break answer["results"].as_array().unwrap().clone(),
                Err(Error::Connection(_) | Error::Timeout(_)) => {
                    sleep(Duration::from_millis(2)).await;
                }
                Err(error) => panic!("{error}"),
            }
        };
        assert_eq!(results.len(), events.len());
        for result in results {
            assert!(result["status"] != "rejected" && result["differs"] != true, "{result}");
            let (subject, id) = (text(&result["subject"]), text(&result["id"]));
            let place = (result["seq"].as_u64().unwrap(), text(&result["chain"]));
            assert!(acknowledged.insert((subject, id), place).is_none());
        }
        count.fetch_add(events.len(), Ordering::SeqCst);
    }
    acknowledged
}

/// All events of all streams, read over HTTP.
async fn everything(client: &Client) -> Acknowledged {
    let mut found = Acknowledged::new();
    for stream in 0..STREAMS {
        let subject = format!("match/m{stream}/1");
        let mut after = 0;
        loop {
            let path = format!("/events?subject={subject}&after={after}&limit=1000");
            let page = client.get(&path).await.unwrap();
            for event in page["events"].as_array().unwrap() {
                after += 1;
                assert_eq!(event["seq"], after);
                let place = (after, text(&event["chain"]));
                let twice = found.insert((subject.clone(), text(&event["id"])), place);
                assert!(twice.is_none(), "{event} is there twice");
            }
            if page["next"].is_null() {
                break;
            }
        }
    }
    found
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
