//! `matchwire calibration`: how good predictions have been.

use clap::Args;
use matchwire_client::Client;
use serde_json::Value;

use crate::{
    dead_letters::escaped,
    terminal::{print, table, text},
};

/// `matchwire calibration`.
#[derive(Debug, Args)]
pub(crate) struct Calibration {
    /// Only this game, like cs2
    #[arg(long, value_name = "GAME")]
    game: Option<String>,
    /// Only this model, like mw-gbt-1
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// The server
    #[arg(
        long,
        env = "MATCHWIRE_SERVER",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    server: String,
    /// Print JSON, with the bins of the reliability diagrams
    #[arg(long)]
    json: bool,
}

const HEAD: [&str; 9] =
    ["GAME", "TARGET", "MODEL", "SERVED", "PREDICTIONS", "OUTCOMES", "BRIER", "LOG LOSS", "ECE"];

/// Runs the command.
pub(crate) async fn run(args: &Calibration) -> anyhow::Result<()> {
    let wanted = [("game", &args.game), ("model", &args.model)];
    let wanted = wanted.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let query: Vec<String> =
        wanted.map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    let client = Client::new(&args.server)?;
    let answer = client.get(&format!("/calibration?{}", query.join("&"))).await?;
    if args.json {
        return Ok(print(&format!("{answer}\n"))?);
    }
    let rows = answer.get("calibration").and_then(Value::as_array);
    let rows: Vec<[String; 9]> = rows.into_iter().flatten().map(row).collect();
    let mut out = if rows.is_empty() {
        "no outcome is known yet\n".to_owned()
    } else {
        table(&[vec![HEAD.map(str::to_owned)], rows].concat())
    };
    let count = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
    if answer.get("complete").and_then(Value::as_bool) == Some(false) {
        out += &format!("still counting; maps to go: {}\n", count("waiting_maps"));
    }
    if count("incomplete_maps") > 0 {
        out += &format!("maps that are not counted as a whole: {}\n", count("incomplete_maps"));
    }
    Ok(print(&out)?)
}

fn row(row: &Value) -> [String; 9] {
    let figure = |name: &str| {
        let figure = row.get(name).and_then(Value::as_f64);
        figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.4}"))
    };
    let is_shadow = row.get("shadow").and_then(Value::as_bool) == Some(true);
    [
        text(row, "game"),
        text(row, "target"),
        text(row, "model"),
        if is_shadow { "in the shadow" } else { "openly" }.to_owned(),
        text(row, "predictions"),
        text(row, "outcomes"),
        figure("brier"),
        figure("log_loss"),
        figure("ece"),
    ]
}
