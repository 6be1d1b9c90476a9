//! What is in a copy: everything that is kept of a person, for programs and to be read.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::atomic::Ordering,
};

use matchwire_domain::{player, subject::Subject, timeline::Chronicle};
use matchwire_log::view_store::Snapshot;
use matchwire_players::{
    rating::{Rating, System},
    rights::Rights,
    view::{
        Opponent, count_activities, each_activity, each_opponent, each_rating, games, is_folded,
        records,
    },
};
use serde_json::{Value, json};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{
    Progress,
    names::{Matches, Names},
    summary::{self, Met, Newest, Now, Shown},
};
use crate::{
    app::App,
    problem::{Code, Problem},
    reads::{SOMEBODY, all_of},
};

/// How many splits of statistics are written: more seasons and tournaments than one plays in.
const MAX_RECORDS: usize = 10_000;
/// In how many games ratings are written: more than there are.
const MAX_GAMES: usize = 1_000;
/// Of how many opponents the public ids are found out at once.
const OPPONENTS: usize = 1_000;

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
    let mut copy = Copy::create(file)?;

    let rights = Rights::of(Some(player), player, &state, false);
    let (newest, matches) = copy.activities(&*snapshot, player, rights, progress)?;
    copy.begin("statistics.ndjson")?;
    for (split, record) in &records {
        copy.line(&json!({"split": split, "record": record}))?;
    }
    let ratings = copy.ratings(&*snapshot, player)?;
    let met = copy.versus(app, &*snapshot, player)?;
    // Nobody purges the view while it is held.
    drop(snapshot);
    copy.begin("decisions.ndjson")?;
    for event in &events {
        copy.line(&event.to_json())?;
    }
    let mut person = json!({
        "player": player,
        "public_id": app.exchange.public_id(player),
        "account": app.exchange.account_of(player),
        "privacy": state.privacy,
        "consents": state.consents,
        "friends": state.friends,
    });
    if let Value::Object(person) = &mut person {
        let names = Names::find(app, player, matches).told();
        person.extend(names.map(|(key, told)| (key.to_owned(), told)));
    }
    copy.begin("person.json")?;
    copy.line(&person)?;
    copy.begin("summary.html")?;
    let shown = Shown {
        person: &person,
        records: &records,
        ratings: &ratings,
        met: &met.most(),
        newest: &newest.0,
    };
    copy.text(&summary::page(&shown, app.log.clock().now()))?;
    copy.end()
}

/// A copy that is being written, file by file.
struct Copy {
    zip: ZipWriter<BufWriter<File>>,
}

impl Copy {
    fn create(file: &Path) -> Result<Self, Problem> {
        let out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
        Ok(Self { zip: ZipWriter::new(BufWriter::new(out.map_err(failed)?)) })
    }

    fn begin(&mut self, name: &str) -> Result<(), Problem> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        self.zip.start_file(name, options).map_err(|error| failed(error.into()))
    }

    fn line(&mut self, line: &impl std::fmt::Display) -> Result<(), Problem> {
        writeln!(self.zip, "{line}").map_err(failed)
    }

    fn text(&mut self, text: &str) -> Result<(), Problem> {
        self.zip.write_all(text.as_bytes()).map_err(failed)
    }

    /// The end, with the size in bytes.
    fn end(self) -> Result<u64, Problem> {
        let out = self.zip.finish().map_err(|error| failed(error.into()))?;
        let out = out.into_inner().map_err(|error| failed(error.into_error()))?;
        out.sync_all().map_err(failed)?;
        Ok(out.metadata().map_err(failed)?.len())
    }

    /// What the player did, the newest first. Gives those that are shown, and the matches that they were in.
    fn activities(
        &mut self,
        snapshot: &dyn Snapshot,
        player: &str,
        rights: Rights,
        progress: &Progress,
    ) -> Result<(Newest, Matches), Problem> {
        self.begin("activities.ndjson")?;
        let (mut newest, mut matches) = (Newest::default(), Matches::default());
        let mut written = Ok(());
        each_activity(snapshot, player, |activity| {
            let Some(shown) = rights.show(&activity, ToOwned::to_owned) else { return true };
            written = self.line(&json!(shown));
            progress.done.fetch_add(1, Ordering::Relaxed);
            matches.note(&shown);
            newest.add(shown);
            written.is_ok()
        })?;
        written.map(|()| (newest, matches))
    }

    /// What the player was rated after each match, by game and system, the newest first. The first of each is what holds now.
    fn ratings(&mut self, snapshot: &dyn Snapshot, player: &str) -> Result<Vec<Now>, Problem> {
        self.begin("ratings.ndjson")?;
        let mut all = Vec::new();
        for game in games(snapshot, player, MAX_GAMES)? {
            let is_folding = !is_folded(snapshot, &game)?;
            let (mut now, mut written) = (Vec::new(), Ok(()));
            each_rating(snapshot, player, &game, |since, ratings| {
                let is_now = now.is_empty();
                for (system, rating) in ratings {
                    let place = [since.ended.to_string(), since.match_id.clone()];
                    let mut told = rated(&game, *system, rating, place);
                    if let (true, Value::Object(told)) = (is_now, &mut told) {
                        told.insert("is_now".into(), true.into());
                        told.insert("floor".into(), rating.floor(*system).into());
                        told.extend(is_folding.then(|| ("folding".into(), true.into())));
                        now.push(Now { game: game.clone(), system: *system, rating: *rating });
                    }
                    written = self.line(&told);
                    if written.is_err() {
                        return false;
                    }
                }
                true
            })?;
            written?;
            all.extend(now);
        }
        Ok(all)
    }

    /// How the player has fared against each other one, by game.
    fn versus(&mut self, app: &App, snapshot: &dyn Snapshot, player: &str) -> Result<Met, Problem> {
        self.begin("versus.ndjson")?;
        let mut met = Met::default();
        let (mut page, mut written) = (Vec::new(), Ok(()));
        each_opponent(snapshot, player, |opponent| {
            page.push(opponent);
            if page.len() == OPPONENTS {
                written = self.opponents(app, &mut page, &mut met);
            }
            written.is_ok()
        })?;
        written?;
        self.opponents(app, &mut page, &mut met)?;
        Ok(met)
    }

    /// Writes some of them, by public id.
    fn opponents(
        &mut self,
        app: &App,
        page: &mut Vec<Opponent>,
        met: &mut Met,
    ) -> Result<(), Problem> {
        let ids: Vec<&str> = page.iter().map(|opponent| opponent.player.as_str()).collect();
        let public = app.exchange.public_ids(&ids);
        for (mut opponent, public) in page.drain(..).zip(public) {
            opponent.player = public.unwrap_or_else(|| SOMEBODY.to_owned());
            self.line(&json!(opponent))?;
            met.add(opponent);
        }
        Ok(())
    }
}

fn rated(game: &str, system: System, rating: &Rating, [time, of]: [String; 2]) -> Value {
    let Rating { rating, deviation, volatility } = rating;
    let mut told = json!({
        "game": game,
        "system": system,
        "time": time,
        "match": of,
        "rating": rating,
        "deviation": deviation,
    });
    if let (System::Glicko2, Value::Object(told)) = (system, &mut told) {
        told.insert("volatility".into(), (*volatility).into());
    }
    told
}

#[allow(clippy::needless_pass_by_value, reason = "it is mapped over")]
fn failed(error: io::Error) -> Problem {
    Problem::new(Code::Internal, format!("the export cannot be written: {error}"))
}
