//! What is in a copy: everything that is kept of a person, for programs and to be read.

use std::{
    fs::OpenOptions,
    io::{self, BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::atomic::Ordering,
};

use matchwire_domain::{player, subject::Subject, timeline::Chronicle};
use matchwire_players::{
    rights::Rights,
    view::{count_activities, each_activity, records},
};
use serde_json::{Value, json};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{Progress, summary};
use crate::{
    app::App,
    problem::{Code, Problem},
    reads::all_of,
};

/// How many splits of statistics are written: more seasons and tournaments than one plays in.
const MAX_RECORDS: usize = 10_000;
/// How many of the newest activities the summary shows.
const SHOWN: usize = 100;

/// Writes the copy of a player, and tells its size in bytes.
pub(super) fn write(
    app: &App,
    player: &str,
    file: &Path,
    progress: &Progress,
) -> Result<u64, Problem> {
    let subject = Subject::parse(&format!("player/{player}"))?;
    let events = all_of(&app.log, &subject)?;
    let state: player::State = Chronicle::of(&events).state;
    let snapshot = app.views.players.snapshot()?;
    progress.of.store(count_activities(&*snapshot, player)?, Ordering::Relaxed);
    let records = records(&*snapshot, player, MAX_RECORDS)?;
    let out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let mut zip = ZipWriter::new(BufWriter::new(out.map_err(failed)?));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);

    begin(&mut zip, "activities.ndjson", options)?;
    let rights = Rights::of(Some(player), player, &state, false);
    let (mut newest, mut written) = (Vec::new(), Ok(()));
    each_activity(&*snapshot, player, |activity| {
        let Some(shown) = rights.show(&activity, ToOwned::to_owned) else { return true };
        written = line(&mut zip, &json!(shown));
        progress.done.fetch_add(1, Ordering::Relaxed);
        if newest.len() < SHOWN {
            newest.push(shown);
        }
        written.is_ok()
    })?;
    written?;

    begin(&mut zip, "statistics.ndjson", options)?;
    for (split, record) in &records {
        line(&mut zip, &json!({"split": split, "record": record}))?;
    }
    begin(&mut zip, "decisions.ndjson", options)?;
    for event in &events {
        writeln!(zip, "{}", event.to_json()).map_err(failed)?;
    }
    let person = json!({
        "player": player,
        "public_id": app.exchange.public_id(player),
        "account": app.exchange.account_of(player),
        "privacy": state.privacy,
        "consents": state.consents,
        "friends": state.friends,
    });
    begin(&mut zip, "person.json", options)?;
    line(&mut zip, &person)?;
    begin(&mut zip, "summary.html", options)?;
    let summary = summary::page(&person, &records, &newest, app.log.clock().now());
    zip.write_all(summary.as_bytes()).map_err(failed)?;
    let out = zip.finish().map_err(|error| failed(error.into()))?;
    let out = out.into_inner().map_err(|error| failed(error.into_error()))?;
    out.sync_all().map_err(failed)?;
    Ok(out.metadata().map_err(failed)?.len())
}

type Zip = ZipWriter<BufWriter<std::fs::File>>;

fn begin(zip: &mut Zip, name: &str, options: SimpleFileOptions) -> Result<(), Problem> {
    zip.start_file(name, options).map_err(|error| failed(error.into()))
}

fn line(zip: &mut Zip, value: &Value) -> Result<(), Problem> {
    writeln!(zip, "{value}").map_err(failed)
}

#[allow(clippy::needless_pass_by_value, reason = "it is mapped over")]
fn failed(error: io::Error) -> Problem {
    Problem::new(Code::Internal, format!("the export cannot be written: {error}"))
}
