//! `matchwire upstreams`: from where a server fetches events, and how that goes.

use matchwire_client::Client;
use serde_json::Value;

use crate::{
    cli::Server,
    terminal::{print, table, text},
};

/// Runs the command.
pub(crate) async fn run(args: &Server) -> anyhow::Result<()> {
    let told = Client::new(&args.server)?.get("/upstreams").await?;
    if args.json {
        return Ok(print(&format!("{told}\n"))?);
    }
    let upstreams = told.get("upstreams").and_then(Value::as_array).map(Vec::as_slice);
    let Some(upstreams @ [_, ..]) = upstreams else {
        return Ok(print("no upstreams are set\n")?);
    };
    let heads = [
        "NAME", "KIND", "FORMAT", "CLASS", "STATE", "ANSWERED", "NEW", "KNOWN", "REJECTED",
        "FAILED", "URL",
    ];
    let mut rows = vec![heads.map(str::to_owned)];
    let mut errors = String::new();
    for upstream in upstreams {
        let events = upstream.get("events").unwrap_or(&Value::Null);
        let of = |key| text(upstream, key);
        rows.push([
            of("name"),
            of("kind"),
            of("format"),
            of("class"),
            of("state"),
            of("answered"),
            text(events, "appended"),
            text(events, "duplicate"),
            text(events, "rejected"),
            of("failed"),
            of("url"),
        ]);
        if upstream.get("error").is_some() {
            errors.push_str(&format!("\n{}: {}\n", of("name"), of("error")));
        }
    }
    Ok(print(&(table(&rows) + &errors))?)
}
