//! Files of history, read as a whole: their events, each once, and what was not understood.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use matchwire_domain::{
    chain::Digest,
    envelope::{Attributes, Event},
    live_match::Games,
    series::Name,
    subject::Kind,
};
use matchwire_sources::history::{
    About, ndjson,
    startgg::{self, Bracket},
    team_results::Columns,
};

use serde_json::Value;

use super::{counted, foreign};
use crate::{
    cli::{HistoryFormat as Format, Import},
    send::recorded,
};

/// How much is read, all files together. It is held in memory until it is sent.
const MAX_BYTES: u64 = 256 << 20;
/// How many lines that were not understood are told of one by one.
const MAX_TOLD: usize = 10;
/// The source of events until the import has its name.
const NAMELESS: &str = "import";
/// The files of a bracket.
const BRACKET: [&str; 4] = ["attr", "seeds", "matches", "standings"];
/// What some programs put at the start of a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// What says how a match has ended.
const ENDS: [&str; 5] =
    ["series.ended", "match.forfeited", "match.abandoned", "match.cancelled", "bye.given"];
/// How many characters of the content make the name of an import.
const NAME_DIGITS: usize = 16;

/// What files tell.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Tournaments before matches, by time, and each stream in one piece.
    pub(super) events: Vec<Event>,
    /// A hash over all of that.
    pub(super) content: String,
    /// Who is named.
    pub(super) accounts: BTreeSet<String>,
    /// The first lines that were not understood: where, and why.
    pub(super) unknown: Vec<String>,
    /// How many there are.
    pub(super) unknown_count: u64,
    /// The files, by name and size.
    pub(super) files: Vec<(String, u64)>,
    games: Games,
    /// What was told before, by subject and id.
    known: HashSet<(String, String)>,
    /// What the first row says of each match, by its stream.
    ended: HashMap<String, String>,
}

impl History {
    /// Reads all files. What is wrong with a line is noted; what is wrong with a file is an error.
    pub(super) fn read(args: &Import) -> anyhow::Result<Self> {
        let game = match &args.game {
            None => None,
            Some(game) => Some(Name::new(game.clone()).with_context(|| {
                format!(
                    "--game {game:?} must be a name like cs2, which matches [A-Za-z0-9._~-]{{1,64}}"
                )
            })?),
        };
        let about = About { source: NAMELESS.into(), prefix: args.prefix.clone(), game };
        let mut history = Self::default();
        let mut folders = BTreeSet::new();
        for file in &args.files {
            let format = match args.format {
                Some(format) => format,
                None => guess(file)?,
            };
            let read = match format {
                Format::Csv => history.table(&about, file),
                Format::Ndjson => history.lines(&about, file),
                Format::Startgg => {
                    let folder = folder(file);
                    // All files of a bracket may be named one by one.
                    if !folders.insert(folder.clone()) {
                        continue;
                    }
                    history.bracket(&about, &folder)
                }
            };
            read.with_context(|| format!("cannot read {}", file.display()))?;
        }
        history.order();
        Ok(history)
    }

    /// The name of an import that has none: it is the same for the same history.
    pub(super) fn default_name(&self) -> String {
        self.content.chars().take(NAME_DIGITS).collect()
    }

    /// How many matches and tournaments there are.
    pub(super) fn counts(&self) -> (u64, u64) {
        let (mut matches, mut tournaments) = (HashSet::new(), HashSet::new());
        for event in &self.events {
            match event.subject.kind() {
                Kind::Match(id) | Kind::MatchMap(id, _) => matches.insert(id),
                Kind::Tournament(id) => tournaments.insert(id),
                _ => false,
            };
        }
        (matches.len() as u64, tournaments.len() as u64)
    }

    /// What was read, for people.
    pub(super) fn summary(&self, name: &str) -> String {
        let (matches, tournaments) = self.counts();
        let mut out = format!(
            "import {name}: {} of {}, {} and {}\n",
            counted(self.events.len() as u64, "event", "events"),
            counted(matches, "match", "matches"),
            counted(tournaments, "tournament", "tournaments"),
            counted(self.accounts.len() as u64, "player", "players"),
        );
        if self.unknown_count > 0 {
            let lines = counted(self.unknown_count, "line or entry is", "lines or entries are");
            out.push_str(&format!("{lines} not understood, and left out:\n"));
            for what in &self.unknown {
                let what: String =
                    what.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
                out.push_str(&format!("  {what}\n"));
            }
            let more = self.unknown_count - self.unknown.len() as u64;
            if more > 0 {
                out.push_str(&format!("  and {more} more\n"));
            }
        }
        out
    }

