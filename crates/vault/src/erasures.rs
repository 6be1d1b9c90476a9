//! The ledger of erasures: a line for each, only ever added to.
//!
//! It is the one file that is never set back to an earlier time: a vault from a back-up is opened with the ledger of today,
//! and forgets again whoever is in it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use matchwire_domain::timestamp::Timestamp;
use serde_json::json;

use crate::files;

/// The file, in the vault's folder.
pub const LEDGER: &str = "erasures.ndjson";
/// How large the file may be, in bytes: some ten million people.
const MAX_BYTES: u64 = 1 << 30;

/// That a person was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The number of the receipt, 16 hexadecimal digits that were drawn.
    pub receipt: String,
    /// Who it was: a player id, which says nothing any more.
    pub player: String,
    /// When.
    pub time: Timestamp,
}

impl Erasure {
    /// As a line of the ledger, without its end.
    pub fn to_line(&self) -> String {
        let Self { receipt, player, time } = self;
        json!({"receipt": receipt, "player": player, "time": time.to_string()}).to_string()
    }

    /// From a line of the ledger.
    pub fn parse(line: &str) -> Option<Self> {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        let text = |name: &str| line.get(name)?.as_str().map(ToOwned::to_owned);
        let time = Timestamp::parse(&text("time")?).ok()?;
        Some(Self { receipt: text("receipt")?, player: text("player")?, time })
    }

    /// All whole lines of a ledger, in order; a last line that is not whole was never acknowledged, and is left out. The error
    /// is the number of the first line that is no erasure.
    pub fn parse_all(ledger: &[u8]) -> Result<Vec<Self>, usize> {
        let text = String::from_utf8_lossy(ledger.get(..whole(ledger)).unwrap_or_default());
        let lines = (1..).zip(text.lines());
        lines.map(|(number, line)| Self::parse(line).ok_or(number)).collect()
    }
}

/// How many bytes of a ledger are whole lines.
fn whole(ledger: &[u8]) -> usize {
    ledger.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
}

/// The ledger, open.
pub(crate) struct Ledger {
    file: File,
    length: u64,
    by_player: BTreeMap<String, Erasure>,
}

impl Ledger {
    /// Opens or makes it. A last line that is not whole was never acknowledged, and is cut off.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join(LEDGER);
        let file = files::open(&path)?;
        let bytes = files::read(&path, MAX_BYTES)?.unwrap_or_default();
        let whole = whole(&bytes);
        let erasures = Erasure::parse_all(&bytes).map_err(|number| {
            let what = format!("{}: line {number} is no erasure", path.display());
            io::Error::new(io::ErrorKind::InvalidData, what)
        })?;
        let by_player =
            erasures.into_iter().map(|erasure| (erasure.player.clone(), erasure)).collect();
        file.set_len(whole as u64)?;
        file.sync_all()?;
        Ok(Self { file, length: whole as u64, by_player })
    }

    /// Everybody who has been erased, by player id.
    pub(crate) fn players(&self) -> impl Iterator<Item = &String> {
        self.by_player.keys()
    }

    /// All erasures, by player id.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Erasure> {
        self.by_player.values()
    }

    /// The erasure of a player.
    pub(crate) fn of(&self, player: &str) -> Option<&Erasure> {
        self.by_player.get(player)
    }

    /// Writes an erasure down, on disk.
    pub(crate) fn add(&mut self, erasure: Erasure) -> io::Result<()> {
        let line = format!("{}\n", erasure.to_line());
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.write_all(line.as_bytes())?;
        self.file.sync_data()?;
        self.length += line.len() as u64;
        self.by_player.insert(erasure.player.clone(), erasure);
        Ok(())
    }
}
