//! The events of an import, sent in batches, from where the server has them.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use matchwire_client::{Client, Error};
use matchwire_domain::import;
use serde_json::{Value, json};

use super::{
    pace::Pace,
    progress::Progress,
    read::{History, told},
};
use crate::{cli::Import, terminal::text};

/// A batch has no further event once it has so many bytes.
const BATCH_BYTES: usize = 1 << 20;
/// For how long the same request is tried again, while the server is away or has no time for it.
const PATIENCE: Duration = Duration::from_mins(15);
/// The first wait between two attempts, where the server does not say how long it is to be, and the longest.
const MIN_WAIT: Duration = Duration::from_millis(100);
const MAX_WAIT: Duration = Duration::from_secs(10);
/// How many events that were refused are told of one by one.
const MAX_TOLD: u64 = 10;

/// What an import came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Total {
    /// Events that are new.
    pub(super) appended: u64,
    /// Events that were there when they were sent.
    pub(super) duplicate: u64,
    /// Events that were not sent, since they were there.
    pub(super) skipped: u64,
    /// Events that were refused.
    pub(super) rejected: u64,
}

/// Begins an import, or goes on with it, and sends what is missing.
pub(super) async fn send(
    args: &Import,
    client: &Client,
    name: &str,
    history: &History,
) -> anyhow::Result<Total> {
    let files: Vec<Value> =
        history.files.iter().map(|(name, bytes)| json!({"name": name, "bytes": bytes})).collect();
    let events = history.events.len();
    let mut what = json!({"content": history.content, "events": events, "files": files});
    if let (Some(by), Value::Object(what)) = (&args.by, &mut what) {
        what.insert("by".into(), by.as_str().into());
    }
    let mut progress = Progress::new(events as u64, "events", args.json);
    let path = format!("/imports/{name}");
    let import = post(client, &path, JSON, what.to_string(), &progress).await?;
    let sure = import.get("sure").and_then(Value::as_u64).unwrap_or(0);
    let mut next = usize::try_from(sure)?.min(events);
    let mut total = Total { skipped: next as u64, ..Total::default() };
    progress.skip(next as u64);
    let mut pace = Pace::new(args.rate);
    let source = import::source(name);
    while next < events {
        let (body, count) = batch(history, &source, next, usize::from(args.batch))?;
        let begun = Instant::now();
        let path = format!("/imports/{name}/events?first={next}");
        let answer = post(client, &path, LINES, body, &progress).await?;
        let is_new = total.add(&answer, &progress)?;
        next += count;
        progress.advance(count as u64);
        let pause = pace.after(begun.elapsed(), count, is_new);
        progress.say(if pace.is_slowed() { "slowed, since the server is" } else { "" });
        if next < events && !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
    let finished = json!({"refused": total.rejected}).to_string();
    post(client, &format!("/imports/{name}/finish"), JSON, finished, &progress).await?;
    progress.end();
    Ok(total)
}

/// The content type of one object, and that of lines.
pub(super) const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";

/// The events from a number on as lines, and how many they are.
fn batch(
    history: &History,
    source: &str,
    first: usize,
    most: usize,
) -> anyhow::Result<(String, usize)> {
    let (mut body, mut count) = (String::new(), 0);
    for event in history.events.iter().skip(first).take(most) {
        if count > 0 && body.len() + event.stored.len() > BATCH_BYTES {
            break;
        }
        let event = told(event, source, (first + count) as u64)?;
        body.push_str(std::str::from_utf8(&event.stored)?);
        body.push('\n');
        count += 1;
    }
    Ok((body, count))
}

/// Posts until the server took it, as long as it is worth trying again.
pub(super) async fn post(
    client: &Client,
    path: &str,
    kind: &str,
    body: String,
    progress: &Progress,
) -> anyhow::Result<Value> {
    let (begun, mut wait) = (Instant::now(), MIN_WAIT);
    let body = bytes::Bytes::from(body);
    loop {
        let kind = ("content-type", kind.to_owned());
        let error = match client.post(path, &[kind], body.clone()).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if !error.is_retryable() {
            return Err(error.into());
        }
        if begun.elapsed() > PATIENCE {
            let minutes = PATIENCE.as_secs() / 60;
            return Err(error).with_context(|| {
                format!("gave up after {minutes} min; the same command goes on from here")
            });
        }
        progress.say(&format!("waiting: {error}"));
        let asked = match &error {
            Error::Refused { retry_after_s, .. } => retry_after_s.map(Duration::from_secs),
            _ => None,
        };
        tokio::time::sleep(asked.unwrap_or(wait).clamp(MIN_WAIT, MAX_WAIT)).await;
        wait = (wait * 2).min(MAX_WAIT);
    }
}

impl Total {
    /// Adds what became of a batch; answers whether something was new.
    fn add(&mut self, answer: &Value, progress: &Progress) -> anyhow::Result<bool> {
        let Some(results) = answer.get("results").and_then(Value::as_array) else {
            bail!("the server's answer has no results");
        };
        let before = self.appended;
        for result in results {
            match result.get("status").and_then(Value::as_str) {
                Some("appended") => self.appended += 1,
                Some("duplicate") => self.duplicate += 1,
                _ => {
                    self.rejected += 1;
                    if self.rejected <= MAX_TOLD {
                        let error = result.get("error").unwrap_or(result);
                        let what = format!("{}: {}", text(error, "code"), text(error, "detail"));
                        progress.tell(&format!("an event was refused, {what}"));
                    }
                }
            }
        }
        Ok(self.appended > before)
    }
}
