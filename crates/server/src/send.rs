//! `matchwire send`: a recording goes into a server, as if it happened now.
//!
//! It can be started again after any end: what the server has already is passed over without
//! waiting, since every line and event has an identity.

mod events;
mod lines;
mod pace;
mod posts;
mod statsbomb;

use std::{
    fs::{self, File},
    io::{IsTerminal as _, Read as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use matchwire_client::{Client, Error};
use serde_json::{Value, json};

use crate::cli::{Format, Send};

/// How long a server may be away before the sender gives up.
const PATIENCE: Duration = Duration::from_mins(1);
/// The longest wait between two attempts.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// How much of a compressed recording is read; a whole match takes some MiB.
const MAX_BYTES: u64 = 1 << 30;

/// What a recording came to.
#[derive(Debug, Default)]
struct Total {
    appended: u64,
    duplicate: u64,
    unknown: u64,
    sampled: u64,
    rejected: u64,
}

/// A part of a recording that is posted at once.
struct Part {
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// When it happened, in milliseconds since 1970, where that is known.
    time_ms: Option<i64>,
}

/// Runs the command.
pub(crate) async fn run(args: &Send) -> anyhow::Result<()> {
    let client = Client::new(&args.server)?;
    let match_id = match &args.match_id {
        Some(match_id) => match_id.clone(),
        None => default_match(args.files.first().map_or(Path::new("m1"), |file| file)),
    };
    let paced = args.speed > 0.0;
    let mut total = Total::default();
    for file in &args.files {
        let data = recorded(file).with_context(|| format!("cannot read {}", file.display()))?;
        let parts = match args.format.unwrap_or_else(|| guess(&plain_name(file))) {
            Format::CsLog => lines::parts(&data, &match_id, &args.map, paced),
            Format::Statsbomb => statsbomb::parts(&data, &match_id, &args.map, paced),
            Format::Gsi => posts::parts(&data, "gsi", &match_id, &args.map),
            Format::MatchZy => posts::parts(&data, "matchzy", &match_id, &args.map),
            Format::Ndjson => events::parts_of_lines(&data, paced),
            Format::Cloudevents => events::parts_of_json(&data, paced),
        }
        .with_context(|| format!("cannot read {}", file.display()))?;
        let bar = progress(file, data.len() as u64, args.json);
        send(&client, parts, args.speed, &bar, &mut total).await?;
        bar.finish();
    }
    let Total { appended, duplicate, unknown, sampled, rejected } = total;
    if args.json {
        let json = json!({
            "appended": appended, "duplicate": duplicate, "unknown": unknown, "sampled": sampled,
            "rejected": rejected,
        });
        println!("{json}");
    } else {
        println!(
            "{appended} events appended, {duplicate} known already, {unknown} lines or posts unknown"
        );
    }
    if sampled > 0 && !args.json {
        println!("{sampled} events were left out, since the server could not take all of them");
    }
    if rejected > 0 {
        bail!("{rejected} events were rejected");
    }
    Ok(())
}

async fn send(
    client: &Client,
    parts: Vec<Part>,
    speed: f64,
    bar: &ProgressBar,
    total: &mut Total,
) -> anyhow::Result<()> {
    let mut pace = pace::Pace::new(speed);
    for part in parts {
        pace.wait(part.time_ms).await;
        let length = part.body.len() as u64;
        let (answer, early) = post(client, &part, bar).await?;
        // Until something is new the recording is only caught up with.
        pace.go(total.add(&answer, early) > 0);
        bar.inc(length);
    }
    Ok(())
}

/// Posts until the server took it, or has been away for too long. Tells also how many events it had
/// taken before it took the rest.
async fn post(client: &Client, part: &Part, bar: &ProgressBar) -> anyhow::Result<(Value, u64)> {
    let begun = Instant::now();
    let mut early = 0;
    let mut wait = Duration::from_millis(50);
    loop {
        let body = part.body.clone().into();
        match client.post(&part.path, &part.headers, body).await {
            Ok(answer) if is_limited(&answer) && begun.elapsed() < PATIENCE => {
                early += count(&answer, |result| has(result, "status", "appended"));
                bar.set_message("waiting: more is sent than can be taken");
            }
            Ok(answer) => return Ok((answer, early)),
            Err(error) if error.is_retryable() && begun.elapsed() < PATIENCE => {
                bar.set_message(format!("waiting: {error}"));
            }
            Err(error @ Error::Refused { .. }) => return Err(error.into()),
            Err(error) => return Err(error).context("gave up"),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(MAX_WAIT);
        bar.set_message("");
    }
}

/// Whether some of the events are worth while sending again.
fn is_limited(answer: &Value) -> bool {
    let limited =
        |error: &Value| has(error, "code", "overloaded") || has(error, "code", "rate_limited");
    count(answer, |result| result.get("error").is_some_and(limited)) > 0
}

/// How many results of an answer are so.
fn count(answer: &Value, is: impl Fn(&Value) -> bool) -> u64 {
    let results = answer.get("results").and_then(Value::as_array);
    results.map_or(0, |results| results.iter().filter(|result| is(result)).count() as u64)
}

fn has(value: &Value, key: &str, text: &str) -> bool {
    value.get(key).and_then(Value::as_str) == Some(text)
}

impl Total {
    /// Adds an answer, before which so many events of the same post were taken already; says how many
    /// events were new.
    fn add(&mut self, answer: &Value, early: u64) -> u64 {
        let number = |key: &str| answer.get(key).and_then(Value::as_u64).unwrap_or(0);
        let count = |status: &str| count(answer, |result| has(result, "status", status));
        let appended = number("appended") + count("appended") + early;
        let duplicate = number("duplicate") + count("duplicate");
        self.appended += appended;
        self.duplicate += duplicate.saturating_sub(early);
        self.unknown += number("unknown");
        self.sampled += count("sampled");
        self.rejected += count("rejected");
        appended
    }
}

/// What a file holds, decompressed if its name ends in `.zst`.
pub(crate) fn recorded(file: &Path) -> anyhow::Result<Vec<u8>> {
    if plain_name(file) == file {
        return Ok(fs::read(file)?);
    }
    let mut data = Vec::new();
    zstd::Decoder::new(File::open(file)?)?.take(MAX_BYTES + 1).read_to_end(&mut data)?;
    if data.len() as u64 > MAX_BYTES {
        bail!("it is more than {} MiB when it is decompressed", MAX_BYTES >> 20);
    }
    Ok(data)
}

/// The name of a file as if it were not compressed.
fn plain_name(file: &Path) -> PathBuf {
    match file.extension() {
        Some(extension) if extension == "zst" => file.with_extension(""),
        _ => file.to_owned(),
    }
}

/// A match named after a file.
fn default_match(file: &Path) -> String {
    let file = plain_name(file);
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let good = |c: char| if c.is_ascii_alphanumeric() || "._~-".contains(c) { c } else { '-' };
    let name: String = stem.chars().take(64).map(good).collect();
    if name.is_empty() { "m1".into() } else { name }
}

fn guess(file: &Path) -> Format {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("ndjson" | "jsonl") => Format::Ndjson,
        Some("json") => Format::Cloudevents,
        _ => Format::CsLog,
    }
}

fn progress(file: &Path, bytes: u64, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(bytes);
    let template = "{prefix} {bar:30} {bytes}/{total_bytes} {elapsed} {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(file.file_name().unwrap_or_default().to_string_lossy().into_owned());
    bar
}
