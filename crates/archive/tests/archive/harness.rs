//! An archive in a directory of its own, and rows for it.

use std::{fs, path::PathBuf};

use matchwire_archive::Parquet;
use matchwire_domain::{chain::Digest, timestamp::Timestamp};
use matchwire_embedded::archive::{About, Archive, Object, Row};
use matchwire_log::Error;
use tempfile::TempDir;

/// A directory with an archive.
pub(crate) struct Folder {
    pub(crate) folder: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn open(&self) -> Parquet {
        Parquet::open(self.folder.path().to_str().unwrap()).unwrap()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Every file in it.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

pub(crate) fn about(name: &str) -> About {
    About { name: name.into(), log_id: "0123456789abcdef".into(), positions: (3, 900) }
}

/// Writes an object of groups.
pub(crate) fn write(
    archive: &dyn Archive,
    name: &str,
    groups: &[Vec<Row>],
) -> Result<Object, Error> {
    let mut groups = groups.iter().cloned();
    archive.write(&about(name), &mut || Ok(groups.next()))
}

/// All that an object has, which are so many groups.
pub(crate) fn read(
    archive: &dyn Archive,
    object: &Object,
    groups: usize,
) -> Result<Vec<Vec<Row>>, Error> {
    (0..u32::try_from(groups).unwrap()).map(|group| archive.read(object, group)).collect()
}

/// Checks that groups come back as they are, also to another process.
pub(crate) fn round_trip(groups: &[Vec<Row>]) {
    let folder = Folder::new();
    let object = write(&folder.open(), "a/b.parquet", groups).unwrap();
    assert_eq!(fs::metadata(folder.file("a/b.parquet")).unwrap().len(), object.bytes);
    assert_eq!(read(&folder.open(), &object, groups.len()).unwrap(), groups);
}

/// The stored bytes of an event.
pub(crate) fn stored(subject: &str, id: &str, time: Option<&str>, text: &str) -> Vec<u8> {
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let time = time.map(|time| format!(r#","time":"{time}""#)).unwrap_or_default();
    let (subject, id, text) = (quoted(subject), quoted(id), quoted(text));
    let head = format!(r#"{{"specversion":"1.0","id":{id},"source":"test","subject":{subject}"#);
    format!(r#"{head},"type":"chat.message"{time},"data":{{"text":{text}}}}}"#).into_bytes()
}

/// An event of a stream.
pub(crate) fn row(subject: &str, seq: u64) -> Row {
    let time = (!seq.is_multiple_of(3)).then_some("2026-01-19T19:55:38.2509+01:00");
    Row {
        subject: subject.into(),
        seq,
        position: seq * 7,
        recorded: Timestamp::from_ms(1_767_225_600_000 + i64::try_from(seq).unwrap()),
        fingerprint: seq.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        chain: seq.is_multiple_of(64).then(|| Digest::leaf(&seq.to_le_bytes())),
        stored: stored(subject, &format!("e{seq}"), time, &format!("number {seq}")),
    }
}

/// Groups of some streams.
pub(crate) fn groups(count: u64, rows: u64) -> Vec<Vec<Row>> {
    let group = |group| {
        let row = |number: u64| {
            let subject = format!("match/m{group}/{}", 1 + number * 3 / rows);
            row(&subject, 1 + number)
        };
        (0..rows).map(row).collect()
    };
    (0..count).map(group).collect()
}
