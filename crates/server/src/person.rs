//! `matchwire players erase` and `export`: what an operator does for a person who asks.

use std::{io::IsTerminal as _, time::Duration};

use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use matchwire_client::Client;
use serde_json::Value;

use crate::{
    ask,
    cli::{Erase, Named, Server},
    terminal::print,
};

/// How often it is asked how far a copy is.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Forgets a player.
pub(crate) async fn erase(args: &Erase) -> anyhow::Result<()> {
    let Named { player, server: Server { server, json } } = &args.named;
    if !args.yes {
        if !ask::is_somebody_there() {
            bail!("nothing was erased: there is nobody to ask; --yes erases without asking");
        }
        let question = format!("Forget {player} for ever? It cannot be undone.");
        if !ask::asked(&question)? {
            bail!("nothing was erased");
        }
    }
    let client = Client::new(server)?;
    let receipt = client.post(&format!("/players/{player}/erase"), &[], "".into()).await?;
    if *json {
        return Ok(print(&format!("{receipt}\n"))?);
    }
    let of = |name: &str| receipt.get(name).and_then(Value::as_str).unwrap_or_default();
    let list = |name: &str| {
        let what = receipt.get(name).and_then(Value::as_array).into_iter().flatten();
        let what = what.filter_map(Value::as_str).map(|what| what.replace('_', " "));
        what.collect::<Vec<String>>().join(", ")
    };
    let pending = match list("pending") {
        none if none.is_empty() => none,
        some => format!("Destroyed by the server as soon as it can: {some}\n"),
    };
    Ok(print(&format!(
        "{} is forgotten since {}, receipt {}\nDestroyed: {}\n{pending}No back-up of the vault that was made before can be read after {}\n",
        of("player"),
        of("time"),
        of("receipt"),
        list("destroyed"),
        of("backups_dark_by"),
    ))?)
}

/// Has a copy made of all that is kept of a player, and tells where it is.
pub(crate) async fn export(args: &Named) -> anyhow::Result<()> {
    let Named { player, server: Server { server, json } } = args;
    let client = Client::new(server)?;
    let path = format!("/players/{player}/export");
    let mut told = client.post(&path, &[], "".into()).await?;
    let is_shown = !json && std::io::stderr().is_terminal();
    let bar = if is_shown { ProgressBar::new(0) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} activities, {eta} left") {
        bar.set_style(style);
    }
    while told.get("status").and_then(Value::as_str) == Some("running") {
        let progress = |name: &str| {
            told.pointer(&format!("/progress/{name}")).and_then(Value::as_u64).unwrap_or(0)
        };
        bar.set_length(progress("of"));
        bar.set_position(progress("activities"));
        tokio::time::sleep(LOOK_AGAIN).await;
        told = client.get(&path).await?;
    }
    bar.finish_and_clear();
    let Some(url) = told.get("url").and_then(Value::as_str) else {
        bail!("the export failed; the server's log says why");
    };
    if *json {
        return Ok(print(&format!("{told}\n"))?);
    }
    let until = told.get("expires").and_then(Value::as_str).unwrap_or_default();
    Ok(print(&format!(
        "{}{url}\nWhoever has this link can fetch it until {until}\n",
        server.trim_end_matches('/')
    ))?)
}
