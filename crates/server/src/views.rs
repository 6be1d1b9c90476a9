//! The stored views of a server, and `matchwire views`: what an operator does with them, also while the server
//! runs.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use indicatif::HumanBytes;
use matchwire_embedded::{SqliteViews, give_way};
use matchwire_gateway::{MeasuredPlayers, Meter, Views};
use matchwire_log::{
    Log,
    projection::{Options, Position, Projection, Runner},
    projections::TournamentMatches,
    view_store::{self, Schema, Start, Stored, ViewStore},
};
use matchwire_players::view::Players;
use serde_json::{Value, json};

use crate::{
    cli::{self, ViewsCommand},
    terminal::{print, table},
};

/// Opens the stored views in a data directory, and starts what drives them.
pub(crate) fn start(
    data: &Path,
    log: &Log,
    meter: &Arc<Meter>,
) -> anyhow::Result<(Vec<Runner>, Views)> {
    let store: Arc<dyn ViewStore> = Arc::new(open(data)?);
    let options = Options { on_start: give_way };
    let start = |projection: Arc<dyn Projection>| {
        Runner::start(log, store.clone(), projection, options)
            .context("cannot start what drives the stored views")
    };
    let tournaments = start(Arc::new(TournamentMatches))?;
    let players = start(Arc::new(MeasuredPlayers::new(Players::new(log.clone()), meter)))?;
    let views = Views { tournaments: tournaments.reader(), players: players.reader() };
    Ok((vec![tournaments, players], views))
}

/// The schemas of all stored views, as this version computes them.
fn schemas() -> [Schema; 2] {
    [TournamentMatches.schema(), matchwire_players::view::schema()]
}

fn folder(data: &Path) -> PathBuf {
    data.join("views")
}

fn open(data: &Path) -> anyhow::Result<SqliteViews> {
    let folder = folder(data);
    SqliteViews::open(&folder)
        .with_context(|| format!("cannot open the stored views in {}", folder.display()))
}

/// Opens the views of a data directory that has some.
fn existing(data: &Path) -> anyhow::Result<SqliteViews> {
    let folder = folder(data);
    if !folder.is_dir() {
        bail!("{} has no stored views; --data is the directory of a server", data.display());
    }
    open(data)
}

/// Runs the command.
pub(crate) fn run(command: &ViewsCommand) -> anyhow::Result<()> {
    match command {
        ViewsCommand::List(args) => list(args),
        ViewsCommand::Rebuild(args) => rebuild(args),
        ViewsCommand::Drop(args) => drop_version(args),
    }
}

fn list(args: &cli::Stored) -> anyhow::Result<()> {
    let views = existing(&args.data)?.list()?;
    if args.json {
        let views: Vec<Value> = views.iter().map(told).collect();
        return Ok(print(&format!("{}\n", json!({"views": views})))?);
    }
    if views.is_empty() {
        return Ok(print("no stored views\n")?);
    }
    let heads = ["VIEW", "VERSION", "STATE", "USED", "SEEN UP TO", "MISSING", "ROWS", "SIZE"];
    let mut rows = vec![heads.map(str::to_owned)];
    let mut failures = String::new();
    for view in &views {
        let position = position(view);
        let of = |number: fn(&Position) -> u64| {
            position.as_ref().map_or("-".into(), |position| number(position).to_string())
        };
        rows.push([
            view.name.clone(),
            view.version.to_string(),
            state(view).into(),
            if is_used(view) { "yes" } else { "no" }.into(),
            of(|position| position.from),
            of(|position| position.passed),
            view.size.rows.to_string(),
            HumanBytes(view.size.bytes).to_string(),
        ]);
        if let Some(failure) = &view.failure {
            failures.push_str(&format!("\n{} {}: {failure}\n", view.name, view.version));
        }
    }
    Ok(print(&(table(&rows) + &failures))?)
}

fn told(view: &Stored) -> Value {
    let position = position(view);
    let mut told = json!({
        "name": view.name,
        "version": view.version,
        "state": state(view),
        "used": is_used(view),
        "rows": view.size.rows,
        "bytes": view.size.bytes,
    });
    if let (Value::Object(told), Some(position)) = (&mut told, position) {
        told.insert("position".into(), position.from.into());
        told.insert("lineage".into(), position.lineage.into());
        told.insert("missing_parts".into(), position.passed.into());
    }
    if let (Value::Object(told), Some(failure)) = (&mut told, &view.failure) {
        told.insert("failure".into(), failure.as_str().into());
    }
    told
}

fn position(view: &Stored) -> Option<Position> {
    Position::parse(view.position.as_ref()?)
}

fn state(view: &Stored) -> &'static str {
    match view {
        Stored { failure: Some(_), .. } => "unreadable",
        Stored { is_building: true, .. } => "building",
        Stored { .. } => "complete",
    }
}

/// Whether a server of this version reads it.
fn is_used(view: &Stored) -> bool {
    let is_this =
        |schema: &Schema| (schema.name(), schema.version()) == (view.name.as_str(), view.version);
    schemas().iter().any(is_this)
}

fn rebuild(args: &cli::Rebuild) -> anyhow::Result<()> {
    let store = existing(&args.stored.data)?;
    let schemas = schemas();
    let Some(schema) = schemas.iter().find(|schema| schema.name() == args.name) else {
        let names: Vec<&str> = schemas.iter().map(Schema::name).collect();
        bail!("there is no view {:?}; there are: {}", args.name, names.join(", "));
    };
    // It is left as it is: whoever drives the view goes on with it.
    match store.build(schema, Start::Anew) {
        Ok(begun) => drop(begun),
        Err(view_store::Error::Busy { what, .. }) => {
            bail!("{} cannot be begun anew now: {what}; try again when that is done", args.name)
        }
        Err(error) => return Err(error.into()),
    }
    let (name, version) = (schema.name(), schema.version());
    if args.stored.json {
        return Ok(print(&format!("{}\n", json!({"name": name, "version": version})))?);
    }
    Ok(print(&format!(
        "{name} {version} is computed again by the server, now or at its next start\n"
    ))?)
}

fn drop_version(args: &cli::Drop) -> anyhow::Result<()> {
    let (name, version) = (&args.name, args.version);
    if !existing(&args.stored.data)?.remove(name, version)? {
        bail!("there is no version {version} of a view {name:?} in {}", args.stored.data.display());
    }
    if args.stored.json {
        return Ok(print(&format!("{}\n", json!({"name": name, "version": version})))?);
    }
    Ok(print(&format!("{name} {version} is removed\n"))?)
}
