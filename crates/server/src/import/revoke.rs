//! `matchwire players import list` and `revoke`: what was imported, and taking it back.

use anyhow::bail;
use matchwire_client::Client;
use serde_json::{Value, json};

use super::{
    batches::{JSON, post},
    counted, grouped, is_wanted,
    progress::Progress,
    standing,
};
use crate::{
    cli::{Revoke, Server},
    dead_letters::escaped,
    terminal::{print, table, text},
};

/// How many imports are listed in one request.
const PAGE: usize = 1_000;

/// Prints the imports, by name.
pub(super) async fn list(args: &Server) -> anyhow::Result<()> {
    let client = Client::new(&args.server)?;
    let (mut imports, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/imports?after={}&limit={PAGE}", escaped(&after));
        let mut page = client.get(&path).await?;
        if let Some(Value::Array(found)) = page.get_mut("imports") {
            imports.append(found);
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) if next > after.as_str() => next.clone_into(&mut after),
            _ => break,
        }
    }
    imports.sort_by_key(|import| text(import, "since"));
    if args.json {
        return Ok(print(&format!("{}\n", json!({"imports": imports})))?);
    }
    if imports.is_empty() {
        return Ok(print("no imports\n")?);
    }
    let mut rows = vec![
        ["IMPORT", "STATUS", "EVENTS", "TOLD", "VOIDED", "BY", "SINCE", "FILES"].map(str::to_owned),
    ];
    rows.extend(imports.iter().map(row));
    Ok(print(&table(&rows))?)
}

fn row(import: &Value) -> [String; 8] {
    let number = |key: &str| grouped(import.get(key).and_then(Value::as_u64).unwrap_or(0));
    let voided = import.pointer("/revoked/voided").and_then(Value::as_u64);
    let files = import.get("files").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let names = match files {
        [] => "-".into(),
        [one] => text(one, "name"),
        [first, rest @ ..] => format!("{} and {} more", text(first, "name"), rest.len()),
    };
    [
        text(import, "import"),
        text(import, "status"),
        number("events"),
        number("told"),
        voided.map_or("-".into(), grouped),
        text(import, "by"),
        text(import, "since"),
        names,
    ]
}

/// Takes an import back, batch by batch; goes on where it stopped.
pub(super) async fn run(args: &Revoke) -> anyhow::Result<()> {
    let (client, id) = (Client::new(&args.server.server)?, &args.id);
    matchwire_domain::import::subject(id)?;
    let Some(import) = standing(&client, id).await? else {
        bail!("there is no import {id}; matchwire players import list has those that there are");
    };
    if text(&import, "status") == "revoked" {
        return told(args, "was taken back already", &import);
    }
    let number =
        |import: &Value, key: &str| import.pointer(key).and_then(Value::as_u64).unwrap_or(0);
    let events = counted(number(&import, "/told"), "event", "events");
    if !is_wanted(args.yes, &format!("Take the import {id} back, up to {events}?"))? {
        bail!("nothing was taken back");
    }
    let mut why = serde_json::Map::new();
    for (key, value) in [("by", &args.by), ("reason", &args.reason)] {
        why.extend(value.as_ref().map(|value| (key.to_owned(), value.as_str().into())));
    }
    let why = Value::Object(why).to_string();
    let mut progress = Progress::new(number(&import, "/batches"), "batches", args.server.json);
    let mut done = number(&import, "/revoked/batches");
    progress.skip(done);
    loop {
        let path = format!("/imports/{id}/revoke");
        let import = post(&client, &path, JSON, why.clone(), &progress).await?;
        if text(&import, "status") == "revoked" {
            progress.end();
            return told(args, "is taken back", &import);
        }
        let now = number(&import, "/revoked/batches");
        progress.advance(now.saturating_sub(done));
        done = now;
    }
}

fn told(args: &Revoke, what: &str, import: &Value) -> anyhow::Result<()> {
    if args.server.json {
        return Ok(print(&format!("{import}\n"))?);
    }
    let number = |key: &str| import.pointer(key).and_then(Value::as_u64).unwrap_or(0);
    let voided = counted(number("/revoked/voided"), "event is void", "events are void");
    let mut line = format!("{} {what}: {voided}", args.id);
    let kept = number("/revoked/kept");
    if kept > 0 {
        line.push_str(&format!(", and {} of streams that are sealed stay", grouped(kept)));
    }
    Ok(print(&format!("{line}\n"))?)
}
