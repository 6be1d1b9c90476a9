//! `matchwire dead-letters`: what an operator does with what was refused.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use anyhow::bail;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use matchwire_client::{Client, Error};
use serde_json::{Value, json};

use crate::{
    cli::{Chosen, DeadLettersCommand, Filter, List, Show},
    terminal::{print, table, text},
};

/// How many letters are listed in one request.
const PAGE: usize = 1_000;
/// How many failures are told of one by one.
const MAX_TOLD: usize = 20;
/// How often a letter is tried while the server has no time for it, and how long it waits in between.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// Runs the command.
pub(crate) async fn run(command: &DeadLettersCommand) -> anyhow::Result<()> {
    match command {
        DeadLettersCommand::List(args) => list(args).await,
        DeadLettersCommand::Show(args) => show(args).await,
        DeadLettersCommand::Redrive(args) => each(args, Act::Redrive).await,
        DeadLettersCommand::Drop(args) => each(args, Act::Drop).await,
    }
}

async fn list(args: &List) -> anyhow::Result<()> {
    let client = Client::new(&args.server.server)?;
    let letters = all(&client, &args.filter).await?;
    if args.server.json {
        return Ok(print(&format!("{}\n", json!({"dead_letters": letters})))?);
    }
    if letters.is_empty() {
        return Ok(print("no dead letters\n")?);
    }
    let mut rows = vec![
        ["SEQ", "KEPT", "REASON", "SOURCE", "SUBJECT", "TYPE", "ID", "TRIED", "SIZE"]
            .map(str::to_owned),
    ];
    rows.extend(letters.iter().map(row));
    Ok(print(&table(&rows))?)
}

async fn show(args: &Show) -> anyhow::Result<()> {
    let client = Client::new(&args.server.server)?;
    let letter = client.get(&format!("/dead-letters/{}", args.seq)).await?;
    if args.server.json {
        return Ok(print(&format!("{letter}\n"))?);
    }
    let mut out = String::new();
    for key in [
        "seq", "kept", "reason", "detail", "via", "source", "place", "headers", "subject", "type",
        "id", "attempts",
    ] {
        if letter.get(key).is_some() {
            out.push_str(&format!("{key:<9} {}\n", text(&letter, key)));
        }
    }
    let size = letter.get("body_bytes").and_then(Value::as_u64).unwrap_or(0);
    let kept = letter.get("kept_bytes").and_then(Value::as_u64);
    let cut = kept.map(|kept| format!(", of which {kept} are kept")).unwrap_or_default();
    out.push_str(&format!("body      {size} bytes{cut}\n\n"));
    // What others sent must not do anything to a terminal.
    let body = letter.get("body").and_then(Value::as_str).unwrap_or_default();
    out.extend(
        body.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }),
    );
    out.push('\n');
    Ok(print(&out)?)
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Redrive,
    Drop,
}

impl Act {
    /// What becomes of a letter.
    fn words(self) -> &'static str {
        match self {
            Self::Redrive => "taken",
            Self::Drop => "dropped",
        }
    }
}

fn letters(count: usize) -> String {
    format!("{count} dead letter{}", if count == 1 { "" } else { "s" })
}

/// Does something with each of the chosen letters, and goes on after one that fails.
async fn each(args: &Chosen, act: Act) -> anyhow::Result<()> {
    let client = Client::new(&args.server.server)?;
    let seqs = if args.all {
        let letters = all(&client, &args.filter()).await?;
        letters.iter().filter_map(|letter| letter.get("seq")?.as_u64()).collect()
    } else {
        args.seqs.clone()
    };
    let bar = progress(seqs.len() as u64, args.server.json);
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for seq in seqs {
        match patient(&client, act, seq).await {
            Ok(()) => done.push(seq),
            // Nothing would be different with the next one.
            Err(error @ (Error::Connection(_) | Error::Timeout(_))) => {
                bar.finish_and_clear();
                report(args, act, &done, &failed)?;
                return Err(error.into());
            }
            Err(error) => {
                if !args.server.json && failed.len() < MAX_TOLD {
                    bar.suspend(|| eprintln!("dead letter {seq}: {}", reason(&error)));
                }
                failed.push((seq, error));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    report(args, act, &done, &failed)?;
    if !failed.is_empty() {
        bail!("{} could not be {}", letters(failed.len()), act.words());
    }
    Ok(())
}

async fn patient(client: &Client, act: Act, seq: u64) -> Result<(), Error> {
    let mut tries = 1;
    loop {
        let done = match act {
            Act::Redrive => {
                let path = format!("/dead-letters/{seq}/redrive");
                client.post(&path, &[], bytes::Bytes::new()).await.map(drop)
            }
            Act::Drop => client.delete(&format!("/dead-letters/{seq}")).await,
        };
        match done {
            Err(Error::Refused { status: 503, .. }) if tries < TRIES => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}

fn report(args: &Chosen, act: Act, done: &[u64], failed: &[(u64, Error)]) -> io::Result<()> {
    if args.server.json {
        let failed: Vec<Value> = failed.iter().map(|(seq, error)| failure(*seq, error)).collect();
        let name = match act {
            Act::Redrive => "redriven",
            Act::Drop => "dropped",
        };
        return print(&format!("{}\n", json!({name: done, "failed": failed})));
    }
    if failed.len() > MAX_TOLD {
        eprintln!("and {} more", failed.len() - MAX_TOLD);
    }
    print(&format!("{} {}, {} not\n", letters(done.len()), act.words(), failed.len()))
}

fn failure(seq: u64, error: &Error) -> Value {
    match error {
        Error::Refused { code, detail, .. } => json!({"seq": seq, "code": code, "detail": detail}),
        error => json!({"seq": seq, "detail": error.to_string()}),
    }
}

fn reason(error: &Error) -> String {
    match error {
        Error::Refused { code, detail, .. } => format!("{code}: {detail}"),
        error => error.to_string(),
    }
}

/// All letters that are open now, page by page.
async fn all(client: &Client, filter: &Filter) -> anyhow::Result<Vec<Value>> {
    let mut found = Vec::new();
    let mut after = 0;
    loop {
        let mut path = format!("/dead-letters?after={after}&limit={PAGE}");
        for (name, value) in [("reason", &filter.reason), ("source", &filter.source)] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", escaped(value)));
            }
        }
        let mut page = client.get(&path).await?;
        if let Some(Value::Array(letters)) = page.get_mut("dead_letters") {
            found.append(letters);
        }
        match page.get("next").and_then(Value::as_u64) {
            Some(next) if next > after => after = next,
            _ => return Ok(found),
        }
    }
}

/// A text as a value in a query.
pub(crate) fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

fn row(letter: &Value) -> [String; 9] {
    let size = letter.get("body_bytes").and_then(Value::as_u64).unwrap_or(0);
    let size = HumanBytes(size).to_string();
    // A post of a source is for a place, and names no stream.
    let subject = if letter.get("place").is_some() { "place" } else { "subject" };
    let [seq, kept, reason, source, subject, kind, id, tried] =
        ["seq", "kept", "reason", "source", subject, "type", "id", "attempts"]
            .map(|key| text(letter, key));
    [seq, kept, reason, source, subject, kind, id, tried, size]
}

fn progress(letters: u64, quiet: bool) -> ProgressBar {
    if quiet || letters < 2 || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(letters);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed}") {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_in_a_query() {
        assert_eq!(escaped("a b&é"), "a%20b%26%C3%A9");
    }
}