    fn table(&mut self, about: &About, file: &Path) -> anyhow::Result<()> {
        let data = self.data(file)?;
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(&*data);
        let columns = Columns::of(reader.headers().context("it is no CSV")?.iter())?;
        let place = place(file);
        let at = |record: &csv::StringRecord| {
            format!("{place}, line {}", record.position().map_or(0, csv::Position::line))
        };
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    self.note(format!("{place}, line {line}: {error}"));
                    continue;
                }
            };
            let mut named = Vec::new();
            let mut exchange = |account: &str| {
                named.push(account.to_owned());
                account.to_owned()
            };
            match columns.read(about, |column| record.get(column), &mut exchange) {
                Ok(events) => self.put_row(events, named, || at(&record)),
                Err(error) => self.note(format!("{}: {error}", at(&record))),
            }
        }
        Ok(())
    }

    fn lines(&mut self, about: &About, file: &Path) -> anyhow::Result<()> {
        let data = self.data(file)?;
        let place = place(file);
        let data = data.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&data);
        for (number, line) in (1..).zip(data.split(|byte| *byte == b'\n')) {
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            let Ok(line) = std::str::from_utf8(line) else {
                self.note(format!("{place}, line {number}: it is not UTF-8"));
                continue;
            };
            let mut named = Vec::new();
            let mut exchange = |account: &str| {
                named.push(account.to_owned());
                account.to_owned()
            };
            match ndjson::read(about, &self.games, line, &mut exchange) {
                Ok(events) => self.put_row(events, named, || format!("{place}, line {number}")),
                Err(error) => self.note(format!("{place}, line {number}: {error}")),
            }
        }
        Ok(())
    }

    fn bracket(&mut self, about: &About, folder: &Path) -> anyhow::Result<()> {
        let mut data = Vec::with_capacity(BRACKET.len());
        for name in BRACKET {
            let file = folder.join(format!("{name}.json"));
            data.push(self.data(&file).with_context(|| format!("{}", file.display()))?);
            // Every bracket has files of these names.
            if let Some((name, _)) = self.files.last_mut() {
                *name = format!("{}/{name}", place(folder));
            }
        }
        let [attr, seeds, matches, standings] = data.as_slice() else { return Ok(()) };
        let bracket = Bracket { attr, seeds, matches, standings };
        let accounts = &mut self.accounts;
        let mut exchange = |account: &str| {
            accounts.insert(account.to_owned());
            account.to_owned()
        };
        let read = startgg::read(about, &bracket, &mut exchange)?;
        let place = place(folder);
        for event in read.events {
            match foreign::objection(&self.games, &event) {
                Some(why) => self.note(format!("{place}: {}: {why}", event.subject)),
                None => self.put(event),
            }
        }
        read.unknown.iter().for_each(|what| self.note(format!("{place}, {what}")));
        Ok(())
    }

    /// Reads a file, if there is room for it.
    fn data(&mut self, file: &Path) -> anyhow::Result<Vec<u8>> {
        let size = fs::metadata(file)?.len();
        let before: u64 = self.files.iter().map(|(_, bytes)| bytes).sum();
        let data = if before + size > MAX_BYTES { Vec::new() } else { recorded(file)? };
        let bytes = size.max(data.len() as u64);
        if before + bytes > MAX_BYTES {
            bail!("all files together may have {} MiB; import them in parts", MAX_BYTES >> 20);
        }
        self.files.push((place(file), bytes));
        Ok(data)
    }

    fn note(&mut self, what: String) {
        self.unknown_count += 1;
        if self.unknown.len() < MAX_TOLD {
            self.unknown.push(what);
        }
    }

    /// Takes what a row tells of a match or a tournament and of the accounts that it names, unless a row before has said that the
    /// match ended otherwise, or the server would not take it.
    fn put_row(&mut self, events: Vec<Event>, named: Vec<String>, place: impl Fn() -> String) {
        if let Some(why) = events.iter().find_map(|it| foreign::objection(&self.games, it)) {
            return self.note(format!("{}: {why}", place()));
        }
        // An event that is a row by itself may be one of several about the end.
        if let [scheduled, .., end] = events.as_slice() {
            let told = [told_of_match(scheduled), told_of_match(end)];
            if let [Some(told_scheduled), Some(end)] = told {
                let (told, subject) = (told_scheduled + &end, scheduled.subject.to_string());
                let first = self.ended.entry(subject.clone()).or_insert_with(|| told.clone());
                if *first != told {
                    return self.note(format!(
                        "{}: {subject} is told otherwise before, its teams, its end or when; this one is left out",
                        place()
                    ));
                }
            }
        }
        self.accounts.extend(named);
        for event in events {
            self.put(event);
        }
    }

    /// Takes an event, if it was not told before.
    fn put(&mut self, event: Event) {
        if self.known.insert((event.subject.to_string(), event.id.to_string())) {
            self.events.push(event);
        }
    }

    /// Puts tournaments first and then matches in the order in which they ended, so that ratings need not be folded again
    /// for every one of them; each stream in one piece.
    fn order(&mut self) {
        // The last time of each stream, which is when it ended; as text, times stand in their order.
        let mut places: HashMap<String, (String, usize)> = HashMap::new();
        for event in &self.events {
            let next = places.len();
            let told = Attributes::read(&event.stored).ok().and_then(|told| told.time);
            let time = told.unwrap_or_default().into_owned();
            let (last, _) =
                places.entry(event.subject.to_string()).or_insert_with(|| (String::new(), next));
            *last = time.max(std::mem::take(last));
        }
        self.events.sort_by_cached_key(|event| {
            let is_match = !matches!(event.subject.kind(), Kind::Tournament(_));
            (is_match, places.get(event.subject.as_str()).cloned())
        });
        let leaves: String =
            self.events.iter().map(|event| Digest::leaf(&event.stored).to_string()).collect();
        self.content = Digest::leaf(leaves.as_bytes()).to_string();
        (self.known, self.ended) = (HashSet::new(), HashMap::new());
    }
}

