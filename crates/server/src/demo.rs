//! `matchwire demo`: a server of its own, and a simulated match that is played on it through the
//! public API, as anybody else would.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use matchwire_client::Client;
use matchwire_domain::timestamp::Timestamp;
use matchwire_log::live::Patience;
use matchwire_sim::{Series, cloud_event_json, past_json};
use serde_json::{Value, json};
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
    println!("  players  {url}/console#leaderboard/cs2");
    println!("  events   matchwire tail match/{MATCH} --server {url}");
    println!();
    println!("Ctrl-C ends it; its data goes with it.");
    let play = async {
        let (client, now) = (Client::new(&url)?, now()?);
        let fixture = fixture(&series, now);
        post(&client, fixture).await?;
        remember(&client, args.seed, now).await?;
        play(client, series, args.speed, now).await
    };
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

fn now() -> anyhow::Result<Timestamp> {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    Ok(Timestamp::from_ms(i64::try_from(now_ms)?))
}

async fn post(client: &Client, body: String) -> anyhow::Result<()> {
    let headers = [("content-type", "application/x-ndjson".to_owned())];
    client.post("/events", &headers, body.into()).await.context("the demo's own server")?;
    Ok(())
}

/// What is set for the match, so that it is over as a whole when its maps are.
fn fixture(series: &Series, now: Timestamp) -> String {
    let teams = series.teams.map(|name| json!({"name": name}));
    let event = json!({
        "specversion": "1.0", "id": "fixture", "source": matchwire_sim::SOURCE,
        "subject": format!("match/{MATCH}"), "type": "match.scheduled", "time": now.to_string(),
        "data": {"game": "cs2", "best_of": 3, "teams": teams},
    });
    format!("{event}\n")
}

/// What the players have done before, and that everybody may see it, so that the pages of players have something to show.
async fn remember(client: &Client, seed: u64, now: Timestamp) -> anyhow::Result<()> {
    post(client, past_json(seed, now).join("\n")).await?;
    let all = client.get("/matches?limit=1000").await?;
    let series = all.get("matches").and_then(Value::as_array).into_iter().flatten();
    let teams = series.filter_map(|one| one.pointer("/series/teams")?.as_array()).flatten();
    let players = teams.filter_map(|team| team.get("players")?.as_object());
    let ids: BTreeSet<&String> = players.flat_map(|players| players.keys()).collect();
    let public = json!({"activity": "public", "statistics": "public"});
    let set = |id: &String| {
        let event = json!({
            "specversion": "1.0", "id": "privacy", "source": matchwire_sim::SOURCE,
            "subject": format!("player/{id}"), "type": "privacy.set", "data": public,
        });
        event.to_string()
    };
    post(client, ids.into_iter().map(set).collect::<Vec<_>>().join("\n")).await
}

/// Posts the match's events as they are due.
async fn play(
    client: Client,
    series: Series,
    speed: f64,
    base_time: Timestamp,
) -> anyhow::Result<()> {
    let begun = Instant::now();
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
        post(&client, body).await?;
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
