//! `log.json`: whose directory it is, in which format, its lineage, and which losses were accepted.
//!
//! It is replaced as a whole, by a rename, so that it is either the old or the new one.

use std::io;

use matchwire_log::{Error, Lineage};
use serde::{Deserialize, Serialize};

use crate::{
    disk::Disk,
    format::VERSION,
    writer::{TMP_SUFFIX, error},
};

pub(crate) const NAME: &str = "log.json";
/// The largest that is read.
const MAX_BYTES: u64 = 1 << 20;

/// What a log is, as its `log.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    format: u32,
    /// The log's id, 16 hexadecimal digits.
    pub(crate) id: String,
    /// Missing in format 1, which has only the first.
    #[serde(default)]
    lineage: Option<Lineage>,
    /// The losses that were accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lost: Vec<Lost>,
    /// The CRC-32C of all this as JSON without spaces and without the checksum, in hexadecimal;
    /// missing in format 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checksum: Option<String>,
}

/// Positions that are lost for good, by an operator's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lost {
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// Only some blocks of the file that covers them are lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) in_part: bool,
}

impl Identity {
    /// That of a new log. Without an id one is drawn.
    pub(crate) fn new(log_id: Option<u64>) -> Self {
        let id = format!("{:016x}", log_id.unwrap_or_else(draw));
        Self {
            format: VERSION,
            lineage: Some(Lineage::new(&id)),
            id,
            lost: Vec::new(),
            checksum: None,
        }
    }

    /// The log's id: 16 lower-case hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The format that its files are in; the version that wrote it, and newer ones, read it.
    pub fn format(&self) -> u32 {
        self.format
    }

    /// The id as a number.
    pub(crate) fn log_id(&self) -> u64 {
        u64::from_str_radix(&self.id, 16).unwrap_or_default()
    }

    /// The histories that it has had.
    pub fn lineage(&self) -> Lineage {
        self.lineage.clone().unwrap_or_else(|| Lineage::new(&self.id))
    }

    /// Begins another history at a position.
    pub(crate) fn fork(&mut self, position: u64) {
        let mut lineage = self.lineage();
        lineage.renew(format!("{:016x}", draw()), position);
        self.lineage = Some(lineage);
    }

    /// Whether it is in an older format than what is written now.
    pub(crate) fn is_old(&self) -> bool {
        self.format < VERSION
    }

    fn sum(&self) -> String {
        let text = serde_json::to_vec(&Self { checksum: None, ..self.clone() });
        format!("{:08x}", crc32c::crc32c(&text.unwrap_or_default()))
    }

    /// Reads it; nothing if there is none, or one that is damaged.
    ///
    /// What is read is synced before it is relied on: the process that wrote it may have been
    /// killed before it did that, and segments must not outlast the name of their log.
    pub(crate) fn read(disk: &dyn Disk) -> Result<Option<Self>, Error> {
        let file = match disk.open(NAME) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut text = vec![0; usize::try_from(file.size()?.min(MAX_BYTES)).unwrap_or_default()];
        file.read_at(&mut text, 0)?;
        let Ok(identity) = serde_json::from_slice::<Self>(&text) else { return Ok(None) };
        if !(1..=VERSION).contains(&identity.format) {
            let format = identity.format;
            let what = format!(
                "it has format {format}, and this version of matchwire reads formats 1 to \
                 {VERSION}; use the version that wrote it, or a newer one"
            );
            return Err(Error::Unusable { place: disk.place(), what });
        }
        let id = u64::from_str_radix(&identity.id, 16);
        // The text is part of every chain: nothing but what was written once will do.
        let is_right = id.is_ok_and(|id| format!("{id:016x}") == identity.id)
            && (identity.format == 1 || identity.checksum == Some(identity.sum()));
        Ok(is_right.then_some(identity))
    }

    /// Writes it, in the format of now.
    pub(crate) fn write(&mut self, disk: &dyn Disk) -> Result<(), Error> {
        self.format = VERSION;
        self.lineage = Some(self.lineage());
        self.checksum = Some(self.sum());
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::from)?;
        let unnamed = format!("{NAME}{TMP_SUFFIX}");
        let file = disk.create(&unnamed).map_err(error)?;
        file.write_at(&text, 0).map_err(error)?;
        file.sync()?;
        disk.rename(&unnamed, NAME).map_err(error)?;
        disk.sync()?;
        Ok(())
    }
}

fn draw() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    // The standard library's way to random bits.
    RandomState::new().hash_one("log id")
}