/// What two rows must tell alike of a match, by one of their events. Of a table each side has a row, which fills in its own line-up, and
/// may have another day; else all must be the same but for line-ups.
fn told_of_match(event: &Event) -> Option<String> {
    let told = Attributes::read(&event.stored).ok()?;
    let mut data: Value = serde_json::from_str(told.data.map_or("{}", |data| data.get())).ok()?;
    if ENDS.contains(&&*told.kind) {
        return Some(format!("{} {data}", told.kind));
    }
    if told.kind != "match.scheduled" {
        return None;
    }
    for team in data.get_mut("teams")?.as_array_mut()? {
        team.as_object_mut()?.remove("players");
    }
    if data.get("fills").is_some() {
        return Some(format!("{} ", data.get("teams")?));
    }
    Some(format!("{} {data} ", told.time.unwrap_or_default()))
}

/// An event as the import of that name tells it: by its number.
pub(super) fn told(event: &Event, source: &str, number: u64) -> anyhow::Result<Event> {
    let told = Attributes::read(&event.stored)?;
    let data = told.data.map_or("{}", |data| data.get());
    let attributes = Attributes { id: number.to_string().into(), source: source.into(), ..told };
    Ok(Event::new(&attributes, data)?)
}

/// A file without where it is.
fn place(file: &Path) -> String {
    file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
}

/// The folder of a bracket, of which a file may be named instead.
fn folder(file: &Path) -> PathBuf {
    if file.is_dir() {
        return file.to_owned();
    }
    file.parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// The format of a file by its name or, where that says nothing, by how it begins.
fn guess(file: &Path) -> anyhow::Result<Format> {
    if file.is_dir() {
        return Ok(Format::Startgg);
    }
    let plain = if file.extension().is_some_and(|extension| extension == "zst") {
        file.with_extension("")
    } else {
        file.to_owned()
    };
    let stem = plain.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    match plain.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => Ok(Format::Csv),
        Some("ndjson" | "jsonl") => Ok(Format::Ndjson),
        Some("json") if BRACKET.contains(&stem) => Ok(Format::Startgg),
        _ => {
            let data = recorded(file).with_context(|| format!("cannot read {}", file.display()))?;
            let line = data.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let line = String::from_utf8_lossy(line);
            match line.trim_start() {
                line if line.starts_with('{') => Ok(Format::Ndjson),
                line if line.contains("match_id") => Ok(Format::Csv),
                _ => bail!(
                    "{} is of no format that can be told by its name or its first line; say --format",
                    file.display()
                ),
            }
        }
    }
}
