//! Logs to back up, and what is in them.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Instant};

use matchwire_backup::{Backup, Error, Restored, Safe, Store, Wanted};
use matchwire_domain::{
    chain::Digest,
    envelope::{Attributes, Event},
    live_match::Games,
    subject::Subject,
    timestamp::Timestamp,
    vocabulary,
};
use matchwire_embedded::{Options, Segments};
use matchwire_log::{Append, Log, ManualClock};
use tempfile::TempDir;

/// What a stream has: for each event its id, recordedtime in milliseconds, and chain.
pub(crate) type Stream = Vec<(String, i64, Digest)>;
pub(crate) type All = BTreeMap<String, Stream>;

/// Small files, so that there are many of them.
pub(crate) fn options() -> Options {
    Options {
        segment_bytes: 4 << 10,
        ahead_bytes: 4 << 10,
        max_waiting: 1_000,
        fan_in: 4,
        background: false,
        ..Options::default()
    }
}

/// A log that is open.
pub(crate) struct Open {
    pub(crate) log: Log,
    pub(crate) clock: Arc<ManualClock>,
    written: u64,
}

/// A data directory.
pub(crate) struct Data {
    pub(crate) folder: TempDir,
}

impl Data {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn open(&self, options: Options) -> Open {
        open(self.path(), options)
    }

    /// Seals and merges what there is to seal and merge, up to so many times.
    pub(crate) fn maintain(&self, times: usize) {
        let segments = Segments::open(&self.path().join("log"), options()).unwrap();
        for _ in 0..times {
            if !segments.maintain().unwrap() {
                break;
            }
        }
    }
}

pub(crate) fn open(data: &Path, options: Options) -> Open {
    let segments = Segments::open(&data.join("log"), options).unwrap();
    let clock = Arc::new(ManualClock::new(1_000));
    let log = Log::open(Box::new(segments), clock.clone()).unwrap();
    Open { log, clock, written: 0 }
}

impl Open {
    /// Appends events to one of seven streams, in a group of their own, at a time.
    pub(crate) async fn append(&mut self, events: u64, at_ms: i64) {
        self.clock.set(at_ms);
        let stream = format!("match/m{}/1", at_ms % 7);
        let event = |number: u64| event(&stream, &format!("{at_ms}-{number}"));
        let events: Vec<Event> = (0..events).map(event).collect();
        self.written += events.len() as u64;
        let subject = Subject::parse(&stream).unwrap();
        let append = Append { subject, events, expected_seq: None, received: Instant::now() };
        for outcome in self.log.append(vec![append]).await.unwrap() {
            outcome.unwrap();
        }
    }

    /// Appends groups of one to five events, one each millisecond.
    pub(crate) async fn fill(&mut self, from_ms: i64, groups: i64) {
        for at_ms in from_ms..from_ms + groups {
            self.append(at_ms.unsigned_abs() % 5 + 1, at_ms).await;
        }
    }

    /// Everything in it; seqs and chains are checked.
    pub(crate) fn all(&self) -> All {
        all(&self.log)
    }
}

fn event(stream: &str, id: &str) -> Event {
    let filling = "x".repeat(100);
    let text = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"test","subject":"{stream}","type":"x.test","data":{{"filling":"{filling}"}}}}"#
    );
    vocabulary::admit(
        &Games::default(),
        &Attributes::parse(&text).unwrap(),
        &mut str::to_owned,
        &|_, name| name.clone(),
    )
    .unwrap()
}

fn all(log: &Log) -> All {
    let subjects = log.subjects("", None, 1_000).unwrap();
    subjects.iter().map(|subject| (subject.as_str().to_owned(), stream(log, subject))).collect()
}

fn stream(log: &Log, subject: &Subject) -> Stream {
    let mut found: Stream = Vec::new();
    let mut chain = Digest::genesis(log.id(), subject);
    loop {
        let page = log.read(subject, found.len() as u64, 1_000).unwrap();
        if page.is_empty() {
            assert_eq!(log.head(subject).unwrap(), found.len() as u64);
            return found;
        }
        for entry in page {
            let recorded = entry.recorded;
            assert_eq!(recorded.seq, found.len() as u64 + 1);
            chain = chain.next(recorded.seq, recorded.recorded, Digest::leaf(&recorded.stored));
            assert_eq!(recorded.chain, chain);
            let id = Attributes::read(&recorded.stored).unwrap().id.into_owned();
            found.push((id, recorded.recorded.ms(), chain));
        }
    }
}

/// What was recorded by a time.
pub(crate) fn until(all: &All, at_ms: i64) -> All {
    let cut = |stream: &Stream| -> Stream {
        stream.iter().filter(|(_, recorded, _)| *recorded <= at_ms).cloned().collect()
    };
    let cut = all.iter().map(|(subject, stream)| (subject.clone(), cut(stream)));
    cut.filter(|(_, stream)| !stream.is_empty()).collect()
}

/// A place for back-ups, with its safe and the clock that says which day it is.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) safe: TempDir,
    pub(crate) clock: Arc<ManualClock>,
}

impl Place {
    /// On 2026-11-26, at noon.
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::new(at("2026-11-26T12:00:00Z").ms()));
        Self { folder: tempfile::tempdir().unwrap(), safe: tempfile::tempdir().unwrap(), clock }
    }

    pub(crate) fn name(&self) -> String {
        self.folder.path().display().to_string()
    }

    pub(crate) fn store(&self) -> Store {
        Store::create(&self.name()).unwrap()
    }

    pub(crate) fn safe(&self) -> Safe {
        let safe = Safe::open(&self.safe.path().display().to_string()).unwrap();
        safe.with_clock(self.clock.clone())
    }

    /// Opens the back-up of a data directory here.
    pub(crate) async fn backup(&self, data: &Path) -> Backup {
        self.try_backup(data).await.unwrap()
    }

    pub(crate) async fn try_backup(&self, data: &Path) -> Result<Backup, Error> {
        Backup::open(data, self.store(), self.safe()).await
    }

    /// The objects of the log's back-up, without `backup.json`.
    pub(crate) fn objects(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.folder.path().join("log")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name != "backup.json").collect();
        names.sort();
        names
    }

    pub(crate) async fn restore(&self, data: &Path) -> Result<Restored, Error> {
        self.restore_to(data, None).await
    }

    pub(crate) async fn restore_to(
        &self,
        data: &Path,
        at_ms: Option<i64>,
    ) -> Result<Restored, Error> {
        let wanted = Wanted { to_time: at_ms.map(Timestamp::from_ms), ..Wanted::default() };
        restore(&self.store(), &self.safe(), data, wanted).await
    }

    /// Restores the log alone.
    pub(crate) async fn restore_log(&self, data: &Path) -> Result<Restored, Error> {
        let wanted = Wanted { without_vault: true, ..Wanted::default() };
        restore(&self.store(), &self.safe(), data, wanted).await
    }
}

pub(crate) fn at(time: &str) -> Timestamp {
    Timestamp::parse(time).unwrap()
}

pub(crate) async fn restore(
    store: &Store,
    safe: &Safe,
    data: &Path,
    wanted: Wanted,
) -> Result<Restored, Error> {
    matchwire_backup::restore(store, safe, data, wanted, &mut |_, _| ()).await
}

/// Copies a folder with what is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
