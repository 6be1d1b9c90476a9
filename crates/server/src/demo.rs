//! `matchwire demo`: a server of its own, and a simulated match that is played on it through the
//! public API, as anybody else would.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use matchwire_client::Client;
use matchwire_domain::timestamp::Timestamp;
use matchwire_log::live::Patience;
use matchwire_sim::{Series, cloud_event_json};
use tokio::time::Instant;

use crate::{
    cli::{Demo, Serve},
    serve::{self, Running},
};

/// The match of the demo.
const MATCH: &str = "demo";
/// The most events that are posted at once.
const BATCH_EVENTS: usize = 200;
/// How long events are gathered that are due close to each other.
const BEAT: Duration = Duration::from_millis(20);

/// Runs the command.
pub(crate) async fn run(args: &Demo) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("matchwire-demo-").tempdir()?;
    let serve = Serve {
        data: folder.path().into(),
        config: None,
        upstreams: Vec::new(),
        audiences: Vec::new(),
        trusted_proxy: Vec::new(),
        listen: args.listen,
        insecure_ingest: Vec::new(),
        insecure_read: Vec::new(),
        host: Vec::new(),
        ingest_token: Vec::new(),
        gsi_token: None,
        model: Vec::new(),
        source_rank: Vec::new(),
        source_silence: Duration::from_secs(20),
        segment_mib: 64,
        allow_memory_acks: false,
        retain: Vec::new(),
        archive: crate::archive::Place::default(),
        archive_after: None,
        people: crate::people::Tokens::default(),
        players_reconcile_at: crate::reconcile::At::OFF,
        alerts: crate::alerts::Settings::default(),
        accept_clock: false,
        dead_letters: 1_000,
        dead_letters_mib: 16,
        source_limit: Vec::new(),
        admission_target_ms: 25,
        shadow: Vec::new(),
        predict_limit: Patience::default().limit,
        connections: 1_000,
        accept_rate: 2_000,
    };
    let running = Running::start(&serve).await?;
    let series = Series::new(args.seed);
    let url = format!("http://{}", running.address());
    let [first, second] = series.teams;
    println!("A simulated best-of-three, {first} v {second}, at {} times real speed.", args.speed);
    println!();
    println!("  console  {url}/console#/{MATCH}/1");
    println!("  state    {url}/api/v1/matches/{MATCH}/maps/1");
    println!("  events   matchwire tail match/{MATCH} --server {url}");
    println!();
    println!("Ctrl-C ends it; its data goes with it.");
    let play = play(Client::new(&url)?, series, args.speed);
    tokio::select! {
        played = play => played?,
        () = serve::told_to_stop() => return running.stop().await,
        stopped = running.stopped() => return stopped,
    }
    println!("The match is over; the console stays until Ctrl-C.");
    tokio::select! {
        () = serve::told_to_stop() => running.stop().await,
        stopped = running.stopped() => stopped,
    }
}

/// Posts the match's events as they are due.
async fn play(client: Client, series: Series, speed: f64) -> anyhow::Result<()> {
    let begun = Instant::now();
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let base_time = Timestamp::from_ms(i64::try_from(now_ms)?);
    let due = |at_ms: u64| match speed {
        0.0 => begun,
        speed => begun + Duration::from_millis(at_ms).div_f64(speed),
    };
    let mut map = 0;
    let mut steps = series.steps.iter().enumerate().peekable();
    while let Some((index, step)) = steps.next() {
        tokio::time::sleep_until(due(step.at_ms)).await;
        let mut body = cloud_event_json(step, MATCH, index, base_time) + "\n";
        let mut count = 1;
        let soon = Instant::now() + BEAT;
        while count < BATCH_EVENTS
            && let Some((index, step)) = steps.next_if(|(_, next)| due(next.at_ms) <= soon)
        {
            body += &(cloud_event_json(step, MATCH, index, base_time) + "\n");
            count += 1;
        }
        let headers = [("content-type", "application/x-ndjson".to_owned())];
        client.post("/events", &headers, body.into()).await.context("the demo's own server")?;
        let over = steps.peek().is_none_or(|(_, next)| next.map != step.map);
        if over && map != step.map {
            map = step.map;
            report(&series, map);
        }
    }
    Ok(())
}

fn report(series: &Series, map: u16) {
    if let Some(result) = series.maps.iter().find(|result| result.map == map) {
        let [first, second] = series.teams;
        let [a, b] = result.score;
        println!("map {map}, {}: {first} {a}:{b} {second}", result.map_name);
    }
}
